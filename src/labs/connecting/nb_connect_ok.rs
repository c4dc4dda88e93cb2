//! A non-blocking connect: when is it done?
//!
//! It returns `EINPROGRESS` and the handshake continues by itself, even on loopback, where it is complete before the
//! program can look. The socket is writable when there is a result; `SO_ERROR` says which, and 0 means success. Do not
//! call `connect` again to find out: what it returns then differs between systems.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{listener, set_nonblocking, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "nb-connect-ok",
    claim: "Non-blocking connect: EINPROGRESS, then writable, then SO_ERROR 0.",
    question: "A non-blocking connect: when is it done?",
    explanation: "Connecting takes a round trip at least, and a non-blocking call does not wait for it. EINPROGRESS is \
        therefore the ordinary answer and no failure. When the socket becomes writable there is a result, good or bad: \
        read SO_ERROR to know which.",
    elsewhere: "The second connect gives EISCONN at once on the BSDs and macOS, where Linux gives success once.",
    sources: &["connect(2), EINPROGRESS", "POSIX connect", "gVisor: NonBlockingConnect"],
    related: &["nb-connect-refused", "pending-and-eintr", "hup-maps-to-r"],
    words: &["connect", "EINPROGRESS", "EISCONN", "SO_ERROR", "POLLOUT"],
    predictions: &[&BEGUN, &WRITABLE, &NO_ERROR, &AGAIN, &ONCE_MORE],
    spoiled_by: "connect:ENETUNREACH@2",
    run,
    ..Lab::ORDINARY
};

const BEGUN: Prediction = Prediction {
    asks: "The listener is on this machine. What does a non-blocking connect give?",
    choices: &["success", "EAGAIN", "EINPROGRESS"],
    // POSIX: only if it cannot be established at once, and on loopback it might.
    expect: Expect::on_linux(Expected::Is("EINPROGRESS")),
};

const WRITABLE: Prediction = Prediction {
    asks: "What does poll say when it is done, asked for POLLIN and POLLOUT?",
    choices: &["POLLIN", "POLLOUT", "POLLIN|POLLOUT", "POLLOUT|POLLHUP"],
    expect: Expect::everywhere(Expected::Is("POLLOUT")),
};

const NO_ERROR: Prediction = Prediction {
    asks: "What is SO_ERROR then? (0: no error)",
    choices: &["0", "106", "115"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const AGAIN: Prediction = Prediction {
    asks: "What does calling connect again give?",
    choices: &["success", "EISCONN", "EALREADY", "EINPROGRESS"],
    expect: Expect::on_linux(Expected::Is("success")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("EISCONN"),
        "a connection is a connection from the first time on",
    ),
};

const ONCE_MORE: Prediction = Prediction {
    asks: "And once more?",
    choices: &["success", "EISCONN", "EALREADY", "EINPROGRESS"],
    expect: Expect::everywhere(Expected::Is("EISCONN")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (_l, address) = listener()?;
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    set_nonblocking(&c)?;

    lab.part("The right way: connect, wait, read SO_ERROR");
    lab.predict(&BEGUN);
    lab.observe(connect(&c, &address));
    lab.predict(&WRITABLE);
    lab.observe(wait_for(&c, POLLIN | POLLOUT));
    lab.predict(&NO_ERROR);
    lab.observe(getsockopt(&c, SOL_SOCKET, SO_ERROR));

    lab.part("Asking by connect: the answer depends on the system");
    lab.predict(&AGAIN);
    lab.observe(connect(&c, &address));
    lab.predict(&ONCE_MORE);
    lab.observe(connect(&c, &address));
    Ok(())
}
