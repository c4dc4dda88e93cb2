//! Files that are sent: bytes that are owed, and cost no memory.

use super::EventLoop;
use crate::conn::FilePart;
use crate::events::Token;
use crate::trace::{self, Function};

impl EventLoop {
    /// Sends bytes and then a part of a file.
    pub(super) fn send_file(&mut self, token: Token, head: &[u8], part: FilePart) {
        // Sent as something that more follows, the head would wait for it: 200 ms on Linux.
        if part.is_empty() {
            return self.send(token, head);
        }
        // Each part of a file ends with a packet that is not full. Held back by Nagle's algorithm until those before it are
        // acknowledged, it costs time at both ends: half as much again, as it was measured.
        let is_first =
            self.endpoints.with_stream(token, |_, stream| stream.conn.begins_to_send_files());
        if is_first == Some(true) {
            self.pass_on_at_once(token);
        }
        self.with_conn(token, Function::SEND, |ends, conn| conn.send_before(ends, head));
        self.limit_owed(token);
        self.with_conn(token, Function::SENDFILE, |ends, conn| conn.send_file(ends, part));
        self.abort_if_broken(token);
        if self.endpoints.stream(token).is_some_and(|stream| stream.conn.owes_file()) {
            trace::intent("the rest of the file waits until this descriptor is writable");
        }
    }

    /// Goes on with a file.
    pub(super) fn send_owed_file(&mut self, token: Token) {
        self.with_conn(token, Function::SENDFILE, |ends, conn| conn.send_owed(ends));
        self.abort_if_broken(token);
    }

    /// The file has become shorter. Better no end than a wrong one; and to ask it again would be to spin.
    fn abort_if_broken(&mut self, token: Token) {
        if self.endpoints.stream(token).is_some_and(|stream| stream.conn.is_broken()) {
            trace::intent("the file has become shorter: what was promised cannot be kept");
            self.abort(token);
        }
    }
}
