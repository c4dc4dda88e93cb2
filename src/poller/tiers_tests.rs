//! Tiers over a poller and a clock of the tests': a call takes the time that the test gives it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::os::fd::AsFd;

use super::*;
use crate::names::{AF_UNIX, Errno, Protocol, SOCK_STREAM};
use crate::poller::{Interest, Said, Via};
use crate::sys::{self, Fd};
use crate::values::FdNumber;

thread_local! {
    static BEGAN: Instant = Instant::now();
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn now() -> Instant {
    BEGAN.with(|began| *began) + PASSED.get()
}

fn pass(time: Duration) {
    PASSED.set(PASSED.get() + time);
}

/// What one call of the poller was asked.
#[derive(Clone, Debug)]
struct Asked {
    places: Vec<u32>,
    timeout: Option<Duration>,
    at: Duration,
}

/// Answers that the places in `ready` are readable. A call takes a time for each row, and waits until its timeout if
/// none is ready.
#[derive(Default)]
struct Kernel {
    ready: BTreeSet<u32>,
    row_takes: Duration,
    /// The errnos of the next calls; `None`: the call succeeds.
    fails: VecDeque<Option<Errno>>,
    asked: RefCell<Vec<Asked>>,
}

impl Poller for Kernel {
    fn via(&self) -> Via {
        Via::Poll
    }

    fn can_watch(&self, _: FdNumber) -> bool {
        true
    }

    fn wait(
        &mut self,
        question: &[Row<'_>],
        timeout: Option<Duration>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()> {
        let places = question.iter().map(|row| row.place).collect();
        self.asked.borrow_mut().push(Asked { places, timeout, at: PASSED.get() });
        pass(self.row_takes * question.len() as u32);
        if let Some(errno) = self.fails.pop_front().flatten() {
            return Err(errno);
        }
        let ready = question.iter().filter(|row| self.ready.contains(&row.place));
        let said = Said::Sets { read: true, write: false };
        let before = evidence.len();
        evidence.extend(ready.map(|row| row.answered(said)));
        if evidence.len() == before {
            pass(timeout.unwrap_or(HOUR));
        }
        Ok(())
    }
}

const HOUR: Duration = Duration::from_secs(3600);
const ENTRANCE: u32 = 3;

/// Connections at the places below `end`, except the free ones; a listener at [`ENTRANCE`].
struct Loop<'fd> {
    fd: &'fd Fd,
    end: u32,
    free: &'fd Range<u32>,
}

impl<'fd> Places<'fd> for Loop<'fd> {
    fn end(&self) -> u32 {
        self.end
    }

    fn taken(&self) -> usize {
        self.end as usize - self.free.len()
    }

    fn is_entrance(&self, place: u32) -> bool {
        place == ENTRANCE
    }

    fn ask_at(&self, place: u32, question: &mut Vec<Row<'fd>>) {
        if !self.free.contains(&place) {
            question.push(Row { fd: self.fd.as_fd(), interest: Interest::Read, place });
        }
    }

    fn ask_all(&self, question: &mut Vec<Row<'fd>>) {
        (0..self.end).for_each(|place| self.ask_at(place, question));
    }
}

struct Scene {
    kernel: Kernel,
    tiers: Tiers,
    fd: Fd,
    end: u32,
    free: Range<u32>,
    /// What the last wait found.
    evidence: Vec<Evidence>,
}

impl Scene {
    /// A loop whose connections have all been silent for a while, except the one at place 0.
    fn one_busy_of(end: u32, limits: TierLimits) -> Self {
        let [fd, _] = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        let mut tiers = Tiers::by_clock(limits, now);
        (0..end).for_each(|place| tiers.warm(place));
        let kernel = Kernel { ready: BTreeSet::from([0]), ..Kernel::default() };
        let mut scene = Self { kernel, tiers, fd, end, free: 0..0, evidence: Vec::new() };
        for _ in 0..3 {
            pass(limits.longest_wait);
            scene.turn(None).unwrap();
        }
        scene.kernel.asked.take();
        scene
    }

    /// One wait; returns the places that are ready.
    fn turn(&mut self, timeout: Option<Duration>) -> Result<Vec<u32>> {
        self.evidence.clear();
        let mut wait = TieredWait {
            poller: &mut self.kernel,
            places: &Loop { fd: &self.fd, end: self.end, free: &self.free },
            question: &mut Vec::new(),
            evidence: &mut self.evidence,
        };
        self.tiers.wait(&mut wait, timeout)?;
        Ok(self.found())
    }

    fn found(&self) -> Vec<u32> {
        self.evidence.iter().map(|found| found.place).collect()
    }

    /// Turns for this long, each followed by `work`, and the calls that they made.
    fn run(&mut self, time: Duration, work: Duration) -> Vec<Asked> {
        let end = PASSED.get() + time;
        while PASSED.get() < end {
            self.turn(None).unwrap();
            pass(work);
        }
        self.kernel.asked.take()
    }
}

fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// The longest time in which a place was not asked about.
fn longest_gap(asked: &[Asked], end: u32) -> Duration {
    let mut last = vec![asked[0].at; end as usize];
    let mut longest = Duration::ZERO;
    let mut look = |places: &mut dyn Iterator<Item = u32>, at: Duration| {
        for place in places {
            longest = longest.max(at - last[place as usize]);
            last[place as usize] = at;
        }
    };
    asked.iter().for_each(|one| look(&mut one.places.iter().copied(), one.at));
    let over = asked.last().map_or(Duration::ZERO, |one| one.at);
    look(&mut (0..end), over);
    longest
}

#[test]
fn no_cold_connection_is_left_alone_for_longer_than_the_longest_wait() {
    let limits = TierLimits::default();
    // Rows that cost little; that cost so much that a tenth of the time is not enough; and slow services.
    for (row_takes, work) in
        [(us(1), us(40)), (us(1), us(5_000)), (us(5), us(40)), (us(1), us(20_000))]
    {
        let mut scene = Scene::one_busy_of(9_000, limits);
        scene.kernel.row_takes = row_takes;
        let asked = scene.run(us(600_000), work);
        let longest = longest_gap(&asked, scene.end);
        let most_rows = asked.iter().map(|one| one.places.len()).max().unwrap_or(0);
        let turn = work + row_takes * most_rows as u32 + us(100);
        let most = limits.longest_wait + turn;
        assert!(longest <= most, "{row_takes:?} a row, {work:?} of work: {longest:?}");
        let looks = most_rows.div_ceil(ROWS_OF_A_LOOK);
        assert!(looks == 1 || work > us(1_000), "{looks} looks in one, {row_takes:?}");
    }
}

/// No turn comes between the looks then, but the end of a wait.
#[test]
fn no_cold_connection_is_left_alone_for_longer_while_the_hot_ones_are_silent() {
    let limits = TierLimits::default();
    let mut scene = Scene::one_busy_of(9_000, limits);
    scene.kernel.row_takes = us(1);
    let mut asked = scene.run(us(200_000), us(40));
    scene.kernel.ready.clear();
    while asked.last().is_none_or(|one| one.places.len() < 9_000) {
        scene.turn(None).unwrap();
        asked.extend(scene.kernel.asked.take());
    }
    let longest = longest_gap(&asked, scene.end);
    assert!(longest <= limits.longest_wait + us(2_100), "{longest:?}");
}

#[test]
fn looks_take_their_share_of_the_time_and_no_more() {
    for share_percent in [1, 10, 50] {
        let limits = TierLimits {
            share_percent,
            longest_wait: Duration::from_secs(2),
            ..TierLimits::default()
        };
        let mut scene = Scene::one_busy_of(9_000, limits);
        scene.kernel.row_takes = us(1);
        let asked = scene.run(Duration::from_secs(3), us(400));
        let looks = asked.iter().filter(|one| !one.places.contains(&0));
        let took: u32 = looks.map(|one| one.places.len() as u32).sum();
        let percent = took / 30_000;
        assert!(
            (share_percent / 2..=share_percent).contains(&percent),
            "{percent} of {share_percent}"
        );
    }
}

#[test]
fn a_busy_connection_is_asked_about_with_the_entrances_alone() {
    let mut scene = Scene::one_busy_of(9_000, TierLimits::default());
    scene.kernel.row_takes = us(1);
    let asked = scene.run(Duration::from_secs(1), us(40));
    let (hot, looks): (Vec<_>, Vec<_>) = asked.iter().partition(|one| one.places.contains(&0));
    assert!(hot.iter().all(|one| one.places == [0, ENTRANCE] || one.places == [ENTRANCE, 0]));
    let eighth = Some(TierLimits::default().longest_wait / 8);
    assert!(hot.iter().all(|one| one.timeout == eighth), "however soon the next look is due");
    assert!(looks.iter().all(|one| !one.places.contains(&ENTRANCE)), "an entrance is never cold");
    assert!(looks.len() * 10 < hot.len(), "{} of {}", looks.len(), hot.len());
}

#[test]
fn a_cold_connection_that_becomes_ready_is_hot_until_it_was_silent_for_two_periods() {
    let limits = TierLimits::default();
    let mut scene = Scene::one_busy_of(9_000, limits);
    scene.kernel.ready.insert(5_000);
    let found = |scene: &mut Scene| scene.turn(None).unwrap().contains(&5_000);
    while !found(&mut scene) {
        pass(us(40));
    }
    assert!(found(&mut scene), "it is in every question now");
    scene.kernel.ready.remove(&5_000);
    scene.run(limits.longest_wait * 3, us(40));
    let later = scene.run(us(1_000), us(40));
    assert!(later.iter().any(|one| one.places.contains(&0) && !one.places.contains(&5_000)));
}

#[test]
fn a_connection_that_waits_for_something_else_is_asked_about_at_once() {
    let mut scene = Scene::one_busy_of(9_000, TierLimits::default());
    scene.kernel.ready.insert(8_999);
    scene.turn(None).unwrap();
    scene.tiers.warm(8_999);
    assert!(scene.turn(None).unwrap().contains(&8_999));
}

#[test]
fn while_all_are_silent_one_wait_asks_about_all_with_the_timeout_of_the_loop() {
    for timeout in [None, Some(Duration::from_secs(60))] {
        let mut scene = Scene::one_busy_of(9_000, TierLimits::default());
        scene.kernel.ready.clear();
        let mut turns = 0;
        while scene.kernel.asked.borrow().last().is_none_or(|one| one.places.len() < 9_000) {
            assert_eq!(scene.turn(timeout), Ok(vec![]));
            turns += 1;
        }
        // As many as a round of looks has, and the ends of the waits between them.
        assert!(turns < 40, "{turns} turns");
        assert_eq!(scene.kernel.asked.take().last().unwrap().timeout, timeout);
        for _ in 0..5 {
            scene.turn(timeout).unwrap();
        }
        let still = scene.kernel.asked.take();
        assert_eq!(still.len(), 5, "a wait for each turn");
        assert!(still.iter().all(|one| one.places.len() == 9_000 && one.timeout == timeout));
    }
}

#[test]
fn few_cold_connections_are_asked_about_in_every_wait() {
    let limits = TierLimits { least_cold: 64, ..TierLimits::default() };
    for (connections, in_tiers) in [(60, false), (64 + 2, true)] {
        let mut scene = Scene::one_busy_of(connections, limits);
        scene.turn(Some(HOUR)).unwrap();
        let asked = scene.kernel.asked.take();
        assert_eq!(asked[0].places.len() == connections as usize, !in_tiers, "{asked:?}");
    }
}

/// For the spacing of the looks, the places that the busy ones left do not count as hot connections.
#[test]
fn cold_connections_wait_no_longer_because_many_hot_ones_were_closed() {
    let mut scene =
        Scene::one_busy_of(8_000, TierLimits { share_percent: 1, ..TierLimits::default() });
    scene.kernel.row_takes = us(1);
    (5_000..8_000).for_each(|place| scene.tiers.warm(place));
    scene.free = 5_000..8_000;
    let asked = scene.run(us(400_000), us(40));
    let longest = longest_gap(&asked, 5_000);
    let turn = us(40 + ROWS_OF_A_LOOK as u64 + 100);
    assert!(longest <= TierLimits::default().longest_wait + turn, "{longest:?}");
}

#[test]
fn a_look_that_fails_is_made_again() {
    for errno in [Errno::EINTR, Errno::ENOMEM, Errno::EINVAL] {
        let mut scene = Scene::one_busy_of(9_000, TierLimits::default());
        scene.kernel.fails.push_back(Some(errno));
        pass(us(10_000));
        assert_eq!(scene.turn(None), Err(errno));
        let failed = scene.kernel.asked.take().pop().unwrap();
        assert!(failed.places.len() == ROWS_OF_A_LOOK);
        scene.turn(None).unwrap();
        assert_eq!(scene.kernel.asked.take()[0].places, failed.places);
    }
}

#[test]
fn what_a_look_has_found_stays_if_the_wait_after_it_fails() {
    let mut scene = Scene::one_busy_of(9_000, TierLimits::default());
    scene.kernel.ready = (1..9_000).filter(|place| *place != ENTRANCE).collect();
    scene.kernel.row_takes = us(1);
    scene.kernel.fails.extend([None, Some(Errno::EINTR)]);
    pass(us(10_000));
    assert_eq!(scene.turn(None), Err(Errno::EINTR));
    assert_eq!(scene.found().len(), ROWS_OF_A_LOOK, "a look, which looks at the cold tier alone");
    let again = scene.turn(None).unwrap();
    assert_eq!(again.len(), ROWS_OF_A_LOOK, "they are hot");
}

/// A library's caller may want that.
#[test]
fn a_longest_wait_of_zero_is_as_short_as_looks_can_make_it() {
    let limits = TierLimits { longest_wait: Duration::ZERO, ..TierLimits::default() };
    let mut scene = Scene::one_busy_of(9_000, limits);
    scene.kernel.row_takes = us(1);
    let asked = scene.run(us(100_000), us(40));
    assert!(longest_gap(&asked, scene.end) < us(20_000));
}

#[test]
fn after_a_standstill_one_look_makes_up_for_a_round_and_no_more() {
    let mut scene =
        Scene::one_busy_of(9_000, TierLimits { share_percent: 1, ..TierLimits::default() });
    scene.kernel.row_takes = us(1);
    scene.run(us(100_000), us(40));
    pass(HOUR);
    let asked = scene.run(us(50_000), us(40));
    assert_eq!(asked[0].places.len(), 8_998, "a whole round in one look");
    assert!(asked[1..].iter().all(|one| one.places.len() <= ROWS_OF_A_LOOK));
}
