//! The wait: the question about the present connections, and what to do when the call itself fails.

use std::fmt;
use std::thread::sleep;
use std::time::Duration;

use super::endpoints::{Asking, Clients};
use super::notice::Notice;
use super::state::LoopState;
use crate::events::Ending;
use crate::names::{Errno, Result};
use crate::poller::{Evidence, Interest, Readiness, Row, TieredWait, Via, emptied};
use crate::trace;
use crate::values::FdNumber;

/// The pause after the first failed wait, and the longest pause: each pause is twice as long as the one before. A signal
/// that asks the loop to end is not noticed during a pause.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(256);

/// At most this many descriptors are named in a message.
const MOST_NAMED: usize = 8;

/// A wait failed, and would fail again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitFailed {
    /// The call.
    pub via: Via,
    /// Its errno.
    pub errno: Errno,
    /// The descriptors that were being watched, and for what.
    pub watched: Vec<(FdNumber, Interest)>,
}

impl LoopState {
    /// Asks, and waits. `evidence` receives the answer; `memory` is that of the last question, reused. With tiers the
    /// wait may end before the time is over, although nothing is ready.
    pub(super) fn ask_and_wait(
        &mut self,
        timeout: Option<Duration>,
        memory: &mut Vec<Row<'static>>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()> {
        match &self.tiers {
            Some(_) => self.ask_in_tiers(timeout, memory, evidence),
            None => {
                self.endpoints.forget_changed();
                self.ask_about_all(timeout, memory, evidence)
            }
        }
    }

    #[inline(never)]
    fn ask_in_tiers(
        &mut self,
        timeout: Option<Duration>,
        memory: &mut Vec<Row<'static>>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()> {
        let wanted = self.wanted_clients();
        let is_still = self.stands_still();
        let Some(tiers) = &mut self.tiers else {
            return self.ask_about_all(timeout, memory, evidence);
        };
        self.endpoints.take_changed().for_each(|place| tiers.warm(place));
        if is_still {
            return self.ask_all_and_wait(timeout, memory, evidence);
        }
        let mut question: Vec<Row<'_>> = std::mem::take(memory);
        evidence.clear();
        let mut wait = TieredWait {
            poller: &mut *self.poller,
            places: &Asking { endpoints: &self.endpoints, wanted },
            question: &mut question,
            evidence,
        };
        let waited = tiers.wait(&mut wait, timeout);
        *memory = emptied(question);
        waited
    }

    /// Asks about all endpoints that are served, whatever their tier; what is ready will be hot.
    pub(super) fn ask_all_and_wait(
        &mut self,
        timeout: Option<Duration>,
        memory: &mut Vec<Row<'static>>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()> {
        let waited = self.ask_about_all(timeout, memory, evidence);
        if let Some(tiers) = &mut self.tiers {
            tiers.note(evidence);
        }
        waited
    }

    #[inline]
    fn ask_about_all(
        &mut self,
        timeout: Option<Duration>,
        memory: &mut Vec<Row<'static>>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()> {
        let mut question: Vec<Row<'_>> = std::mem::take(memory);
        evidence.clear();
        let is_still = self.stands_still();
        let wanted = self.wanted_clients();
        if is_still {
            let is_served = |place| self.is_served_while_still(place);
            self.endpoints.ask(wanted, is_served, &mut question);
        } else {
            self.endpoints.ask(wanted, |_| true, &mut question);
        }
        let _untraced = is_still.then(trace::suspend);
        let waited = self.poller.wait(&question, timeout, evidence);
        *memory = emptied(question);
        waited
    }

    /// Whether the endpoint in this slot is served while the loop stands still: if it is the observer's, or the
    /// self-pipe, because a signal must still end the program.
    #[inline(never)]
    fn is_served_while_still(&self, place: u32) -> bool {
        let token = self.endpoints.token_at(place);
        let endpoint = self.endpoints.lookup(token).map(|(_, endpoint)| endpoint);
        Some(token) == self.self_pipe
            || endpoint.is_some_and(|endpoint| self.is_observer(endpoint.service()))
    }

    pub(super) fn wanted_clients(&self) -> Clients {
        if self.draining.is_none() && self.clients < self.limits.max_clients {
            Clients::Wanted
        } else {
            Clients::Unwanted
        }
    }

    /// Handles a wait that failed. After a signal the loop reads the self-pipe; an errno that may pass is waited out; if
    /// `poll` got too many rows, the newest client is closed; any other errno ends the loop.
    ///
    /// # Errors
    /// The next wait would fail, too.
    #[cold]
    pub(super) fn after_failed_wait(
        &mut self,
        errno: Errno,
        timeout: Option<Duration>,
    ) -> std::result::Result<(), WaitFailed> {
        match errno {
            Errno::EINTR => {}
            // The kernel has no memory now; some systems report that from poll as EAGAIN.
            Errno::ENOMEM | Errno::EAGAIN => self.wait_out(errno, timeout),
            Errno::EINVAL if self.refuse_newest() => {}
            _ => return Err(self.give_up_waiting(errno)),
        }
        // The byte of a signal is in the self-pipe by now, and is read at once: if every wait were interrupted, no wait
        // would ever find the pipe readable.
        if let Some(pipe) = self.self_pipe {
            self.agenda.add_ready(pipe, Readiness { readable: true, ..Readiness::default() });
        }
        Ok(())
    }

    fn wait_out(&mut self, errno: Errno, timeout: Option<Duration>) {
        trace::intent("the wait failed, which may pass: a pause, and then the same question again");
        if self.failed_waits == 0 {
            self.tell_person(&Notice::WaitFailed(self.poller.via().function(), errno));
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failed_waits.min(16)).min(LONGEST_PAUSE);
        self.failed_waits += 1;
        sleep(timeout.map_or(pause, |timeout| timeout.min(pause)));
    }

    /// `poll` fails with `EINVAL` if it gets more rows than the system allows. Closing the newest client removes one
    /// row; returns whether there was a client to close.
    fn refuse_newest(&mut self) -> bool {
        if self.poller.via() != Via::Poll {
            return false;
        }
        let Some(newest) = self.endpoints.newest_client() else { return false };
        trace::intent("poll may not be asked about so many: the newest client is closed");
        self.end_stream(newest, Ending::Refused);
        true
    }

    fn give_up_waiting(&self, errno: Errno) -> WaitFailed {
        let mut question = Vec::new();
        self.endpoints.ask(self.wanted_clients(), |_| true, &mut question);
        let watched = question.iter().map(|row| (FdNumber::from(row.fd), row.interest)).collect();
        WaitFailed { via: self.poller.via(), errno, watched }
    }
}

/// `poll: EBADF (Bad file descriptor): these descriptors were watched: 3 (read), 6 (read and write) and 40 more`
impl fmt::Display for WaitFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: ", self.via, self.errno)?;
        if self.watched.is_empty() {
            return f.write_str("no descriptor was watched");
        }
        f.write_str("these descriptors were watched: ")?;
        for (at, (number, interest)) in self.watched.iter().take(MOST_NAMED).enumerate() {
            let why = match interest {
                Interest::Read => "read",
                Interest::Write => "write",
                Interest::Both => "read and write",
            };
            write!(f, "{}{} ({why})", if at == 0 { "" } else { ", " }, number.get())?;
        }
        match self.watched.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl std::error::Error for WaitFailed {}
