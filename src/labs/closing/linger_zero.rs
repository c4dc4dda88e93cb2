//! How do I abort a connection instead of closing it gracefully?
//!
//! With SO_LINGER on and a time of zero, close sends a reset. The kernel discards unsent bytes, the peer gets
//! ECONNRESET, and no TIME_WAIT remains.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, listener, wait_for};
use crate::labs::wire::WireFact;
use crate::labs::{Expect, Expected, Lab, Prediction, WirePrediction};
use crate::os::system::System::NetBsd;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "linger-zero",
    claim: "SO_LINGER with 0 seconds: close sends a reset, and leaves no TIME_WAIT.",
    question: "What does the peer see of a close with l_linger = 0?",
    explanation: "Linger with a time of zero turns close into an abort: the peer gets ECONNRESET once, and reads the \
        end of file from then on. An aborted connection leaves no TIME_WAIT, so the port is free at once. Do not use \
        this to avoid TIME_WAIT: it discards bytes that the peer has not received yet.",
    elsewhere: "On NetBSD the port is free in either case: bind does not see the sockets that accept made.",
    sources: &["socket(7), SO_LINGER", "POSIX setsockopt and close", "RFC 9293, 3.10.5 (ABORT)"],
    related: &["rst-on-unread", "time-wait-bind", "linger-blocks-close"],
    words: &["SO_LINGER", "ECONNRESET", "TIME_WAIT"],
    predictions: &[&ORDINARY_REBIND, &RESET, &AFTER, &REBIND],
    on_wire: &[&CLOSE_SENDS],
    spoiled_by: "recv:EAGAIN@2",
    run,
    ..Lab::ORDINARY
};

const ORDINARY_REBIND: Prediction = Prediction {
    asks: "The server closed first, gracefully. What does bind to its port give now?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::everywhere(Expected::Is("EADDRINUSE")).but(
        &[NetBsd],
        Expected::Is("success"),
        "bind does not look at sockets that accept made",
    ),
};

const RESET: Prediction = Prediction {
    asks: "The server closes with linger 0. What does the client's recv give?",
    choices: &["0", "ECONNRESET", "EPIPE"],
    expect: Expect::everywhere(Expected::Is("ECONNRESET")),
};

const AFTER: Prediction = Prediction {
    asks: "And its next recv?",
    choices: &["0", "ECONNRESET", "ENOTCONN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const REBIND: Prediction = Prediction {
    asks: "What does bind to the server's port give this time?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::everywhere(Expected::Is("success")),
};

const CLOSE_SENDS: WirePrediction = WirePrediction {
    asked: Prediction {
        asks: "What does a close with linger 0 send?",
        choices: &["nothing", "FIN ACK", "RST ACK"],
        expect: Expect::on_linux(Expected::Is("RST ACK")),
    },
    fact: WireFact::FirstSegment,
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];

    lab.part("The server closes first, gracefully");
    let (l, address) = listener()?;
    let c = client_of(&address)?;
    let (a, _peer) = accept(&l)?;
    close(l)?;
    close(a)?;
    recv(&c, &mut buf, MsgFlags::NONE)?; // 0: its end
    close(c)?;
    let again = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&ORDINARY_REBIND);
    lab.observe(bind(&again, &address));

    lab.part("The same with linger 0");
    let (l, address) = listener()?;
    let c = client_of(&address)?;
    let (a, _peer) = accept(&l)?;
    close(l)?;
    setsockopt(&a, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 })?;
    lab.predict_on_wire(&CLOSE_SENDS);
    close(a)?;
    lab.observe_on_wire();
    wait_for(&c, POLLIN)?;
    lab.predict(&RESET);
    lab.observe(recv(&c, &mut buf, MsgFlags::NONE));
    lab.predict(&AFTER);
    lab.observe(recv(&c, &mut buf, MsgFlags::NONE));
    close(c)?;
    let again = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&REBIND);
    lab.observe(bind(&again, &address));
    Ok(())
}
