//! Can the peer still answer after I have finished sending?
//!
//! Yes, if you finish with `shutdown(SHUT_WR)`: the peer reads the end of file, answers, and the answer arrives. After
//! `close` the peer's kernel takes the first part of the answer, which is lost, and the second part fails. Call
//! `shutdown(SHUT_WR)` only once: on FreeBSD and NetBSD a second call gives up the other direction, too.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::wire::WireFact;
use crate::labs::{Expect, Expected, Lab, Prediction, WirePrediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "half-close",
    claim: "shutdown(SHUT_WR) ends one direction: the answer still arrives.",
    question: "Can the peer still answer after I have finished sending?",
    explanation: "A connection is two streams, one in each direction. shutdown(SHUT_WR) ends the stream that we send, \
        with a FIN; the other stream continues until the peer ends it. This is a half-close. close gives up both \
        directions: the kernel answers bytes that arrive afterwards with a reset. If two parts of a program may shut \
        down sending (a library, and its caller), the program must make sure that only one of them does: a second \
        shutdown has no effect on Linux, but loses the answer on FreeBSD and NetBSD. --packets shows that close sends \
        the same FIN: only what comes after it tells the two apart.",
    elsewhere: "On FreeBSD and NetBSD a second SHUT_WR, once the peer has acknowledged the FIN, succeeds and ends \
        receiving as well: their kernels call soisdisconnected for a socket in FIN_WAIT_2. OpenBSD checks first \
        whether that half is shut down already, and then does nothing. macOS refuses the second SHUT_WR with ENOTCONN, \
        and the answer arrives.",
    sources: &[
        "shutdown(2)",
        "POSIX shutdown",
        "RFC 9293, 3.6 (half-closed connections)",
        "FreeBSD, sys/netinet/tcp_usrreq.c: tcp_usrclosed",
        "OpenBSD, sys/netinet/tcp_usrreq.c: tcp_shutdown",
    ],
    related: &["write-after-fin", "close-is-refcount", "shut-rd-is-local"],
    words: &["shutdown", "EPIPE"],
    predictions: &[&AFTER_CLOSE, &TWICE, &ANSWER_AFTER_TWICE, &END_OF_FILE, &ANSWER],
    on_wire: &[&SHUT_DOWN_SENDS],
    spoiled_by: "send:EAGAIN@3",
    run,
    ..Lab::ORDINARY
};

const AFTER_CLOSE: Prediction = Prediction {
    asks: "The client has closed. What does the second send of the answer give?",
    choices: &["6", "EPIPE", "EAGAIN"],
    expect: Expect::everywhere(Expected::OneOf(&["EPIPE", "ECONNRESET"])),
};

const TWICE: Prediction = Prediction {
    asks: "The server has seen the end. The client shuts down sending once more. What does shutdown give?",
    choices: &["success", "ENOTCONN", "EPIPE"],
    expect: Expect::on_linux(Expected::Is("success")).but(
        &[MacOs],
        Expected::Is("ENOTCONN"),
        "a half that is shut cannot be shut again",
    ),
};

const ANSWER_AFTER_TWICE: Prediction = Prediction {
    asks: "The server answers now. What does the client's recv give?",
    choices: &["0", "6", "ENOTCONN"],
    expect: Expect::on_linux(Expected::Is("6")).but(
        &[FreeBsd, NetBsd],
        Expected::Is("0"),
        "the second shutdown ends receiving, too: the answer is lost",
    ),
};

const END_OF_FILE: Prediction = Prediction {
    asks: "The client has shut down sending. What does the server's recv give?",
    choices: &["0", "ENOTCONN", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const ANSWER: Prediction = Prediction {
    asks: "The server answers. What does the client's recv give?",
    choices: &["0", "6", "ENOTCONN"],
    expect: Expect::everywhere(Expected::Is("6")),
};

const SHUT_DOWN_SENDS: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "What does shutdown(SHUT_WR) send?",
        choices: &["nothing", "FIN ACK", "RST ACK"],
        expect: Expect::on_linux(Expected::Is("FIN ACK")),
    },
    fact: WireFact::FirstSegment,
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The broken way: close, and hope for the answer");
    let (c, a) = tcp_pair()?;
    send(&c, b"question", MSG_NOSIGNAL)?;
    close(c)?;
    let mut buf = [0; 64];
    recv(&a, &mut buf, MsgFlags::NONE)?;
    recv(&a, &mut buf, MsgFlags::NONE)?; // 0: the peer has finished sending; whether it still reads, the FIN does not say
    lab.say("send takes the first part of the answer: our kernel does not know yet that the client's socket is closed.");
    send(&a, b"part 1", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?; // it was readable before; by now the reset has arrived too, because loopback delivers at once
    lab.predict(&AFTER_CLOSE);
    lab.observe(send(&a, b"part 2", MSG_NOSIGNAL));
    lab.say("The forwarder in select_tut(2) makes this mistake: at the first end of file it shuts down both of its connections in both directions, and the answer is lost.");

    lab.part("Another broken way: shut down twice");
    twice(lab)?;

    lab.part("The right way: shut down sending, and keep reading");
    let (c, a) = tcp_pair()?;
    send(&c, b"question", MSG_NOSIGNAL)?;
    lab.predict_on_wire(&SHUT_DOWN_SENDS);
    shutdown(&c, SHUT_WR)?;
    lab.observe_on_wire();
    recv(&a, &mut buf, MsgFlags::NONE)?;
    lab.predict(&END_OF_FILE);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));
    send(&a, b"answer", MSG_NOSIGNAL)?;
    lab.predict(&ANSWER);
    lab.observe(recv(&c, &mut buf, MsgFlags::NONE));
    Ok(())
}

/// By the second time the server has seen the end.
fn twice(lab: &mut Run<'_>) -> LabResult {
    let (c, a) = tcp_pair()?;
    shutdown(&c, SHUT_WR)?;
    recv(&a, &mut [0; 64], MsgFlags::NONE)?; // 0: the FIN is here, and acknowledged
    lab.predict(&TWICE);
    lab.observe(shutdown(&c, SHUT_WR));
    lab.predict(&ANSWER_AFTER_TWICE);
    send(&a, b"answer", MSG_NOSIGNAL).ok();
    wait_for(&c, POLLIN)?;
    lab.observe(recv(&c, &mut [0; 64], MsgFlags::NONE));
    Ok(())
}
