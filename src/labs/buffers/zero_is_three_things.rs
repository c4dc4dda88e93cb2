//! recv has returned 0: has the peer finished?
//!
//! Only if the socket is a stream, and the buffer had room for at least one byte. `recv` also returns 0 to a caller
//! that asked for 0 bytes, and for an empty datagram. And asking for 0 bytes is not harmless: on a datagram socket it
//! discards a datagram.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{loopback, tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "zero-is-three-things",
    claim: "recv gives 0 at the end of a stream, for no room, and for an empty datagram.",
    question: "recv has returned 0: has the peer finished?",
    explanation: "On a stream 0 is the end of file, unless the buffer has no room: a loop that computes its room and \
        arrives at 0 mistakes a live peer for a closed one. On a datagram socket 0 is a message like any other that \
        happens to be empty; there is no end of file. And a recv without room still removes a whole datagram from the \
        queue.",
    elsewhere: "On the BSDs and macOS a recv without room gives 0 even if no data has arrived.",
    sources: &[
        "recv(2)",
        "udp(7)",
        "POSIX recv",
        "gVisor: ZeroLengthRecvPendingData, ZeroLengthRecvPendingMessage",
    ],
    related: &["recv-of-nothing", "datagram-truncation", "half-close", "no-message-boundaries"],
    words: &["recv", "EAGAIN", "SOCK_DGRAM", "MSG_TRUNC"],
    predictions: &[
        &NO_ROOM_EMPTY,
        &NO_ROOM,
        &KEPT,
        &END,
        &NO_ROOM_DATAGRAM,
        &NEXT,
        &EMPTY,
        &GOES_ON,
    ],
    spoiled_by: "recv:ECONNRESET@3",
    run,
    ..Lab::ORDINARY
};

const NO_ROOM_EMPTY: Prediction = Prediction {
    asks: "TCP, no data has arrived. What does a recv with room for 0 bytes give? (It must not wait.)",
    choices: &["0", "EAGAIN", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("0"),
        "without room there is nothing to wait for",
    ),
};

const NO_ROOM: Prediction = Prediction {
    asks: "TCP, three bytes have arrived. What does a recv with room for 0 give?",
    choices: &["0", "3", "EAGAIN", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const KEPT: Prediction = Prediction {
    asks: "What does a recv with room for 64 give now?",
    choices: &["0", "3", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("3")),
};

const END: Prediction = Prediction {
    asks: "The peer has finished. What does recv give?",
    choices: &["0", "EAGAIN", "ENOTCONN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const NO_ROOM_DATAGRAM: Prediction = Prediction {
    asks: "UDP: \"one\" and \"three\" wait. What does a recv with room for 0 give?",
    choices: &["0", "3", "EAGAIN", "EMSGSIZE"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const NEXT: Prediction = Prediction {
    asks: "What does a recv with room for 64 give after that?",
    choices: &["3", "5", "8", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("5")),
};

const EMPTY: Prediction = Prediction {
    asks: "An empty datagram has arrived. What does recv give?",
    choices: &["0", "EAGAIN", "EMSGSIZE"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const GOES_ON: Prediction = Prediction {
    asks: "Another datagram of 4 bytes follows. What does the next recv give?",
    choices: &["0", "4", "ENOTCONN"],
    expect: Expect::everywhere(Expected::Is("4")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    lab.part("A stream");
    let (c, a) = tcp_pair()?;
    lab.predict(&NO_ROOM_EMPTY);
    lab.observe(recv(&a, &mut [], MSG_DONTWAIT));
    send(&c, b"abc", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    lab.predict(&NO_ROOM);
    lab.observe(recv(&a, &mut [], MSG_DONTWAIT));
    lab.predict(&KEPT);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));
    shutdown(&c, SHUT_WR)?;
    wait_for(&a, POLLIN)?;
    lab.predict(&END);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));

    lab.part("Datagrams");
    let receiver = socket(AF_INET, SOCK_DGRAM, Protocol::default())?;
    bind(&receiver, &loopback(0))?;
    let sender = socket(AF_INET, SOCK_DGRAM, Protocol::default())?;
    connect(&sender, &getsockname(&receiver)?)?;
    send(&sender, b"one", MsgFlags::NONE)?;
    send(&sender, b"three", MsgFlags::NONE)?;
    wait_for(&receiver, POLLIN)?;
    lab.predict(&NO_ROOM_DATAGRAM);
    lab.observe(recv(&receiver, &mut [], MSG_DONTWAIT));
    wait_for(&receiver, POLLIN)?;
    lab.predict(&NEXT);
    lab.observe(recv(&receiver, &mut buf, MSG_DONTWAIT));
    send(&sender, b"", MsgFlags::NONE)?;
    send(&sender, b"more", MsgFlags::NONE)?;
    wait_for(&receiver, POLLIN)?;
    lab.predict(&EMPTY);
    lab.observe(recv(&receiver, &mut buf, MSG_DONTWAIT));
    wait_for(&receiver, POLLIN)?;
    lab.predict(&GOES_ON);
    lab.observe(recv(&receiver, &mut buf, MSG_DONTWAIT));
    Ok(())
}
