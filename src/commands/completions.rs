//! `baresock completions`: a script that makes a shell complete its command lines.

use baresock::cli::Cli;
use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate};

use super::failure::Failure;
use super::messages::print;

/// Prints the script.
pub(crate) fn run(shell: Shell) -> Result<(), Failure> {
    // Not straight to standard output: it panics where that is closed or full.
    let mut script = Vec::new();
    generate(shell, &mut without_hidden(&Cli::command()), "baresock", &mut script);
    print(&script)
}

/// What the program says to itself is not for people, and the scripts would offer it.
fn without_hidden(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    // Values that the help need not repeat are offered all the same.
    let arguments = arguments.map(|argument| argument.clone().hide_possible_values(false));
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    let shown = Command::new(command.get_name().to_string())
        .args(arguments)
        .subcommands(commands.map(without_hidden));
    let shown = match command.get_version() {
        Some(version) => shown.version(version.to_string()),
        None => shown,
    };
    match command.get_about() {
        Some(about) => shown.about(about.clone()),
        None => shown,
    }
}
