//! The ladder of real sessions: a server of the program, and a client of the library, each with its own trace.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::path::{Path, PathBuf};

use baresock::os::identity;
use baresock::sys::{self, connect, *};
use baresock::trace::arg::Limits;
use baresock::trace::json::JsonSink;
use baresock::trace::output::{Output, Pace};
use baresock::trace::{Tracer, install};
use serde_json::{Value, json};
use support::*;

/// A session, from which two traces are left.
struct Session {
    place: TempDir,
}

impl Session {
    /// Clients that speak to a server, one after the other, all in one trace.
    fn of(via: &'static str, flags: &[&str], clients: &[fn(&sys::Address)]) -> Self {
        let place = TempDir::new();
        let server_file = place.file("server.json");
        let flags = [&["--trace=json", "--trace-to", text(&server_file)], flags].concat();
        let server = starting(Kind { command: "serve", via }).with(&flags).start();
        let at = match server.address() {
            std::net::SocketAddr::V4(at) => sys::Address::V4(at),
            std::net::SocketAddr::V6(at) => sys::Address::V6(at),
        };
        let file = File::create(place.file("client.json")).unwrap();
        let output = Output::new(file, "a file", Pace::Collected);
        let sink = JsonSink::new(output, identity::source(), Limits::default());
        let tracer = Tracer::new(sink);
        let tracer =
            if flags.contains(&"--state") { tracer.with_probe(socket_state) } else { tracer };
        let traced = install(tracer);
        for client in clients {
            client(&at);
        }
        drop(traced);
        let closed = || read(&server_file).matches("\"call\":\"close\"").count();
        wait_until("the server has closed every connection", || closed() == clients.len());
        server.end();
        if let Some(kept) = std::env::var_os("LADDER_KEEP") {
            let kept = Path::new(&kept);
            for file in ["server.json", "client.json"] {
                std::fs::copy(place.file(file), kept.join(file)).unwrap();
            }
        }
        Self { place }
    }

    fn files(&self) -> [PathBuf; 2] {
        ["client.json", "server.json"].map(|name| self.place.file(name))
    }

    fn drawn(&self, flags: &[&str]) -> String {
        let [client, server] = self.files();
        drawn(&[&[text(&client), text(&server)], flags].concat())
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// What the program draws.
#[track_caller]
fn drawn(arguments: &[&str]) -> String {
    let run = baresock(&[&["ladder"], arguments].concat());
    assert!(run.status.success() && run.stderr.is_empty(), "{run:?}");
    String::from_utf8(run.stdout).unwrap()
}

fn stream(at: &sys::Address) -> Fd {
    let fd = socket(at.domain(), SOCK_STREAM, Protocol::default()).unwrap();
    connect(&fd, at).unwrap();
    fd
}

/// Everything up to the end.
fn receive_all(fd: &Fd) {
    while recv(fd, &mut [0; 100], MsgFlags::NONE).unwrap() > 0 {}
}

fn half_closes(at: &sys::Address) {
    let fd = stream(at);
    assert_eq!(send(&fd, b"hello\n", MSG_NOSIGNAL), Ok(6));
    shutdown(&fd, SHUT_WR).unwrap();
    receive_all(&fd);
}

fn resets(at: &sys::Address) {
    let fd = stream(at);
    assert_eq!(send(&fd, b"hello\n", MSG_NOSIGNAL), Ok(6));
    assert_eq!(recv(&fd, &mut [0; 100], MSG_WAITALL.without(MSG_WAITALL)), Ok(6));
    setsockopt(&fd, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 }).unwrap();
}

#[test]
fn look() {
    let session = Session::of("select", &["--state"], &[half_closes, resets]);
    println!("{}", session.drawn(&[]));
    println!("{}", session.drawn(&["--ascii"]));
    println!("{}", drawn(&[text(&session.files()[1])]));
    if true {
        return;
    }
    let session = Session::of("poll", &[], &[half_closes]);
    println!("{}", session.drawn(&[]));
    let session = Session::of("poll", &[], &[resets]);
    println!("{}", session.drawn(&[]));
    let _: Value = json!(1);
}
