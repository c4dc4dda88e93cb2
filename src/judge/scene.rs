//! What judge's peers share in a case: the program's address, the time limit, and the steps so far.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::baseline::slowness;
use super::steps::{CaseSteps, DrawnPackets, DrawnSteps, Way};
use super::verdict::{CaseOutcome, CaseStop};
use super::wire::{CaseWire, WireShows};
use crate::addr::Address;
use crate::os::children::{Use, use_of};
use crate::trace::tracer::now_ns;

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
    /// The packets, if they are captured.
    wire: RefCell<Option<CaseWire>>,
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
            wire: RefCell::default(),
            begun: Instant::now(),
            timeout,
            slowness: Cell::new(slowness),
        }
    }

    /// The same case, with its packets.
    #[must_use]
    pub fn with_wire(self, wire: Option<CaseWire>) -> Self {
        Self { wire: RefCell::new(wire), ..self }
    }

    /// Adds a step that begins now, or that has only received something.
    pub fn step(&self, who: &str, way: Way, what: impl Into<String>) {
        self.step_since(now_ns(), who, way, what);
    }

    /// Adds a step that began at this moment.
    pub fn step_since(&self, begun_ns: u64, who: &str, way: Way, what: impl Into<String>) {
        let what = what.into();
        let mut steps = self.steps.borrow_mut();
        let Some(wire) = &mut *self.wire.borrow_mut() else { return steps.push(who, way, what) };
        let [before, since] = wire.step(begun_ns, &told(who, way, &what));
        steps.cross(before);
        steps.push(who, way, what);
        steps.cross(since);
    }

    /// Adds a step that is worth telling only because of its packets.
    pub fn step_on_wire(&self, who: &str, way: Way, what: &str) {
        let mut wire = self.wire.borrow_mut();
        match wire.as_ref().map(CaseWire::shows) {
            Some(WireShows::Packets) => {
                drop(wire);
                self.step(who, way, what);
            }
            Some(WireShows::StepsAlone) => {
                wire.as_mut().map(|wire| wire.step(now_ns(), &told(who, way, what)));
            }
            None => {}
        }
    }

    /// judge listens at this address, for the program to connect to.
    pub fn listens_at(&self, address: &str) {
        if let Some(wire) = &mut *self.wire.borrow_mut() {
            wire.listens_at(address);
        }
    }

    /// The case is over: takes the last packets.
    pub fn end_wire(&self) {
        let Some(wire) = self.wire.take() else { return };
        let (rest, missing) = wire.end();
        let mut steps = self.steps.borrow_mut();
        steps.cross(rest);
        steps.miss(missing);
    }

    /// The packets of the ladder.
    pub fn packets(&self) -> DrawnPackets {
        self.steps.borrow().packets()
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
        WaitLimit { scene: self, begun_ns: now_ns(), begun: now, last: now }
    }

    /// Waits a moment, longer on a slow machine, so that packets on their way arrive.
    pub fn pause(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms).mul_f64(self.slowness.get()));
    }

    /// What the program uses, if judge may look.
    pub fn used(&self) -> Option<Use> {
        use_of(self.pid.get()?)
    }

    /// Whether the program has used a processor since then, or has work now. A program that judge may not look at has not.
    pub fn has_worked_since(&self, before: Option<Use>) -> bool {
        let (Some(before), Some(now)) = (before, self.used()) else { return false };
        now.is_at_work || now.processor_time > before.processor_time
    }

    fn processor_time(&self) -> Option<Duration> {
        Some(self.used()?.processor_time)
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
    begun_ns: u64,
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

    /// When it began, for [`CaseScene::step_since`].
    pub const fn begun_ns(&self) -> u64 {
        self.begun_ns
    }

    /// Adds the step that it was for, which began when the wait did.
    pub fn step(&self, who: &str, way: Way, what: impl Into<String>) {
        self.scene.step_since(self.begun_ns, who, way, what);
    }

    /// How long nothing has happened, in words.
    pub fn waited(&self) -> String {
        format!("{:.1} s", self.last.elapsed().as_secs_f64())
    }
}

/// A step in one line.
fn told(who: &str, way: Way, what: &str) -> String {
    let who = match (who, way) {
        ("", Way::In) => "the program",
        ("", _) => "judge",
        (who, _) => who,
    };
    match way {
        Way::In => format!("{who} gets: {what}"),
        Way::Out | Way::Beside => format!("{who}: {what}"),
    }
}
