//! The manual page says what the program takes, and no more.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::process::Command;

use baresock::cli::Cli;
use clap::CommandFactory;

const MANUAL: &str = include_str!("../man/baresock.1");

/// Those that people type. (A hidden one is this program's own: it runs itself again.)
fn commands(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    let all = command.get_subcommands();
    all.filter(|below| below.get_name() != "help" && !below.is_hide_set())
}

/// Every long flag of a command and of those below it.
fn flags(command: &clap::Command, found: &mut BTreeSet<String>) {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let longs = shown.filter_map(|argument| argument.get_long());
    found.extend(longs.map(str::to_string));
    for below in commands(command) {
        flags(below, found);
    }
}

/// The flags that the manual has an entry for: `.It Fl -via …`, `.It Fl q , -quiet`.
fn flags_in_manual() -> BTreeSet<String> {
    let entries = MANUAL.lines().filter(|line| line.starts_with(".It Fl "));
    let words = entries.flat_map(|line| line.split_whitespace());
    let longs = words.filter_map(|word| word.strip_prefix('-'));
    longs.map(str::to_string).collect()
}

#[test]
fn the_manual_has_an_entry_for_every_flag_and_for_no_other() {
    let mut command = Cli::command();
    command.build();
    let mut in_program = BTreeSet::new();
    flags(&command, &mut in_program);
    assert!(in_program.contains("trace-to"), "{in_program:?}");
    assert_eq!(flags_in_manual(), in_program);
}

#[test]
fn the_manual_names_every_command() {
    for command in commands(&Cli::command()) {
        let entry = format!(".It Cm {}", command.get_name());
        assert!(MANUAL.lines().any(|line| line.starts_with(&entry)), "{entry} is missing");
    }
}

#[test]
fn mandoc_finds_no_mistake_in_the_manual() {
    let lint = Command::new("mandoc").args(["-Tlint", "-Wstyle", "man/baresock.1"]).output();
    let Ok(lint) = lint else {
        assert!(std::env::var_os("CI").is_none(), "mandoc is not installed");
        eprintln!("skipped: mandoc is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&lint.stdout);
    assert!(lint.status.success() && said.is_empty(), "{said}");
}
