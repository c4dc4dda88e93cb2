//! One trace for two sinks.

use super::event::Event;
use super::tracer::{PacketWords, Sink};

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
    fn begin(&mut self, event: &Event<'_>) {
        self.first.begin(event);
        self.second.begin(event);
    }

    fn wait(&mut self, event: &Event<'_>) {
        self.first.wait(event);
        self.second.wait(event);
    }

    fn end(&mut self, event: &Event<'_>) {
        self.first.end(event);
        self.second.end(event);
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

    fn packet(&mut self, packet: &PacketWords<'_>) {
        self.first.packet(packet);
        self.second.packet(packet);
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
    fn begin(&mut self, event: &Event<'_>) {
        (**self).begin(event);
    }

    fn wait(&mut self, event: &Event<'_>) {
        (**self).wait(event);
    }

    fn end(&mut self, event: &Event<'_>) {
        (**self).end(event);
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

    fn packet(&mut self, packet: &PacketWords<'_>) {
        (**self).packet(packet);
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
