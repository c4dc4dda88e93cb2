//! From the flags of the trace to a tracer.

use std::fs::File;
use std::io::{self, IsTerminal};

use baresock::cli::{ColorWhen, Common, TraceForm};
use baresock::os::identity;
use baresock::trace::arg::Limits;
use baresock::trace::json::JsonSink;
use baresock::trace::output::{Output, Pace};
use baresock::trace::text::{TextOptions, TextSink};
use baresock::trace::tracer::NoSink;
use baresock::trace::{Sink, Tracer};

use super::failure::Failure;

/// The tracer that the flags ask for, if they ask for one.
pub(crate) fn tracer(common: &Common) -> Result<Option<Tracer>, Failure> {
    if common.trace.is_none() && common.trace_to.is_none() && !common.explain {
        // Rules interfere with the calls also where nobody looks on.
        let silent = || Tracer::new(NoSink).with_rules(common.inject.clone());
        return Ok((!common.inject.is_empty()).then(silent));
    }
    let output = output(common)?;
    let limits = Limits { bytes: common.trace_bytes, items: common.trace_items };
    let sink: Box<dyn Sink> = match common.trace {
        Some(TraceForm::Json) => Box::new(JsonSink::new(output, identity::source(), limits)),
        _ => {
            let options = TextOptions {
                limits,
                time: common.trace_time,
                duration: common.trace_duration,
                color: common.trace_to.is_none() && use_color(common.color, &io::stderr()),
            };
            Box::new(TextSink::new(output, options))
        }
    };
    Ok(Some(Tracer::boxed(sink).with_rules(common.inject.clone())))
}

fn output(common: &Common) -> Result<Output, Failure> {
    let collected = if common.trace_sync { Pace::EveryLine } else { Pace::Collected };
    match &common.trace_to {
        None if io::stderr().is_terminal() => {
            Ok(Output::new(io::stderr(), "standard error", Pace::Live))
        }
        None => Ok(Output::new(io::stderr(), "standard error", collected)),
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

/// Whether to colour what goes to `to`.
pub(crate) fn use_color(when: ColorWhen, to: &impl IsTerminal) -> bool {
    match when {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            to.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}
