//! The arguments of select: sets that must be filled again, numbers that must fit.

use super::subject;
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings, Subject};
use crate::report::moment::{Moment, SeenCall};
use crate::report::wait::Wait;
use crate::report::world::{Held, World};
use crate::values::FdNumber;

pub(super) const SETS_NOT_REBUILT: Advice = Advice {
    name: "sets-not-rebuilt",
    gist: "select gets the sets that it has overwritten",
    means: "The sets are question and answer in one: select leaves only the ready descriptors in them. Passed again \
        unchanged, they ask for fewer descriptors each time, and the others are never served.",
    shown_by: "Twice in a row a select asks for exactly the descriptors that the one before has left in its sets, and \
        a descriptor that is missing now is still open; or it asks for nothing at all after a timeout.",
    remedy: "Keep the descriptors elsewhere and fill the sets before each call, or copy them (fd_set ready = all).",
    lab: "select-eats-its-sets",
    exercise: "Run it as `baresock watch --bits -- COMMAND`, which draws the sets before and after each select, and \
        see which bits are lost.",
    cares_for: &[DidKind::Waited],
    watch: watch_sets,
};

pub(super) const CLOSED_DESCRIPTOR_IN_SET: Advice = Advice {
    name: "closed-descriptor-in-set",
    gist: "a wait asks about a closed descriptor",
    means: "One closed descriptor makes the whole select fail with EBADF, without an answer for the others. poll marks \
        the row with POLLNVAL and answers the rest. If the kernel reuses the number, the wait watches another \
        connection.",
    shown_by: "select fails with EBADF, or poll reports POLLNVAL for a descriptor that was closed before.",
    remedy: "Take a descriptor out of the set or the rows at the place where you close it.",
    lab: "bad-fd-poisons-select",
    exercise: "Connect three clients, let one of them leave, and run all of this under `baresock watch --bits -- \
        COMMAND`: the next select must not have the closed descriptor in its sets.",
    cares_for: &[DidKind::Waited, DidKind::Ready],
    watch: watch_closed,
};

pub(super) const BEYOND_FD_SETSIZE: Advice = Advice {
    name: "beyond-fd-setsize",
    gist: "select with a descriptor beyond FD_SETSIZE",
    means: "An fd_set has FD_SETSIZE bits, 1,024 on most systems. FD_SET of a larger number writes past the set into \
        other memory, and select reads and writes there too.",
    shown_by: "A select has a first argument above 1,024.",
    remedy: "Use poll, which has no such limit; or refuse descriptors from FD_SETSIZE on, and close them.",
    lab: "fdsetsize-overflow",
    exercise: "Start the server after `ulimit -n 2000`, connect 1,100 clients that say nothing, and then one that \
        does: it must be answered, or refused.",
    cares_for: &[DidKind::Waited],
    watch: watch_beyond,
};

pub(super) const NFDS_TOO_SMALL: Advice = Advice {
    name: "nfds-too-small",
    gist: "select ignores the highest descriptor",
    means: "select checks the descriptors below its first argument (nfds). If nfds is the highest descriptor itself, \
        that descriptor is not watched, and the program waits for it in vain.",
    shown_by: "Two selects have as their first argument the number of an open socket that no wait has ever reported as \
        ready, and no set has the descriptor just below.",
    remedy: "Pass the highest descriptor of all three sets plus one.",
    lab: "nfds-and-count",
    exercise: "Run it as `baresock watch --bits -- COMMAND`, connect five clients, and compare the first argument \
        of each select with the highest member of its sets.",
    cares_for: &[DidKind::Waited, DidKind::Ready],
    watch: watch_nfds,
};

/// What this advice remembers about a process.
#[derive(Debug, Default)]
pub(in crate::report) struct SelectingMemory {
    asked: Sets,
    left: Sets,
    /// How many selects in a row asked about what the one before had left.
    repeated: u32,
    /// The descriptors that were missing at the first of them.
    lost: Vec<FdNumber>,
    shrank: Option<SeenCall>,
    sets_were_told: bool,
    closed_was_told: bool,
    beyond_was_told: bool,
    /// A socket whose number is the first argument, and how often it was.
    too_small: (i64, u32),
    too_small_was_told: bool,
}

/// The members of three sets, each of which may be NULL.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sets {
    is_there: [bool; 3],
    members: [Vec<FdNumber>; 3],
}

impl Sets {
    fn fill(&mut self, sets: [Option<&[FdNumber]>; 3]) {
        for ((kept, is_there), set) in self.members.iter_mut().zip(&mut self.is_there).zip(sets) {
            kept.clear();
            kept.extend_from_slice(set.unwrap_or(&[]));
            *is_there = set.is_some();
        }
    }

    fn is(&self, sets: &[Option<&[FdNumber]>; 3]) -> bool {
        let mut all = self.members.iter().zip(&self.is_there).zip(sets);
        all.all(|((kept, is_there), set)| {
            *is_there == set.is_some() && kept[..] == *set.unwrap_or(&[])
        })
    }

    fn len(&self) -> usize {
        self.members.iter().map(Vec::len).sum()
    }
}

fn watch_sets(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Did::Waited(wait) = now.did else { return };
    if !wait.is_select() {
        return;
    }
    let sets = wait.sets();
    let seen = &mut world.process_mut(now.process).seen.selecting;
    let has_shrunk = seen.left.len() < seen.asked.len();
    if seen.left.is(&sets) && (has_shrunk || seen.repeated > 0) {
        if seen.repeated == 0 {
            let (asked, left) = (&seen.asked.members, &seen.left.members);
            let lost = asked
                .iter()
                .zip(left)
                .flat_map(|(asked, left)| asked.iter().filter(|fd| !left.contains(fd)).copied());
            seen.lost = lost.collect();
        }
        seen.repeated += 1;
    } else {
        seen.repeated = 0;
        if !seen.sets_were_told {
            seen.shrank = Some(now.mark());
        }
    }
    seen.asked.fill(sets);
    match wait.left_sets() {
        Some(left) => {
            let mut kept = sets;
            for (kept, left) in kept.iter_mut().zip(left) {
                *kept = kept.map(|_| left);
            }
            seen.left.fill(kept);
        }
        // An error leaves the sets as they were.
        None => seen.left.fill(sets),
    }
    let asks_nothing = seen.asked.len() == 0 && wait.nfds().is_some_and(|nfds| nfds > 0);
    if seen.sets_were_told || seen.repeated < 2 - u32::from(asks_nothing && seen.repeated == 1) {
        return;
    }
    tell_sets(now, world, found);
}

fn tell_sets(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let lost = world.process(now.process).seen.selecting.lost.clone();
    let still_open = lost.iter().map(|fd| fd.get()).find(|fd| {
        let socket = world.socket_of(now.process, *fd).map(|id| world.socket(id));
        socket.is_some_and(|socket| !socket.is_over() && socket.finished.is_none())
    });
    let Some(fd) = still_open else { return };
    let subject = Subject(subject(now, world).0, fd);
    let seen = &mut world.process_mut(now.process).seen.selecting;
    seen.sets_were_told = true;
    let Some(first) = seen.shrank.clone() else { return };
    let says =
        || format!("descriptor {fd} is missing from the set, and select no longer watches it");
    let shows = format!("it asks for the descriptors that the last call left, without {fd}");
    let evidence = [
        (&first, "the sets are filled, and select leaves only the ready descriptors"),
        (&now.quote(), &shows[..]),
    ];
    found.add(&SETS_NOT_REBUILT, Certainty::Certain, subject, says, &evidence);
}

fn watch_closed(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let pid = subject(now, world).0;
    let fd = match now.did {
        Did::Ready(ready) if ready.is_invalid => Some(now.fd),
        Did::Waited(wait) if now.failed(Errno::EBADF) => first_closed(now, world, wait),
        _ => return,
    };
    let closed = fd.and_then(|fd| world.entry(now.process, fd)).map_or(0, |entry| entry.closed);
    // A descriptor that was never opened in this log may be one that the process was started with: 0 to 2.
    if world.process(now.process).seen.selecting.closed_was_told || (fd.is_some() && closed == 0) {
        return;
    }
    world.process_mut(now.process).seen.selecting.closed_was_told = true;
    let subject = Subject(pid, fd.unwrap_or(-1));
    let says = || match fd {
        Some(fd) => format!("descriptor {fd} was closed in line {closed} and is still asked for"),
        None => "a descriptor in the set is not open".to_string(),
    };
    let evidence = [(&now.quote(), "it asks for a descriptor that is closed")];
    found.add(&CLOSED_DESCRIPTOR_IN_SET, Certainty::Certain, subject, says, &evidence);
}

/// The first descriptor of the sets that is known to be closed.
fn first_closed(now: &Moment<'_>, world: &World, wait: &Wait<'_>) -> Option<i32> {
    let mut asked = wait.sets().into_iter().flatten().flatten().map(|fd| fd.get());
    asked.find(|fd| {
        let entry = world.entry(now.process, *fd);
        entry.is_some_and(|entry| entry.closed > 0 && entry.held == Held::Nothing)
    })
}

fn watch_beyond(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Did::Waited(wait) = now.did else { return };
    let Some(nfds) = wait.nfds().filter(|nfds| *nfds > FD_SETSIZE) else { return };
    let subject = subject(now, world);
    let seen = &mut world.process_mut(now.process).seen.selecting;
    if std::mem::replace(&mut seen.beyond_was_told, true) {
        return;
    }
    let says = || format!("select gets nfds {nfds}, and an fd_set has {FD_SETSIZE} bits");
    let evidence = [(&now.quote(), "its first argument is beyond the set")];
    found.add(&BEYOND_FD_SETSIZE, Certainty::Certain, subject, says, &evidence);
}

/// The value on Linux, macOS and most BSDs.
const FD_SETSIZE: i64 = 1_024;

fn watch_nfds(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Did::Waited(wait) = now.did else {
        // It is watched nevertheless.
        let fd = i64::from(now.fd);
        let seen = &mut world.process_mut(now.process).seen.selecting;
        if seen.too_small.0 == fd {
            seen.too_small = (fd, 0);
        }
        if let Some(id) = now.socket {
            world.socket_mut(id).seen.reach.was_ready = true;
        }
        return;
    };
    let Some(nfds) = wait.nfds().filter(|nfds| *nfds > 2) else { return };
    let below = FdNumber::new((nfds - 1) as i32);
    if wait.sets().into_iter().flatten().any(|set| set.contains(&below)) {
        return;
    }
    let Some(id) = world.socket_of(now.process, nfds as i32) else { return };
    let socket = world.socket(id);
    let was_ready = socket.seen.reach.was_ready;
    let made = socket.named.clone().or(socket.made.clone());
    let subject = Subject(subject(now, world).0, nfds as i32);
    let seen = &mut world.process_mut(now.process).seen.selecting;
    if was_ready || seen.too_small_was_told {
        return;
    }
    seen.too_small =
        if seen.too_small.0 == nfds { (nfds, seen.too_small.1 + 1) } else { (nfds, 1) };
    let is_enough = seen.too_small.1 >= 2 || now.is_unfinished();
    let Some(made) = made.filter(|_| is_enough) else { return };
    seen.too_small_was_told = true;
    let says = || format!("descriptor {nfds} is not watched: select checks those below {nfds}");
    let first = format!("descriptor {nfds} is open");
    let evidence = [(&made, &first[..]), (&now.quote(), "its first argument should be one more")];
    found.add(&NFDS_TOO_SMALL, Certainty::Likely, subject, says, &evidence);
}
