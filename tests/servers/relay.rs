//! The relay from the view of its two sides: bytes, ends of file, resets and slowness are passed on.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;
use nix::sys::signal::Signal;
use socket2::{Domain, SockRef, Socket, Type};

tests! {
    both {}
    serve {
        a_gib_arrives_as_it_was_sent_and_needs_no_memory,
        much_arrives_in_both_directions_at_once,
        short_sends_interrupted_calls_and_single_bytes,
        a_client_that_finishes_first_reads_the_answer,
        a_target_that_finishes_first_reads_the_rest,
        bytes_behind_an_urgent_one_arrive,
        a_reset_reaches_the_other_side,
        a_target_that_is_down_is_said_once,
        the_next_address_is_tried,
        what_comes_before_the_target_answers_is_kept,
        much_that_comes_before_the_target_answers_is_kept,
        a_reset_before_the_target_answers_is_noticed_then,
        a_crowd_before_a_short_queue_is_served,
        a_target_that_does_not_answer_in_time_is_given_up,
        a_slow_client_slows_the_target_down,
        a_slow_target_slows_the_client_down,
        one_direction_is_enough_not_to_be_silent,
        clients_alone_count_as_clients,
        descriptors_that_select_cannot_watch_harm_nobody_else,
        a_signal_ends_both_sides,
        what_is_owed_is_sent_when_it_ends,
        other_programs_talk_through_it,
        a_database_works_through_it,
    }
    tiers {
        much_arrives_in_both_directions_at_once,
        short_sends_interrupted_calls_and_single_bytes,
        a_client_that_finishes_first_reads_the_answer,
        a_reset_reaches_the_other_side,
        a_slow_target_slows_the_client_down,
        a_signal_ends_both_sides,
    }
}

/// A relay to this address.
pub(super) fn relay_to(kind: Kind, to: &str, arguments: &[&str]) -> Server {
    starting(kind).serving("relay", &format!(",to={to}")).with(arguments).start()
}

/// A relay, and the two ends of a connection through it.
pub(super) struct Through {
    pub(super) server: Server,
    pub(super) client: TcpStream,
    pub(super) target: TcpStream,
}

fn through(kind: Kind, arguments: &[&str]) -> Through {
    through_with(kind, "", arguments)
}

/// The same with options of the relay: `,move=splice`.
pub(super) fn through_with(kind: Kind, options: &str, arguments: &[&str]) -> Through {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("{}{options}", listener.local_addr().unwrap());
    let server = relay_to(kind, &to, arguments);
    let client = connect(&server);
    let target = accept(&listener);
    Through { server, client, target }
}

/// The next client. One must connect.
#[track_caller]
pub(super) fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let mut accepted = None;
    wait_until("somebody comes", || {
        accepted = listener.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_nodelay(true).unwrap();
    impatient(stream)
}

/// An address without a listener: bound, so that no other program gets the port.
fn dead() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// A listener that accepts no more: its queue is full.
pub(super) fn full() -> (TcpListener, SocketAddr, Vec<TcpStream>) {
    let (socket, address) = dead();
    socket.listen(0).unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
    let queued = std::iter::repeat_with(connect).map_while(Result::ok).collect();
    (socket.into(), address, queued)
}

pub(super) fn send_and_finish(message: &Message, stream: &TcpStream) {
    message.send(stream, 256 << 10);
    stream.shutdown(Shutdown::Write).unwrap();
}

fn a_gib_arrives_as_it_was_sent_and_needs_no_memory(kind: Kind) {
    let Through { server, client, target } = through(kind, &[]);
    let memory = || if HAS_PROC { resident_bytes(server.pid()) } else { 0 };
    let (message, before) = (Message::of(1 << 30), memory());
    let (mut most, mut looked_at) = (before, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| send_and_finish(&message, &client));
        message.assert_comes_back(&target, 256 << 10, |received| {
            if received >= looked_at + (16 << 20) {
                (most, looked_at) = (most.max(memory()), received);
            }
        });
    });
    assert!(most - before <= 1 << 20, "{} bytes more", most - before);
}

fn both_ways(kind: Kind, len: usize, piece: usize, arguments: &[&str]) {
    let Through { server: _server, client, target } = through(kind, arguments);
    assert_both_ways(&client, &target, len, piece);
}

/// Both sides send much at once, and all of it arrives.
pub(super) fn assert_both_ways(client: &TcpStream, target: &TcpStream, len: usize, piece: usize) {
    let (message, answer) = (Message::of(len), Message::of(len + len / 3));
    std::thread::scope(|scope| {
        for (message, from) in [(&message, client), (&answer, target)] {
            scope.spawn(move || {
                message.send(from, piece);
                from.shutdown(Shutdown::Write).unwrap();
            });
        }
        scope.spawn(|| message.assert_comes_back(target, 64 << 10, |_| {}));
        answer.assert_comes_back(client, 64 << 10, |_| {});
    });
}

/// A forwarder built on splice takes the mark of an urgent byte for the end. The urgent byte itself is not passed on.
fn bytes_behind_an_urgent_one_arrive(kind: Kind) {
    let Through { server: _server, client, target } = through(kind, &[]);
    for (mut from, to) in [(&client, &target), (&target, &client)] {
        from.write_all(b"before").unwrap();
        assert_eq!(SockRef::from(from).send_out_of_band(b"!").unwrap(), 1);
        from.write_all(b"behind").unwrap();
        from.shutdown(Shutdown::Write).unwrap();
        assert!(read_all(to) == b"beforebehind", "something behind the mark is lost");
    }
}

fn much_arrives_in_both_directions_at_once(kind: Kind) {
    both_ways(kind, 32 << 20, 100_000, &[]);
}

fn short_sends_interrupted_calls_and_single_bytes(kind: Kind) {
    both_ways(kind, 1 << 20, 64 << 10, &["--sndbuf", "4096"]);
    both_ways(kind, 200_000, 10_000, &["--inject", "send:short=7%50:seed=1"]);
    let faults = ["--inject", "send:EAGAIN%20:seed=2", "--inject", "recv:EINTR%20:seed=3"];
    both_ways(kind, 1 << 20, 10_000, &faults);
    both_ways(kind, 20_000, 500, &["--inject", "recv:chunk=1"]);
    both_ways(kind, 5_000, 1, &[]);
}

fn a_client_that_finishes_first_reads_the_answer(kind: Kind) {
    let Through { server: _server, mut client, mut target } = through(kind, &[]);
    client.write_all(b"the question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&target), b"the question");
    target.write_all(b"the answer").unwrap();
    target.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&client), b"the answer");
}

fn a_target_that_finishes_first_reads_the_rest(kind: Kind) {
    let Through { server, mut client, target } = through(kind, &[]);
    target.shutdown(Shutdown::Write).unwrap();
    assert_finished(&client);
    let message = Message::of(1 << 20);
    std::thread::scope(|scope| {
        scope.spawn(|| send_and_finish(&message, &client));
        message.assert_comes_back(&target, 64 << 10, |_| {});
    });
    // Both sides are done: nothing of either is left.
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    let ended = server.end();
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""));
}

fn a_reset_reaches_the_other_side(kind: Kind) {
    for client_resets in [true, false] {
        let Through { server, client, target } = through(kind, &[]);
        let (resetting, mut other) =
            if client_resets { (client, target) } else { (target, client) };
        other.write_all(b"so that both sides are known to work").unwrap();
        assert_receives(&resetting, b"so that both sides are known to work");
        reset(resetting);
        let error = other.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "client_resets: {client_resets}");
        server.wait_until_it_says("recv: ECONNRESET");
    }
}

fn a_target_that_is_down_is_said_once(kind: Kind) {
    let (_held, address) = dead();
    let server = relay_to(kind, &address.to_string(), &[]);
    for _ in 0..3 {
        let error = connect(&server).read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    let said = server.end().stderr;
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&format!("connect {address}: ECONNREFUSED")), "{said}");
}

fn the_next_address_is_tried(kind: Kind) {
    if !has_ipv6() {
        return skipped("this machine has no IPv6");
    }
    let (listener, _held) = listener_on_ipv6_alone();
    let port = listener.local_addr().unwrap().port();
    let server = relay_to(kind, &port.to_string(), &["-v"]);
    let mut client = connect(&server);
    let target = accept(&listener);
    client.write_all(b"hello").unwrap();
    assert_receives(&target, b"hello");
    let tried = format!("connect 127.0.0.1:{port}: ECONNREFUSED");
    server.wait_until_it_says(&tried);
    server.wait_until_it_says("trying the next address");
}

/// A relay whose target does not answer, a client of it, and the target's listener with what keeps it from answering.
fn not_answered(kind: Kind) -> (Server, TcpStream, TcpListener, Vec<TcpStream>) {
    let (listener, address, queued) = full();
    let server = relay_to(kind, &format!("{address},timeout=60"), &[]);
    let before = if HAS_PROC { descriptors(server.pid()) } else { 0 };
    let client = connect(&server);
    // The client is in, and its connection is being made.
    wait_for_descriptors(&server, before + 2);
    (server, client, listener, queued)
}

fn what_comes_before_the_target_answers_is_kept(kind: Kind) {
    let (_server, mut client, listener, queued) = not_answered(kind);
    client.write_all(b"early").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    // Now there will be room, and the connection is made when it is asked for again, about a second later.
    drop(queued);
    loop {
        let mut target = accept(&listener);
        let early = read_all(&target);
        if early.is_empty() {
            continue; // one of those that filled the queue
        }
        assert_eq!(early, b"early");
        target.write_all(b"late").unwrap();
        break;
    }
    assert_eq!(read_all(&client), b"late");
}

/// The target's listener accepts no client meanwhile, so that nothing but the reset itself can tell.
fn a_reset_before_the_target_answers_is_noticed_then(kind: Kind) {
    for early in [&b""[..], b"a question"] {
        let (server, mut client, _listener, _queued) = not_answered(kind);
        let with_client = if HAS_PROC { descriptors(server.pid()) } else { 0 };
        client.write_all(early).unwrap();
        reset(client);
        server.wait_until_it_says("recv: ECONNRESET");
        if HAS_PROC {
            wait_until("both sides are closed", || descriptors(server.pid()) == with_client - 2);
        }
    }
}

/// More than is kept: the rest waits in the systems' buffers, and none is lost.
fn much_that_comes_before_the_target_answers_is_kept(kind: Kind) {
    let (server, client, listener, queued) = not_answered(kind);
    let memory = || if HAS_PROC { resident_bytes(server.pid()) } else { 0 };
    let (message, before) = (Message::of(16 << 20), memory());
    std::thread::scope(|scope| {
        scope.spawn(|| send_and_finish(&message, &client));
        if HAS_PROC {
            wait_until("the relay waits", || state(server.pid()) == 'S');
        }
        assert!(memory() - before <= 1 << 20, "{} bytes more", memory() - before);
        drop(queued);
        let target = loop {
            let target = accept(&listener);
            // Those that filled the queue have ended already.
            if target.peek(&mut [0]).unwrap() > 0 {
                break target;
            }
        };
        message.assert_comes_back(&target, 64 << 10, |_| {});
    });
}

/// A Unix-domain listener lets five in, of sixty that come at once, and takes its time: all are served.
fn a_crowd_before_a_short_queue_is_served(kind: Kind) {
    const CLIENTS: usize = 60;
    let directory = TempDir::new();
    let path = directory.file("target");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    listener.listen(5).unwrap();
    let listener = UnixListener::from(OwnedFd::from(listener));
    let server = relay_to(kind, &format!("unix:{}", text(&path)), &[]);
    let mut clients = connect_many(&server, CLIENTS);
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(format!("{number:02}").as_bytes()).unwrap();
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..CLIENTS {
                let (mut target, _) = listener.accept().unwrap();
                let mut question = [0; 2];
                target.read_exact(&mut question).unwrap();
                target.write_all(&question).unwrap();
            }
        });
        for (number, client) in clients.iter().enumerate() {
            assert_eq!(read_all(client), format!("{number:02}").as_bytes());
        }
    });
    assert_eq!(server.end().stderr, "");
}

fn a_target_that_does_not_answer_in_time_is_given_up(kind: Kind) {
    let (_listener, address, _queued) = full();
    let options = format!(",to={address},timeout=0.2");
    let server = starting(kind).serving("relay", &options).start();
    let error = connect(&server).read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    server.wait_until_it_says(&format!("connect {address}: ETIMEDOUT"));
}

/// One side sends much, the other reads slowly at first: all of it arrives, and the relay has no more memory than
/// before.
fn assert_bounded(server: &Server, from: &TcpStream, to: &TcpStream) {
    const SLOW: usize = 1 << 20;
    let memory = || if HAS_PROC { resident_bytes(server.pid()) } else { 0 };
    let (message, before) = (Message::of(64 << 20), memory());
    let mut most = before;
    std::thread::scope(|scope| {
        scope.spawn(|| send_and_finish(&message, from));
        message.assert_comes_back(to, 4 << 10, |received| {
            if received < SLOW && received % (64 << 10) < (4 << 10) {
                std::thread::sleep(Duration::from_millis(5));
                most = most.max(memory());
            }
        });
    });
    assert!(most - before <= 1 << 20, "{} bytes more", most - before);
}

fn a_slow_client_slows_the_target_down(kind: Kind) {
    assert_slow_client_is_waited_for(kind, "");
}

pub(super) fn assert_slow_client_is_waited_for(kind: Kind, options: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("{}{options}", listener.local_addr().unwrap());
    let server = relay_to(kind, &to, &[]);
    let client = connect_with_little_room(&server);
    assert_bounded(&server, &accept(&listener), &client);
}

fn a_slow_target_slows_the_client_down(kind: Kind) {
    assert_slow_target_is_waited_for(kind, "");
}

pub(super) fn assert_slow_target_is_waited_for(kind: Kind, options: &str) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // What is accepted inherits it.
    listener.set_recv_buffer_size(4096).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(8).unwrap();
    let listener: TcpListener = listener.into();
    let to = format!("{}{options}", listener.local_addr().unwrap());
    let server = relay_to(kind, &to, &[]);
    let client = connect(&server);
    assert_bounded(&server, &client, &accept(&listener));
}

fn one_direction_is_enough_not_to_be_silent(kind: Kind) {
    let Through { server: _server, client, mut target } = through(kind, &["--idle-timeout", "0.5"]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1500) {
        target.write_all(b".").unwrap();
        assert_receives(&client, b".");
        std::thread::sleep(Duration::from_millis(50));
    }
    // And now both are.
    assert_finished(&client);
    assert_finished(&target);
}

fn clients_alone_count_as_clients(kind: Kind) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let server = relay_to(kind, &to, &["--max-clients", "2"]);
    let mut clients = connect_many(&server, 3);
    let mut targets = [accept(&listener), accept(&listener)];
    for (client, target) in clients.iter_mut().zip(&mut targets) {
        client.write_all(b"hello").unwrap();
        assert_receives(target, b"hello");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    clients.remove(0);
    drop(targets);
    clients[1].write_all(b"my turn").unwrap();
    assert_receives(accept(&listener), b"my turn");
}

/// A Unix-domain connection is made within connect, so its descriptor could reach the question of the next wait.
fn descriptors_that_select_cannot_watch_harm_nobody_else(kind: Kind) {
    const CLIENTS: usize = 600;
    if !can_have_descriptors(4096) {
        return;
    }
    let directory = TempDir::new();
    let path = directory.file("target");
    let listener = UnixListener::bind(&path).unwrap();
    let server = relay_to(kind, &format!("unix:{}", text(&path)), &[]);
    let before = if HAS_PROC { descriptors(server.pid()) } else { 0 };
    std::thread::spawn(move || {
        let mut targets = Vec::new();
        for target in listener.incoming() {
            let mut target = target.unwrap();
            // It may be a connection that the relay has given up.
            let _ = target.write_all(b"hello").and_then(|()| target.shutdown(Shutdown::Write));
            targets.push(target);
        }
    });
    let mut served = 0;
    let mut clients = connect_many(&server, CLIENTS);
    for client in &mut clients {
        let mut hello = [0; 5];
        served += usize::from(client.read_exact(&mut hello).is_ok());
    }
    if kind.via == "poll" {
        assert_eq!(served, CLIENTS);
    } else {
        assert!((400..CLIENTS).contains(&served), "{served} of {CLIENTS} were served");
        server.wait_until_it_says("FD_SETSIZE");
    }
    drop(clients);
    wait_for_descriptors(&server, before);
    assert_receives(connect(&server), b"hello");
}

fn a_signal_ends_both_sides(kind: Kind) {
    let Through { server, client, target } = through(kind, &[]);
    server.signal(Signal::SIGTERM);
    assert_finished(&client);
    assert_finished(&target);
    assert_eq!(server.wait().status.code(), Some(0));
}

fn what_is_owed_is_sent_when_it_ends(kind: Kind) {
    assert_queued_bytes_leave_at_the_end(kind, "");
}

pub(super) fn assert_queued_bytes_leave_at_the_end(kind: Kind, options: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("{}{options}", listener.local_addr().unwrap());
    let server = relay_to(kind, &to, &["--sndbuf", "4096"]);
    let client = connect_with_little_room(&server);
    let mut target = accept(&listener);
    // All of it arrives before the relay takes any: it takes some once, and then has bytes to send.
    let message = vec![b'x'; 32_000];
    server.signal(Signal::SIGSTOP);
    target.write_all(&message).unwrap();
    server.signal(Signal::SIGCONT);
    if HAS_PROC {
        wait_until("the relay waits", || state(server.pid()) == 'S');
    }
    server.signal(Signal::SIGTERM);
    assert_finished(&target);
    assert!(read_all(&client) == message, "queued bytes were lost");
    assert_eq!(server.wait().status.code(), Some(0));
}

fn other_programs_talk_through_it(kind: Kind) {
    if !["nc", "socat"].map(has_program).iter().all(|has| *has) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = relay_to(kind, &listener.local_addr().unwrap().to_string(), &[]);
    let port = server.address().port().to_string();
    let socat = format!("TCP:127.0.0.1:{port}");
    for (program, arguments) in
        [("nc", ["-N", "127.0.0.1", &port]), ("socat", ["-t30", "-", &socat])]
    {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = KilledAtEnd(command.spawn().unwrap());
        child.0.stdin.take().unwrap().write_all(b"a question").unwrap();
        let mut target = accept(&listener);
        assert_eq!(read_all(&target), b"a question", "{program}");
        target.write_all(b"an answer").unwrap();
        drop(target);
        assert_eq!(read_all(child.0.stdout.take().unwrap()), b"an answer", "{program}");
        assert!(wait_for(&mut child.0).success(), "{program}");
    }
}

fn a_database_works_through_it(kind: Kind) {
    if !["redis-server", "redis-benchmark"].map(has_program).iter().all(|has| *has) {
        return;
    }
    let directory = TempDir::new();
    let socket = directory.file("redis");
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--unixsocket", text(&socket)]);
    command.args(["--dir", text(&directory.file("."))]);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _redis = KilledAtEnd(quiet.spawn().unwrap());
    wait_until("redis listens", || socket.exists());
    let server = relay_to(kind, &format!("unix:{}", text(&socket)), &[]);
    let port = server.address().port().to_string();
    let mut benchmark = Command::new("redis-benchmark");
    let benchmark =
        benchmark.args(["-h", "127.0.0.1", "-p", &port, "-q", "-n", "1000", "-c", "20"]);
    let output = output_of(benchmark.args(["-d", "100", "-t", "ping,set,get,lrange"]));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    for command in ["PING", "SET", "GET", "LRANGE_600"] {
        assert!(said.contains(command), "{said}");
    }
    assert!(!said.contains("Error"), "{said}");
    assert_eq!(server.end().stderr, "");
}
