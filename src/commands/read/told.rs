//! What a log tells, shown and reported: for `read` and `watch`.

use std::collections::HashSet;

use baresock::logs::body::ProcessExit;
use baresock::logs::choice::Chooser;
use baresock::logs::reader::{LogEvent, LogPlace};
use baresock::names::Errno;
use baresock::report::{At, ProcessEnding, Report, Reported};
use baresock::trace::page::Effect;
use baresock::trace::{Event, Sink};

/// Takes what a log tells.
pub(crate) struct Taker {
    chooser: Chooser,
    sink: Option<Box<dyn Sink>>,
    report: Report,
    last: u64,
    /// strace was attached: the threads whose first call was seen.
    attached: Option<HashSet<u64>>,
}

impl Taker {
    /// Calls go to `sink`, if there is one, and into the report.
    pub(crate) fn new(chooser: Chooser, sink: Option<Box<dyn Sink>>) -> Self {
        Self { chooser, sink, report: Report::new(), last: 0, attached: None }
    }

    /// The same, of a program that strace was attached to: a thread's first call may show what that did.
    pub(crate) fn attached(mut self) -> Self {
        self.attached = Some(HashSet::new());
        self
    }

    /// Takes the next.
    pub(crate) fn take(&mut self, told: &LogEvent<'_>, place: &LogPlace<'_>) {
        let at = At { begun: place.begun, line: place.line, text: place.text };
        self.last = place.line;
        match told {
            LogEvent::Call(event) => {
                self.report.take(event, at);
                if let Some(sink) = &mut self.sink
                    && is_of_sockets(event)
                    && self.chooser.wants(event)
                {
                    sink.begin(event);
                    sink.end(event);
                    let is_first =
                        self.attached.as_mut().is_some_and(|seen| seen.insert(event.tid));
                    if is_first && event.errno() == Some(Errno::EINTR) {
                        sink.remark("strace interrupted this call as it attached; no signal did");
                    }
                }
            }
            LogEvent::Signal { pid, name, stopped: false } => {
                self.report.take_signal(*pid, name, at);
                if let Some(sink) = &mut self.sink {
                    sink.remark(&format!("--- {name} ---"));
                }
            }
            LogEvent::Ended { pid, tid, end } => {
                let ending = match end {
                    ProcessExit::Exited(status) => ProcessEnding::Exited((*status).into()),
                    ProcessExit::Killed(name) => ProcessEnding::Killed(name),
                    ProcessExit::Superseded => return,
                };
                self.report.take_end(*pid, *tid, ending, at);
            }
            _ => {}
        }
    }

    /// The log is over.
    pub(crate) fn finish(mut self) -> Reported {
        if let Some(sink) = &mut self.sink {
            sink.flush();
        }
        self.report.finish(At { begun: self.last, line: self.last, text: "" })
    }
}

/// Whether a call is about descriptors and what comes through them. What a program does with memory, files and locks
/// is not shown.
fn is_of_sockets(event: &Event<'_>) -> bool {
    match event.function() {
        Some(function) => {
            function.effect() != Effect::None || matches!(function.name(), "sigaction" | "kill")
        }
        None => event.fd().is_some() || event.callee.name().starts_with("epoll_"),
    }
}
