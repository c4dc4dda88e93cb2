//! The thread that serves the pages of a run: it hears what happens, lets calls through, and sends frames.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use super::super::audience::ViewAudience;
use super::super::desk::ViewDesk;
use super::super::frame::ViewFrame;
use super::super::gate::Gate;
use super::super::pacing::Pacing;
use super::super::{GRACE, LONGEST_PAUSE};
use super::files::rows;
use super::history::RunHistory;
use super::hold::HoldPoint;
use super::{Bell, RunKind, RunNews};
use crate::conn::{Ends, Files};
use crate::event_loop::{EventLoop, Limits, Progress};
use crate::events::{Action, Actions, LoopEvent, Service, ServiceId, Token};
use crate::os::random::RandomSource;
use crate::poller::Via;
use crate::sys::{FD_SETSIZE, Fd};

/// The least time between two frames while calls do not stand.
const FRAME: Duration = Duration::from_millis(100);
/// While nothing is told, states are read again after this time, which doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// When a page has not read its last frame, to look again.
const BEHIND: Duration = Duration::from_millis(20);
/// How long the end of the run waits for pages that have not read everything.
const FAREWELL: Duration = Duration::from_secs(2);
/// The most lines of one frame.
const LINES_OF_A_FRAME: usize = 500;

/// The view of a run, in its thread.
#[derive(Debug)]
pub(super) struct RunServer {
    title: String,
    via: String,
    event_loop: EventLoop,
    observer: ServiceId,
    audience: Rc<RefCell<ViewAudience>>,
    news: Receiver<RunNews>,
    bell: Arc<Bell>,
    hold: Arc<HoldPoint>,
    history: RunHistory,
    pacing: Pacing,
    /// Closed when the first page looks.
    begins: Option<Fd>,
    /// How the run has ended, and until when to wait for the pages.
    over: Option<(String, Instant)>,
    /// Since when no page looks at a run that stands, or is slow.
    deserted_since: Option<Instant>,
    frames: FrameTimes,
    /// The descriptors of the last frame.
    rows: String,
}

/// When frames are sent.
#[derive(Debug)]
struct FrameTimes {
    /// The number of the last frame, from 1.
    number: u64,
    last: Instant,
    /// Whether something has happened since then.
    is_stale: bool,
    /// When to read the states of the descriptors again, and the pause after that.
    states_at: Instant,
    pause: Duration,
    /// How many pages the last frame named, and whether a call stood.
    viewers: usize,
    held: bool,
}

/// The pipe of the bell needs a service: its bytes only wake the loop.
#[derive(Debug)]
struct BellService;

impl Service for BellService {
    fn on<'a>(&'a mut self, _: Token, _: LoopEvent<'a>, _: &mut Actions<'a>) {}
}

impl Drop for RunServer {
    /// However this thread ends, the run goes on.
    fn drop(&mut self) {
        self.hold.open();
    }
}

impl RunServer {
    pub(super) fn new(
        (kind, title, via): (RunKind, String, String),
        (gate, random): (Gate, RandomSource),
        (listener, woken, lowest): (Fd, Fd, i32),
        (news, bell, hold): (Receiver<RunNews>, Arc<Bell>, Arc<HoldPoint>),
        begins: Fd,
    ) -> Self {
        let mut event_loop = EventLoop::new(Via::Poll, Limits::default());
        let audience = Rc::default();
        let desk = ViewDesk::new(gate, Rc::clone(&audience), random);
        let observer = event_loop.add_observer_above(Box::new(desk), lowest);
        event_loop.add_listener(listener, observer);
        let bell_service = event_loop.add_service(Box::new(BellService));
        let ends = Files { input: Some(woken.into()), output: None };
        event_loop.add_stream(Ends::Files(Box::new(ends)), bell_service);
        let now = Instant::now();
        Self {
            title,
            via,
            event_loop,
            observer,
            audience,
            news,
            bell,
            hold,
            history: RunHistory::new(kind),
            pacing: match kind {
                RunKind::Script => Pacing::still(),
                RunKind::Server => Pacing::default(),
            },
            begins: Some(begins),
            over: None,
            deserted_since: None,
            frames: FrameTimes {
                number: 0,
                last: now,
                is_stale: false,
                states_at: now,
                pause: FIRST_PAUSE,
                viewers: 0,
                held: false,
            },
            rows: String::new(),
        }
    }

    /// Serves until the run is over and the pages know it.
    pub(super) fn run(mut self) {
        let mut progress = Ok(Progress::Continue);
        while matches!(progress, Ok(Progress::Continue)) {
            let now = Instant::now();
            self.hear(now);
            self.steer(now);
            let next_frame = self.show(now);
            let until = self.over.as_ref().map(|(_, until)| *until);
            if until.is_some_and(|until| next_frame.is_none() || until <= now) {
                return;
            }
            if self.pacing.runs() && self.over.is_none() && self.is_told_later(next_frame) {
                self.bell.mute();
            }
            let moments = [next_frame, until, self.end_of_grace(now), self.pacing.next_turn()];
            self.event_loop.wake_at(moments.into_iter().flatten().min());
            progress = self.event_loop.turn();
        }
    }

    /// Whether what happens now is shown later anyway: a frame was sent a moment ago, or no page looks.
    fn is_told_later(&self, next_frame: Option<Instant>) -> bool {
        next_frame.is_none() || next_frame == Some(self.frames.last + FRAME)
    }

    fn hear(&mut self, now: Instant) {
        self.bell.reset();
        while let Ok(news) = self.news.try_recv() {
            self.frames.is_stale = true;
            match news {
                RunNews::Calling(event, who, states) => self.history.calling(&event, who, states),
                RunNews::Called(event, who) => self.history.called(&event, who),
                RunNews::Said(kind, text) => self.history.say(kind, text),
                RunNews::Unwatched => self.pacing.go_on(),
                RunNews::Over(how) => self.over = Some((how, now + FAREWELL)),
            }
        }
    }

    /// Carries out the orders, and lets calls through.
    fn steer(&mut self, now: Instant) {
        let orders = self.audience.borrow_mut().take_orders();
        for order in orders {
            self.pacing.take(order, now);
            self.frames.is_stale = true;
        }
        if !self.audience.borrow().is_empty() {
            self.begins = None;
        }
        if self.end_of_grace(now).is_some_and(|moment| moment <= now) {
            self.pacing.go_on();
        }
        if self.pacing.runs() || self.over.is_some() {
            return self.hold.open();
        }
        self.hold.shut();
        if self.hold.is_holding() && !self.pacing.stands_still(now) {
            self.hold.let_through();
            self.pacing.count(1, now);
            self.frames.is_stale = true;
        }
    }

    /// When a run goes on that stands, or is slow, although no page looks. Before the first page has looked, it has not begun.
    fn end_of_grace(&mut self, now: Instant) -> Option<Instant> {
        let is_left = self.begins.is_none() && self.audience.borrow().is_empty();
        if !is_left || self.pacing.runs() {
            self.deserted_since = None;
            return None;
        }
        Some(*self.deserted_since.get_or_insert(now) + GRACE)
    }

    /// Sends a frame if it is time for one. Returns when to look again; `None` if no page waits for anything.
    fn show(&mut self, now: Instant) -> Option<Instant> {
        if self.audience.borrow().is_empty() {
            self.frames.viewers = 0;
            return None;
        }
        let viewers = self.audience.borrow().len();
        let held = self.hold.is_holding();
        let is_urgent = viewers != self.frames.viewers || held != self.frames.held;
        let is_stale = self.frames.is_stale || is_urgent;
        let at_once = is_urgent || self.over.is_some() || !self.pacing.runs();
        if is_stale && !at_once && now < self.frames.last + FRAME {
            return Some(self.frames.last + FRAME);
        }
        if is_stale || now >= self.frames.states_at {
            let rows = rows(&self.history);
            let rows = serde_json::to_string(&rows).unwrap_or_default();
            let is_changed = rows != self.rows;
            self.rows = rows;
            let frames = &mut self.frames;
            frames.pause =
                if is_stale { FIRST_PAUSE } else { (frames.pause * 2).min(LONGEST_PAUSE) };
            frames.states_at = now + frames.pause;
            if is_stale || is_changed {
                (frames.viewers, frames.held) = (viewers, held);
                (frames.is_stale, frames.last) = (false, now);
                frames.number += 1;
            }
        }
        let is_complete = self.send_all(now);
        match (is_complete, &self.over) {
            (false, _) => Some(now + BEHIND),
            (true, None) => Some(self.frames.states_at),
            (true, Some(_)) => None,
        }
    }

    /// Sends each page what it has not been sent. Returns whether every page has been sent everything.
    fn send_all(&mut self, now: Instant) -> bool {
        let mut is_complete = true;
        let viewers = self.frames.viewers;
        let audience = Rc::clone(&self.audience);
        for viewer in audience.borrow_mut().viewers_mut() {
            match self.event_loop.unsent(viewer.who) {
                None => continue,
                Some(0) if viewer.frame == self.frames.number => continue,
                Some(0) => {}
                Some(_) => {
                    is_complete = false;
                    if viewer.misses(now) {
                        self.event_loop.perform(&Action::Abort(viewer.who), self.observer);
                    }
                    continue;
                }
            }
            let (event, next) = self.event(viewer.line, viewers);
            viewer.caught_up();
            viewer.line = next;
            if next == self.history.end() {
                viewer.frame = self.frames.number;
            }
            let send = Action::Send { to: viewer.who, bytes: event.as_bytes() };
            self.event_loop.perform(&send, self.observer);
            is_complete = false;
        }
        is_complete
    }

    /// The event for a page that has been sent the first `seen` lines; and how many it has been sent after it.
    fn event(&mut self, seen: u64, viewers: usize) -> (String, u64) {
        let at_us = self.history.now_us();
        let (made, received, sent) = (self.history.made, self.history.received, self.history.sent);
        let keeps = self.history.most();
        let mut next_call = self.history.next.take();
        next_call.iter_mut().for_each(|call| call.held = self.frames.held);
        let (first, calls) = self.history.lines_after(seen, LINES_OF_A_FRAME);
        let next_line = first + calls.len() as u64;
        let frame = ViewFrame {
            title: &self.title,
            unit: "call",
            at_us,
            via: self.via.clone(),
            fd_setsize: FD_SETSIZE,
            pace: self.pacing.name(),
            slow_ms: self.pacing.slow_ms(),
            viewers,
            clients: 0,
            made,
            unrecorded_turns: 0,
            unrecorded_calls: 0,
            received,
            sent,
            keeps,
            first: Some(first),
            next: next_call.as_ref(),
            over: self.over.as_ref().map(|(how, _)| &**how),
            calls,
        };
        let frame = serde_json::to_string(&frame).unwrap_or_default();
        self.history.next = next_call;
        (format!("data: {{\"loop\":{frame},\"descriptors\":{}}}\n\n", self.rows), next_line)
    }
}
