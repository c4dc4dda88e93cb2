//! Why does `getaddrinfo` give the same address three times?
//!
//! Without hints it returns an entry for every type of socket: stream, datagram and raw. A program that tries the
//! entries in turn until one connects then ends up with a *datagram* socket when no server listens, because
//! `connect` on a datagram socket contacts no peer. With the hint `SOCK_STREAM` there is one entry, and the error
//! is the true one. The function's own errors are separate codes (`EAI_…`), not errnos.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::deserted;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{LinuxMusl, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "gai-fans-out",
    claim: "Without hints getaddrinfo returns every type of socket, so ask for one.",
    question: "Why does getaddrinfo give the same address several times?",
    explanation: "An entry is a recipe: family, type and protocol for socket, and the address for connect. Without \
        hints getaddrinfo returns entries for all types. A program that tries them in turn ends with UDP, whose \
        connect sends nothing and therefore succeeds, whether a server listens or not. And getaddrinfo fails with EAI_ \
        codes: perror prints whatever errno happened to be (use gai_strerror).",
    elsewhere: "musl and NetBSD return two entries for each address, without the raw one. NetBSD and FreeBSD list the \
        datagram socket first; FreeBSD's third entry is for SCTP.",
    sources: &[
        "getaddrinfo(3)",
        "POSIX getaddrinfo; POSIX connect (a datagram socket: only the peer is set)",
        "musl, src/network/lookup_serv.c",
        "Beej's Guide, which sets the hint everywhere",
    ],
    related: &["wildcard-vs-loopback", "udp-refused-later"],
    words: &["getaddrinfo", "EAI_NONAME", "SOCK_STREAM", "SOCK_DGRAM"],
    minutes: 3,
    predictions: &[&WITHOUT, &STREAM, &DATAGRAM, &WITH, &TRUE_ERROR, &NO_NUMBER],
    spoiled_by: "connect:ECONNREFUSED@3",
    run,
    ..Lab::ORDINARY
};

const WITHOUT: Prediction = Prediction {
    asks: "How many entries has 127.0.0.1 without hints?",
    choices: &["1", "2", "3"],
    expect: Expect::on_linux(Expected::Is("3")).but(
        &[LinuxMusl, NetBsd],
        Expected::Is("2"),
        "these libraries list no raw socket; NetBSD lists the datagram first",
    ),
};

const STREAM: Prediction = Prediction {
    asks: "No server listens on this port. What does connect give for the first entry, a stream?",
    choices: &["success", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("ECONNREFUSED")),
};

const DATAGRAM: Prediction = Prediction {
    asks: "So the program tries the next entry, a datagram socket. What does connect give?",
    choices: &["success", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("success")),
};

const WITH: Prediction = Prediction {
    asks: "How many entries are there with the hint SOCK_STREAM?",
    choices: &["1", "2", "3"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const TRUE_ERROR: Prediction = Prediction {
    asks: "What does connect give for the last of these?",
    choices: &["success", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("ECONNREFUSED")),
};

const NO_NUMBER: Prediction = Prediction {
    asks: "A number is asked for (AI_NUMERICHOST), and a name is given. What is the error?",
    choices: &["ENOENT", "EINVAL", "EAI_NONAME"],
    expect: Expect::everywhere(Expected::Is("EAI_NONAME")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (address, _held) = deserted()?;
    let port = address.port().unwrap_or(0).to_string();
    lab.say("A connection keeps this port for us, and no socket listens on it any more.");

    lab.part("The broken way: no hints, and the first that connects");
    lab.predict(&WITHOUT);
    let found = getaddrinfo(Some("127.0.0.1"), Some(&port), None);
    lab.observe(found.as_ref().map_or_else(|error| named(*error), |found| found.len().to_string()));
    for (kind, prediction) in [(SOCK_STREAM, &STREAM), (SOCK_DGRAM, &DATAGRAM)] {
        let Some(entry) = found.iter().flatten().find(|entry| entry.socktype == kind) else {
            continue;
        };
        let s = socket(entry.family, entry.socktype, entry.protocol)?;
        lab.predict(prediction);
        lab.observe(connect(&s, &entry.address));
    }
    lab.say("The program believes that it is connected to a server. There is no server.");

    lab.part("The right way: ask for the type you need");
    let hints = Hints { family: AF_INET, socktype: SOCK_STREAM, ..Hints::default() };
    lab.predict(&WITH);
    let found = getaddrinfo(Some("127.0.0.1"), Some(&port), Some(&hints));
    lab.observe(found.as_ref().map_or_else(|error| named(*error), |found| found.len().to_string()));
    for entry in found.iter().flatten() {
        let s = socket(entry.family, entry.socktype, entry.protocol)?;
        lab.predict(&TRUE_ERROR);
        lab.observe(connect(&s, &entry.address));
    }

    lab.part("Errors that are not errnos");
    let hints = Hints { flags: AI_NUMERICHOST, ..hints };
    lab.predict(&NO_NUMBER);
    let found = getaddrinfo(Some("one.example"), Some(&port), Some(&hints));
    lab.observe(found.map_or_else(named, |found| found.len().to_string()));
    Ok(())
}

fn named(error: ResolveError) -> String {
    error.named().to_string()
}
