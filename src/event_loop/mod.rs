//! The loop: one wait for all connections, then one step for each that is ready.
//!
//! [`turn`](EventLoop::turn) is the whole story: ask, wait, put what is ready on the agenda, and work the agenda off. The
//! files in the order of reading: `turn` (the loop), `tasks` (a task is taken up, and what has happened is told to a
//! service), `actions` (what the service says is done), `waiting` (the question, and a wait that fails), `opening` and `closing` (how a connection comes, and how it goes),
//! `deadlines`, `state` (what a loop knows). They use the small machines `stream`, `listener`, `connecting` and `datagram`, which are
//! given what they may touch and return what happened; `endpoints` (all of those in the loop), `agenda`, `limits`, `notice`.
//! Each file uses only those that stand after it here, so nothing is called back into.
//!
//! What the loop promises: while it waits it uses no processor time; an error of one connection ends that connection; a peer
//! that does not read is not read from either, so memory has a bound; all that are ready are served in turn, once each
//! round, with a bounded number of bytes.

mod actions;
mod agenda;
mod closing;
mod connecting;
mod datagram;
mod deadlines;
mod endpoints;
mod limits;
mod listener;
mod notice;
mod opening;
#[cfg(test)]
mod rare_tests;
mod state;
mod stream;
#[cfg(test)]
mod stream_tests;
mod tasks;
#[cfg(test)]
mod tests;
mod turn;
mod waiting;

pub use crate::events::ServiceId;
pub use closing::Progress;
pub use limits::Limits;
pub use notice::Notice;
pub use turn::EventLoop;
pub use waiting::WaitFailed;
