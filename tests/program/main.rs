//! The program as its user meets it: command line, help, manual, messages, terminals, and what it leaves behind.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod book;
mod command_line;
mod compare;
mod completions;
mod ending;
mod errors;
mod explain;
mod help;
mod interfaces;
mod limits;
mod listening;
mod manual;
mod pictures;
mod privileges;
mod readme;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod tour;
