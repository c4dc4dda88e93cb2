//! Traces: the program's own, held against strace's, and those of others, read and drawn.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod advice;
mod json_trace;
mod ladder;
mod logs;
mod pages;
mod read;
mod report;
mod strace;
mod strace_labs;
mod strace_serve;
#[path = "../support/mod.rs"]
mod support;
mod trace_output;
mod watch;
mod watch_packets;
