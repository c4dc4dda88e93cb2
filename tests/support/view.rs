//! A server with a view, and requests to it as a browser sends them.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::{Kind, PATIENCE, Server, impatient, read_all, starting};

/// A server with a view.
pub(crate) struct Viewed {
    pub(crate) server: Server,
    /// Where the view is: `/KEY/`.
    pub(crate) path: String,
    pub(crate) at: SocketAddr,
}

/// Starts an echo server with a view.
#[track_caller]
pub(crate) fn viewed(kind: Kind, flags: &[&str]) -> Viewed {
    let server = starting(kind).with(&["--view"]).with(flags).start();
    let line = server.next_line();
    let url = line.strip_prefix("view http://").and_then(|rest| rest.split(' ').next());
    let (at, key) = url.and_then(|url| url.split_once('/')).expect("an address");
    Viewed { at: at.parse().unwrap(), path: format!("/{key}"), server }
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Viewed {
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.at, self.path)
    }

    /// Sends a request with these fields, without `Host` of its own.
    #[track_caller]
    pub(crate) fn asked(&self, method: &str, path: &str, fields: &str) -> Answer {
        let mut stream = impatient(TcpStream::connect(self.at).unwrap());
        let request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let answer = String::from_utf8(read_all(stream)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.unwrap_or(0), head: head.into(), body: body.into() }
    }

    /// Orders something, as the view's own page does.
    #[track_caller]
    pub(crate) fn order(&self, what: &str) {
        let at = self.at;
        let fields = format!("Host: {at}\r\nOrigin: http://{at}\r\nContent-Length: 0\r\n");
        let answer = self.asked("POST", &format!("{}{what}", self.path), &fields);
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// The stream of events, of which nothing is read yet.
    #[track_caller]
    pub(crate) fn stream(&self) -> TcpStream {
        let mut stream = impatient(TcpStream::connect(self.at).unwrap());
        let request = format!("GET {}events HTTP/1.1\r\nHost: {}\r\n\r\n", self.path, self.at);
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// Looks, as a page does.
    #[track_caller]
    pub(crate) fn watch(&self) -> Frames {
        Frames::of(self.stream())
    }
}

/// The frames of a view, as a page receives them.
pub(crate) struct Frames {
    lines: std::io::Lines<BufReader<TcpStream>>,
    /// The events that were said to be missed.
    pub(crate) missed: u64,
    /// The head of the answer.
    pub(crate) head: String,
}

impl Frames {
    #[track_caller]
    pub(crate) fn of(stream: TcpStream) -> Self {
        let mut lines = BufReader::new(stream).lines();
        let head = lines.by_ref().map(|line| line.unwrap()).take_while(|line| !line.is_empty());
        let head = head.collect::<Vec<_>>().join("\n");
        Self { lines, missed: 0, head }
    }

    /// The next frame.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Value {
        self.try_next().expect("one more frame")
    }

    /// The next frame, if the server sends one more.
    pub(crate) fn try_next(&mut self) -> Option<Value> {
        let mut kind = String::new();
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some(event) = line.strip_prefix("event: ") {
                kind = event.to_string();
            } else if let Some(data) = line.strip_prefix("data: ") {
                if kind != "missed" {
                    return Some(serde_json::from_str(data).unwrap());
                }
                self.missed += data.parse::<u64>().unwrap();
                kind.clear();
            }
        }
    }

    /// The next frame for which this holds.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let end = std::time::Instant::now() + PATIENCE;
        loop {
            let frame = self.next();
            if is(&frame) {
                return frame;
            }
            assert!(std::time::Instant::now() < end, "no frame until {what}: {frame:#}");
        }
    }

    /// Waits until the loop is at this pace.
    #[track_caller]
    pub(crate) fn until_pace(&mut self, pace: &str) -> Value {
        self.until(pace, |frame| frame["loop"]["pace"] == pace)
    }
}

/// The rows of a frame with this role.
pub(crate) fn rows_of<'a>(frame: &'a Value, role: &'a str) -> impl Iterator<Item = &'a Value> {
    let rows = frame["descriptors"]["rows"].as_array().unwrap().iter();
    rows.filter(move |row| row["role"] == role)
}

/// The lines of a frame's calls.
pub(crate) fn call_lines(frame: &Value) -> Vec<&str> {
    let calls = frame["loop"]["calls"].as_array().unwrap().iter();
    calls.map(|call| call["line"].as_str().unwrap()).collect()
}
