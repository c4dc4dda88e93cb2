//! What `cargo test` has skipped, in sum. Its test programs run in the order of their names, so this one is the last.

// In a test a panic is the message.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use support::{counted, list_of_what_is_skipped};

#[test]
fn what_was_skipped_is_counted() {
    let list = list_of_what_is_skipped();
    let Ok(skipped) = std::fs::read_to_string(&list) else {
        return counted(format_args!("no test was skipped"));
    };
    std::fs::remove_file(&list).unwrap();
    let mut reasons = BTreeMap::new();
    for reason in skipped.lines() {
        *reasons.entry(reason).or_insert(0) += 1;
    }
    counted(format_args!("{} tests, or parts of them, were skipped:", skipped.lines().count()));
    for (reason, times) in reasons {
        counted(format_args!("{reason}: {times}"));
    }
}
