//! `baresock lab`: which labs to run, how, and how to show them.

mod answers;
mod child;
mod elsewhere;
mod listing;
mod many;
mod overdue;
mod packets;
mod place;
mod process;
mod recorded;
mod report;
mod shown;
mod steps;
mod writer;

use std::io::{self, IsTerminal, Write};

use baresock::cli::{self, Common, TraceForm};
use baresock::labs::show::{EventWriter, Form};
use baresock::labs::{GROUPS, Lab, all, find};
use baresock::os::output::{Colors, Patient};
use baresock::view::RunPlace;

use super::failure::Failure;
use super::messages::print;
use super::result_file::ResultFile;
use super::run_view::PageListener;
use super::tracing::{colors_of, refuse};
use super::wire::add_to_trace;
use packets::LabWire;
use process::How;
use shown::ShownLab;
use steps::Steps;
use writer::LabWriter;

pub(crate) use place::{ScratchDirectory, clean_up_at_signals};
pub(crate) use recorded::{LabRecords, record_all};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListForm {
    Text(Colors),
    /// An object a line.
    Json,
}

/// Carries out the command.
pub(crate) fn run(asked: &cli::LabArgs, common: &Common) -> Result<(), Failure> {
    let colors = colors_of(common.color, &io::stdout());
    let form = if asked.json { ListForm::Json } else { ListForm::Text(colors) };
    if asked.list || asked.why || asked.progress || asked.systems || asked.on.is_some() {
        refuse(common, "no lab runs")?;
    }
    if asked.list || is_bare(asked) {
        return print(listing::labs(form).as_bytes());
    }
    if asked.why {
        return print(listing::questions(form).as_bytes());
    }
    if asked.progress {
        return print(answers::progress(form)?.as_bytes());
    }
    let labs = chosen(asked)?;
    if labs.is_empty() {
        let hint = "lab: which one? Name a lab or a group (lab --list has them), or give --all";
        return Err(Failure::usage(hint));
    }
    if asked.systems {
        return print(elsewhere::matrix(&labs, form).as_bytes());
    }
    if let Some(system) = asked.on {
        return print(elsewhere::told_on(&labs, system, form).as_bytes());
    }
    let each_is_told =
        !asked.all && !asked.report && (labs.len() == 1 || asked.ask || asked.readme);
    refuse_what_is_of_one_lab(asked, common, labs.len(), each_is_told)?;
    match (&labs[..], &asked.role) {
        ([lab], Some(role)) => return child::play(lab, role, &asked.arguments),
        ([lab], None) if asked.stage => return child::run(lab, asked, common),
        _ => {}
    }
    // Before the lab has a network of its own, which no browser reaches.
    let pages = PageListener::listen(asked.view.as_ref(), common)?;
    if captures(asked) {
        // Before the first further thread: only a process with one thread may change its network.
        packets::enter_network(&labs)?;
    }
    clean_up_at_signals()?;
    match (&labs[..], pages) {
        ([lab], pages) if each_is_told => one(lab, asked, common, colors, pages),
        (labs, _) if each_is_told => {
            labs.iter().try_for_each(|lab| one(lab, asked, common, colors, None))
        }
        _ => many::run(&labs, asked, common, colors),
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
    let shows_labs = shows_labs || asked.view.is_some();
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
    if asked.view.is_some() && (labs > 1 || !each_is_told) {
        return Err(Failure::usage("lab: --view shows the calls of one lab; name one lab"));
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
    colors: Colors,
    pages: Option<PageListener>,
) -> Result<(), Failure> {
    let asks = asked.ask && io::stdin().is_terminal();
    let form = match (asked.worksheet, asked.readme) {
        (true, _) => Form::Worksheet,
        (false, true) => Form::Markdown,
        (false, false) => Form::Text(colors),
    };
    // A file gets its calls from the process that makes them.
    let as_json_here = common.trace == Some(TraceForm::Json) && common.trace_to.is_none();
    let how = How {
        common,
        colors: if asked.readme || asked.json { Colors::Plain } else { colors },
        steps: common.step || pages.is_some(),
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
    let what = format!("lab {}", lab.name);
    let view =
        pages.map(|pages| pages.serve_script(RunPlace::InChild, &what, common)).transpose()?;
    let mut teller = LabWriter::new(lab, asked, form, asks);
    teller.shown = view.map(|view| ShownLab::new(view, lab));
    if common.step {
        teller.steps = Some(Steps::new()?);
    }
    teller.traces_as_json = as_json_here;
    teller.tell(&EventWriter::head, lab);
    teller.shows_packets = asked.packets;
    let complaints =
        process::watch_with_packets(lab, how, wire.as_mut(), |event| teller.hear(event))
            .map_err(|failure| Failure::new(format_args!("{what}: {failure}")))?;
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
