//! What the tests of the services share: a server with several services, found by what it prints, and its clients.

// Each file of tests is a crate of its own and uses its own part of this.
#![allow(dead_code)]
// In a test a panic is the message.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long anything may take that must happen. Only a test that fails waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Both calls.
pub(crate) const BOTH: [&str; 2] = ["select", "poll"];

/// A server, which ends with its test.
pub(crate) struct Server {
    child: Child,
    /// Where each of its services listens, as they were given.
    listening: Vec<String>,
    /// Kept open, or what it says could not be written.
    _said: Receiver<String>,
}

/// Starts a server with these services, one address each, and waits until all listen.
#[track_caller]
pub(crate) fn serve(via: &str, services: &[&str]) -> Server {
    serve_with(via, services, &[])
}

/// The same with flags.
#[track_caller]
pub(crate) fn serve_with(via: &str, services: &[&str], flags: &[&str]) -> Server {
    let mut child = Command::new(env!("CARGO_BIN_EXE_baresock"))
        .args(["serve", "--via", via])
        .args(flags)
        .args(services)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let (sender, said) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    // Before anything can fail, so that the child does not outlive it.
    let mut server = Server { child, listening: Vec::new(), _said: said };
    for service in services {
        let line = server._said.recv_timeout(PATIENCE).expect("a line for each listener");
        let name = service.split('=').next().unwrap();
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[..2], ["listening", name], "{line}");
        server.listening.push(words[2].to_string());
    }
    server
}

impl Server {
    /// The address of the service of this number.
    pub(crate) fn at(&self, service: usize) -> SocketAddr {
        self.listening[service].parse().unwrap()
    }

    /// A connection to it. What is waited for must come: a read that would wait for ever fails.
    #[track_caller]
    pub(crate) fn connect(&self, service: usize) -> TcpStream {
        let stream = TcpStream::connect(self.at(service)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything up to the peer's end.
#[track_caller]
pub(crate) fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).unwrap();
    all
}

/// A datagram socket on this address.
#[track_caller]
pub(crate) fn datagrams(at: impl std::net::ToSocketAddrs) -> UdpSocket {
    let socket = UdpSocket::bind(at).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// The answer to a datagram.
#[track_caller]
pub(crate) fn answer(client: &UdpSocket, server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    client.send_to(bytes, server).unwrap();
    let mut buffer = [0; 70_000];
    let (len, from) = client.recv_from(&mut buffer).unwrap();
    assert_eq!(from, server);
    buffer[..len].to_vec()
}

/// Whether a datagram has come.
pub(crate) fn has_come(client: &UdpSocket) -> bool {
    client.set_nonblocking(true).unwrap();
    let came = client.recv(&mut [0; 1]).is_ok();
    client.set_nonblocking(false).unwrap();
    came
}

/// Whether a program is installed. If not, the test says that it is skipped; under CI it fails.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // The programs of an administrator are not in everybody's path, and some of them anybody may run.
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = places.into_iter().any(|place| place.join(name).is_file());
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{name} is not installed, and this is CI");
        eprintln!("skipped: {name} is not installed");
    }
    found
}

/// A directory that is removed at the end of the test.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("baresock-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
