//! Bare sockets: the BSD socket calls with nothing in the way.
//!
//! If you know Rust and want to learn how sockets work below `std::net`, this page is a tour of ten minutes. Every example
//! runs as a test.
//!
//! # One call, one function
//!
//! [`sys`] has one safe function for each function of C, with its name, its arguments in order, and its result. A wrapper never
//! retries and adds no flag. A descriptor is owned ([`sys::Fd`], closed once) or borrowed; `errno` comes with the error.
//!
//! ```
//! use std::net::Ipv4Addr;
//!
//! use baresock::addr::Address;
//! use baresock::sys::*;
//!
//! # fn main() -> Result<()> {
//! let listener = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
//! // Port 0 asks the kernel for a free port, an ephemeral port.
//! bind(&listener, &Address::v4(Ipv4Addr::LOCALHOST, 0))?;
//! listen(&listener, 16)?;
//! let address = getsockname(&listener)?;
//!
//! let client = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
//! connect(&client, &address)?; // the kernel completes the handshake; accept may come later
//! let (accepted, peer) = accept(&listener)?;
//! assert_eq!(peer, getsockname(&client)?);
//!
//! // send copies into the kernel's buffer. MSG_NOSIGNAL: a closed peer must not kill this process.
//! assert_eq!(send(&client, b"hello", MSG_NOSIGNAL)?, 5);
//! let mut buf = [0; 64];
//! assert_eq!(recv(&accepted, &mut buf, MsgFlags::NONE)?, 5);
//!
//! // A half-close: the peer reads the end of file (0), and can still answer.
//! shutdown(&client, SHUT_WR)?;
//! assert_eq!(recv(&accepted, &mut buf, MsgFlags::NONE)?, 0);
//! assert_eq!(send(&accepted, b"bye", MSG_NOSIGNAL)?, 3);
//! assert_eq!(recv(&client, &mut buf, MsgFlags::NONE)?, 3);
//! # Ok(())
//! # }
//! ```
//!
//! # Waiting for many descriptors
//!
//! `select` takes sets and overwrites them with its answer, so build the sets again before each call. This loop echoes
//! everything that one client sends, and handles short writes and signals:
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
//!         let mut readable = FdSet::new();
//!         readable.set(client)?; // an error from FD_SETSIZE on, where C writes past the set
//!         match select(readable.nfds(), Some(&mut readable), None, None, None) {
//!             Err(Errno::EINTR) => continue, // a signal arrived; the sets say nothing
//!             result => result?,
//!         };
//!         let received = recv(client, &mut buf, MsgFlags::NONE)?;
//!         if received == 0 {
//!             return Ok(echoed); // end of file: the peer has finished
//!         }
//!         let mut unsent = &buf[..received];
//!         while !unsent.is_empty() {
//!             let sent = send(client, unsent, MSG_NOSIGNAL)?; // perhaps a short write
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
//!
//! `poll` takes rows instead, has no limit on the descriptor's number, and writes only `revents`:
//!
//! ```
//! use std::os::fd::AsFd;
//!
//! use baresock::sys::*;
//!
//! # fn main() -> Result<()> {
//! let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
//! let mut rows = [PollFd::new(ours.as_fd(), POLLIN)];
//! assert_eq!(poll(&mut rows, 0)?, 0); // a timeout of 0 ms does not wait
//! send(&theirs, b"x", MSG_NOSIGNAL)?;
//! assert_eq!(poll(&mut rows, -1)?, 1); // -1 waits forever
//! assert_eq!(rows[0].revents(), POLLIN);
//! # Ok(())
//! # }
//! ```
//!
//! [`bare_select`] and [`bare_poll`] are whole servers in 80 lines each. If you read only one file, read one of these.
//! [`event_loop`] is the loop in full: short writes, half-closes, backpressure, limits and deadlines, over either call.
//!
//! # Messages
//!
//! TCP carries bytes, not messages. [`framing`] finds the messages in what has arrived so far:
//!
//! ```
//! use baresock::framing::{Framing, Rule};
//!
//! let framing = Framing::new(Rule::Line);
//! let (message, rest) = framing.take(b"one\ntw")?.expect("a whole line");
//! assert_eq!((message, rest), (&b"one"[..], &b"tw"[..]));
//! assert_eq!(framing.take(rest)?, None); // keep the rest until more bytes arrive
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Watching the calls
//!
//! Every wrapper reports its call to [`trace`]. A tracer belongs to one thread:
//!
//! ```
//! use baresock::sys::*;
//! use baresock::trace::arg::ValueLimits;
//! use baresock::trace::{Recording, Tracer, install};
//!
//! # fn main() -> Result<()> {
//! let recording = Recording::default();
//! let tracing = install(Tracer::new(recording.sink(ValueLimits::default())));
//! let [one, other] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
//! send(&one, b"hello", MSG_NOSIGNAL)?;
//! close(other)?;
//! drop(tracing);
//! let calls: Vec<String> =
//!     recording.events().iter().map(|event| event.callee.to_string()).collect();
//! assert_eq!(calls, ["socketpair", "send", "close"]);
//! # Ok(())
//! # }
//! ```
//!
//! # The chapters
//!
//! The crate is a book: its modules are chapters, and each uses only those above it.
//!
//! 1. [`byteorder`], [`values`], [`names`], [`addr`]: numbers, constants and addresses, and how people write them.
//! 2. [`trace`]: how a call is recorded, and printed in strace's notation.
//! 3. [`sys`]: **the calls**, one safe function for each function of C; the only code whose safety the compiler cannot check.
//! 4. [`bare_select`] and [`bare_poll`]: **the loop itself**, an echo server each.
//! 5. [`os`]: everything else that touches the system.
//! 6. [`poller`], [`conn`], [`framing`], [`events`], [`event_loop`]: the loop in full. Both calls behind one small trait.
//! 7. [`services`]: what the loop serves, as functions from events to actions. [`client`]: standard input, standard output
//!    and one socket in the same loop.
//! 8. [`packets`]: what went over loopback, and which call caused it. [`labs`]: experiments, each of which demonstrates one behaviour of sockets.
//! 9. [`logs`]: reads logs of strace. [`report`]: what a program's calls say about it: its connections, a table, and advice.
//! 10. [`explain`]: what a call means, and what every name means. [`ladder`]: both ends of a connection, side by side.
//! 11. [`view`]: a running loop as a page in the browser, which can pause it.
//! 12. [`compare`]: `select` against `poll`, measured.
//! 13. [`judge`]: attacks a server or a client, and says what broke and why.
//! 14. [`cli`]: the command line of the program, which is the rest.
//!
//! The library stands without the program: with `default-features = false` it is chapters 1 to 6, and needs only `libc`
//! and `nix`. The other chapters, and the trace as JSON, come with the feature `program`, which is on by default.
//!
//! The chapters that must be quick are a package of their own, `baresock-core` (`src/core.rs`): in a release build Cargo optimises
//! these, and not the chapters that teach.

// The commands are written as a user of the library would write them.
#[cfg(feature = "program")]
extern crate self as baresock;

// The chapters that a release build optimises.
#[doc(inline)]
pub use baresock_core::{
    addr, bare_poll, bare_select, byteorder, conn, event_loop, events, framing, names, os, poller,
    sys, trace, values,
};
#[cfg(feature = "program")]
#[doc(inline)]
pub use baresock_core::{client, compare, judge, logs, packets, report, services};

#[cfg(feature = "program")]
pub mod book;
#[cfg(feature = "program")]
pub mod cli;
// For the program alone, which is a crate of its own.
#[cfg(feature = "program")]
#[doc(hidden)]
pub mod commands;
#[cfg(feature = "program")]
pub mod explain;
#[cfg(feature = "program")]
pub mod labs;
#[cfg(feature = "program")]
pub mod ladder;
#[cfg(feature = "program")]
pub mod view;
