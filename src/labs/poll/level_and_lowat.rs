//! Does poll report new bytes, or all unread bytes?
//!
//! All unread bytes: poll reports POLLIN again as long as any byte is left, so a loop may read some bytes and come
//! back. SO_RCVLOWAT sets the number of bytes from which poll reports: with 5, three bytes do not make the socket
//! ready, though a non-blocking recv would take them.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{sets_of, tcp_pair, wait_for, without_pressure};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::GVisor;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "level-and-lowat",
    claim: "poll reports unread bytes again and again; SO_RCVLOWAT says from how many.",
    question: "Does poll report new bytes, or all unread bytes?",
    explanation: "select and poll report a state, not an event (they are level-triggered): they report bytes that were \
        not read again, so a loop loses nothing if it reads once for each readiness. SO_RCVLOWAT moves the level. The \
        last bytes of a stream may be fewer than the level; at the end of file poll reports them all the same.",
    elsewhere: "gVisor accepts SO_RCVLOWAT, and ignores it. On FreeBSD, NetBSD and macOS a recv on a socket with \
        O_NONBLOCK gives EAGAIN below the mark; one with MSG_DONTWAIT, as here, gets the bytes (soreceive in the \
        kernels).",
    sources: &[
        "poll(2)",
        "socket(7), SO_RCVLOWAT",
        "POSIX setsockopt",
        "gVisor: PollLevelTriggered",
    ],
    related: &[
        "readable-but-recv-blocks",
        "no-message-boundaries",
        "writable-hysteresis",
        "zero-is-three-things",
    ],
    words: &["poll", "SO_RCVLOWAT", "MSG_DONTWAIT"],
    predictions: &[&SOME_LEFT, &NONE_LEFT, &BELOW, &BELOW_SELECT, &TAKEN, &ENOUGH, &AT_THE_END],
    spoiled_by: "poll:spurious@3",
    run,
    ..Lab::ORDINARY
};

const SOME_LEFT: Prediction = Prediction {
    asks: "Ten bytes have arrived, four were received, no more arrive. What does poll return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const NONE_LEFT: Prediction = Prediction {
    asks: "The other six were received as well. What does poll return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const BELOW: Prediction = Prediction {
    asks: "SO_RCVLOWAT is 5, three bytes have arrived. What does poll return?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")).but(
        &[GVisor],
        Expected::Is("1"),
        "it ignores SO_RCVLOWAT",
    ),
};

const BELOW_SELECT: Prediction = Prediction {
    asks: "And in which of its sets does select leave it?",
    choices: &["w", "rw", "none"],
    expect: Expect::on_linux(Expected::Is("w")).but(
        &[GVisor],
        Expected::Is("rw"),
        "it ignores SO_RCVLOWAT",
    ),
};

const TAKEN: Prediction = Prediction {
    asks: "What does recv with MSG_DONTWAIT and MSG_PEEK give?",
    choices: &["3", "EAGAIN", "0"],
    expect: Expect::on_linux(Expected::Is("3")),
};

const ENOUGH: Prediction = Prediction {
    asks: "Two more bytes arrive, which makes five. What does poll return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const AT_THE_END: Prediction = Prediction {
    asks: "Four of the five are received, and the peer finishes. What does poll return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (c, a) = tcp_pair()?;
    let mut buf = [0; 16];

    lab.part("As long as bytes are left");
    send(&c, b"0123456789", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    recv(&a, &mut buf[..4], MsgFlags::NONE)?;
    lab.predict(&SOME_LEFT);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 0));
    recv(&a, &mut buf, MsgFlags::NONE)?;
    lab.predict(&NONE_LEFT);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 0));

    lab.part("From how many bytes on");
    send(&c, b"abc", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    setsockopt(&a, SOL_SOCKET, SO_RCVLOWAT, &5)?;
    lab.predict(&BELOW);
    let asks = || poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 0);
    lab.observe(without_pressure(asks, |ready| *ready == 1));
    lab.predict(&BELOW_SELECT);
    lab.observe(without_pressure(|| sets_of(&a), |sets| sets.contains('r')));
    lab.predict(&TAKEN);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT | MSG_PEEK));
    send(&c, b"de", MSG_NOSIGNAL)?;
    lab.predict(&ENOUGH);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 1000));

    lab.part("At the end, fewer are enough");
    recv(&a, &mut buf[..4], MsgFlags::NONE)?;
    shutdown(&c, SHUT_WR)?;
    lab.predict(&AT_THE_END);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 1000));
    Ok(())
}
