//! The loop with a service that records its events, over both pollers.

use std::cell::RefCell;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::endpoints::Endpoint;
use super::{EventLoop, Limits, Notice, Progress, ServiceId};
use crate::addr::Address;
use crate::conn::{Ends, Files};
use crate::events::{Action, Actions, LoopEvent, Service, Token};
use crate::names::{AF_INET, AF_UNIX, Errno, MSG_NOSIGNAL, MsgFlags, Protocol, SOCK_STREAM};
use crate::os::accepting::set_nonblocking;
use crate::poller::Via;
use crate::sys::{self, Fd};
use crate::trace::call::Installed;
use crate::trace::inject::InjectRule;
use crate::trace::tracer::NoSink;
use crate::trace::{self, Tracer};

const AGES: Duration = Duration::from_secs(30);

pub(super) type SharedLog = Rc<RefCell<Vec<String>>>;

/// Records every event, and passes bytes on to its coupled partner.
#[derive(Default)]
struct Scribe {
    log: SharedLog,
    couple: Rc<RefCell<Vec<Token>>>,
}

impl Service for Scribe {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        let line = match &event {
            LoopEvent::Opened { peer, asked_by } => format!("opened {peer} {}", asked_by.is_some()),
            LoopEvent::Bytes(bytes) => format!("{} bytes", bytes.len()),
            other => format!("{other:?}"),
        };
        self.log.borrow_mut().push(line);
        if let LoopEvent::Bytes(bytes) = event
            && let Some(other) = self.couple.borrow().iter().find(|token| **token != who)
        {
            actions.push(Action::Send { to: *other, bytes });
        }
    }
}

pub(super) struct Scene {
    pub(super) event_loop: EventLoop,
    pub(super) service: ServiceId,
    pub(super) log: SharedLog,
    pub(super) couple: Rc<RefCell<Vec<Token>>>,
    /// An endpoint that can ask for connections.
    pub(super) asker: Token,
}

pub(super) fn scenes() -> [Scene; 2] {
    [Via::Select, Via::Poll].map(|via| {
        let mut event_loop = EventLoop::new(via, Limits::default());
        let scribe = Scribe::default();
        let log = scribe.log.clone();
        let couple = scribe.couple.clone();
        let notices = log.clone();
        event_loop.notify(move |notice| {
            let name = |errno: &Errno| errno.to_string().split(' ').next().unwrap().to_string();
            let line = match notice {
                Notice::NotConnected { errno, others, .. } => {
                    format!("not connected {}, {others} left", name(errno))
                }
                Notice::ConnectedToItself { others, .. } => {
                    format!("connected to itself, {others} left")
                }
                Notice::WaitFailed(call, errno) => format!("{call} failed: {}", name(errno)),
                Notice::Refused(_) => "refused".to_string(),
                _ => return,
            };
            notices.borrow_mut().push(line);
        });
        let service = event_loop.add_service(Box::new(scribe));
        let asker = event_loop.add_stream(Ends::Files(Box::default()), service);
        Scene { event_loop, service, log, couple, asker }
    })
}

impl Scene {
    pub(super) fn open(&mut self, addresses: &[Address], time_limit: Duration) {
        let open = Action::Open { by: self.asker, addresses, time_limit };
        self.event_loop.perform(&open, self.service);
    }

    /// Runs turns until the service has recorded this many lines.
    pub(super) fn lines(&mut self, count: usize) -> Vec<String> {
        while self.log.borrow().len() < count {
            self.event_loop.turn().unwrap();
        }
        self.log.take()
    }

    pub(super) fn add(&mut self, fd: Fd) -> Token {
        set_nonblocking(&fd).unwrap();
        let peer = Address::v4(Ipv4Addr::LOCALHOST, 1);
        let asker = Some(self.asker);
        let token = self.event_loop.add_connection(Ends::Socket(fd), &peer, self.service, asker);
        // This turn must not wait: the service is to be told of the connection.
        self.event_loop.turn().unwrap();
        token
    }
}

fn address(listener: &TcpListener) -> Address {
    Address::v4(Ipv4Addr::LOCALHOST, listener.local_addr().unwrap().port())
}

pub(super) fn listener() -> (TcpListener, Address) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = address(&listener);
    (listener, address)
}

/// An address without a listener. The two ends of a connection keep its port from other programs; a socket that is bound
/// and does not listen would not do: macOS, NetBSD and OpenBSD drop the SYN, and connect waits for more than a minute.
pub(super) fn dead() -> ([TcpStream; 2], Address) {
    let (listener, address) = listener();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _peer) = listener.accept().unwrap();
    ([client, accepted], address)
}

/// An address that does not answer: its listener never accepts, and its queue is full after a few clients.
struct Silent {
    address: Address,
    _listener: Fd,
    _queued: Vec<TcpStream>,
}

impl Silent {
    fn new() -> Self {
        let listener = sys::socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        sys::bind(&listener, &Address::v4(Ipv4Addr::LOCALHOST, 0)).unwrap();
        sys::listen(&listener, 0).unwrap();
        let address = sys::getsockname(&listener).unwrap();
        let port = address.port().unwrap();
        let connect = || {
            let limit = Duration::from_millis(200);
            TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), limit)
        };
        let queued = std::iter::repeat_with(connect).map_while(Result::ok).collect();
        Self { address, _listener: listener, _queued: queued }
    }
}

pub(super) fn pair() -> [Fd; 2] {
    sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap()
}

#[test]
fn the_second_address_is_tried_when_the_first_is_dead() {
    for mut scene in scenes() {
        let ((_held, dead), (_listener, alive)) = (dead(), listener());
        scene.open(&[dead, alive.clone()], AGES);
        let opened = format!("opened {alive} true");
        assert_eq!(scene.lines(2), ["not connected ECONNREFUSED, 1 left", &opened]);
    }
}

#[test]
fn an_address_that_does_not_answer_has_a_time_limit() {
    for mut scene in scenes() {
        let silent = Silent::new();
        let (_listener, alive) = listener();
        scene.open(&[silent.address.clone(), alive.clone()], Duration::from_millis(50));
        let opened = format!("opened {alive} true");
        assert_eq!(scene.lines(2), ["not connected ETIMEDOUT, 1 left", &opened]);
    }
}

/// A socket whose connection is still being made has no error either.
#[test]
fn that_a_connection_is_ready_is_only_a_hint() {
    for mut scene in scenes() {
        let silent = Silent::new();
        let (_listener, alive) = listener();
        scene.open(&[silent.address.clone(), alive.clone()], Duration::from_millis(50));
        let is_connecting = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Connecting(_));
        for token in scene.event_loop.state.endpoints.tokens_where(is_connecting) {
            scene.event_loop.state.look_at_attempt(token);
        }
        let opened = format!("opened {alive} true");
        assert_eq!(scene.lines(2), ["not connected ETIMEDOUT, 1 left", &opened]);
    }
}

#[test]
fn the_asking_endpoint_learns_that_no_address_answers() {
    for mut scene in scenes() {
        let ((_held, one), (_held_too, other)) = (dead(), dead());
        scene.open(&[one, other], AGES);
        let lines = scene.lines(3);
        assert_eq!(lines[1], "not connected ECONNREFUSED, 0 left");
        assert!(lines[2].starts_with("NotOpened(ECONNREFUSED"), "{lines:?}");
        scene.open(&[], AGES);
        assert!(scene.lines(1)[0].starts_with("NotOpened(EADDRNOTAVAIL"));
    }
}

/// A Unix-domain connection is made or refused within `connect`: there will be no readiness to wait for.
#[test]
fn a_connect_that_is_decided_at_once_is_reported() {
    for mut scene in scenes() {
        let path = std::env::temp_dir().join(format!("baresock-unit-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let told = |scene: &mut Scene| {
            scene.open(&[Address::unix(&path)], AGES);
            scene.event_loop.turn().unwrap();
            scene.log.take()
        };
        assert!(told(&mut scene)[1].starts_with("NotOpened(ENOENT"));
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(told(&mut scene)[0].starts_with("opened unix:"));
        drop(listener);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_closed_endpoint_gets_no_events() {
    for mut scene in scenes() {
        let (_listener, alive) = listener();
        let (_held, dead) = dead();
        let [ours, _theirs] = pair();
        let token = scene.add(ours);
        for address in [alive, dead] {
            let open = Action::Open { by: token, addresses: &[address], time_limit: AGES };
            scene.event_loop.perform(&open, scene.service);
        }
        scene.event_loop.perform(&Action::Abort(token), scene.service);
        scene.event_loop.perform(
            &Action::Deadline(scene.asker, Some(Duration::from_millis(100))),
            scene.service,
        );
        let lines = loop {
            scene.event_loop.turn().unwrap();
            if scene.log.borrow().last().is_some_and(|line| line == "Deadline") {
                break scene.log.take();
            }
        };
        let told = lines.iter().filter(|line| line.contains("true") || line.contains("NotOpened"));
        assert_eq!(told.collect::<Vec<_>>(), ["opened 127.0.0.1:1 true"], "{lines:?}");
    }
}

/// While bytes are queued for one of a couple, nothing is read from the other; that ends with the couple.
#[test]
fn a_coupled_stream_reads_no_more_than_it_can_pass_on() {
    for mut scene in scenes() {
        let ([source, from], [sink, to]) = (pair(), pair());
        let couple = [scene.add(from), scene.add(to)];
        scene.couple.borrow_mut().extend(couple);
        scene.event_loop.perform(&Action::Couple(couple[0], couple[1]), scene.service);
        set_nonblocking(&source).unwrap();
        let mut taken = 0;
        let mut before = None;
        // Until a while has passed in which nothing was taken, however slow this machine is: now every buffer is full.
        while before != Some(taken) {
            before = Some(taken);
            scene.log.take();
            let moment = Some(Duration::from_millis(100));
            scene.event_loop.perform(&Action::Deadline(scene.asker, moment), scene.service);
            while scene.log.borrow().last().is_none_or(|line| line != "Deadline") {
                while let Ok(sent) = sys::send(&source, &[7; 65536], MSG_NOSIGNAL) {
                    taken += sent;
                }
                scene.event_loop.turn().unwrap();
            }
        }
        // The buffers of two pairs of sockets and one receive in between, whatever their sizes are on this system.
        assert!((1..4 << 20).contains(&taken), "{taken} bytes");

        drop(sink);
        let mut buffer = [0; 65536];
        while sys::recv(&source, &mut buffer, MsgFlags::NONE).is_err() {
            scene.event_loop.turn().unwrap();
            if scene.log.borrow().iter().any(|line| line.starts_with("Closed(Failed(")) {
                break;
            }
        }
        // Its partner is gone, so the loop reads from it again, to its end.
        drop(source);
        scene.log.take();
        while !scene.log.borrow().iter().any(|line| line == "PeerFinished") {
            scene.event_loop.turn().unwrap();
        }
    }
}

#[test]
fn files_are_done_with_when_everything_is_written() {
    for mut scene in scenes() {
        let ([input, writer], [reader, output]) = (sys::pipe().unwrap(), sys::pipe().unwrap());
        let files = Files { input: Some(input.into()), output: Some(output.into()) };
        let token = scene.event_loop.add_stream(Ends::Files(Box::new(files)), scene.service);
        scene.event_loop.perform(&Action::Send { to: token, bytes: b"all of it" }, scene.service);
        scene.event_loop.perform(&Action::Close(token), scene.service);
        // At once, and not after the time to linger: files have no second half to wait for.
        let begun = Instant::now();
        assert_eq!(scene.lines(1), ["Closed(Finished)"]);
        assert!(begun.elapsed() < super::closing::LINGER);
        let mut buffer = [0; 32];
        assert_eq!(sys::read(&reader, &mut buffer), Ok(9));
        assert_eq!(sys::read(&reader, &mut buffer), Ok(0));
        drop(writer);
    }
}

/// Everything has arrived and our half is closed: a peer that keeps its own half open must not delay the end of the loop.
#[test]
fn the_end_of_the_loop_does_not_wait_for_a_peer_that_keeps_its_half_open() {
    for mut scene in scenes() {
        let [ours, _theirs] = pair();
        let token = scene.add(ours);
        scene.event_loop.perform(&Action::Close(token), scene.service);
        scene.event_loop.stop();
        let begun = Instant::now();
        while scene.event_loop.turn().unwrap() == Progress::Continue {}
        assert!(begun.elapsed() < super::closing::LINGER / 2);
    }
}

/// Changes the results of this thread's calls as `--inject` does.
pub(super) fn inject(rules: &[String]) -> Installed {
    let rules = rules.iter().map(|rule| InjectRule::parse(rule).unwrap()).collect();
    trace::install(Tracer::new(NoSink).with_rules(rules))
}

#[test]
fn a_wait_that_fails_in_passing_is_waited_out_and_said_once() {
    for errno in ["ENOMEM", "EAGAIN"] {
        for mut scene in scenes() {
            let [ours, theirs] = pair();
            scene.add(ours);
            scene.log.take();
            sys::send(&theirs, b"hello", MSG_NOSIGNAL).unwrap();
            let via = scene.event_loop.state.poller.via();
            let rules: Vec<_> = (1..=4).map(|time| format!("{via}:{errno}@{time}")).collect();
            let injected = inject(&rules);
            let begun = Instant::now();
            for _ in 0..5 {
                scene.event_loop.turn().unwrap();
            }
            drop(injected);
            assert!(begun.elapsed() >= Duration::from_millis(1 + 2 + 4 + 8), "it does not pause");
            assert_eq!(scene.log.take(), [&format!("{via} failed: {errno}"), "5 bytes"]);
        }
    }
}

#[test]
fn a_wait_that_would_fail_again_ends_the_loop_and_says_what_was_watched() {
    for errno in ["EBADF", "EFAULT", "EINVAL"] {
        for mut scene in scenes() {
            let [ours, _theirs] = pair();
            let number = ours.number().get();
            scene.add(ours);
            let via = scene.event_loop.state.poller.via();
            // This connection was asked for and is not a client: there is no client to refuse.
            let _injected = inject(&[format!("{via}:{errno}")]);
            let failed = scene.event_loop.run().unwrap_err().to_string();
            assert!(failed.starts_with(&format!("{via}: {errno} (")), "{failed}");
            let watched = format!("these descriptors were watched: {number} (read)");
            assert!(failed.ends_with(&watched), "{failed}");
        }
    }
}

/// `poll` takes as many rows as a process may have descriptors; on macOS no more than 10,240.
#[test]
fn one_client_too_many_for_poll_is_refused_and_the_others_stay() {
    let [_, mut scene] = scenes();
    let peer = Address::v4(Ipv4Addr::LOCALHOST, 1);
    let mut peers = Vec::new();
    for _ in 0..3 {
        let [ours, theirs] = pair();
        [&ours, &theirs].iter().for_each(|fd| set_nonblocking(fd).unwrap());
        scene.event_loop.add_connection(Ends::Socket(ours), &peer, scene.service, None);
        scene.event_loop.turn().unwrap();
        peers.push(theirs);
    }
    scene.log.take();
    let _injected = inject(&["poll:EINVAL@1".into()]);
    scene.event_loop.turn().unwrap();
    assert_eq!(scene.log.take(), ["refused", "Closed(Refused)"]);
    let mut buffer = [0; 1];
    let read = |peer: &Fd, buffer: &mut [u8]| sys::recv(peer, buffer, MsgFlags::NONE);
    assert_eq!(read(&peers[2], &mut buffer), Ok(0));
    assert_eq!(read(&peers[0], &mut buffer), Err(Errno::EAGAIN));
    assert_eq!(read(&peers[1], &mut buffer), Err(Errno::EAGAIN));
    assert_eq!(scene.event_loop.clients(), 2);
}
