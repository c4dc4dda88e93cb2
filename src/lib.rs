//! Bare sockets: the BSD socket calls with nothing in the way.

#[cfg(not(any(linux, apple, bsd)))]
compile_error!("baresock knows the socket calls of Linux, macOS, FreeBSD, OpenBSD and NetBSD");

pub mod addr;
pub mod bare_poll;
pub mod bare_select;
pub mod byteorder;
pub mod cli;
pub mod conn;
pub mod event_loop;
pub mod events;
pub mod names;
pub mod os;
pub mod poller;
pub mod services;
pub mod sys;
pub mod trace;
pub mod values;
