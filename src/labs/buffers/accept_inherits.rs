//! Which options does an accepted socket have?
//!
//! Usually those of its listener: an option set on the listener need not be set for every client, and `SO_RCVBUF` must
//! be set there, because the window is negotiated in the handshake, before `accept`. Non-blocking mode is the
//! exception: Linux does not pass it on, macOS and the BSDs do.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, loopback, set_nonblocking, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "accept-inherits",
    claim: "An accepted socket inherits the listener's options; O_NONBLOCK not on Linux.",
    question: "Which options does an accepted socket have?",
    explanation: "The accepted socket is a copy of the listener with a peer, so it has the listener's options: set \
        them once. O_NONBLOCK is not a socket option but a status flag of the open file, and there the systems differ. \
        A portable server sets O_NONBLOCK on every accepted socket itself, or passes SOCK_NONBLOCK to accept4, where \
        accept4 exists.",
    elsewhere: "On the BSDs and macOS the accepted socket inherits O_NONBLOCK. accept4 sets the flag explicitly; macOS \
        has no accept4. In gVisor the accepted socket inherits only the sizes of the listener's buffers.",
    sources: &["accept(2)", "tcp(7)", "accept(2) of FreeBSD, OpenBSD and macOS"],
    related: &["nonblock-is-shared", "sockbuf-doubling", "readiness-is-a-hint"],
    words: &["accept", "accept4", "O_NONBLOCK", "TCP_NODELAY", "SO_KEEPALIVE"],
    predictions: &[&NODELAY, &KEEPALIVE, &LINGER, &REUSE, &RECEIVE, &NONBLOCKING],
    spoiled_by: "getsockopt:ENOPROTOOPT@2",
    run,
    ..Lab::ORDINARY
};

const NODELAY: Prediction = Prediction {
    asks: "Does the accepted socket have TCP_NODELAY?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")).but(
        &[GVisor],
        Expected::Is("no"),
        "its accepted sockets start with defaults",
    ),
};

const KEEPALIVE: Prediction = Prediction {
    asks: "Does it have SO_KEEPALIVE?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")).but(
        &[GVisor],
        Expected::Is("no"),
        "its accepted sockets start with defaults",
    ),
};

const LINGER: Prediction = Prediction {
    asks: "The listener's SO_LINGER is 7 s. For how many seconds does the accepted socket linger?",
    choices: &["0", "7"],
    expect: Expect::on_linux(Expected::Is("7")).but(
        &[GVisor],
        Expected::Is("0"),
        "its accepted sockets start with defaults",
    ),
};

const REUSE: Prediction = Prediction {
    asks: "Does it have SO_REUSEADDR?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")).but(
        &[GVisor],
        Expected::Is("no"),
        "its accepted sockets start with defaults",
    ),
};

const RECEIVE: Prediction = Prediction {
    asks: "Is its SO_RCVBUF that of the listener?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")),
};

const NONBLOCKING: Prediction = Prediction {
    asks: "The listener is non-blocking. Is the accepted socket?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("no")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("yes"),
        "accept copies the flags of the listener",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("A listener with options of all kinds");
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    setsockopt(&l, SOL_TCP, TCP_NODELAY, &1)?;
    setsockopt(&l, SOL_SOCKET, SO_KEEPALIVE, &1)?;
    setsockopt(&l, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 7 })?;
    setsockopt(&l, SOL_SOCKET, SO_REUSEADDR, &1)?;
    setsockopt(&l, SOL_SOCKET, SO_RCVBUF, &10_000)?;
    let room = getsockopt(&l, SOL_SOCKET, SO_RCVBUF)?;
    bind(&l, &loopback(0))?;
    listen(&l, 5)?;
    set_nonblocking(&l)?;
    let c = client_of(&getsockname(&l)?)?;
    wait_for(&l, POLLIN)?;
    let (a, _peer) = accept(&l)?;

    lab.part("The socket that it made");
    lab.predict(&NODELAY);
    lab.observe(getsockopt(&a, SOL_TCP, TCP_NODELAY).map(|value| value != 0));
    lab.predict(&KEEPALIVE);
    lab.observe(getsockopt(&a, SOL_SOCKET, SO_KEEPALIVE).map(|value| value != 0));
    lab.predict(&LINGER);
    lab.observe(getsockopt(&a, SOL_SOCKET, SO_LINGER).map(|value| value.l_linger));
    lab.predict(&REUSE);
    lab.observe(getsockopt(&a, SOL_SOCKET, SO_REUSEADDR).map(|value| value != 0));
    lab.predict(&RECEIVE);
    lab.observe(getsockopt(&a, SOL_SOCKET, SO_RCVBUF).map(|value| value == room));
    lab.predict(&NONBLOCKING);
    lab.observe(fcntl_getfl(&a).map(|flags| flags.contains(O_NONBLOCK)));
    lab.say("The client is closed first: an accepted socket that lingers would wait in close.");
    drop(c);
    Ok(())
}
