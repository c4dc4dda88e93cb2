//! `baresock` without a command: a tour. One process plays a server and two clients; the clients' calls are not in the
//! server's trace, so a reader sees those of the server only.
//!
//! This file goes from the flags to a stage. `script` is the play, `stage` plays it, `client` is the other side,
//! `paper` the output, `recorder` records both sides for a page.

mod client;
mod packets;
mod paper;
mod recorder;
mod script;
mod stage;

use std::io;

use baresock::cli::{self, Common};
use baresock::explain::Explainer;
use baresock::ladder::Ladder;
use baresock::os::identity;
use baresock::os::own_network::UserNumbers;
use baresock::sys::socket_state;
use baresock::trace::output::{Output, Pace};
use baresock::trace::text::TextSink;
use baresock::trace::{Both, Sink, Tracer, install};
use baresock::view::{RunPlace, RunSink};

use super::failure::Failure;
use super::ladder::write_page;
use super::result_file::ResultFile;
use super::run_view::PageListener;
use super::step::{Stepped, Stepper, Whose};
use super::tracing::{LineWidth, beside_the_tour, colors_of, text_options};
use super::wire::{add_to_trace, enter_network};
use packets::{Shows, TourWire};
use paper::{Narrator, PageTurning, Paper};
use recorder::{BothSides, TourRecordings};
use stage::Stage;

/// Plays the tour, at a pace that a person can follow on a terminal; also draws the calls of both sides as a page, on
/// request.
pub(crate) fn run(tour: &cli::TourArgs, common: &Common) -> Result<(), Failure> {
    if !common.inject.is_empty() {
        let why = "the tour follows a fixed script; --inject needs a command, such as serve";
        return Err(Failure::usage(why));
    }
    let captures = tour.packets || tour.pcap.is_some();
    // Before the tour has a network of its own, which no browser reaches.
    let pages = PageListener::listen(tour.view.as_ref(), common)?;
    if captures {
        // Before anything else: only a process with one thread may change its network.
        enter_network(UserNumbers::Kept)?;
    }
    let pcap = tour.pcap.as_deref().map(ResultFile::open).transpose()?;
    let colors = colors_of(common.color, &io::stdout());
    let stepper = || Stepper::new(&io::stdout(), "standard output", Whose::Ours);
    let stepper = common.step.then(stepper).transpose()?;
    let by_calls = stepper.is_some() || pages.is_some();
    let paper = Paper::new(if by_calls { PageTurning::ByCalls } else { PageTurning::ByChapters });
    let view =
        pages.map(|pages| pages.serve_script(RunPlace::Here, "the tour", common)).transpose()?;
    // Lines of text and lines of the trace go through one output, in the order in which they happen.
    let pace = if by_calls { Pace::Live } else { Pace::EveryLine };
    let output = Output::new(paper.clone(), "standard output", pace);
    let text = TextSink::new(output.clone(), text_options(common, colors, LineWidth::OfTerminal));
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
    if let Some(view) = &view {
        sink = Box::new(Both::new(sink, RunSink::new(view.teller().clone(), "server")));
    }
    let teller = view.as_ref().map(|view| view.teller().clone());
    let shows = if tour.packets { Shows::Packets } else { Shows::CallsAlone };
    let wire =
        captures.then(|| TourWire::begin(&output, common, shows, teller.clone())).transpose()?;
    if let Some(wire) = &wire {
        sink = Box::new(wire.around(sink));
    }
    let tracer = Tracer::boxed(sink).with_caller(identity::caller());
    let tracer = if common.state { tracer.with_probe(socket_state) } else { tracer };
    let narrator = Narrator::new(output, colors);
    let both_sides = BothSides { recorder: recorder.clone(), wire: wire.clone(), teller };
    let mut stage = Stage::new(narrator, common.via(), both_sides);
    let traced = install(tracer);
    let played = script::play(&mut stage, &paper);
    drop(stage);
    drop(traced);
    if let Some(view) = view {
        view.end("The tour is over. This page stays to be read, but it cannot be loaded again.");
    }
    if let Some(wire) = &wire {
        wire.end();
    }
    paper.discard_typed();
    match paper.error() {
        // If standard output is closed (`| head`), the reader has seen enough.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        Some(error) => return Err(Failure::from_std("standard output", &error)),
        None => played?,
    }
    if let Some((wire, file)) = wire.as_ref().zip(pcap) {
        wire.write_pcap(file)?;
    }
    write_files(tour, common, wire.as_ref(), recorder.as_ref())
}

/// Adds the packets to the trace, and draws the page.
fn write_files(
    tour: &cli::TourArgs,
    common: &Common,
    wire: Option<&TourWire>,
    recorder: Option<&TourRecordings>,
) -> Result<(), Failure> {
    let packets = wire.map(TourWire::packets).unwrap_or_default();
    add_to_trace(&packets, common)?;
    match (&tour.html, recorder) {
        (Some(file), Some(recorder)) => {
            let (traces, notes) = recorder.taken();
            let with_calls = traces.into_iter().filter(|trace| !trace.calls.is_empty());
            let ladder = Ladder::of_named(with_calls.collect()).with_packets(packets);
            write_page(&ladder, "The tour of baresock", &notes, file)
        }
        _ => Ok(()),
    }
}
