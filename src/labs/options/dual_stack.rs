//! Do I need two listeners, one for IPv4 and one for IPv6?
//!
//! It depends on IPV6_V6ONLY. Without it, a listener at `::` accepts IPv4 clients as well, with addresses like
//! ::ffff:127.0.0.1, and occupies the port for both families. With it, each family has its own port.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::addr::Address;
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{client_of, loopback};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "dual-stack",
    claim: "One IPv6 listener can serve IPv4 too: IPV6_V6ONLY decides, before bind.",
    question: "Do I need two listeners, one for IPv4 and one for IPv6?",
    explanation: "With IPV6_V6ONLY 0 a socket at :: accepts clients of both families. An IPv4 peer then has an address \
        that begins with ::ffff: (an IPv4-mapped address), which a list of allowed addresses must take into account. \
        With 1 the socket accepts IPv6 only, and the same port at 0.0.0.0 is free for a second listener. The default \
        is a setting of the system: set the option yourself, before bind.",
    elsewhere: "On OpenBSD every IPv6 socket is V6ONLY, and the option cannot be turned off: two listeners are needed. FreeBSD \
        and NetBSD have 1 as the default, Linux and macOS 0.",
    sources: &[
        "ipv6(7), IPV6_V6ONLY",
        "RFC 3493, 5.3",
        "RFC 3493, 3.7 (IPv4-mapped addresses)",
        "gVisor: DualStackV6AnyReservesEverything",
    ],
    related: &["wildcard-vs-loopback", "sockaddr-layout", "gai-fans-out"],
    words: &["IPV6_V6ONLY", "AF_INET6", "EADDRINUSE"],
    minutes: 3,
    predictions: &[&MAPPED, &TAKEN, &TOO_LATE, &BESIDE, &REFUSED],
    spoiled_by: "bind:EACCES@2",
    run,
    ..Lab::ORDINARY
};

const MAPPED: Prediction = Prediction {
    asks: "A client connects to 127.0.0.1. Which peer address does accept on the IPv6 listener return?",
    choices: &["127.0.0.1", "::1", "::ffff:127.0.0.1"],
    expect: Expect::on_linux(Expected::Is("::ffff:127.0.0.1")),
};

const TAKEN: Prediction = Prediction {
    asks: "What does bind to the same port at 0.0.0.0 give?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::on_linux(Expected::Is("EADDRINUSE")),
};

const TOO_LATE: Prediction = Prediction {
    asks: "The socket is already bound. What does setting IPV6_V6ONLY give now?",
    choices: &["success", "EINVAL", "EISCONN"],
    expect: Expect::on_linux(Expected::Is("EINVAL")),
};

const BESIDE: Prediction = Prediction {
    asks: "0.0.0.0 has a port. What does bind of an IPv6 socket with IPV6_V6ONLY 1 to the same port at :: give?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const REFUSED: Prediction = Prediction {
    asks: "Only the IPv6 socket listens. What does connect give an IPv4 client?",
    choices: &["success", "ECONNREFUSED"],
    expect: Expect::on_linux(Expected::Is("ECONNREFUSED")),
};

const ANY_V4: Address = Address::v4(Ipv4Addr::UNSPECIFIED, 0);
const ANY_V6: Address = Address::v6(Ipv6Addr::UNSPECIFIED, 0);

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("IPV6_V6ONLY 0: one for both");
    let l = ipv6_socket()?;
    setsockopt(&l, SOL_IPV6, IPV6_V6ONLY, &0).map_err(|errno| {
        Stop::skipped(format_args!("on this system the families are always separate: {errno}"))
    })?;
    bind(&l, &ANY_V6)?;
    listen(&l, 5)?;
    let port = getsockname(&l)?.port().unwrap_or(0);
    let _c = client_of(&loopback(port))?;
    lab.predict(&MAPPED);
    let (_a, peer) = accept(&l)?;
    lab.observe(ip_of(&peer));
    let v4 = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&TAKEN);
    lab.observe(bind(&v4, &ANY_V4.with_port(port)));
    lab.predict(&TOO_LATE);
    lab.observe(setsockopt(&l, SOL_IPV6, IPV6_V6ONLY, &1));

    lab.part("IPV6_V6ONLY 1: one for each");
    let v4 = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&v4, &ANY_V4)?;
    let port = getsockname(&v4)?.port().unwrap_or(0);
    let v6 = ipv6_socket()?;
    setsockopt(&v6, SOL_IPV6, IPV6_V6ONLY, &1)?;
    lab.predict(&BESIDE);
    lab.observe(bind(&v6, &ANY_V6.with_port(port)));
    listen(&v6, 5)?;
    // A socket that is bound and does not listen would swallow the client's SYN on NetBSD, OpenBSD and macOS.
    close(v4)?;
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&REFUSED);
    lab.observe(connect(&c, &loopback(port)));
    Ok(())
}

/// An IPv6 socket, where there is IPv6.
fn ipv6_socket() -> std::result::Result<Fd, Stop> {
    socket(AF_INET6, SOCK_STREAM, Protocol::default()).map_err(|errno| match errno {
        Errno::EAFNOSUPPORT => Stop::skipped("there is no IPv6 here: EAFNOSUPPORT"),
        other => other.into(),
    })
}

/// The address without its port, which is another one each time.
fn ip_of(peer: &Address) -> String {
    match peer {
        Address::V4(v4) => v4.ip().to_string(),
        Address::V6(v6) => v6.ip().to_string(),
        other => other.to_string(),
    }
}
