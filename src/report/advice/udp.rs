//! Datagrams: truncated silently, refused silently.

use super::subject_of;
use crate::addr::Address;
use crate::names::{MSG_PEEK, MSG_TRUNC};
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const UDP_TRUNCATED: Advice = Advice {
    name: "udp-truncated",
    gist: "a datagram was truncated, and the rest is lost",
    means: "A receive takes one datagram. The kernel discards the bytes that do not fit into the buffer, and recv does \
        not report it: it returns the length of the buffer.",
    shown_by: "recvmsg returns MSG_TRUNC; or a recv on a datagram socket fills its buffer to the last byte, and most others on \
        it are shorter, or the log shows that a longer one was sent to it.",
    remedy: "Pass recv a buffer for the longest datagram that the protocol allows (65,507 bytes fit all), or use \
        recvmsg and check MSG_TRUNC.",
    lab: "datagram-truncation",
    exercise: "Send it a datagram that is one byte longer than its buffer: it must notice.",
    cares_for: &[DidKind::Sent, DidKind::Received, DidKind::OptionAsked, DidKind::Gone],
    watch: watch_cut,
};

pub(super) const UDP_REFUSED_UNSEEN: Advice = Advice {
    name: "udp-refused-unseen",
    gist: "no answer, and no way to learn of a refusal",
    means: "If no socket has the port, the other machine reports it (ICMP port unreachable), but the kernel can pass \
        the error only to a connected UDP socket. A program that uses only sendto waits for an answer that cannot \
        arrive.",
    shown_by: "sendto on an unconnected UDP socket, nothing is ever received on it, and a wait for it timed out or did \
        not end.",
    remedy: "connect the UDP socket to the peer: then send and recv give ECONNREFUSED. Or, on Linux, set \
        IP_RECVERR, and repeat a send that fails with ECONNREFUSED: the error belongs to an earlier datagram.",
    lab: "udp-refused-later",
    exercise: "End the server, and send: the program must notice before its user does.",
    cares_for: &[
        DidKind::Sent,
        DidKind::Received,
        DidKind::Waited,
        DidKind::Connected,
        DidKind::Gone,
        DidKind::OptionSet,
    ],
    watch: watch_refused,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct UdpMemory {
    /// The number of receives.
    all: u64,
    /// The present length of the receive buffer, how many datagrams filled it, and how many did not.
    room: u64,
    full: u64,
    shorter: u64,
    /// The first datagram that filled its buffer, and whether others were shorter.
    first: Option<(SeenCall, bool)>,
    is_measured: bool,
    was_told: bool,
    /// The first send to a peer, if nothing was received since.
    unanswered: Option<SeenCall>,
    waited: bool,
    is_told_of_errors: bool,
}

/// What this advice remembers beyond processes.
#[derive(Debug, Default)]
pub(in crate::report) struct UdpOfWorld {
    /// The ports that datagrams were sent to, and their lengths, the latest last.
    sent: Vec<(u16, u64)>,
}

const MOST: usize = 64;
/// Every datagram that is not meant to be long fits into this many bytes.
const ROOMY: u64 = 2_048;

fn watch_cut(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket.filter(|id| world.socket(*id).making.is_datagram) else { return };
    match now.did {
        Did::Sent(moved) => {
            let to = moved.to.or(world.socket(id).file.peer.as_ref());
            if let (Some(port), Some(count)) = (to.and_then(Address::port), now.count()) {
                let sent = &mut world.seen.udp.sent;
                if sent.len() >= MOST {
                    sent.remove(0);
                }
                sent.push((port, count));
            }
        }
        Did::OptionAsked(..) => world.socket_mut(id).seen.udp.is_measured = true,
        Did::Received(moved) => {
            let (Some(count), Some(asked)) = (now.count(), moved.asked) else { return };
            if moved.flags.contains(MSG_PEEK) {
                world.socket_mut(id).seen.udp.is_measured = true;
                return;
            }
            let is_cut = moved.is_cut || (moved.flags.contains(MSG_TRUNC) && count > asked);
            received(now, world, found, (count, asked), is_cut);
        }
        Did::Gone(_) => judge(now, world, found),
        _ => {}
    }
}

fn received(
    now: &Moment<'_>,
    world: &mut World,
    found: &mut Findings,
    (count, asked): (u64, u64),
    is_cut: bool,
) {
    let Some(id) = now.socket else { return };
    let port = world.socket(id).file.local.as_ref().and_then(Address::port);
    let sent = &mut world.seen.udp.sent;
    // A datagram that is known to have been sent here: this one, or a longer one.
    let known = sent.iter().position(|(to, len)| Some(*to) == port && *len >= count);
    let known = known.map(|at| sent.remove(at).1);
    let subject = subject_of(world, id);
    let seen = &mut world.socket_mut(id).seen.udp;
    seen.all += 1;
    if seen.room != asked {
        (seen.room, seen.full, seen.shorter) = (asked, 0, 0);
    }
    seen.shorter += u64::from(count < asked);
    if let Some((_, differ)) = seen.first.as_mut().filter(|_| seen.full > 0) {
        *differ |= seen.shorter > seen.full;
    }
    if (count < asked || seen.is_measured) && !is_cut {
        return;
    }
    let is_longer = known.is_some_and(|len| len > count);
    if (is_cut || is_longer) && !seen.was_told {
        seen.was_told = true;
        let says = || match known {
            Some(len) => {
                format!("{} of {len} bytes of a datagram are lost", len.saturating_sub(asked))
            }
            None => format!("a datagram was longer than {asked} bytes; the rest is lost"),
        };
        let evidence = [(&now.quote(), "the buffer is full, and the datagram was longer")];
        found.add(&UDP_TRUNCATED, Certainty::Certain, subject, says, &evidence);
    }
    if known.is_none() && asked < ROOMY {
        seen.full += 1;
        seen.first.get_or_insert_with(|| (now.quote(), seen.shorter > 1));
    }
}

/// At the end of a socket: were all datagrams as long as the buffer, by agreement, or some by chance?
fn judge(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let subject = subject_of(world, id);
    let seen = &mut world.socket_mut(id).seen.udp;
    let Some((first, differ)) = seen.first.take() else { return };
    if seen.was_told || !differ {
        return;
    }
    let says = || {
        "a datagram filled the buffer to the last byte; if it was longer, the rest is lost"
            .to_string()
    };
    let evidence = [(&first, "the buffer is full")];
    found.add(&UDP_TRUNCATED, Certainty::Perhaps, subject, says, &evidence);
}

fn watch_refused(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    if let Did::Waited(wait) = now.did {
        if world.process(now.process).seen.unanswered > 0
            && (now.count() == Some(0) || now.is_unfinished())
        {
            let sockets: Vec<_> = world.sockets_of(now.process).collect();
            for (fd, id) in sockets {
                if world.socket(id).seen.udp.unanswered.is_some() && wait.asks_for(fd) {
                    world.socket_mut(id).seen.udp.waited = true;
                }
            }
        }
        return;
    }
    let Some(id) = now.socket.filter(|id| world.socket(*id).making.is_datagram) else { return };
    let subject = subject_of(world, id);
    let socket = world.socket_mut(id);
    let is_connected = socket.file.peer.is_some();
    let had = socket.seen.udp.unanswered.is_some();
    let seen = &mut socket.seen.udp;
    match now.did {
        Did::Sent(moved) if !is_connected && seen.receives_nothing() => {
            let is_to_one = moved.to.is_some_and(is_one);
            if is_to_one && now.count().is_some() && seen.unanswered.is_none() {
                seen.unanswered = Some(now.quote());
            }
        }
        Did::Received(_) if now.count().is_some() => {
            seen.unanswered = None;
            seen.all = seen.all.max(1);
        }
        Did::Received(_) if seen.unanswered.is_some() => {
            seen.waited |= now.is_unfinished() || now.took_us().is_some_and(|us| us > 1_000);
        }
        Did::OptionSet(..) => seen.is_told_of_errors |= asks_for_errors(now),
        Did::Connected(_) => seen.unanswered = None,
        Did::Gone(_) => {
            let Some(sent) = seen.unanswered.take() else { return };
            if seen.waited && !seen.is_told_of_errors {
                let says = || {
                    "no answer arrived, and this socket could not have learnt of a refusal"
                        .to_string()
                };
                let evidence =
                    [(&sent, "the socket is not connected"), (&now.quote(), "nothing ever came")];
                found.add(&UDP_REFUSED_UNSEEN, Certainty::Perhaps, subject, says, &evidence);
            }
        }
        _ => {}
    }
    let has = world.socket(id).seen.udp.unanswered.is_some();
    let unanswered = &mut world.process_mut(now.process).seen.unanswered;
    *unanswered = (*unanswered + u32::from(has && !had)).saturating_sub(u32::from(had && !has));
}

impl UdpMemory {
    const fn receives_nothing(&self) -> bool {
        self.all == 0
    }
}

/// Whether an address belongs to one machine, instead of many.
fn is_one(to: &Address) -> bool {
    match to {
        Address::V4(to) => {
            !to.ip().is_multicast() && !to.ip().is_broadcast() && to.ip().octets()[3] != 255
        }
        Address::V6(to) => !to.ip().is_multicast(),
        _ => false,
    }
}

/// `IP_RECVERR` and `IPV6_RECVERR`, by their names, which this system may not have.
fn asks_for_errors(now: &Moment<'_>) -> bool {
    let Did::OptionSet(level, option, _) = now.did else { return false };
    crate::names::option_name(*level, *option).is_some_and(|name| name.ends_with("_RECVERR"))
}
