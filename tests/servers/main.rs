//! The servers, and the client, as their peers meet them.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod any_input;
mod benches;
mod bytes;
mod chat;
mod clients;
mod connect;
mod every_fault;
mod http;
mod http_files;
mod http_programs;
mod http_slow;
mod rare_paths;
mod relay;
mod relay_splice;
mod run_view;
mod run_view_browser;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod tiers;
mod view;
mod view_browser;
