//! Names: only the first address tried, and a lookup within the event loop.

use std::net::IpAddr;

use super::subject;
use crate::addr::Address;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind, ProcessEnding};
use crate::report::findings::{Certainty, Findings, Subject};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::{SocketRole, World};

pub(super) const GETADDRINFO_FIRST_ONLY: Advice = Advice {
    name: "getaddrinfo-first-only",
    gist: "only the first of several addresses was tried",
    means: "getaddrinfo gives a list: ::1 and 127.0.0.1 for localhost, IPv6 and IPv4 for most hosts. A server may \
        listen on only one of them; a client that tries only the first believes that the server is down.",
    shown_by: "A name has two or more addresses (glibc sorts them with a UDP socket that it connects to each); connect \
        to one of them fails, and the process ends without trying the others.",
    remedy: "Walk through the list: socket and connect for each entry, until one succeeds.",
    lab: "gai-fans-out",
    exercise: "Let the server listen on 127.0.0.1 alone, and connect to a name that leads to ::1 first, as localhost \
        often does.",
    cares_for: &[DidKind::LookedUp, DidKind::Connected, DidKind::OptionAsked, DidKind::Ended],
    watch: watch_first,
};

pub(super) const DNS_IN_LOOP: Advice = Advice {
    name: "dns-in-loop",
    gist: "the loop looks up names, and all clients wait",
    means: "getaddrinfo and getnameinfo read files and ask servers, which may take seconds. While they wait, the loop \
        serves no client.",
    shown_by: "Between two waits of a thread that has clients, the same thread looks up a name: it connects to port 53 or to \
        nscd, or opens /etc/hosts or /etc/resolv.conf.",
    remedy: "Show addresses as numbers (NI_NUMERICHOST). Look up names before the loop, or in a separate thread or process.",
    lab: "wildcard-vs-loopback",
    exercise: "Run the program under `strace -f -e trace=openat`, and count for ten requests how often it opens \
        /etc/resolv.conf.",
    cares_for: &[DidKind::LookedUp, DidKind::Connected, DidKind::Waited],
    watch: watch_loop,
};

/// What this advice remembers about a process.
#[derive(Debug, Default)]
pub(in crate::report) struct ResolvingOfProcess {
    /// The addresses of the last lookup, and where they were seen.
    found: Vec<Address>,
    seen: Option<SeenCall>,
    /// Whether a stream was connected since.
    is_used: bool,
    tried: Vec<IpAddr>,
    failed: Option<SeenCall>,
    succeeded: bool,
}

/// What this advice remembers about a thread.
#[derive(Debug, Default)]
pub(in crate::report) struct ResolvingOfCaller {
    looked_up: Option<(SeenCall, bool)>,
    waits: u64,
    was_told: bool,
}

fn ip(address: &Address) -> Option<IpAddr> {
    match address {
        Address::V4(address) => Some(IpAddr::V4(*address.ip())),
        Address::V6(address) => Some(address.ip().to_canonical()),
        _ => None,
    }
}

const MOST: usize = 16;

fn watch_first(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let is_datagram = now.socket.is_some_and(|id| world.socket(id).making.is_datagram);
    let subject = subject(now, world);
    let seen = &mut world.process_mut(now.process).seen.resolving;
    match now.did {
        Did::LookedUp(list) if !list.is_empty() => {
            let found = list.iter().map(|(_, address)| address.clone());
            *seen = ResolvingOfProcess {
                found: found.collect(),
                seen: Some(now.quote()),
                ..ResolvingOfProcess::default()
            };
        }
        // A lookup of glibc: it connects the socket to each address, and sends nothing.
        Did::Connected(Some(to)) if is_datagram && to.port().is_some_and(|port| port != 53) => {
            if seen.is_used || seen.found.len() >= MOST {
                *seen = ResolvingOfProcess::default();
            }
            seen.found.push((*to).clone());
            seen.seen = Some(now.quote());
        }
        Did::Connected(Some(to)) if !is_datagram => {
            let port = to.port();
            let Some(address) = ip(to).filter(|_| seen.found.iter().any(|one| one.port() == port))
            else {
                return;
            };
            seen.is_used = true;
            seen.tried.push(address);
            match now.event.errno() {
                None => seen.succeeded = true,
                Some(errno) if crate::report::following::ends_a_connection(errno) => {
                    seen.failed = Some(now.quote());
                }
                // The connect is in progress: its result is not seen here.
                Some(_) => seen.succeeded = true,
            }
        }
        Did::Ended(ProcessEnding::Exited(_)) => judge(now, seen, found, subject),
        _ => {}
    }
}

fn judge(now: &Moment<'_>, seen: &mut ResolvingOfProcess, found: &mut Findings, subject: Subject) {
    let ResolvingOfProcess { found: list, seen: list_seen, tried, failed, succeeded, .. } =
        std::mem::take(seen);
    let (Some(list_seen), Some(failed)) = (list_seen, failed) else { return };
    let untried = list.iter().find(|one| ip(one).is_some_and(|one| !tried.contains(&one)));
    let Some(untried) = untried.filter(|_| !succeeded) else { return };
    let says = || format!("{untried} was never tried");
    let evidence = [
        (&list_seen, "more than one address is found"),
        (&failed, "one of them fails"),
        (&now.quote(), "and the program ends"),
    ];
    found.add(&GETADDRINFO_FIRST_ONLY, Certainty::Certain, subject, says, &evidence);
}

fn watch_loop(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let subject = subject(now, world);
    if let Did::Waited(_) = now.did {
        let Some(caller) = world.caller_mut() else { return };
        let seen = &mut caller.seen.resolving;
        seen.waits += 1;
        let Some((mark, asks_server)) = seen.looked_up.take().filter(|_| !seen.was_told) else {
            return;
        };
        seen.was_told = true;
        let certainty = if asks_server { Certainty::Certain } else { Certainty::Likely };
        let says = || {
            "a name was looked up between two waits of the loop, while clients were open"
                .to_string()
        };
        let evidence = [(&mark, "a name is looked up"), (&now.quote(), "and the loop goes on")];
        found.add(&DNS_IN_LOOP, certainty, subject, says, &evidence);
        return;
    }
    let is_search = match now.did {
        Did::LookedUp(list) => Some(!list.is_empty()),
        Did::Opened(Some("/etc/hosts" | "/etc/resolv.conf")) => Some(false),
        Did::Connected(Some(to)) if to.port() == Some(53) => Some(true),
        Did::Connected(Some(Address::Unix(name))) => {
            let is_nscd =
                matches!(name, crate::addr::UnixName::Path(path) if path.ends_with("nscd/socket"));
            is_nscd.then_some(false)
        }
        _ => None,
    };
    let Some(asks_server) = is_search else { return };
    let has_clients =
        world.sockets_of(now.process).any(|(_, id)| world.socket(id).role == SocketRole::Accepted);
    let Some(caller) = world.caller_mut() else { return };
    let seen = &mut caller.seen.resolving;
    if has_clients && seen.waits > 0 && !seen.was_told {
        let was = seen.looked_up.take();
        let (mark, before) = was.unwrap_or_else(|| (now.quote(), false));
        seen.looked_up = Some((mark, before || asks_server));
    }
}
