//! The scripts that make shells complete command lines, each tried in its shell.

use std::process::Command;

use crate::support::*;
use baresock::cli::Cli;
use baresock::labs;
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

fn script(shell: &str) -> String {
    let output = baresock(&["completions", shell]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &said[..]), (Some(0), ""), "{shell}");
    String::from_utf8(output.stdout).unwrap()
}

/// Writes the script into a file, and has the shell run something with its name in `$script`.
fn in_shell(shell: &str, arguments: &[&str]) -> String {
    let place = TempDir::new();
    let file = place.file("completions");
    std::fs::write(&file, script(shell)).unwrap();
    let mut command = Command::new(shell);
    let output =
        output_of(command.args(arguments).env("script", &file).env("HOME", file.parent().unwrap()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &said[..]), (Some(0), ""), "{shell} {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names of commands and the long flags that people are to see.
fn shown() -> Vec<String> {
    let cli = Cli::command();
    let commands = || cli.get_subcommands().filter(|command| !command.is_hide_set());
    let arguments = commands().flat_map(|command| command.get_arguments());
    let flags = arguments.filter(|argument| !argument.is_hide_set());
    let flags = flags.filter_map(|flag| flag.get_long().map(String::from));
    commands().map(|command| command.get_name().to_string()).chain(flags).collect()
}

#[test]
fn every_script_has_every_command_and_flag() {
    for shell in Shell::value_variants() {
        let script = script(&shell.to_string());
        // clap_complete offers no values in the other two, of any argument.
        if ["bash", "zsh", "fish"].contains(&&*shell.to_string()) {
            for name in labs::all().map(|lab| lab.name).chain(["EAGAIN", "half-close"]) {
                assert!(script.contains(name), "{shell}: {name} is missing");
            }
        }
        for name in shown() {
            assert!(script.contains(&name), "{shell}: {name} is missing");
        }
        for hidden in ["compare-server", "-stage", "--role"] {
            assert!(!script.contains(hidden), "{shell} would offer {hidden}");
        }
    }
}

#[test]
fn bash_completes() {
    if !has_program("bash") {
        return;
    }
    let complete = |words: &str| {
        let typed = words.split(' ').next_back().unwrap();
        let before = words.split(' ').nth_back(1).unwrap();
        let ask = format!(
            "source \"$script\"; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _baresock baresock {typed} {before}; echo \"${{COMPREPLY[@]}}\""
        );
        in_shell("bash", &["-c", &ask]).trim().to_string()
    };
    assert_eq!(complete("baresock ser"), "serve");
    assert_eq!(complete("baresock comp"), "compare completions");
    assert_eq!(complete("baresock compare --sv"), "--svg");
    assert_eq!(complete("baresock completions fi"), "fish");
    assert_eq!(complete("baresock serve --via po"), "poll");
    assert_eq!(complete("baresock lab half"), "half-close");
    assert_eq!(complete("baresock explain EAG"), "EAGAIN");
}

#[test]
fn fish_completes() {
    if !has_program("fish") {
        return;
    }
    let complete = |words: &str| {
        let ask = format!("source $script; complete -C '{words}'");
        let offered = in_shell("fish", &["--no-config", "-c", &ask]);
        let words = offered.lines().map(|line| line.split('\t').next().unwrap().to_string());
        words.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(complete("baresock ser"), "serve");
    assert_eq!(complete("baresock comp"), "compare completions");
    assert_eq!(complete("baresock compare --sv"), "--svg");
    assert_eq!(complete("baresock serve --via po"), "poll");
    assert_eq!(complete("baresock lab half"), "half-close");
    assert_eq!(complete("baresock explain EAG"), "EAGAIN");
    assert_eq!(complete("baresock completions fi"), "fish");
}

/// What it completes is seen by its line editor only; here it is parsed, and known as the completion of this program.
#[test]
fn zsh_takes_it() {
    if !has_program("zsh") {
        return;
    }
    let ask = "autoload -U compinit; compinit -u -D; source $script; print $_comps[baresock]";
    assert_eq!(in_shell("zsh", &["-f", "-c", ask]).trim(), "_baresock");
}
