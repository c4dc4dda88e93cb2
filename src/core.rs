//! The chapters of `baresock` that a release build optimises: the calls, the loop and its services, what reads a program's
//! calls, and what measures and attacks.
//!
//! Read them by way of the crate `baresock`, which has these chapters under its own name and says their order.
//! The border between the two crates is Cargo's. They compile side by side, and in a release build what must be quick is
//! optimised, while labs, explanations and the command line, which is the other half, are not.

// Without the feature `program`, parts of the first chapters are not used.
#![cfg_attr(not(feature = "program"), allow(dead_code))]

#[cfg(not(any(linux, apple, bsd)))]
compile_error!("baresock knows the socket calls of Linux, macOS, FreeBSD, OpenBSD and NetBSD");

pub mod addr;
pub mod bare_poll;
pub mod bare_select;
pub mod byteorder;
#[cfg(feature = "program")]
pub mod client;
#[cfg(feature = "program")]
pub mod compare;
pub mod conn;
pub mod event_loop;
pub mod events;
pub mod framing;
#[cfg(feature = "program")]
pub mod judge;
#[cfg(feature = "program")]
pub mod logs;
pub mod names;
pub mod os;
#[cfg(feature = "program")]
pub mod packets;
pub mod poller;
#[cfg(feature = "program")]
pub mod report;
#[cfg(feature = "program")]
pub mod services;
pub mod sys;
pub mod trace;
pub mod values;
