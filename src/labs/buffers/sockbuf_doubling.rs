//! I set SO_RCVBUF to 10,000: why do I read back 20,000?
//!
//! Linux doubles what it is given, because it counts its own bookkeeping against the buffer, and tells the doubled figure.
//! Too small a value is raised to a minimum, too large a one is cut at a limit, and neither is an error. The low-water mark
//! for sending, which the BSDs let one set, cannot be set on Linux.

use crate::labs::run::{LabResult, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "sockbuf-doubling",
    claim: "The size of a buffer is a wish: Linux doubles it, raises it, and cuts it.",
    question: "I set SO_RCVBUF to 10,000: why do I read back 20,000?",
    explanation: "Linux keeps the room for its own bookkeeping in the same account as the bytes, so it doubles the wish, \
        and getsockopt tells the doubled figure. The wish is raised to a minimum and cut at net.core.rmem_max or \
        wmem_max, without an error. Setting a size also ends the automatic growing of that buffer, which is usually \
        the greater loss.",
    elsewhere: "The BSDs and macOS keep the figure as it is, have no minimum, and let SO_SNDLOWAT be set. Too large a \
        wish is ENOBUFS on the BSDs; macOS cuts it at 8 MiB since 14.4.",
    sources: &[
        "socket(7), SO_RCVBUF and SO_SNDLOWAT",
        "FreeBSD setsockopt(2)",
        "gVisor: SetSocketSendBuf",
    ],
    related: &["partial-send", "writable-hysteresis", "udp-drops-silently"],
    words: &["SO_RCVBUF", "SO_SNDBUF", "SO_SNDLOWAT", "ENOPROTOOPT"],
    predictions: &[&DOUBLED, &RAISED_RECEIVE, &RAISED_SEND, &CUT, &LOW_WATER],
    spoiled_by: "setsockopt:ENOMEM@1",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const DOUBLED: Prediction = Prediction {
    asks: "SO_RCVBUF was set to 10000. What is read back?",
    choices: &["10000", "20000", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("20000")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("10000"),
        "they count the bytes alone",
    ),
};

const RAISED_RECEIVE: Prediction = Prediction {
    asks: "SO_RCVBUF was set to 1. What is read back?",
    choices: &["1", "2", "2048 to 4096", "EINVAL"],
    // 2304 where a line of the cache has 64 bytes, as on most machines.
    expect: Expect::on_linux(Expected::Between(2048, 4096, "")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("1"),
        "there is no minimum",
    ),
};

const RAISED_SEND: Prediction = Prediction {
    asks: "SO_SNDBUF was set to 1. What is read back?",
    choices: &["1", "2", "4096 to 8192", "EINVAL"],
    expect: Expect::on_linux(Expected::Between(4096, 8192, "")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("1"),
        "there is no minimum",
    ),
};

const CUT: Prediction = Prediction {
    asks: "SO_RCVBUF is set to 1000000000. What does setsockopt give?",
    choices: &["success", "ENOBUFS", "EINVAL", "EPERM"],
    expect: Expect::on_linux(Expected::Is("success")).but(
        &[FreeBsd, NetBsd, OpenBsd],
        Expected::Is("ENOBUFS"),
        "too large a wish is an error, as on macOS before 14.4",
    ),
};

const LOW_WATER: Prediction = Prediction {
    asks: "What does setting SO_SNDLOWAT give?",
    choices: &["success", "ENOPROTOOPT", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("ENOPROTOOPT")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs, GVisor],
        Expected::Is("success"),
        "the low-water mark for sending can be set",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.part("An ordinary wish");
    let before = getsockopt(&s, SOL_SOCKET, SO_RCVBUF)?;
    lab.say(format_args!("Untouched it is {before}, and grows by itself as it is used."));
    let set = setsockopt(&s, SOL_SOCKET, SO_RCVBUF, &10_000);
    lab.predict(&DOUBLED);
    lab.observe(set.and_then(|()| getsockopt(&s, SOL_SOCKET, SO_RCVBUF)));

    lab.part("Too small a wish");
    setsockopt(&s, SOL_SOCKET, SO_RCVBUF, &1)?;
    lab.predict(&RAISED_RECEIVE);
    lab.observe(getsockopt(&s, SOL_SOCKET, SO_RCVBUF));
    setsockopt(&s, SOL_SOCKET, SO_SNDBUF, &1)?;
    lab.predict(&RAISED_SEND);
    lab.observe(getsockopt(&s, SOL_SOCKET, SO_SNDBUF));

    lab.part("Too large a wish");
    lab.predict(&CUT);
    let set = setsockopt(&s, SOL_SOCKET, SO_RCVBUF, &1_000_000_000);
    lab.observe(set);
    let got = getsockopt(&s, SOL_SOCKET, SO_RCVBUF)?;
    lab.say(match set {
        Ok(()) => format!("No error, and no billion either: it is {got}."),
        Err(_) => format!("It is as large as before: {got}."),
    });

    lab.part("How much room makes it writable");
    lab.predict(&LOW_WATER);
    lab.observe(setsockopt(&s, SOL_SOCKET, SO_SNDLOWAT, &4096));
    Ok(())
}
