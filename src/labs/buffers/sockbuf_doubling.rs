//! I set SO_RCVBUF to 10,000: why do I read back 20,000?
//!
//! Linux doubles the value, because it counts its own bookkeeping against the buffer, and getsockopt returns the
//! doubled figure. Linux raises a value that is too small to a minimum and cuts one that is too large at a limit;
//! neither is an error. The low-water mark for sending can be set on the BSDs, but not on Linux.

use crate::labs::run::{LabResult, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "sockbuf-doubling",
    claim: "The size of a buffer is a request: Linux doubles it, raises it, and cuts it.",
    question: "I set SO_RCVBUF to 10,000: why do I read back 20,000?",
    explanation: "Linux counts its own bookkeeping and the bytes against the same size, so it doubles the requested \
        value, and getsockopt returns the doubled figure. A value below the minimum is raised, one above \
        net.core.rmem_max or wmem_max is cut, both without an error. Setting a size also turns off the automatic \
        growth of that buffer (autotuning), which is usually the greater loss.",
    elsewhere: "The BSDs and macOS keep the figure as it is, have no minimum, and let a program set SO_SNDLOWAT. A \
        size that is too large fails with ENOBUFS on the BSDs; macOS cuts it at 8 MiB since 14.4.",
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
    // 2304 where a cache line has 64 bytes, as on most machines.
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
        "a size that is too large is an error, as on macOS before 14.4",
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
    lab.part("An ordinary size");
    let before = getsockopt(&s, SOL_SOCKET, SO_RCVBUF)?;
    lab.say(format_args!(
        "Before that the size is {before}, and the kernel lets it grow as it is used."
    ));
    let set = setsockopt(&s, SOL_SOCKET, SO_RCVBUF, &10_000);
    lab.predict(&DOUBLED);
    lab.observe(set.and_then(|()| getsockopt(&s, SOL_SOCKET, SO_RCVBUF)));

    lab.part("A size that is too small");
    setsockopt(&s, SOL_SOCKET, SO_RCVBUF, &1)?;
    lab.predict(&RAISED_RECEIVE);
    lab.observe(getsockopt(&s, SOL_SOCKET, SO_RCVBUF));
    setsockopt(&s, SOL_SOCKET, SO_SNDBUF, &1)?;
    lab.predict(&RAISED_SEND);
    lab.observe(getsockopt(&s, SOL_SOCKET, SO_SNDBUF));

    lab.part("A size that is too large");
    lab.predict(&CUT);
    let set = setsockopt(&s, SOL_SOCKET, SO_RCVBUF, &1_000_000_000);
    lab.observe(set);
    let got = getsockopt(&s, SOL_SOCKET, SO_RCVBUF)?;
    lab.say(match set {
        Ok(()) => format!("No error, but not a billion either: the size is {got}."),
        Err(_) => format!("The size is as before: {got}."),
    });

    lab.part("How much room makes a socket writable");
    lab.predict(&LOW_WATER);
    lab.observe(setsockopt(&s, SOL_SOCKET, SO_SNDLOWAT, &4096));
    Ok(())
}
