//! Streams in the loop, over both pollers.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{EventLoop, Limits, ServiceId};
use crate::addr::Address;
use crate::conn::{Ends, FilePart};
use crate::events::{Action, Actions, LoopEvent, Service, Token};
use crate::names::{AF_INET, AF_UNIX, MsgFlags, Protocol, SOCK_STREAM};
use crate::os::accepting::set_nonblocking;
use crate::poller::Via;
use crate::services::Echo;
use crate::sys::{self, Fd};
use crate::trace::arg::ValueLimits;
use crate::trace::{self, Function, Recording, Sink, Tracer, event};

const BOTH: [Via; 2] = [Via::Select, Via::Poll];

/// A loop with one connection, and the connection's other end.
fn connected(via: Via, service: impl Service + 'static) -> (EventLoop, Fd) {
    let [ours, theirs] = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    [&ours, &theirs].into_iter().for_each(|fd| set_nonblocking(fd).unwrap());
    let mut event_loop = EventLoop::new(via, Limits::default());
    let service = event_loop.add_service(Box::new(service));
    event_loop.add_connection(Ends::Socket(ours), &Address::unix("peer"), service, None);
    event_loop.turn().unwrap();
    (event_loop, theirs)
}

fn received(fd: &Fd) -> String {
    let mut buf = [0; 100];
    let len = sys::recv(fd, &mut buf, MsgFlags::NONE).unwrap_or(0);
    String::from_utf8_lossy(&buf[..len]).into_owned()
}

struct Endless;

impl Service for Endless {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        if matches!(event, LoopEvent::Opened { .. } | LoopEvent::Room) {
            actions.extend([Action::Send { to: who, bytes: b"x" }, Action::WantRoom(who)]);
        }
    }
}

#[test]
fn a_service_that_always_has_more_to_send_gets_one_step_in_each_turn() {
    for via in BOTH {
        let (mut event_loop, peer) = connected(via, Endless);
        assert_eq!(received(&peer), "x");
        for _ in 0..3 {
            event_loop.turn().unwrap();
            assert_eq!(received(&peer), "x", "{via}");
        }
    }
}

struct OneByOne;

impl Service for OneByOne {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        if let LoopEvent::Bytes(bytes) = event
            && let Some((first, rest)) = bytes.split_at_checked(1)
        {
            actions.extend([Action::Send { to: who, bytes: first }, Action::Keep(rest.len())]);
            actions.extend((!rest.is_empty()).then_some(Action::WantRoom(who)));
        }
    }
}

#[test]
fn kept_bytes_are_presented_when_there_is_room_and_no_more_are_read_before() {
    for via in BOTH {
        let (mut event_loop, peer) = connected(via, OneByOne);
        sys::send(&peer, b"abc", MsgFlags::NONE).unwrap();
        event_loop.turn().unwrap();
        sys::send(&peer, b"d", MsgFlags::NONE).unwrap();
        assert_eq!(received(&peer), "a", "{via}");
        for expected in ["b", "c", "d"] {
            event_loop.turn().unwrap();
            assert_eq!(received(&peer), expected, "{via}");
        }
    }
}

struct HeadOnly(FilePart);

impl Service for HeadOnly {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        if matches!(event, LoopEvent::Opened { .. }) {
            actions.push(Action::SendFile { to: who, head: b"head", part: &self.0 });
        }
    }
}

/// With `MSG_MORE`, Linux would hold the head back for 200 ms if nothing followed.
#[test]
fn a_head_without_a_file_does_not_wait_for_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let accepted = Fd::from(OwnedFd::from(listener.accept().unwrap().0));
    set_nonblocking(&accepted).unwrap();
    let empty = FilePart::new(Rc::new(File::open("/dev/null").unwrap()), 0, 0);
    let mut event_loop = EventLoop::new(Via::Select, Limits::default());
    let service = event_loop.add_service(Box::new(HeadOnly(empty)));
    event_loop.add_connection(Ends::Socket(accepted), &Address::unix("peer"), service, None);
    event_loop.turn().unwrap();
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 4);
}

/// The connection whose deadline is checked first gives all other connections more time.
#[derive(Default)]
struct PutsOff {
    all: Vec<Token>,
    told: Rc<RefCell<usize>>,
}

impl Service for PutsOff {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Opened { .. } => {
                self.all.push(who);
                actions.push(Action::Deadline(who, Some(Duration::ZERO)));
            }
            LoopEvent::Deadline => {
                *self.told.borrow_mut() += 1;
                let later = Some(Duration::from_secs(60));
                actions.extend(self.all.iter().map(|token| Action::Deadline(*token, later)));
            }
            _ => {}
        }
    }
}

#[test]
fn a_deadline_that_was_put_off_in_this_turn_is_not_told() {
    for via in BOTH {
        let service = PutsOff::default();
        let told = Rc::clone(&service.told);
        let (mut event_loop, _peer) = connected(via, service);
        let [ours, _other_peer] =
            sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        set_nonblocking(&ours).unwrap();
        event_loop.add_connection(Ends::Socket(ours), &Address::unix("peer"), ServiceId(0), None);
        // One turn reports the new connection, the next one finds that the time is over.
        event_loop.turn().unwrap();
        event_loop.turn().unwrap();
        assert_eq!(*told.borrow(), 1, "{via}");
    }
}

#[test]
fn looking_changes_nothing_and_tells_what_a_turn_would_find() {
    for via in BOTH {
        let mut event_loop = EventLoop::new(via, Limits::default());
        let service = event_loop.add_service(Box::new(Echo));
        let listener = sys::socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        sys::bind(&listener, &Address::v4([127, 0, 0, 1].into(), 0)).unwrap();
        let port = sys::getsockname(&listener).unwrap().port().unwrap();
        sys::listen(&listener, 1).unwrap();
        set_nonblocking(&listener).unwrap();
        event_loop.add_listener(listener, service);
        assert_eq!(event_loop.ready_within(Duration::ZERO), Ok(false), "{via}");

        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let own = client.local_addr().unwrap();
        let own = Address::ip(own.ip(), own.port());
        let soon = Duration::from_secs(5);
        assert_eq!(event_loop.ready_within(soon), Ok(true), "{via}");
        assert_eq!(event_loop.ready_within(soon), Ok(true), "it was only looked at, {via}");
        assert!(event_loop.client(&own).is_none(), "{via}");
        event_loop.turn().unwrap();
        assert!(event_loop.client(&own).is_some_and(|(_, conn)| conn.owed() == 0), "{via}");

        assert_eq!(event_loop.ready_within(Duration::ZERO), Ok(false), "{via}");
        client.write_all(b"x").unwrap();
        assert_eq!(event_loop.ready_within(soon), Ok(true), "{via}");
    }
}

/// Both are served; while the loop stands still, the observer alone. Its calls are not traced in either case.
#[test]
fn a_loop_that_stands_still_serves_its_observer_only() {
    for via in BOTH {
        let (mut event_loop, peer) = connected(via, Echo);
        let observer = event_loop.add_observer(Box::new(Echo));
        let [ours, viewer] = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        let number = ours.number();
        [&ours, &viewer].into_iter().for_each(|fd| set_nonblocking(fd).unwrap());
        event_loop.add_connection(Ends::Socket(ours), &Address::unix("viewer"), observer, None);
        event_loop.turn().unwrap();
        assert_eq!(event_loop.clients(), 1, "the observer's are not counted, {via}");
        let recording = Recording::default();
        let traced = trace::install(Tracer::new(recording.sink(ValueLimits::default())));

        for message in ["one", "two"] {
            trace::suspended(|| sys::send(&peer, message.as_bytes(), MsgFlags::NONE)).unwrap();
        }
        event_loop.stand_still();
        trace::suspended(|| sys::send(&viewer, b"look", MsgFlags::NONE)).unwrap();
        event_loop.turn().unwrap();
        assert_eq!((&*received(&viewer), &*received(&peer)), ("look", ""), "{via}");
        // Nothing is left for the observer: the wait ends at the given moment.
        event_loop.wake_at(Some(Instant::now()));
        event_loop.turn().unwrap();
        assert_eq!((event_loop.served_turns(), &*received(&peer)), (0, ""), "{via}");

        event_loop.wake_at(None);
        event_loop.go_on();
        event_loop.turn().unwrap();
        assert_eq!((event_loop.served_turns(), &*received(&peer)), (1, "onetwo"), "{via}");
        assert_eq!(event_loop.bytes_moved(), [6, 6], "{via}");
        drop(traced);
        let events = recording.events();
        let waits = |event: &&event::Event<'_>| event.function() == Some(via.function());
        assert_eq!(events.iter().filter(waits).count(), 1, "{via}: {events:?}");
        assert!(events.iter().all(|event| event.fd() != Some(number)), "{via}: {events:?}");

        // A loop that ends does not stand still.
        event_loop.stand_still();
        event_loop.stop();
        assert!(event_loop.is_ending());
        drop(peer);
        event_loop.run().unwrap();
        assert_eq!(received(&viewer), "");
    }
}

/// Records the stack of the program when it sends.
#[derive(Clone, Default)]
struct StackAtSend(Rc<RefCell<String>>);

impl Sink for StackAtSend {
    fn begin(&mut self, event: &event::Event<'_>) {
        if event.function() == Some(Function::SEND) {
            *self.0.borrow_mut() = Backtrace::force_capture().to_string();
        }
    }
    fn end(&mut self, _: &event::Event<'_>) {}
}

/// There are no callbacks, so at `send` the stack shows the loop and the send, and nothing of the receive. In all there
/// are twelve frames from `main` to libc's `send`: these four, five from `main` to the turn, and three in the wrapper.
#[test]
fn at_send_the_stack_shows_the_loop_and_the_send_only() {
    let (mut event_loop, peer) = connected(Via::Select, Echo);
    sys::send(&peer, b"hello", MsgFlags::NONE).unwrap();
    let stack = StackAtSend::default();
    let traced = trace::install(Tracer::new(stack.clone()));
    event_loop.turn().unwrap();
    drop(traced);
    assert_eq!(received(&peer), "hello");

    // One mangling scheme writes `<EventLoop>::turn`, the other `EventLoop::turn`.
    let stack = stack.0.take().replace(['<', '>'], "");
    let frames = stack.lines().filter_map(|line| line.split_once(": ")).map(|(_, name)| name);
    let frames: Vec<_> = frames.collect();
    let at = |name: &str| {
        let found = frames.iter().position(|frame| match frame.split_once("{closure") {
            // A closure's name may contain the name of the function that it was made for.
            Some(_) => false,
            None => frame.contains(name),
        });
        found.unwrap_or_else(|| panic!("no {name} in\n{stack}"))
    };
    // `sys::send` is inlined, so it has a frame of its own only in a build with debug information.
    let (sending, turn) = (at("SendingHalf::send"), at("EventLoop::turn"));
    assert!(turn - sending <= 2, "{:#?}", &frames[sending..=turn]);
    let of_the_call = &frames[1..sending];
    let is_of_loop = |frame: &&str| frame.contains("event_loop") || frame.contains("conn::");
    assert!(!of_the_call.iter().any(is_of_loop), "{of_the_call:#?}");
    assert!(!stack.contains("receive"), "{stack}");
}
