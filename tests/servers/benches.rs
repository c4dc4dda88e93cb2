//! The benchmark against other programs runs, and every byte that its load sends arrives.

use std::process::Command;

use crate::support::*;

#[test]
fn the_benchmark_of_the_relay_runs() {
    if !["python3", "cc"].map(has_program).iter().all(|has| *has) {
        return;
    }
    let benches = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/run");
    let mut command = Command::new("python3");
    command.args([benches, "relay", "--alone", "--rounds", "1", "--seconds", "0.1"]);
    command.args(["--via", "select,poll", "--program", BARESOCK]);
    let output = output_of(&mut command);
    let [table, said] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success() && said.is_empty(), "{table}{said}");
    for load in ["64 bytes, 1 connection", "64 bytes, 50 connections", "256 KiB, 8", "one way"] {
        assert!(table.contains(&format!("relay: {load}")), "{load}: {table}");
    }
    assert_eq!(table.matches("baresock select").count(), table.matches("baresock poll").count());
    assert!(!table.contains("failed"), "{table}");
}
