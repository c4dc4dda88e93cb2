//! Shows and reports the items of a log, for `read` and `watch`.

use baresock::logs::body::ProcessExit;
use baresock::logs::choice::Chooser;
use baresock::logs::reader::{LogEvent, LogPlace};
use baresock::os::states_of_others::state_of_other;
use baresock::report::{At, ProcessEnding, Report, Reported};
use baresock::trace::page::Effect;
use baresock::trace::{Event, PacketWords, Sink};

/// Takes the items of a log.
pub(crate) struct Taker {
    chooser: Chooser,
    sink: Option<Box<dyn Sink>>,
    report: Report,
    last: u64,
    /// The call whose first half is shown because it waits.
    half: Option<Event<'static>>,
    /// Whether to show the states of sockets: only while the program runs.
    with_states: bool,
    has_shown: bool,
}

impl Taker {
    /// Calls are sent to `sink`, if there is one, and go into the report.
    pub(crate) fn new(chooser: Chooser, sink: Option<Box<dyn Sink>>) -> Self {
        let report = Report::new();
        Self { chooser, sink, report, last: 0, half: None, with_states: false, has_shown: false }
    }

    /// The same with the states of sockets, for a running program.
    pub(crate) fn with_states(mut self) -> Self {
        self.with_states = true;
        self
    }

    /// Takes the next item.
    pub(crate) fn take(&mut self, told: &LogEvent<'_>, place: &LogPlace<'_>) {
        let at = At { begun: place.begun, line: place.line, text: place.text };
        self.last = place.line;
        match told {
            LogEvent::Call(event) => {
                self.report.take(event, at);
                self.show(event);
            }
            LogEvent::Signal { pid, name, stopped: false } => {
                self.report.take_signal(*pid, name, at);
                self.remark(&format!("--- {name} ---"));
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

    /// Shows the first half of a call that waits.
    pub(crate) fn wait(&mut self, event: &Event<'_>) {
        if let Some(sink) = &mut self.sink
            && self.half.is_none()
            && is_of_sockets(event)
            && self.chooser.wants(event)
        {
            sink.begin(event);
            sink.wait(event);
            self.half = Some(event.clone().into_owned());
        }
    }

    /// Writes a remark on the call that was shown last.
    pub(crate) fn remark(&mut self, text: &str) {
        self.half = None;
        if let Some(sink) = &mut self.sink {
            sink.remark(text);
        }
    }

    /// Whether the last call was shown: whether there is a place for it, and it was selected.
    pub(crate) const fn has_shown(&self) -> bool {
        self.has_shown
    }

    /// Shows a packet, after the calls so far.
    pub(crate) fn packet(&mut self, packet: &PacketWords<'_>) {
        self.half = None;
        if let Some(sink) = &mut self.sink {
            sink.packet(packet);
        }
    }

    /// Shows a call, if it is selected.
    pub(crate) fn show(&mut self, event: &Event<'_>) {
        self.has_shown = false;
        let Some(sink) = &mut self.sink else { return };
        if !is_of_sockets(event) || !self.chooser.wants(event) {
            return;
        }
        self.has_shown = true;
        let half = self.half.take();
        if !half.is_some_and(|half| is_first_half(&half, event)) {
            sink.begin(event);
        }
        if self.with_states
            && event.function().is_none_or(|function| function.effect() != Effect::Closes)
            && let Some(fd) = event.fd()
        {
            let mut event = event.clone();
            event.states.after = state_of_other(event.pid, fd);
            sink.end(&event);
        } else {
            sink.end(event);
        }
    }

    /// Writes the collected lines.
    pub(crate) fn flush(&mut self) {
        if let Some(sink) = &mut self.sink {
            sink.flush();
        }
    }

    /// The log is over.
    pub(crate) fn finish(mut self) -> Reported {
        self.flush();
        self.report.finish(At { begun: self.last, line: self.last, text: "" })
    }
}

/// Whether the first event is the beginning of the second.
fn is_first_half(half: &Event<'_>, whole: &Event<'_>) -> bool {
    let caller = |event: &Event<'_>| (event.pid, event.tid, event.begin_ns);
    caller(half) == caller(whole)
        && half.callee == whole.callee
        && whole.args.get(..half.args.len()) == Some(&*half.args)
}

/// Whether a call is about descriptors and their bytes. Calls about memory, files and locks are not shown.
fn is_of_sockets(event: &Event<'_>) -> bool {
    match event.function() {
        Some(function) => {
            function.effect() != Effect::None || matches!(function.name(), "sigaction" | "kill")
        }
        None => event.fd().is_some() || event.callee.name().starts_with("epoll_"),
    }
}
