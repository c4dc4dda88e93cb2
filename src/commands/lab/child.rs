//! The process of one lab: it makes the calls, and reports on standard output what happens, one event a line.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use baresock::cli::{self, Common};
use baresock::explain::Explainer;
use baresock::labs::Lab;
use baresock::labs::run::{Audience, LabCapture, LabEvent, LabSocket, Run, Stop};
use baresock::os::descriptors::open_descriptors;
use baresock::os::identity;
use baresock::os::limits::raise_descriptor_limit;
use baresock::os::output::Patient;
use baresock::os::process_group::kill_group;
use baresock::sys::socket_state;
use baresock::sys::wild::{LAB_DIRECTORY, OWN_NETWORK, Wild};
use baresock::trace::arg::ValueLimits;
use baresock::trace::bits::BitsSink;
use baresock::trace::descriptors::DescriptorTable;
use baresock::trace::ends::EndNotation;
use baresock::trace::text::{TextLine, TextOptions};
use baresock::trace::{Both, Event, Sink, Tracer, idle_rules, install};

use super::Failure;
use super::overdue::OverdueWatch;
use crate::commands::messages::say;
use crate::commands::tracing::{LineWidth, beside_a_lab, colors_of, limits, text_options};

/// The most sockets whose states are told.
const MOST_STATES: usize = 256;

/// Runs a lab in this process.
pub(super) fn run(lab: &'static Lab, asked: &cli::LabArgs, common: &Common) -> Result<(), Failure> {
    let Some(wild) = Wild::in_a_lab() else {
        return Err(Failure::new("lab --stage is for baresock's own use"));
    };
    let directory = PathBuf::from(std::env::var_os(LAB_DIRECTORY).unwrap_or_default());
    let mut teller = EventSender { waits: asked.ask };
    if let Some(why) = too_few_descriptors(lab) {
        teller.hears(LabEvent::Stopped(Stop::Skipped(why)));
        return Ok(());
    }
    let capture = match std::env::var_os(OWN_NETWORK) {
        Some(_) => LabCapture::Runs,
        None => LabCapture::None,
    };
    let before = open_descriptors();
    let watch = OverdueWatch::new(wild).map_err(|errno| Failure::of("lab: sigaction", errno))?;
    let traced = install(tracer(asked, common, watch)?);
    let outcome = (lab.run)(&mut Run::new(lab.name, &mut teller, wild, directory.clone(), capture));
    if !common.quiet {
        idle_rules().iter().for_each(say);
    }
    drop(traced);
    if let Err(stop) = outcome {
        teller.hears(LabEvent::Stopped(stop));
    }
    for number in open_descriptors().into_iter().filter(|number| !before.contains(number)) {
        teller.hears(LabEvent::Left { what: format!("descriptor {number}") });
    }
    for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().escape_debug().to_string();
        teller.hears(LabEvent::Left { what: format!("the file {name}") });
    }
    Ok(())
}

/// Plays a role of a lab, for the lab's process.
pub(super) fn play(lab: &Lab, role: &str, arguments: &[String]) -> Result<(), Failure> {
    let Some(role) = lab.roles.iter().find(|known| known.name == role) else {
        return Err(Failure::new(format_args!("lab {}: there is no such role", lab.name)));
    };
    (role.run)(arguments).map_err(|stop| {
        let (Stop::Skipped(why) | Stop::Failed(why)) = stop;
        Failure::new(why)
    })
}

/// Raises the limit on descriptors to what the lab needs; says so if the hard limit does not allow it.
fn too_few_descriptors(lab: &Lab) -> Option<String> {
    let limits = raise_descriptor_limit().ok()?;
    (limits.soft < lab.descriptors).then(|| {
        format!(
            "this lab needs {} file descriptors, and the limit is {}",
            lab.descriptors, limits.soft
        )
    })
}

/// The tracer of a lab: every call becomes an event, and also goes to a file if one is named.
fn tracer(asked: &cli::LabArgs, common: &Common, watch: OverdueWatch) -> Result<Tracer, Failure> {
    let colors = colors_of(common.color, &io::stdout());
    let asked_for = text_options(common, colors, LineWidth::Any);
    let ends = match asked_for.ends {
        EndNotation::Bare => EndNotation::WhereBothPlay,
        with_address => with_address,
    };
    let line = TextLine::new(TextOptions { ends, ..asked_for });
    let recorder = LabRecorder {
        line,
        limits: limits(common),
        connections: asked.connections,
        steps: common.step,
        files: DescriptorTable::default(),
        watch,
    };
    let drawn: Box<dyn Sink> =
        if common.bits { Box::new(BitsSink::new(recorder)) } else { Box::new(recorder) };
    let told: Box<dyn Sink> = if common.explain { Box::new(Explainer::new(drawn)) } else { drawn };
    // This reads a file, which is not a call of the lab, so it comes before the trace's file is opened.
    let caller = identity::caller();
    let tracer = match beside_a_lab(common)? {
        None => Tracer::boxed(told),
        Some(file) => Tracer::new(Both::new(told, file)),
    };
    let tracer = tracer.with_caller(caller).with_rules(common.inject.clone());
    Ok(if common.state { tracer.with_probe(socket_state) } else { tracer })
}

/// Reports events on standard output.
struct EventSender {
    /// Whether the lab, after a prediction, waits for a byte on standard input.
    waits: bool,
}

impl Audience for EventSender {
    fn hears(&mut self, event: LabEvent) {
        let is_prediction = matches!(event, LabEvent::Predicted { .. });
        tell(&event);
        if self.waits && is_prediction {
            wait_to_go_on();
        }
    }
}

/// Waits for the byte with which the lab goes on. If none will come, the lab goes on and cannot know why.
fn wait_to_go_on() {
    let _ = io::stdin().read(&mut [0]);
}

fn tell(event: &LabEvent) {
    if let Ok(mut line) = serde_json::to_vec(event) {
        line.push(b'\n');
        // If the watching process has ended, this one ends at its next report.
        if Patient(io::stdout()).write_all(&line).is_err() {
            std::process::exit(1);
        }
    }
}

/// Ends this process and its children, without the rest of the lab.
fn give_up() {
    let why = "a second call did not return, so the rest of the lab would only wait, too";
    tell(&LabEvent::Stopped(Stop::failed(why)));
    kill_group(std::process::id());
}

/// Reports every call, as a line and as a value.
#[derive(Debug)]
struct LabRecorder {
    line: TextLine,
    limits: ValueLimits,
    /// Whether both ends of each connection are reported, which takes calls of its own: a ladder needs them.
    connections: bool,
    /// Whether it stops before each call, and then tells the states of all sockets.
    steps: bool,
    files: DescriptorTable,
    watch: OverdueWatch,
}

impl Sink for LabRecorder {
    fn begin(&mut self, event: &Event<'_>) {
        self.line.begin(event);
        if self.steps {
            let line = self.line.first_half(event).to_string();
            let states =
                self.files.open().filter_map(|(fd, _)| Some(LabSocket::new(fd, socket_state(fd)?)));
            let states = states.take(MOST_STATES).collect();
            tell(&LabEvent::Calling { line, call: Box::new(event.kept(self.limits)), states });
            wait_to_go_on();
        }
        self.watch.begin(event);
    }

    fn end(&mut self, event: &Event<'_>) {
        let overdue = self.watch.end(event);
        if self.steps {
            self.files.learn(event);
        }
        let line = self.line.whole(event).to_string();
        tell(&LabEvent::Called { line, call: Box::new(event.kept(self.limits)) });
        if let Some(overdue) = overdue {
            tell(&overdue);
            if self.watch.has_seen_enough() {
                give_up();
            }
        }
    }

    fn remark(&mut self, text: &str) {
        tell(&LabEvent::Remarked { text: text.to_string() });
    }

    fn drawing(&mut self, line: &str) {
        tell(&LabEvent::Drawn { line: line.to_string() });
    }

    fn wants_times(&self) -> bool {
        true
    }

    fn wants_connections(&self) -> bool {
        self.connections
    }
}
