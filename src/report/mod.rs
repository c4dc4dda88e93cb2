//! The report on a program's socket calls: what happened, how often, and what went wrong.
//!
//! [`Report`] takes every event once, in the order of the log. Of connections that are over it keeps only what it will
//! report: the story of each connection ([`story`]), a table by call ([`summary`]), and advice ([`advice`]), each with
//! the lines that prove it. The source of the events does not matter: a log of strace, one of our traces, or a running
//! program.
//!
//! An event becomes a [`Moment`]: what [happened](Did), to which socket, in which process. The [`World`] knows these,
//! and follows the event (`following`). Each advice states which kinds of events it looks at, and sees no others.

pub mod advice;
mod did;
mod findings;
mod following;
mod making;
mod moment;
mod passing;
mod reading;
mod show;
pub mod story;
pub mod summary;
mod wait;
mod world;

#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};

use crate::trace::Event;
use crate::trace::event::{Callee, Mark, Outcome};

pub use did::{Departure, Did, DidKind, Making, Moved, ProcessEnding};
pub use findings::{Certainty, EvidenceLine, Finding, Findings, Subject};
pub use moment::{Moment, SeenCall};
pub use wait::{Patience, ReadyFor, Wait};
pub use world::{ProcessId, Socket, SocketId, World};

use advice::CallWatcher;
use story::{Story, Storyteller};
use summary::{CallTable, Tally};

/// The place of an event in its log.
#[derive(Clone, Copy, Debug, Default)]
pub struct At<'a> {
    /// The line in which the event began, from 1; 0 if unknown.
    pub begun: u64,
    /// The line in which it ended.
    pub line: u64,
    /// The text of the line; if it is empty, the call is written again from the event.
    pub text: &'a str,
}

/// Takes events, and reports at the end.
#[derive(Debug)]
pub struct Report {
    world: World,
    findings: Findings,
    watches: Vec<Vec<CallWatcher>>,
    story: Storyteller,
    tally: Tally,
}

/// The version of the report's JSON form; fields may be added without a new version.
pub const JSON_VERSION: u32 = 1;

/// The content of the report.
#[derive(Clone, Debug, Serialize)]
pub struct Reported {
    /// [`JSON_VERSION`].
    report: u32,
    /// Connections, listeners and datagram sockets.
    pub story: Story,
    /// The table by call.
    pub summary: CallTable,
    /// The findings.
    pub advice: Vec<Finding>,
    /// How many further findings of an advice are not shown.
    #[serde(serialize_with = "as_object")]
    pub more: Vec<(&'static str, u64)>,
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

impl Report {
    /// An empty report.
    pub fn new() -> Self {
        let mut watches = vec![Vec::new(); DidKind::COUNT];
        for advice in advice::ALL {
            for what in advice.cares_for {
                watches[*what as usize].push(advice.watch);
            }
        }
        Self {
            world: World::default(),
            findings: Findings::new(),
            watches,
            story: Storyteller::default(),
            tally: Tally::default(),
        }
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event<'_>, at: At<'_>) {
        self.tally.count(event);
        if event.mark == Mark::Refused {
            // A refused call was not made, but its arguments may deserve a remark.
            let did = Did::of(event);
            let (_, process) = self.world.meet(event.pid, event.tid);
            let moment = moment(event, at, &did, process);
            return self.watch(&moment);
        }
        let did = Did::of(event);
        if matches!(did, Did::Other) {
            return;
        }
        self.story.begin(event);
        // An unfinished call of a thread means nothing once its process has ended.
        if event.outcome == Outcome::Unknown && self.world.knows(event.tid).is_none() {
            return;
        }
        let (_, process) = self.world.meet(event.pid, event.tid);
        self.follow(event, at, &did, process);
    }

    /// A process received a signal.
    pub fn take_signal(&mut self, pid: u32, name: &str, at: At<'_>) {
        let text = format!("--- {name} ---");
        let event = spoken(&text, pid);
        let (_, process) = self.world.meet(pid, pid.into());
        let did = Did::Signalled(name);
        self.watch(&moment(&event, at, &did, process));
    }

    /// A thread ended; with it the process, if it is the first thread.
    pub fn take_end(&mut self, pid: u32, tid: u32, ending: ProcessEnding<'_>, at: At<'_>) {
        let Some(process) = self.world.knows(tid.into()) else { return };
        if tid != pid {
            return self.world.forget(tid.into());
        }
        let text = match ending {
            ProcessEnding::Exited(status) => format!("+++ exited with {status} +++"),
            ProcessEnding::Killed(name) => format!("+++ killed by {name} +++"),
            ProcessEnding::LogOver => String::from("+++ the log ends here +++"),
        };
        let event = spoken(&text, pid);
        let did = Did::Ended(ending);
        self.world.meet(pid, tid.into());
        self.follow(&event, at, &did, process);
    }

    /// The log is over: returns the report.
    pub fn finish(mut self, at: At<'_>) -> Reported {
        let living: Vec<_> = self.world.living().collect();
        for process in living {
            let pid = self.world.process(process).pid;
            let event = spoken("+++ the log ends here +++", pid);
            let did = Did::Ended(ProcessEnding::LogOver);
            self.world.meet(pid, pid.into());
            self.follow(&event, at, &did, process);
        }
        self.give_up_what_was_passed(at);
        let counts = self.findings.counts().to_vec();
        let advice = self.findings.into_sorted();
        let shown = |name: &str| advice.iter().filter(|found| found.advice == name).count() as u64;
        let more = advice::ALL.iter().zip(counts).filter_map(|(advice, count)| {
            let more = count - shown(advice.name);
            (more > 0).then_some((advice.name, more))
        });
        let more = more.collect();
        let story = self.story.finish();
        let summary = self.tally.finish();
        Reported { report: JSON_VERSION, story, summary, advice, more }
    }

    /// Gives up the sockets that were passed to another process and whose arrival the log does not show.
    fn give_up_what_was_passed(&mut self, at: At<'_>) {
        let event = spoken("+++ the log ends here +++", 0);
        let did = Did::Ended(ProcessEnding::LogOver);
        let now = moment(&event, at, &did, ProcessId(0));
        let Self { findings, watches, story, world, .. } = self;
        passing::give_up(world, |world, id, why| {
            let fd = world.socket(id).fd;
            gone(world, findings, watches, story, &now, (id, fd, why));
        });
    }

    fn follow(&mut self, event: &Event<'_>, at: At<'_>, did: &Did<'_>, process: ProcessId) {
        let mut now = moment(event, at, did, process);
        if now.fd >= 0 {
            now.socket = self.world.socket_of(process, now.fd);
            if now.socket.is_none() && self.is_of_a_socket(event, did, &now) {
                making::discover(&mut self.world, process, now.fd, did);
                now.socket = self.world.socket_of(process, now.fd);
            }
        }
        making::make(&mut self.world, &mut now);
        if let Did::Waited(wait) = did {
            wait.each_ready(|data, readiness| self.ready(&now, data, readiness));
        }
        self.watch(&now);
        following::learn(&mut self.world, &now);
        passing::pass(&mut self.world, &now);
        advice::leaking::note(&now, &mut self.world);
        match did {
            Did::Closed | Did::ClosedRange(..) | Did::Executed | Did::Ended(_) => self.close(&now),
            Did::Copied { is_closed_on_exec } => self.copy(&now, *is_closed_on_exec),
            Did::Forked { shares_descriptors } => {
                if let Some(child) = now.count().filter(|child| *child > 0) {
                    following::fork(&mut self.world, process, child, *shares_descriptors);
                }
            }
            _ => {}
        }
        if matches!(did, Did::Ended(_)) {
            self.world.end(process);
        }
    }

    /// Whether this call shows that its descriptor is a socket, although its creation was not seen.
    fn is_of_a_socket(&self, event: &Event<'_>, did: &Did<'_>, now: &Moment<'_>) -> bool {
        if self.world.held(now.process, now.fd) != world::Held::Nothing || event.errno().is_some() {
            return false;
        }
        event.function().is_none_or(|function| function.page().is_for_sockets())
            && matches!(
                did.what(),
                DidKind::Accepted
                    | DidKind::Bound
                    | DidKind::Listened
                    | DidKind::Connected
                    | DidKind::Sent
                    | DidKind::Received
                    | DidKind::Finished
                    | DidKind::NameAsked
            )
    }

    fn watch(&mut self, now: &Moment<'_>) {
        for watch in &self.watches[now.did.what() as usize] {
            watch(now, &mut self.world, &mut self.findings);
        }
    }

    fn ready(&mut self, wait: &Moment<'_>, data: i64, readiness: ReadyFor) {
        let process = self.world.process(wait.process);
        let fd = process.registered.get(&(data as u64)).copied();
        let Some(fd) = fd.or_else(|| i32::try_from(data).ok()) else { return };
        let did = Did::Ready(readiness);
        let socket = self.world.socket_of(wait.process, fd);
        if socket.is_some() || readiness.is_invalid {
            self.watch(&Moment { did: &did, fd, socket, made: None, ..*wait });
        }
    }

    fn close(&mut self, now: &Moment<'_>) {
        if let (Did::Closed, Some(id)) = (now.did, now.socket) {
            // The advice sees how many copies are left after this close: another process may still have one.
            let copies = self.world.socket(id).copies;
            self.world.socket_mut(id).copies = copies.saturating_sub(1);
            advice::leaking::note_close(now, &mut self.world, id);
            self.world.socket_mut(id).copies = copies;
        }
        let Self { findings, watches, story, .. } = self;
        following::close(&mut self.world, now, |world, id, fd, why| {
            gone(world, findings, watches, story, now, (id, fd, why));
        });
    }

    fn copy(&mut self, now: &Moment<'_>, marked: bool) {
        let Self { findings, watches, story, .. } = self;
        following::copy(&mut self.world, now, marked, |world, id, fd, why| {
            gone(world, findings, watches, story, now, (id, fd, why));
        });
    }
}

/// An object with numbers by name.
fn as_object<S: Serializer, N: Serialize>(named: &[(N, u64)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(named.iter().map(|(name, number)| (name, number)))
}

/// Handles the end of a socket's last descriptor.
fn gone(
    world: &mut World,
    findings: &mut Findings,
    watches: &[Vec<CallWatcher>],
    story: &mut Storyteller,
    now: &Moment<'_>,
    (id, fd, why): (SocketId, i32, Departure),
) {
    let did = Did::Gone(why);
    let gone = Moment { did: &did, fd, socket: Some(id), made: None, ..*now };
    for watch in &watches[DidKind::Gone as usize] {
        watch(&gone, world, findings);
    }
    story.tell(world.socket(id), &gone, why);
}

fn moment<'m>(
    event: &'m Event<'m>,
    at: At<'m>,
    did: &'m Did<'m>,
    process: ProcessId,
) -> Moment<'m> {
    let fd = event.fd().map_or(-1, crate::values::FdNumber::get);
    Moment {
        event,
        begun: at.begun,
        line: at.line,
        text: at.text,
        did,
        fd,
        socket: None,
        made: None,
        process,
    }
}

/// An item that is not a call, as an event without arguments.
fn spoken(text: &str, pid: u32) -> Event<'_> {
    let mut event = Event::new(Callee::Other(text.into()));
    (event.pid, event.tid, event.outcome) = (pid, pid.into(), Outcome::Value(0));
    event
}
