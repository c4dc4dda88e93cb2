//! What do MSG_PEEK, MSG_WAITALL and MSG_TRUNC do with bytes that I have not read?
//!
//! `MSG_PEEK` leaves the bytes where they are, so that the socket stays ready: a loop that only peeks spins.
//! `MSG_WAITALL` waits for the whole length, but the peer's end of file or a signal ends the wait, so a program must
//! still handle a short count. On Linux `MSG_TRUNC` makes a TCP socket discard bytes unread.

use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::labs::peers::{Alarm, Peer};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "peek-waitall-trunc",
    claim: "PEEK keeps the bytes, WAITALL may be short, TRUNC on TCP discards them.",
    question: "What do MSG_PEEK, MSG_WAITALL and MSG_TRUNC do with bytes that I have not read?",
    explanation: "A peek removes nothing, so the next select or poll returns at once: a loop that peeks until a whole \
        message has arrived burns the processor. MSG_WAITALL replaces the receive loop only as long as nothing goes \
        wrong: at the peer's end of file, on an error and after a signal it returns the bytes received so far. A \
        server keeps its own buffer for each client anyway, and then needs none of the three flags.",
    elsewhere: "Only Linux lets a caller pass MSG_TRUNC to recv on a TCP socket; elsewhere recvmsg returns the flag, \
        and FreeBSD accepts it as an argument since 2022, for datagrams only. After a signal, NetBSD, OpenBSD and \
        macOS give EINTR and leave the bytes in the socket, if the whole request fits into its buffer. And on FreeBSD \
        and in gVisor MSG_WAITALL does not wait if MSG_PEEK stands beside it: it gives the length that was asked for, and what was \
        there again and again.",
    sources: &["recv(2)", "tcp(7), MSG_TRUNC", "POSIX recv", "gVisor: MsgTrunc, RecvWaitAll"],
    related: &["header-splits", "no-message-boundaries", "always-ready", "datagram-truncation"],
    words: &["MSG_PEEK", "MSG_WAITALL", "MSG_TRUNC", "recv"],
    predictions: &[
        &STILL_READY,
        &STILL_THERE,
        &PEEKED,
        &AT_END,
        &AT_SIGNAL,
        &AFTER_SIGNAL,
        &UNSEEN,
        &THROWN_AWAY,
    ],
    spoiled_by: "recv:ECONNRESET@2",
    run,
    ..Lab::ORDINARY
};

const STILL_READY: Prediction = Prediction {
    asks: "All six bytes were peeked at. What does poll say?",
    choices: &["0", "POLLIN"],
    expect: Expect::everywhere(Expected::Is("POLLIN")),
};

const STILL_THERE: Prediction = Prediction {
    asks: "What does a recv without flags give?",
    choices: &["0", "6", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("6")),
};

const PEEKED: Prediction = Prediction {
    asks: "\"abc\" is there, and \"def\" comes in 100 ms. recv of six with MSG_PEEK|MSG_WAITALL: what does it see?",
    choices: &["\"abc\"", "\"abcdef\"", "\"abcabc\"", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("\"abcdef\"")).but(
        &[FreeBsd],
        Expected::Is("\"abcabc\""),
        "it does not wait, and begins with the first byte again until the length is reached",
    ),
};

const AT_END: Prediction = Prediction {
    asks: "Three bytes and the end of file have arrived. What does MSG_WAITALL of ten give?",
    choices: &["0", "3", "10", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("3")),
};

const AT_SIGNAL: Prediction = Prediction {
    asks: "Three bytes have arrived, the peer is silent, and a signal comes. What does MSG_WAITALL of ten give?",
    choices: &["0", "3", "10", "EINTR"],
    expect: Expect::everywhere(Expected::Is("3")).but(
        &[NetBsd, OpenBsd, MacOs],
        Expected::Is("EINTR"),
        "a request that fits into the buffer is waited for before a byte is taken; the three stay",
    ),
};

const AFTER_SIGNAL: Prediction = Prediction {
    asks: "And the next recv, which does not wait?",
    choices: &["EAGAIN", "3", "0"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[NetBsd, OpenBsd, MacOs],
        Expected::Is("3"),
        "the interrupted call has taken nothing",
    ),
};

/// Elsewhere MSG_TRUNC is not among recv's flags, and recv receives two bytes as usual.
const UNSEEN: Prediction = Prediction {
    asks: "\"abcdef\" has arrived. recv gets MSG_TRUNC and a buffer of two bytes, which hold \"--\". What do they hold \
        afterwards?",
    choices: &["\"--\"", "\"ab\""],
    expect: Expect::on_linux(Expected::Is("\"--\"")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("\"ab\""),
        "as an argument, MSG_TRUNC means something to Linux alone",
    ),
};

const THROWN_AWAY: Prediction = Prediction {
    asks: "And what does the next recv give?",
    choices: &["\"abcdef\"", "\"cdef\"", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("\"cdef\"")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    lab.part("MSG_PEEK: the bytes stay");
    let (c, a) = tcp_pair()?;
    send(&c, b"abcdef", MSG_NOSIGNAL)?;
    recv(&a, &mut buf, MSG_PEEK)?;
    lab.predict(&STILL_READY);
    lab.observe(wait_for(&a, POLLIN));
    lab.predict(&STILL_THERE);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));

    lab.part("MSG_PEEK with MSG_WAITALL");
    send(&c, b"abc", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    lab.say("The peer sends \"def\" in 100 ms; a thread does that.");
    lab.predict(&PEEKED);
    let peer = Peer::with(c, |stream| {
        thread::sleep(Duration::from_millis(100));
        stream.write_all(b"def")
    });
    let seen = recv(&a, &mut buf[..6], MSG_PEEK | MSG_WAITALL);
    lab.observe(seen.map(|seen| format!("\"{}\"", buf[..seen].escape_ascii())));
    let c = peer.done()?;
    recv(&a, &mut buf[..6], MSG_WAITALL)?;

    lab.part("MSG_WAITALL at the end of file");
    send(&c, b"abc", MSG_NOSIGNAL)?;
    shutdown(&c, SHUT_WR)?;
    lab.predict(&AT_END);
    lab.observe(recv(&a, &mut buf[..10], MSG_WAITALL));

    lab.part("MSG_WAITALL and a signal");
    let (c, a) = tcp_pair()?;
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    send(&c, b"abc", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    lab.say("A thread sends SIGUSR1 every 100 ms.");
    lab.predict(&AT_SIGNAL);
    let alarm = Alarm::every(Duration::from_millis(100), SIGUSR1);
    let received = recv(&a, &mut buf[..10], MSG_WAITALL);
    drop(alarm);
    lab.observe(received);
    lab.predict(&AFTER_SIGNAL);
    lab.observe(recv(&a, &mut buf[..10], MSG_DONTWAIT));

    lab.part("MSG_TRUNC on TCP: discarded, and never seen");
    let (c, a) = tcp_pair()?;
    send(&c, b"abcdef", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    let mut two = *b"--";
    lab.predict(&UNSEEN);
    let taken = recv(&a, &mut two, MSG_TRUNC);
    lab.observe(taken.map(|_| format!("\"{}\"", two.escape_ascii())));
    lab.predict(&THROWN_AWAY);
    let left = recv(&a, &mut buf, MSG_DONTWAIT);
    lab.observe(left.map(|received| format!("\"{}\"", buf[..received].escape_ascii())));
    Ok(())
}
