//! The process of one lab: it makes the calls, and tells on standard output what happens, an event a line.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use baresock::cli::{self, Common};
use baresock::explain::Explainer;
use baresock::labs::Lab;
use baresock::labs::run::{Audience, Event, Run, Stop};
use baresock::os::descriptors::open_descriptors;
use baresock::os::identity;
use baresock::os::limits::raise_descriptor_limit;
use baresock::os::process_group::kill_group;
use baresock::sys::socket_state;
use baresock::sys::wild::{LAB_DIRECTORY, Wild};
use baresock::trace::arg::{Arg, Limits};
use baresock::trace::bits::BitsSink;
use baresock::trace::json::JsonSink;
use baresock::trace::output::{Output, Pace};
use baresock::trace::text::{TextOptions, TextSink};
use baresock::trace::tracer::{Call, Ended};
use baresock::trace::{Both, Sink, Tracer, idle_rules, install};

use super::Failure;
use super::overdue::Watch;
use crate::commands::messages::say;
use crate::commands::tracing::{beside_a_lab, limits, text_options, use_color};

/// Runs a lab here.
pub(super) fn run(lab: &'static Lab, asked: &cli::Lab, common: &Common) -> Result<(), Failure> {
    let Some(wild) = Wild::in_a_lab() else {
        return Err(Failure::new("lab --stage is for the program itself"));
    };
    let directory = PathBuf::from(std::env::var_os(LAB_DIRECTORY).unwrap_or_default());
    let mut teller = Teller { waits: asked.ask };
    if let Some(why) = too_few_descriptors(lab) {
        teller.hears(Event::Stopped(Stop::Skipped(why)));
        return Ok(());
    }
    let before = open_descriptors();
    let watch = Watch::new(wild).map_err(|errno| Failure::of("lab: sigaction", errno))?;
    let traced = install(tracer(asked, common, watch)?);
    let outcome = (lab.run)(&mut Run::new(lab.name, &mut teller, wild, directory.clone()));
    if !common.quiet {
        idle_rules().iter().for_each(say);
    }
    drop(traced);
    if let Err(stop) = outcome {
        teller.hears(Event::Stopped(stop));
    }
    for number in open_descriptors().into_iter().filter(|number| !before.contains(number)) {
        teller.hears(Event::Left { what: format!("descriptor {number}") });
    }
    for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().escape_debug().to_string();
        teller.hears(Event::Left { what: format!("the file {name}") });
    }
    Ok(())
}

/// Plays a part of a lab for the process that is the lab.
pub(super) fn play(lab: &Lab, role: &str, arguments: &[String]) -> Result<(), Failure> {
    let Some(role) = lab.roles.iter().find(|known| known.name == role) else {
        return Err(Failure::new(format_args!("lab {}: there is no such role", lab.name)));
    };
    (role.run)(arguments).map_err(|stop| Failure::new(format_args!("{stop:?}")))
}

/// Says so if the hard limit does not allow what the lab needs; otherwise sees to it.
fn too_few_descriptors(lab: &Lab) -> Option<String> {
    let limits = raise_descriptor_limit().ok()?;
    (limits.soft < lab.descriptors).then(|| {
        format!("it needs {} descriptors, and the limit is {}", lab.descriptors, limits.soft)
    })
}

/// The tracer of a lab: every call becomes an event; and goes to a file besides, if that was asked for.
fn tracer(asked: &cli::Lab, common: &Common, watch: Watch) -> Result<Tracer, Failure> {
    let color = use_color(common.color, &io::stdout());
    let options = text_options(common, color, false);
    let recorder = Recorder::new(options, limits(common), asked.connections, watch);
    let drawn: Box<dyn Sink> =
        if common.bits { Box::new(BitsSink::new(recorder)) } else { Box::new(recorder) };
    let told: Box<dyn Sink> = if common.explain { Box::new(Explainer::new(drawn)) } else { drawn };
    let tracer = match beside_a_lab(common)? {
        None => Tracer::boxed(told),
        Some(file) => Tracer::new(Both::new(told, file)),
    };
    let tracer = tracer.with_rules(common.inject.clone());
    Ok(if common.state { tracer.with_probe(socket_state) } else { tracer })
}

/// Tells events on standard output.
struct Teller {
    /// After a prediction the lab goes on when a byte comes on standard input.
    waits: bool,
}

impl Audience for Teller {
    fn hears(&mut self, event: Event) {
        let is_prediction = matches!(event, Event::Predicted { .. });
        tell(&event);
        if self.waits && is_prediction {
            // Nobody answers any more: it goes on all the same, and then cannot tell.
            let _ = io::stdin().read(&mut [0]);
        }
    }
}

fn tell(event: &Event) {
    if let Ok(mut line) = serde_json::to_vec(event) {
        line.push(b'\n');
        // That nobody listens any more ends the process at its next word, without a lab to be told of it.
        if io::stdout().write_all(&line).is_err() {
            std::process::exit(1);
        }
    }
}

/// Ends this process and those that it has started, without the rest of the lab.
fn give_up() {
    let why = "a second call did not return, so that the rest would only wait, too";
    tell(&Event::Stopped(Stop::failed(why)));
    kill_group(std::process::id());
}

/// Makes an event of every call: its line, and its JSON.
#[derive(Debug)]
struct Recorder {
    text: TextSink,
    json: JsonSink,
    lines: Written,
    objects: Written,
    /// Whether both ends of each connection are told, which takes calls of its own: a ladder needs them.
    connections: bool,
    watch: Watch,
}

/// What a sink has written and nobody has taken.
#[derive(Clone, Debug, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&bytes).trim_end().to_string()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Recorder {
    fn new(options: TextOptions, limits: Limits, connections: bool, watch: Watch) -> Self {
        let (lines, objects) = (Written::default(), Written::default());
        let to = |written: &Written| Output::new(written.clone(), "an event", Pace::EveryLine);
        Self {
            text: TextSink::new(to(&lines), options),
            json: JsonSink::new(to(&objects), identity::source(), limits),
            lines,
            objects,
            connections,
            watch,
        }
    }
}

impl Sink for Recorder {
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]) {
        self.text.begin(call, args);
        self.json.begin(call, args);
        self.watch.begin(call);
    }

    fn rest(&mut self, args: &[Arg<'_>]) {
        self.text.rest(args);
        self.json.rest(args);
    }

    fn end(&mut self, ended: &Ended<'_>) {
        let overdue = self.watch.end(ended);
        self.text.end(ended);
        self.json.end(ended);
        let json = serde_json::from_str(&self.objects.take()).unwrap_or_default();
        tell(&Event::Called { line: self.lines.take(), json });
        if let Some(overdue) = overdue {
            tell(&overdue);
            if self.watch.has_seen_enough() {
                give_up();
            }
        }
    }

    fn remark(&mut self, text: &str) {
        tell(&Event::Remarked { text: text.to_string() });
    }

    fn drawing(&mut self, line: &str) {
        tell(&Event::Remarked { text: line.to_string() });
    }

    fn flush(&mut self) {}

    fn wants_times(&self) -> bool {
        true
    }

    fn wants_connections(&self) -> bool {
        self.connections
    }
}
