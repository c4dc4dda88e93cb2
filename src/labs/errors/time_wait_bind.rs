//! My server has ended. Why is its address already in use?
//!
//! Because it closed first: the side that closes first keeps the connection for a while (TIME_WAIT), and the port with
//! it. With SO_REUSEADDR bind succeeds all the same; on Linux the old socket must have had the option too.

use crate::addr::Address;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, loopback, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "time-wait-bind",
    claim: "A server that closed first leaves TIME_WAIT, and EADDRINUSE without REUSEADDR.",
    question: "My server has ended. Why is its address already in use?",
    explanation: "The side that sends the first FIN keeps the connection in TIME_WAIT for a minute or so: a late \
        segment must not reach a new connection between the same addresses and ports. During that time bind refuses \
        the port, unless SO_REUSEADDR is set. Set SO_REUSEADDR in every server, always before bind. It never allows \
        two listeners at one address and port.",
    elsewhere: "On the BSDs and macOS it is enough that the new socket has the option. On NetBSD no socket needs it: its \
        accept makes sockets that bind does not find, whether they are in TIME_WAIT or still in use; so a second server \
        can take the port while the first one's clients are served.",
    sources: &["socket(7), SO_REUSEADDR", "RFC 9293, 3.6 (TIME-WAIT)", "Stevens, UNP 2.7 and 7.5"],
    related: &["reuseport-and-self", "linger-zero", "close-is-refcount"],
    words: &["EADDRINUSE", "SO_REUSEADDR", "TIME_WAIT"],
    minutes: 3,
    predictions: &[&SERVER_FIRST, &CLIENT_FIRST, &NEW_ONLY, &BOTH, &STILL_SERVED, &TWO],
    spoiled_by: "bind:EACCES@2",
    run,
    ..Lab::ORDINARY
};

const RESULTS: &[&str] = &["success", "EADDRINUSE"];

const SERVER_FIRST: Prediction = Prediction {
    asks: "A server closes first, then its client. What does bind to the server's port give?",
    choices: RESULTS,
    expect: Expect::everywhere(Expected::Is("EADDRINUSE")).but(
        &[NetBsd],
        Expected::Is("success"),
        "bind does not look at sockets that accept made",
    ),
};

const CLIENT_FIRST: Prediction = Prediction {
    asks: "This time the client closes first. What does bind give now?",
    choices: RESULTS,
    expect: Expect::everywhere(Expected::Is("success")),
};

const NEW_ONLY: Prediction = Prediction {
    asks: "The server closes first, and only the new socket has SO_REUSEADDR. What does bind give?",
    choices: RESULTS,
    expect: Expect::on_linux(Expected::Is("EADDRINUSE")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("success"),
        "SO_REUSEADDR of the new socket is enough",
    ),
};

const BOTH: Prediction = Prediction {
    asks: "The server closes first, and both sockets have SO_REUSEADDR. What does bind give?",
    choices: RESULTS,
    expect: Expect::everywhere(Expected::Is("success")),
};

const STILL_SERVED: Prediction = Prediction {
    asks: "No option. The listener is closed, and a client that it accepted is still served. And now?",
    choices: RESULTS,
    expect: Expect::on_linux(Expected::Is("EADDRINUSE")).but(
        &[NetBsd],
        Expected::Is("success"),
        "bind does not look at sockets that accept made",
    ),
};

const TWO: Prediction = Prediction {
    asks: "A server still listens, and both have SO_REUSEADDR. What does bind or listen give?",
    choices: RESULTS,
    expect: Expect::everywhere(Expected::Is("EADDRINUSE")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    // TIME_WAIT lasts a minute, so each question comes before the server that it is about.
    lab.part("The server closes first");
    lab.predict(&SERVER_FIRST);
    let address = a_server_that_has_ended(Reuse(false), First::Server)?;
    let again = a_socket(Reuse(false))?;
    lab.observe(bind(&again, &address));

    lab.part("The client closes first");
    lab.predict(&CLIENT_FIRST);
    let address = a_server_that_has_ended(Reuse(false), First::Client)?;
    let again = a_socket(Reuse(false))?;
    lab.observe(bind(&again, &address));

    lab.part("SO_REUSEADDR, on the new socket only");
    lab.predict(&NEW_ONLY);
    let address = a_server_that_has_ended(Reuse(false), First::Server)?;
    let again = a_socket(Reuse(true))?;
    lab.observe(bind(&again, &address));

    lab.part("SO_REUSEADDR on both");
    lab.predict(&BOTH);
    let address = a_server_that_has_ended(Reuse(true), First::Server)?;
    let again = a_socket(Reuse(true))?;
    lab.observe(bind(&again, &address));

    lab.part("A server that serves its last client");
    let l = a_socket(Reuse(false))?;
    bind(&l, &loopback(0))?;
    listen(&l, 5)?;
    let address = getsockname(&l)?;
    let _c = client_of(&address)?;
    let (_a, _peer) = accept(&l)?;
    close(l)?;
    let again = a_socket(Reuse(false))?;
    lab.predict(&STILL_SERVED);
    lab.observe(bind(&again, &address));

    lab.part("Two servers at the same time");
    let l = a_socket(Reuse(true))?;
    bind(&l, &loopback(0))?;
    listen(&l, 5)?;
    let address = getsockname(&l)?;
    let second = a_socket(Reuse(true))?;
    lab.predict(&TWO);
    lab.observe(bind(&second, &address).and_then(|()| listen(&second, 5)));
    Ok(())
}

/// Whether SO_REUSEADDR is set, before bind.
#[derive(Clone, Copy)]
struct Reuse(bool);

/// Which side closes first.
#[derive(Clone, Copy, PartialEq)]
enum First {
    Server,
    Client,
}

fn a_socket(reuse: Reuse) -> Result<Fd> {
    let fd = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    if reuse.0 {
        setsockopt(&fd, SOL_SOCKET, SO_REUSEADDR, &1)?;
    }
    Ok(fd)
}

/// A server has had one client, and all sockets are closed. Returns its address.
fn a_server_that_has_ended(reuse: Reuse, first: First) -> Result<Address> {
    let l = a_socket(reuse)?;
    bind(&l, &loopback(0))?;
    listen(&l, 5)?;
    let address = getsockname(&l)?;
    let c = client_of(&address)?;
    let (a, _peer) = accept(&l)?;
    close(l)?;
    let (one, other) = if first == First::Server { (a, c) } else { (c, a) };
    close(one)?;
    wait_for(&other, POLLIN)?; // its FIN is here
    close(other)?;
    Ok(address)
}
