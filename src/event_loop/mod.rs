//! The loop: one wait for all connections, then one step for each that is ready.
//!
//! [`turn`](EventLoop::turn) is the whole story: ask, wait, put what is ready on the agenda, and work through the
//! agenda. Read the files in this order: `turn` (the loop), `tasks` (runs a task, and says what happened, for a
//! service), `actions` (carries out what the service answers), `splicing` (lets the kernel move the bytes of coupled
//! connections), `report` (what a person may see of the loop), `waiting` (the question, and a wait that fails), `opening`
//! and `closing` (how a connection begins and ends), `deadlines`, `state` (what a loop knows), `agenda` (the tasks that
//! are left), `endpoints` (everything in the loop that has a descriptor). Then come the small state machines `stream`,
//! `listener`, `connecting` and `datagram`, which receive what they may touch and return what happened; last `observer` (a service through which a person watches the loop),
//! `notice` and `limits`. Each file uses only files that stand after it here, so there are no callbacks. Only `watching`,
//! for a program that shows the loop to a person, stands before them all; it can be read last.
//!
//! The loop promises: while it waits it uses no processor time; an error of one connection ends that connection only;
//! the loop does not read from a peer that does not read, so memory has a bound; every ready connection is served once
//! in each round, with a bounded number of bytes.

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
mod observer;
mod opening;
#[cfg(test)]
mod rare_tests;
mod report;
mod splicing;
mod state;
mod stream;
#[cfg(test)]
mod stream_tests;
mod tasks;
#[cfg(test)]
mod tests;
mod turn;
mod waiting;
mod watching;

pub use crate::events::ServiceId;
pub use closing::Progress;
pub use limits::Limits;
pub use notice::Notice;
pub use report::{EndpointKind, EndpointReport};
pub use turn::EventLoop;
pub use waiting::WaitFailed;
