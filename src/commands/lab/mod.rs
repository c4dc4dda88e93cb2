//! `baresock lab`: which labs to run, how, and how to show them.

mod answers;
mod elsewhere;
mod listing;
mod many;
mod overdue;
mod packets;
mod place;
mod process;
mod recorded;
mod report;
mod stage;
mod steps;

use std::io::{self, IsTerminal, Write};

use baresock::cli::{self, Common, TraceForm};
use baresock::labs::run::LabEvent;
use baresock::labs::show::{EventWriter, Form};
use baresock::labs::verdict::LabVerdict;
use baresock::labs::{GROUPS, Lab, all, find};
use baresock::ladder::of_lab::LabLadder;
use baresock::os::output::Patient;
use baresock::packets::Packet;

use super::columns::columns_of_prose;
use super::failure::Failure;
use super::messages::print;
use super::result_file::ResultFile;
use super::tracing::{refuse, use_color};
use super::wire::add_to_trace;
use packets::LabWire;
use process::How;
use steps::Steps;

pub(crate) use place::{ScratchDirectory, clean_up_at_signals};
pub(crate) use recorded::{LabRecords, record_all};

/// Carries out the command.
pub(crate) fn run(asked: &cli::LabArgs, common: &Common) -> Result<(), Failure> {
    let color = use_color(common.color, &io::stdout());
    if asked.list || asked.why || asked.progress || asked.systems || asked.on.is_some() {
        refuse(common, "no lab runs")?;
    }
    if asked.list || is_bare(asked) {
        return print(listing::labs(asked.json)?.as_bytes());
    }
    if asked.why {
        return print(listing::questions(asked.json, color).as_bytes());
    }
    if asked.progress {
        return print(answers::progress(asked.json)?.as_bytes());
    }
    let labs = chosen(asked)?;
    if labs.is_empty() {
        let hint = "lab: which one? Name a lab or a group (lab --list has them), or give --all";
        return Err(Failure::usage(hint));
    }
    if asked.systems {
        return print(elsewhere::matrix(&labs, asked.json).as_bytes());
    }
    if let Some(system) = asked.on {
        return print(elsewhere::told_on(&labs, system, asked.json, color).as_bytes());
    }
    let each_is_told =
        !asked.all && !asked.report && (labs.len() == 1 || asked.ask || asked.readme);
    refuse_what_is_of_one_lab(asked, common, labs.len(), each_is_told)?;
    match (&labs[..], &asked.role) {
        ([lab], Some(role)) => return stage::play(lab, role, &asked.arguments),
        ([lab], None) if asked.stage => return stage::run(lab, asked, common),
        _ => {}
    }
    if captures(asked) {
        // Before the first further thread: only a process with one thread may change its network.
        packets::enter_network(&labs)?;
    }
    clean_up_at_signals()?;
    match each_is_told {
        true => labs.iter().try_for_each(|lab| one(lab, asked, common, color)),
        false => many::run(&labs, asked, common, color),
    }
}

/// Whether the lab's packets are wanted.
fn captures(asked: &cli::LabArgs) -> bool {
    asked.packets || asked.pcap.is_some()
}

/// Whether the command line names nothing to do: then the labs are listed, to choose from.
fn is_bare(asked: &cli::LabArgs) -> bool {
    let shows_labs =
        asked.ask || asked.report || asked.readme || asked.html.is_some() || captures(asked);
    let lists = asked.why || asked.progress || asked.systems || asked.on.is_some();
    asked.names.is_empty() && !asked.all && !lists && !shows_labs
}

/// Refuses flags whose outputs would overwrite or mix with several labs, or would not be seen where each lab has one
/// line.
fn refuse_what_is_of_one_lab(
    asked: &cli::LabArgs,
    common: &Common,
    labs: usize,
    each_is_told: bool,
) -> Result<(), Failure> {
    let as_json = common.trace == Some(TraceForm::Json);
    let of_one = asked.html.is_some() || common.trace_to.is_some() || as_json;
    if of_one && (labs > 1 || !each_is_told) {
        let which = "--html FILE, --trace-to FILE and --trace=json record the calls of one lab";
        return Err(Failure::usage(format_args!("lab: {which}; name one lab")));
    }
    if captures(asked) && (labs > 1 || !each_is_told) {
        let which = "--packets and --pcap FILE show the packets of one lab";
        return Err(Failure::usage(format_args!("lab: {which}; name one lab")));
    }
    if common.step && (!each_is_told || asked.json || asked.readme) {
        let which = "--step shows the calls of one lab on a terminal";
        return Err(Failure::usage(format_args!(
            "lab: {which}; name one, without --json or --readme"
        )));
    }
    if !each_is_told && (common.explain || common.state || common.bits) {
        let which = "--explain, --state and --bits show more of each call";
        return Err(Failure::usage(format_args!(
            "lab: {which}, but several labs show no calls; name one lab"
        )));
    }
    Ok(())
}

/// The labs that were asked for, in that order, each once.
fn chosen(asked: &cli::LabArgs) -> Result<Vec<&'static Lab>, Failure> {
    if asked.all || (asked.systems && asked.names.is_empty()) {
        return Ok(all().collect());
    }
    labs_named(&asked.names)
}

/// The labs and groups of these names, in that order, each lab once.
pub(crate) fn labs_named(names: &[String]) -> Result<Vec<&'static Lab>, Failure> {
    let mut labs: Vec<&'static Lab> = Vec::new();
    for name in names {
        // A group and a lab may have the same name: a single name means the lab.
        let group = GROUPS.iter().find(|group| group.name == name);
        let found: Vec<&'static Lab> = match (find(name), group) {
            (Some(lab), _) => vec![lab],
            (None, Some(group)) => group.labs.iter().collect(),
            (None, None) => return Err(listing::not_found(name)),
        };
        for lab in found {
            if !labs.iter().any(|known| known.name == lab.name) {
                labs.push(lab);
            }
        }
    }
    Ok(labs)
}

/// Runs one lab and shows its events as they happen.
fn one(
    lab: &'static Lab,
    asked: &cli::LabArgs,
    common: &Common,
    color: bool,
) -> Result<(), Failure> {
    let asks = asked.ask && io::stdin().is_terminal();
    let form = match (asked.worksheet, asked.readme) {
        (true, _) => Form::Worksheet,
        (false, true) => Form::Markdown,
        (false, false) => Form::Text { color },
    };
    // A file gets its calls from the process that makes them.
    let as_json_here = common.trace == Some(TraceForm::Json) && common.trace_to.is_none();
    let how = How {
        common,
        color: color && !asked.readme && !asked.json,
        asks,
        connections: asked.json || asked.html.is_some() || as_json_here || captures(asked),
        captures: captures(asked),
    };
    let mut wire = match captures(asked) {
        true => Some(LabWire::begin(common)?),
        false => None,
    };
    let html = asked.html.as_deref().map(ResultFile::open).transpose()?;
    let pcap = asked.pcap.as_deref().map(ResultFile::open).transpose()?;
    let mut teller = LabWriter::new(lab, asked, form, asks);
    if common.step {
        teller.steps = Some(Steps::new()?);
    }
    teller.traces_as_json = as_json_here;
    teller.tell(&EventWriter::head, lab);
    teller.shows_packets = asked.packets;
    let complaints =
        process::watch_with_packets(lab, how, wire.as_mut(), |event| teller.hear(event))
            .map_err(|failure| Failure::new(format_args!("lab {}: {failure}", lab.name)))?;
    let packets = std::mem::take(&mut teller.packets);
    // First the verdict: a file that cannot be written does not hide it.
    let ended = teller.end(html);
    let _ = Patient(io::stderr()).write_all(complaints.as_bytes());
    // On standard error the packets are where they belong already.
    if common.trace_to.is_some() {
        add_to_trace(&packets, common)?;
    }
    if let Some((wire, file)) = wire.as_mut().zip(pcap) {
        wire.write_pcap(file)?;
    }
    ended
}

/// Writes one lab as it happens, and keeps what is needed at its end.
struct LabWriter {
    lab: &'static Lab,
    writer: EventWriter,
    as_json: bool,
    /// Whether the calls are also written to standard error, as JSON.
    traces_as_json: bool,
    verdict: LabVerdict,
    ladder: LabLadder,
    packets: Vec<Packet>,
    /// Whether packets are shown; otherwise they only go to files.
    shows_packets: bool,
    answers: Option<answers::Answers>,
    steps: Option<Steps>,
    failure: Option<Failure>,
}

impl LabWriter {
    fn new(lab: &'static Lab, asked: &cli::LabArgs, form: Form, asks: bool) -> Self {
        Self {
            lab,
            writer: EventWriter::new(form, columns_of_prose()),
            as_json: asked.json,
            traces_as_json: false,
            verdict: LabVerdict::default(),
            ladder: LabLadder::default(),
            packets: Vec::new(),
            shows_packets: false,
            answers: asks.then(|| answers::Answers::of(lab)),
            steps: None,
            failure: None,
        }
    }

    fn tell(&mut self, part: &dyn Fn(&mut EventWriter, &Lab) -> String, lab: &Lab) {
        if !self.as_json {
            let text = part(&mut self.writer, lab);
            self.print(&text);
        }
    }

    fn hear(&mut self, event: &LabEvent) {
        self.verdict.hear(event);
        if let LabEvent::Called { call, .. } = event
            && self.traces_as_json
        {
            // In one write; a closed pipe does not stop the lab.
            let _ = Patient(io::stderr()).write_all((call.to_json() + "\n").as_bytes());
        }
        if let LabEvent::Crossed { packet, .. } = event {
            if !self.shows_packets {
                return;
            }
            if self.traces_as_json {
                let _ = Patient(io::stderr()).write_all((packet.to_json() + "\n").as_bytes());
            }
            self.packets.push((**packet).clone());
        }
        self.ladder.hear(event);
        if self.as_json {
            let object = serde_json::json!({ "lab": self.lab.name, "happened": event });
            return self.print(&format!("{object}\n"));
        }
        if let Some(answers) = &mut self.answers
            && let Some(text) = answers.hear(event, &mut self.writer)
        {
            // The question instead of the prediction, and after the observation the answer.
            return self.print(&text);
        }
        let text = self.writer.event(event);
        match self.steps.take() {
            Some(mut steps) => {
                steps.hear(event, &text, &mut |text| self.print(text));
                self.steps = Some(steps);
            }
            None => self.print(&text),
        }
    }

    /// If standard output is closed or full, nothing more is written, but the lab runs to its end.
    fn print(&mut self, text: &str) {
        if self.failure.is_none() {
            self.failure = print(text.as_bytes()).err();
        }
    }

    fn end(mut self, html: Option<ResultFile>) -> Result<(), Failure> {
        let lab = self.lab;
        let verdict = self.verdict.clone();
        if self.as_json {
            self.print(&listing::summary(lab, &verdict, None));
        } else {
            if let Some(score) = self.answers.as_ref().and_then(answers::Answers::score) {
                self.print(&score);
            }
            let tail = self.writer.tail(lab, &verdict);
            self.print(&tail);
        }
        if let Some(file) = html {
            file.write(std::mem::take(&mut self.ladder).page(lab).as_bytes())?;
        }
        if let Some(answers) = &self.answers {
            answers.keep()?;
        }
        match self.failure {
            Some(failure) => Err(failure),
            None if verdict.holds() => Ok(()),
            None => Err(Failure::new(format_args!("lab {}: {}", lab.name, verdict.sentence()))),
        }
    }
}
