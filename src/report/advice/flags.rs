//! O_NONBLOCK, cleared by accident.

use super::subject;
use crate::names::{O_NONBLOCK, O_RDWR, O_WRONLY, OpenFlags};
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const NONBLOCKING_FLAG_LOST: Advice = Advice {
    name: "nonblocking-flag-lost",
    gist: "F_SETFL cleared O_NONBLOCK",
    means: "F_SETFL sets all status flags at once, and clears those that are not named. A socket that was non-blocking \
        blocks again, and with it the whole loop.",
    shown_by: "fcntl(F_SETFL) without O_NONBLOCK on a descriptor that had it, and no F_GETFL on it before.",
    remedy: "Read the flags with F_GETFL, add yours with |, and set the result.",
    lab: "nonblock-is-shared",
    exercise: "Print fcntl(fd, F_GETFL) & O_NONBLOCK before and after the call that sets the other flag.",
    cares_for: &[DidKind::FlagsAsked, DidKind::FlagsSet, DidKind::Accepted, DidKind::Made],
    watch,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct FlagsMemory {
    was_asked: bool,
    set: Option<SeenCall>,
}

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    if let Some(made) = now.made {
        let socket = world.socket_mut(made);
        if socket.file.nonblocking == Some(true) {
            socket.seen.flags.set = Some(now.mark());
        }
        return;
    }
    let Some(id) = now.socket else { return };
    let subject = subject(now, world);
    let socket = world.socket_mut(id);
    let was_nonblocking = socket.file.nonblocking == Some(true);
    let seen = &mut socket.seen.flags;
    let Did::FlagsSet(flags) = now.did else {
        seen.was_asked = true;
        return;
    };
    let was_asked = std::mem::take(&mut seen.was_asked);
    if flags.contains(O_NONBLOCK) {
        seen.set = Some(now.quote());
        return;
    }
    let Some(set) = seen.set.take().filter(|_| was_nonblocking && !was_asked) else { return };
    let names_others = flags.without(O_RDWR | O_WRONLY) != OpenFlags::NONE;
    let certainty = if names_others { Certainty::Certain } else { Certainty::Perhaps };
    let says = || "O_NONBLOCK was set, and a later F_SETFL cleared it".to_string();
    let evidence = [(&set, "non-blocking"), (&now.quote(), "and blocking again")];
    found.add(&NONBLOCKING_FLAG_LOST, certainty, subject, says, &evidence);
}
