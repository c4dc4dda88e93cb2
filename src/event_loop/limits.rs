//! The limits of a loop, each with what happens when it is reached.

use std::time::Duration;

use crate::poller::TierLimits;

/// The limits of a loop, each with what happens when it is reached.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many accepted connections there may be. At this number, further clients wait in the listener's queue until
    /// a connection ends.
    pub max_clients: usize,
    /// How long a connection may be silent before it is closed; `None`: forever.
    pub idle_timeout: Option<Duration>,
    /// The most bytes received at once, and so in one turn from one connection.
    pub receive_bytes: usize,
    /// The most bytes that may be queued in memory for one peer; a peer above this limit is disconnected. (Unsent parts
    /// of a file stay in the file. A peer cannot reach the limit by its own requests: while bytes are queued for it,
    /// the loop reads nothing more from it.)
    pub owed_bytes: usize,
    /// The kernel's send buffer (`SO_SNDBUF`) of connections that the loop makes; accepted connections inherit that of
    /// their listener.
    pub send_buffer: Option<i32>,
    /// After the first signal, how long to keep sending queued bytes.
    pub drain: Duration,
    /// Whether the loop waits in tiers, and how it divides the time between them; `None`: every wait asks about all.
    pub tiers: Option<TierLimits>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_clients: usize::MAX,
            idle_timeout: None,
            receive_bytes: 64 * 1024,
            owed_bytes: 1024 * 1024,
            send_buffer: None,
            drain: Duration::from_secs(5),
            tiers: None,
        }
    }
}
