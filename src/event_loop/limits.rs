//! The limits of a loop, each with what happens when it is reached.

use std::time::Duration;

/// The limits of a loop, each with what happens when it is reached.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many accepted connections there may be; beyond, clients wait in the listener's queue until one leaves.
    pub max_clients: usize,
    /// How long a connection may be silent before it is closed; without a limit if there is none.
    pub idle_timeout: Option<Duration>,
    /// The most that is received at once, and so per connection and turn.
    pub receive_bytes: usize,
    /// The most bytes that may be queued in memory for one peer; a peer above this limit is disconnected. (Unsent parts
    /// of a file stay in the file. A peer cannot reach the limit by its own requests: while bytes are queued for it,
    /// nothing more is read from it.)
    pub owed_bytes: usize,
    /// The system's send buffer (`SO_SNDBUF`) of connections that the loop makes; those that it accepts have their
    /// listener's.
    pub send_buffer: Option<i32>,
    /// After the first signal, how long to keep sending queued bytes.
    pub drain: Duration,
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
        }
    }
}
