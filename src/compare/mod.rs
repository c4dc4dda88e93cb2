//! "select or poll?", answered by measuring both on this machine.
//!
//! How it works: [`run`] raises the limit on descriptors, times the bare calls (`calls`, with the descriptors of
//! `watched`), then whole echo servers (`servers`, loaded by `load`; each is a process of its own, started by
//! `contender`). `statistics` turns samples into figures, `noise` checks whether the machine was quiet, `report`
//! contains all results, and `findings` puts them into sentences. `table`, `picture` and `csv` show them.
//!
//! Everything that is compared is measured in alternating rounds, so that changes on the machine affect all of it
//! alike; values are compared within a round, and the median is taken over the rounds.

mod calls;
mod contender;
pub mod csv;
mod findings;
mod load;
mod noise;
pub mod picture;
mod report;
pub mod role;
mod rounding;
mod servers;
mod statistics;
pub mod table;
mod watched;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::names::Errno;
use crate::os::{limits, machine};
use crate::sys::FD_SETSIZE;

pub use report::*;
pub use statistics::{Fit, MedianSpread};
pub use watched::WatchedKind;

/// What to measure, and how thoroughly.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// Take less than ten seconds instead of less than a minute.
    pub quick: bool,
    /// Also measure `select` with sets longer than `fd_set`.
    pub wide: bool,
    /// Also measure the echo servers without an event loop around the call, `bare_select` and `bare_poll`.
    pub bare: bool,
    /// Measure one half only.
    pub only: Option<MeasuredPart>,
    /// The kind of descriptor that the bare calls watch.
    pub watch: WatchedKind,
    /// The most descriptors to watch.
    pub most: usize,
    /// The path of this program, which is started again for each server.
    pub program: PathBuf,
}

/// One half of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasuredPart {
    /// The bare calls.
    Calls,
    /// The echo servers.
    Servers,
}

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    /// The time for all rounds of the bare calls.
    calls: Duration,
    /// The time for one load of one server.
    server_round: Duration,
    server_rounds: usize,
    warm_up: Duration,
}

impl Schedule {
    const QUICK: Self = Self {
        calls: Duration::from_millis(2_500),
        server_round: Duration::from_millis(80),
        server_rounds: 3,
        warm_up: Duration::from_millis(200),
    };
    const FULL: Self = Self {
        calls: Duration::from_secs(12),
        server_round: Duration::from_millis(180),
        server_rounds: 7,
        warm_up: Duration::from_millis(500),
    };
}

/// Why there is no result.
#[derive(Debug)]
pub enum Failed {
    /// A call failed.
    Call(&'static str, Errno),
    /// A server could not be started or loaded.
    Server(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call, errno) => write!(f, "{call}: {errno}"),
            Self::Server(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failed {}

/// Measures. `progress` receives what is being done, and which part of the whole is done, from 0 to 1.
///
/// # Errors
/// A part cannot be measured at all: no descriptors, a server that does not start.
pub fn run(
    options: &CompareOptions,
    mut progress: impl FnMut(&str, f64),
) -> Result<Comparison, Failed> {
    let began = Instant::now();
    let plan = if options.quick { Schedule::QUICK } else { Schedule::FULL };
    let before = limits::descriptor_limits().map_err(|errno| Failed::Call("getrlimit", errno))?;
    // If the limit cannot be raised, measure what it allows.
    let limits = limits::raise_descriptor_limit().unwrap_or(before);
    let mut noise = noise::Noise::default();
    let mut not_reached = Vec::new();
    if limits.soft <= FD_SETSIZE as u64 {
        not_reached.push(format!(
            "nothing beyond FD_SETSIZE ({FD_SETSIZE}): the hard limit on descriptors is {}",
            limits.hard
        ));
    }
    let calls = match options.only {
        Some(MeasuredPart::Servers) => None,
        _ => {
            let part = if options.only.is_none() { 0.4 } else { 1.0 };
            let mut told = |what: &str, done: f64| progress(what, done * part);
            let descriptors = limits.soft;
            let asked = calls::CallsSetup { options, plan, descriptors };
            Some(calls::measure(&asked, &mut noise, &mut not_reached, &mut told)?)
        }
    };
    let servers = match options.only {
        Some(MeasuredPart::Calls) => None,
        _ => {
            let before = if options.only.is_none() { 0.4 } else { 0.0 };
            let mut told = |what: &str, done: f64| progress(what, before + done * (1.0 - before));
            let descriptors = limits.soft;
            let asked = servers::ServersSetup { options, plan, descriptors };
            Some(servers::measure(&asked, &mut noise, &mut not_reached, &mut told)?)
        }
    };
    let mut report = Comparison {
        schema: SCHEMA,
        machine: Machine {
            system: machine::system(),
            processors: machine::processors(),
            fd_setsize: FD_SETSIZE as u64,
            descriptor_limit: limits.soft,
            descriptor_limit_before: before.soft,
            debug_build: machine::IS_DEBUG_BUILD,
        },
        method: MeasuringMethod::of(options, plan, calls.as_ref(), began.elapsed()),
        noise: noise.verdict(calls.as_ref(), servers.as_ref()),
        not_reached,
        calls,
        servers,
        findings: Vec::new(),
    };
    report.findings = findings::of(&report);
    Ok(report)
}
