//! `baresock` without a command: a tour. One process plays a server and two clients; the clients' part is not traced,
//! so the calls that one sees are the server's.
//!
//! Here: from the flags to a stage. `script` is what is played, `stage` plays it, `client` is the other side, `paper`
//! what it is written on.

mod client;
mod paper;
mod script;
mod stage;

use std::io::{self, IsTerminal};

use baresock::cli::{Cli, Common};
use baresock::explain::Explainer;
use baresock::sys::socket_state;
use baresock::trace::output::{Output, Pace};
use baresock::trace::text::TextSink;
use baresock::trace::{Both, Tracer, install};
use clap::CommandFactory;
use clap::error::ErrorKind;

use super::failure::Failure;
use super::tracing::{beside_the_tour, text_options, use_color};
use paper::{Narrator, Paper};
use stage::Stage;

/// Plays the tour, at a pace that a person can follow if it is shown on a terminal.
pub(crate) fn run(common: &Common) -> Result<(), Failure> {
    if !common.inject.is_empty() {
        let why = "the tour is played as it is written; --inject needs a command, such as serve";
        Cli::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    let color = use_color(common.color, &io::stdout());
    let paper = Paper::new(io::stdout().is_terminal());
    // Lines of text and lines of the trace go through one output, in the order in which they happen.
    let output = Output::new(paper.clone(), "standard output", Pace::EveryLine);
    let text = TextSink::new(output.clone(), text_options(common, color, true));
    let shown = Explainer::new(text);
    let tracer = match beside_the_tour(common)? {
        None => Tracer::new(shown),
        Some(other) => Tracer::new(Both::new(shown, other)),
    };
    let tracer = if common.state { tracer.with_probe(socket_state) } else { tracer };
    let mut stage = Stage::new(Narrator::new(output, color), common.via.into());
    let traced = install(tracer);
    let played = script::play(&mut stage, &paper);
    drop(stage);
    drop(traced);
    match paper.error() {
        // Whoever closed standard output (`| head`) has seen enough.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(error) => Err(Failure::from_std("standard output", &error)),
        None => played,
    }
}
