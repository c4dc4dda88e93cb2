//! I receive three bytes of a six-byte datagram. Where are the others?
//!
//! Lost. A receive takes one datagram, whole or truncated, and only recvmsg reports the truncation.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{set_nonblocking, udp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "datagram-truncation",
    claim: "Bytes that do not fit the buffer are lost; recvmsg reports it by MSG_TRUNC.",
    question: "I received three bytes of a six-byte datagram. Where are the others?",
    explanation: "One call receives a whole datagram or loses the rest; unlike on a stream, a later call cannot read \
        the remaining bytes. recv returns the number of bytes that fitted, and only recvmsg reports, with MSG_TRUNC in \
        its flags, that there were more. On Linux FIONREAD returns the length of the next datagram.",
    elsewhere: "On the BSDs and macOS FIONREAD counts all waiting datagrams, and except on OpenBSD their addresses as \
        well. MSG_TRUNC as an argument, which makes recv return the datagram's true length, exists on Linux, and on \
        FreeBSD since 2022 (kernel source).",
    sources: &[
        "recv(2), MSG_TRUNC",
        "udp(7), FIONREAD",
        "POSIX recv and recvmsg",
        "gVisor: RecvmsgMsgTruncZeroLen",
    ],
    related: &["no-message-boundaries", "zero-is-three-things", "udp-drops-silently"],
    words: &["MSG_TRUNC", "FIONREAD", "recvmsg"],
    predictions: &[&WAITING, &CUT, &REST, &TOLD, &LENGTH],
    spoiled_by: "recv:EAGAIN@1",
    run,
    ..Lab::ORDINARY
};

const WAITING: Prediction = Prediction {
    asks: "Two datagrams of six and four bytes wait. What does FIONREAD return?",
    choices: &["4", "6", "10"],
    expect: Expect::on_linux(Expected::Is("6"))
        .but(
            &[FreeBsd, NetBsd, MacOs],
            Expected::Is("42"),
            "FIONREAD counts all waiting datagrams, with 16 bytes of address for each",
        )
        .but(&[OpenBsd], Expected::Is("10"), "FIONREAD counts all waiting datagrams"),
};

const CUT: Prediction = Prediction {
    asks: "recv with room for three bytes: what does it give?",
    choices: &["3", "6", "EMSGSIZE"],
    expect: Expect::everywhere(Expected::Is("3")),
};

const REST: Prediction = Prediction {
    asks: "And the next recv, with room enough?",
    choices: &["3, the rest of the first", "4, the second"],
    expect: Expect::everywhere(Expected::Is("4, the second")),
};

const TOLD: Prediction = Prediction {
    asks: "recvmsg with room for three of six bytes: which flags does it return?",
    choices: &["0", "MSG_TRUNC"],
    expect: Expect::everywhere(Expected::Is("MSG_TRUNC")),
};

const LENGTH: Prediction = Prediction {
    asks: "recv with MSG_TRUNC as an argument, and room for three of six: what does it give?",
    choices: &["3", "6"],
    expect: Expect::on_linux(Expected::Is("6"))
        .but(&[NetBsd, OpenBsd, MacOs], Expected::Is("3"), "as an argument, MSG_TRUNC does nothing")
        .but(
            &[FreeBsd],
            Expected::OneOf(&["3", "6"]),
            "as an argument, MSG_TRUNC does nothing before 14",
        ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (ours, peer) = udp_pair()?;
    set_nonblocking(&ours)?;
    let mut small = [0; 3];
    let mut buf = [0; 64];

    send(&peer, b"abcdef", MsgFlags::NONE)?;
    send(&peer, b"wxyz", MsgFlags::NONE)?;
    wait_for(&ours, POLLIN)?;
    let mut waiting = 0;
    lab.predict(&WAITING);
    ioctl(&ours, FIONREAD, &mut waiting)?;
    lab.observe(waiting);
    lab.predict(&CUT);
    lab.observe(recv(&ours, &mut small, MsgFlags::NONE));
    lab.predict(&REST);
    let received = recv(&ours, &mut buf, MsgFlags::NONE)?;
    lab.observe(match &buf[..received] {
        b"wxyz" => "4, the second".to_string(),
        other => format!("{received}, the rest of the first: {}", other.escape_ascii()),
    });

    lab.part("Being told");
    send(&peer, b"abcdef", MsgFlags::NONE)?;
    wait_for(&ours, POLLIN)?;
    lab.predict(&TOLD);
    let received = recvmsg(&ours, &mut [&mut small], 0, MsgFlags::NONE)?;
    lab.observe(received.flags.to_string());
    send(&peer, b"abcdef", MsgFlags::NONE)?;
    wait_for(&ours, POLLIN)?;
    lab.predict(&LENGTH);
    lab.observe(recv(&ours, &mut small, MSG_TRUNC));
    Ok(())
}
