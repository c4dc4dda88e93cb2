//! A port or an address in the machine's byte order.

use super::subject;
use crate::addr::Address;
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::Moment;
use crate::report::world::World;

pub(super) const FORGOT_HTONS: Advice = Advice {
    name: "forgot-htons",
    gist: "a port or an address with its bytes swapped",
    means: "The kernel reads sin_port and sin_addr in network byte order, most significant byte first. 8080 stored in \
        little-endian order is port 36895, and INADDR_LOOPBACK is 1.0.0.127.",
    shown_by: "bind or connect gets 127.0.0.1 with its bytes reversed, or a well-known port with its two bytes swapped.",
    remedy: "Write htons(port) and htonl(INADDR_LOOPBACK); inet_pton produces the right order by itself.",
    lab: "forgot-htons",
    exercise: "`baresock host` shows what 7007 is in memory before and after htons.",
    cares_for: &[DidKind::Bound, DidKind::Connected],
    watch,
};

/// Ports that people choose, but not with their bytes swapped.
const WELL_KNOWN: &[u16] = &[
    21, 22, 23, 25, 53, 80, 110, 143, 443, 587, 993, 1234, 1883, 3000, 3306, 3490, 4000, 4242,
    4950, 5000, 5001, 5432, 5555, 5672, 6379, 6667, 7000, 7007, 7777, 8000, 8001, 8080, 8081, 8443,
    8888, 9000, 9001, 9034, 9090, 9999, 10000, 12345, 27017,
];

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let to = match now.did {
        Did::Bound(Some(to)) => to,
        // A connection was made, so the address was right.
        Did::Connected(Some(to)) if now.count().is_none() => to,
        _ => return,
    };
    let is_bound = matches!(now.did, Did::Bound(_));
    let Address::V4(address) = to else {
        return check_port(now, world, found, to.port(), is_bound);
    };
    let octets = address.ip().octets();
    let [first, second, third, last] = octets;
    let is_backwards = last == 127 && (first, second, third) == (1, 0, 0);
    let could_be = (third, last) == (168, 192) || last == 10 && first != 10;
    let unreachable = [Errno::EADDRNOTAVAIL, Errno::ENETUNREACH, Errno::EHOSTUNREACH];
    let failed = now.event.errno().is_some_and(|errno| unreachable.contains(&errno));
    if !(is_backwards || could_be && failed && is_bound) {
        return check_port(now, world, found, to.port(), is_bound);
    }
    let certainty = if is_backwards { Certainty::Certain } else { Certainty::Perhaps };
    let says = || {
        let meant = std::net::Ipv4Addr::new(last, third, second, first);
        let port = address.port();
        let swapped = port.swap_bytes();
        match WELL_KNOWN.contains(&swapped) {
            true => format!("{}:{port} is {meant}:{swapped} with its bytes swapped", address.ip()),
            false => format!("{} is {meant} with its bytes swapped", address.ip()),
        }
    };
    let evidence = [(&now.quote(), "the bytes are in the wrong order")];
    found.add(&FORGOT_HTONS, certainty, subject(now, world), says, &evidence);
}

fn check_port(
    now: &Moment<'_>,
    world: &mut World,
    found: &mut Findings,
    port: Option<u16>,
    is_bound: bool,
) {
    let Some(port) = port else { return };
    let meant = port.swap_bytes();
    if port == meant || WELL_KNOWN.contains(&port) || !WELL_KNOWN.contains(&meant) {
        return;
    }
    let certainty = if is_bound { Certainty::Likely } else { Certainty::Perhaps };
    let says = || format!("port {port} is {meant} with its bytes swapped");
    let evidence = [(&now.quote(), "an odd port, unless its bytes are swapped")];
    found.add(&FORGOT_HTONS, certainty, subject(now, world), says, &evidence);
}
