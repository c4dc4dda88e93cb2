//! How do I learn that a non-blocking connect has failed?
//!
//! `connect` returned `EINPROGRESS` long ago. The socket becomes ready for reading and for writing, so "writable" does
//! not mean "connected": read `SO_ERROR`, which returns the error once. The socket is not in `exceptfds`, and it cannot
//! be used for another attempt: what a second `connect` returns differs between systems. Close the socket and make a
//! new one.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{deserted, set_nonblocking, sets_of, wait_for};
use crate::labs::wire::WireFact;
use crate::labs::{Expect, Expected, Lab, Prediction, WirePrediction};
use crate::os::system::System::{FreeBsd, MacOs, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "nb-connect-refused",
    claim: "A refused connect makes the socket ready; SO_ERROR returns the reason, once.",
    question: "How do I learn that a non-blocking connect has failed?",
    explanation: "Ready means that there is a result. After a refused attempt the socket is both readable and \
        writable, and on Linux poll adds POLLERR and POLLHUP. SO_ERROR has the reason, and reading SO_ERROR clears it. \
        POSIX does not define the state of the socket after a failed connect: the portable way is to close the socket \
        and start with a new one.",
    elsewhere: "POSIX does not say what a socket is good for after a failed connect: FreeBSD repeats ECONNREFUSED \
        forever, macOS and OpenBSD give EINVAL. On these systems poll never reports POLLERR for a socket. A port that \
        is bound but not listening refuses no connection on macOS, NetBSD and OpenBSD: the kernel drops the SYN, and \
        connect waits for 75 s.",
    sources: &[
        "connect(2), EINPROGRESS and NOTES",
        "POSIX connect",
        "tcp(7)",
        "gVisor: NonBlockingConnectRefused",
    ],
    related: &["nb-connect-ok", "exceptfds-is-not-errors", "readiness-matrix"],
    words: &["connect", "ECONNREFUSED", "SO_ERROR", "POLLERR", "POLLHUP", "ECONNABORTED"],
    minutes: 3,
    predictions: &[&BEGUN, &EVENTS, &SETS, &REASON, &CLEARED, &AGAIN, &ONCE_MORE, &FRESH],
    on_wire: &[&SYN_GETS, &SYN_GETS_NOW],
    spoiled_by: "connect:ENETUNREACH@3",
    run,
    ..Lab::ORDINARY
};

const BEGUN: Prediction = Prediction {
    asks: "No server listens on that port of this machine. What does a non-blocking connect give?",
    choices: &["ECONNREFUSED", "EINPROGRESS", "success"],
    expect: Expect::on_linux(Expected::Is("EINPROGRESS")),
};

const EVENTS: Prediction = Prediction {
    asks: "What does poll say, asked for POLLIN and POLLOUT?",
    choices: &["POLLOUT", "POLLERR", "POLLIN|POLLOUT|POLLERR|POLLHUP", "POLLIN|POLLHUP"],
    expect: Expect::on_linux(Expected::Is("POLLIN|POLLOUT|POLLERR|POLLHUP")).but(
        &[FreeBsd, OpenBsd, MacOs],
        Expected::Is("POLLIN|POLLHUP"),
        "poll does not report POLLERR for sockets, and POLLHUP excludes POLLOUT",
    ),
};

const SETS: Prediction = Prediction {
    asks: "In which of select's three sets (r, w, x) does it stay?",
    choices: &["x", "w", "rw", "rwx"],
    expect: Expect::on_linux(Expected::Is("rw")),
};

const REASON: Prediction = Prediction {
    asks: "What is SO_ERROR?",
    choices: &["0", "ECONNREFUSED", "ECONNRESET", "EINPROGRESS"],
    expect: Expect::everywhere(Expected::Is("ECONNREFUSED")),
};

const CLEARED: Prediction = Prediction {
    asks: "What is SO_ERROR when it is read again?",
    choices: &["0", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const AGAIN: Prediction = Prediction {
    asks: "The same socket once more: what does connect give?",
    choices: &["EINPROGRESS", "ECONNREFUSED", "ECONNABORTED", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("ECONNABORTED"))
        .but(
            &[FreeBsd],
            Expected::Is("ECONNREFUSED"),
            "the failed socket repeats the error of its first attempt forever",
        )
        .but(
            &[OpenBsd, MacOs],
            Expected::Is("EINVAL"),
            "a socket that failed once cannot connect again",
        ),
};

const ONCE_MORE: Prediction = Prediction {
    asks: "And again?",
    choices: &["EINPROGRESS", "ECONNREFUSED", "ECONNABORTED", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("EINPROGRESS"))
        .but(
            &[FreeBsd],
            Expected::Is("ECONNREFUSED"),
            "the failed socket repeats the error of its first attempt forever",
        )
        .but(
            &[OpenBsd, MacOs],
            Expected::Is("EINVAL"),
            "a socket that failed once cannot connect again",
        ),
};

const FRESH: Prediction = Prediction {
    asks: "Now a server listens there. What is SO_ERROR of a new socket when it is writable?",
    choices: &["0", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const SYN_GETS: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "No socket listens on the port. What does the kernel answer to the SYN of a connect?",
        choices: &["nothing", "SYN ACK", "RST ACK"],
        expect: Expect::on_linux(Expected::Is("RST ACK")),
    },
    fact: WireFact::FirstAnswer,
};

const SYN_GETS_NOW: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "Now a server listens there. What answers the SYN, before any accept?",
        choices: &["nothing", "SYN ACK", "RST ACK"],
        expect: Expect::on_linux(Expected::Is("SYN ACK")),
    },
    fact: WireFact::FirstAnswer,
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.say(
        "A connection keeps this port for us, and no socket listens on it: the kernel refuses new connections.",
    );
    let (address, _held) = deserted()?;
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict_on_wire(&SYN_GETS);
    let _ = connect(&c, &address); // ECONNREFUSED: a blocking connect waits for the answer
    lab.observe_on_wire();
    close(c)?;

    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    set_nonblocking(&c)?;

    lab.part("Ready, but not connected");
    lab.predict(&BEGUN);
    lab.observe(connect(&c, &address));
    lab.predict(&EVENTS);
    lab.observe(wait_for(&c, POLLIN | POLLOUT));
    lab.predict(&SETS);
    lab.observe(sets_of(&c));
    lab.predict(&REASON);
    lab.observe(error_of(&c));
    lab.predict(&CLEARED);
    lab.observe(error_of(&c));

    lab.part("The broken way: the same socket once more");
    lab.predict(&AGAIN);
    lab.observe(connect(&c, &address));
    lab.predict(&ONCE_MORE);
    lab.observe(connect(&c, &address));

    lab.part("The right way: a new socket");
    drop(c);
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    setsockopt(&l, SOL_SOCKET, SO_REUSEADDR, &1)?;
    bind(&l, &address)?;
    listen(&l, 5)?;
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    set_nonblocking(&c)?;
    lab.predict_on_wire(&SYN_GETS_NOW);
    // EINPROGRESS; SO_ERROR has the result later.
    let _ = connect(&c, &address);
    wait_for(&c, POLLOUT)?;
    lab.observe_on_wire();
    lab.predict(&FRESH);
    lab.observe(error_of(&c));
    Ok(())
}

/// `SO_ERROR`, by its name.
fn error_of(fd: &Fd) -> Result<String> {
    let error = getsockopt(fd, SOL_SOCKET, SO_ERROR)?;
    let name = Errno::from_number(error).name();
    Ok(name.filter(|_| error != 0).map_or_else(|| error.to_string(), str::to_string))
}
