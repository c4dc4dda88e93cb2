//! Is exceptfds for errors?
//!
//! No, in spite of its name and of POSIX. A connection that was reset or refused is readable and writable: the next
//! call returns the error, and SO_ERROR has it too. The third set reports a TCP socket with an urgent byte.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{
    listener, loopback, set_nonblocking, sets_of, tcp_pair, wait_for, wait_for_urgent,
    without_pressure,
};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::GVisor;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "exceptfds-is-not-errors",
    claim: "An error makes a socket readable and writable; exceptfds is for urgent data.",
    question: "What is exceptfds for? For errors?",
    explanation: "For TCP the third set means one thing: an urgent byte has arrived (poll reports POLLPRI). The next \
        read or write returns an error, so a socket with an error is ready for both; SO_ERROR tells which error. \
        Beej's guide describes exceptfds as the set for errors, and POSIX requires it to hold sockets with a pending \
        error; Linux does not do that.",
    elsewhere: "For sockets the BSDs and macOS use exceptfds for out-of-band data only. Of other descriptors, NetBSD \
        also puts a pipe without its other end and a terminal that is gone into it, and macOS files, directories and \
        /dev/null. gVisor puts failed sockets there, and has no out-of-band data.",
    sources: &["select(2)", "select_tut(2)", "POSIX select", "Stack Overflow 1342712"],
    related: &["oob-one-byte", "nb-connect-refused", "hup-maps-to-r", "readiness-matrix"],
    words: &["select", "SO_ERROR", "ECONNRESET", "MSG_OOB", "POLLPRI"],
    predictions: &[&RESET, &REFUSED, &WHY, &URGENT],
    spoiled_by: "select:EINTR@1",
    run,
    ..Lab::ORDINARY
};

/// macOS and FreeBSD: soreadable and sowriteable check so_error, and only urgent data is an exceptional condition
/// (sys/socketvar.h).
const READ_AND_WRITE: Expect = Expect::on_linux(Expected::Is("rw")).but(
    &[GVisor],
    Expected::Is("rwx"),
    "it treats an error as an exceptional condition",
);

const RESET: Prediction = Prediction {
    asks: "The peer has reset the connection. In which of the sets r, w and x does it stay?",
    choices: &["rw", "rwx", "x", "none"],
    expect: READ_AND_WRITE,
};

const REFUSED: Prediction = Prediction {
    asks: "A connect was refused. In which of the sets r, w and x does the socket stay?",
    choices: &["rw", "w", "rwx", "x"],
    expect: READ_AND_WRITE,
};

const WHY: Prediction = Prediction {
    asks: "What does SO_ERROR return for it?",
    choices: &["0", "ECONNREFUSED", "EINPROGRESS"],
    expect: Expect::everywhere(Expected::Is("ECONNREFUSED")),
};

const URGENT: Prediction = Prediction {
    asks: "The peer has sent one byte with MSG_OOB. In which sets does the socket stay?",
    choices: &["w", "rw", "wx", "rwx"],
    expect: Expect::on_linux(Expected::Is("wx")).but(
        &[GVisor],
        Expected::Is("rw"),
        "it has no urgent data",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The obvious guess: a reset is an exceptional condition");
    let (c, a) = tcp_pair()?;
    setsockopt(&c, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 })?;
    close(c)?; // with this option: a reset
    wait_for(&a, POLLIN)?;
    lab.predict(&RESET);
    lab.observe(sets_of(&a));

    lab.part("Nor does a refused connection count");
    let (l, address) = listener()?;
    close(l)?; // no socket listens on that port now
    let refused = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    set_nonblocking(&refused)?;
    // EINPROGRESS, or refused at once.
    let _ = connect(&refused, &loopback(address.port().unwrap_or_default()));
    wait_for(&refused, POLLOUT)?;
    lab.predict(&REFUSED);
    lab.observe(sets_of(&refused));
    lab.predict(&WHY);
    lab.observe(getsockopt(&refused, SOL_SOCKET, SO_ERROR).map(Errno::from_number));

    lab.part("What exceptfds is for: urgent data");
    let (c, a) = tcp_pair()?;
    send(&c, b"!", MSG_OOB)?;
    wait_for_urgent(&a)?;
    lab.predict(&URGENT);
    lab.observe(without_pressure(|| sets_of(&a), |sets| sets.contains('r')));
    Ok(())
}
