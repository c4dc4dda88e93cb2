//! A program with a view, and requests to it as a browser sends them.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::Receiver;

use serde_json::Value;

use super::{
    BARESOCK, KilledAtEnd, Kind, PATIENCE, Server, impatient, interruptible, lines_of, read_all,
    starting, wait_for,
};

/// A program with a view: a server, or a script.
pub(crate) struct Viewed<P = Server> {
    pub(crate) server: P,
    /// Where the view is: `/KEY/`.
    pub(crate) path: String,
    pub(crate) at: SocketAddr,
}

/// Starts an echo server with a view.
#[track_caller]
pub(crate) fn viewed(kind: Kind, flags: &[&str]) -> Viewed {
    let server = starting(kind).with(&["--view"]).with(flags).start();
    let (at, path) = place(&server.next_line());
    Viewed { at, path, server }
}

/// A lab or the tour, which ends by itself.
pub(crate) struct Script {
    child: KilledAtEnd,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

/// Starts a lab or the tour with a view. It has no terminal, and waits for a page.
#[track_caller]
pub(crate) fn viewed_script(arguments: &[&str]) -> Viewed<Script> {
    let mut command = interruptible(BARESOCK);
    command.args(arguments).args(["--view", "--color", "never"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = KilledAtEnd(command.spawn().unwrap());
    let stdout = lines_of(child.0.stdout.take().unwrap());
    let stderr = lines_of(child.0.stderr.take().unwrap());
    let (at, path) = place(&stderr.recv_timeout(PATIENCE).expect("a line on standard error"));
    Viewed { at, path, server: Script { child, stdout, stderr } }
}

impl Script {
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// How it ended, and what it said on standard output and, behind the address of the view, on standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        let status = wait_for(&mut self.child.0);
        let [said, complained] = [self.stdout, self.stderr]
            .map(|lines| lines.iter().map(|line| line + "\n").collect::<String>());
        (status, said, complained)
    }
}

/// The address in the line that names a view.
#[track_caller]
fn place(line: &str) -> (SocketAddr, String) {
    let url = line.strip_prefix("view http://").and_then(|rest| rest.split(' ').next());
    let (at, key) = url.and_then(|url| url.split_once('/')).expect(line);
    (at.parse().unwrap(), format!("/{key}"))
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl<P> Viewed<P> {
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
    pub(crate) fn until(&mut self, what: &str, mut is: impl FnMut(&Value) -> bool) -> Value {
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

/// The lines of a frame that stand between the calls, with their kinds.
pub(crate) fn said_lines(frame: &Value) -> Vec<(&str, &str)> {
    let calls = frame["loop"]["calls"].as_array().unwrap().iter();
    calls.filter_map(|call| Some((call["said"].as_str()?, call["line"].as_str()?))).collect()
}
