//! A server for a long time: hundreds of connections that come, talk, are slow, are reset and go, all the time, half of
//! them over TCP and half over a Unix-domain socket. Its memory stays where it was, no descriptor is lost, and every byte
//! of every connection is accounted for.
//!
//! The usual run is short. `BARESOCK_SOAK_SECONDS=600` is the long one, with as many connections as each call can have:
//! 5,000 over poll, 1,000 over select (where FD_SETSIZE is 1,024).

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use socket2::SockRef;
use support::*;

/// How many threads share the connections.
const THREADS: usize = 4;

/// The most that resident memory may grow after the warm-up, for each connection and in all. (The allocator's habits.)
const GROWTH_OF_EACH: u64 = 1_024;
const GROWTH: u64 = 1_500_000;

fn long_run() -> Option<Duration> {
    let seconds = std::env::var("BARESOCK_SOAK_SECONDS").ok()?;
    Some(Duration::from_secs(seconds.parse().unwrap()))
}

#[test]
fn a_long_time_over_select() {
    soak(SERVE_SELECT, if long_run().is_some() { 1_000 } else { 500 });
}

#[test]
fn a_long_time_over_poll() {
    soak(SERVE_POLL, if long_run().is_some() { 5_000 } else { 500 });
}

/// A connection is cold after some milliseconds, so these change between the tiers all the time.
#[test]
fn a_long_time_over_poll_in_tiers() {
    soak(TIERS_POLL, if long_run().is_some() { 5_000 } else { 500 });
}

/// What all clients have done.
#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    came_back: AtomicU64,
    connections: AtomicU64,
    resets: AtomicU64,
}

/// Where the clients of a thread connect to.
#[derive(Clone, Copy)]
enum At<'a> {
    Port(SocketAddr),
    File(&'a Path),
}

/// One connection of a client. Its bytes are a sequence that starts again with each connection, so that each returned
/// byte can be checked.
struct Client {
    stream: TcpStream,
    sent: u64,
    came_back: u64,
    /// How many rounds it has left; then it ends, one way or the other.
    rounds: u64,
    /// It reads only every so many rounds.
    reads_every: u64,
    leaves_at_once: bool,
    /// A Unix-domain socket is left at once as well, but knows no reset.
    is_tcp: bool,
}

/// The most that is received at once.
const PIECE: usize = 16_384;

/// So many bytes of every sequence, from this place on. (It repeats itself after a prime number of bytes, so that no piece
/// of it that is lost or comes twice goes unseen.)
fn bytes_at(place: u64, len: usize) -> &'static [u8] {
    const PRIME: usize = 251;
    static BYTES: [u8; PIECE + PRIME] = {
        let mut bytes = [0; PIECE + PRIME];
        let mut at = 0;
        while at < bytes.len() {
            bytes[at] = (at % PRIME) as u8;
            at += 1;
        }
        bytes
    };
    let from = (place % PRIME as u64) as usize;
    &BYTES[from..from + len]
}

fn soak(kind: Kind, count: usize) {
    if !HAS_PROC {
        return skipped("this system does not show what a process has");
    }
    if !can_have_descriptors(2 * count as u64 + 1_000) {
        return;
    }
    let time = long_run().unwrap_or(Duration::from_secs(10));
    let place = TempDir::new();
    let file = place.file("socket");
    let also_there = format!("echo=unix:{}", text(&file));
    let server = starting(kind).with(&[&also_there]).start();
    assert!(server.next_line().starts_with("listening echo unix:"));
    let own = descriptors(server.pid());
    let (tally, is_over) = (Tally::default(), AtomicBool::new(false));
    let here = AtomicUsize::new(0);
    let (mut early, mut late) = (0, 0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (tally, is_over, here) = (&tally, &is_over, &here);
            let at = match thread % 2 {
                0 => At::Port(server.address()),
                _ => At::File(&file),
            };
            scope.spawn(move || come_and_go(at, count / THREADS, thread, tally, is_over, here));
        }
        wait_until("all are connected", || here.load(Ordering::Relaxed) == THREADS);
        let began = Instant::now();
        // A third of the time is for warming up; then it is looked at again and again, and the least counts: bytes
        // queued for slow clients at that moment are not lost.
        let warm_up = time / 3;
        let least = |from: Instant, time: Duration| {
            let mut least = u64::MAX;
            while from.elapsed() < time {
                least = least.min(resident_bytes(server.pid()));
                std::thread::sleep(Duration::from_millis(50));
            }
            least
        };
        std::thread::sleep(warm_up);
        early = least(began, 2 * warm_up);
        late = least(began, time);
        is_over.store(true, Ordering::Relaxed);
    });
    wait_for_descriptors(&server, own);
    assert_echo(connect(&server), b"one more");
    let said = server.stderr();
    let ended = server.end();
    let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    counted(format_args!(
        "{kind}: {count} at a time for {time:?}: {} connections, {} of them reset; {} bytes sent, {} came back; \
         {early} bytes of memory, later {late}",
        number(&tally.connections),
        number(&tally.resets),
        number(&tally.sent),
        number(&tally.came_back),
    ));
    assert!(number(&tally.connections) > count as u64 && number(&tally.resets) > 0);
    let most = early + GROWTH + GROWTH_OF_EACH * count as u64;
    assert!(late <= most, "memory grew from {early} to {late} bytes");
    assert!(ended.status.success() && !ended.stderr.contains("panicked"), "{ended:?}");
    // Only resets are reported, at the 1st, 10th, 100th, … time.
    let others =
        said.lines().filter(|line| !line.contains("ECONNRESET") && !line.contains("EPIPE"));
    assert_eq!(others.count(), 0, "it says: {said}");
}

/// Keeps `count` connections going until the end; then each gets all its queued bytes.
fn come_and_go(
    at: At<'_>,
    count: usize,
    thread: usize,
    tally: &Tally,
    is_over: &AtomicBool,
    here: &AtomicUsize,
) {
    let mut number = thread as u64;
    let mut next = || {
        number += THREADS as u64;
        Client::new(at, number, tally)
    };
    let mut clients: Vec<Client> = (0..count).map(|_| next()).collect();
    here.fetch_add(1, Ordering::Relaxed);
    while !is_over.load(Ordering::Relaxed) {
        for client in &mut clients {
            client.step(tally);
            if client.rounds == 0 {
                std::mem::replace(client, next()).end(tally);
            }
        }
    }
    clients.into_iter().for_each(|client| client.end(tally));
}

impl Client {
    fn new(at: At<'_>, number: u64, tally: &Tally) -> Self {
        let stream = match at {
            At::Port(at) => TcpStream::connect(at).unwrap(),
            // What is asked of it here is asked of both in the same way.
            At::File(path) => OwnedFd::from(UnixStream::connect(path).unwrap()).into(),
        };
        tally.connections.fetch_add(1, Ordering::Relaxed);
        stream.set_nonblocking(true).unwrap();
        Self {
            stream,
            sent: 0,
            came_back: 0,
            rounds: 5 + number % 37,
            reads_every: if number.is_multiple_of(7) { 9 } else { 1 },
            leaves_at_once: number.is_multiple_of(5),
            is_tcp: matches!(at, At::Port(_)),
        }
    }

    /// Sends some bytes, and reads what has arrived, if it is this round's turn.
    fn step(&mut self, tally: &Tally) {
        self.rounds -= 1;
        let len = 1 + (self.sent * 31 + self.rounds) % 3_000;
        match self.stream.write(bytes_at(self.sent, len as usize)) {
            Ok(sent) => {
                self.sent += sent as u64;
                tally.sent.fetch_add(sent as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("a client cannot send: {error}"),
        }
        if self.rounds.is_multiple_of(self.reads_every) {
            self.read(tally);
        }
    }

    /// Reads the bytes that are there. False if it reads end of file.
    fn read(&mut self, tally: &Tally) -> bool {
        let mut buffer = [0; PIECE];
        loop {
            let len = match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) => panic!("a client cannot receive: {error}"),
            };
            let expected = bytes_at(self.came_back, len);
            assert!(buffer[..len] == *expected, "other bytes come back after {}", self.came_back);
            let len = len as u64;
            self.came_back += len;
            assert!(self.came_back <= self.sent, "more comes back than was sent");
            tally.came_back.fetch_add(len, Ordering::Relaxed);
        }
    }

    /// A reset, or an end of file after all queued bytes.
    fn end(mut self, tally: &Tally) {
        if self.leaves_at_once {
            tally.resets.fetch_add(u64::from(self.is_tcp), Ordering::Relaxed);
            SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
            return;
        }
        self.stream.shutdown(Shutdown::Write).unwrap();
        self.stream.set_nonblocking(false).unwrap();
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(!self.read(tally), "the end does not come");
        assert_eq!(self.came_back, self.sent, "not everything has come back");
    }
}
