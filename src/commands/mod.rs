//! The commands of the program: each from what was asked to calls of the library.
//!
//! `run_program` chooses the command; a file for each follows.

mod bare;
mod book;
mod columns;
mod compare;
mod completions;
mod connect;
mod explain;
mod failure;
mod host;
mod judge;
mod lab;
mod ladder;
mod listen;
mod messages;
mod read;
mod result_file;
mod run_view;
mod serve;
mod served_view;
mod step;
mod tour;
mod tracing;
mod usage;
mod view_listener;
mod watch;
mod wire;

use std::process::ExitCode;

use baresock::cli::{Cli, Command, Common, TourArgs};
use baresock::os::signals;
use clap::Parser;

use failure::Failure;
use messages::{Loudness, say};

/// Runs the program with the arguments of this process, and returns its exit status.
pub fn run_program() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage::told(&error),
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let status = failure.status();
            say(failure);
            ExitCode::from(status)
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let common = &cli.common;
    let loudness = match (common.quiet, common.verbose) {
        (true, _) => Loudness::Quiet,
        (_, true) => Loudness::Verbose,
        _ => Loudness::Ordinary,
    };
    let tour = Command::Tour(TourArgs::default());
    let command = cli.command.as_ref().unwrap_or(&tour);
    take_signals(command).map_err(|errno| Failure::of("signals", errno))?;
    let tracer = match command {
        // The tour plays both ends and installs a tracer for each; a lab runs in a process of its own, which has its
        // own tracer.
        Command::Tour(_) | Command::Lab(_) | Command::Book(_) => None,
        // `read` and `watch` show the calls of another program, not ours.
        Command::Read(_) | Command::Watch(_) => {
            tracing::refuse_for_others(common)?;
            // The states of sockets can be read only while their program runs.
            if common.state && matches!(command, Command::Read(_)) {
                return Err(Failure::usage(
                    "--state does not go here: the sockets of a log are gone",
                ));
            }
            None
        }
        Command::Compare(_) => {
            // Writing a trace line takes longer than the call that the line shows.
            tracing::refuse(common, "compare would measure the tracing as well")?;
            if common.via.is_some() {
                return Err(Failure::usage("--via cannot be used here: compare measures both"));
            }
            None
        }
        Command::Judge(_) if common.via.is_some() => {
            return Err(Failure::usage(
                "--via does not go here: judge waits with poll, for it has more connections than an fd_set has bits",
            ));
        }
        Command::Explain(_)
        | Command::Ladder(_)
        | Command::Host(_)
        | Command::Completions { .. } => {
            tracing::refuse(common, "this command makes no calls to trace")?;
            None
        }
        _ => tracing::tracer(common)?,
    };
    // Keep the tracer until the command has ended: dropping it writes what it has collected.
    let _traced = tracer.map(baresock::trace::install);
    let done = dispatch(command, common, loudness);
    if loudness >= Loudness::Ordinary {
        baresock::trace::idle_rules().iter().for_each(say);
    }
    done
}

/// What starts this program may have blocked signals, or ignored SIGCHLD, and a process inherits both. Without this, such
/// a server could not be stopped, and labs would observe that no signal comes.
fn take_signals(command: &Command) -> baresock::sys::Result<()> {
    signals::notice_ends_of_children()?;
    match command {
        // The program that is watched gets the signals that it would get without us.
        Command::Watch(_) => Ok(()),
        _ => signals::unblock_all(),
    }
}

fn dispatch(command: &Command, common: &Common, loudness: Loudness) -> Result<(), Failure> {
    match command {
        Command::Tour(tour) => tour::run(tour, common),
        Command::Bare { address, view } => bare::run(address, view.as_ref(), common, loudness),
        Command::Serve(serve) => serve::run(serve, common, loudness),
        Command::Connect(connect) => connect::run(connect, common, loudness),
        Command::Explain(explain) => explain::run(explain, common),
        Command::Read(read) => read::run(read, common, loudness),
        Command::Watch(watch) => watch::run(watch, common, loudness),
        Command::Ladder(ladder) => ladder::run(ladder, loudness),
        Command::Lab(lab) => lab::run(lab, common),
        Command::Book(book) => book::run(book, common, loudness),
        Command::Judge(judge) => judge::run(judge, common, loudness),
        Command::Compare(compare) => compare::run(compare, loudness),
        Command::CompareServer { server, count } => compare::serve(*server, *count),
        Command::Host(host) => host::run(host),
        Command::Completions { shell } => completions::run(*shell),
    }
}
