//! What does shutdown(SHUT_RD) tell the peer?
//!
//! Nothing: TCP has no word for it. On Linux recv gives 0 while nothing is there, and gives what comes later all the same.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{set_nonblocking, tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "shut-rd-is-local",
    claim: "shutdown(SHUT_RD) sends nothing: the peer goes on, and so may we.",
    question: "Does shutdown(SHUT_RD) stop the peer from sending?",
    explanation: "There is no message in TCP that says \"I no longer read\", so SHUT_RD is a note on our side of the socket: \
        recv no longer waits. So a recv that gives 0 does not always mean that the peer has finished, nor that nothing \
        more will ever come, as the Python Socket HOWTO puts it: after our own SHUT_RD it says so whenever nothing is \
        there.",
    elsewhere: "FreeBSD, NetBSD and macOS throw away what was received and what still comes (shutdown(2), and \
        soshutdown in the kernels).",
    sources: &[
        "shutdown(2)",
        "POSIX shutdown",
        "gVisor: ShutdownRdShouldCauseNoPacketsWithUnreadData",
    ],
    related: &["half-close", "close-under-wait"],
    words: &["SHUT_RD", "shutdown"],
    predictions: &[&EMPTY, &PEER_SENDS, &LATER, &EMPTY_AGAIN],
    spoiled_by: "recv:EAGAIN@2",
    run,
    ..Lab::ORDINARY
};

const EMPTY: Prediction = Prediction {
    asks: "After SHUT_RD, nothing has come. What does recv give, which would have given EAGAIN before?",
    choices: &["0", "EAGAIN", "ESHUTDOWN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const PEER_SENDS: Prediction = Prediction {
    asks: "What does the peer's send give?",
    choices: &["5", "EPIPE", "ECONNRESET"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const LATER: Prediction = Prediction {
    asks: "And our recv, now that five bytes have come?",
    choices: &["0", "5", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("5")).but(
        &[FreeBsd, NetBsd, MacOs],
        Expected::Is("0"),
        "what comes after SHUT_RD is thrown away",
    ),
};

const EMPTY_AGAIN: Prediction = Prediction {
    asks: "And once more?",
    choices: &["0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (peer, ours) = tcp_pair()?;
    set_nonblocking(&ours)?;
    let mut buf = [0; 64];
    // Nothing is there, and nobody has finished: EAGAIN.
    recv(&ours, &mut buf, MsgFlags::NONE).err();
    shutdown(&ours, SHUT_RD)?;
    lab.predict(&EMPTY);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&PEER_SENDS);
    lab.observe(send(&peer, b"later", MSG_NOSIGNAL));
    wait_for(&ours, POLLIN)?; // readable since SHUT_RD
    lab.predict(&LATER);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&EMPTY_AGAIN);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    Ok(())
}
