//! Where a call stands: the thread that is about to make a call waits here until the view lets it through.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// It is shut at first.
#[derive(Debug)]
pub(super) struct HoldPoint {
    state: Mutex<HoldState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct HoldState {
    /// Whether calls pass without waiting.
    is_open: bool,
    /// Whether the call that stands here may pass.
    may_pass: bool,
    /// Whether a call stands here.
    is_waiting: bool,
}

impl HoldPoint {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, HoldState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the call may be made; `waits` is called if it stands.
    pub(super) fn pass(&self, waits: impl FnOnce()) {
        let mut state = self.state();
        if state.is_open {
            return;
        }
        state.is_waiting = true;
        waits();
        while !state.is_open && !state.may_pass {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (state.is_waiting, state.may_pass) = (false, false);
    }

    /// From now on no call stands.
    pub(super) fn open(&self) {
        let mut state = self.state();
        state.is_open = true;
        self.changed.notify_all();
    }

    /// From now on each call stands.
    pub(super) fn shut(&self) {
        self.state().is_open = false;
    }

    /// Whether a call stands here, and may not pass yet.
    pub(super) fn is_holding(&self) -> bool {
        let state = self.state();
        state.is_waiting && !state.may_pass && !state.is_open
    }

    /// Lets the call through that stands here.
    pub(super) fn let_through(&self) {
        let mut state = self.state();
        state.may_pass = state.is_waiting;
        self.changed.notify_all();
    }
}
