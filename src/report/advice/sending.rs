//! A short write whose remaining bytes are forgotten.

use super::subject;
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Departure, Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const SHORT_SEND_DROPPED: Advice = Advice {
    name: "short-send-dropped",
    gist: "the rest of a short write was never sent",
    means: "send returns how many bytes the kernel took. The caller must send the rest again; here it did not, and the \
        peer gets a truncated message.",
    shown_by: "A send on a stream returns fewer bytes than it was given. The descriptor is closed, or its sending half shut \
        down, before that many bytes more were sent, and no wait asked for room in between.",
    remedy: "Keep the rest in a buffer of that connection, ask select or poll for writability while the buffer is not \
        empty, and continue where the last send stopped.",
    lab: "partial-send",
    exercise: "Run `baresock serve echo --trace --inject send:short=5` and follow the rest of a message through the trace.",
    cares_for: &[
        DidKind::Sent,
        DidKind::Received,
        DidKind::Waited,
        DidKind::Finished,
        DidKind::Gone,
        DidKind::Other,
    ],
    watch,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct SendingMemory {
    /// The short send.
    short: Option<SeenCall>,
    /// How many of its bytes were not sent yet.
    owed: u64,
    /// Whether the program has shown that it knows: it asked for writability, or tried again.
    is_known: bool,
    /// Whether epoll was asked for writability of this socket.
    is_watched: bool,
}

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    match now.did {
        Did::Waited(wait) if world.process(now.process).seen.owing > 0 => {
            let owing: Vec<_> = world.sockets_of(now.process).collect();
            for (fd, id) in owing {
                if wait.asks_to_write(fd) {
                    world.socket_mut(id).seen.sending.is_known = true;
                }
            }
        }
        Did::Registered(registration) if registration.is_for_writing => {
            if let Some(id) = world.socket_of(now.process, registration.fd) {
                let seen = &mut world.socket_mut(id).seen.sending;
                (seen.is_watched, seen.is_known) = (true, true);
            }
        }
        Did::Sent(moved) => sent(now, world, moved.asked),
        Did::Received(_) => {
            let Some(id) = now.socket else { return };
            let seen = &mut world.socket_mut(id).seen.sending;
            // The peer has closed its half, or is gone: perhaps the rest is no longer wanted.
            if seen.owed > 0 && (now.count() == Some(0) || now.event.errno().is_some_and(is_fatal))
            {
                seen.is_known = true;
            }
        }
        Did::Finished { sending: true, .. } | Did::Gone(Departure::Closed | Departure::Exit) => {
            judge(now, world, found);
        }
        _ => {}
    }
}

const fn is_fatal(errno: Errno) -> bool {
    !matches!(errno, Errno::EAGAIN | Errno::EINTR)
}

fn sent(now: &Moment<'_>, world: &mut World, asked: Option<u64>) {
    let (Some(id), Some(asked)) = (now.socket, asked) else { return };
    let socket = world.socket_mut(id);
    if socket.making.is_datagram {
        return;
    }
    let seen = &mut socket.seen.sending;
    let owed = seen.owed;
    match now.count() {
        Some(took) if took < asked => {
            seen.owed = owed.saturating_sub(took).max(asked - took);
            seen.is_known = seen.is_watched;
            seen.short = Some(now.quote());
        }
        Some(took) => seen.owed = owed.saturating_sub(took),
        None if now.failed(Errno::EAGAIN) => seen.is_known |= owed > 0,
        None => seen.is_known |= now.event.errno().is_some_and(is_fatal),
    }
    let (before, after) = (owed > 0, seen.owed > 0);
    let owing = &mut world.process_mut(now.process).seen.owing;
    *owing = (*owing + u32::from(after && !before)).saturating_sub(u32::from(before && !after));
}

fn judge(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let seen = &mut world.socket_mut(id).seen.sending;
    let owed = std::mem::take(&mut seen.owed);
    let is_known = seen.is_known;
    let Some(short) = seen.short.take().filter(|_| owed > 0) else { return };
    let owing = &mut world.process_mut(now.process).seen.owing;
    *owing = owing.saturating_sub(1);
    if is_known {
        return;
    }
    let says = || format!("{owed} bytes of a short write were never sent");
    let evidence = [(&short, "it took fewer bytes than given"), (&now.quote(), "the rest is lost")];
    found.add(&SHORT_SEND_DROPPED, Certainty::Certain, subject(now, world), says, &evidence);
}
