//! The source: its layout, and its prose.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod layout;
mod prose;
