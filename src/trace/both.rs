//! One trace for two sinks.

use super::arg::Arg;
use super::tracer::{Call, Ended, Sink};

/// Passes calls on to two sinks; remarks are for the first one, which a person reads.
#[derive(Debug)]
pub struct Both<A, B> {
    first: A,
    second: B,
}

impl<A: Sink, B: Sink> Both<A, B> {
    /// To `first`, then to `second`.
    pub const fn new(first: A, second: B) -> Self {
        Self { first, second }
    }
}

impl<A: Sink, B: Sink> Sink for Both<A, B> {
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]) {
        self.first.begin(call, args);
        self.second.begin(call, args);
    }

    fn rest(&mut self, args: &[Arg<'_>]) {
        self.first.rest(args);
        self.second.rest(args);
    }

    fn end(&mut self, ended: &Ended<'_>) {
        self.first.end(ended);
        self.second.end(ended);
    }

    fn remark(&mut self, text: &str) {
        self.first.remark(text);
    }

    fn drawing(&mut self, line: &str) {
        self.first.drawing(line);
    }

    fn intent(&mut self, words: &'static str) {
        self.first.intent(words);
        self.second.intent(words);
    }

    fn flush(&mut self) {
        self.first.flush();
        self.second.flush();
    }

    fn wants_times(&self) -> bool {
        self.first.wants_times() || self.second.wants_times()
    }

    fn wants_connections(&self) -> bool {
        self.first.wants_connections() || self.second.wants_connections()
    }
}

impl Sink for Box<dyn Sink> {
    fn begin(&mut self, call: &Call, args: &[Arg<'_>]) {
        (**self).begin(call, args);
    }

    fn rest(&mut self, args: &[Arg<'_>]) {
        (**self).rest(args);
    }

    fn end(&mut self, ended: &Ended<'_>) {
        (**self).end(ended);
    }

    fn remark(&mut self, text: &str) {
        (**self).remark(text);
    }

    fn drawing(&mut self, line: &str) {
        (**self).drawing(line);
    }

    fn intent(&mut self, words: &'static str) {
        (**self).intent(words);
    }

    fn flush(&mut self) {
        (**self).flush();
    }

    fn wants_times(&self) -> bool {
        (**self).wants_times()
    }

    fn wants_connections(&self) -> bool {
        (**self).wants_connections()
    }
}
