//! Logs of strace, read: every call in them, whatever options strace had, and wherever the log was pasted.
//!
//! `tests/logs/strace` has logs of one program (`tests/logs/calls.c`) under the options of strace 6.1, 6.13 and 7.2. Each
//! ends with the table that strace itself made of the same run (`-C`): what a reader has to find.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use baresock::logs::calls::{CallReader, LogCounts, LogItem};

/// How often each call stands in a log, by the kernel's name; and what was read.
fn counted(log: &[u8]) -> (BTreeMap<String, u64>, LogCounts) {
    let mut calls = CallReader::new(log, 0);
    let mut counts = BTreeMap::new();
    while calls
        .read_line(|said, place| match said {
            LogItem::Call(call) => *counts.entry(call.name.to_string()).or_default() += 1,
            LogItem::Text => println!("line {} is not understood: {}", place.line, place.text),
            _ => {}
        })
        .unwrap()
    {}
    (counts, calls.counts())
}

/// The numbers of the table at the end of a log.
fn table(log: &str) -> BTreeMap<String, u64> {
    let rows = log.lines().skip_while(|line| !line.starts_with("% time")).skip(2);
    let row = |line: &str| {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        Some((words.last()?.to_string(), words.get(3)?.parse().ok()?))
    };
    rows.take_while(|line| !line.starts_with("------")).filter_map(row).collect()
}

fn logs() -> Vec<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs/strace");
    let mut logs: Vec<_> =
        fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.sort();
    assert!(logs.len() >= 30, "{}", logs.len());
    logs
}

/// strace counts a call that never returns when it does; the log has it as unfinished, or with `= ?`.
fn without_ends(mut calls: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    calls.retain(|name, _| !name.starts_with("exit"));
    calls
}

#[test]
fn every_call_is_found_that_strace_counted() {
    let mut all = 0;
    for log in logs() {
        println!("{}", log.display());
        let text = fs::read_to_string(&log).unwrap();
        let (found, counts) = counted(text.as_bytes());
        let expected = without_ends(table(&text));
        assert!(!expected.is_empty(), "no table in {}", log.display());
        assert_eq!(without_ends(found), expected, "{}", log.display());
        assert_eq!(counts.not_understood, 0, "{}", log.display());
        all += counts.calls;
    }
    println!("calls: {all}");
}
