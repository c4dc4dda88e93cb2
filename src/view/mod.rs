//! The view: a page in the browser that shows a running loop, live, and can pause it. (The calls of labs, of the tour and
//! of the bare loop are shown by `run`, on the same page.)
//!
//! The loop that is watched serves the page, too, through its [observer](EventLoop::add_observer). Nothing is recorded
//! while no browser looks. While a browser looks, a recorder keeps the calls of whole turns until a frame is full. Then
//! it records nothing until the frame is sent, so that a busy server is slowed down by little. A frame is sent to each
//! browser as a server-sent event. Each frame says everything, so a browser that reads too slowly misses frames instead
//! of having them queued.
//!
//! Read the files in this order: `gate` (which requests are answered), `desk` (the answers), `audience` (who looks, and
//! what was ordered), `pacing` (pause, step, slow motion), `frame`, `recorder` and `rows` (what a frame shows), and this
//! file, which runs the loop and sends the frames; then `run`. The page is `page.html`.

mod audience;
mod desk;
mod frame;
mod gate;
mod pacing;
mod recorder;
mod rows;
mod run;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::event_loop::{EventLoop, Progress, WaitFailed};
use crate::events::{Action, ServiceId};
use crate::os::random::RandomSource;
use crate::poller::Via;
use crate::sys::Fd;
use crate::trace::{Sink, Tracer, suspended, traced_by};

use audience::ViewAudience;
use desk::ViewDesk;
use frame::ViewFrame;
use gate::Gate;
use pacing::Pacing;
use recorder::{Recorder, RecorderSink};
use rows::Rows;

pub use run::{RunKind, RunPlace, RunSink, RunTeller, RunView, SaidKind};

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(200);
/// While nothing happens, queues and states are read again after a pause, which doubles up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(1600);
/// When no browser looks at a loop that stands still, it goes on after this time, in which a page can be reloaded.
const GRACE: Duration = Duration::from_secs(3);

/// How many lines of calls a page keeps.
const KEPT_LINES: usize = 300;

/// Runs a loop, and shows it to browsers.
#[derive(Debug)]
pub struct View {
    urls: Vec<String>,
    /// Answers the browsers, once it is in the loop.
    desk: Option<ViewDesk>,
    audience: Rc<RefCell<ViewAudience>>,
    recorder: Rc<RefCell<Recorder>>,
    /// For the calls, if the thread has no tracer.
    tracer: Option<Tracer>,
    via: Via,
    observer: Option<ServiceId>,
    services: Vec<(ServiceId, String)>,
    pacing: Pacing,
    /// Whether a page looks, an order waits, or the loop is not at full speed.
    attends: bool,
    /// Whether the calls of this turn are recorded.
    is_recording: bool,
    /// Something has happened since the last frame.
    has_news: bool,
    last_frame: Instant,
    pause: Duration,
    /// The rows of the last frame.
    rows: String,
    turns: TurnCounts,
    /// Since when no browser looks at a loop that stands still.
    deserted_since: Option<Instant>,
}

/// How many turns there have been.
#[derive(Clone, Copy, Debug, Default)]
struct TurnCounts {
    /// When this file last looked.
    seen: u64,
    /// Since the last frame, without being recorded.
    unrecorded: u64,
}

impl View {
    /// A view that browsers reach at these addresses.
    ///
    /// # Errors
    /// The system gives no random bytes for the key.
    pub fn new(via: Via, at: &[Address]) -> io::Result<Self> {
        let now = Instant::now();
        let recorder = Rc::new(RefCell::new(Recorder::new()));
        let mut random = RandomSource::open()?;
        let gate = Gate::new(at, &mut random)?;
        let audience = Rc::default();
        Ok(Self {
            urls: gate.urls().collect(),
            desk: Some(ViewDesk::new(gate, Rc::clone(&audience), random)),
            audience,
            tracer: Some(Tracer::new(RecorderSink::new(&recorder))),
            recorder,
            via,
            observer: None,
            services: Vec::new(),
            pacing: Pacing::default(),
            attends: false,
            is_recording: false,
            has_news: false,
            last_frame: now,
            pause: FRAME,
            rows: String::new(),
            turns: TurnCounts::default(),
            deserted_since: None,
        })
    }

    /// The addresses to open in a browser. They contain the key.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Adds the service that answers the browsers to the loop, with its listener.
    pub fn observe(&mut self, event_loop: &mut EventLoop, listener: Fd) {
        let Some(desk) = self.desk.take() else { return };
        let service = event_loop.add_observer(Box::new(desk));
        event_loop.add_listener(listener, service);
        self.observer = Some(service);
    }

    /// A sink that records the calls for the pages.
    pub fn sink(&self) -> impl Sink + use<> {
        RecorderSink::new(&self.recorder)
    }

    /// Says that the thread's own tracer passes its calls to the [sink](Self::sink), so that the view needs no tracer.
    pub fn share_tracer(&mut self) {
        self.tracer = None;
    }

    /// Says what a service of the loop is called.
    pub fn name_service(&mut self, service: ServiceId, name: String) {
        self.services.push((service, name));
    }

    /// Runs turns until the loop was asked to end and has ended.
    ///
    /// # Errors
    /// As [`EventLoop::run`].
    pub fn run(&mut self, event_loop: &mut EventLoop) -> Result<(), WaitFailed> {
        loop {
            self.is_recording =
                self.attends && self.is_looked_at() && self.recorder.borrow().has_room();
            let progress =
                if self.is_recording { self.record(event_loop)? } else { event_loop.turn()? };
            if progress == Progress::Ended {
                return Ok(());
            }
            let attends = self.audience.borrow().wants_attention() || !self.pacing.runs();
            // Once more after the last page is gone, to leave nothing behind.
            if attends || self.attends {
                self.after_turn(event_loop);
            }
            self.attends = attends;
        }
    }

    fn is_looked_at(&self) -> bool {
        !self.audience.borrow().is_empty()
    }

    /// Runs a turn whose calls are recorded, unless it serves only the view.
    fn record(&mut self, event_loop: &mut EventLoop) -> Result<Progress, WaitFailed> {
        if !self.recorder.borrow().has_begun() {
            let known = rows::open_files(event_loop, self.observer);
            self.recorder.borrow_mut().begin(known);
        }
        let turns = event_loop.served_turns();
        self.recorder.borrow_mut().begin_turn();
        let progress = match &mut self.tracer {
            None => event_loop.turn(),
            tracer => traced_by(tracer, || event_loop.turn()),
        };
        let mut recorder = self.recorder.borrow_mut();
        recorder.end_turn();
        if event_loop.served_turns() == turns {
            recorder.forget_turn();
        }
        progress
    }

    fn after_turn(&mut self, event_loop: &mut EventLoop) {
        let now = Instant::now();
        let served = event_loop.served_turns();
        if !self.attends {
            self.turns.seen = served;
        }
        let turns = served - std::mem::replace(&mut self.turns.seen, served);
        if !self.is_recording {
            self.turns.unrecorded += turns;
            self.recorder.borrow_mut().interrupt();
        }
        self.has_news |= turns > 0;
        self.pacing.count(turns, now);
        for order in self.audience.borrow_mut().take_orders() {
            self.pacing.take(order, now);
            self.has_news = true;
        }
        let end_of_grace = self.end_of_grace(now);
        if end_of_grace.is_some_and(|moment| moment <= now) {
            self.pacing.go_on();
        }
        if self.pacing.stands_still(now) {
            event_loop.stand_still();
        } else {
            event_loop.go_on();
        }
        let next_frame = if self.is_looked_at() {
            Some(self.show(event_loop, now))
        } else {
            self.recorder.borrow_mut().end();
            None
        };
        let moments = [next_frame, end_of_grace, self.pacing.next_turn()];
        event_loop.wake_at(moments.into_iter().flatten().min());
    }

    /// When a loop goes on that stands still, or is slow, although no page looks.
    fn end_of_grace(&mut self, now: Instant) -> Option<Instant> {
        if self.is_looked_at() || self.pacing.runs() {
            self.deserted_since = None;
            return None;
        }
        Some(*self.deserted_since.get_or_insert(now) + GRACE)
    }

    /// Sends a frame if it is time for one. Returns when to look again.
    fn show(&mut self, event_loop: &mut EventLoop, now: Instant) -> Instant {
        let has_new_viewers = self.audience.borrow_mut().greet();
        let pause = if self.has_news { FRAME } else { self.pause };
        if now < self.last_frame + pause && !has_new_viewers {
            return self.last_frame + pause;
        }
        let rows = Rows::of(event_loop, self.observer, &self.services);
        let rows = serde_json::to_string(&rows).unwrap_or_default();
        let is_changed = rows != self.rows;
        self.last_frame = now;
        if !self.has_news && !has_new_viewers && !is_changed {
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            return now + self.pause;
        }
        let frame = self.frame(event_loop);
        let event = format!("data: {{\"loop\":{frame},\"descriptors\":{rows}}}\n\n");
        self.rows = rows;
        self.recorder.borrow_mut().clear();
        self.turns.unrecorded = 0;
        (self.has_news, self.pause) = (false, FRAME);
        self.send(event_loop, &event, now);
        now + FRAME
    }

    fn frame(&self, event_loop: &EventLoop) -> String {
        let recorder = self.recorder.borrow();
        let [received, sent] = event_loop.bytes_moved();
        let frame = ViewFrame {
            title: "the loop",
            unit: "turn",
            at_us: recorder.now_us(),
            via: self.via.to_string(),
            fd_setsize: crate::sys::FD_SETSIZE,
            pace: self.pacing.name(),
            slow_ms: self.pacing.slow_ms(),
            viewers: self.audience.borrow().len(),
            clients: event_loop.clients(),
            made: event_loop.served_turns(),
            unrecorded_turns: self.turns.unrecorded,
            unrecorded_calls: recorder.left_out(),
            received,
            sent,
            keeps: KEPT_LINES,
            first: None,
            next: None,
            over: None,
            calls: recorder.calls(),
        };
        serde_json::to_string(&frame).unwrap_or_default()
    }

    /// Sends an event to every viewer that has read the one before.
    fn send(&self, event_loop: &mut EventLoop, event: &str, now: Instant) {
        let Some(service) = self.observer else { return };
        let mut audience = self.audience.borrow_mut();
        suspended(|| {
            for viewer in audience.viewers_mut() {
                let to = viewer.who;
                let bytes = match event_loop.unsent(to) {
                    None => continue,
                    Some(0) => viewer.missed_and(event),
                    Some(_) if viewer.misses(now) => {
                        event_loop.perform(&Action::Abort(to), service);
                        continue;
                    }
                    Some(_) => continue,
                };
                event_loop.perform(&Action::Send { to, bytes: bytes.as_bytes() }, service);
            }
        });
    }
}
