//! The peer has closed. When does send fail?
//!
//! The first send succeeds. It only puts bytes into a buffer, and a FIN means only that the peer has finished sending.
//! The peer's kernel answers those bytes with a reset, and the next send fails.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::signals::into_pipe;
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "write-after-fin",
    claim: "The peer has closed: the first send succeeds, the second gives EPIPE.",
    question: "The peer has closed its socket. When does send fail?",
    explanation: "A send that succeeds means that the bytes are in our buffer, not that the peer receives them. (The \
        Python Socket HOWTO takes a completed send as proof that the client was receiving.) The peer's kernel answers \
        the bytes with a reset, which makes the next send fail with EPIPE; without MSG_NOSIGNAL that send also raises \
        SIGPIPE, which kills a program that does not expect it. recv tells you earlier: it returns 0 as soon as the \
        FIN has arrived.",
    elsewhere: "macOS, FreeBSD and NetBSD also have SO_NOSIGPIPE, for the socket; all systems have MSG_NOSIGNAL by \
        now. gVisor raises no SIGPIPE at all. On the BSDs and macOS recv still reports the reset after EPIPE.",
    sources: &[
        "send(2)",
        "POSIX send (EPIPE)",
        "RFC 9293, 3.6 and 3.10.7",
        "Stevens, UNP 5.13",
        "gVisor: WriteOneSideClosed",
    ],
    related: &["multipath-hides-close", "half-close", "sigpipe-or-not", "send-is-a-copy"],
    words: &["EPIPE", "SIGPIPE", "MSG_NOSIGNAL"],
    minutes: 2,
    predictions: &[&END, &FIRST, &SECOND, &SIGNAL, &STILL_THE_END],
    spoiled_by: "send:EAGAIN@2",
    run,
    ..Lab::ORDINARY
};

const END: Prediction = Prediction {
    asks: "The peer has closed. What does recv give?",
    choices: &["0", "EPIPE", "ECONNRESET"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const FIRST: Prediction = Prediction {
    asks: "What does a first send give?",
    choices: &["5", "EPIPE", "ECONNRESET"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const SECOND: Prediction = Prediction {
    asks: "The reset that answers it has come. What does a second send give?",
    choices: &["5", "EPIPE", "EAGAIN"],
    expect: Expect::everywhere(Expected::OneOf(&["EPIPE", "ECONNRESET"])),
};

const SIGNAL: Prediction = Prediction {
    asks: "Did SIGPIPE come with it? (A read of the pipe that its handler writes to gives 1 if so.)",
    choices: &["1", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("1")).but(
        &[GVisor],
        Expected::Is("EAGAIN"),
        "it never raises SIGPIPE",
    ),
};

const STILL_THE_END: Prediction = Prediction {
    asks: "And what does recv give now?",
    choices: &["0", "EPIPE", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("0")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ECONNRESET"),
        "EPIPE does not clear the socket's error, and recv reports it",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.say(
        "First a pipe, and a handler for SIGPIPE that writes into it: that makes the signal visible.",
    );
    let signals = into_pipe(&[SIGPIPE])?;
    let (peer, ours) = tcp_pair()?;
    close(peer)?;
    let mut buf = [0; 64];
    lab.predict(&END);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&FIRST);
    lab.observe(send(&ours, b"hello", MSG_NOSIGNAL));
    wait_for(&ours, POLLIN)?; // it was readable before; by now the reset has arrived too, because loopback delivers at once
    lab.predict(&SECOND);
    lab.observe(send(&ours, b"hello", MsgFlags::NONE));
    lab.predict(&SIGNAL);
    lab.observe(read(&signals, &mut buf));
    lab.predict(&STILL_THE_END);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    sigaction(SIGPIPE, Some(&SigAction::new(Handler::Ignore)), None)?;
    drop(self_pipe(None)); // the end that the handler wrote to
    Ok(())
}
