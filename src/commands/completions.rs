//! `baresock completions`: a script that makes a shell complete its command lines.

use baresock::cli::Cli;
use baresock::explain::words;
use baresock::labs;
use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory};
use clap_complete::{Shell, generate};

use super::failure::Failure;
use super::messages::print;

/// Prints the script.
pub(crate) fn run(shell: Shell) -> Result<(), Failure> {
    // Not written straight to standard output, because clap_complete panics if that is closed or full.
    let mut script = Vec::new();
    let mut command = without_hidden(&Cli::command());
    generate(shell, &mut command, "baresock", &mut script);
    if shell == Shell::Fish {
        script.extend_from_slice(values_for_fish(&command).as_bytes());
    }
    print(&script)
}

/// clap_complete leaves the values of positional arguments out of fish's script.
fn values_for_fish(command: &Command) -> String {
    let mut lines = String::new();
    for command in command.get_subcommands() {
        let values = command.get_positionals().flat_map(Arg::get_possible_values);
        let names: Vec<String> = values.map(|value| value.get_name().to_string()).collect();
        if !names.is_empty() {
            let command = command.get_name();
            let names = names.join(" ");
            lines.push_str(&format!(
                "complete -c baresock -n \"__fish_baresock_using_subcommand {command}\" -f -a '{names}'\n"
            ));
        }
    }
    lines
}

/// The names that a command's argument can have, if there are many. The command itself takes more, and suggests
/// corrections.
fn names_for(command: &str) -> Option<Vec<&'static str>> {
    match command {
        "lab" => {
            let groups = labs::GROUPS.iter().map(|group| group.name);
            Some(labs::all().map(|lab| lab.name).chain(groups).collect())
        }
        "explain" => {
            let entries = words::GROUPS.iter().flat_map(|group| &*group.entries);
            Some(entries.map(|entry| entry.name).collect())
        }
        _ => None,
    }
}

/// Hidden commands and flags are for the program itself, and the scripts would offer them.
fn without_hidden(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    // Values that the help does not repeat are offered nevertheless.
    let arguments = arguments.map(|argument| {
        let argument = argument.clone().hide_possible_values(false);
        match names_for(command.get_name()) {
            Some(names) if argument.is_positional() => {
                argument.value_parser(PossibleValuesParser::new(names))
            }
            _ => argument,
        }
    });
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
