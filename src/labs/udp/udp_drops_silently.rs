//! Every send succeeded. Did every datagram arrive?
//!
//! Nobody says. What does not fit into the receiver's buffer is thrown away, and neither side is told.

use crate::addr::Address;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{set_nonblocking, udp_pair, udp_socket};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "udp-drops-silently",
    claim: "200 sends succeed, a few datagrams arrive, and nobody is told.",
    question: "Every send succeeded. Did every datagram arrive?",
    explanation: "UDP has no way to hold a sender back: what finds the receive buffer full is dropped, on the same machine as \
        on the way. Who needs every message numbers them and asks again, or uses TCP. Only what can be known at once is an \
        error of send: a datagram that is too long, an address that may not be used.",
    elsewhere: "The longest datagram differs: the BSDs and macOS take no more than 9,216 bytes before SO_SNDBUF is \
        raised. A buffer can be so small there that it holds none.",
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
    asks: "The receive buffer is as small as it can be, and nobody reads. How many of 200 sends succeed?",
    choices: &["less than 100", "100 to 199", "200"],
    expect: Expect::everywhere(Expected::Is("200")),
};

const RECEIVED: Prediction = Prediction {
    asks: "How many of the 200 datagrams can be received?",
    choices: &["0", "1 to 100", "101 to 199", "200"],
    expect: Expect::on_linux(Expected::Between(1, 100, "")).but(
        &[FreeBsd, NetBsd, MacOs],
        Expected::Is("0"),
        "there is no minimum: not even one fits",
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
        .but(&[FreeBsd, NetBsd], Expected::Is("EHOSTUNREACH"), "no route leads there")
        .but(
            &[MacOs],
            Expected::Is("1"),
            "loopback has no broadcast address there, so it is an address like others",
        ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (ours, peer) = udp_pair()?;
    set_nonblocking(&ours)?;
    // What is too small is raised to the least that the system allows.
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

    lab.part("What can be known at once");
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
