//! Every send succeeded. Did every datagram arrive?
//!
//! You cannot tell. The kernel discards datagrams that do not fit into the receive buffer, and reports
//! it to neither side.

use crate::addr::Address;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{set_nonblocking, udp_pair, udp_socket};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "udp-drops-silently",
    claim: "200 sends succeed, a few datagrams arrive, and neither side gets an error.",
    question: "Every send succeeded. Did every datagram arrive?",
    explanation: "UDP has no flow control: a datagram that finds the receive buffer full is dropped, even on the same \
        machine. If you need every message, number them and request the missing ones again, or use TCP. send reports \
        only errors that the kernel can detect at once: a datagram that is too long, an address that may not be used.",
    elsewhere: "The longest datagram differs: the BSDs and macOS take at most 9,216 bytes unless SO_SNDBUF is raised. \
        There a buffer can be so small that it holds no datagram at all.",
    sources: &[
        "udp(7)",
        "socket(7), SO_RCVBUF and SO_BROADCAST",
        "Stevens, UNP 8.13 (lack of flow control)",
    ],
    related: &["datagram-truncation", "sockbuf-doubling", "send-is-a-copy"],
    words: &["SO_RCVBUF", "EMSGSIZE", "SO_BROADCAST"],
    predictions: &[&SENT, &RECEIVED, &TOO_LONG, &BROADCAST],
    spoiled_by: "recv:EAGAIN@1",
    run,
    ..Lab::ORDINARY
};

const SENDS: usize = 200;

const SENT: Prediction = Prediction {
    asks: "The receive buffer is as small as possible, and the receiver does not read. How many of 200 sends succeed?",
    choices: &["less than 100", "100 to 199", "200"],
    expect: Expect::everywhere(Expected::Is("200")),
};

const RECEIVED: Prediction = Prediction {
    asks: "How many of the 200 datagrams can be received?",
    choices: &["0", "1 to 100", "101 to 199", "200"],
    expect: Expect::on_linux(Expected::Between(1, 100, "")).but(
        &[FreeBsd, NetBsd, MacOs],
        Expected::Is("0"),
        "there is no minimum: not even one datagram fits",
    ),
};

const TOO_LONG: Prediction = Prediction {
    asks: "What does a send of 65,508 bytes give?",
    choices: &["65508", "65507", "EMSGSIZE"],
    expect: Expect::everywhere(Expected::Is("EMSGSIZE")),
};

const BROADCAST: Prediction = Prediction {
    asks: "What does sendto to a broadcast address give, without SO_BROADCAST?",
    choices: &["1", "EACCES", "ENETUNREACH"],
    expect: Expect::on_linux(Expected::Is("EACCES"))
        .but(&[FreeBsd, NetBsd], Expected::Is("EHOSTUNREACH"), "there is no route to it")
        .but(
            &[MacOs],
            Expected::Is("1"),
            "loopback has no broadcast address there, so it is an address like others",
        ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (ours, peer) = udp_pair()?;
    set_nonblocking(&ours)?;
    // The system raises a value that is too small to its minimum.
    setsockopt(&ours, SOL_SOCKET, SO_RCVBUF, &1)?;
    let message = [b'x'; 500];
    lab.predict(&SENT);
    let mut sent = 0;
    for _ in 0..SENDS {
        sent += usize::from(send(&peer, &message, MsgFlags::NONE) == Ok(message.len()));
    }
    lab.observe(sent);
    lab.predict(&RECEIVED);
    let mut buf = [0; 1000];
    let mut received = 0;
    while recv(&ours, &mut buf, MsgFlags::NONE).is_ok() {
        received += 1;
    }
    lab.observe(received);

    lab.part("Errors that send can detect at once");
    let too_long = vec![b'x'; 65_508];
    lab.predict(&TOO_LONG);
    lab.observe(send(&peer, &too_long, MsgFlags::NONE));
    let free = udp_socket()?;
    let everybody = Address::v4([127, 255, 255, 255].into(), 9);
    lab.say("127.255.255.255 is loopback's own broadcast address.");
    lab.predict(&BROADCAST);
    lab.observe(sendto(&free, b"x", MsgFlags::NONE, &everybody));
    Ok(())
}
