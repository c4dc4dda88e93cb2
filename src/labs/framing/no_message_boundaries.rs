//! Why did `recv` give two messages at once, or half of one?
//!
//! Because TCP is a byte stream without messages. One receive can return the bytes of two sends, and the bytes of one
//! send can take several receives. A program that takes each receive for a message works in a slow test by hand on
//! loopback, and breaks under load. A message needs an end that the receiver can recognise: here a newline.
//! (Datagrams do keep their boundaries.)

use crate::framing::{Framing, Rule};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::tcp_pair;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "no-message-boundaries",
    claim: "TCP keeps the order of bytes, not message boundaries: two sends, one recv.",
    question: "Why did recv give two messages at once, or half of one?",
    explanation: "A stream socket carries one long sequence of bytes. recv returns the bytes that have arrived, up to \
        the size of the buffer, however many sends they came from. So both sides must agree where a message ends \
        (framing): by a newline, a length before the message, a fixed size or the end of the connection. The receiver \
        keeps receiving until it has found that end.",
    elsewhere: "",
    sources: &[
        "POSIX 2.10.6 (SOCK_STREAM: record boundaries are not preserved)",
        "RFC 9293, 2.2",
        "tcp(7)",
        "gVisor: DataCoalesced",
    ],
    related: &["header-splits", "partial-send", "datagram-truncation"],
    words: &["recv", "SOCK_STREAM", "SOCK_DGRAM", "FIONREAD"],
    predictions: &[&TOGETHER, &APART, &REST, &FRAMED, &DATAGRAM],
    spoiled_by: "recv:chunk=2@1",
    run,
    ..Lab::ORDINARY
};

const TOGETHER: Prediction = Prediction {
    asks: "\"abc\" and \"defg\" were sent by two calls, and both have arrived. What does recv give?",
    choices: &["3", "4", "7"],
    expect: Expect::everywhere(Expected::Is("7")),
};

const APART: Prediction = Prediction {
    asks: "11 bytes were sent by one call. What does a recv with room for 5 give?",
    choices: &["5", "11", "EMSGSIZE"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const REST: Prediction = Prediction {
    asks: "And the next recv, with room for 64?",
    choices: &["0", "6", "11"],
    expect: Expect::everywhere(Expected::Is("6")),
};

const FRAMED: Prediction = Prediction {
    asks: "\"abc\\n\" and \"defg\\n\" arrive together. How many messages does the receiver find in them?",
    choices: &["1", "2"],
    expect: Expect::everywhere(Expected::Is("2")),
};

const DATAGRAM: Prediction = Prediction {
    asks: "\"abc\" and \"defg\" were sent as datagrams. What does the first recv give?",
    choices: &["3", "4", "7"],
    expect: Expect::everywhere(Expected::Is("3")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    lab.part("The broken way: a receive for each message");
    let (c, a) = tcp_pair()?;
    send(&c, b"abc", MSG_NOSIGNAL)?;
    send(&c, b"defg", MSG_NOSIGNAL)?;
    lab.predict(&TOGETHER);
    lab.say("FIONREAD counts the bytes that have arrived: at seven, both messages are there.");
    wait_for_bytes(&a, 7)?;
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));
    send(&c, b"hello world", MSG_NOSIGNAL)?;
    wait_for_bytes(&a, 11)?;
    lab.predict(&APART);
    lab.observe(recv(&a, &mut buf[..5], MsgFlags::NONE));
    lab.predict(&REST);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));

    lab.part("The right way: look for the end of each message");
    send(&c, b"abc\n", MSG_NOSIGNAL)?;
    send(&c, b"defg\n", MSG_NOSIGNAL)?;
    wait_for_bytes(&a, 9)?;
    lab.predict(&FRAMED);
    let received = recv(&a, &mut buf, MsgFlags::NONE);
    lab.observe(received.map(|received| lines_in(&buf[..received])));

    lab.part("Another way: datagrams, which keep message boundaries");
    let [one, other] = socketpair(AF_UNIX, SOCK_DGRAM, Protocol::default())?;
    send(&one, b"abc", MSG_NOSIGNAL)?;
    send(&one, b"defg", MSG_NOSIGNAL)?;
    lab.predict(&DATAGRAM);
    lab.observe(recv(&other, &mut buf, MsgFlags::NONE));
    lab.say(
        "The second datagram waits for the next recv. UDP keeps boundaries too, but may lose the message.",
    );
    Ok(())
}

/// Waits until that many bytes have arrived, and takes none: the second send may wait for an acknowledgement of the
/// first. (MSG_PEEK with MSG_WAITALL does not wait on FreeBSD, nor in gVisor.)
fn wait_for_bytes(a: &Fd, bytes: i32) -> Result<()> {
    let mut came = 0;
    for _ in 0..200 {
        ioctl(a, FIONREAD, &mut came)?;
        if came >= bytes {
            break;
        }
        poll(&mut [], 5)?;
    }
    Ok(())
}

/// How many whole lines stand in these bytes. A server would keep what is left over for the next receive.
fn lines_in(mut bytes: &[u8]) -> usize {
    let framing = Framing::new(Rule::Line);
    let mut lines = 0;
    while let Ok(Some((_line, rest))) = framing.take(bytes) {
        lines += 1;
        bytes = rest;
    }
    lines
}
