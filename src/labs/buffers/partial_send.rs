//! Why does send return less than I gave it?
//!
//! On a non-blocking socket `send` takes only as many bytes as there is room for, and returns that count. This is a
//! *short write*, and no error. Without any room `send` fails with `EAGAIN`, and `poll` does not report `POLLOUT`. On a
//! blocking socket `send` waits until it has taken everything, so a long `send` returns when the peer has read most of
//! it; but a signal midway causes a short write there too. So every program needs a loop around `send`, or a buffer for
//! the rest.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::share;
use crate::labs::peers::{Alarm, Peer};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{fill, set_nonblocking, tcp_pair};
use crate::labs::wire::WireFact;
use crate::labs::{Expect, Expected, Lab, Prediction, WirePrediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "partial-send",
    claim: "send may take fewer bytes than given: non-blocking, or after a signal.",
    question: "Why does send return less than I gave it?",
    explanation: "A non-blocking send takes what fits into the buffers (a short write). The caller must keep the rest, \
        wait with select or poll until the socket is writable, and continue from there. A blocking send waits until \
        all bytes are taken, which may be forever if the peer does not read; a signal ends that wait, and then the \
        count is short as well.",
    elsewhere: "The sizes differ between systems, and from one moment to the next: do not rely on a number seen once.",
    sources: &[
        "send(2)",
        "signal(7)",
        "POSIX send",
        "Python Socket HOWTO, Using a Socket",
        "gVisor: NonblockingLargeWrite",
    ],
    related: &["send-is-a-copy", "writable-hysteresis", "eintr-despite-sa-restart"],
    words: &["send", "EAGAIN", "POLLOUT", "SO_SNDBUF"],
    minutes: 3,
    predictions: &[&SHORT, &FULL, &NOT_WRITABLE, &WHOLE, &DRAINED, &INTERRUPTED],
    on_wire: &[&ROOM],
    spoiled_by: "send:EPIPE@1",
    run,
    ..Lab::ORDINARY
};

/// More than the buffers of two sockets hold.
const MUCH: usize = 100_000_000;
/// More than the small buffers of the second part hold.
const SOME: usize = 4_000_000;

const SHORT: Prediction = Prediction {
    asks: "A non-blocking send of 100 MB, and the peer does not read. How much does send take?",
    choices: &["all", "a part", "nothing", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("a part")),
};

const FULL: Prediction = Prediction {
    asks: "The buffers are full. What does the next send give?",
    choices: &["0", "EAGAIN", "ENOBUFS", "EPIPE"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const NOT_WRITABLE: Prediction = Prediction {
    asks: "For how many descriptors does poll say POLLOUT now?",
    choices: &["0", "1", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const WHOLE: Prediction = Prediction {
    asks: "A blocking send of 4 MB, and the peer begins to read. How much does send take?",
    choices: &["all", "a part", "nothing", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("all")),
};

const DRAINED: Prediction = Prediction {
    asks: "When that send returned, had the peer read at least 1 MB of the 4?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")),
};

const INTERRUPTED: Prediction = Prediction {
    asks: "A blocking send of 100 MB, the peer does not read, and a signal arrives. How much does send take?",
    choices: &["all", "a part", "nothing", "EINTR"],
    expect: Expect::on_linux(Expected::Is("a part")),
};

const ROOM: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "The peer had no room, and reads everything now. What does its kernel send?",
        choices: &["nothing", "a window update"],
        expect: Expect::on_linux(Expected::Is("a window update")),
    },
    fact: WireFact::WindowUpdate,
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let much = vec![b'x'; MUCH];
    lab.part("Non-blocking: a short write");
    let (c, a) = tcp_pair()?;
    set_nonblocking(&c)?;
    lab.predict(&SHORT);
    lab.observe(share(send(&c, &much, MSG_NOSIGNAL), MUCH));
    fill(lab, &c, &much)?; // what was on its way has arrived meanwhile and made room
    lab.predict(&FULL);
    lab.observe(send(&c, &much, MSG_NOSIGNAL));
    lab.predict(&NOT_WRITABLE);
    lab.observe(poll(&mut [PollFd::new(c.as_fd(), POLLOUT)], 0));
    lab.predict_on_wire(&ROOM);
    recv(&a, &mut vec![0; MUCH], MSG_DONTWAIT)?;
    lab.observe_on_wire();

    lab.part("Blocking: send returns when the peer has read enough");
    blocking(lab, &much[..SOME])?;

    lab.part("Blocking, and a signal arrives");
    let (c, _a) = tcp_pair()?;
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.say("A thread sends SIGUSR1 every 100 ms.");
    lab.predict(&INTERRUPTED);
    let alarm = Alarm::every(Duration::from_millis(100), SIGUSR1);
    let interrupted = send(&c, &much, MSG_NOSIGNAL);
    drop(alarm);
    lab.observe(share(interrupted, MUCH));
    Ok(())
}

fn blocking(lab: &mut Run<'_>, some: &[u8]) -> LabResult {
    let (c, a) = tcp_pair()?;
    lab.say("Both buffers are made small, so that the bytes in them hardly matter.");
    setsockopt(&c, SOL_SOCKET, SO_SNDBUF, &131_072)?;
    setsockopt(&a, SOL_SOCKET, SO_RCVBUF, &131_072)?;
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    lab.predict(&WHOLE);
    let peer = Peer::with(a, move |stream| {
        let mut buf = vec![0; 65_536];
        while let received @ 1.. = stream.read(&mut buf)? {
            counted.fetch_add(received, Ordering::SeqCst);
        }
        Ok(())
    });
    let sent = send(&c, some, MSG_NOSIGNAL);
    let drained = read.load(Ordering::SeqCst);
    lab.observe(share(sent, SOME));
    lab.predict(&DRAINED);
    lab.observe(drained >= 1_000_000);
    shutdown(&c, SHUT_WR)?;
    let _a = peer.done()?;
    Ok(())
}
