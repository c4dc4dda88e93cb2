//! A client has connected and reset before I called accept: what does accept return?
//!
//! On Linux, a socket that is already dead: `accept` succeeds, and the next calls report the reset. On FreeBSD `accept`
//! fails with `ECONNABORTED`. A server must handle both without ending its loop. (A blocking listener adds a trap: on
//! systems that remove the dead client from the queue, an `accept` after readiness waits for the next client.)

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, listener, set_nonblocking, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "accept-after-rst",
    claim: "A queued client resets its connection: accept on Linux gives a dead socket.",
    question: "A client has connected and reset before I called accept: what does accept return?",
    explanation: "The connection is complete before accept sees it, so it can also be over before. Linux leaves it in the \
        queue and lets the new socket tell: no peer's name, ECONNRESET, then end of file. Elsewhere accept itself says \
        ECONNABORTED. Both concern this one client: close what you got, if anything, and accept the next.",
    elsewhere: "On FreeBSD, NetBSD and OpenBSD accept gives ECONNABORTED; on macOS a descriptor, as on Linux.",
    sources: &["accept(2)", "UNP, 5.11 and 16.6", "FreeBSD accept(2)"],
    related: &["readiness-is-a-hint", "linger-zero", "pending-and-eintr"],
    words: &["accept", "ECONNABORTED", "ECONNRESET", "ENOTCONN", "SO_LINGER"],
    predictions: &[&STILL_READY, &ACCEPTED, &NAMELESS, &RESET, &END],
    spoiled_by: "accept:ECONNABORTED@1",
    run,
    ..Lab::ORDINARY
};

const STILL_READY: Prediction = Prediction {
    asks: "The only client in the queue has reset. What does poll say of the listener?",
    choices: &["0", "POLLIN", "POLLIN|POLLERR"],
    expect: Expect::on_linux(Expected::Is("POLLIN")),
};

const ACCEPTED: Prediction = Prediction {
    asks: "What does accept give?",
    choices: &["a descriptor", "ECONNABORTED", "ECONNRESET", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("a descriptor")).but(
        &[FreeBsd, NetBsd, OpenBsd],
        Expected::Is("ECONNABORTED"),
        "accept tells that the connection is dead, where Linux hands it out",
    ),
};

const NAMELESS: Prediction = Prediction {
    asks: "What does getpeername give for the new socket?",
    choices: &["success", "ENOTCONN", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("ENOTCONN")).but(
        &[MacOs],
        Expected::Is("EINVAL"),
        "both halves are over, which getpeername calls EINVAL there",
    ),
};

const RESET: Prediction = Prediction {
    asks: "What does recv give?",
    choices: &["0", "ECONNRESET", "ENOTCONN", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("ECONNRESET")),
};

const END: Prediction = Prediction {
    asks: "And once more?",
    choices: &["0", "ECONNRESET", "ENOTCONN", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (l, address) = listener()?;
    set_nonblocking(&l)?;
    let c = client_of(&address)?;
    wait_for(&l, POLLIN)?;
    lab.say("With l_linger 0 close sends a reset.");
    setsockopt(&c, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 })?;
    close(c)?;

    lab.part("The listener");
    lab.predict(&STILL_READY);
    lab.observe(wait_for(&l, POLLIN));
    lab.predict(&ACCEPTED);
    let accepted = accept(&l);
    let outcome = accepted.as_ref().map(|_| "a descriptor").map_err(|errno| *errno);
    lab.observe(outcome);
    let Ok((a, _peer)) = accepted else {
        lab.say("There is no socket to look at: that was all.");
        return Ok(());
    };

    lab.part("The socket that it made");
    lab.predict(&NAMELESS);
    lab.observe(getpeername(&a).map(drop));
    lab.predict(&RESET);
    lab.observe(recv(&a, &mut [0; 64], MSG_DONTWAIT));
    lab.predict(&END);
    lab.observe(recv(&a, &mut [0; 64], MSG_DONTWAIT));
    Ok(())
}
