//! The heads of responses, and the pages that explain an error.

use std::fmt::Display;
use std::io::Write;

use super::request::{Method, Request};
use super::status::Status;

/// What all heads written for one request have in common.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// The date of the response.
    pub date: &'a str,
    /// Whether another request may follow.
    pub keep_alive: bool,
    /// Whether a body follows: the answer to HEAD is that to GET without its body.
    pub with_body: bool,
}

impl<'a> Manner<'a> {
    /// For a request that was understood.
    pub fn of(request: &Request<'_>, date: &'a str) -> Self {
        let with_body = request.method != Method::Head;
        Self { date, keep_alive: request.keep_alive, with_body }
    }

    /// For the last response on a connection.
    pub fn of_last(method: Method, date: &'a str) -> Self {
        Self { date, keep_alive: false, with_body: method != Method::Head }
    }
}

/// A head that is being written.
#[derive(Debug)]
pub struct Head<'o>(&'o mut Vec<u8>);

impl<'o> Head<'o> {
    /// Begins a head with the fields that all heads have.
    pub fn begin(out: &'o mut Vec<u8>, status: Status, manner: Manner<'_>) -> Self {
        let connection = match manner.keep_alive {
            true => "\r\nConnection: keep-alive\r\n",
            false => "\r\nConnection: close\r\n",
        };
        for part in
            ["HTTP/1.1 ", status.line(), "\r\nServer: baresock\r\nDate: ", manner.date, connection]
        {
            out.extend_from_slice(part.as_bytes());
        }
        Self(out)
    }

    /// A field whose value is a text.
    pub fn text(self, name: &str, value: &str) -> Self {
        for part in [name, ": ", value, "\r\n"] {
            self.0.extend_from_slice(part.as_bytes());
        }
        self
    }

    /// A field whose value must be formatted.
    pub fn field(self, name: &str, value: impl Display) -> Self {
        // Writing to memory cannot fail.
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    /// Fields that are already formatted.
    pub fn written(self, fields: &str) -> Self {
        self.0.extend_from_slice(fields.as_bytes());
        self
    }

    /// Ends the head: the body follows.
    pub fn end(self) {
        self.0.extend_from_slice(b"\r\n");
    }
}

/// A response that consists of a status and its page.
pub(super) fn say(out: &mut Vec<u8>, status: Status, manner: Manner<'_>) {
    say_with(out, status, manner, |head| head);
}

/// The same with more fields.
pub(super) fn say_with(
    out: &mut Vec<u8>,
    status: Status,
    manner: Manner<'_>,
    more: impl for<'o> FnOnce(Head<'o>) -> Head<'o>,
) {
    let line = status.line();
    let sentence = status.sentence();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<title>{line}</title>\n<h1>{line}</h1>\n<p>{sentence}</p>\n"
    );
    let head = Head::begin(out, status, manner)
        .text("Content-Type", "text/html; charset=utf-8")
        .field("Content-Length", page.len());
    more(head).end();
    if manner.with_body {
        out.extend_from_slice(page.as_bytes());
    }
}
