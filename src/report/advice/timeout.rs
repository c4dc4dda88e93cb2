//! The timeout of select, which runs down.

use super::subject;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind};
use crate::report::findings::{Certainty, Findings, Subject};
use crate::report::moment::{Moment, SeenCall};
use crate::report::wait::{Patience, Wait};
use crate::report::world::World;

pub(super) const TIMEOUT_NOT_REBUILT: Advice = Advice {
    name: "timeout-not-rebuilt",
    gist: "select gets the remaining time again: zero",
    means: "On Linux select writes the remaining time into its timeout. Passed again unchanged, the time runs down to \
        0, and from then on select does not wait.",
    shown_by: "A select gets exactly the time that the one before has left, and three in a row do not wait; or the \
        only time that was ever set has run out, and sixteen in a row do not wait.",
    remedy: "Set the timeout before each call. Other systems leave it unchanged; a portable program sets it all the \
        same.",
    lab: "timeout-mutates",
    exercise: "Run it as `baresock watch --only select -- COMMAND`, and follow what is left of the time from call to \
        call.",
    cares_for: &[DidKind::Waited, DidKind::Ended],
    watch,
};

/// What this advice remembers about a process.
#[derive(Debug, Default)]
pub(in crate::report) struct TimeoutMemory {
    /// How often a timeout was set that was not the time left.
    times_set: u32,
    asked_us: Option<u64>,
    left_us: Option<u64>,
    /// How often in a row the timeout was the time left.
    handed_on: u32,
    /// Whether the first time left was not zero: no program computes such a value.
    was_left: bool,
    /// How often it was 0 then.
    zeros: u32,
    first: Option<SeenCall>,
    last: Option<SeenCall>,
}

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    let subject = subject(now, world);
    let time = &mut world.process_mut(now.process).seen.timeout;
    match now.did {
        Did::Waited(wait) if wait.is_select() => {
            time.take(now, wait);
            if time.was_left && time.zeros == 3 {
                tell_timeout(time, Certainty::Certain, subject, found);
            }
        }
        // A program may compute 0; but one that sets a timeout once, and then 0 for 16 times, does not compute it.
        Did::Ended(_) if !time.was_left && time.zeros >= MANY_ZEROS && time.times_set == 1 => {
            tell_timeout(time, Certainty::Likely, subject, found);
        }
        _ => {}
    }
}

const MANY_ZEROS: u32 = 16;

impl TimeoutMemory {
    fn take(&mut self, now: &Moment<'_>, wait: &Wait<'_>) {
        let Patience::Us(asked_us) = wait.patience else {
            *self = Self { times_set: self.times_set, ..Self::default() };
            return;
        };
        let is_other = self.asked_us != Some(asked_us) || self.handed_on > 0;
        if self.left_us == Some(asked_us) && is_other {
            self.handed_on += 1;
            self.was_left |= asked_us > 0;
            self.zeros += u32::from(asked_us == 0);
            if self.zeros == 3 {
                self.last = Some(now.quote());
            }
        } else {
            let times_set = self.times_set + u32::from(asked_us > 0);
            *self = Self { times_set, first: Some(now.quote()), ..Self::default() };
        }
        (self.asked_us, self.left_us) = (Some(asked_us), wait.left_us());
    }
}

fn tell_timeout(
    time: &TimeoutMemory,
    certainty: Certainty,
    subject: Subject,
    found: &mut Findings,
) {
    let (Some(first), Some(last)) = (&time.first, &time.last) else { return };
    let says = || "no time is left, and select no longer waits".to_string();
    let evidence = [(first, "the time is set, and runs down"), (last, "it is 0 since")];
    found.add(&TIMEOUT_NOT_REBUILT, certainty, subject, says, &evidence);
}
