//! Bare sockets: the BSD socket calls with nothing in the way.
//!
//! This crate is a book that runs. Its modules are chapters; each uses only those above it:
//!
//! 1. [`byteorder`], [`values`], [`names`], [`addr`]: numbers, constants and addresses, and how people write them.
//! 2. [`trace`]: how a call is told, in strace's notation.
//! 3. [`sys`]: **the calls**, one safe function for each function of C; the only `unsafe`.
//! 4. [`bare_select`] and [`bare_poll`]: **the loop itself**, an echo server each. Whoever reads one file reads one of
//!    these.
//! 5. [`os`]: what else touches the system.
//! 6. [`poller`], [`conn`], [`framing`], [`events`], [`event_loop`]: the loop in full. Both calls behind one small trait,
//!    short sends, half-closes, where messages end, limits, deadlines.
//! 7. [`services`]: what the loop serves, as functions from events to actions. [`client`]: standard input, standard output
//!    and one socket under the same loop.
//! 8. [`labs`]: one thing that sockets do, each, shown by doing it.
//! 9. [`report`]: what a program's calls say about it: the story of its connections, a table, and advice.
//! 10. [`explain`]: what a call means as it is made, and what every name means. [`ladder`]: what both ends of a connection
//!     did, side by side.
//! 11. [`compare`]: `select` against `poll`, measured.
//! 12. [`judge`]: a server or client of somebody's own, attacked, and told what broke.
//! 13. [`cli`]: the command line of the program, which is the rest.
//!
//! The library stands without the program: with `default-features = false` it is chapters 1 to 6, and needs only `libc`
//! and `nix`. The others, and the trace as JSON, come with the feature `program`, which is on by default.
//!
//! A loop over `select` that echoes what one client says, in full:
//!
//! ```
//! use std::error::Error;
//! use std::result::Result;
//!
//! use baresock::sys::*;
//!
//! fn echo_until_the_peer_finishes(client: &Fd) -> Result<usize, Box<dyn Error>> {
//!     let mut buf = [0; 4096];
//!     let mut echoed = 0;
//!     loop {
//!         // The set is question and answer in one: it is built anew for every call.
//!         let mut readable = FdSet::new();
//!         readable.set(client)?; // refused from FD_SETSIZE on, where C writes beyond the set
//!         match select(readable.nfds(), Some(&mut readable), None, None, None) {
//!             Err(Errno::EINTR) => continue, // a signal came; nothing is known
//!             result => result?,
//!         };
//!         let received = recv(client, &mut buf, MsgFlags::NONE)?;
//!         if received == 0 {
//!             return Ok(echoed); // the peer has finished
//!         }
//!         let mut unsent = &buf[..received];
//!         while !unsent.is_empty() {
//!             let sent = send(client, unsent, MSG_NOSIGNAL)?; // perhaps less than was asked
//!             unsent = &unsent[sent..];
//!             echoed += sent;
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn Error>> {
//! let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
//! send(&theirs, b"hello", MSG_NOSIGNAL)?;
//! shutdown(&theirs, SHUT_WR)?;
//! assert_eq!(echo_until_the_peer_finishes(&ours)?, 5);
//! # Ok(())
//! # }
//! ```

// Some of what the first chapters know only the program asks for.
#![cfg_attr(not(feature = "program"), allow(dead_code))]

#[cfg(not(any(linux, apple, bsd)))]
compile_error!("baresock knows the socket calls of Linux, macOS, FreeBSD, OpenBSD and NetBSD");

pub mod addr;
pub mod bare_poll;
pub mod bare_select;
pub mod byteorder;
#[cfg(feature = "program")]
pub mod cli;
#[cfg(feature = "program")]
pub mod client;
#[cfg(feature = "program")]
pub mod compare;
pub mod conn;
pub mod event_loop;
pub mod events;
#[cfg(feature = "program")]
pub mod explain;
pub mod framing;
#[cfg(feature = "program")]
pub mod judge;
#[cfg(feature = "program")]
pub mod labs;
#[cfg(feature = "program")]
pub mod ladder;
#[cfg(feature = "program")]
pub mod logs;
pub mod names;
pub mod os;
pub mod poller;
#[cfg(feature = "program")]
pub mod report;
#[cfg(feature = "program")]
pub mod services;
pub mod sys;
pub mod trace;
pub mod values;
