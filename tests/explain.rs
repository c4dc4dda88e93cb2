//! `baresock explain` as its user knows it.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::process::{Command, Stdio};

use support::*;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The words that `--list` lists.
fn listed() -> Vec<String> {
    let output = baresock(&["explain", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    let lines = text(&output.stdout);
    let words = lines.lines().filter_map(|line| line.strip_prefix("  "));
    words.map(|line| line.split(' ').next().unwrap().to_string()).collect()
}

#[test]
fn every_listed_word_is_explained() {
    let words = listed();
    assert!(words.len() > 250, "{}", words.len());
    // Some at a time: each page must fit into a pipe that is read when the program has ended.
    for words in words.chunks(25) {
        let mut arguments = vec!["explain"];
        arguments.extend(words.iter().map(String::as_str));
        let output = baresock(&arguments);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(output.stderr, b"");
        let said = text(&output.stdout);
        for word in words {
            let page = said.lines().filter(|line| {
                *line == word
                    || line.strip_prefix(word.as_str()).is_some_and(|l| l.starts_with(": "))
            });
            assert_eq!(page.count(), 1, "{word} in {said}");
        }
    }
}

#[test]
fn a_word_may_be_written_in_several_ways() {
    for (arguments, begins) in [
        ("EAGAIN", "EAGAIN: "),
        ("so_reuseaddr", "SO_REUSEADDR: "),
        ("accept()", "accept: "),
        ("half close", "shutdown: "),
        ("half-close", "shutdown: "),
        ("so-reuseaddr", "SO_REUSEADDR: "),
        ("time-wait", "TIME_WAIT: "),
        ("sin_port", "sin_port: "),
        ("refused", "refused: "),
        ("epoll", "epoll: "),
        ("eof", "recv: "),
        ("HUP", "POLLHUP: "),
    ] {
        let mut all = vec!["explain"];
        all.extend(arguments.split(' '));
        let output = baresock(&all);
        assert_eq!(output.status.code(), Some(0), "{arguments}");
        assert!(output.stdout.starts_with(begins.as_bytes()), "{}", text(&output.stdout));
    }
    let number = baresock::sys::Errno::EPIPE.number().to_string();
    assert!(baresock(&["explain", &number]).stdout.starts_with(b"EPIPE: "));
}

#[test]
fn a_slip_is_answered_with_what_was_meant() {
    for (word, said) in [
        ("EGAIN", "did you mean EAGAIN?"),
        ("no-such-word", "baresock explain --list"),
        ("99999", "baresock explain --list"),
        ("", "baresock explain --list"),
        ("\u{1b}[31m", "baresock explain --list"),
    ] {
        let output = baresock(&["explain", word]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{word}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
        assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
        assert_eq!(output.stdout, b"");
    }
    let mixed = baresock(&["explain", "EGAIN", "EINTR"]);
    assert_eq!(mixed.status.code(), Some(1));
    assert!(mixed.stdout.starts_with(b"EINTR: "), "what is known is explained all the same");
}

#[test]
fn json_is_one_object_a_line() {
    let objects = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let output = baresock(arguments);
        assert_eq!(output.status.code(), Some(0));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let explained = objects(&["explain", "--json", "accept", "EAGAIN"]);
    assert_eq!(explained.len(), 2);
    assert_eq!(explained[0]["name"], "accept");
    assert!(explained[0]["prototype"].as_str().unwrap().starts_with("int accept("));
    assert_eq!(explained[1]["value"], baresock::sys::Errno::EAGAIN.number());
    let all = objects(&["explain", "--list", "--json"]);
    let names: Vec<_> = all.iter().map(|object| object["name"].as_str().unwrap()).collect();
    assert_eq!(names, listed());
}

#[test]
fn what_is_asked_must_be_said() {
    for arguments in [&["explain"][..], &["explain", "--json"], &["explain", "--list", "EAGAIN"]] {
        assert_eq!(baresock(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    assert!(!baresock(&["explain", "EAGAIN"]).stdout.contains(&0x1b));
    assert!(baresock(&["explain", "EAGAIN", "--color", "always"]).stdout.contains(&0x1b));
}

/// As in `baresock explain --list | head -0`.
#[test]
fn standard_output_may_be_closed() {
    for arguments in
        [&["explain", "--list"][..], &["explain", "--list", "--json"], &["explain", "accept"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run =
            Command::new(BARESOCK).args(arguments).stdin(Stdio::null()).stdout(writer).output();
        let output = run.unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}
