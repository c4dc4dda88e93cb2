//! What arrives if I send an `int` as it lies in memory?
//!
//! Its bytes in the order of this machine (host order): on most machines 1 becomes 01 00 00 00. A correct receiver
//! applies `ntohl` and reads 16777216. Two machines of the same kind understand each other by chance, which is why the
//! mistake often goes unnoticed for years.

use crate::byteorder::{htonl, ntohl, shown};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::tcp_pair;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "int-on-the-wire",
    claim: "send carries bytes, not numbers: an int goes as it lies in memory.",
    question: "May I send the bytes of an int?",
    explanation: "send copies bytes; both sides must agree on what the bytes mean. A number in memory has this \
        machine's byte order, a structure has this compiler's padding, and a long has 4 or 8 bytes. So a protocol \
        defines how numbers are written: on the internet with the most significant byte first (htonl), or as decimal \
        text.",
    elsewhere: "On a big-endian machine both ways give the same bytes.",
    sources: &[
        "byteorder(3)",
        "POSIX htonl",
        "RFC 1700 (data notation: big-endian)",
        "UNP, 5.18 (tcpcli09)",
    ],
    related: &["forgot-htons", "header-splits"],
    words: &["htonl", "send", "recv"],
    predictions: &[&BYTES, &NUMBER, &CONVERTED_BYTES, &CONVERTED_NUMBER],
    spoiled_by: "recv:chunk=2@1",
    run,
    ..Lab::ORDINARY
};

const BYTES: Prediction = Prediction {
    asks: "A u32 with the value 1 is sent as it lies in memory. Which bytes arrive?",
    choices: &["00 00 00 01", "01 00 00 00", "31"],
    expect: Expect::everywhere(Expected::Is("01 00 00 00")).big_endian(Expected::Is("00 00 00 01")),
};

const NUMBER: Prediction = Prediction {
    asks: "It is sent once more, and the receiver applies ntohl to what comes. It reads?",
    choices: &["1", "16777216", "256"],
    expect: Expect::everywhere(Expected::Is("16777216")).big_endian(Expected::Is("1")),
};

const CONVERTED_BYTES: Prediction = Prediction {
    asks: "Now the sender applies htonl. Which bytes arrive?",
    choices: &["00 00 00 01", "01 00 00 00"],
    expect: Expect::everywhere(Expected::Is("00 00 00 01")),
};

const CONVERTED_NUMBER: Prediction = Prediction {
    asks: "And the receiver, with ntohl, reads?",
    choices: &["1", "16777216"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (c, a) = tcp_pair()?;
    let number: u32 = 1;

    lab.part("The broken way: the bytes in memory");
    send(&c, &number.to_ne_bytes(), MSG_NOSIGNAL)?;
    lab.predict(&BYTES);
    lab.observe(received(&a).map(|bytes| shown(&bytes)));
    send(&c, &number.to_ne_bytes(), MSG_NOSIGNAL)?;
    lab.predict(&NUMBER);
    lab.observe(received(&a).map(as_number));

    lab.part("The right way: network order on the wire");
    send(&c, &htonl(number).to_ne_bytes(), MSG_NOSIGNAL)?;
    lab.predict(&CONVERTED_BYTES);
    lab.observe(received(&a).map(|bytes| shown(&bytes)));
    send(&c, &htonl(number).to_ne_bytes(), MSG_NOSIGNAL)?;
    lab.predict(&CONVERTED_NUMBER);
    lab.observe(received(&a).map(as_number));
    Ok(())
}

/// The bytes received, at most four. (That all four arrive at once is luck: see header-splits.)
fn received(a: &Fd) -> Result<Vec<u8>> {
    let mut buf = [0; 4];
    let received = recv(a, &mut buf, MsgFlags::NONE)?;
    Ok(buf[..received].to_vec())
}

fn as_number(bytes: Vec<u8>) -> String {
    match <[u8; 4]>::try_from(bytes) {
        Ok(bytes) => ntohl(u32::from_ne_bytes(bytes)).to_string(),
        Err(bytes) => format!("nothing: {} bytes are no number", bytes.len()),
    }
}
