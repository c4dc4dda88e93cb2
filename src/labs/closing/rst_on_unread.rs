//! Does close always end a connection gracefully?
//!
//! Not if bytes were left unread: then the kernel sends a reset, because those bytes are lost. On Linux the peer still
//! reads what it had received before the reset, and then gets ECONNRESET instead of the end of file.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::wire::WireFact;
use crate::labs::{Expect, Expected, Lab, Prediction, WirePrediction};
use crate::os::system::System::{FreeBsd, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "rst-on-unread",
    claim: "close with unread input sends a reset instead of a FIN.",
    question: "I sent an answer and closed. Why does the client see \"connection reset\"?",
    explanation: "close discards bytes that were received and never read, and TCP must not hide that: it sends a \
        reset. A server that answers before it has read the whole request may lose its own answer this way. Before you \
        close, read to the end of file, or shut down sending and keep reading. --packets shows the RST below the \
        close, in place of the FIN.",
    elsewhere: "macOS resets, too. FreeBSD, NetBSD and OpenBSD send a FIN all the same, and a reset only when more \
        bytes arrive (tcp_disconnect in their kernels), which RFC 2525, 2.17 calls a fault. Whether the peer may still \
        read what came before the reset differs.",
    sources: &[
        "RFC 9293, 3.6.1",
        "RFC 2525, 2.17",
        "close(2)",
        "gVisor: RSTSentOnCloseWithUnreadDataAllowsReadBuffered",
    ],
    related: &["half-close", "linger-zero", "write-after-fin"],
    words: &["ECONNRESET", "close"],
    predictions: &[&RESET, &HELD, &THEN, &READ],
    on_wire: &[&CLOSED_UNREAD, &CLOSED_READ],
    spoiled_by: "recv:EAGAIN@3",
    run,
    ..Lab::ORDINARY
};

const RESET: Prediction = Prediction {
    asks: "The peer has closed with a byte unread. What does recv give?",
    choices: &["0", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("ECONNRESET")).but(
        &[FreeBsd, NetBsd, OpenBsd],
        Expected::Is("0"),
        "close sends a FIN there, although bytes are unread",
    ),
};

const HELD: Prediction = Prediction {
    asks: "This time an answer came before the reset. What does recv give?",
    choices: &["6", "0", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("6")),
};

const THEN: Prediction = Prediction {
    asks: "And after the answer?",
    choices: &["0", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("ECONNRESET")).but(
        &[FreeBsd, NetBsd, OpenBsd],
        Expected::Is("0"),
        "close sends a FIN there, although bytes are unread",
    ),
};

const READ: Prediction = Prediction {
    asks: "Everything was read before the peer closed. What does recv give?",
    choices: &["0", "ECONNRESET"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const CLOSED_UNREAD: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "A byte is unread. What does the peer's close send?",
        choices: &["FIN ACK", "RST ACK", "nothing"],
        expect: Expect::on_linux(Expected::Is("RST ACK")),
    },
    fact: WireFact::FirstSegment,
};

const CLOSED_READ: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "Everything was read. What does the peer's close send?",
        choices: &["FIN ACK", "RST ACK", "nothing"],
        expect: Expect::on_linux(Expected::Is("FIN ACK")),
    },
    fact: WireFact::FirstSegment,
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];

    lab.part("The broken way: close with a byte left unread");
    let (ours, peer) = tcp_pair()?;
    send(&ours, b"x", MSG_NOSIGNAL)?;
    wait_for(&peer, POLLIN)?;
    lab.predict_on_wire(&CLOSED_UNREAD);
    close(peer)?;
    lab.observe_on_wire();
    lab.predict(&RESET);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));

    lab.part("The same, after an answer");
    let (ours, peer) = tcp_pair()?;
    send(&ours, b"x", MSG_NOSIGNAL)?;
    wait_for(&peer, POLLIN)?;
    send(&peer, b"answer", MSG_NOSIGNAL)?;
    close(peer)?;
    lab.predict(&HELD);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&THEN);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));

    lab.part("The right way: read, then close");
    let (ours, peer) = tcp_pair()?;
    send(&ours, b"x", MSG_NOSIGNAL)?;
    recv(&peer, &mut buf, MsgFlags::NONE)?;
    lab.predict_on_wire(&CLOSED_READ);
    close(peer)?;
    lab.observe_on_wire();
    lab.predict(&READ);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    Ok(())
}
