//! `baresock judge`: what to judge, by which cases, and how to show it.

mod chosen;
mod class;
mod packets;
mod subject;

use std::io;

use baresock::cli::{self, Common};
use baresock::judge::ending::clean_up_at_signals;
use baresock::judge::guard;
use baresock::judge::judging::{Judge, JudgeOptions};
use baresock::judge::shown;
use baresock::judge::{JudgeCase, JudgeReport};
use baresock::os::limits::raise_descriptor_limit;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::Failure;
use super::messages::{Loudness, print};
use super::result_file::ResultFile;
use super::tracing::colors_of;
use super::watch::strace;
use packets::AskedPackets;

/// Judges, and shows the report.
pub(crate) fn run(
    asked: &cli::JudgeArgs,
    common: &Common,
    loudness: Loudness,
) -> Result<(), Failure> {
    if asked.list {
        return print(chosen::listed(asked)?.as_bytes());
    }
    let who = chosen::who(asked)?;
    let cases = chosen::cases(asked, who)?;
    if let Some(directory) = &asked.each {
        return class::run(directory, asked, who, loudness);
    }
    // Opened before minutes are spent on a report that could not be written.
    let junit = asked.junit.as_deref().map(ResultFile::open).transpose()?;
    let packets = AskedPackets::enter_network(asked)?;
    let watch = asked.watch.then(strace::words).transpose()?;
    // Children get the limit with which judge itself was started.
    let soft = baresock::os::limits::descriptor_limits().map_or(1024, |limits| limits.soft);
    // If the limit cannot be raised, cases that need many descriptors are not asked.
    let _ = raise_descriptor_limit();
    baresock::os::children::adopt_orphans();
    guard::start();
    clean_up_at_signals().map_err(|errno| Failure::of("pipe", errno))?;
    let (subject, site) = subject::subject(asked, who, soft)?;
    let wire = packets.as_ref().map(AskedPackets::begin).transpose()?;
    let options = JudgeOptions {
        role: who.role,
        timeout: asked.timeout,
        repeat: u32::try_from(asked.repeat.get()).unwrap_or(u32::MAX),
        watch,
        wire: wire.clone(),
    };
    let bar = progress_bar(cases.len(), loudness);
    let report =
        Judge::new(options, subject, site).judge(&cases, &mut |at, _, case: &JudgeCase| {
            bar.set_position(at as u64);
            bar.set_message(case.name);
            bar.tick();
        });
    bar.finish_and_clear();
    guard::dismiss();
    let captured = packets.iter().zip(&wire).try_for_each(|(packets, wire)| packets.end(wire));
    let shown = if asked.json {
        shown::json(&report) + "\n"
    } else if asked.markdown {
        shown::markdown(&report)
    } else {
        shown::text(&report, colors_of(common.color, &io::stdout()))
    };
    print(shown.as_bytes())?;
    if let Some(file) = junit {
        file.write(shown::junit(&report).as_bytes())?;
    }
    captured?;
    verdict(&report)
}

/// The exit status, with its reason.
fn verdict(report: &JudgeReport) -> Result<(), Failure> {
    let score = report.score();
    match (report.status(), &report.not_judged) {
        (0, _) => Ok(()),
        (3, Some(why)) => {
            Err(Failure::not_judged(why.lines().next().unwrap_or("it could not be judged")))
        }
        (3, None) => Err(Failure::not_judged("no case could be asked")),
        _ => {
            let asked = score.passed + score.failed;
            Err(Failure::new(format_args!("{} of {asked} cases failed", score.failed)))
        }
    }
}

/// On standard error, and on a terminal only.
fn progress_bar(cases: usize, loudness: Loudness) -> ProgressBar {
    if loudness == Loudness::Quiet {
        return ProgressBar::hidden();
    }
    let target = ProgressDrawTarget::stderr_with_hz(8);
    let bar = ProgressBar::with_draw_target(Some(cases as u64), target);
    if let Ok(style) = ProgressStyle::with_template("{pos} of {len}: {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar
}
