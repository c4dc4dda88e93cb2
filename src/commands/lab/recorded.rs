//! Labs whose events are kept, for a book: with their packets, where the system lets this program see them.

use std::process::Command;
use std::sync::OnceLock;

use baresock::book::LabRecord;
use baresock::cli::Common;
use baresock::labs::Lab;
use baresock::labs::run::{LabEvent, Stop};
use baresock::os::output::Colors;
use baresock::os::own_program::own_program;
use serde::Deserialize;

use super::many::{SIDE_BY_SIDE, each_of, progress_bar};
use super::place::{Ended, output_of_program};
use super::process::{How, watch};

/// What happened in the labs.
#[derive(Debug)]
pub(crate) struct LabRecords {
    /// In the order of the labs.
    pub(crate) labs: Vec<LabRecord>,
    /// Why there are no packets.
    pub(crate) no_packets: Option<String>,
}

/// Runs labs and keeps all that happened. As where several labs have a line each, those that would disturb each other run
/// alone; a lab that differs runs once more by itself, which is the run that counts.
pub(crate) fn record_all(labs: &[&'static Lab], common: &Common) -> LabRecords {
    let bar = progress_bar(labs.len());
    let no_packets = OnceLock::new();
    let mut records: Vec<LabRecord> = Vec::new();
    let (alone, together): (Vec<&Lab>, Vec<&Lab>) = labs.iter().partition(|lab| lab.alone);
    for (labs, at_a_time) in [(together, SIDE_BY_SIDE), (alone, 1)] {
        let run = |lab| recorded(lab, common, &no_packets);
        each_of(labs, at_a_time, run, |record| {
            bar.inc(1);
            records.push(record);
        });
    }
    for record in records.iter_mut().filter(|record| !record.verdict().holds()) {
        let first = record.verdict().sentence();
        *record = LabRecord { replaced: Some(first), ..recorded(record.lab, common, &no_packets) };
    }
    bar.finish_and_clear();
    records.sort_by_key(|record| labs.iter().position(|lab| lab.name == record.lab.name));
    LabRecords { labs: records, no_packets: no_packets.into_inner() }
}

/// A lab in a network of its own, with its packets; without them if that is not possible, or if the lab needs another
/// network.
fn recorded(lab: &'static Lab, common: &Common, no_packets: &OnceLock<String>) -> LabRecord {
    let mut without_packets = None;
    if no_packets.get().is_none() {
        match with_packets(lab, common) {
            Ok(record) if record.is_as_predicted() => return record,
            Ok(record) => without_packets = Some(record.verdict().sentence()),
            Err(why) => {
                // The first reason is told; the others are the same.
                let _ = no_packets.set(why);
            }
        }
    }
    let how = How {
        common,
        colors: Colors::Plain,
        steps: false,
        asks: false,
        connections: true,
        captures: false,
    };
    let mut events = Vec::new();
    if let Err(error) = watch(lab, how, |event| events.push(event.clone())) {
        events.push(LabEvent::Stopped(Stop::failed(error)));
    }
    LabRecord { lab, events, replaced: None, without_packets }
}

/// A line of `lab --json`.
#[derive(Debug, Deserialize)]
struct LabLine {
    happened: Option<LabEvent>,
}

/// Runs a lab as `lab --packets` does, in a program of its own: only a program with one thread can get a network of its own.
///
/// # Errors
/// It gets none: why.
fn with_packets(lab: &'static Lab, common: &Common) -> Result<LabRecord, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut command = Command::new(own_program().map_err(failed)?);
    command.args(["lab", lab.name, "--packets", "--json", "--color=never"]);
    command.arg(format!("--via={}", common.via()));
    let (told, complaint, ended) = output_of_program(&mut command).map_err(failed)?;
    record_of(lab, &String::from_utf8_lossy(&told), &complaint, ended)
}

/// The record from what the program has told.
///
/// # Errors
/// It told nothing: its complaint says why.
fn record_of(
    lab: &'static Lab,
    told: &str,
    complaint: &str,
    ended: Ended,
) -> Result<LabRecord, String> {
    let complaint = complaint.trim_start_matches("baresock: ");
    let lines = told.lines().map(|line| match serde_json::from_str::<LabLine>(line) {
        Ok(line) => line.happened,
        Err(error) => Some(LabEvent::Stopped(Stop::failed(error))),
    });
    let events: Vec<LabEvent> = lines.flatten().collect();
    if events.is_empty() && ended == Ended::Badly {
        return Err(complaint.to_string());
    }
    let mut record = LabRecord { lab, events, replaced: None, without_packets: None };
    // Exit status 1 means that the lab differs. If it does not, the program ended before the lab did.
    if ended == Ended::Badly && record.verdict().holds() {
        record.events.push(LabEvent::Stopped(Stop::failed(complaint)));
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use baresock::labs::find;

    use super::*;

    #[test]
    fn a_program_that_ended_early_is_not_taken_for_one_that_did_as_predicted() {
        let lab = find("half-close").unwrap();
        let whole = r#"{"happened":{"event":"observed","observed":"6","agrees":true}}"#;
        let record = record_of(lab, whole, "", Ended::Well).unwrap();
        assert!(record.is_as_predicted());
        for (told, complaint, expected) in [
            (whole.to_string(), "baresock: ENOSPC", "DIFFERS: ENOSPC"),
            (format!("{whole}\n{}", &whole[..20]), "", "DIFFERS: EOF while parsing"),
        ] {
            let sentence =
                record_of(lab, &told, complaint, Ended::Badly).unwrap().verdict().sentence();
            assert!(sentence.starts_with(expected), "{sentence}");
        }
        assert_eq!(
            record_of(lab, "", "baresock: unshare: EPERM", Ended::Badly).unwrap_err(),
            "unshare: EPERM"
        );
    }
}
