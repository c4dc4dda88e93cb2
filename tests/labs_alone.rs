//! What a test of labs does to the whole machine, and so cannot do beside others: this file's tests run by themselves.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::TcpListener;

use serde_json::Value;
use support::baresock;

#[test]
fn a_port_that_is_in_use_at_every_address_skips_the_lab() {
    // If another program has it, so much the better.
    let server = TcpListener::bind("0.0.0.0:8080");
    let output = baresock(&["lab", "--json", "forgot-htons"]);
    let told = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(last["verdict"], "skipped", "{told}");
    assert!(output.status.success());
    drop(server);
}
