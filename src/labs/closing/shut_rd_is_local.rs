//! What does shutdown(SHUT_RD) tell the peer?
//!
//! Nothing: TCP has no message for it. On Linux recv then returns 0 while there is nothing to read, and still returns
//! bytes that arrive later.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{set_nonblocking, tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "shut-rd-is-local",
    claim: "shutdown(SHUT_RD) sends nothing: the peer can go on sending, and we reading.",
    question: "Does shutdown(SHUT_RD) stop the peer from sending?",
    explanation: "TCP has no message that says \"I no longer read\", so SHUT_RD only changes our side of the socket: \
        recv no longer waits. So a recv that returns 0 does not always mean that the peer has finished, nor that \
        nothing more will ever arrive, as the Python Socket HOWTO puts it: after our own SHUT_RD recv returns 0 \
        whenever there is nothing to read.",
    elsewhere: "FreeBSD, NetBSD and macOS discard the bytes already received and those that still arrive (shutdown(2), \
        and soshutdown in the kernels).",
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
    asks: "After SHUT_RD, no data has arrived. What does recv give, which would have given EAGAIN before?",
    choices: &["0", "EAGAIN", "ESHUTDOWN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const PEER_SENDS: Prediction = Prediction {
    asks: "What does the peer's send give?",
    choices: &["5", "EPIPE", "ECONNRESET"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const LATER: Prediction = Prediction {
    asks: "And our recv, now that five bytes have arrived?",
    choices: &["0", "5", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("5")).but(
        &[FreeBsd, NetBsd, MacOs],
        Expected::Is("0"),
        "bytes that arrive after SHUT_RD are discarded",
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
    // There is nothing to read, and the peer has not finished: EAGAIN.
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
