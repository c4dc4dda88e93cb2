//! The program's help: it fits a terminal, and its examples can be typed.

use std::process::Command;

use crate::support::BARESOCK;
use baresock::cli::Cli;
use clap::{CommandFactory, Parser};

/// The usual width of a terminal.
const COLUMNS: usize = 80;

/// Every command that people type, and the program without one.
fn commands() -> Vec<String> {
    let command = Cli::command();
    let named = command.get_subcommands().filter(|command| !command.is_hide_set());
    let named = named.map(|command| command.get_name().to_string());
    std::iter::once(String::new()).chain(named).collect()
}

fn help(command: &str, flag: &str) -> String {
    let mut run = Command::new(BARESOCK);
    run.args(command.split_whitespace()).arg(flag).env_remove("COLUMNS");
    let output = run.output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]), "{command} {flag}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_fits_a_terminal() {
    for command in commands() {
        for flag in ["-h", "--help"] {
            for line in help(&command, flag).lines() {
                assert!(line.chars().count() <= COLUMNS, "{command} {flag}: {line}");
                assert!(!line.ends_with(' '), "{command} {flag}: {line:?}");
            }
        }
    }
}

#[test]
fn short_help_is_short_and_long_help_has_examples() {
    for command in commands() {
        let (short, long) = (help(&command, "-h"), help(&command, "--help"));
        assert!(short.lines().count() < 66, "{command}: a page");
        assert!(short.lines().count() < long.lines().count(), "{command}");
        assert!(!short.contains("Examples:"), "{command}");
        assert!(!examples(&long).is_empty(), "{command}: {long}");
    }
}

/// The lines below `Examples:`.
fn examples(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines.take_while(|line| line.starts_with("  ")).collect()
}

#[test]
fn what_the_examples_say_can_be_typed() {
    for command in commands() {
        let mut is_about_it = false;
        for example in examples(&help(&command, "--help")) {
            let typed = typed(example);
            let parsed = Cli::try_parse_from(&typed);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            is_about_it |= command.is_empty() || typed.contains(&command.as_str());
        }
        assert!(is_about_it, "{command}: no example has it");
    }
}

/// The command of an example: what comes before it, what goes on behind it and what is said of it are not its own.
fn typed(example: &str) -> Vec<&str> {
    let from = example.find("baresock").expect("an example has the program's name");
    let command = example[from..].split("  ").next().unwrap();
    let command = command.split([')', '>', '|']).next().unwrap();
    command.split_whitespace().collect()
}

#[test]
fn where_there_are_many_flags_they_stand_in_groups() {
    let mut all = Cli::command();
    all.build();
    for command in all.get_subcommands().filter(|command| !command.is_hide_set()) {
        let own = command.get_arguments().filter(|argument| {
            let is_everybodys = argument.is_global_set() || argument.get_id() == "help";
            argument.get_long().is_some() && !argument.is_hide_set() && !is_everybodys
        });
        let own: Vec<_> = own.collect();
        for argument in own.iter().filter(|_| own.len() > 3) {
            let is_grouped = argument.get_help_heading().is_some();
            assert!(is_grouped, "{} {}", command.get_name(), argument.get_id());
        }
    }
}
