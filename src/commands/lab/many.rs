//! Several labs: side by side where they do not disturb each other, a line for each, and a summary.

use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use baresock::cli::{self, Common};
use baresock::labs::Lab;
use baresock::labs::run::{LabEvent, Stop};
use baresock::labs::verdict::LabVerdict;
use baresock::os::output::Colors;
use indicatif::{ProgressBar, ProgressStyle};

use super::process::{How, watch};
use super::report::{self, LabReport};
use super::{Failure, listing};
use crate::commands::columns::fitted_to_output;
use crate::commands::messages::print;

/// How many run at a time. Most of them wait most of the time.
pub(super) const SIDE_BY_SIDE: usize = 4;

/// The result of one lab.
struct Done {
    lab: &'static Lab,
    verdict: LabVerdict,
    findings: LabReport,
    took: Duration,
}

/// Runs all of them; fails if one differed.
pub(super) fn run(
    labs: &[&'static Lab],
    asked: &cli::LabArgs,
    common: &Common,
    colors: Colors,
) -> Result<(), Failure> {
    let began = Instant::now();
    let bar = progress_bar(labs.len());
    let mut done: Vec<Done> = Vec::new();
    let mut written = Ok(());
    let (alone, together): (Vec<&Lab>, Vec<&Lab>) = labs.iter().partition(|lab| lab.alone);
    for (labs, at_a_time) in [(together, SIDE_BY_SIDE), (alone, 1)] {
        each_of(
            labs,
            at_a_time,
            |lab| one(lab, common),
            |one| {
                let line = match (asked.report, asked.json) {
                    (true, _) => String::new(),
                    (false, true) => listing::summary(one.lab, &one.verdict, Some(one.took)),
                    (false, false) => listing::line(one.lab, &one.verdict, one.took, colors),
                };
                bar.suspend(|| {
                    if written.is_ok() {
                        written = print(line.as_bytes());
                    }
                });
                bar.inc(1);
                done.push(one);
            },
        );
    }
    bar.finish_and_clear();
    written?;
    if asked.report {
        let summary = summary(&done, began.elapsed());
        // In the order in which they were asked for, not in which they ended.
        done.sort_by_key(|one| labs.iter().position(|lab| lab.name == one.lab.name));
        let findings = done.iter().map(|one| (one.lab, &one.findings));
        return print(report::written(findings, &summary).as_bytes());
    }
    if !asked.json {
        print(fitted_to_output(summary(&done, began.elapsed())).as_bytes())?;
    }
    let differed = done.iter().filter(|one| !one.verdict.holds()).map(|one| one.lab.name);
    match &differed.collect::<Vec<_>>()[..] {
        [] => Ok(()),
        names => Err(Failure::new(format_args!("lab: not as predicted: {}", names.join(", ")))),
    }
}

/// Runs labs, at most `at_a_time` at once, and passes on each result.
pub(super) fn each_of<T: Send>(
    labs: Vec<&'static Lab>,
    at_a_time: usize,
    run: impl Fn(&'static Lab) -> T + Sync,
    mut ended: impl FnMut(T),
) {
    let waiting = Mutex::new(VecDeque::from(labs));
    let (tell, told) = channel();
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            let tell = tell.clone();
            let waiting = &waiting;
            let run = &run;
            scope.spawn(move || {
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                while let Some(lab) = next() {
                    if tell.send(run(lab)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        told.iter().for_each(&mut ended);
    });
}

fn one(lab: &'static Lab, common: &Common) -> Done {
    let began = Instant::now();
    let mut verdict = LabVerdict::default();
    let how = How {
        common,
        colors: Colors::Plain,
        steps: false,
        asks: false,
        connections: false,
        captures: false,
    };
    let mut findings = LabReport::default();
    let mut hear = |event: &LabEvent| {
        verdict.hear(event);
        findings.hear(event);
    };
    if let Err(error) = watch(lab, how, &mut hear) {
        hear(&LabEvent::Stopped(Stop::failed(error)));
    }
    Done { lab, verdict, findings, took: began.elapsed() }
}

/// On a terminal, shows how many are done; elsewhere, nothing.
pub(super) fn progress_bar(labs: usize) -> ProgressBar {
    let bar = ProgressBar::new(labs as u64);
    let plain = ProgressStyle::with_template("{pos} of {len} labs {wide_bar} {elapsed}");
    plain.map_or(bar.clone(), |style| bar.with_style(style))
}

fn summary(done: &[Done], took: Duration) -> String {
    let count = |word: &str| done.iter().filter(|one| one.verdict.word() == word).count();
    let words = ["as predicted", "not checked", "skipped", "differs"];
    let counts = words.map(|word| (count(word), word));
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, word)| *count > 0 || *word == "differs")
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("{} labs in {:.1} s: {}\n", done.len(), took.as_secs_f64(), told.join(", "))
}
