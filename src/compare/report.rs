//! All results, in the form of the JSON report. Units are part of the names: `us` means microseconds.

use std::time::Duration;

use serde::Serialize;

use super::calls::FEW;
use super::statistics::{Fit, MedianSpread};
use super::{CompareOptions, Schedule};
use crate::os::machine::{poll_copies, select_copies};
use crate::sys::FD_SETSIZE;

/// The version of this structure; fields may be added without a new version.
pub(super) const SCHEMA: u32 = 1;

/// All results.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The version of this structure.
    pub schema: u32,
    /// The machine of the measurement.
    pub machine: Machine,
    /// How it was measured.
    pub method: MeasuringMethod,
    /// Whether the figures are reliable.
    pub noise: NoiseVerdict,
    /// What could not be measured here, each with its reason.
    pub not_reached: Vec<String>,
    /// The bare calls, if they were measured.
    pub calls: Option<CallsResult>,
    /// The echo servers, if they were measured.
    pub servers: Option<Servers>,
    /// The results in sentences.
    pub findings: Vec<String>,
}

/// The machine of the measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The system, its version and its processor architecture.
    pub system: String,
    /// How many processors this process may use.
    pub processors: u64,
    /// How many descriptors an `fd_set` has bits for.
    pub fd_setsize: u64,
    /// The limit on descriptors in force.
    pub descriptor_limit: u64,
    /// The limit before it was raised.
    pub descriptor_limit_before: u64,
    /// Whether the program was built without optimisation.
    pub debug_build: bool,
}

/// The harness may take at most this percentage of the measured time.
const MOST_OVERHEAD_PERCENT: f64 = 2.0;

/// How the figures were measured.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuringMethod {
    /// Whether it took less than ten seconds instead of less than a minute.
    pub quick: bool,
    /// The kind of descriptor that the bare calls watched.
    pub watched: &'static str,
    /// How many are watched along the axis of the highest number.
    pub few: u64,
    /// How many rounds of the bare calls there were.
    pub call_rounds: u64,
    /// How many rounds of the servers there were.
    pub server_rounds: u64,
    /// How long each server was loaded in a round.
    pub server_round_ms: u64,
    /// The time before the first round.
    pub warm_up_ms: u64,
    /// The harness's part of the time of the bare calls, where that is largest.
    pub overhead_percent: f64,
    /// A larger part than this is reported.
    pub most_overhead_percent: f64,
    /// How long the whole measurement took.
    pub seconds: f64,
}

impl MeasuringMethod {
    pub(super) fn of(
        options: &CompareOptions,
        plan: Schedule,
        calls: Option<&CallsResult>,
        took: Duration,
    ) -> Self {
        Self {
            quick: options.quick,
            watched: options.watch.name(),
            few: FEW as u64,
            call_rounds: calls.map_or(0, |calls| calls.rounds),
            server_rounds: plan.server_rounds as u64,
            server_round_ms: plan.server_round.as_millis() as u64,
            warm_up_ms: plan.warm_up.as_millis() as u64,
            overhead_percent: calls.map_or(0.0, |calls| calls.overhead_percent),
            most_overhead_percent: MOST_OVERHEAD_PERCENT,
            seconds: took.as_secs_f64(),
        }
    }
}

/// Whether the machine was quiet enough.
#[derive(Clone, Debug, Serialize)]
pub struct NoiseVerdict {
    /// The percentage of the time in which other processes had the processor.
    pub taken_percent: f64,
    /// How far the rounds differ: the median, over all times of the calls (or, without these, over all ratios of
    /// servers), of spread divided by median.
    pub spread_percent: f64,
    /// The limit of the first percentage.
    pub most_taken_percent: f64,
    /// The limit of the second percentage.
    pub most_spread_percent: f64,
    /// Whether one of the limits is exceeded.
    pub too_noisy: bool,
}

/// A measured call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `select`.
    Select,
    /// `select` with sets longer than `fd_set`.
    WideSelect,
    /// `poll`.
    Poll,
}

/// What varies along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisName {
    /// How many descriptors are watched, none of them ready.
    Descriptors,
    /// The highest number, with few descriptors watched, none of them ready.
    Highest,
    /// How many of them are ready.
    Ready,
}

/// The bare calls.
#[derive(Clone, Debug, Serialize)]
pub struct CallsResult {
    /// How many rounds there were.
    pub rounds: u64,
    /// The harness's part of the time, where that is largest.
    pub overhead_percent: f64,
    /// Each call at each place on each axis.
    pub measured: Vec<Measured>,
    /// A straight line for each axis and call, up to FD_SETSIZE.
    pub fits: Vec<FittedLine>,
    /// The time of poll divided by that of select, where both were measured: the median over the rounds.
    pub ratios: Vec<Ratio>,
    /// Where one call becomes cheaper than the other.
    pub crossovers: Vec<Crossover>,
}

/// One call at one place of an axis.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// What varies here.
    pub axis: AxisName,
    /// The call.
    pub call: Call,
    /// How many descriptors were watched.
    pub descriptors: u64,
    /// How many of them were ready.
    pub ready: u64,
    /// The highest number.
    pub highest: u64,
    /// The time of one call.
    pub time_us: MedianSpread,
    /// Bytes that the call copies into the kernel. (Not measured, but computed from the structures.)
    pub bytes_in: u64,
    /// Bytes that it copies back.
    pub bytes_out: u64,
    #[serde(skip)]
    samples: Vec<f64>,
}

impl Measured {
    pub(super) fn of(
        axis: AxisName,
        call: Call,
        [n, ready, nfds]: [usize; 3],
        samples: &[f64],
    ) -> Self {
        let (bytes_in, bytes_out) = match call {
            Call::Select | Call::WideSelect => select_copies(nfds),
            Call::Poll => poll_copies(n),
        };
        Self {
            axis,
            call,
            descriptors: n as u64,
            ready: ready as u64,
            highest: nfds.saturating_sub(1) as u64,
            time_us: MedianSpread::of(samples),
            bytes_in,
            bytes_out,
            samples: samples.to_vec(),
        }
    }

    /// Its place on its axis.
    pub fn place(&self) -> u64 {
        match self.axis {
            AxisName::Descriptors => self.descriptors,
            AxisName::Highest => self.highest,
            AxisName::Ready => self.ready,
        }
    }
}

/// A straight line along an axis.
#[derive(Clone, Debug, Serialize)]
pub struct FittedLine {
    /// What varies.
    pub axis: AxisName,
    /// The call.
    pub call: Call,
    /// The first place that the line was fitted to.
    pub from: u64,
    /// The last place.
    pub to: u64,
    /// The line.
    pub fit: Fit,
}

/// The two calls at one place of an axis.
#[derive(Clone, Debug, Serialize)]
pub struct Ratio {
    /// What varies.
    pub axis: AxisName,
    /// The place on the axis.
    pub place: u64,
    /// The time of poll divided by that of select.
    pub poll_to_select: MedianSpread,
}

/// Where one call becomes cheaper than the other.
#[derive(Clone, Debug, Serialize)]
pub struct Crossover {
    /// What varies.
    pub axis: AxisName,
    /// The crossover lies between this place …
    pub after: u64,
    /// … and this one.
    pub before: u64,
    /// Which call is cheaper from there on.
    pub then_cheaper: Call,
}

impl CallsResult {
    pub(super) fn of(measured: Vec<Measured>, rounds: usize, overhead_percent: f64) -> Self {
        let ratios: Vec<_> = measured.windows(2).filter_map(ratio).collect();
        let axes = [AxisName::Descriptors, AxisName::Highest, AxisName::Ready];
        let crossovers = axes[..2].iter().filter_map(|axis| crossover(*axis, &ratios)).collect();
        let both = [Call::Select, Call::Poll];
        let lines = axes.iter().flat_map(|axis| both.map(|call| line(*axis, call, &measured)));
        let fits = lines.flatten().collect();
        Self { rounds: rounds as u64, overhead_percent, measured, fits, ratios, crossovers }
    }

    /// The measured values of a call along an axis.
    pub fn along(&self, axis: AxisName, call: Call) -> impl Iterator<Item = &Measured> {
        self.measured.iter().filter(move |one| (one.axis, one.call) == (axis, call))
    }

    /// The fitted line of a call along an axis.
    pub fn line(&self, axis: AxisName, call: Call) -> Option<&FittedLine> {
        self.fits.iter().find(|line| (line.axis, line.call) == (axis, call))
    }
}

/// The cases come in pairs, `select` first.
fn ratio(pair: &[Measured]) -> Option<Ratio> {
    let [select, poll] = pair else { return None };
    let is_pair = (select.call, poll.call) == (Call::Select, Call::Poll)
        && (select.axis, select.place()) == (poll.axis, poll.place());
    let ratios = poll.samples.iter().zip(&select.samples).map(|(poll, select)| poll / select);
    let ratios: Vec<_> = ratios.collect();
    is_pair.then(|| Ratio {
        axis: select.axis,
        place: select.place(),
        poll_to_select: MedianSpread::of(&ratios),
    })
}

/// Only where the difference is significant on both sides, and has changed its sign.
fn crossover(axis: AxisName, ratios: &[Ratio]) -> Option<Crossover> {
    let told = ratios.iter().filter(|ratio| ratio.axis == axis);
    let told = told.filter_map(|ratio| Some((ratio.place, ratio.poll_to_select.against_one()?)));
    let told: Vec<_> = told.collect();
    let changes = told.windows(2).find(|pair| pair[0].1 != pair[1].1)?;
    let then_cheaper = if changes[1].1.is_lt() { Call::Poll } else { Call::Select };
    Some(Crossover { axis, after: changes[0].0, before: changes[1].0, then_cheaper })
}

/// Up to FD_SETSIZE, where both calls can be compared; beyond that the caches become too small and the line bends.
fn line(axis: AxisName, call: Call, measured: &[Measured]) -> Option<FittedLine> {
    let on_axis = measured.iter().filter(|one| (one.axis, one.call) == (axis, call));
    let points = on_axis.filter(|one| one.highest < FD_SETSIZE as u64);
    let points: Vec<_> = points.map(|one| (one.place() as f64, one.time_us)).collect();
    let (from, to) = (points.first()?.0 as u64, points.last()?.0 as u64);
    Some(FittedLine { axis, call, from, to, fit: Fit::through(&points)? })
}

/// A way to serve several clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Server {
    /// The event loop over `select`.
    Select,
    /// The event loop over `poll`.
    Poll,
    /// The same in tiers: waits ask about the busy connections, looks about the others.
    Tiers,
    /// `bare_select`.
    BareSelect,
    /// `bare_poll`.
    BarePoll,
    /// Blocking calls, and one client after the other.
    OneAtATime,
    /// Blocking calls, and a thread for each client.
    ThreadEach,
}

/// The echo servers.
#[derive(Clone, Debug, Serialize)]
pub struct Servers {
    /// The bytes of a request, and of its answer.
    pub message_bytes: u64,
    /// Each server under each load.
    pub measured: Vec<Served>,
    /// Pairs of servers under the same load: the median over the rounds.
    pub ratios: Vec<ServerRatio>,
}

/// One server under one load.
#[derive(Clone, Debug, Serialize)]
pub struct Served {
    /// How many connections send requests without pause.
    pub active: u64,
    /// How many connections send nothing.
    pub idle: u64,
    /// The server.
    pub server: Server,
    /// How many of the active connections were answered at all.
    pub answered_connections: u64,
    /// Requests answered, per second.
    pub requests_per_second: MedianSpread,
    /// Half of the answers came within this.
    pub p50_us: Option<MedianSpread>,
    /// 99 of 100 answers came within this.
    pub p99_us: Option<MedianSpread>,
    /// System calls of the server for each request, counted in a separate run.
    pub calls_per_request: Option<f64>,
    /// Processor time of the server for each request, where the system tells.
    pub cpu_us_per_request: Option<MedianSpread>,
    #[serde(skip)]
    pub(super) rates: Vec<f64>,
    #[serde(skip)]
    pub(super) cpu_us: Vec<f64>,
}

/// Two servers under one load.
#[derive(Clone, Debug, Serialize)]
pub struct ServerRatio {
    /// How many connections ask without pause.
    pub active: u64,
    /// How many say nothing.
    pub idle: u64,
    /// The server whose figure is divided …
    pub of: Server,
    /// … by the figure of this one.
    pub to: Server,
    /// Their requests per second.
    pub rates: MedianSpread,
    /// Their processor time for each request.
    pub cpu: Option<MedianSpread>,
}
