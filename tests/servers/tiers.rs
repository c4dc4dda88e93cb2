//! `serve --tiers`: waits ask about the busy connections, looks find the others, and silence costs nothing.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::support::*;
use nix::sys::signal::Signal;

const IDLE: usize = 40;
/// After this time a silent connection is cold.
const SOME_PERIODS: Duration = Duration::from_millis(20);

tests! {
    both {}
    serve {}
    tiers {
        waits_ask_about_the_busy_connection_and_looks_about_the_others,
        a_cold_connection_is_answered_while_another_is_busy,
        a_cold_connection_that_is_reset_is_noticed_while_another_is_busy,
        a_cold_connection_whose_client_finishes_first_is_finished_while_another_is_busy,
        what_a_cold_connection_is_owed_is_sent_before_the_server_ends,
        a_newcomer_is_served_while_another_is_busy,
        silence_costs_nothing_and_ends_with_the_first_byte,
        waits_and_looks_may_fail,
    }
}

/// Keeps a connection busy until `meanwhile` has returned.
fn while_busy<T>(server: &Server, meanwhile: impl FnOnce() -> T) -> T {
    let (busy, is_over) = (connect(server), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert_echo(&busy, b"busy");
            }
        });
        // Also if it panics: the other thread would otherwise be waited for.
        let _ended = SetAtEnd(&is_over);
        meanwhile()
    })
}

struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The calls of this name so far.
fn calls(trace: &Path, name: &str) -> Vec<serde_json::Value> {
    let trace = std::fs::read_to_string(trace).unwrap();
    // The last line may still be in the middle of being written.
    let calls = trace.lines().filter_map(|line| serde_json::from_str(line).ok());
    calls.filter(|call: &serde_json::Value| call["call"] == name).collect()
}

fn bytes_received(trace: &Path) -> i64 {
    calls(trace, "recv").iter().map(|call| call["result"].as_i64().unwrap().max(0)).sum()
}

/// How many descriptors each wait so far was asked about.
fn waits(trace: &Path, kind: Kind) -> Vec<usize> {
    let waits = calls(trace, kind.via).into_iter();
    let lists: &[&str] = if kind.via == "poll" { &["fds"] } else { &["readfds", "writefds"] };
    let len = |list: &serde_json::Value| list.as_array().map_or(0, Vec::len);
    waits.map(|call| lists.iter().map(|list| len(&call["arguments"][*list])).sum()).collect()
}

fn traced(kind: Kind, place: &TempDir) -> (Server, PathBuf) {
    let trace = place.file("trace");
    let flags = ["--trace=json", "--trace-sync", "--trace-items=1000", "--trace-to", text(&trace)];
    (starting(kind).with(&flags).start(), trace)
}

fn waits_ask_about_the_busy_connection_and_looks_about_the_others(kind: Kind) {
    let place = TempDir::new();
    let (server, trace) = traced(kind, &place);
    let idle = connect_many(&server, IDLE);
    idle.iter().for_each(|client| assert_echo(client, b"hello"));
    while_busy(&server, || {
        wait_until("it has made many calls", || trace.metadata().unwrap().len() > 4_000_000);
    });
    let waits = waits(&trace, kind);
    let count = |is: &dyn Fn(usize) -> bool| waits.iter().filter(|asked| is(**asked)).count();
    // The self-pipe, the listener and the busy connection; and the looks.
    let (alone, looks) = (count(&|asked| asked == 3), count(&|asked| asked >= IDLE / 2));
    assert!(
        alone > waits.len() / 4 && looks > 1,
        "{alone} alone, {looks} looks, {} waits",
        waits.len()
    );
    drop(idle);
}

fn a_cold_connection_is_answered_while_another_is_busy(kind: Kind) {
    let server = start(kind);
    let idle = connect_many(&server, IDLE);
    while_busy(&server, || {
        for client in idle.iter().rev() {
            assert_echo(client, b"hello");
        }
        // Some milliseconds later all of them are cold again.
        sleep(SOME_PERIODS);
        idle.iter().for_each(|client| assert_echo(client, b"hello again"));
    });
}

fn a_cold_connection_that_is_reset_is_noticed_while_another_is_busy(kind: Kind) {
    let server = start(kind);
    let mut idle = connect_many(&server, IDLE);
    let resetting: TcpStream = idle.swap_remove(7);
    assert_echo(&resetting, b"hello");
    while_busy(&server, || {
        reset(resetting);
        server.wait_until_it_says("ECONNRESET");
    });
    idle.iter().for_each(|client| assert_echo(client, b"still served"));
}

fn a_cold_connection_whose_client_finishes_first_is_finished_while_another_is_busy(kind: Kind) {
    let server = start(kind);
    let idle = connect_many(&server, IDLE);
    idle.iter().for_each(|client| assert_echo(client, b"hello"));
    while_busy(&server, || {
        sleep(SOME_PERIODS);
        for mut client in &idle {
            client.write_all(b"the last").unwrap();
            client.shutdown(Shutdown::Write).unwrap();
        }
        for client in &idle {
            assert_receives(client, b"the last");
            assert_finished(client);
        }
    });
}

/// The client reads nothing until the server has been asked to end, and its connection has long been cold.
fn what_a_cold_connection_is_owed_is_sent_before_the_server_ends(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace");
    let flags = ["--sndbuf=4096", "--drain=60", "--trace=json", "--trace-sync", "--trace-to"];
    let server = starting(kind).with(&flags).with(&[text(&trace)]).start();
    let _idle = connect_many(&server, IDLE);
    let mut slow = connect_with_little_room(&server);
    let message = [7; 50_000];
    // All of it arrives before the server reads any.
    server.signal(Signal::SIGSTOP);
    slow.write_all(&message).unwrap();
    server.signal(Signal::SIGCONT);
    wait_until("everything is received", || bytes_received(&trace) == message.len() as i64);
    while_busy(&server, || {
        let alone =
            || waits(&trace, kind).iter().rev().take(20).filter(|asked| **asked == 3).count();
        wait_until("only the busy connection is hot", || alone() > 5);
    });
    server.signal(Signal::SIGTERM);
    server.wait_until_it_says("clients with unsent data: 1");
    assert_receives(&slow, &message);
    assert_finished(&slow);
    assert_eq!(server.wait().status.code(), Some(0));
}

fn a_newcomer_is_served_while_another_is_busy(kind: Kind) {
    let server = start(kind);
    let _idle = connect_many(&server, IDLE);
    while_busy(&server, || (0..100).for_each(|_| assert_echo(connect(&server), b"hello")));
}

fn silence_costs_nothing_and_ends_with_the_first_byte(kind: Kind) {
    let place = TempDir::new();
    let (server, trace) = traced(kind, &place);
    let idle = connect_many(&server, IDLE);
    idle.iter().for_each(|client| assert_echo(client, b"hello"));
    while_busy(&server, || sleep(SOME_PERIODS));
    assert_waiting_costs_nothing(&server);
    let before = waits(&trace, kind).len();
    sleep(SOME_PERIODS * 10);
    assert_eq!(waits(&trace, kind).len(), before, "no wait has ended meanwhile");
    assert_echo(&idle[3], b"hello again");
}

/// Every fifth wait or look fails.
fn waits_and_looks_may_fail(kind: Kind) {
    for errno in ["EINTR", "ENOMEM"] {
        let rule = format!("{}:{errno}@every:5", kind.via);
        let server = starting(kind).with(&["--inject", &rule]).start();
        let idle = connect_many(&server, IDLE);
        while_busy(&server, || {
            for _ in 0..3 {
                idle.iter().for_each(|client| assert_echo(client, b"hello"));
                sleep(SOME_PERIODS);
            }
        });
    }
}
