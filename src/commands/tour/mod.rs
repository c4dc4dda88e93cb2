//! `baresock` without a command: a tour. One process plays a server and two clients; the clients' calls are not in the
//! server's trace, so a reader sees those of the server only.
//!
//! This file goes from the flags to a stage. `script` is the play, `stage` plays it, `client` is the other side,
//! `paper` the output, `recorder` records both sides for a page.

mod client;
mod paper;
mod recorder;
mod script;
mod stage;

use std::io;

use baresock::cli::{self, Common};
use baresock::explain::Explainer;
use baresock::os::identity;
use baresock::sys::socket_state;
use baresock::trace::output::{Output, Pace};
use baresock::trace::text::TextSink;
use baresock::trace::{Both, Sink, Tracer, install};

use super::failure::Failure;
use super::ladder::write_page;
use super::step::{Stepped, Stepper, Whose};
use super::tracing::{LineWidth, beside_the_tour, text_options, use_color};
use paper::{Narrator, PageTurning, Paper};
use recorder::TourRecordings;
use stage::Stage;

/// Plays the tour, at a pace that a person can follow on a terminal; also draws the calls of both sides as a page, on
/// request.
pub(crate) fn run(tour: &cli::TourArgs, common: &Common) -> Result<(), Failure> {
    if !common.inject.is_empty() {
        let why = "the tour follows a fixed script; --inject needs a command, such as serve";
        return Err(Failure::usage(why));
    }
    let color = use_color(common.color, &io::stdout());
    let stepper = match common.step {
        true => Some(Stepper::new(&io::stdout(), "standard output", Whose::Ours)?),
        false => None,
    };
    let paper = Paper::new(match stepper {
        Some(_) => PageTurning::ByCalls,
        None => PageTurning::ByChapters,
    });
    // Lines of text and lines of the trace go through one output, in the order in which they happen.
    let pace = if stepper.is_some() { Pace::Live } else { Pace::EveryLine };
    let output = Output::new(paper.clone(), "standard output", pace);
    let text = TextSink::new(output.clone(), text_options(common, color, LineWidth::OfTerminal));
    let shown = Explainer::new(text);
    let mut sink: Box<dyn Sink> = match stepper {
        Some(stepper) => Box::new(Stepped::new(shown, stepper, &output)),
        None => Box::new(shown),
    };
    if let Some(other) = beside_the_tour(common)? {
        sink = Box::new(Both::new(sink, other));
    }
    let recorder = tour.html.as_ref().map(|_| TourRecordings::new(common));
    if let Some(recorder) = &recorder {
        sink = Box::new(Both::new(sink, recorder.server()));
    }
    let tracer = Tracer::boxed(sink).with_caller(identity::caller());
    let tracer = if common.state { tracer.with_probe(socket_state) } else { tracer };
    let narrator = Narrator::new(output, color);
    let mut stage = Stage::new(narrator, common.via(), recorder.clone());
    let traced = install(tracer);
    let played = script::play(&mut stage, &paper);
    drop(stage);
    drop(traced);
    paper.discard_typed();
    match paper.error() {
        // If standard output is closed (`| head`), the reader has seen enough.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Some(error) => return Err(Failure::from_std("standard output", &error)),
        None => played?,
    }
    match (&tour.html, recorder) {
        (Some(file), Some(recorder)) => {
            let (traces, notes) = recorder.taken();
            write_page(traces, "The tour of baresock", &notes, file)
        }
        _ => Ok(()),
    }
}
