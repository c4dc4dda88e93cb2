//! The process of a lab, seen from the watching process: starting it, listening to it, and cleaning up after it.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use baresock::cli::{Common, TraceForm};
use baresock::labs::Lab;
use baresock::labs::run::{LabEvent, Stop};
use baresock::os::interfaces::loopback_is_up;
use baresock::os::output::Colors;
use baresock::os::own_program::own_program;
use baresock::os::process_group::kill_group;
use baresock::sys::wild::{LAB_DIRECTORY, OWN_NETWORK};

use super::Failure;
use super::packets::{HearsPackets, LabWire};
use super::place::ScratchDirectory;

/// The longest time for a lab. The time in which a person thinks about an answer does not count.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long processes that a lab has started may outlive it.
const FAREWELL: Duration = Duration::from_secs(3);

/// How to run a lab.
#[derive(Clone, Copy, Debug)]
pub(super) struct How<'a> {
    /// The trace flags, and the rules.
    pub(super) common: &'a Common,
    /// Whether lines are coloured.
    pub(super) colors: Colors,
    /// Whether it waits before each call until `hears` has returned.
    pub(super) steps: bool,
    /// Whether it waits after each prediction until `hears` has returned.
    pub(super) asks: bool,
    /// Whether the calls, as JSON, include their connection.
    pub(super) connections: bool,
    /// Whether it runs in a network of its own, which is captured.
    pub(super) captures: bool,
}

/// Runs a lab in a process of its own, and passes on its events. Returns what a process that ended well has written to
/// standard error: that a rule never changed a call, or that the trace's file is full.
///
/// # Errors
/// The process could not be started.
pub(super) fn watch(
    lab: &Lab,
    how: How<'_>,
    hears: impl FnMut(&LabEvent),
) -> Result<String, Failure> {
    watch_with_packets(lab, how, None, hears)
}

/// The same; the packets of this process's own network are among the events.
///
/// # Errors
/// As [`watch`].
pub(super) fn watch_with_packets(
    lab: &Lab,
    how: How<'_>,
    wire: Option<&mut LabWire>,
    hears: impl FnMut(&LabEvent),
) -> Result<String, Failure> {
    let mut hears = HearsPackets { lab, wire, hears };
    let complaints = watch_until_end(lab, how, |event| hears.hear(event))?;
    hears.end();
    Ok(complaints)
}

fn watch_until_end(
    lab: &Lab,
    how: How<'_>,
    mut hears: impl FnMut(&LabEvent),
) -> Result<String, Failure> {
    if lab.loopback && !loopback_is_up() {
        hears(&LabEvent::Stopped(Stop::skipped(
            "it needs loopback, and no interface has 127.0.0.1",
        )));
        return Ok(String::new());
    }
    let place = ScratchDirectory::new(lab)?;
    let failed = |error: io::Error| Failure::from_std("the process of the lab", &error);
    let mut child = start(lab, how, &place).map_err(failed)?;
    let mut go_on = child.stdin.take();
    let events = events_of(&mut child);
    let complaints = complaints_of(&mut child);

    let mut deadline = Instant::now() + TIME_LIMIT;
    let mut last = LastWord::default();
    loop {
        let patience = deadline.saturating_duration_since(Instant::now());
        let event = match events.recv_timeout(patience) {
            Ok(event) => event,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                hears(&LabEvent::Stopped(Stop::failed(last.of_a_lab_that_hangs())));
                kill_group(child.id());
                last.has_stopped = true;
                break;
            }
        };
        last.note(&event);
        let told = Instant::now();
        hears(&event);
        // The limit counts only the lab's time, not the time that a person takes to answer.
        deadline += told.elapsed();
        let waits = match event {
            LabEvent::Predicted { .. } => how.asks,
            LabEvent::Calling { .. } => true,
            _ => false,
        };
        if let Some(go_on) = go_on.as_mut().filter(|_| waits) {
            continue_lab(go_on);
        }
    }
    place.belongs_to_nobody();
    let status = child.wait().map_err(failed)?;
    // Only a process that the lab has started and not waited for can still hold the end of this pipe.
    match complaints.recv_timeout(FAREWELL) {
        Err(_) => {
            hears(&LabEvent::Left { what: "a process".to_string() });
            kill_group(child.id());
        }
        // The reason has been reported already.
        Ok(_) if !status.success() && last.has_stopped => {}
        Ok(complaints) if !status.success() => {
            let complaint = complaints.lines().last().unwrap_or_default().escape_debug();
            let colon = if complaints.is_empty() { "" } else { ": " };
            hears(&LabEvent::Stopped(Stop::failed(format_args!(
                "its process ended: {status}{colon}{complaint}"
            ))));
        }
        Ok(complaints) => return Ok(complaints),
    }
    Ok(String::new())
}

/// The last thing that a lab reported.
#[derive(Debug, Default)]
struct LastWord {
    /// In words; empty before the first event.
    told: String,
    /// Whether it has reported why it ends.
    has_stopped: bool,
}

impl LastWord {
    fn note(&mut self, event: &LabEvent) {
        match event {
            LabEvent::Part { title } => self.told = format!("the part \"{title}\""),
            LabEvent::Said { text } => self.told = format!("\"{text}\""),
            LabEvent::Predicted { asks, .. } => self.told = format!("the question \"{asks}\""),
            LabEvent::Called { line, .. } => self.told.clone_from(line),
            LabEvent::Stopped(Stop::Failed(_)) => self.has_stopped = true,
            _ => {}
        }
    }

    /// A call that does not return is interrupted by the lab's own process: if the lab hangs, the cause is a peer, or
    /// calls without end.
    fn of_a_lab_that_hangs(&self) -> String {
        let limit = TIME_LIMIT.as_secs();
        match &self.told[..] {
            "" => format!("not done after {limit} s, and it has told nothing"),
            told => format!("not done after {limit} s; the last that it told was {told}"),
        }
    }
}

/// Starts the process of a lab.
fn start(lab: &Lab, how: How<'_>, place: &ScratchDirectory) -> io::Result<Child> {
    let mut command = Command::new(own_program()?);
    command
        .args(arguments(lab, how))
        .env(LAB_DIRECTORY, place.path())
        // Without a capture a lab that cuts its network needs one for itself, wherever this program was started.
        .env_remove(OWN_NETWORK)
        .envs(how.captures.then_some((OWN_NETWORK, "1")))
        // A socket's path may be short only; a file name without a directory always fits.
        .current_dir(place.path())
        .stdin(if how.asks || how.steps { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    place.start(&mut command)
}

fn continue_lab(go_on: &mut ChildStdin) {
    // If the process has ended in the meantime, its events say so.
    let _ = go_on.write_all(b"\n").and_then(|()| go_on.flush());
}

/// The command line of the lab's process.
fn arguments(lab: &Lab, how: How<'_>) -> Vec<OsString> {
    let common = how.common;
    let mut arguments: Vec<OsString> = vec!["lab".into(), lab.name.into(), "--stage".into()];
    if how.asks {
        arguments.push("--ask".into());
    }
    let flags = [
        ("--connections", how.connections),
        ("--explain", common.explain),
        ("--state", common.state),
        ("--bits", common.bits),
        ("--step", how.steps),
        ("--trace-time", common.trace_time),
        ("--trace-duration", common.trace_duration),
        ("--trace-ends", common.trace_ends),
        ("--trace-sync", common.trace_sync),
        ("--quiet", common.quiet),
    ];
    arguments.extend(flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| (*flag).into()));
    arguments.push(match how.colors {
        Colors::Colored => "--color=always".into(),
        Colors::Plain => "--color=never".into(),
    });
    arguments.push(format!("--trace-bytes={}", common.trace_bytes).into());
    arguments.push(format!("--trace-items={}", common.trace_items).into());
    arguments.push(format!("--via={}", common.via()).into());
    if let Some(file) = &common.trace_to {
        // The path as seen from here; the lab's process opens it.
        let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        arguments.extend(["--trace-to".into(), file.into()]);
        if common.trace == Some(TraceForm::Json) {
            arguments.push("--trace=json".into());
        }
    }
    arguments.extend(common.inject.iter().map(|rule| format!("--inject={rule}").into()));
    arguments
}

/// The events of the lab, as they happen.
fn events_of(child: &mut Child) -> Receiver<LabEvent> {
    let (tell, told) = channel();
    let stdout = child.stdout.take();
    thread::spawn(move || {
        let Some(stdout) = stdout else { return };
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line).unwrap_or_else(|error| {
                LabEvent::Stopped(Stop::failed(format_args!("not an event: {error}")))
            });
            if tell.send(event).is_err() {
                return;
            }
        }
    });
    told
}

/// Everything that the lab and its descendants wrote to standard error, once the last of them has ended.
fn complaints_of(child: &mut Child) -> Receiver<String> {
    let (tell, told) = channel();
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut text = Vec::new();
        // What arrived before an error is still worth showing.
        let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut text));
        // If no thread waits for it, it is not needed.
        let _ = tell.send(String::from_utf8_lossy(&text).into_owned());
    });
    told
}
