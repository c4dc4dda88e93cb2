//! When does a socket get its name (its address and port)?
//!
//! Not from `socket`: the name of a new socket is 0.0.0.0, port 0. `bind` names a socket once and for all; `listen` and
//! `connect` name a socket that has no name yet. The socket that `accept` returns has the listener's port, not a port
//! of its own: the kernel distinguishes connections by the addresses of both ends. (The Python Socket HOWTO speaks of a
//! port that is allocated for each conversation; that is the client's, an ephemeral port.)

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, loopback};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "names-appear-late",
    claim: "A name comes from bind, listen or connect; accept shares the listener's port.",
    question: "When does a socket get its address and port, and which?",
    explanation: "socket creates an endpoint without a name. bind names it, and port 0 asks the kernel for a free port \
        (an ephemeral port); listen and connect do the same for a socket that was never bound. An accepted socket has \
        the listener's port: thousands of connections share that port, because the kernel identifies each by the \
        addresses and ports of both ends. (The port that the Python Socket HOWTO sees allocated for each conversation \
        is the client's.)",
    elsewhere: "POSIX leaves open what getsockname returns for a socket without a name, and lets listen fail with \
        EDESTADDRREQ on such a socket.",
    sources: &[
        "bind(2)",
        "getsockname(2)",
        "POSIX bind, getpeername, getsockname, listen",
        "RFC 9293, 4 (a connection is identified by a pair of sockets)",
        "gVisor: TCPListenUnbound",
    ],
    related: &["listener-cannot-talk", "wildcard-vs-loopback", "time-wait-bind"],
    words: &["bind", "getsockname", "getpeername", "ENOTCONN"],
    minutes: 3,
    predictions: &[&FRESH, &NO_PEER, &BOUND, &TWICE, &UNBOUND, &CONNECTED, &ACCEPTED],
    spoiled_by: "getpeername:EINVAL@1",
    run,
    ..Lab::ORDINARY
};

const FRESH: Prediction = Prediction {
    asks: "The socket is new. What is its name?",
    choices: &["0.0.0.0:0", "ENOTCONN", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("0.0.0.0:0")),
};

const NO_PEER: Prediction = Prediction {
    asks: "And the name of its peer?",
    choices: &["0.0.0.0:0", "ENOTCONN", "EINVAL"],
    expect: Expect::everywhere(Expected::Is("ENOTCONN")),
};

const BOUND: Prediction = Prediction {
    asks: "It was bound to port 0. Does it have a port now?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("yes")),
};

const TWICE: Prediction = Prediction {
    asks: "What does a second bind give?",
    choices: &["success", "EINVAL", "EADDRINUSE"],
    expect: Expect::everywhere(Expected::Is("EINVAL")),
};

const UNBOUND: Prediction = Prediction {
    asks: "A socket that was never bound listens. Does it have a port?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")),
};

const CONNECTED: Prediction = Prediction {
    asks: "The client was never bound either, and is connected. Does it have a port?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("yes")),
};

const ACCEPTED: Prediction = Prediction {
    asks: "Which port does the socket from accept have?",
    choices: &["the listener's", "a port of its own"],
    expect: Expect::everywhere(Expected::Is("the listener's")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("A socket before it has a name");
    let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&FRESH);
    lab.observe(getsockname(&s).map(|name| name.to_string()));
    lab.predict(&NO_PEER);
    lab.observe(getpeername(&s).map(|name| name.to_string()));

    lab.part("bind: a name, once");
    bind(&s, &loopback(0))?;
    lab.predict(&BOUND);
    lab.observe(getsockname(&s).map(|name| name.port() != Some(0)));
    lab.predict(&TWICE);
    lab.observe(bind(&s, &loopback(0)));

    lab.part("listen and connect: a name for sockets that have none");
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    listen(&l, 5)?;
    lab.predict(&UNBOUND);
    let name = getsockname(&l);
    let port = name.as_ref().ok().and_then(Address::port).unwrap_or(0);
    lab.observe(name.map(|name| name.port() != Some(0)));
    lab.say("Its address is 0.0.0.0: a server that listens without bind can be reached from everywhere.");
    let c = client_of(&loopback(port))?;
    lab.predict(&CONNECTED);
    lab.observe(getsockname(&c).map(|name| name.port() != Some(0)));

    lab.part("accept: the listener's port");
    let (a, _peer) = accept(&l)?;
    lab.predict(&ACCEPTED);
    let name = getsockname(&a);
    let whose = |name: Address| match name.port() == Some(port) {
        true => "the listener's",
        false => "a port of its own",
    };
    lab.observe(name.map(|name| whose(name).to_string()));
    lab.say("Another connection to this port has the same name here; the peers' names differ.");
    getpeername(&a)?;
    Ok(())
}
