//! Pause, step and slow motion. Of a loop a step is one turn: one wait, and everything that follows from its answer. Of
//! anything else it is one call. Below, a turn stands for both.

use std::time::{Duration, Instant};

use super::audience::Order;

/// How the loop is to run.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    how: HowFast,
    /// Turns that are to be made although the loop stands still.
    steps: u64,
    /// In slow motion: when the next turn is due.
    next_turn: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum HowFast {
    #[default]
    Full,
    Still,
    Slow(Duration),
}

impl Pacing {
    pub(super) fn take(&mut self, order: Order, now: Instant) {
        let was_still = self.how == HowFast::Still;
        (self.how, self.steps, self.next_turn) = match order {
            Order::Pause => (HowFast::Still, 0, None),
            Order::Step if was_still => (HowFast::Still, self.steps + 1, None),
            Order::Step => (HowFast::Still, 1, None),
            Order::GoOn => (HowFast::Full, 0, None),
            Order::Slow(pause) => (HowFast::Slow(pause), 0, Some(now + pause)),
        };
    }

    pub(super) fn go_on(&mut self) {
        *self = Self::default();
    }

    /// Stands still from the beginning.
    pub(super) fn still() -> Self {
        Self { how: HowFast::Still, ..Self::default() }
    }

    /// Whether the loop runs at full speed.
    pub(super) fn runs(&self) -> bool {
        self.how == HowFast::Full
    }

    /// Counts the turns that the loop has made.
    pub(super) fn count(&mut self, turns: u64, now: Instant) {
        match self.how {
            HowFast::Still => self.steps = self.steps.saturating_sub(turns),
            HowFast::Slow(pause) if turns > 0 => self.next_turn = Some(now + pause),
            HowFast::Full | HowFast::Slow(_) => {}
        }
    }

    /// Whether to stand still now.
    pub(super) fn stands_still(&mut self, now: Instant) -> bool {
        match self.how {
            HowFast::Full => false,
            HowFast::Still => self.steps == 0,
            HowFast::Slow(_) => {
                // When the next turn is due, the loop waits for as long as nothing is ready.
                self.next_turn = self.next_turn.filter(|moment| *moment > now);
                self.next_turn.is_some()
            }
        }
    }

    /// When to call [`stands_still`](Self::stands_still) again.
    pub(super) const fn next_turn(&self) -> Option<Instant> {
        self.next_turn
    }

    /// As the page's script knows it.
    pub(super) const fn name(&self) -> &'static str {
        match self.how {
            HowFast::Full => "runs",
            HowFast::Still if self.steps > 0 => "steps",
            HowFast::Still => "paused",
            HowFast::Slow(_) => "slow",
        }
    }

    /// The pause between two turns in slow motion.
    pub(super) const fn slow_ms(&self) -> u64 {
        match self.how {
            HowFast::Slow(pause) => pause.as_millis() as u64,
            HowFast::Full | HowFast::Still => 0,
        }
    }
}
