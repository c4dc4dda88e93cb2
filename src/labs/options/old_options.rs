//! The code is old and the kernel new. Do its options still mean the same?
//!
//! Not all of them. SO_PASSCRED on a TCP socket has no effect and gives no error on Linux 6.12; on 6.18 it fails with
//! EOPNOTSUPP. A large SO_RCVBUF was cut at 208 KiB; 6.18 has a limit of 4 MiB, and grants the whole request. UDP-Lite
//! was removed in 7.2.

use std::fs;

use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::credentials::pass_credentials;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "old-options",
    claim: "Options that an older kernel took without effect are errors now, or do more.",
    question: "My program is old and the kernel new. Do its options still mean the same?",
    explanation: "Older kernels often accepted an option on a socket where it has no effect, so a program could set it \
        on every socket. SO_PASSCRED is an example: Linux 6.12 accepts it on TCP and UDP, 6.18 says EOPNOTSUPP. A \
        request for a large buffer was cut at net.core.rmem_max, 208 KiB for many years; the limit is 4 MiB now, so a \
        program that asks for \"as much as there is\" gets twenty times as much. And 7.2 has no UDP-Lite. So set an \
        option only where it has an effect, continue if an optional one fails, and read back each value that the program \
        depends on.",
    elsewhere: "All of this is Linux's own.",
    sources: &[
        "unix(7), SO_PASSCRED",
        "socket(7), SO_RCVBUF and rmem_max",
        "udplite(7)",
        "Linux 6.18, net/core/sock.c: sk_setsockopt",
    ],
    related: &["sockbuf-doubling", "fd-vanishes", "udp-drops-silently"],
    words: &["SO_PASSCRED", "SO_RCVBUF", "IPPROTO_UDPLITE", "EOPNOTSUPP", "EPROTONOSUPPORT"],
    minutes: 3,
    predictions: &[&TCP, &UNIX, &TOLD, &BUFFER, &LITE],
    spoiled_by: "setsockopt:EPERM@2",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

/// 6.12: success. 6.18, 7.2: EOPNOTSUPP.
const TCP: Prediction = Prediction {
    asks: "SO_PASSCRED is set on a TCP socket, for which it means nothing. What does setsockopt give?",
    choices: &["success", "EOPNOTSUPP", "ENOPROTOOPT"],
    expect: Expect::on_linux(Expected::OneOf(&["EOPNOTSUPP", "success"])),
};

const UNIX: Prediction = Prediction {
    asks: "And on a Unix-domain socket?",
    choices: &["success", "EOPNOTSUPP", "EPERM"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const TOLD: Prediction = Prediction {
    asks: "How many control messages come with a byte there?",
    choices: &["0", "1", "2"],
    expect: Expect::on_linux(Expected::Is("1")),
};

/// 5.10 to 6.12: 425,984, twice the limit. 6.18, 7.2: 2,000,000.
const BUFFER: Prediction = Prediction {
    asks: "SO_RCVBUF is set to 1,000,000. What is read back, measured by the wish?",
    choices: &["the wish", "twice the wish", "less than the wish"],
    expect: Expect::on_linux(Expected::OneOf(&["twice the wish", "less than the wish"])),
};

/// 6.18: a socket. 7.2: EPROTONOSUPPORT.
const LITE: Prediction = Prediction {
    asks: "What does socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE) give?",
    choices: &["a descriptor", "EPROTONOSUPPORT", "EINVAL"],
    expect: Expect::on_linux(Expected::OneOf(&["EPROTONOSUPPORT", "a descriptor"])),
};

/// IPPROTO_UDPLITE, on every system that has it.
const UDP_LITE: Protocol = Protocol::from_bits(136);

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The broken way: an option on every socket, and its error taken for a failure");
    let tcp = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&TCP);
    lab.observe(pass_credentials(&tcp));

    lab.part("The right way: set the option where it has an effect");
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.predict(&UNIX);
    lab.observe(pass_credentials(&ours));
    send(&theirs, b"x", MSG_NOSIGNAL)?;
    lab.predict(&TOLD);
    let received = recvmsg(&ours, &mut [&mut [0; 8]], 4, MSG_DONTWAIT);
    lab.observe(received.map(|received| received.control.len()));

    lab.part("A large wish");
    let limit = joined(spawn(|| fs::read_to_string("/proc/sys/net/core/rmem_max")));
    if let Ok(limit) = limit {
        lab.say(format_args!("The limit, net.core.rmem_max, is {} here.", limit.trim()));
    }
    setsockopt(&tcp, SOL_SOCKET, SO_RCVBUF, &WISH)?;
    lab.predict(&BUFFER);
    let got = getsockopt(&tcp, SOL_SOCKET, SO_RCVBUF);
    lab.observe(got.map(measured));
    got.map(|got| lab.say(format_args!("In bytes: {got}."))).ok();

    lab.part("A protocol");
    lab.predict(&LITE);
    let lite = socket(AF_INET, SOCK_DGRAM, UDP_LITE);
    lab.observe(lite.map(|_| "a descriptor"));
    Ok(())
}

const WISH: i32 = 1_000_000;

fn measured(got: i32) -> &'static str {
    match got {
        WISH => "the wish",
        _ if got == 2 * WISH => "twice the wish",
        _ if got < WISH => "less than the wish",
        _ => "another",
    }
}
