//! The client, from the user's and the peer's view.

use std::io::{ErrorKind, Read, Write, pipe};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;
use baresock::names::O_NONBLOCK;
use baresock::sys;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, Socket, Type};

tests! {
    both {}
    serve {
        a_question_and_its_answer,
        every_byte_in_both_directions,
        calls_that_are_interrupted_or_short,
        without_half_close_the_peer_reads_no_end,
        a_peer_that_finishes_ends_it,
        a_peer_that_finishes_first_may_be_sent_the_rest,
        nothing_is_buffered_without_bound,
        an_inherited_descriptor_stays_as_it_was,
        no_server_listens,
        the_next_address_is_tried,
        an_address_that_does_not_answer_has_a_time_limit,
        a_full_unix_domain_queue_is_waited_for_without_spinning,
        a_place_in_a_full_unix_domain_queue_is_taken_when_there_is_one,
        a_reset_is_an_error,
        every_kind_of_standard_input,
        standard_output_that_takes_nothing,
        datagrams,
        no_server_receives_datagrams,
        over_a_unix_domain_socket,
        newlines_for_old_protocols,
        messages_in_place_of_bytes,
        listening_for_one,
        silence_ends_it_if_asked_to,
        silence_goes_on_while_it_is_stopped,
        if_nobody_comes_it_ends_if_asked_to,
        a_single_byte_is_one_byte,
        other_programs_as_peers,
        the_trace_shows_its_calls,
    }
}

fn command(kind: Kind, arguments: &[&str]) -> Command {
    let mut command = Command::new(BARESOCK);
    command.args(["connect", "--via", kind.via]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running client, which ends with its test.
struct Client(KilledAtEnd);

/// A client that has ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

fn start_client(kind: Kind, arguments: &[&str]) -> Client {
    Client(KilledAtEnd(command(kind, arguments).spawn().unwrap()))
}

/// Runs a client to its end, with this on standard input.
#[track_caller]
fn run(kind: Kind, arguments: &[&str], input: &[u8]) -> Ended {
    let mut client = start_client(kind, arguments);
    // A client that fails at once does not read it.
    let _ = client.stdin().write_all(input);
    client.end()
}

impl Client {
    fn child(&mut self) -> &mut Child {
        &mut self.0.0
    }

    /// Standard input; dropping it closes it.
    fn stdin(&mut self) -> ChildStdin {
        self.child().stdin.take().unwrap()
    }

    /// Waits for the end. The output must fit into the pipes, or the test must read it.
    #[track_caller]
    fn end(mut self) -> Ended {
        drop(self.child().stdin.take());
        let (stdout, stderr) = (self.child().stdout.take(), self.child().stderr.take());
        let stdout = stdout.map(read_all).unwrap_or_default();
        let stderr = String::from_utf8(stderr.map(read_all).unwrap_or_default()).unwrap();
        Ended { code: wait_for(self.child()).code(), stdout, stderr }
    }
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// The next client.
fn accept(listener: &TcpListener) -> TcpStream {
    impatient(listener.accept().unwrap().0)
}

/// A server that echoes to one client and ends with it.
fn echo() -> String {
    let (listener, address) = listener();
    std::thread::spawn(move || {
        let stream = accept(&listener);
        let _ = std::io::copy(&mut &stream, &mut &stream);
        let _ = stream.shutdown(Shutdown::Write);
    });
    address
}

fn a_question_and_its_answer(kind: Kind) {
    for flags in [&[][..], &["-q"]] {
        let (listener, address) = listener();
        let client = start_client(kind, &[&[&*address], flags].concat());
        let mut server = accept(&listener);
        let answering = std::thread::spawn(move || {
            let question = read_all(&server);
            server.write_all(b"an answer").unwrap();
            question
        });
        let mut client = client;
        client.stdin().write_all(b"a question").unwrap();
        let ended = client.end();
        assert_eq!(answering.join().unwrap(), b"a question");
        assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"an answer"[..]));
        let why =
            format!("baresock: {address}: the peer has finished: 10 bytes sent, 9 received\n");
        assert_eq!(ended.stderr, if flags.is_empty() { why } else { String::new() });
    }
}

fn through_echo(kind: Kind, len: usize, arguments: &[&str]) {
    let mut client = start_client(kind, &[&[&*echo()], arguments].concat());
    let (message, stdin) = (Message::of(len), client.stdin());
    let stdout = client.child().stdout.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| message.send(stdin, 50_000));
        message.assert_comes_back(stdout, 50_000, |_| {});
    });
    assert_eq!(client.end().code, Some(0));
}

fn every_byte_in_both_directions(kind: Kind) {
    through_echo(kind, 32 << 20, &[]);
}

fn calls_that_are_interrupted_or_short(kind: Kind) {
    let wait = format!("{}:EINTR%20:seed=5", kind.via);
    let faults =
        ["read:EINTR%20:seed=1", "write:EINTR%20:seed=2", "send:short=100%50:seed=3", &wait];
    let flags: Vec<_> = faults.iter().flat_map(|fault| ["--inject", fault]).collect();
    through_echo(kind, 500_000, &flags);
    through_echo(kind, 3_000, &["--inject", "read:chunk=1", "--inject", "write:short=1"]);
}

fn without_half_close_the_peer_reads_no_end(kind: Kind) {
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address, "--no-half-close"]);
    client.stdin().write_all(b"a question").unwrap();
    let mut server = accept(&listener);
    assert_receives(&server, b"a question");
    // Its standard input has ended; time for an end of file to come, if one were sent.
    std::thread::sleep(Duration::from_millis(100));
    assert_nothing_came(&server);
    server.write_all(b"an answer").unwrap();
    drop(server);
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"an answer"[..]));
}

fn a_peer_that_finishes_ends_it(kind: Kind) {
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address]);
    // It stays open: the end of the socket is enough.
    let _stdin = client.stdin();
    accept(&listener).write_all(b"that is all").unwrap();
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"that is all"[..]), "{ended:?}");
    assert!(ended.stderr.contains("standard input has not (see --keep-sending): 0 bytes sent"));
}

fn a_peer_that_finishes_first_may_be_sent_the_rest(kind: Kind) {
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address, "--keep-sending"]);
    let mut server = accept(&listener);
    server.write_all(b"that is all").unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    let mut stdout = client.child().stdout.take().unwrap();
    let mut said = [0; 11];
    stdout.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"that is all");
    if HAS_PROC {
        let before = cpu_ticks(client.child().id());
        std::thread::sleep(Duration::from_secs(1));
        assert!(cpu_ticks(client.child().id()) <= before + 1, "the end is told only once");
    }
    // More bytes than the buffers take at once.
    let (message, stdin) = (Message::of(4 << 20), client.stdin());
    std::thread::scope(|scope| {
        scope.spawn(|| message.send(stdin, 50_000));
        message.assert_comes_back(&server, 50_000, |_| {});
    });
    let ended = client.end();
    assert_eq!(ended.code, Some(0));
    let why =
        format!("baresock: {address}: the peer has finished: 4194304 bytes sent, 11 received\n");
    assert_eq!(ended.stderr, why);
    assert_eq!(read_all(&server), b"");

    // A peer that has closed completely causes an error once bytes are sent to it.
    let mut client = start_client(kind, &[&address, "--keep-sending"]);
    drop(accept(&listener));
    let mut stdin = client.stdin();
    let ended = std::thread::scope(|scope| {
        scope.spawn(move || while stdin.write_all(b"more").is_ok() {});
        client.end()
    });
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("EPIPE") || ended.stderr.contains("ECONNRESET"), "{ended:?}");
}

/// Its standard output is not read, and its peer does not read: it waits, and receives no more.
fn nothing_is_buffered_without_bound(kind: Kind) {
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address]);
    let server = accept(&listener);
    let memory = |pid| if HAS_PROC { filled_bytes(pid) } else { 0 };
    let pid = client.child().id();
    let before = memory(pid);
    let mut stdin = client.stdin();
    let block = vec![b'x'; 64 << 10];
    let (sent, (after, state)) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            // Until the first timeout, which says that nothing more is taken.
            server.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
            (0..1000).take_while(|_| (&server).write_all(&block).is_ok()).count()
        });
        scope.spawn(|| {
            // It ends with the client.
            while stdin.write_all(&block).is_ok() {}
        });
        let sent = sending.join().unwrap();
        let found = (memory(pid), HAS_PROC.then(|| state(pid)));
        // Before anything is asserted: the thread that writes ends with the client.
        client.child().kill().unwrap();
        (sent, found)
    });
    let more = after.saturating_sub(before);
    assert!(more <= 1 << 20, "{more} bytes more");
    assert_eq!(state, HAS_PROC.then_some('S'));
    assert!(sent < 1000, "all of it was taken");
}

fn an_inherited_descriptor_stays_as_it_was(kind: Kind) {
    let ((input, mut writer), (mut reader, output)) = (pipe().unwrap(), pipe().unwrap());
    // They share their flags with the client's.
    let shared = (input.try_clone().unwrap(), output.try_clone().unwrap());
    let mut command = command(kind, &[&echo()]);
    command.stdin(input).stdout(output);
    let mut client = KilledAtEnd(command.spawn().unwrap());
    drop(command);
    writer.write_all(b"hello").unwrap();
    let mut buffer = [0; 5];
    reader.read_exact(&mut buffer).unwrap();
    for flags in [sys::fcntl_getfl(&shared.0), sys::fcntl_getfl(&shared.1)] {
        assert!(!flags.unwrap().contains(O_NONBLOCK));
    }
    drop(writer);
    assert!(wait_for(&mut client.0).success());
}

/// An address without a listener: bound, so that no other program gets the port.
fn dead(kind: Type) -> (Socket, String) {
    let socket = Socket::new(Domain::IPV4, kind, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    (socket, address)
}

fn no_server_listens(kind: Kind) {
    let (_held, address) = dead(Type::STREAM);
    let ended = run(kind, &[&address], b"hello");
    let why = format!(
        "baresock: connect {address}: ECONNREFUSED (Connection refused): no server listens there\n"
    );
    assert_eq!((ended.code, &*ended.stderr), (Some(1), &*why));
    assert!(ended.stdout.is_empty());
    let ended = run(kind, &["host.invalid:7"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("getaddrinfo host.invalid: EAI_"), "{ended:?}");
}

fn the_next_address_is_tried(kind: Kind) {
    if !has_ipv6() {
        return skipped("this machine has no IPv6");
    }
    let (listener, _held) = listener_on_ipv6_alone();
    let port = listener.local_addr().unwrap().port().to_string();
    let client = start_client(kind, &[&port, "-v"]);
    accept(&listener).write_all(b"here").unwrap();
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"here"[..]));
    for said in ["connect 127.0.0.1:", "ECONNREFUSED", "trying the next address", "[::1]:"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

fn an_address_that_does_not_answer_has_a_time_limit(kind: Kind) {
    let (socket, address) = dead(Type::STREAM);
    socket.listen(0).unwrap();
    // The queue of a listener that never accepts is full after a few clients.
    let there: SocketAddr = address.parse().unwrap();
    let connect = || TcpStream::connect_timeout(&there, Duration::from_millis(300));
    let _queued: Vec<_> = std::iter::repeat_with(connect).map_while(Result::ok).collect();
    let ended = run(kind, &[&address, "--timeout", "0.2"], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("connect {address}: ETIMEDOUT")), "{ended:?}");
}

/// A Unix-domain listener whose queue is full, at a path, with those that fill it; none where the system refuses the next.
fn full_unix_domain_queue(place: &TempDir) -> Option<(Socket, String, Vec<Socket>)> {
    let path = place.file("full");
    let address = socket2::SockAddr::unix(&path).unwrap();
    let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let listener = socket();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    let mut queued = Vec::new();
    loop {
        let client = socket();
        client.set_nonblocking(true).unwrap();
        match client.connect(&address) {
            Ok(()) => queued.push(client),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => {
                skipped("this system refuses where the queue is full");
                return None;
            }
        }
    }
    Some((listener, format!("unix:{}", text(&path)), queued))
}

/// connect says EAGAIN there, and nothing is in progress: no readiness will come.
fn a_full_unix_domain_queue_is_waited_for_without_spinning(kind: Kind) {
    let place = TempDir::new();
    let Some((_listener, address, _queued)) = full_unix_domain_queue(&place) else { return };
    let begun = std::time::Instant::now();
    let trace = place.file("trace");
    let ended = run(kind, &[&address, "--timeout", "3", "--trace-to", text(&trace)], b"");
    assert!(begun.elapsed() >= Duration::from_secs(3), "{ended:?}");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&format!("connect {address}: EAGAIN")), "{ended:?}");
    // A pause of at most 64 ms gives 50 calls; one that spins makes thousands in a second.
    let calls = std::fs::read_to_string(&trace).unwrap();
    let tries = calls.lines().filter(|line| line.starts_with("connect(")).count();
    assert!((2..200).contains(&tries), "{tries} calls of connect");
    let waits = calls.lines().filter(|line| line.starts_with(kind.via)).count();
    assert!(waits < 400, "{waits} waits");
}

fn a_place_in_a_full_unix_domain_queue_is_taken_when_there_is_one(kind: Kind) {
    let place = TempDir::new();
    let Some((listener, address, queued)) = full_unix_domain_queue(&place) else { return };
    let trace = place.file("trace");
    let flags = ["--timeout", "60", "--trace-to", text(&trace), "--trace-sync"];
    let client = start_client(kind, &[&[&*address], &flags[..]].concat());
    wait_until("it has been turned away", || {
        std::fs::read_to_string(&trace).is_ok_and(|calls| calls.contains("EAGAIN"))
    });
    for _ in 0..queued.len() {
        drop(listener.accept().unwrap());
    }
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"served").unwrap();
    });
    let ended = client.end();
    assert_eq!((ended.code, &ended.stdout[..]), (Some(0), &b"served"[..]), "{ended:?}");
    server.join().unwrap();
}

fn a_reset_is_an_error(kind: Kind) {
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address]);
    let _stdin = client.stdin();
    let mut server = accept(&listener);
    server.write_all(b"so far").unwrap();
    let mut stdout = client.child().stdout.take().unwrap();
    let mut buffer = [0; 6];
    stdout.read_exact(&mut buffer).unwrap();
    reset(server);
    let ended = client.end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("recv {address}: ECONNRESET")), "{ended:?}");
    assert!(ended.stderr.contains("0 bytes sent, 6 received"), "{ended:?}");
}

fn every_kind_of_standard_input(kind: Kind) {
    let directory = TempDir::new();
    let file = directory.file("input");
    let text: Vec<u8> = (0..200_000u32).map(|k| (k % 253) as u8).collect();
    std::fs::write(&file, &text).unwrap();
    let shell = |redirection: &str| {
        let mut shell = Command::new("sh");
        let script = format!("exec \"$0\" connect --via {} \"$1\" {redirection}", kind.via);
        shell.args(["-c", &script, BARESOCK, &echo()]);
        output_of(&mut shell)
    };
    let copy = directory.file("output");
    let output =
        shell(&format!("<{} >{}", crate::support::text(&file), crate::support::text(&copy)));
    assert!(output.status.success(), "{output:?}");
    assert!(std::fs::read(&copy).unwrap() == text);
    for nothing in ["</dev/null", "<&-"] {
        let output = shell(nothing);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{output:?}");
    }
    let output = shell("</");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("read standard input: EISDIR"), "{stderr}");
}

fn standard_output_that_takes_nothing(kind: Kind) {
    if cfg!(target_os = "linux") {
        let mut full = command(kind, &[&echo()]);
        full.stdout(std::fs::File::create("/dev/full").unwrap());
        let mut client = Client(KilledAtEnd(full.spawn().unwrap()));
        client.stdin().write_all(b"hello").unwrap();
        let ended = client.end();
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("write standard output: ENOSPC"), "{ended:?}");
    }
    // As with `| head -1`: the reader has read enough.
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address]);
    let _stdin = client.stdin();
    drop(client.child().stdout.take());
    let server = accept(&listener);
    (&server).write_all(b"nobody reads this").unwrap();
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

fn datagrams(kind: Kind) {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = server.local_addr().unwrap().to_string();
    let mut client = start_client(kind, &["--udp", &address]);
    let mut stdin = client.stdin();
    stdin.write_all(b"one datagram").unwrap();
    let mut buffer = [0; 70_000];
    let (len, from) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"one datagram");
    // An empty datagram is not end of file.
    for bytes in [&b""[..], b"one", b"", b", another"] {
        server.send_to(bytes, from).unwrap();
    }
    let largest = vec![b'x'; 65_507];
    server.send_to(&largest, from).unwrap();
    // More than one datagram may have.
    let sending = std::thread::spawn(move || stdin.write_all(&[b'y'; 60_000]).unwrap());
    let mut received = 0;
    while received < 60_000 {
        let (len, _) = server.recv_from(&mut buffer).unwrap();
        assert!(len <= 8192 && buffer[..len].iter().all(|byte| *byte == b'y'), "{len}");
        received += len;
    }
    sending.join().unwrap();
    let ended = client.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout == [&b"one, another"[..], &largest].concat());
    assert!(ended.stderr.contains("no more datagrams arrived: 60012 bytes sent, 65519 received"));
}

fn no_server_receives_datagrams(kind: Kind) {
    let (held, address) = dead(Type::DGRAM);
    drop(held);
    let ended = run(kind, &["--udp", &address], b"hello");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(&format!("recv {address}: ECONNREFUSED")), "{ended:?}");
}

fn over_a_unix_domain_socket(kind: Kind) {
    let directory = TempDir::new();
    let path = directory.file("socket");
    let address = format!("unix:{}", text(&path));
    let ended = run(kind, &[&address], b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("ENOENT"), "{ended:?}");
    let listener = UnixListener::bind(&path).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut server, _) = listener.accept().unwrap();
        let question = read_all(&server);
        server.write_all(b"an answer").unwrap();
        question
    });
    let ended = run(kind, &[&address], b"a question");
    assert_eq!(answering.join().unwrap(), b"a question");
    assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"an answer"[..]), "{ended:?}");
}

fn newlines_for_old_protocols(kind: Kind) {
    let ended = run(kind, &["--crlf", &echo()], b"GET /\r\nHost: here\n\n");
    assert_eq!(ended.stdout, b"GET /\r\nHost: here\r\n\r\n");
}

fn messages_in_place_of_bytes(kind: Kind) {
    let framed = |rule: &str, input: &[u8]| {
        let ended = run(kind, &["--frame", rule, &echo()], input);
        (ended.code, String::from_utf8(ended.stdout).unwrap(), ended.stderr)
    };
    let two = "message 1: 3 bytes: one\nmessage 2: 3 bytes: two\n".to_string();
    for (rule, input) in [
        ("line", &b"one\ntwo\n"[..]),
        ("length", b"\0\0\0\x03one\0\0\0\x03two"),
        ("fixed:3", b"onetwo"),
    ] {
        let (code, stdout, _) = framed(rule, input);
        assert_eq!((code, &stdout), (Some(0), &two), "{rule}");
    }
    assert_eq!(framed("close", b"onetwo").1, "message 1: 6 bytes: onetwo\n");
    let (code, stdout, stderr) = framed("fixed:3", b"onetw");
    assert_eq!((code, &*stdout), (Some(1), "message 1: 3 bytes: one\n"));
    assert!(stderr.contains("the end came after 2 bytes of a message"), "{stderr}");
    let (code, stdout, stderr) = framed("length", b"\0\0\0\x03one\xff\xff\xff\xff");
    assert_eq!((code, &*stdout), (Some(1), "message 1: 3 bytes: one\n"));
    assert!(stderr.contains("a message of more than 65536 bytes"), "{stderr}");
}

fn listening_for_one(kind: Kind) {
    let mut client = start_client(kind, &["--listen", "127.0.0.1:0"]);
    let mut stdin = client.stdin();
    let lines = lines_of(client.child().stderr.take().unwrap());
    let line = lines.recv_timeout(PATIENCE).unwrap();
    let words: Vec<_> = line.split(' ').collect();
    assert_eq!((words[0], words[1]), ("baresock:", "listening"), "{line}");
    let address: SocketAddr = words[2].parse().unwrap();
    let mut peer = impatient(TcpStream::connect(address).unwrap());
    stdin.write_all(b"welcome").unwrap();
    assert_receives(&peer, b"welcome");
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    peer.write_all(b"bye").unwrap();
    drop(peer);
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"bye"[..]));
}

fn silence_ends_it_if_asked_to(kind: Kind) {
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address, "--idle-timeout", "0.3"]);
    let _stdin = client.stdin();
    let mut server = accept(&listener);
    server.write_all(b"hello").unwrap();
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"hello"[..]));
    assert!(ended.stderr.contains("no more datagrams arrived"), "{ended:?}");
}

/// Left alone, poll's timeout would run on while the client is stopped, and select would wait for the rest.
fn silence_goes_on_while_it_is_stopped(kind: Kind) {
    let limit = Duration::from_secs(3);
    let (listener, address) = listener();
    let mut client = start_client(kind, &[&address, "--idle-timeout", "3"]);
    let _stdin = client.stdin();
    let mut server = accept(&listener);
    server.write_all(b"hello").unwrap();
    client.0.0.stdout.as_mut().unwrap().read_exact(&mut [0; 5]).unwrap();
    // It is to be stopped in its wait, which it begins when that is shown.
    std::thread::sleep(limit / 10);
    let pid = Pid::from_raw(client.0.0.id().cast_signed());
    kill(pid, Signal::SIGSTOP).unwrap();
    std::thread::sleep(limit);
    kill(pid, Signal::SIGCONT).unwrap();
    let began = Instant::now();
    let ended = client.end();
    assert!(began.elapsed() < limit / 2, "after {:?}", began.elapsed());
    assert!(ended.stderr.contains("no more datagrams arrived"), "{ended:?}");
}

/// The time begins when it listens, and ends when a client has connected.
fn if_nobody_comes_it_ends_if_asked_to(kind: Kind) {
    let ended = run(kind, &["--listen", "127.0.0.1:0", "--idle-timeout", "0.3"], b"unheard");
    assert_eq!((ended.code, &*ended.stdout), (Some(1), &b""[..]), "{ended:?}");
    let last = ended.stderr.lines().last().unwrap();
    assert_eq!(last, "baresock: 127.0.0.1:0: no client connected within 0.3 s", "{ended:?}");

    let place = TempDir::new();
    let path = place.file("socket");
    let address = format!("unix:{}", text(&path));
    let mut client = start_client(kind, &["--listen", &address, "--idle-timeout", "0.3"]);
    let _stdin = client.stdin();
    let mut peer = loop {
        match std::os::unix::net::UnixStream::connect(&path) {
            Ok(peer) => break peer,
            Err(_) => std::thread::yield_now(),
        }
    };
    peer.write_all(b"hello").unwrap();
    let ended = client.end();
    assert_eq!((ended.code, &*ended.stdout), (Some(0), &b"hello"[..]), "{ended:?}");
    assert!(
        ended.stderr.contains("no more datagrams arrived: 0 bytes sent, 5 received"),
        "{ended:?}"
    );
}

fn a_single_byte_is_one_byte(kind: Kind) {
    let (listener, address) = listener();
    let client = start_client(kind, &[&address, "--frame", "close"]);
    accept(&listener).write_all(b"x").unwrap();
    let ended = client.end();
    assert_eq!(&*ended.stdout, b"message 1: 1 byte: x\n", "{ended:?}");
    assert!(ended.stderr.contains("0 bytes sent, 1 received"), "{ended:?}");
}

fn other_programs_as_peers(kind: Kind) {
    if !["nc", "socat"].map(has_program).iter().all(|has| *has) {
        return;
    }
    let directory = TempDir::new();
    let path = directory.file("socket");
    let listen = format!("UNIX-LISTEN:{}", text(&path));
    for (program, arguments) in
        [("nc", ["-N", "-lU", text(&path)]), ("socat", ["-t30", "-", &listen])]
    {
        let mut server = Command::new(program);
        server.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = KilledAtEnd(server.spawn().unwrap());
        wait_until("it listens", || path.exists());
        let mut input = server.0.stdin.take().unwrap();
        input.write_all(b"from the server").unwrap();
        let mut output = server.0.stdout.take().unwrap();
        let address = format!("unix:{}", text(&path));
        let ended = std::thread::scope(|scope| {
            let client = scope.spawn(|| {
                // The file is there a moment before the listener is.
                let mut ended = run(kind, &[&address], b"from the client");
                while ended.stderr.contains("ECONNREFUSED") {
                    ended = run(kind, &[&address], b"from the client");
                }
                ended
            });
            let mut received = [0; 15];
            output.read_exact(&mut received).unwrap();
            assert_eq!(&received, b"from the client", "{program}");
            // Only now the server closes its half; the client ends with it, even if it has more to send.
            drop(input);
            client.join().unwrap()
        });
        assert_eq!(
            (ended.code, &*ended.stdout),
            (Some(0), &b"from the server"[..]),
            "{program}: {ended:?}"
        );
        assert_eq!(read_all(output), b"", "{program}");
        wait_for(&mut server.0);
        let _ = std::fs::remove_file(&path);
    }
}

fn the_trace_shows_its_calls(kind: Kind) {
    let ended = run(kind, &["--trace", &echo()], b"hello");
    assert_eq!(ended.stdout, b"hello");
    for call in [
        "connect(",
        "= -1 EINPROGRESS",
        "SO_ERROR, [0]",
        "read(0, \"hello\", 32768) = 5",
        "\"hello\", 5, MSG_NOSIGNAL) = 5",
        "read(0, \"\", 32768) = 0",
        "SHUT_WR) = 0",
        "write(1, \"hello\", 5) = 5",
        kind.via,
    ] {
        assert!(ended.stderr.contains(call), "{call} is not in\n{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("F_SETFL, O_RDONLY"), "{}", ended.stderr);
}

/// The Rust runtime opens `/dev/null` in its place, and the answer would be lost silently.
#[test]
fn a_closed_standard_output_is_said_before_an_answer_is_lost() {
    let (_listener, address) = listener();
    let run = |redirection: &str| {
        let command = format!("exec \"$0\" connect --timeout 5 \"$1\" {redirection} </dev/null");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &command, env!("CARGO_BIN_EXE_baresock"), &address]);
        output_of(&mut shell)
    };
    let closed = run(">&-");
    let said = String::from_utf8(closed.stderr).unwrap();
    assert_eq!(closed.status.code(), Some(1), "{said}");
    assert!(said.starts_with("baresock: standard output is closed"), "{said}");
}
