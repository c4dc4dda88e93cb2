//! Who looks, and what was ordered: the desk writes it, the view reads it.

use std::time::{Duration, Instant};

use crate::events::Token;

/// At most this many pages are shown the loop at a time.
const MOST_VIEWERS: usize = 16;
/// A viewer that has read nothing for this long is disconnected; its browser connects again if it still runs.
const STALLED: Duration = Duration::from_secs(30);

/// What a person orders through the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Stand still.
    Pause,
    /// Run at full speed.
    GoOn,
    /// Make one turn, and stand still.
    Step,
    /// Make a turn, and stand still for this long, again and again.
    Slow(Duration),
}

/// The browsers that look, and the orders that were not carried out yet.
#[derive(Debug, Default)]
pub(super) struct ViewAudience {
    viewers: Vec<Viewer>,
    orders: Vec<Order>,
}

/// A connection over which events are sent.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) who: Token,
    /// Of a run: how many of its lines it has been sent, and the last frame.
    pub(super) line: u64,
    pub(super) frame: u64,
    /// Whether it has been sent an event.
    is_greeted: bool,
    /// How many events it has missed since the last one that it was sent.
    missed: u64,
    missing_since: Option<Instant>,
}

impl ViewAudience {
    /// Adds a viewer, if there is room.
    pub(super) fn join(&mut self, who: Token) -> bool {
        let has_room = self.viewers.len() < MOST_VIEWERS;
        if has_room {
            let viewer = Viewer {
                who,
                line: 0,
                frame: 0,
                is_greeted: false,
                missed: 0,
                missing_since: None,
            };
            self.viewers.push(viewer);
        }
        has_room
    }

    pub(super) fn leave(&mut self, who: Token) {
        self.viewers.retain(|viewer| viewer.who != who);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.viewers.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.viewers.len()
    }

    /// Whether there are viewers that have seen nothing yet; from now on they count as greeted.
    pub(super) fn greet(&mut self) -> bool {
        let new =
            self.viewers.iter_mut().map(|viewer| !std::mem::replace(&mut viewer.is_greeted, true));
        new.fold(false, |any, is_new| any | is_new)
    }

    pub(super) fn viewers_mut(&mut self) -> impl Iterator<Item = &mut Viewer> {
        self.viewers.iter_mut()
    }

    pub(super) fn order(&mut self, order: Order) {
        self.orders.push(order);
    }

    /// Whether a browser looks, or an order waits.
    pub(super) fn wants_attention(&self) -> bool {
        !self.viewers.is_empty() || !self.orders.is_empty()
    }

    pub(super) fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }
}

impl Viewer {
    /// Counts an event that cannot be sent, because the one before is not read yet. Returns whether the viewer has read
    /// nothing for too long.
    pub(super) fn misses(&mut self, now: Instant) -> bool {
        self.missed += 1;
        now.duration_since(*self.missing_since.get_or_insert(now)) > STALLED
    }

    /// It has read what it was sent. Returns how many events it has missed.
    pub(super) fn caught_up(&mut self) -> u64 {
        self.missing_since = None;
        std::mem::take(&mut self.missed)
    }

    /// The event for this viewer, after another one that says how many it has missed.
    pub(super) fn missed_and(&mut self, event: &str) -> String {
        match self.caught_up() {
            0 => event.to_string(),
            missed => format!("event: missed\ndata: {missed}\n\n{event}"),
        }
    }
}
