//! Builds the tracer from the trace flags.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal};

use baresock::cli::{ColorWhen, Common, TraceForm};
use baresock::explain::Explainer;
use baresock::os::identity;
use baresock::os::output::{Colors, Patient};
use baresock::os::watching::poll_can_watch;
use baresock::poller::Via;
use baresock::sys::socket_state;
use baresock::trace::arg::{Interfaces, ValueLimits};
use baresock::trace::bits::BitsSink;
use baresock::trace::ends::EndNotation;
use baresock::trace::json::JsonSink;
use baresock::trace::output::{Output, Pace};
use baresock::trace::page::Waits;
use baresock::trace::text::{TextOptions, TextSink, TimesOf};
use baresock::trace::tracer::NoSink;
use baresock::trace::{Both, Function, Sink, Tracer};

use super::columns::columns;
use super::failure::Failure;
use super::step::{self, Stepped};

/// The tracer for the flags, if they require one.
pub(crate) fn tracer(common: &Common) -> Result<Option<Tracer>, Failure> {
    refuse_rules_of_other_waits(common)?;
    if !is_traced(common) {
        refuse_manners(common)?;
        // Rules change the calls even without a trace.
        let silent = || Tracer::new(NoSink).with_rules(common.inject.clone());
        return Ok((!common.inject.is_empty()).then(silent));
    }
    let tracer = Tracer::boxed(sink(common)?).with_rules(common.inject.clone());
    // Only JSON names the calling process, and finding that out takes calls of its own.
    let is_json = common.trace == Some(TraceForm::Json);
    let tracer = if is_json { tracer.with_caller(identity::caller()) } else { tracer };
    Ok(Some(if common.state { tracer.with_probe(socket_state) } else { tracer }))
}

/// Refuses every trace flag: otherwise the file of --trace-to would be emptied for nothing.
pub(crate) fn refuse(common: &Common, why: &str) -> Result<(), Failure> {
    match is_traced(common) || !common.inject.is_empty() {
        true => Err(Failure::usage(format_args!("trace flags cannot be used here: {why}"))),
        false => Ok(()),
    }
}

/// Refuses flags that format a trace if there is no trace: otherwise the user would wait for it in vain.
fn refuse_manners(common: &Common) -> Result<(), Failure> {
    let plain = ValueLimits::default();
    let given = [
        ("--trace-time", common.trace_time),
        ("--trace-duration", common.trace_duration),
        ("--trace-ends", common.trace_ends),
        ("--trace-sync", common.trace_sync),
        ("--trace-bytes", common.trace_bytes != plain.bytes),
        ("--trace-items", common.trace_items != plain.items),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Failure::usage(format_args!(
            "{flag} only changes how a trace looks: add --trace or --explain"
        ))),
        None => Ok(()),
    }
}

/// Refuses flags that work on our own calls only, not on those of another program.
pub(crate) fn refuse_for_others(common: &Common) -> Result<(), Failure> {
    let why = match common {
        _ if !common.inject.is_empty() => {
            "--inject cannot be used here: it changes only baresock's own calls"
        }
        _ if common.step => "--step cannot be used here: it stops only baresock's own calls",
        _ if common.via.is_some() => {
            "--via cannot be used here: the program chooses its own waiting call"
        }
        _ => return Ok(()),
    };
    Err(Failure::usage(why))
}

/// The sink for another program's calls, if the trace flags ask for one.
pub(crate) fn asked_sink(
    common: &Common,
    interfaces: Interfaces,
) -> Result<Option<Box<dyn Sink>>, Failure> {
    if is_traced(common) { sink_of_log(common, interfaces).map(Some) } else { Ok(None) }
}

/// Refuses rules about a waiting call that is never made: they would have no effect.
fn refuse_rules_of_other_waits(common: &Common) -> Result<(), Failure> {
    let via = common.via();
    let waits_with = match via {
        Via::Select => &[Function::SELECT][..],
        Via::Poll if poll_can_watch(io::stdin()) => &[Function::POLL],
        // Standard input and output may be watched by select there.
        Via::Poll => &[Function::POLL, Function::SELECT],
    };
    for rule in &common.inject {
        let call = rule.function();
        if call.page().waits == Waits::Always && !waits_with.contains(&call) {
            let shown = rule.to_string().escape_debug().to_string();
            let other = match call {
                _ if call == Function::SELECT => " (--via select does)",
                _ if call == Function::POLL => " (--via poll does)",
                _ => "",
            };
            return Err(Failure::usage(format_args!(
                "--inject {shown}: {call} is never called: the loop waits with {via}{other}"
            )));
        }
    }
    Ok(())
}

const fn is_traced(common: &Common) -> bool {
    common.trace.is_some()
        || common.trace_to.is_some()
        || common.explain
        || common.state
        || common.bits
        || common.step
}

/// An additional sink for the calls of the tour, which shows them on standard output in any case.
pub(crate) fn beside_the_tour(common: &Common) -> Result<Option<Box<dyn Sink>>, Failure> {
    match (common.trace, &common.trace_to) {
        (Some(TraceForm::Text) | None, None) => Ok(None),
        _ => sink(&Common { step: false, ..common.clone() }).map(Some),
    }
}

/// The file for a lab's calls, in addition to standard output: the calls alone.
pub(crate) fn beside_a_lab(common: &Common) -> Result<Option<Box<dyn Sink>>, Failure> {
    match common.trace_to {
        None => Ok(None),
        Some(_) => {
            sink(&Common { explain: false, bits: false, step: false, ..common.clone() }).map(Some)
        }
    }
}

/// The sink for our calls, as the trace flags say.
pub(crate) fn sink(common: &Common) -> Result<Box<dyn Sink>, Failure> {
    if common.step {
        return stepped(common);
    }
    sink_with(common, Interfaces::Named, TimesOf::Now)
}

/// The sink for calls that are made elsewhere, as the trace flags say.
pub(crate) fn sink_of_log(
    common: &Common,
    interfaces: Interfaces,
) -> Result<Box<dyn Sink>, Failure> {
    sink_with(common, interfaces, TimesOf::Events)
}

fn sink_with(
    common: &Common,
    interfaces: Interfaces,
    times: TimesOf,
) -> Result<Box<dyn Sink>, Failure> {
    if common.trace == Some(TraceForm::Json) && (common.explain || common.bits) {
        return Err(Failure::usage(
            "--explain and --bits add text for people: they cannot be used with --trace=json",
        ));
    }
    let output = output(common)?;
    if common.trace == Some(TraceForm::Json) {
        return Ok(Box::new(JsonSink::new(output, limits(common))));
    }
    let colors = match common.trace_to {
        None => colors_of(common.color, &io::stderr()),
        Some(_) => Colors::Plain,
    };
    let width = if output.pace() == Pace::Live { LineWidth::OfTerminal } else { LineWidth::Any };
    let mut options = TextOptions { times, ..text_options(common, colors, width) };
    options.limits.interfaces = interfaces;
    Ok(text_sink(common, output, options))
}

/// Steps through the calls on the terminal, and writes all of them to a file if one is named.
fn stepped(common: &Common) -> Result<Box<dyn Sink>, Failure> {
    let stepper = step::on_standard_error()?;
    let output = Output::new(Patient(io::stderr()), "standard error", Pace::Live);
    let colors = colors_of(common.color, &io::stderr());
    let options = text_options(common, colors, LineWidth::OfTerminal);
    let shown = text_sink(common, output.clone(), options);
    let stepped = Stepped::new(shown, stepper, &output);
    if common.trace_to.is_none() {
        return match common.trace {
            Some(TraceForm::Json) => Err(Failure::usage(
                "--step shows the calls as text: --trace=json goes with it to a file (--trace-to)",
            )),
            _ => Ok(Box::new(stepped)),
        };
    }
    let to_file = Common { step: false, explain: false, bits: false, ..common.clone() };
    Ok(Box::new(Both::new(stepped, sink(&to_file)?)))
}

/// The sink that writes calls as text, with the explanations and drawings that the flags ask for.
fn text_sink(common: &Common, output: Output, options: TextOptions) -> Box<dyn Sink> {
    let text = TextSink::new(output, options);
    let drawn: Box<dyn Sink> =
        if common.bits { Box::new(BitsSink::new(text)) } else { Box::new(text) };
    if common.explain { Box::new(Explainer::new(drawn)) } else { drawn }
}

/// How long a line of the trace may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineWidth {
    /// As long as the terminal is wide.
    OfTerminal,
    /// Any length.
    Any,
}

/// The options of the text form, as the flags say.
pub(crate) fn text_options(common: &Common, colors: Colors, width: LineWidth) -> TextOptions {
    TextOptions {
        limits: limits(common),
        time: common.trace_time,
        times: TimesOf::Now,
        duration: common.trace_duration,
        ends: if common.trace_ends { EndNotation::WithAddress } else { EndNotation::Bare },
        color: colors == Colors::Colored,
        columns: (width == LineWidth::OfTerminal).then(columns),
    }
}

/// How much of strings and arrays is shown.
pub(crate) const fn limits(common: &Common) -> ValueLimits {
    ValueLimits {
        bytes: common.trace_bytes,
        items: common.trace_items,
        interfaces: Interfaces::Named,
    }
}

fn output(common: &Common) -> Result<Output, Failure> {
    let collected = if common.trace_sync { Pace::EveryLine } else { Pace::Collected };
    match &common.trace_to {
        None if io::stderr().is_terminal() => {
            Ok(Output::new(Patient(io::stderr()), "standard error", Pace::Live))
        }
        None => Ok(Output::new(Patient(io::stderr()), "standard error", collected)),
        Some(path) => {
            let shown = path.display().to_string().escape_debug().to_string();
            let file = File::create(path).map_err(|error| {
                let why = error.raw_os_error().map(baresock::names::Errno::from_number);
                Failure::new(format_args!(
                    "open {shown}: {}",
                    why.map_or(error.to_string(), |why| why.to_string())
                ))
            })?;
            let pace = if file.is_terminal() { Pace::Live } else { collected };
            Ok(Output::new(file, shown, pace))
        }
    }
}

/// Whether text on `to` has colours.
pub(crate) fn colors_of(when: ColorWhen, to: &impl IsTerminal) -> Colors {
    match when {
        ColorWhen::Always => Colors::Colored,
        ColorWhen::Never => Colors::Plain,
        ColorWhen::Auto => {
            let is_set = |value: Option<OsString>| value.is_some_and(|value| !value.is_empty());
            let no_color = is_set(std::env::var_os("NO_COLOR"));
            // A terminal without a name, or with the name dumb, shows escape sequences as letters.
            let term = std::env::var_os("TERM").filter(|name| name != "dumb");
            let has_colors = to.is_terminal() && is_set(term) && !no_color;
            if has_colors { Colors::Colored } else { Colors::Plain }
        }
    }
}
