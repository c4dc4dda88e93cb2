//! May I rely on receiving at least the header in one piece?
//!
//! No. Four bytes of length can arrive as two and two. A receiver can ask for exactly the missing bytes until it has
//! them all (with more it would take the beginning of the next message), or it can take all that has arrived and keep
//! what it cannot use yet. The second way never waits in the middle of a message, which is what a server with `select`
//! or `poll` needs.

use crate::framing::{Framing, Rule};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::tcp_pair;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "header-splits",
    claim: "Even a 4-byte header can arrive in pieces: keep them and receive again.",
    question: "May I rely on receiving at least the header in one piece?",
    explanation: "A receive returns at least one byte, and promises no more. If a length precedes each message, the \
        receiver either asks for exactly the missing bytes (the Python Socket HOWTO's min(MSGLEN - got, 2048)), or it \
        appends all bytes to a buffer, takes whole messages from its front, and keeps the rest. Both ways are correct \
        however the bytes are split, even one by one.",
    elsewhere: "",
    sources: &[
        "recv(2)",
        "POSIX recv",
        "the Python Socket HOWTO, on using a socket",
        "UNP, 3.9 (readn)",
    ],
    related: &["no-message-boundaries", "one-slow-client", "int-on-the-wire", "nagle-40ms"],
    words: &["recv", "MSG_WAITALL", "htonl"],
    minutes: 3,
    predictions: &[&HALF_HEADER, &MISSING, &BODY, &DRIBBLED, &AT_ONCE],
    spoiled_by: "recv:chunk=1@1",
    run,
    ..Lab::ORDINARY
};

const HALF_HEADER: Prediction = Prediction {
    asks: "The server asks for the 4 bytes of the length. What does recv give?",
    choices: &["2", "4", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("2")),
};

const MISSING: Prediction = Prediction {
    asks: "The rest has arrived, and the whole next message too. The server asks for the 2 missing bytes. How many does it get?",
    choices: &["2", "4", "13"],
    expect: Expect::everywhere(Expected::Is("2")),
};

const BODY: Prediction = Prediction {
    asks: "The length is 3. The server asks for min(3, 2048) bytes, although there is room for more. It gets?",
    choices: &["3", "11"],
    expect: Expect::everywhere(Expected::Is("3")),
};

const DRIBBLED: Prediction = Prediction {
    asks: "Two messages, 15 bytes with their lengths, arrive one byte at a time, and each byte is received at once. What does a decoder that keeps the rest report?",
    choices: &["15 recv, 2 messages", "2 recv, 2 messages", "15 recv, 15 messages"],
    expect: Expect::everywhere(Expected::Is("15 recv, 2 messages")),
};

const AT_ONCE: Prediction = Prediction {
    asks: "The same 15 bytes arrive all at once. What does the same decoder report?",
    choices: &["1 recv, 1 message", "1 recv, 2 messages", "2 recv, 2 messages"],
    expect: Expect::everywhere(Expected::Is("1 recv, 2 messages")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let framing = Framing::new(Rule::Length);
    let mut wire = Vec::new();
    for message in [&b"abc"[..], b"defg"] {
        framing
            .encode(message, &mut wire)
            .map_err(|_| Stop::failed("a message that is too long"))?;
    }

    lab.part("The broken way: the header in one receive");
    let (c, a) = tcp_pair()?;
    send(&c, &wire[..2], MSG_NOSIGNAL)?;
    let mut header = [0; 4];
    lab.predict(&HALF_HEADER);
    lab.observe(recv(&a, &mut header, MsgFlags::NONE));
    lab.say(
        "A server that decodes the length now uses two received bytes, and two that never arrived.",
    );

    lab.part("The right way: ask for exactly the missing bytes, until none is missing");
    send(&c, &wire[2..], MSG_NOSIGNAL)?;
    lab.predict(&MISSING);
    lab.observe(recv(&a, &mut header[2..], MsgFlags::NONE));
    let missing = (u32::from_be_bytes(header) as usize).min(2048);
    let mut body = [0; 2048];
    lab.predict(&BODY);
    lab.observe(recv(&a, &mut body[..missing], MsgFlags::NONE));
    lab.say("The next message is untouched. A whole program repeats each of these until it has them all.");

    lab.part("The right way: take what has arrived, and keep the rest");
    let (c, a) = tcp_pair()?;
    setsockopt(&c, SOL_TCP, TCP_NODELAY, &1)?; // each byte at once: see nagle-40ms
    lab.predict(&DRIBBLED);
    let mut decoder = Decoder::new(framing);
    for byte in wire.chunks(1) {
        send(&c, byte, MSG_NOSIGNAL)?;
        decoder.receive(&a)?;
    }
    lab.observe(decoder.told());
    lab.predict(&AT_ONCE);
    let mut decoder = Decoder::new(framing);
    send(&c, &wire, MSG_NOSIGNAL)?;
    while decoder.messages < 2 && decoder.receive(&a)? > 0 {}
    lab.observe(decoder.told());
    Ok(())
}

/// The bytes that are not yet a whole message, and the messages decoded so far.
struct Decoder {
    framing: Framing,
    leftover: Vec<u8>,
    receives: usize,
    messages: usize,
}

impl Decoder {
    fn new(framing: Framing) -> Self {
        Self { framing, leftover: Vec::new(), receives: 0, messages: 0 }
    }

    /// One receive, however little it returns, and all messages that it completes.
    fn receive(&mut self, a: &Fd) -> Result<usize> {
        let mut buf = [0; 64];
        let received = recv(a, &mut buf, MsgFlags::NONE)?;
        self.receives += 1;
        self.leftover.extend_from_slice(&buf[..received]);
        while let Ok(Some((_message, rest))) = self.framing.take(&self.leftover) {
            self.messages += 1;
            self.leftover = rest.to_vec();
        }
        Ok(received)
    }

    fn told(&self) -> String {
        format!("{} recv, {} messages", self.receives, self.messages)
    }
}
