//! What happens rarely: resets, full queues, and slow peers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::connecting::{ConnectRequest, Connecting};
use super::endpoints::Endpoint;
use super::tests::{Scene, inject, listener, pair, scenes};
use crate::addr::Address;
use crate::conn::Ends;
use crate::events::{Action, Token};
use crate::names::{
    AF_INET, AF_UNIX, Errno, MSG_NOSIGNAL, MsgFlags, Protocol, SO_LINGER, SO_SNDBUF, SOCK_STREAM,
    SOL_SOCKET,
};
use crate::os::accepting::set_nonblocking;
use crate::sys::{self, Fd, Linger};

/// Both ends of a TCP connection.
fn tcp() -> (Fd, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (Fd::from(OwnedFd::from(listener.accept().unwrap().0)), peer)
}

const ARRIVED: usize = 50_000;
/// Never reached.
const TIME_LIMIT: Duration = Duration::from_secs(600);

/// A connection whose peer sent many bytes and then a reset, coupled with another one, whose other end is returned.
fn reset_with_bytes_unread(scene: &mut Scene) -> (Token, Fd) {
    let (ours, mut peer) = tcp();
    peer.write_all(&[7; ARRIVED]).unwrap();
    while sys::recv(&ours, &mut [0; ARRIVED], crate::names::MSG_PEEK) != Ok(ARRIVED) {}
    let peer = Fd::from(OwnedFd::from(peer));
    sys::setsockopt(&peer, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 }).unwrap();
    drop(peer);
    let [partner, reader] = pair();
    set_nonblocking(&reader).unwrap();
    let couple = [scene.add(ours), scene.add(partner)];
    scene.couple.borrow_mut().extend(couple);
    scene.event_loop.perform(&Action::Couple(couple[0], couple[1]), scene.service);
    (couple[0], reader)
}

fn assert_all_passed_on(scene: &mut Scene, reader: &Fd) {
    let mut buffer = vec![0; ARRIVED];
    let mut passed_on = 0;
    while !scene.log.borrow().iter().any(|line| line.starts_with("Closed(Failed(ECONNRESET")) {
        scene.event_loop.turn().unwrap();
        passed_on += sys::recv(reader, &mut buffer, MsgFlags::NONE).unwrap_or(0);
    }
    passed_on += sys::recv(reader, &mut buffer, MsgFlags::NONE).unwrap_or(0);
    assert_eq!(passed_on, ARRIVED);
}

#[test]
fn bytes_received_before_a_reset_are_passed_on_although_sending_fails() {
    for mut scene in scenes() {
        let (token, reader) = reset_with_bytes_unread(&mut scene);
        scene.event_loop.perform(&Action::Send { to: token, bytes: b"x" }, scene.service);
        assert_all_passed_on(&mut scene, &reader);
    }
}

#[test]
fn bytes_received_before_a_reset_are_passed_on_although_shutdown_fails() {
    for mut scene in scenes() {
        let (token, reader) = reset_with_bytes_unread(&mut scene);
        scene.event_loop.perform(&Action::Finish(token), scene.service);
        assert_all_passed_on(&mut scene, &reader);
    }
}

/// As on macOS and FreeBSD: once a Unix-domain peer has closed, the kernel finds no connection to shut down.
#[test]
fn a_unix_domain_peer_that_has_closed_is_no_failure_although_shutdown_finds_no_connection() {
    for mut scene in scenes() {
        let [ours, theirs] = pair();
        let token = scene.add(ours);
        scene.log.take();
        sys::send(&theirs, b"last", MSG_NOSIGNAL).unwrap();
        drop(theirs);
        let _injected = inject(&["shutdown:ENOTCONN".into()]);
        scene.event_loop.perform(&Action::Finish(token), scene.service);
        assert_eq!(scene.lines(3), ["4 bytes", "PeerFinished", "Closed(Finished)"]);
    }
}

/// A Unix-domain listener whose queue is full, and the connections in it; `None` on a system that refuses the next one.
fn full_queue(address: &Address) -> Option<(Fd, Vec<Fd>)> {
    let socket = || sys::socket(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    let listener = socket();
    sys::bind(&listener, address).unwrap();
    sys::listen(&listener, 1).unwrap();
    let mut queued = Vec::new();
    loop {
        let fd = socket();
        set_nonblocking(&fd).unwrap();
        match sys::connect(&fd, address) {
            Ok(()) => queued.push(fd),
            Err(Errno::EAGAIN) => return Some((listener, queued)),
            Err(_) => return None,
        }
    }
}

#[test]
fn a_full_queue_of_a_unix_domain_listener_is_tried_again_until_the_time_limit() {
    for mut scene in scenes() {
        let path = std::env::temp_dir().join(format!("baresock-full-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let address = Address::unix(&path);
        let Some((listener, _queued)) = full_queue(&address) else {
            return eprintln!("skipped: this system refuses where the queue is full");
        };
        let begun = Instant::now();
        scene.open(std::slice::from_ref(&address), Duration::from_millis(100));
        let told = scene.lines(2);
        assert!(begun.elapsed() >= Duration::from_millis(100));
        assert_eq!(told[0], "not connected EAGAIN, 0 left");
        assert!(told[1].starts_with("NotOpened(EAGAIN"), "{told:?}");

        scene.open(std::slice::from_ref(&address), Duration::from_secs(30));
        for _ in 0..3 {
            scene.event_loop.turn().unwrap();
        }
        assert!(scene.log.take().is_empty(), "it is not given up");
        drop(sys::accept(&listener).unwrap());
        assert_eq!(scene.lines(1), [format!("opened {address} true")]);
        std::fs::remove_file(&path).unwrap();
    }
}

/// RFC 9112, 9.6: a server that closes while the client still sends may destroy the end of its own answer.
#[test]
fn a_peer_that_talks_and_reads_slowly_gets_everything_before_the_end() {
    const SENT: usize = 200_000;
    for mut scene in scenes() {
        let (ours, mut peer) = tcp();
        sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &400_000).unwrap();
        let token = scene.add(ours);
        let all = vec![7; SENT];
        scene.event_loop.perform(&Action::Send { to: token, bytes: &all }, scene.service);
        scene.event_loop.perform(&Action::Close(token), scene.service);
        let begun = Instant::now();
        let mut came = 0;
        let mut buffer = vec![0; SENT];
        peer.set_nonblocking(true).unwrap();
        // A little at a time, for longer than the loop waits for a peer that takes nothing.
        while came < SENT {
            let _ = peer.write(b"x");
            if scene.event_loop.ready_within(Duration::from_millis(10)).unwrap() {
                scene.event_loop.turn().unwrap();
            }
            let due = if begun.elapsed() < super::closing::LINGER + Duration::from_secs(1) {
                (SENT / 2) as u128 * begun.elapsed().as_millis() / 3_000
            } else {
                SENT as u128
            };
            if (came as u128) < due {
                match peer.read(&mut buffer[..4_096]) {
                    Ok(0) => break,
                    Ok(len) => came += len,
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(error) => panic!("{error} after {came} bytes"),
                }
            }
        }
        assert_eq!(came, SENT);
    }
}

/// What happens by chance where a port of the ephemeral range is tried again and again.
#[test]
fn a_socket_that_is_connected_to_itself_is_no_connection() {
    for mut scene in scenes() {
        let fd = sys::socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        sys::bind(&fd, &Address::v4(Ipv4Addr::LOCALHOST, 0)).unwrap();
        let itself = sys::getsockname(&fd).unwrap();
        // Not every system makes such a connection.
        if sys::connect(&fd, &itself).is_err() {
            continue;
        }
        let (_listener, alive) = listener();
        for others in [vec![alive.clone()], Vec::new()] {
            let wish = ConnectRequest {
                service: scene.service,
                asked_by: scene.asker,
                others,
                time_limit: TIME_LIMIT,
            };
            let address = itself.clone();
            let made =
                Connecting { address, wish, deadline: Instant::now() + TIME_LIMIT, retry: None };
            let ends = Ends::Socket(sys::dup(&fd).unwrap());
            let state = &mut scene.event_loop.state;
            let token = state.endpoints.insert(ends, Endpoint::Connecting(made));
            state.look_at_attempt(token);
        }
        let lines = scene.lines(4);
        let has = |line: &str| lines.iter().any(|told| told.starts_with(line));
        assert!(has("connected to itself, 1 left") && has("connected to itself, 0 left"));
        assert!(has(&format!("opened {alive} true")) && has("NotOpened(ECONNREFUSED"), "{lines:?}");
        // The last descriptor is closed, with a reset: the port is free for the server that was missing.
        drop(fd);
        let server = sys::socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        assert_eq!(sys::bind(&server, &itself), Ok(()));
    }
}
