//! How a wrapper reports its call: `enter`, `make`, `rest`, `returns`.
//!
//! ```text
//! let call = enter(Function::RECV, || [fd.into()]);        // recv(6,
//! let result = call.make(|| …the call itself…);
//! call.rest(|| [Arg::Bytes(…), len.into(), flags.into()])  //         "hello\n", 65536, 0)
//!     .returns(result)                                     //                             = 6
//! ```
//!
//! The arguments are closures, so an untraced call evaluates none of them. The tracer belongs to the thread: loops and
//! tests that run in parallel do not see each other's calls.

use std::cell::{Cell, RefCell};

use nix::unistd::pause;

use super::arg::{Arg, Note};
use super::event::{Event, Mark, Outcome};
use super::inject::Plan;
use super::page::{Effect, Function};
use super::tracer::{Sink, Tracer, now_ns};
use crate::addr::Address;
use crate::names::{Errno, Named, Result};
use crate::values::FdNumber;

/// False in a build with `BARESOCK_WITHOUT_TRACE` set, which exists to measure what the branch costs.
const COMPILED_IN: bool = option_env!("BARESOCK_WITHOUT_TRACE").is_none();

thread_local! {
    /// Whether this thread traces: the one branch that an untraced call costs.
    static ON: Cell<bool> = const { Cell::new(false) };
    static TRACER: RefCell<Option<Tracer>> = const { RefCell::new(None) };
}

/// Traces this thread's calls until the guard is dropped. An earlier tracer is suspended until then.
#[must_use = "the trace ends when this is dropped"]
pub fn install(tracer: Tracer) -> Installed {
    let before = TRACER.replace(Some(tracer));
    Installed { before, was_on: ON.replace(true) }
}

/// Keeps a [`Tracer`] installed. Dropping it, also in a panic, writes the collected lines.
#[derive(Debug)]
pub struct Installed {
    before: Option<Tracer>,
    was_on: bool,
}

impl Drop for Installed {
    fn drop(&mut self) {
        if let Some(mut tracer) = TRACER.replace(self.before.take()) {
            tracer.flush();
        }
        ON.set(self.was_on);
    }
}

/// Runs `untraced` without tracing, for calls that the trace itself needs.
pub fn suspended<T>(untraced: impl FnOnce() -> T) -> T {
    let _untraced = suspend();
    untraced()
}

/// Suspends tracing until the guard is dropped.
pub(crate) fn suspend() -> Suspended {
    Suspended { was_on: ON.replace(false) }
}

/// While it exists, nothing is traced. Tracing resumes also after a panic.
#[must_use = "tracing resumes when this is dropped"]
pub(crate) struct Suspended {
    was_on: bool,
}

impl Drop for Suspended {
    fn drop(&mut self) {
        ON.set(self.was_on);
    }
}

/// Runs `what` under another tracer than the thread's, or under none. For a program that plays two parts on one thread.
pub fn traced_by<T>(tracer: &mut Option<Tracer>, what: impl FnOnce() -> T) -> T {
    /// The tracers are swapped back even when `what` panics.
    struct Back<'a>(&'a mut Option<Tracer>, bool);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            TRACER.with_borrow_mut(|now| std::mem::swap(now, self.0));
            ON.set(self.1);
        }
    }
    let was_on = ON.replace(tracer.is_some());
    TRACER.with_borrow_mut(|now| std::mem::swap(now, tracer));
    let _back = Back(tracer, was_on);
    what()
}

/// Says, for `--explain`, why the loop makes its next call, or what follows from the last one.
pub fn intent(words: &'static str) {
    if ON.get() {
        with_tracer(|tracer| tracer.intent(words));
    }
}

/// Writes a remark into this thread's trace.
pub fn remark(text: &str) {
    if ON.get() {
        with_tracer(|tracer| tracer.remark(text));
    }
}

/// Passes this thread's calls to one more sink. Returns whether the thread has a tracer; without a tracer the sink is dropped.
pub fn add_sink(sink: impl Sink + 'static) -> bool {
    ON.get() && with_tracer(|tracer| tracer.add_sink(sink)).is_some()
}

/// A sentence for each rule of this thread's tracer that has not changed any call.
pub fn idle_rules() -> Vec<String> {
    with_tracer(|tracer| tracer.idle_rules()).unwrap_or_default()
}

/// Writes the collected lines. For code that ends the process without unwinding.
pub fn flush() {
    with_tracer(Tracer::flush);
}

/// Whether a sink needs both addresses of each connection, which costs two more calls.
pub(crate) fn wants_connections() -> bool {
    ON.get() && with_tracer(|tracer| tracer.wants_connections()).unwrap_or(false)
}

/// Tells the tracer both addresses of a connection.
pub(crate) fn connection(fd: FdNumber, local: Option<Address>, peer: Option<Address>) {
    with_tracer(|tracer| tracer.connection(fd, local, peer));
}

fn with_tracer<T>(what: impl FnOnce(&mut Tracer) -> T) -> Option<T> {
    TRACER.with_borrow_mut(|tracer| tracer.as_mut().map(what))
}

/// A call that was entered and has not returned. An untraced call carries no data from step to step; its steps are always
/// inlined, so that nothing is left of them but the branch.
#[must_use = "a call that was entered must return"]
pub(crate) struct Entered<'a> {
    traced: Option<Box<Traced<'a>>>,
}

/// The data of a traced call.
struct Traced<'a> {
    event: Event<'a>,
    /// What the rules say about the call, if there are rules.
    plan: Option<Cell<Plan>>,
    /// When the call returned, if the sink needs times.
    end_ns: Cell<u64>,
}

/// Begins a call with the arguments that are known before it is made.
#[inline(always)]
pub(crate) fn enter<'a, const N: usize>(
    function: Function,
    args: impl FnOnce() -> [Arg<'a>; N],
) -> Entered<'a> {
    let traced = if COMPILED_IN && ON.get() { Some(begin(function, args())) } else { None };
    Entered { traced }
}

impl<'a> Entered<'a> {
    /// Makes the call, unless a rule says that it fails.
    #[inline(always)]
    pub(crate) fn make<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let error = self.traced.as_ref().and_then(|traced| traced.delayed_error());
        // The call stands here once, so that an untraced caller gets it without a closure in memory.
        let result = match error {
            Some(errno) if !self.is_made_all_the_same() => Err(errno),
            _ => call(),
        };
        if let Some(traced) = &self.traced {
            traced.called();
        }
        error.map_or(result, Err)
    }

    /// Whether the call is made even if a rule demands an error: a descriptor is closed also if its `close` reports an error.
    #[cold]
    fn is_made_all_the_same(&self) -> bool {
        let effect = self.traced.as_ref().map(|traced| traced.event.callee.effect());
        effect == Some(Effect::Closes)
    }

    /// The length to make the call with: the caller's, or a smaller one that a rule demands.
    #[inline(always)]
    pub(crate) fn length(&self, len: usize) -> usize {
        self.traced.as_ref().map_or(len, |traced| traced.shortened(len))
    }

    /// Whether a rule says that everything in the question is ready.
    #[inline(always)]
    pub(crate) fn is_spurious(&self) -> bool {
        self.traced.as_ref().is_some_and(|traced| traced.is_spurious())
    }

    /// Returns this errno without making the call, because the call would do harm.
    pub(crate) fn refuse<T: Returned>(self, errno: Errno) -> Result<T> {
        self.marked(Mark::Refused).returns(Err(errno))
    }

    /// Marks a call that is not made, because it would do harm.
    pub(crate) fn refused_if(self, refused: bool) -> Self {
        if refused { self.marked(Mark::Refused) } else { self }
    }

    /// Marks a call that libc refuses or changes before the kernel sees it.
    #[inline(always)]
    pub(crate) fn by_libc_if(self, changed: bool) -> Self {
        if changed { self.marked(Mark::Libc) } else { self }
    }

    fn marked(mut self, mark: Mark) -> Self {
        if let Some(traced) = &mut self.traced {
            traced.event.mark = mark;
        }
        self
    }

    /// Adds the arguments that the call filled in, and those after them.
    #[inline(always)]
    pub(crate) fn rest<const N: usize>(mut self, args: impl FnOnce() -> [Arg<'a>; N]) -> Self {
        if let Some(traced) = &mut self.traced {
            traced.event.args.append(args());
        }
        self
    }

    /// Ends the call with its result, and returns the result.
    #[inline(always)]
    pub(crate) fn returns<T: Returned>(self, result: Result<T>) -> Result<T> {
        self.returns_noting(result, |_| Note::None)
    }

    /// Ends the call with its result, and with a note that is shown after the result.
    #[inline(always)]
    pub(crate) fn returns_noting<T: Returned>(
        self,
        result: Result<T>,
        note: impl FnOnce(&T) -> Note<'static>,
    ) -> Result<T> {
        if let Some(traced) = self.traced {
            let (outcome, note) = match &result {
                Ok(value) => (Outcome::Value(value.as_c()), note(value)),
                Err(errno) => (Outcome::Error(*errno), Note::None),
            };
            traced.end(outcome, note);
        }
        result
    }

    /// Ends a call that returned an error code which is not an errno.
    pub(crate) fn returns_code(self, code: Named, text: &str) {
        if let Some(traced) = self.traced {
            traced.end(Outcome::Value(code.value), Note::Code(code, text.to_string().into()));
        }
    }
}

// The steps of a traced call are separate functions, so that untraced calls stay short.

#[cold]
fn begin<'a, const N: usize>(function: Function, args: [Arg<'a>; N]) -> Box<Traced<'a>> {
    let event = Event::new(function.into());
    let mut traced = Box::new(Traced { event, plan: None, end_ns: Cell::new(0) });
    traced.event.args.append(args);
    let plan = with_tracer(|tracer| tracer.begin(function, &mut traced.event)).flatten();
    traced.plan = plan.map(Cell::new);
    traced
}

impl Traced<'_> {
    /// The error that a rule demands, after the delay that a rule demands.
    #[cold]
    fn delayed_error(&self) -> Option<Errno> {
        let plan = self.plan.as_ref()?.get();
        plan.delay.into_iter().for_each(std::thread::sleep);
        if plan.hangs {
            // `pause` returns after a signal handler has run.
            pause();
            return Some(Errno::EINTR);
        }
        plan.error
    }

    #[cold]
    fn shortened(&self, len: usize) -> usize {
        let Some(planned) = &self.plan else { return len };
        let mut plan = planned.get();
        let shorter = plan.length(len);
        planned.set(plan);
        shorter
    }

    #[cold]
    fn is_spurious(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.get().spurious)
    }

    #[cold]
    fn called(&self) {
        // Without a begin time, no sink needs the end time either.
        if self.event.begin_ns > 0 {
            self.end_ns.set(now_ns());
        }
    }

    #[cold]
    fn end(mut self: Box<Self>, outcome: Outcome, note: Note<'static>) {
        let event = &mut self.event;
        let end_ns = self.end_ns.get();
        (event.outcome, event.note) = (outcome, note);
        let plan = self.plan.as_ref().map(Cell::get);
        if plan.is_some_and(|plan| plan.has_interfered()) {
            event.mark = Mark::Injected;
        }
        with_tracer(|tracer| {
            if let Some(plan) = plan {
                tracer.carried_out(plan);
            }
            tracer.end(event, end_ns);
        });
    }
}

/// What a wrapper returns, as the number that C returns.
pub(crate) trait Returned {
    /// C's number.
    fn as_c(&self) -> i64;
}

impl Returned for () {
    fn as_c(&self) -> i64 {
        0
    }
}

impl Returned for usize {
    fn as_c(&self) -> i64 {
        *self as i64
    }
}

impl Returned for i32 {
    fn as_c(&self) -> i64 {
        (*self).into()
    }
}

impl Returned for bool {
    fn as_c(&self) -> i64 {
        (*self).into()
    }
}

impl<A: Returned, B> Returned for (A, B) {
    fn as_c(&self) -> i64 {
        self.0.as_c()
    }
}
