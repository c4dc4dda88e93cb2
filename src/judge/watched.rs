//! Runs a failed case again with the program under strace, for the advice of `watch`.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::explaining::start;
use super::judging::{Judge, JudgedProgram};
use super::{JudgeCase, Needs};
use crate::logs::body::ProcessExit;
use crate::logs::reader::{LogEvent, LogReader};
use crate::os::children::{descendants, end_all};
use crate::report::{At, ProcessEnding, Report, advice};

/// The findings in a log of strace, a line or two each.
///
/// # Errors
/// The log cannot be read.
fn advice_from(log: &Path) -> std::io::Result<Vec<String>> {
    let mut reader = LogReader::new([(File::open(log)?, 0)]);
    let mut report = Report::new();
    let mut last = 0;
    reader.read_all(|told, place| {
        let at = At { begun: place.begun, line: place.line, text: place.text };
        last = place.line;
        match told {
            LogEvent::Call(event) => report.take(event, at),
            LogEvent::Signal { pid, name, stopped: false } => report.take_signal(*pid, name, at),
            LogEvent::Ended { pid, tid, end } => {
                let ending = match end {
                    ProcessExit::Exited(status) => ProcessEnding::Exited((*status).into()),
                    ProcessExit::Killed(name) => ProcessEnding::Killed(name),
                    ProcessExit::Superseded => return,
                };
                report.take_end(*pid, *tid, ending, at);
            }
            _ => {}
        }
    })?;
    let reported = report.finish(At { begun: last, line: last, text: "" });
    let remedy = |name: &str| advice::ALL.iter().find(|advice| advice.name == name);
    let told = reported.advice.iter().map(|found| {
        let remedy = remedy(found.advice).map_or("", |advice| advice.remedy);
        format!("{} ({}): {}. {remedy}", found.advice, found.certainty.word(), found.says)
    });
    Ok(told.collect())
}

impl Judge {
    /// Runs the case again under strace, for the advice of `watch`.
    pub(super) fn watched(&mut self, case: &'static JudgeCase) -> Result<Vec<String>, String> {
        let strace = self.options.watch.clone().unwrap_or_default();
        let log = self.site.own.path().join("strace.log");
        let most = self.start_limit() * 2;
        let JudgedProgram::Started(recipe) = &mut self.subject else {
            return Err("--watch: only a program that judge starts can be watched".to_string());
        };
        recipe.strace = Some((strace, log.clone()));
        let descriptors = match case.needs {
            Needs::Descriptors(number) | Needs::ManyDescriptors(number) => Some(number),
            _ => None,
        };
        let started = start(recipe, descriptors, most);
        let result = match started {
            Ok(program) => {
                self.program = Some(program);
                let _ = self.run(case);
                if let Some(program) = &mut self.program {
                    // strace completes its log when the traced processes have ended.
                    descendants(program.pid()).into_iter().for_each(end_all);
                    program.wait(Duration::from_secs(2));
                }
                self.program = None;
                advice_from(&log).map_err(|error| format!("--watch: the log of strace: {error}"))
            }
            Err(not_started) => Err(format!("--watch: under strace: {}", not_started.why)),
        };
        if let JudgedProgram::Started(recipe) = &mut self.subject {
            recipe.strace = None;
        }
        result
    }
}
