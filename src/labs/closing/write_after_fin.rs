//! The peer has closed. What does send say?
//!
//! The first one: that everything is fine. It only puts bytes into a buffer, and a FIN says no more than that the peer has
//! finished sending. Its system answers those bytes with a reset, and the next send fails.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::signals::into_pipe;
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "write-after-fin",
    claim: "The peer has closed: the first send succeeds, the second gives EPIPE.",
    question: "The peer has closed its socket. When does send tell me?",
    explanation: "That send succeeds means that the bytes are in our buffer, not that anybody receives them. The Python \
        Socket HOWTO, good as it is, takes a send that completes for a client that was receiving. The reset that answers them makes the next \
        send fail with EPIPE, and without MSG_NOSIGNAL it raises SIGPIPE, which ends a program that does not expect it. \
        recv knows earlier: it gives 0 as soon as the FIN is there.",
    elsewhere: "macOS, FreeBSD and NetBSD also have SO_NOSIGPIPE, for the socket; all systems know MSG_NOSIGNAL by \
        now. gVisor raises no SIGPIPE at all. On the BSDs and macOS recv tells of the reset after EPIPE.",
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
        "EPIPE leaves the error of the socket where it is, and recv tells it",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.say(
        "First a pipe, and a handler for SIGPIPE that writes into it: so the signal can be seen.",
    );
    let signals = into_pipe(&[SIGPIPE])?;
    let (peer, ours) = tcp_pair()?;
    close(peer)?;
    let mut buf = [0; 64];
    lab.predict(&END);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&FIRST);
    lab.observe(send(&ours, b"hello", MSG_NOSIGNAL));
    wait_for(&ours, POLLIN)?; // readable it was before; by now the reset is there too, for loopback does not wait
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
