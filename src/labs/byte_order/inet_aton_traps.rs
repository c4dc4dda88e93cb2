//! Which texts are IPv4 addresses?
//!
//! For `inet_aton`, more than you would think: parts may be missing, a single number is an address, a leading zero
//! means octal, and glibc stops reading at a space. `inet_pton` accepts four decimal numbers and nothing else.
//! `inet_ntoa`, the conversion back to text, returns a static buffer that the next call overwrites.

use std::net::Ipv4Addr;

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::listener;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{LinuxMusl, NetBsd};
use crate::sys::wild::addresses::{inet_aton, inet_ntoa_of_first};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "inet-aton-traps",
    claim: "inet_aton takes 127.1, 2130706433, octal and junk; inet_pton takes none.",
    question: "Which texts do inet_aton and inet_pton accept as IPv4 addresses?",
    explanation: "inet_aton comes from a time when addresses were written in many ways, and still accepts them all. A \
        program that checks a text by one rule and connects by another can be led elsewhere: 010.0.0.1 is not \
        10.0.0.1. inet_pton and inet_ntop accept and produce one form, support IPv6 too, and write into the caller's \
        buffer.",
    elsewhere: "musl rejects a text with anything after a space. NetBSD's inet_pton accepts it, up to version 7 at \
        least.",
    sources: &[
        "inet_aton(3)",
        "inet_pton(3)",
        "POSIX inet_addr, inet_ntoa, inet_pton",
        "musl, src/network/inet_aton.c",
        "UNP, 3.6",
    ],
    related: &["gai-fans-out", "sockaddr-layout"],
    words: &["inet_addr", "inet_pton"],
    minutes: 3,
    predictions: &[&SHORT, &WORKS, &ONE_NUMBER, &OCTAL, &JUNK, &BUFFER, &STRICT],
    spoiled_by: "connect:ECONNREFUSED@1",
    run,
    ..Lab::ORDINARY
};

const SHORT: Prediction = Prediction {
    asks: "What does inet_aton make of \"127.1\"?",
    choices: &["rejected", "127.0.0.1", "127.1.0.0"],
    expect: Expect::on_linux(Expected::Is("127.0.0.1")),
};

const WORKS: Prediction = Prediction {
    asks: "A server listens on 127.0.0.1. The client connects to that. It gets?",
    choices: &["success", "ECONNREFUSED", "EADDRNOTAVAIL"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const ONE_NUMBER: Prediction = Prediction {
    asks: "And what does inet_aton make of \"2130706433\"?",
    choices: &["rejected", "127.0.0.1", "255.255.255.255"],
    expect: Expect::on_linux(Expected::Is("127.0.0.1")),
};

const OCTAL: Prediction = Prediction {
    asks: "And of \"010.0.0.1\"?",
    choices: &["rejected", "10.0.0.1", "8.0.0.1"],
    expect: Expect::on_linux(Expected::Is("8.0.0.1")),
};

const JUNK: Prediction = Prediction {
    asks: "And of \"127.0.0.1 junk\"?",
    choices: &["rejected", "127.0.0.1"],
    expect: Expect::on_linux(Expected::Is("127.0.0.1")).but(
        &[LinuxMusl],
        Expected::Is("rejected"),
        "musl wants the end of the text",
    ),
};

const BUFFER: Prediction = Prediction {
    asks: "inet_ntoa is called for 10.0.0.1, then for 10.0.0.2. What does the first pointer lead to?",
    choices: &["10.0.0.1", "10.0.0.2"],
    expect: Expect::on_linux(Expected::Is("10.0.0.2")),
};

const STRICT: Prediction = Prediction {
    asks: "How many of the four texts does inet_pton take?",
    choices: &["0", "1", "3", "4"],
    expect: Expect::on_linux(Expected::Is("0")).but(
        &[NetBsd],
        Expected::Is("1"),
        "its inet_pton accepts text after white space",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The broken way: inet_aton");
    lab.say(
        "inet_aton is a function of the C library and makes no system call, so no trace shows it.",
    );
    let wild = lab.wild();
    lab.predict(&SHORT);
    let address = inet_aton(wild, "127.1");
    lab.observe(written(address));
    let (_l, server) = listener()?;
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    let address = Address::v4(address.unwrap_or(Ipv4Addr::UNSPECIFIED), server.port().unwrap_or(0));
    lab.predict(&WORKS);
    lab.observe(connect(&c, &address));
    for (prediction, text) in
        [(&ONE_NUMBER, "2130706433"), (&OCTAL, "010.0.0.1"), (&JUNK, "127.0.0.1 junk")]
    {
        lab.predict(prediction);
        lab.observe(written(inet_aton(wild, text)));
    }

    lab.part("The broken way back: inet_ntoa");
    let (first, second) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    lab.predict(&BUFFER);
    lab.observe(inet_ntoa_of_first(wild, first, second));

    lab.part("The right way: inet_pton");
    let texts = ["127.1", "2130706433", "010.0.0.1", "127.0.0.1 junk"];
    lab.predict(&STRICT);
    let taken = texts.iter().filter(|text| matches!(inet_pton(AF_INET, text), Ok(Some(_))));
    lab.observe(taken.count());
    Ok(())
}

fn written(address: Option<Ipv4Addr>) -> String {
    address.map_or_else(|| "rejected".to_string(), |address| address.to_string())
}
