//! Tiers: a wait asks about the connections that were busy lately, and now and then about a part of the others.
//!
//! `select` and `poll` look at every row of the question in each call, and the loop builds each row: with 9,000 idle
//! connections and a busy one, 9,000 rows are looked at for each request. So the connections are divided into two tiers:
//!
//! - The *hot tier* has the connections that were ready, or began to wait for something else, at most two periods ago.
//!   Every wait asks about them. Listeners, datagram sockets and the self-pipe always belong to the hot tier.
//! - The *cold tier* has all others. A *look* asks about the next [`ROWS_OF_A_LOOK`] of them with a timeout of zero,
//!   and what it finds ready joins the hot tier. Between two looks so much time passes that looks take only their share
//!   of it, but never so much that a cold connection is not looked at within the longest wait. Looks are made between
//!   the waits of a busy loop; if the hot tier is silent, its wait ends after an eighth of the longest wait, and the next
//!   look makes up for those that are late.
//!
//! While nothing at all happens, looks would wake the program for nothing: when every cold connection was looked at and
//! no row was ready meanwhile, one wait asks about all rows with the loop's own timeout.
//!
//! A tier holds places, never descriptors, and each row is stated from the connection's present state. A place that
//! another connection has taken is therefore no danger: the new connection is hot for a while.

use std::time::{Duration, Instant};

use super::{Evidence, Poller, Row};
use crate::names::Result;
use crate::trace;

/// How the time is divided between the tiers.
#[derive(Clone, Copy, Debug)]
pub struct TierLimits {
    /// Looks at the cold tier take at most this part of the time, in percent, unless `longest_wait` needs more.
    pub share_percent: u32,
    /// Each cold connection is looked at again after this time, or a turn later. A period is half as long.
    pub longest_wait: Duration,
    /// With fewer cold connections than this every wait asks about all rows: that costs less than further calls.
    pub least_cold: usize,
}

impl Default for TierLimits {
    fn default() -> Self {
        Self { share_percent: 2, longest_wait: Duration::from_millis(100), least_cold: 64 }
    }
}

/// The endpoints of a loop, each at its place: they state the rows.
pub trait Places<'fd> {
    /// One more than the highest place.
    fn end(&self) -> u32;
    /// How many places are taken.
    fn taken(&self) -> usize;
    /// Whether every wait asks about this place: a listener, a datagram socket, the self-pipe.
    fn is_entrance(&self, place: u32) -> bool;
    /// Appends the rows of a place: none if it waits for nothing.
    fn ask_at(&self, place: u32, question: &mut Vec<Row<'fd>>);
    /// Appends the rows of all places.
    fn ask_all(&self, question: &mut Vec<Row<'fd>>);
}

/// One wait: the call that waits, what it may ask about, and where its answer goes.
pub struct TieredWait<'a, 'fd, P> {
    /// The call.
    pub poller: &'a mut dyn Poller,
    /// The endpoints of the loop.
    pub places: &'a P,
    /// Receives the rows.
    pub question: &'a mut Vec<Row<'fd>>,
    /// Receives what is ready.
    pub evidence: &'a mut Vec<Evidence>,
}

/// How many cold connections a look asks about: so many that a call is worth it, and so few that the hot tier does not
/// wait long.
pub const ROWS_OF_A_LOOK: usize = 1_024;

/// A wait for the hot tier lasts at most this part of the longest wait. If it ended when the next look is due, it would
/// often last a millisecond or two, and the kernel sets the processor's timer for a wait that ends before its next tick:
/// with such time limits a request took noticeably more processor time, measured in pairs.
const WAITS_IN_LONGEST_WAIT: u32 = 8;

/// In `last_busy`: the place is in the cold tier.
const COLD: u64 = 0;

/// Which places are hot, and when to look at the others.
#[derive(Debug)]
pub struct Tiers {
    limits: TierLimits,
    /// The places of the hot tier.
    hot: Vec<u32>,
    /// For each place the period in which it was last busy, or [`COLD`].
    last_busy: Vec<u64>,
    /// The present period, counted from 1.
    period: u64,
    period_ends: Instant,
    /// The place where the next look begins.
    next_place: u32,
    /// Its moment; `None` if all were looked at in the last wait.
    next_look: Option<Instant>,
    /// How many places the looks have passed since a row was last ready.
    passed_in_silence: u32,
    /// The time; tests have a clock of their own.
    clock: fn() -> Instant,
}

impl Tiers {
    /// Tiers without places.
    pub fn new(limits: TierLimits) -> Self {
        Self::by_clock(limits, Instant::now)
    }

    fn by_clock(limits: TierLimits, clock: fn() -> Instant) -> Self {
        let now = clock();
        Self {
            limits,
            hot: Vec::new(),
            last_busy: Vec::new(),
            period: 1,
            period_ends: now + limits.longest_wait / 2,
            next_place: 0,
            next_look: None,
            passed_in_silence: 0,
            clock,
        }
    }

    /// A place was busy, or began to wait for something else: it joins the hot tier, or stays there.
    #[inline]
    pub fn warm(&mut self, place: u32) {
        let at = place as usize;
        if at >= self.last_busy.len() {
            self.last_busy.resize(at + 1, COLD);
        }
        if self.last_busy[at] == COLD {
            self.hot.push(place);
        }
        self.last_busy[at] = self.period;
    }

    /// The answer of a wait, also of one that asked about all rows without the tiers: what is ready is hot.
    #[inline]
    pub fn note(&mut self, evidence: &[Evidence]) {
        evidence.iter().for_each(|found| self.warm(found.place));
        if !evidence.is_empty() {
            self.passed_in_silence = 0;
        }
    }

    /// Waits like [`Poller::wait`], but may return without evidence before the time is over.
    ///
    /// # Errors
    /// As [`Poller::wait`].
    pub fn wait<'fd>(
        &mut self,
        wait: &mut TieredWait<'_, 'fd, impl Places<'fd>>,
        timeout: Option<Duration>,
    ) -> Result<()> {
        let now = (self.clock)();
        self.cool_down(now, wait.places);
        let cold = self.most_cold(wait.places);
        let waited = if cold < self.limits.least_cold || self.passed_in_silence >= wait.places.end()
        {
            self.wait_for_all(wait, timeout)
        } else {
            self.wait_for_hot(now, wait, timeout)
        };
        self.note(wait.evidence);
        waited
    }

    /// One call asks about all rows, and may wait for as long as the loop can.
    fn wait_for_all<'fd>(
        &mut self,
        wait: &mut TieredWait<'_, 'fd, impl Places<'fd>>,
        timeout: Option<Duration>,
    ) -> Result<()> {
        wait.places.ask_all(wait.question);
        let waited = wait.poller.wait(wait.question, timeout, wait.evidence);
        if waited.is_ok() {
            self.next_look = None;
        }
        waited
    }

    /// Looks at a part of the cold tier if it is time for that, and waits for the hot tier.
    fn wait_for_hot<'fd>(
        &mut self,
        now: Instant,
        wait: &mut TieredWait<'_, 'fd, impl Places<'fd>>,
        timeout: Option<Duration>,
    ) -> Result<()> {
        let mut next_look = self.next_look.unwrap_or_else(|| now + self.spacing(wait.places));
        if now >= next_look {
            next_look = self.look(next_look, now, wait)?;
        }
        self.next_look = Some(next_look);
        for place in &self.hot {
            wait.places.ask_at(*place, wait.question);
        }
        if wait.question.is_empty() && wait.evidence.is_empty() {
            return self.wait_for_all(wait, timeout);
        }
        let longest = self.longest_hot_wait();
        let patience = match timeout {
            _ if !wait.evidence.is_empty() => Duration::ZERO,
            Some(timeout) => timeout.min(longest),
            None => longest,
        };
        trace::intent("the hot tier alone, and not long, because others wait for a look");
        wait.poller.wait(wait.question, Some(patience), wait.evidence)
    }

    /// Asks about the next part of the cold tier, without waiting; returns the moment of the next look. This one was due
    /// at the moment `due`, and begins now.
    fn look<'fd>(
        &mut self,
        due: Instant,
        now: Instant,
        wait: &mut TieredWait<'_, 'fd, impl Places<'fd>>,
    ) -> Result<Instant> {
        let spacing = self.spacing(wait.places);
        // If a turn takes longer than the time between two looks, one call makes up for several looks.
        let late = now.saturating_duration_since(due).as_nanos();
        let further_looks = usize::try_from(late / spacing.as_nanos()).unwrap_or(usize::MAX);
        let passed = self.ask_cold(wait.places, further_looks.saturating_add(1), wait.question);
        if !wait.question.is_empty() {
            trace::intent("a look at a part of the cold tier, without waiting");
            wait.poller.wait(wait.question, Some(Duration::ZERO), wait.evidence)?;
            wait.question.clear();
        }
        self.next_place = (self.next_place + passed) % wait.places.end().max(1);
        self.passed_in_silence = self.passed_in_silence.saturating_add(passed);
        let took = (self.clock)() - now;
        let by_share = now + took * 100 / self.limits.share_percent.max(1);
        // The rest of the delay is taken off the next time, so that the delays of a round do not add up.
        let rest = Duration::from_nanos((late % spacing.as_nanos()) as u64);
        let by_longest_wait = now + spacing - rest;
        Ok(by_share.min(by_longest_wait))
    }

    /// The longest time from a look to the next one: so many looks follow in the longest wait as a round of them has, and
    /// two more, because connections that become cold during a round make it longer. A wait for the hot tier may delay
    /// a look, so that this much of the longest wait is left for it.
    fn spacing<'fd>(&self, places: &impl Places<'fd>) -> Duration {
        let looks = self.most_cold(places) / ROWS_OF_A_LOOK + 3;
        let round = self.limits.longest_wait - self.longest_hot_wait();
        (round / looks as u32).max(Duration::from_nanos(1))
    }

    fn longest_hot_wait(&self) -> Duration {
        self.limits.longest_wait / WAITS_IN_LONGEST_WAIT
    }

    /// How many cold connections there are, or a few more: of the hot places some may have become free lately.
    fn most_cold<'fd>(&self, places: &impl Places<'fd>) -> usize {
        (places.end() as usize).saturating_sub(self.hot.len()).min(places.taken())
    }

    /// States the rows of so many looks, and returns how many places they pass.
    fn ask_cold<'fd>(
        &self,
        places: &impl Places<'fd>,
        looks: usize,
        question: &mut Vec<Row<'fd>>,
    ) -> u32 {
        let end = places.end();
        let most = looks.saturating_mul(ROWS_OF_A_LOOK);
        let mut passed = 0;
        while passed < end && question.len() < most {
            let place = (self.next_place + passed) % end;
            if self.last_busy.get(place as usize).is_none_or(|period| *period == COLD) {
                places.ask_at(place, question);
            }
            passed += 1;
        }
        passed
    }

    /// At the end of a period, moves what was not busy in this period or the one before into the cold tier.
    fn cool_down<'fd>(&mut self, now: Instant, places: &impl Places<'fd>) {
        if now < self.period_ends {
            return;
        }
        let period = self.period;
        let last_busy = &mut self.last_busy;
        self.hot.retain(|place| {
            let last = &mut last_busy[*place as usize];
            let stays = *last + 1 >= period || places.is_entrance(*place);
            if !stays {
                *last = COLD;
            }
            stays
        });
        self.period += 1;
        self.period_ends = now + self.limits.longest_wait / 2;
    }
}

#[cfg(test)]
#[path = "tiers_tests.rs"]
mod tests;
