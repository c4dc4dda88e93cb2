//! `baresock read`: logs, shown and reported.

mod told;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use baresock::cli::{self, Common};
use baresock::logs::calls::LogCounts;
use baresock::logs::choice::Chooser;
use baresock::logs::reader::LogReader;
use baresock::report::Reported;
use baresock::trace::Sink;
use baresock::trace::arg::Interfaces;
use baresock::trace::json::JsonSink;
use baresock::trace::output::{Output, Pace};

pub(crate) use told::Taker;

use super::columns::{columns_of_prose, fitted_to_output};
use super::failure::Failure;
use super::messages::{Loudness, print, say};
use super::tracing;

/// Reads the logs, shows their calls on request, and prints the report.
pub(crate) fn run(
    read: &cli::ReadArgs,
    common: &Common,
    loudness: Loudness,
) -> Result<(), Failure> {
    let mut logs: Vec<(Box<dyn Read>, u32)> = Vec::new();
    for (at, file) in read.files.iter().enumerate() {
        let pid = pid_of(file).unwrap_or(at as u32);
        logs.push((open(file)?, if read.files.len() > 1 { pid } else { 0 }));
    }
    let mut taker = Taker::new(chooser(&read.choice), sink(read.json, common)?);
    let mut reader = LogReader::new(logs);
    let result = reader.read_all(|told, place| taker.take(told, place));
    result.map_err(|error| Failure::from_std("read", &error))?;
    let counts = reader.counts();
    if counts.calls == 0 && counts.not_understood > 0 {
        return Err(Failure::new(format_args!(
            "{}: no call found in {} lines: this is neither a log of strace nor a trace of baresock",
            shown(&read.files[0]),
            counts.lines
        )));
    }
    report(taker.finish(), read.json, common)?;
    if loudness >= Loudness::Ordinary {
        remark(counts);
    }
    Ok(())
}

/// The selection of calls that the flags make.
pub(crate) fn chooser(choice: &cli::Choice) -> Chooser {
    Chooser::new(&choice.only, choice.fd, choice.peer.as_deref())
}

/// Where the calls are shown: on standard output with `--json`, otherwise where the trace flags say, if they do.
fn sink(json: bool, common: &Common) -> Result<Option<Box<dyn Sink>>, Failure> {
    if json {
        let output = Output::new(io::stdout(), "standard output", Pace::Collected);
        return Ok(Some(Box::new(JsonSink::new(output, tracing::limits(common)))));
    }
    // The log may come from another machine.
    tracing::asked_sink(common, Interfaces::Numbered)
}

/// Prints the report.
pub(crate) fn report(reported: Reported, json: bool, common: &Common) -> Result<(), Failure> {
    if json {
        let json = reported.json().map_err(|error| Failure::new(format_args!("JSON: {error}")))?;
        return print(format!("{json}\n").as_bytes());
    }
    let colors = tracing::colors_of(common.color, &io::stdout());
    print(fitted_to_output(reported.text(colors, columns_of_prose())).as_bytes())
}

/// What the reader of a report has to know about the log.
fn remark(counts: LogCounts) {
    if counts.not_understood > 0 {
        say(format_args!("lines that do not belong to a log, skipped: {}", counts.not_understood));
    }
    if counts.headless > 0 {
        say(format_args!("calls whose beginnings are not in the log: {}", counts.headless));
    }
}

fn open(file: &Path) -> Result<Box<dyn Read>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    let opened = File::open(file).and_then(|opened| match opened.metadata()?.is_dir() {
        true => Err(io::Error::from_raw_os_error(baresock::names::Errno::EISDIR.number())),
        false => Ok(opened),
    });
    let failed = |error| Failure::from_std(format_args!("open {}", shown(file)), &error);
    Ok(Box::new(opened.map_err(failed)?))
}

/// `strace -ff -o log` writes a file for each process, with the process id after the name.
fn pid_of(file: &Path) -> Option<u32> {
    file.extension()?.to_str()?.parse().ok()
}

fn shown(file: &Path) -> String {
    file.display().to_string().escape_debug().to_string()
}
