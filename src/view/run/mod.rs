//! The view of a run: of a lab, of the tour, of a bare loop. Its calls are made by code that knows nothing of the view,
//! so a thread beside it serves the pages, with a loop of its own. The code that makes the calls, or its sink, tells each
//! call before and after it is made; before it is made the call may have to stand until a person lets it through.
//!
//! That thread shares the table of descriptors with the rest of its process. If the run is in this process, it takes high
//! numbers, so that those of the run are the same as without a view.
//!
//! Read the files in this order: `hold` (where a call stands), `history` (what is shown), `files` (the descriptors), `server` (the
//! thread), and this file, by which the others reach it.

mod files;
mod history;
mod hold;
mod server;

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use serde::Serialize;

use super::gate::Gate;
use crate::addr::Address;
use crate::names::{FD_CLOEXEC, Result};
use crate::os::accepting::set_nonblocking;
use crate::os::limits::descriptor_limits;
use crate::os::random::RandomSource;
use crate::sys::{self, AsFd, BorrowedFd, Fd};
use crate::trace::arg::ValueLimits;
use crate::trace::{Event, Sink, suspended};
use crate::values::{FdNumber, SocketState};

use hold::HoldPoint;
use server::RunServer;

/// The view has at most this many descriptors, whose numbers are the highest that the limit allows.
const ROOM: u64 = 96;
/// Above these numbers the kernel would need much memory for the table of descriptors.
const HIGHEST: u64 = 1024;
/// How many calls the run may be ahead of the view. Then it waits for the view, which waits for no browser.
const MOST_AHEAD: usize = 1024;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// It ends by itself. It stands before its first call when the first page looks, and all its lines are kept.
    Script,
    /// It serves until it is ended. It runs also when no page looks, and its last lines are kept.
    Server,
}

/// Which process makes the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPlace {
    /// This one: the view takes high numbers for its descriptors.
    Here,
    /// A child. It inherits no descriptor, but the size of the table of descriptors, which high numbers would make large: from
    /// that a call can tell (Linux).
    InChild,
}

/// A sentence between the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SaidKind {
    /// A headline.
    Chapter,
    /// What there is to see.
    Said,
    /// A question about the next call.
    Question,
    /// What was observed.
    Answer,
    /// A packet that crossed.
    Packet,
    /// Why the program makes a call.
    Intent,
}

/// The states of sockets, by their descriptors.
type SocketStates = HashMap<FdNumber, SocketState>;

/// What the thread of the view is told.
#[derive(Debug)]
enum RunNews {
    /// A call is about to be made: who makes it, and the states of sockets that belong to another process.
    Calling(Box<Event<'static>>, &'static str, SocketStates),
    /// A call has returned, and who made it.
    Called(Box<Event<'static>>, &'static str),
    Said(SaidKind, String),
    /// The run begins although no page looks.
    Unwatched,
    /// The run is over, and how it ended.
    Over(String),
}

/// Wakes the thread of the view.
#[derive(Debug)]
struct Bell {
    /// Whether a byte is in the pipe, or none is needed.
    is_rung: AtomicBool,
    pipe: OwnedFd,
}

impl Bell {
    /// Unless it is rung already, or muted.
    fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            self.ring_aloud();
        }
    }

    fn ring_aloud(&self) {
        // If the pipe is full, or the view has ended, it need not be woken.
        let _ = suspended(|| sys::write(&self.pipe, b"!"));
    }

    /// To be called before the news are read: what is told afterwards rings again.
    fn reset(&self) {
        self.is_rung.store(false, Ordering::Release);
    }

    /// Until the next [`reset`](Self::reset) it does not ring: the view looks by itself when it is time for a frame.
    fn mute(&self) {
        self.is_rung.store(true, Ordering::Release);
    }
}

/// Tells the view what happens in the run. All clones tell the same view.
#[derive(Clone, Debug)]
pub struct RunTeller {
    news: SyncSender<RunNews>,
    bell: Arc<Bell>,
    hold: Arc<HoldPoint>,
}

impl RunTeller {
    /// A call of `who` is about to be made. Returns when it may be made. `states` are those of the sockets, if another process
    /// has them; those of this process are asked for when they are shown.
    pub fn calling(
        &self,
        event: Event<'static>,
        who: &'static str,
        states: HashMap<FdNumber, SocketState>,
    ) {
        self.tell(RunNews::Calling(Box::new(event), who, states));
        self.hold.pass(|| self.bell.ring());
    }

    /// A call of `who` has returned; the name is empty if only one program makes calls.
    pub fn called(&self, event: Event<'static>, who: &'static str) {
        self.tell(RunNews::Called(Box::new(event), who));
    }

    /// A sentence between the calls.
    pub fn say(&self, kind: SaidKind, text: impl Into<String>) {
        self.tell(RunNews::Said(kind, text.into()));
    }

    fn tell(&self, news: RunNews) {
        match self.news.try_send(news) {
            Ok(()) => self.bell.ring(),
            Err(TrySendError::Full(news)) => {
                self.bell.ring_aloud();
                // If the view has ended, the run goes on without it.
                let _ = self.news.send(news);
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }
}

/// Passes the calls of a thread to the view, and holds them.
#[derive(Debug)]
pub struct RunSink {
    teller: RunTeller,
    who: &'static str,
    limits: ValueLimits,
}

impl RunSink {
    /// For the calls of `who`.
    pub fn new(teller: RunTeller, who: &'static str) -> Self {
        Self { teller, who, limits: ValueLimits::default() }
    }
}

impl Sink for RunSink {
    fn begin(&mut self, event: &Event<'_>) {
        self.teller.calling(event.kept(self.limits), self.who, HashMap::new());
    }

    fn end(&mut self, event: &Event<'_>) {
        self.teller.called(event.kept(self.limits), self.who);
    }

    fn intent(&mut self, words: &'static str) {
        self.teller.say(SaidKind::Intent, words);
    }

    fn wants_times(&self) -> bool {
        true
    }
}

/// The view of a run, until it is [over](Self::end).
#[derive(Debug)]
pub struct RunView {
    teller: RunTeller,
    thread: JoinHandle<()>,
    begun: OwnedFd,
    urls: Vec<String>,
}

impl RunView {
    /// Serves pages about `what` at these addresses, of which the listener has one. Call this before the run makes its
    /// first descriptor.
    ///
    /// # Errors
    /// The system gives no pipe, no thread, or no random bytes for the key.
    pub fn start(
        listener: Fd,
        at: &[Address],
        (kind, place): (RunKind, RunPlace),
        what: String,
        via: String,
    ) -> io::Result<Self> {
        suspended(|| {
            let lowest = match place {
                RunPlace::Here => lowest_number(),
                RunPlace::InChild => 0,
            };
            let mut random = RandomSource::open()?.moved_up(lowest);
            let gate = Gate::new(at, &mut random)?;
            let [woken, bell] = pipe(lowest)?;
            let [begun, begins] = pipe(lowest)?;
            let (news, heard) = sync_channel(MOST_AHEAD);
            let bell = Arc::new(Bell { is_rung: AtomicBool::default(), pipe: bell.into() });
            let hold = Arc::new(HoldPoint::new());
            let listener = moved_up(listener, lowest);
            // No child of this process has it.
            sys::fcntl_setfd(&listener, FD_CLOEXEC)?;
            let urls = gate.urls().collect();
            let teller = RunTeller { news, bell: bell.clone(), hold: hold.clone() };
            let serve = move || {
                let title = (kind, what, via);
                RunServer::new(
                    title,
                    (gate, random),
                    (listener, woken, lowest),
                    (heard, bell, hold),
                    begins,
                )
                .run();
            };
            let thread = thread::Builder::new().name("view".to_string()).spawn(serve)?;
            Ok(Self { teller, thread, begun: begun.into(), urls })
        })
    }

    /// The addresses to open in a browser. They contain the key.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Tells this view what happens.
    pub fn teller(&self) -> &RunTeller {
        &self.teller
    }

    /// Readable, with the end of file, once a page has looked.
    pub fn begun(&self) -> BorrowedFd<'_> {
        self.begun.as_fd()
    }

    /// The run begins although no page looks: no call stands.
    pub fn begin_unwatched(&self) {
        self.teller.tell(RunNews::Unwatched);
    }

    /// The run is over. Returns when the pages have been sent everything, or after two seconds.
    pub fn end(self, how: impl Into<String>) {
        self.teller.tell(RunNews::Over(how.into()));
        self.teller.bell.ring_aloud();
        // If it has panicked, it has said so on standard error.
        let _ = self.thread.join();
    }
}

/// The lowest number of the view's descriptors; 0 if the limit leaves no room.
fn lowest_number() -> i32 {
    let soft = descriptor_limits().map_or(0, |limits| limits.soft).min(HIGHEST);
    if soft >= 2 * ROOM { (soft - ROOM) as i32 } else { 0 }
}

/// The same file under a number from `lowest` on, if one is free.
fn moved_up(fd: Fd, lowest: i32) -> Fd {
    match lowest {
        0 => fd,
        _ => sys::fcntl_dupfd_cloexec(&fd, lowest).unwrap_or(fd),
    }
}

/// A non-blocking pipe with such numbers.
fn pipe(lowest: i32) -> Result<[Fd; 2]> {
    let ends = sys::pipe()?.map(|end| moved_up(end, lowest));
    for end in &ends {
        set_nonblocking(end)?;
        sys::fcntl_setfd(end, FD_CLOEXEC)?;
    }
    Ok(ends)
}
