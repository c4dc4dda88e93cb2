//! How a server shuts down: after SIGINT or SIGTERM it sends queued bytes first, a second signal ends
//! it at once.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::*;
use baresock::sys::{Handler, SIGHUP, SigAction, sigaction};
use nix::sys::signal::{SigSet, Signal};

tests! {
    both {}
    serve {
        a_signal_ends_it_with_success,
        who_ignores_that_the_terminal_is_closed_goes_on,
        a_signal_ends_it_also_where_its_parent_blocks_all,
        the_socket_of_its_successor_stays,
        what_is_owed_is_sent_first,
        what_a_client_goes_on_sending_takes_nothing_from_it,
        what_the_system_owes_is_not_taken_away,
        what_is_owed_is_sent_for_a_while_only,
        who_only_keeps_a_connection_open_is_not_waited_for,
        a_second_signal_ends_it_at_once,
        a_signal_is_heard_also_where_every_wait_is_interrupted,
    }
    tiers {
        a_signal_ends_it_with_success,
        what_is_owed_is_sent_first,
        what_a_client_goes_on_sending_takes_nothing_from_it,
        what_is_owed_is_sent_for_a_while_only,
        a_second_signal_ends_it_at_once,
        a_signal_is_heard_also_where_every_wait_is_interrupted,
    }
}

fn a_signal_ends_it_with_success(kind: Kind) {
    // The tests may run with SIGHUP ignored (nohup); the server would inherit that.
    let default = SigAction::new(Handler::Default);
    sigaction(SIGHUP, Some(&default), None).unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let server = start(kind);
        let address = server.address();
        let idle = connect_many(&server, 10);
        idle.iter().for_each(|client| assert_echo(client, b"hello"));
        server.signal(signal);
        idle.iter().for_each(assert_finished);
        let ended = server.wait();
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert_eq!(ended.stderr, "");
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
}

/// Started as `nohup` starts it.
fn who_ignores_that_the_terminal_is_closed_goes_on(kind: Kind) {
    let server = starting(kind).under("-Sn 1024 && trap '' HUP").start();
    let client = connect(&server);
    server.signal(Signal::SIGHUP);
    for _ in 0..10 {
        assert_echo(&client, b"hello");
    }
    assert_eq!(server.end().status.code(), Some(0));
}

/// A process inherits the signals that its parent has blocked, as some job schedulers and thread pools do.
fn a_signal_ends_it_also_where_its_parent_blocks_all(kind: Kind) {
    let mask = pthread_sigmask_of(&SigSet::all());
    let server = start(kind);
    let _ = pthread_sigmask_of(&mask);
    let client = connect(&server);
    assert_echo(&client, b"hello");
    server.signal(Signal::SIGTERM);
    assert_finished(&client);
    assert_eq!(server.wait().status.code(), Some(0));
}

/// A server that ends has closed its listener, and then a new server's file may get the same inode (as on ext4).
fn the_socket_of_its_successor_stays(kind: Kind) {
    let directory = TempDir::new();
    let path = directory.file("socket");
    let at = format!("unix:{}", text(&path));
    let besides = ["--sndbuf", "4096", "--drain", "60", "chargen=127.0.0.1:0"];
    let server = starting(kind).at(&at).with(&besides).start();
    // It ends only when this client has read everything, or is gone.
    let client = TcpStream::connect(address_in(&server.next_line())).unwrap();
    let mut some = [0; 1];
    (&client).read_exact(&mut some).unwrap();
    server.signal(Signal::SIGTERM);
    server.wait_until_it_says("clients with unsent data: 1");
    let successor = starting(kind).at(&at).start();
    drop(client);
    assert_eq!(server.wait().status.code(), Some(0));
    assert_echo(UnixStream::connect(&path).unwrap(), b"hello");
    assert_eq!(successor.end().status.code(), Some(0));
    assert!(!path.exists());
}

/// Sets which signals this thread blocks, and returns which it blocked.
fn pthread_sigmask_of(mask: &SigSet) -> SigSet {
    let before = SigSet::thread_get_mask().unwrap();
    mask.thread_set_mask().unwrap();
    before
}

/// A server that has queued bytes for a client, and has read everything from it.
fn owing(kind: Kind, arguments: &[&str], message: &[u8], trace: &Path) -> (Server, TcpStream) {
    let tracing = ["--sndbuf", "4096", "--trace=json", "--trace-to", text(trace)];
    let server = starting(kind).with(&tracing).with(arguments).start();
    let mut client = connect_with_little_room(&server);
    // All requests arrive before the server reads any: it reads once, and then has bytes to send.
    server.signal(Signal::SIGSTOP);
    client.write_all(message).unwrap();
    server.signal(Signal::SIGCONT);
    // The trace is written before the server waits, and what it waits for will not come.
    wait_until("everything is received", || bytes_received(trace) == message.len() as i64);
    if HAS_PROC {
        wait_until("the server waits", || state(server.pid()) == 'S');
    }
    (server, client)
}

fn calls(trace: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(trace).unwrap();
    // The last line may be half written.
    text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
}

fn bytes_received(trace: &Path) -> i64 {
    let calls = calls(trace);
    let received = calls.iter().filter(|call| call["call"] == "recv");
    received.map(|call| call["result"].as_i64().unwrap().max(0)).sum()
}

fn what_is_owed_is_sent_first(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace.json");
    let message = vec![7; 40_000];
    let (server, client) = owing(kind, &[], &message, &trace);
    let address = server.address();
    server.signal(Signal::SIGTERM);
    server.wait_until_it_says("clients with unsent data: 1");
    // No more clients are accepted.
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    assert_receives(&client, &message);
    assert_finished(&client);
    drop(client);
    let ended = server.wait();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    // The signal came while it waited: the wait was interrupted, and made again.
    let interrupted =
        |call: &serde_json::Value| call["call"] == kind.via && call["errno"] == "EINTR";
    assert!(calls(&trace).iter().any(interrupted), "no wait was interrupted");
}

/// Unread bytes turn close into a reset, and a reset would destroy bytes on their way.
fn what_a_client_goes_on_sending_takes_nothing_from_it(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace.json");
    let arguments = ["--sndbuf", "65536", "--trace=json", "--trace-to", text(&trace)];
    let server = starting(kind).with(&arguments).start();
    let mut client = connect_with_little_room(&server);
    // Until no bytes move any more: both directions are full, and the server has queued bytes and unread ones.
    client.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    while client.write(&[7; 65_536]).is_ok() {}

    server.signal(Signal::SIGTERM);
    server.wait_until_it_says("clients with unsent data: 1");
    let mut received = 0;
    let mut buffer = vec![0; 65_536];
    let end = loop {
        match client.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(len) => received += len as i64,
            Err(error) => break Err(error.kind()),
        }
    };
    drop(client);
    assert_eq!(end, Ok(()), "the connection was cut off after {received} bytes");
    assert_eq!(server.wait().status.code(), Some(0));
    assert!(received > 0);
    let sent: i64 = calls(&trace)
        .iter()
        .filter(|call| call["call"] == "send")
        .map(|call| call["result"].as_i64().unwrap().max(0))
        .sum();
    assert_eq!(received, sent, "not everything that was sent has arrived");
}

/// The server itself has queued nothing: `send` took everything. But most of it has not arrived, and unread bytes wait:
/// if the server closed now, its kernel would send a reset and discard the rest.
fn what_the_system_owes_is_not_taken_away(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace.json");
    let tracing = ["--sndbuf", "2000000", "--trace=json", "--trace-to", text(&trace)];
    let server = starting(kind).with(&tracing).start();
    let mut client = connect_with_little_room(&server);
    let message = vec![7; 500_000];
    client.write_all(&message).unwrap();
    wait_until("everything is received", || bytes_received(&trace) == message.len() as i64);
    server.signal(Signal::SIGSTOP);
    wait_until("it has stopped", || !HAS_PROC || state(server.pid()) == 'T');
    client.write_all(b"one more thing").unwrap();
    server.signal(Signal::SIGTERM);
    server.signal(Signal::SIGCONT);
    assert_receives(&client, &message);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("no reset");
    drop(client);
    assert_eq!(server.wait().status.code(), Some(0));
}

/// The server does not wait for an idle connection, with its two seconds.
fn who_only_keeps_a_connection_open_is_not_waited_for(kind: Kind) {
    let server = starting(kind).with(&["--drain", "3600"]).start();
    let client = connect(&server);
    for message in [&b"hello"[..], &[7; 100_000]] {
        assert_echo(&client, message);
    }
    server.signal(Signal::SIGTERM);
    assert_finished(&client);
    let ended = server.wait_without_sleeping_for(Duration::from_secs(1));
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), String::new()));
}

fn what_is_owed_is_sent_for_a_while_only(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace.json");
    let (server, _client) = owing(kind, &["--drain", "0.5"], &[7; 40_000], &trace);
    let began = Instant::now();
    server.signal(Signal::SIGTERM);
    let ended = server.wait_without_sleeping_for(Duration::from_secs(5));
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(began.elapsed() >= Duration::from_millis(500), "after {:?}", began.elapsed());
}

fn a_second_signal_ends_it_at_once(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace.json");
    let (server, _client) = owing(kind, &["--drain", "3600"], &[7; 40_000], &trace);
    server.signal(Signal::SIGTERM);
    server.wait_until_it_says("a second signal ends at once");
    server.signal(Signal::SIGINT);
    let ended = server.wait();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}

/// Signals as from a timer: the pipe never becomes readable, because no wait succeeds.
fn a_signal_is_heard_also_where_every_wait_is_interrupted(kind: Kind) {
    let rule = format!("{}:EINTR", kind.via);
    let server = starting(kind).with(&["--inject", &rule]).start();
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().status.code(), Some(0));
}
