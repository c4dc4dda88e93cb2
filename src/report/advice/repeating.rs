//! A call that should be repeated later is repeated at once; and a call that should be repeated is taken for a
//! failure.

use super::{is_quick, subject};
use crate::names::{Errno, MSG_DONTWAIT};
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind, ProcessEnding};
use crate::report::findings::{Certainty, Findings};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const EAGAIN_SPIN: Advice = Advice {
    name: "eagain-spin",
    gist: "EAGAIN again and again, without a wait",
    means: "EAGAIN means: not now. A retry at once gets the same answer, and burns the processor.",
    shown_by: "Ten calls in a row on one descriptor fail with EAGAIN, and the process does not wait in between.",
    remedy: "On EAGAIN, go back to select or poll, and call again when the descriptor is ready.",
    lab: "blocking-or-eagain",
    exercise: "Connect a client that says nothing, and count the calls of a second with `strace -c -f -p PID`: there \
        should be none.",
    cares_for: &[DidKind::Received, DidKind::Sent, DidKind::Accepted],
    watch: watch_eagain,
};

pub(super) const EINTR_NOT_RETRIED: Advice = Advice {
    name: "eintr-not-retried",
    gist: "an interrupted call was taken for a failure",
    means: "EINTR is not an error of the descriptor: a signal handler ran, and the call did nothing. Just make the \
        call again.",
    shown_by: "A call fails with EINTR, and the program then closes that descriptor, or exits with a nonzero status. \
        Signals that ask a program to end do not count.",
    remedy: "Call it again. With SA_RESTART the kernel does that for accept, recv and send, but never for select and poll.",
    lab: "eintr-despite-sa-restart",
    exercise: "Install an empty handler for SIGUSR1, and send `kill -USR1` to your server: no client must notice.",
    cares_for: &[
        DidKind::Received,
        DidKind::Sent,
        DidKind::Accepted,
        DidKind::Waited,
        DidKind::Closed,
        DidKind::Ended,
        DidKind::Signalled,
    ],
    watch: watch_eintr,
};

/// What this advice remembers about a socket.
#[derive(Debug, Default)]
pub(in crate::report) struct RepeatingMemory {
    count: u32,
    first: Option<SeenCall>,
    at_wait: u64,
}

/// What this advice remembers about a process.
#[derive(Debug, Default)]
pub(in crate::report) struct RepeatingOfProcess {
    /// The call that was last interrupted, if nothing was done about it yet.
    interrupted: Option<(SeenCall, i32)>,
    /// The last signal.
    signal: Option<(SeenCall, SignalMeaning)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignalMeaning {
    /// The program should end.
    End,
    /// A time is over, which some programs use to give up.
    Time,
    /// Neither of these.
    Passing,
}

const ENOUGH: u32 = 10;
const MOST_US: u64 = 5_000;

fn watch_eagain(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let Some(id) = now.socket else { return };
    let waits = world.process(now.process).waits;
    let socket = world.socket_mut(id);
    let flags = match now.did {
        Did::Received(moved) | Did::Sent(moved) => moved.flags,
        _ => crate::names::MsgFlags::NONE,
    };
    let does_not_wait = socket.file.nonblocking == Some(true) || flags.contains(MSG_DONTWAIT);
    let seen = &mut socket.seen.repeating;
    // A call that waited (SO_RCVTIMEO) is not part of a spin.
    let waited = now.took_us().is_some_and(|took| took > 2_000);
    if !now.failed(Errno::EAGAIN) || seen.at_wait != waits || waited {
        (seen.count, seen.at_wait) = (0, waits);
    }
    if !now.failed(Errno::EAGAIN) || waited || !(does_not_wait || now.event.begin_ns > 0) {
        return;
    }
    seen.count += 1;
    if seen.count == 1 {
        seen.first = Some(now.mark());
    }
    let Some(first) = seen.first.clone().filter(|_| seen.count == ENOUGH) else { return };
    if !is_quick(&first, &now.mark(), ENOUGH.into(), MOST_US) {
        seen.count = 0;
        return;
    }
    let certainty = if first.begin_ns > 0 { Certainty::Certain } else { Certainty::Likely };
    let says = || format!("{ENOUGH} calls in a row gave EAGAIN, without a wait in between");
    let evidence = [(&first, "not now"), (&now.quote(), "and still not")];
    found.add(&EAGAIN_SPIN, certainty, subject(now, world), says, &evidence);
}

fn kind_of(signal: &str) -> SignalMeaning {
    match signal {
        "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGHUP" => SignalMeaning::End,
        "SIGALRM" | "SIGVTALRM" => SignalMeaning::Time,
        _ => SignalMeaning::Passing,
    }
}

fn watch_eintr(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let socket = now.socket;
    let seen = &mut world.process_mut(now.process).seen.repeating;
    match now.did {
        // Of several signals, the one that asks the program to end explains its end.
        Did::Signalled(name)
            if seen.signal.as_ref().is_none_or(|(_, kind)| *kind != SignalMeaning::End) =>
        {
            seen.signal = Some((now.quote(), kind_of(name)));
        }
        Did::Received(_) | Did::Sent(_) | Did::Accepted(..) | Did::Waited(_) => {
            if now.failed(Errno::EINTR) {
                seen.interrupted = Some((now.quote(), now.fd));
            } else if socket.is_some() || matches!(now.did, Did::Waited(_)) {
                seen.interrupted = None;
            }
        }
        Did::Closed
            if seen.interrupted.as_ref().is_some_and(|(_, fd)| *fd == now.fd && *fd >= 0) =>
        {
            judge(now, world, found);
        }
        Did::Ended(ProcessEnding::Exited(status)) if *status != 0 => judge(now, world, found),
        _ => {}
    }
}

fn judge(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let seen = &mut world.process_mut(now.process).seen.repeating;
    let Some((interrupted, _)) = seen.interrupted.take() else { return };
    let signal = seen.signal.clone();
    let certainty = match signal.as_ref().map(|(_, kind)| *kind) {
        Some(SignalMeaning::End) => return,
        Some(SignalMeaning::Passing) => Certainty::Certain,
        Some(SignalMeaning::Time) | None => Certainty::Perhaps,
    };
    let says = || "a signal interrupted the call, and the program did not repeat it".to_string();
    let last = now.quote();
    let mut evidence =
        vec![(&interrupted, "interrupted, nothing is wrong"), (&last, "taken for a failure")];
    if let Some((signal, _)) = &signal {
        evidence.push((signal, "the signal"));
    }
    found.add(&EINTR_NOT_RETRIED, certainty, subject(now, world), says, &evidence);
}
