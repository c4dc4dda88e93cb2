//! The cost of one call, along three axes: how many descriptors are watched (N), how many of them are ready (k), and
//! how high the highest number is (h) when few are watched. `select` pays for h, `poll` for N.
//!
//! Every call has a timeout of zero and does not wait, so that only the call itself takes time. A *batch* is as many
//! calls as take a fifth of a millisecond, short enough that most batches are not interrupted; the figure of a round is
//! the median of its batches.

use std::hint::black_box;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use super::noise::Noise;
use super::report::{AxisName, Call, CallsResult, Measured};
use super::statistics::median;
use super::watched::Watched;
use super::{CompareOptions, Failed, Schedule};
use crate::names::{Errno, POLLIN, Result};
use crate::os::limits::MOST_POLL_ROWS;
use crate::sys::{FD_SETSIZE, Fd, FdSet, PollFd, WideFdSet, poll, select, select_wide};
use crate::values::TimeVal;

const BATCH: Duration = Duration::from_micros(200);
const BATCHES: usize = 5;
/// With fewer rounds a median says little, so on a slow machine the measurement may take twice the time.
const LEAST_ROUNDS: usize = 7;

/// Numbers of descriptors to watch; beyond FD_SETSIZE, as many as the limits allow.
const COUNTS: &[usize] = &[1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000];
const HIGHEST: &[i32] = &[15, 63, 127, 255, 511, 1023, 4095, 16_383, 65_535];
const READY: &[usize] = &[0, 1, 10, 100, 300, 1000];
/// How many are watched along the axis of the highest number.
pub(super) const FEW: usize = 4;
/// Descriptors reserved for everything that is not watched.
const RESERVED: usize = 64;

/// What the measurement of calls needs to know.
pub(super) struct CallsSetup<'a> {
    pub(super) options: &'a CompareOptions,
    pub(super) plan: Schedule,
    pub(super) descriptors: u64,
}

/// One call at one place on an axis, and its samples.
struct Case<'fd> {
    axis: AxisName,
    question: AskedSet<'fd>,
    n: usize,
    ready: usize,
    nfds: i32,
    /// How many calls are in a batch.
    calls: u32,
    /// How many batches are in a round.
    batches: usize,
    /// Microseconds per call, one figure for each round.
    samples: Vec<f64>,
}

/// The question, in the form that each call takes.
enum AskedSet<'fd> {
    Select(FdSet),
    Wide { asked: WideFdSet, set: WideFdSet },
    Poll(Vec<PollFd<'fd>>),
}

pub(super) fn measure(
    asked: &CallsSetup<'_>,
    noise: &mut Noise,
    not_reached: &mut Vec<String>,
    progress: &mut dyn FnMut(&str, f64),
) -> std::result::Result<CallsResult, Failed> {
    let failed = |errno| Failed::Call("the bare calls", errno);
    let watch = asked.options.watch;
    let room = (asked.descriptors as usize).saturating_sub(RESERVED) / watch.descriptors();
    let (wanted, bound) = how_many(room, asked.options.most, MOST_POLL_ROWS);
    let watched = Watched::make(watch, wanted).map_err(failed)?;
    if watched.len() < wanted {
        not_reached.push(format!("no more than {} {} can be had", watched.len(), watch.plural()));
    } else {
        let why = match bound {
            Bound::Asked => "--most says so".to_string(),
            Bound::Rows => "this system's poll takes no more rows".to_string(),
            Bound::Limit => format!("the limit is {} descriptors", asked.descriptors),
        };
        not_reached.push(format!("more than {wanted} {}: {why}", watch.plural()));
    }
    let wide = asked.options.wide && takes_wide_sets(&watched, not_reached);
    let mut cases = cases(&watched, wide).map_err(failed)?;
    if watched.with_a_bit() < 1000.min(FD_SETSIZE - 24) {
        not_reached
            .push(format!("select: more than {} descriptors with a bit", watched.with_a_bit()));
    }
    warm_up(&mut cases, asked.plan.warm_up).map_err(failed)?;

    let began = Instant::now();
    let mut rounds = 0;
    while began.elapsed() < asked.plan.calls
        || rounds < LEAST_ROUNDS && began.elapsed() < asked.plan.calls * 2
        || rounds == 0
    {
        let part = began.elapsed().as_secs_f64() / asked.plan.calls.as_secs_f64();
        progress("the bare calls", part.min(1.0));
        noise.during(|| round(&mut cases, &watched, rounds)).map_err(failed)?;
        rounds += 1;
    }
    let overhead = overhead(&mut cases);
    Ok(CallsResult::of(cases.iter().map(Case::measured).collect(), rounds, overhead))
}

/// What limits the number of descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// `--most`.
    Asked,
    /// The rows of `poll`.
    Rows,
    /// The limit on descriptors.
    Limit,
}

/// The most descriptors that are watched: limited by the room, by the option, and by the rows that `poll` takes.
fn how_many(room: usize, asked: usize, rows: usize) -> (usize, Bound) {
    let wanted = room.min(asked).min(rows);
    let bound = match wanted {
        _ if wanted == rows => Bound::Rows,
        _ if room > wanted => Bound::Asked,
        _ => Bound::Limit,
    };
    (wanted, bound)
}

/// Whether this system's select takes sets longer than `fd_set`.
fn takes_wide_sets(watched: &Watched, not_reached: &mut Vec<String>) -> bool {
    let mut set = WideFdSet::new();
    let Some(highest) = watched.fds().last() else { return false };
    set.set(highest);
    if set.nfds() <= FD_SETSIZE as i32 {
        return false;
    }
    match select_wide(set.nfds(), Some(&mut set), None, None, Some(&mut TimeVal::default())) {
        Ok(_) => true,
        Err(errno) => {
            not_reached.push(format!("select beyond FD_SETSIZE: this system refuses it: {errno}"));
            false
        }
    }
}

/// Every case, in pairs: `select` first, then `poll`.
fn cases(watched: &Watched, wide: bool) -> Result<Vec<Case<'_>>> {
    let mut cases = Vec::new();
    let all: Vec<_> = watched.fds().collect();
    let with_a_bit = watched.with_a_bit();
    let mut counts: Vec<_> = COUNTS.iter().copied().filter(|n| *n <= all.len()).collect();
    // The farthest reachable place, and the farthest for select, unless they are among the counts already.
    let farthest = [all.len(), with_a_bit]
        .map(|end| (end, counts.iter().any(|n| *n * 3 / 2 > end && *n <= end)));
    counts.extend(farthest.iter().filter(|(_, is_near)| !is_near).map(|(end, _)| *end));
    counts.sort_unstable();
    for n in counts {
        push_both(&mut cases, AxisName::Descriptors, &all[..n], 0, wide)?;
    }
    for highest in HIGHEST.iter().filter(|highest| wide || **highest < FD_SETSIZE as i32) {
        let Some(top) = watched.up_to(*highest).filter(|fd| *highest - fd.number().get() < 16)
        else {
            continue;
        };
        let mut few = all[..FEW.min(all.len()) - 1].to_vec();
        few.push(top);
        push_both(&mut cases, AxisName::Highest, &few, 0, wide)?;
    }
    let most = with_a_bit.min(1000);
    for ready in READY.iter().copied().filter(|ready| *ready <= most) {
        push_both(&mut cases, AxisName::Ready, &all[..most], ready, wide)?;
    }
    Ok(cases)
}

fn push_both<'fd>(
    cases: &mut Vec<Case<'fd>>,
    axis: AxisName,
    fds: &[&'fd Fd],
    ready: usize,
    wide: bool,
) -> Result<()> {
    let highest = fds.iter().map(|fd| fd.number().get()).max().unwrap_or(-1);
    let mut push = |question| {
        let n = fds.len();
        let nfds = highest + 1;
        cases.push(Case {
            axis,
            question,
            n,
            ready,
            nfds,
            calls: 1,
            batches: BATCHES,
            samples: Vec::new(),
        });
    };
    if highest < FD_SETSIZE as i32 {
        let mut set = FdSet::new();
        for fd in fds {
            set.set(fd).map_err(|_| Errno::EBADF)?;
        }
        push(AskedSet::Select(set));
    } else if wide {
        let mut asked = WideFdSet::new();
        fds.iter().for_each(|fd| asked.set(fd));
        push(AskedSet::Wide { set: asked.clone(), asked });
    }
    let row = |fd: &&'fd Fd| PollFd::new((*fd).as_fd(), POLLIN);
    push(AskedSet::Poll(fds.iter().map(row).collect()));
    Ok(())
}

/// Finds how many calls make a batch, and lets caches and clock settle.
fn warm_up(cases: &mut [Case<'_>], time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    let mut is_first = true;
    while is_first || Instant::now() < end {
        for case in cases.iter_mut() {
            let each = case.batch()?.max(1e-3);
            case.calls = (BATCH.as_secs_f64() * 1e6 / each).clamp(1.0, 1e5) as u32;
            // Fewer batches of long calls, or there would not be enough rounds in the time.
            case.batches = if each > BATCH.as_secs_f64() * 3e6 { 3 } else { BATCHES };
        }
        is_first = false;
    }
    Ok(())
}

/// Runs every case once. In every second round `poll` comes before `select`.
fn round(cases: &mut [Case<'_>], watched: &Watched, number: usize) -> Result<()> {
    for together in
        cases.chunk_by_mut(|a, b| (a.axis, a.ready, a.n, a.nfds) == (b.axis, b.ready, b.n, b.nfds))
    {
        let [first, ..] = &*together else { continue };
        // Spread evenly over the watched descriptors.
        let n = first.n;
        let ready = first.ready;
        let places = || (0..ready).map(move |at| at * n / ready);
        places().try_for_each(|at| watched.make_ready(at))?;
        if number.is_multiple_of(2) {
            together.iter_mut().try_for_each(Case::sample)?;
        } else {
            together.iter_mut().rev().try_for_each(Case::sample)?;
        }
        places().try_for_each(|at| watched.make_quiet(at))?;
    }
    Ok(())
}

impl Case<'_> {
    fn sample(&mut self) -> Result<()> {
        let mut batches = vec![0.0; self.batches];
        // Once for the caches, which the case before has filled with its own data.
        self.ask(1)?;
        for batch in &mut batches {
            *batch = self.batch()?;
        }
        self.samples.push(median(&batches));
        Ok(())
    }

    /// The microseconds of one call, measured over a batch.
    fn batch(&mut self) -> Result<f64> {
        let began = Instant::now();
        self.ask(self.calls)?;
        Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(self.calls))
    }

    /// Makes this many calls. What a caller has to do again for every call is done for every call.
    fn ask(&mut self, calls: u32) -> Result<()> {
        let nfds = self.nfds;
        match &mut self.question {
            AskedSet::Select(asked) => {
                for _ in 0..calls {
                    let mut set = *asked;
                    let mut at_once = TimeVal::default();
                    black_box(select(nfds, Some(&mut set), None, None, Some(&mut at_once))?);
                }
            }
            AskedSet::Wide { asked, set } => {
                for _ in 0..calls {
                    set.copy_from(asked);
                    let mut at_once = TimeVal::default();
                    black_box(select_wide(nfds, Some(set), None, None, Some(&mut at_once))?);
                }
            }
            AskedSet::Poll(rows) => {
                for _ in 0..calls {
                    black_box(poll(rows, 0)?);
                }
            }
        }
        Ok(())
    }

    /// The same without the calls.
    fn do_nothing(&mut self, calls: u32) {
        for _ in 0..calls {
            match &mut self.question {
                AskedSet::Select(asked) => {
                    let mut set = *asked;
                    black_box(&mut set);
                    black_box(&mut TimeVal::default());
                }
                AskedSet::Wide { asked, set } => {
                    set.copy_from(asked);
                    black_box(set);
                    black_box(&mut TimeVal::default());
                }
                AskedSet::Poll(rows) => drop(black_box(rows)),
            }
        }
    }

    fn measured(&self) -> Measured {
        let call = match self.question {
            AskedSet::Select(_) => Call::Select,
            AskedSet::Wide { .. } => Call::WideSelect,
            AskedSet::Poll(_) => Call::Poll,
        };
        Measured::of(self.axis, call, [self.n, self.ready, self.nfds as usize], &self.samples)
    }
}

/// Which percentage of the reported time does not belong to the call, in the case where it is largest: reading the
/// clock, counting, and rebuilding the sets that `select` has rewritten.
fn overhead(cases: &mut [Case<'_>]) -> f64 {
    let of_case = |case: &mut Case<'_>| {
        let calls = case.calls;
        let tries = [(); 4 * BATCHES].map(|()| {
            let began = Instant::now();
            case.do_nothing(calls);
            // The clock is read once more than this loop shows.
            let clock = Instant::now();
            (began.elapsed() + clock.elapsed()).as_secs_f64() * 1e6 / f64::from(calls)
        });
        // It does the same work each time; any longer time was caused by something else.
        tries.into_iter().fold(f64::MAX, f64::min) / median(&case.samples) * 100.0
    };
    cases.iter_mut().map(of_case).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_descriptors_from_being_more_is_told() {
        let no_limit = usize::MAX;
        let apple = 10_240;
        assert_eq!(how_many(960, 30_000, no_limit), (960, Bound::Limit));
        assert_eq!(how_many(500_000, 30_000, no_limit), (30_000, Bound::Asked));
        assert_eq!(how_many(500_000, 30_000, apple), (10_240, Bound::Rows));
        assert_eq!(how_many(500_000, 300, apple), (300, Bound::Asked));
        assert_eq!(how_many(960, 30_000, apple), (960, Bound::Limit));
    }
}
