//! Peers that mean harm, or are broken: garbage, one byte at a time, lines without end, half-closes and resets at every
//! point, peers that never read, and peers that are gone at once. Against every service, over TCP and Unix-domain sockets
//! and both calls, drawn by a generator with a fixed seed. The server's memory keeps a bound, and an ordinary client is served afterwards.
//!
//! `BARESOCK_HOSTILE_SECONDS=600` goes on for so long with other peers, and `BARESOCK_HOSTILE_SEED` makes them others
//! from the start.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use baresock::os::splicing::HAS_SPLICE;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use support::*;

/// How many peers there are in the usual run, for each call.
const PEERS: u64 = 3_000;

/// How many at a time.
const AT_ONCE: u64 = 12;

/// The most memory that the server may use, besides the pages of its program. For each client it may queue a megabyte
/// (`--owed-limit`), and it reads no more from that client in the meantime.
const MOST_MEMORY: u64 = AT_ONCE * 1_500_000;

/// Knuth's MMIX generator: the same peers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<T: Copy>(&mut self, these: &[T]) -> T {
        these[self.below(these.len() as u64) as usize]
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}

/// The services, and where each listens among the others.
const SERVICES: [&str; 12] = [
    "echo",
    "discard",
    "chargen",
    "daytime",
    "time",
    "chat",
    "http",
    "relay",
    "relay-splice",
    "framed",
    "framed-length",
    "upper",
];

/// The number under which the server knows a service.
fn number_of(service: &str) -> usize {
    SERVICES.iter().position(|name| *name == service).expect("one of the services")
}

/// What is said to a service that it half understands.
const PHRASES: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /big HTTP/1.1\r\nHost: x\r\nRange: bytes=5-,-3\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"/nick \x1b[2J\n",
    b"/nick bob\n/who\n/quit\n/who\n",
    b"a line\r\n",
    b"\xff\xfe\xfd\xf4\xff\xfd\x06",
    b"\0\0\0\x05hello",
    b"\xff\xff\xff\xff",
    b"\0\0\xff\xff",
];

/// How a peer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Manner {
    Garbage,
    ByteByByte,
    WithoutEnd,
    HalfCloses,
    Resets,
    NeverReads,
    Vanishes,
    Phrases,
    Datagrams,
}

const MANNERS: [Manner; 9] = [
    Manner::Garbage,
    Manner::ByteByByte,
    Manner::WithoutEnd,
    Manner::HalfCloses,
    Manner::Resets,
    Manner::NeverReads,
    Manner::Vanishes,
    Manner::Phrases,
    Manner::Datagrams,
];

/// Plays this behaviour once. Errors at the peer's own end do not count.
fn misbehave(server: &Addresses, number: u64, seed: u64) -> (&'static str, Manner) {
    let mut dice = Dice(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    dice.below(2);
    let service = dice.below(SERVICES.len() as u64) as usize;
    let manner = dice.one_of(&MANNERS);
    if manner == Manner::Datagrams {
        send_datagrams(server, &mut dice);
        return ("datagrams", manner);
    }
    let connected = match dice.below(3) {
        // The same calls work for every kind of stream.
        0 => UnixStream::connect(&server.unix[service])
            .map(|stream| TcpStream::from(OwnedFd::from(stream))),
        _ => TcpStream::connect(server.streams[service]),
    };
    let Ok(mut stream) = connected else {
        return (SERVICES[service], manner);
    };
    // No peer waits long, because many more are to come.
    let _ = stream.set_read_timeout(Some(Duration::from_millis(30)));
    let _ = stream.set_write_timeout(Some(Duration::from_millis(30)));
    let _ = talk(&mut stream, manner, &mut dice);
    match dice.below(3) {
        0 => reset(stream),
        1 => drop(stream),
        _ => drop(stream.shutdown(Shutdown::Both)),
    }
    (SERVICES[service], manner)
}

fn talk(stream: &mut TcpStream, manner: Manner, dice: &mut Dice) -> std::io::Result<()> {
    match manner {
        Manner::Vanishes | Manner::Datagrams => {}
        Manner::Garbage => {
            let len = dice.one_of(&[1, 100, 5_000, 100_000]);
            stream.write_all(&dice.bytes(len))?;
            read_some(stream, dice);
        }
        Manner::ByteByByte => {
            // (A Unix-domain socket holds nothing back.)
            let _ = stream.set_nodelay(true);
            let (phrase, more) = (dice.one_of(PHRASES), dice.one_of(PHRASES));
            for byte in phrase.iter().chain(more) {
                stream.write_all(&[*byte])?;
            }
            read_some(stream, dice);
        }
        Manner::WithoutEnd => {
            let line = vec![dice.one_of(b"a /\x1b\xff\r"); 64 * 1024];
            let begin = dice.one_of(&[&b"GET /"[..], b"GET / HTTP/1.1\r\nX: ", b"/nick ", b""]);
            stream.write_all(begin)?;
            for _ in 0..dice.below(40) {
                stream.write_all(&line)?;
            }
        }
        Manner::HalfCloses => {
            let phrase = dice.one_of(PHRASES);
            let at = dice.below(phrase.len() as u64 + 1) as usize;
            stream.write_all(&phrase[..at])?;
            stream.shutdown(Shutdown::Write)?;
            read_some(stream, dice);
        }
        Manner::Resets => {
            let phrase = dice.one_of(PHRASES).repeat(1 + dice.below(300) as usize);
            let at = dice.below(phrase.len() as u64 + 1) as usize;
            stream.write_all(&phrase[..at])?;
            read_some(stream, dice);
            return socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
        }
        Manner::NeverReads => {
            let asks = dice.one_of(PHRASES).repeat(1_000);
            for _ in 0..dice.below(100) {
                stream.write_all(&asks)?;
            }
        }
        Manner::Phrases => {
            for _ in 0..1 + dice.below(8) {
                stream.write_all(dice.one_of(PHRASES))?;
                read_some(stream, dice);
            }
        }
    }
    Ok(())
}

fn read_some(stream: &mut TcpStream, dice: &mut Dice) {
    let mut buffer = vec![0; 1 + dice.below(100_000) as usize];
    for _ in 0..dice.below(4) {
        if !matches!(stream.read(&mut buffer), Ok(1..)) {
            return;
        }
    }
}

fn send_datagrams(server: &Addresses, dice: &mut Dice) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..dice.below(50) {
        let len = dice.one_of(&[0, 1, 512, 9_000, 65_507]);
        let _ = socket.send_to(&vec![b'x'; len], server.datagrams[dice.below(3) as usize]);
    }
}

struct Addresses {
    streams: Vec<std::net::SocketAddr>,
    unix: Vec<PathBuf>,
    datagrams: [std::net::SocketAddr; 3],
}

/// A server of everything, with limits so tight that peers meet them.
fn serve_all(kind: Kind, root: &str, target: &str, unix: &[PathBuf]) -> Services {
    let service = |name: &str, address: &str| match name {
        "http" => format!("http={address},root={root},header-timeout=1,keep-alive=1"),
        "relay-splice" if HAS_SPLICE => format!("relay={address},to={target},move=splice"),
        "relay" | "relay-splice" => format!("relay={address},to={target}"),
        "framed-length" => format!("framed={address},frame=length"),
        _ => format!("{name}={address}"),
    };
    let mut services: Vec<String> =
        SERVICES.iter().map(|name| service(name, "127.0.0.1:0")).collect();
    services.extend(["echo", "chargen", "upper"].map(|name| format!("{name}/udp=127.0.0.1:0")));
    let at_paths = SERVICES.iter().zip(unix);
    services.extend(at_paths.map(|(name, path)| service(name, &format!("unix:{}", text(path)))));
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    let limits = ["--idle-timeout", "3", "--max-clients", "500"];
    serve_with(kind.via, &services, &[&limits[..], kind.flags()].concat())
}

fn seconds() -> Option<u64> {
    std::env::var("BARESOCK_HOSTILE_SECONDS").ok().map(|seconds| seconds.parse().unwrap())
}

fn seed() -> u64 {
    std::env::var("BARESOCK_HOSTILE_SEED").map_or(1, |seed| seed.parse().unwrap())
}

#[test]
fn hostile_peers_harm_only_themselves_over_select() {
    hostile_peers_harm_only_themselves(SERVE_SELECT);
}

#[test]
fn hostile_peers_harm_only_themselves_over_poll() {
    hostile_peers_harm_only_themselves(SERVE_POLL);
}

#[test]
fn hostile_peers_harm_only_themselves_over_poll_in_tiers() {
    hostile_peers_harm_only_themselves(TIERS_POLL);
}

fn hostile_peers_harm_only_themselves(kind: Kind) {
    let root = TempDir::new();
    std::fs::write(root.file("big"), vec![b'x'; 3_000_000]).unwrap();
    let root_path = root.file("big").parent().unwrap().to_path_buf();
    let behind = serve(kind.via, &["echo=127.0.0.1:0"]);
    let place = TempDir::new();
    let unix: Vec<PathBuf> = SERVICES.iter().map(|name| place.file(name)).collect();
    let server = serve_all(kind, text(&root_path), &behind.at(0).to_string(), &unix);
    let own = if HAS_PROC { descriptors(server.pid()) } else { 0 };
    let addresses = Addresses {
        streams: (0..SERVICES.len()).map(|service| server.at(service)).collect(),
        unix,
        datagrams: [0, 1, 2].map(|at| server.at(SERVICES.len() + at)),
    };
    let bystander = server.connect(number_of("echo"));
    assert_echo(&bystander, b"before");

    let (began, seed) = (Instant::now(), seed());
    let enough = |number| match seconds() {
        Some(seconds) => began.elapsed().as_secs() >= seconds,
        None => number >= PEERS,
    };
    let made = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for first in 0..AT_ONCE {
            let (made, addresses) = (&made, &addresses);
            scope.spawn(move || {
                let mine = (0..).map(|turn| first + turn * AT_ONCE);
                for number in mine.take_while(|number| !enough(*number)) {
                    let kind = misbehave(addresses, number, seed);
                    *made.lock().unwrap().entry(kind).or_insert(0u64) += 1;
                }
            });
        }
        // In the meantime another client is served, though not always at once. (It must not be silent for three
        // seconds.)
        while !enough(made.lock().unwrap().values().sum::<u64>() + AT_ONCE) {
            assert_echo(&bystander, b"meanwhile");
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    drop(bystander);
    let made = made.into_inner().unwrap();
    for service in ["echo", "relay", "relay-splice"] {
        assert_echo(server.connect(number_of(service)), b"hello\n");
    }
    assert_eq!(read_all(server.connect(number_of("time"))).len(), 4, "the time");
    if !HAS_PROC {
        return skipped("this system does not show what a process has");
    }
    wait_until("no client is left", || descriptors(server.pid()) == own);
    let most = most_filled_bytes(server.pid());
    let peers: u64 = made.values().sum();
    counted(format_args!(
        "{kind}: {peers} hostile peers of {} kinds in {:.1} s (seed {seed}); at most {most} bytes of memory",
        made.len(),
        began.elapsed().as_secs_f64()
    ));
    assert!(most <= MOST_MEMORY, "{most} bytes of memory");
    let before = cpu_ticks(server.pid());
    std::thread::sleep(Duration::from_secs(1));
    assert!(cpu_ticks(server.pid()) <= before + 1, "it is idle");
}

/// The most memory that the process has ever had at a time, without the pages of its program, which are more the longer it runs.
fn most_filled_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let bytes = |kind: &str| {
        let line = status.lines().find(|line| line.starts_with(kind)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    };
    bytes("VmHWM:") - bytes("RssFile:")
}

/// Half-closed and reset after every single byte of what a service understands, and cut there into two.
#[test]
fn an_end_at_every_point_of_a_request() {
    let root = TempDir::new();
    std::fs::write(root.file("big"), vec![b'x'; 300_000]).unwrap();
    let root_path = root.file("big").parent().unwrap().to_path_buf();
    let mut ends = 0;
    for kind in [SERVE_SELECT, SERVE_POLL, TIERS_POLL] {
        let behind = serve(kind.via, &["echo=127.0.0.1:0"]);
        let place = TempDir::new();
        let unix: Vec<PathBuf> = SERVICES.iter().map(|name| place.file(name)).collect();
        let server = serve_all(kind, text(&root_path), &behind.at(0).to_string(), &unix);
        let own = if HAS_PROC { descriptors(server.pid()) } else { 0 };
        for (service, says) in [
            ("echo", &b"hello\n"[..]),
            ("upper", b"hello\n"),
            ("chat", b"hello\n/nick ann\n/who\nbye\n"),
            ("http", b"GET /big HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            ("relay", b"through\n"),
            ("relay-splice", b"through\n"),
            ("framed", b"one\ntwo\r\nthree"),
            ("framed-length", b"\0\0\0\x03abc\0\0\0\0\0"),
        ] {
            let number = number_of(service);
            for at in 0..=says.len() {
                let (before, after) = says.split_at(at);
                let half_closed = server.connect(number);
                (&half_closed).write_all(before).unwrap();
                half_closed.shutdown(Shutdown::Write).unwrap();
                // It gets its queued bytes, and then the end of file; it is not left waiting.
                let got = read_all(&half_closed);
                match service {
                    "echo" | "relay" | "relay-splice" => assert_eq!(got, before, "{kind}, {service}"),
                    "upper" => assert_eq!(got, before.to_ascii_uppercase(), "{kind}, {service}"),
                    _ => {}
                }

                let to_reset = server.connect(number);
                (&to_reset).write_all(before).unwrap();
                reset(to_reset);

                let cut = server.connect(number);
                (&cut).write_all(before).unwrap();
                let _ = (&cut).write_all(after);
                drop(cut);
                ends += 3;
            }
        }
        if HAS_PROC {
            wait_until("no client is left", || descriptors(server.pid()) == own);
        }
        assert_echo(server.connect(number_of("echo")), b"an ordinary client");
    }
    counted(format_args!("{ends} connections ended early"));
}
