//! What makes select slow, and what poll?
//!
//! select pays for the highest number: it copies and walks bits up to nfds, set or not. poll pays for the number of rows,
//! whatever their numbers. One descriptor with a high number is where they differ most; where all numbers are watched,
//! they hardly differ at all.

use std::thread;
use std::time::Instant;

use crate::labs::run::{Outcome, Run, Stop};
use crate::labs::scene::{millis, only};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "cost-is-the-highest-fd",
    claim: "select pays for the highest number that it watches, poll for its rows.",
    question: "Which is faster, select or poll?",
    explanation: "It depends on the numbers. Few descriptors with high numbers, as in a server most of whose clients have \
        left, are cheap for poll and dear for select. Watching nearly all of them costs about the same, because both \
        ask each descriptor in turn, every time; that walk is what epoll and kqueue were made to avoid. baresock compare \
        measures it at length.",
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
/// Rounds are short, so that some of them are not disturbed, however busy the machine is.
const ROUNDS: u32 = 100;
const CALLS: u32 = 40;
const DENSE_CALLS: u32 = 3;

const HIGH_READY: Prediction = Prediction {
    asks: "One descriptor, number 1000, is watched, and is ready. What does select return?",
    choices: &["1", "1001", "EBADF"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const SELECT_GROWS: Prediction = Prediction {
    asks: "The time of select at number 1000, in percent of its time at the lowest number?",
    choices: &["less than 105 %", "105 to 1000 %", "at least 1001 %"],
    expect: Expect::on_linux(Expected::Between(105, 1000, "%")),
};

const POLL_STAYS: Prediction = Prediction {
    asks: "The time of poll at number 1000, in percent of its time at the lowest number?",
    choices: &["less than 50 %", "50 to 150 %", "at least 151 %"],
    expect: Expect::on_linux(Expected::Between(50, 150, "%")),
};

const DENSE: Prediction = Prediction {
    asks: "900 descriptors are watched, one is ready. The time of select in percent of poll's?",
    choices: &["less than 30 %", "30 to 300 %", "at least 301 %"],
    expect: Expect::on_linux(Expected::Between(30, 300, "%")),
};

fn run(lab: &mut Run<'_>) -> Outcome {
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
        "A thread makes each call 4000 times, without a trace. The quickest 40 in a row count.",
    );
    let (low_fd, high_fd) = (read_end.as_fd(), high.as_fd());
    lab.predict(&SELECT_GROWS);
    let [low, high] = measured(|| Ok([time_select(&[low_fd])?, time_select(&[high_fd])?]))?;
    lab.observe(percent(high, low));
    lab.say(format_args!("select: {low} ns low, {high} ns high"));
    lab.predict(&POLL_STAYS);
    let [low, high] = measured(|| Ok([time_poll(&[low_fd])?, time_poll(&[high_fd])?]))?;
    lab.observe(percent(high, low));
    lab.say(format_args!("poll: {low} ns low, {high} ns high"));

    lab.part("900 descriptors, one of them ready");
    lab.say("The thread makes them, copies of one pipe's idle end, and closes them again.");
    lab.predict(&DENSE);
    let [dense_select, dense_poll] = measured(|| {
        let idle = pipe()?;
        let mut many = (0..899).map(|_| dup(&idle[0])).collect::<Result<Vec<Fd>>>()?;
        many.push(dup(&read_end)?);
        let borrowed: Vec<_> = many.iter().map(Fd::as_fd).collect();
        Ok([time_select(&borrowed)?, time_poll(&borrowed)?])
    })?;
    lab.observe(percent(dense_select, dense_poll));
    lab.say(format_args!("select: {dense_select} ns, poll: {dense_poll} ns"));
    Ok(())
}

fn percent(of: u128, whole: u128) -> String {
    format!("{} %", of * 100 / whole.max(1))
}

/// Measures in a thread of its own, whose calls are not traced: to write them down would take longer than to make them.
fn measured<const N: usize>(
    what: impl FnOnce() -> std::result::Result<[u128; N], Stop> + Send,
) -> std::result::Result<[u128; N], Stop> {
    let result = thread::scope(|scope| scope.spawn(what).join());
    result.map_err(|_| Stop::failed("the thread that measures panicked"))?
}

/// Nanoseconds for a select that watches these, and finds one.
fn time_select(fds: &[BorrowedFd<'_>]) -> std::result::Result<u128, Stop> {
    let mut master = FdSet::new();
    for fd in fds {
        master.set(fd)?;
    }
    let nfds = master.nfds();
    quickest(calls_for(fds.len()), || {
        let mut readable = master;
        select(nfds, Some(&mut readable), None, None, None)
    })
}

/// Nanoseconds for a poll that watches these, and finds one.
fn time_poll(fds: &[BorrowedFd<'_>]) -> std::result::Result<u128, Stop> {
    let mut rows: Vec<_> = fds.iter().map(|fd| PollFd::new(*fd, POLLIN)).collect();
    quickest(calls_for(fds.len()), || poll(&mut rows, -1))
}

/// How many calls are a round: fewer where each takes long.
const fn calls_for(descriptors: usize) -> u32 {
    if descriptors > 100 { DENSE_CALLS } else { CALLS }
}

/// The time of one call in the quickest round: what else the machine does makes rounds slower, never quicker.
fn quickest(
    calls: u32,
    mut call: impl FnMut() -> Result<usize>,
) -> std::result::Result<u128, Stop> {
    let mut least = u128::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..calls {
            call()?;
        }
        least = least.min(began.elapsed().as_nanos() / u128::from(calls));
    }
    Ok(least)
}
