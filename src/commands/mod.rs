//! The commands of the program: each from what was asked to calls of the library.

pub(crate) mod bare;
pub(crate) mod book;
mod columns;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod connect;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod host;
pub(crate) mod judge;
pub(crate) mod lab;
pub(crate) mod ladder;
pub(crate) mod listen;
pub(crate) mod messages;
pub(crate) mod read;
mod result_file;
mod run_view;
pub(crate) mod serve;
mod served_view;
mod step;
pub(crate) mod tour;
pub(crate) mod tracing;
pub(crate) mod usage;
mod view_listener;
pub(crate) mod watch;
pub(crate) mod wire;
