//! What judge's peers share in a case: the program's address, the time limit, and the steps so far.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::baseline::slowness;
use super::steps::{CaseSteps, DrawnSteps, Way};
use super::verdict::{CaseOutcome, CaseStop};
use crate::addr::Address;
use crate::os::children::use_of;

/// Every wait is over after this many time limits, even while bytes arrive.
const MOST_LIMITS: u32 = 6;
/// A whole case may take this many time limits, however many waits it has.
const LIMITS_OF_A_CASE: u32 = 12;
/// Even if the limit is short, a case with thousands of connections has this long.
const LEAST_OF_A_CASE: Duration = Duration::from_secs(60);

/// A running case.
#[derive(Debug)]
pub struct CaseScene {
    /// The program's address.
    pub address: Address,
    /// Its process id, if it is known.
    pub pid: Cell<Option<u32>>,
    steps: RefCell<CaseSteps>,
    begun: Instant,
    /// The time limit on an idle machine.
    timeout: Duration,
    slowness: Cell<f64>,
}

impl CaseScene {
    /// A case without steps.
    pub fn new(address: Address, pid: Option<u32>, timeout: Duration, slowness: f64) -> Self {
        Self {
            address,
            pid: Cell::new(pid),
            steps: RefCell::default(),
            begun: Instant::now(),
            timeout,
            slowness: Cell::new(slowness),
        }
    }

    /// Adds a step.
    pub fn step(&self, who: &str, way: Way, what: impl Into<String>) {
        self.steps.borrow_mut().push(who, way, what.into());
    }

    /// The steps as a ladder.
    pub fn draw(&self, program: &str) -> DrawnSteps {
        self.steps.borrow().draw(program)
    }

    /// How much slower than idle this machine is, as measured.
    pub fn slowness(&self) -> f64 {
        self.slowness.get()
    }

    /// The time limit on this machine.
    pub fn limit(&self) -> Duration {
        self.timeout.mul_f64(self.slowness.get())
    }

    /// Limits the time of a whole case, even if each answer arrives in time and there are thousands.
    ///
    /// # Errors
    /// The case has taken too long as a whole, which proves nothing against the program: the case is not asked.
    pub fn goes_on(&self) -> CaseOutcome {
        let most = (self.limit() * LIMITS_OF_A_CASE).max(LEAST_OF_A_CASE);
        if self.begun.elapsed() < most {
            return Ok(());
        }
        Err(CaseStop::not_asked(format_args!(
            "the whole case may take {:.0} s, and was not over then: the program is slow, or the machine (--timeout)",
            most.as_secs_f64()
        )))
    }

    /// Begins a wait.
    pub fn patience(&self) -> WaitLimit<'_> {
        let now = Instant::now();
        WaitLimit { scene: self, begun: now, last: now }
    }

    /// Waits a moment, longer on a slow machine, so that packets on their way arrive.
    pub fn pause(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms).mul_f64(self.slowness.get()));
    }

    fn processor_time(&self) -> Option<Duration> {
        Some(use_of(self.pid.get()?)?.processor_time)
    }

    /// Measures the machine again; true if it has become slower than it was known to be.
    fn is_slower_than_known(&self) -> bool {
        let known = self.slowness.get();
        let now = slowness();
        self.slowness.set(now.max(known));
        now > known * 1.2
    }
}

/// How long a wait may still last. It is over if nothing has happened for the time limit; but not if the machine has
/// become slower in the meantime, or if the program is at work.
#[derive(Debug)]
pub struct WaitLimit<'a> {
    scene: &'a CaseScene,
    begun: Instant,
    last: Instant,
}

impl WaitLimit<'_> {
    /// Something has happened: the time limit begins again.
    pub fn renew(&mut self) {
        self.last = Instant::now();
    }

    /// As [`CaseScene::goes_on`].
    ///
    /// # Errors
    /// As there.
    pub fn goes_on(&self) -> CaseOutcome {
        self.scene.goes_on()
    }

    /// How many milliseconds to wait; `None` if the wait is over.
    pub fn left_ms(&mut self) -> Option<i32> {
        let limit = self.scene.limit();
        let end = (self.last + limit).min(self.begun + limit * MOST_LIMITS);
        let now = Instant::now();
        if now < end {
            let left_ms = (end - now).as_millis().min(60_000) as i32 + 1;
            return Some(left_ms);
        }
        let is_over = now >= self.begun + limit * MOST_LIMITS || !self.may_go_on();
        (!is_over).then_some(1 + limit.as_millis().min(60_000) as i32 / 2)
    }

    fn may_go_on(&mut self) -> bool {
        if self.scene.is_slower_than_known() {
            return true;
        }
        if self.last.elapsed() > self.scene.limit() * 4 {
            return false;
        }
        // At work: the program used more than 4 % of the time, which is as little as a busy machine may leave to it.
        let before = self.scene.processor_time();
        let look = Duration::from_millis(100).mul_f64(self.scene.slowness());
        std::thread::sleep(look);
        let used =
            before.and_then(|before| Some(self.scene.processor_time()?.saturating_sub(before)));
        used.is_some_and(|used| used > look / 25)
    }

    /// How long nothing has happened, in words.
    pub fn waited(&self) -> String {
        format!("{:.1} s", self.last.elapsed().as_secs_f64())
    }
}
