//! What makes select slow, and what poll?
//!
//! select's cost grows with the highest descriptor: it copies and scans bits up to nfds, set or not. poll's cost grows
//! with the number of rows, whatever their descriptors. They differ most for one descriptor with a high number; if all
//! descriptors are watched, they hardly differ.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{millis, only};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "cost-is-the-highest-fd",
    claim: "select's cost grows with the highest descriptor, poll's with the rows.",
    question: "Which is faster, select or poll?",
    explanation: "It depends on the descriptors. A few descriptors with high numbers, as in a server that most clients \
        have left, are cheap for poll and expensive for select. If nearly all are watched, both cost about the same, \
        because both check every descriptor in turn on each call; epoll and kqueue were made to avoid that scan. \
        baresock compare measures it in detail.",
    elsewhere: "",
    sources: &["select(2)", "poll(2)"],
    related: &["nfds-and-count", "fdsetsize-overflow"],
    words: &["select", "poll", "FD_SETSIZE"],
    minutes: 3,
    predictions: &[&HIGH_READY, &SELECT_GROWS, &POLL_STAYS, &DENSE],
    spoiled_by: "select:EBADF@1",
    descriptors: 1024,
    alone: true,
    run,
    loopback: false,
    ..Lab::ORDINARY
};

/// The high number: FD_SETSIZE is 1024 on most systems.
const HIGH: i32 = 1000;
/// Rounds are short, so that some of them are undisturbed, however busy the machine is.
const ROUNDS: usize = 100;
const CALLS: u32 = 40;
const DENSE_CALLS: u32 = 3;
/// A time counts if this many rounds came within a tenth of it: a single round may be chance.
const AGREEING: usize = 5;
/// If not even that many rounds agree, the machine is too busy to measure anything.
const MOST_ROUNDS: usize = 2_000;
/// Nor if the rounds have lasted so long. (The thread is waited for a little longer.)
const LONGEST: Duration = Duration::from_secs(4);

const HIGH_READY: Prediction = Prediction {
    asks: "One descriptor, number 1000, is watched, and is ready. What does select return?",
    choices: &["1", "1001", "EBADF"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const SELECT_GROWS: Prediction = Prediction {
    asks: "How long does select take with number 1000, in percent of its time with the lowest number?",
    choices: &["less than 105 %", "105 to 1000 %", "at least 1001 %"],
    expect: Expect::on_linux(Expected::Between(105, 1000, "%")),
};

const POLL_STAYS: Prediction = Prediction {
    asks: "How long does poll take with number 1000, in percent of its time with the lowest number?",
    choices: &["less than 50 %", "50 to 150 %", "at least 151 %"],
    expect: Expect::on_linux(Expected::Between(50, 150, "%")),
};

const DENSE: Prediction = Prediction {
    asks: "900 descriptors are watched, one is ready. How long does select take, in percent of poll's time?",
    choices: &["less than 30 %", "30 to 300 %", "at least 301 %"],
    expect: Expect::on_linux(Expected::Between(30, 300, "%")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    if FD_SETSIZE <= HIGH as usize {
        return Err(Stop::skipped("an fd_set has no bit for 1000 here"));
    }
    let [read_end, write_end] = pipe()?;
    write(&write_end, b"x")?;
    let high = fcntl_dupfd(&read_end, HIGH)?;

    lab.part("One descriptor, low or high");
    let mut readable = only(&high)?;
    lab.predict(&HIGH_READY);
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(0))));
    poll(&mut [PollFd::new(high.as_fd(), POLLIN)], 0)?;
    lab.say(
        "A thread makes each call 4000 times, without a trace, in alternating rounds of 40. The fastest round of each \
            counts.",
    );
    let read_end = Arc::new(read_end);
    let ends = [Arc::clone(&read_end), Arc::new(high)];
    lab.predict(&SELECT_GROWS);
    let [low, high] = measured(&ends, |[low, high]| {
        time_both(CALLS, selects(&[low.as_fd()])?, selects(&[high.as_fd()])?)
    })?;
    lab.observe(percent(high, low));
    lab.say(format_args!("select: {low} ns low, {high} ns high"));
    lab.predict(&POLL_STAYS);
    let [low, high] = measured(&ends, |[low, high]| {
        time_both(CALLS, polls(&[low.as_fd()]), polls(&[high.as_fd()]))
    })?;
    lab.observe(percent(high, low));
    lab.say(format_args!("poll: {low} ns low, {high} ns high"));

    lab.part("900 descriptors, one of them ready");
    lab.say("The thread creates them, as copies of one pipe's idle end, and closes them again.");
    lab.predict(&DENSE);
    let [dense_select, dense_poll] = measured(&[read_end], |[read_end]| {
        let idle = pipe()?;
        let mut many = (0..899).map(|_| dup(&idle[0])).collect::<Result<Vec<Fd>>>()?;
        many.push(dup(read_end)?);
        let borrowed: Vec<_> = many.iter().map(Fd::as_fd).collect();
        time_both(DENSE_CALLS, selects(&borrowed)?, polls(&borrowed))
    })?;
    lab.observe(percent(dense_select, dense_poll));
    lab.say(format_args!("select: {dense_select} ns, poll: {dense_poll} ns"));
    Ok(())
}

fn percent(of: u128, whole: u128) -> String {
    format!("{} %", of * 100 / whole.max(1))
}

/// Measures in a separate thread whose calls are not traced: tracing a call takes longer than making it.
/// It shares these descriptors, so that they stay open even if it never ends.
fn measured<const N: usize>(
    fds: &[Arc<Fd>; N],
    what: impl FnOnce([&Fd; N]) -> std::result::Result<[u128; 2], Stop> + Send + 'static,
) -> std::result::Result<[u128; 2], Stop> {
    let fds = fds.clone();
    joined(spawn(move || what(fds.each_ref().map(|fd| &**fd))))
}

/// A select that watches these descriptors, and finds one ready.
fn selects(
    fds: &[BorrowedFd<'_>],
) -> std::result::Result<impl FnMut() -> Result<usize> + use<>, Stop> {
    let mut master = FdSet::new();
    for fd in fds {
        master.set(fd)?;
    }
    let nfds = master.nfds();
    Ok(move || {
        let mut readable = master;
        select(nfds, Some(&mut readable), None, None, None)
    })
}

/// A poll that watches these descriptors, and finds one ready.
fn polls(fds: &[BorrowedFd<'_>]) -> impl FnMut() -> Result<usize> {
    let mut rows: Vec<_> = fds.iter().map(|fd| PollFd::new(*fd, POLLIN)).collect();
    move || poll(&mut rows, -1)
}

/// Nanoseconds for one call of each, in their fastest rounds: other load makes rounds slower, never faster. Rounds
/// of the two alternate, so that a slow phase of the machine slows both.
fn time_both(
    calls: u32,
    mut one: impl FnMut() -> Result<usize>,
    mut other: impl FnMut() -> Result<usize>,
) -> std::result::Result<[u128; 2], Stop> {
    let mut rounds = [Vec::new(), Vec::new()];
    let began = Instant::now();
    for number in 1..=MOST_ROUNDS {
        rounds[0].push(time_round(calls, &mut one)?);
        rounds[1].push(time_round(calls, &mut other)?);
        if number >= ROUNDS
            && let [Some(one), Some(other)] = [agreed(&rounds[0]), agreed(&rounds[1])]
        {
            return Ok([one, other]);
        }
        if began.elapsed() > LONGEST {
            break;
        }
    }
    Err(Stop::skipped("this machine is too busy: no measurement could be repeated"))
}

/// Nanoseconds for one call, in one round.
fn time_round(
    calls: u32,
    call: &mut impl FnMut() -> Result<usize>,
) -> std::result::Result<u128, Stop> {
    let began = Instant::now();
    for _ in 0..calls {
        call()?;
    }
    Ok(began.elapsed().as_nanos() / u128::from(calls))
}

/// The shortest time, if several rounds confirm it.
fn agreed(rounds: &[u128]) -> Option<u128> {
    let least = *rounds.iter().min()?;
    let near = rounds.iter().filter(|time| **time <= least + least / 10);
    (near.count() >= AGREEING).then_some(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_only_if_rounds_agree_on_it() {
        assert_eq!(agreed(&[]), None);
        assert_eq!(agreed(&[500, 900, 905, 910, 915, 920]), None, "500 is chance");
        assert_eq!(agreed(&[900, 905, 2000, 910, 915, 920]), Some(900));
    }

    #[test]
    fn both_are_measured_while_the_machine_is_equally_slow() {
        // So many that the clock's own time does not count.
        let [one, other] = time_both(20_000, || Ok(1), || Ok(1)).unwrap();
        assert!(one <= 10 * other + 1000 && other <= 10 * one + 1000, "{one} and {other}");
    }
}
