//! `baresock watch`: any program's socket calls, as it makes them.

mod attaching;
mod held;
mod packets;
mod patience;
mod signals;
pub(super) mod strace;

use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::thread;

use baresock::cli::{self, Common, TraceForm};
use baresock::logs::reader::{LogEvent, LogReader};
use baresock::names::Signal;
use baresock::os::fifo::Fifo;
use baresock::os::system::{System, this_system};
use baresock::trace::Sink;
use baresock::trace::arg::Interfaces;

use super::failure::Failure;
use super::messages::{Loudness, say};
use super::read::{Taker, chooser, report};
use super::tracing;
use attaching::InterruptedWaits;
use packets::WatchWire;
use patience::PatientLog;
use signals::Forwarder;

/// Runs the program, or attaches to it, and shows its calls until it ends; then prints the report, and ends as the
/// program ended.
pub(crate) fn run(
    watch: &cli::WatchArgs,
    common: &Common,
    loudness: Loudness,
) -> Result<(), Failure> {
    let strace = strace::find()?;
    let mut wire = WatchWire::begin(watch, common)?;
    let sink = calls_go_to(watch, common, loudness)?;
    let fifo = Fifo::make().map_err(|errno| {
        Failure::of_scratch_directory(&std::env::temp_dir().join("baresock"), &errno.into())
    })?;
    if watch.pid.is_some() && loudness >= Loudness::Ordinary {
        strace::warn_of_attaching();
    }
    let forwarder = Forwarder::start(watch.pid.is_some())?;
    let interrupted = watch.pid.map(InterruptedWaits::by_attaching_to).unwrap_or_default();
    let child = strace::command(&strace, watch, common, fifo.path())
        .spawn()
        .map_err(|error| Failure::from_std("strace", &error))?;
    forwarder.knows_strace(child.id());
    let (log, ended) = follow(fifo, child)?;
    let mut taker = Taker::new(chooser(&watch.choice), sink);
    if common.state {
        taker = taker.with_states();
    }
    let mut reader = LogReader::new([(PatientLog::new(log), watch.pid.unwrap_or(0))]);
    read_all(&mut reader, &mut taker, &mut wire, &forwarder, interrupted)
        .map_err(|error| Failure::from_std("read from strace", &error))?;
    let status = ended.join().ok().and_then(Result::ok);
    wire.iter_mut().for_each(|wire| wire.end(&mut taker));
    let reported = taker.finish();
    let has_begun = reader.counts().calls > 0;
    if has_begun {
        report(reported, watch.json, common)?;
    } else if loudness >= Loudness::Ordinary {
        say(strace::why_not(watch));
    }
    end_like(status)
}

/// Reads the log of strace to its end. When nothing arrives, the waiting call is shown as far as it is known.
fn read_all(
    reader: &mut LogReader<PatientLog>,
    taker: &mut Taker,
    wire: &mut Option<WatchWire>,
    forwarder: &Forwarder,
    mut interrupted: InterruptedWaits,
) -> io::Result<()> {
    loop {
        let read = reader.read_line(|told, place| {
            if let LogEvent::Call(event) = told {
                forwarder.knows_program(event.pid);
                if let Some(ended) = interrupted.before(event) {
                    taker.show(&ended);
                    taker.remark(attaching::WHY);
                }
            }
            match wire {
                Some(wire) => wire.take(told, place, taker),
                None => taker.take(told, place),
            }
        });
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Some(wire) = wire {
                    wire.catch_up(taker);
                }
                reader.waiting(|told, _| {
                    if let LogEvent::Call(event) = told {
                        taker.wait(event);
                    }
                });
                taker.flush();
            }
            Err(error) => return Err(error),
        }
    }
}

/// Where the calls are shown: unlike other commands, this one shows them without being asked.
fn calls_go_to(
    watch: &cli::WatchArgs,
    common: &Common,
    loudness: Loudness,
) -> Result<Option<Box<dyn Sink>>, Failure> {
    if watch.json && common.trace.is_none() && common.trace_to.is_none() {
        return tracing::asked_sink(common, Interfaces::Named);
    }
    match tracing::asked_sink(common, Interfaces::Named)? {
        Some(asked) => Ok(Some(asked)),
        None if loudness == Loudness::Quiet => Ok(None),
        None => {
            let shown = Common { trace: Some(TraceForm::Text), ..common.clone() };
            tracing::sink_of_log(&shown, Interfaces::Named).map(Some)
        }
    }
}

/// The log that strace writes, and a thread that waits for strace's end. If strace ends before it opens the log, the
/// thread opens it instead, so that reading does not wait forever.
fn follow(
    fifo: Fifo,
    mut child: Child,
) -> Result<(File, thread::JoinHandle<std::io::Result<ExitStatus>>), Failure> {
    let path = fifo.path().to_path_buf();
    let ended = thread::spawn(move || {
        let status = child.wait();
        Fifo::let_reader_go(&path);
        status
    });
    let log = File::open(fifo.path()).map_err(|error| Failure::from_std("open", &error))?;
    Ok((log, ended))
}

/// Ends this process as the program ended: with its status, or by its signal.
fn end_like(status: Option<ExitStatus>) -> Result<(), Failure> {
    let Some(status) = status else { return Err(Failure::new("strace: its end was not seen")) };
    if let Some(signal) = status.signal() {
        baresock::os::signals::end_by(Signal::from_bits(signal));
    }
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => std::process::exit(code),
        None => std::process::exit(128 + status.signal().unwrap_or(0)),
    }
}

/// The tools of systems without strace.
fn instead() -> &'static str {
    match this_system() {
        System::FreeBsd => "truss -f -o log COMMAND",
        System::NetBsd => "ktruss -i COMMAND, or ktrace and kdump",
        System::OpenBsd => "ktrace -i COMMAND and kdump",
        System::MacOs => "sudo dtruss -f COMMAND",
        _ => "strace",
    }
}
