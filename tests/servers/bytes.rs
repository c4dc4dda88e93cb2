//! Whatever is sent comes back, byte for byte: much, little by little, slowly, and after a half-close.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use crate::support::*;

tests! {
    both {
        a_hundred_mebibytes_come_back,
        one_byte_at_a_time,
        a_client_that_finishes_first_reads_everything_afterwards,
        a_slow_reader_gets_everything_and_costs_no_memory,
    }
    serve {
        sends_that_are_short,
        receives_of_one_byte,
    }
    tiers {
        a_hundred_mebibytes_come_back,
        one_byte_at_a_time,
        a_client_that_finishes_first_reads_everything_afterwards,
        a_slow_reader_gets_everything_and_costs_no_memory,
        sends_that_are_short,
        receives_of_one_byte,
    }
}

fn a_hundred_mebibytes_come_back(kind: Kind) {
    let server = start(kind);
    let client = connect(&server);
    let message = Message::of(100 << 20);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            message.send(&client, 256 << 10);
            client.shutdown(Shutdown::Write).unwrap();
        });
        message.assert_comes_back(&client, 256 << 10, |_| {});
    });
}

fn one_byte_at_a_time(kind: Kind) {
    let server = start(kind);
    let client = connect(&server);
    client.set_nodelay(true).unwrap();
    let message = Message::of(20_000);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            message.send(&client, 1);
            client.shutdown(Shutdown::Write).unwrap();
        });
        message.assert_comes_back(&client, 1, |_| {});
    });
}

fn a_client_that_finishes_first_reads_everything_afterwards(kind: Kind) {
    let server = start(kind);
    let client = connect(&server);
    // As much as the buffers of both ends hold, on every system.
    let message = Message::of(128 << 10);
    message.send(&client, message_piece());
    client.shutdown(Shutdown::Write).unwrap();
    message.assert_comes_back(&client, 100, |_| {});
}

const fn message_piece() -> usize {
    64 << 10
}

/// Bytes that a client does not read stay in its own buffers in the end: the server stops reading from it.
fn a_slow_reader_gets_everything_and_costs_no_memory(kind: Kind) {
    const PIECE: usize = 4 << 10;
    const SLOW: usize = 1 << 20;
    let server = start(kind);
    assert_echo(connect(&server), b"memory that it needs in any case");
    let memory = || if HAS_PROC { resident_bytes(server.pid()) } else { 0 };
    let before = memory();
    let client = connect_with_little_room(&server);
    let message = Message::of(64 << 20);
    let mut most = before;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            message.send(&client, 64 << 10);
            client.shutdown(Shutdown::Write).unwrap();
        });
        let mut pieces = 0;
        message.assert_comes_back(&client, PIECE, |received| {
            if received <= SLOW {
                // This is the slowness itself, not a wait for an event.
                std::thread::sleep(Duration::from_millis(1));
            }
            pieces += 1;
            if pieces % 64 == 0 {
                most = most.max(memory());
            }
        });
    });
    assert!(most - before < 2 << 20, "its memory grew by {} bytes", most - before);
}

/// The JSON trace of a server in a file, as what its calls returned.
fn calls_in(trace: &std::path::Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(trace).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sends_that_are_short(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace.json");
    let arguments = ["--sndbuf", "4096", "--trace=json", "--trace-to", text(&trace)];
    let server = starting(kind).with(&arguments).start();
    let client = connect_with_little_room(&server);
    let message = Message::of(2 << 20);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            message.send(&client, 64 << 10);
            client.shutdown(Shutdown::Write).unwrap();
        });
        message.assert_comes_back(&client, 64 << 10, |_| {});
    });
    assert!(server.end().status.success());
    let short = calls_in(&trace).iter().filter(|call| is_short_send(call)).count();
    assert!(short > 10, "only {short} sends were short");
}

fn is_short_send(call: &serde_json::Value) -> bool {
    let len = call["arguments"]["len"].as_i64();
    call["call"] == "send" && call["result"].as_i64().unwrap() < len.expect("a send has a length")
}

fn receives_of_one_byte(kind: Kind) {
    let place = TempDir::new();
    let trace = place.file("trace.json");
    let arguments = ["--receive-buffer", "1", "--trace=json", "--trace-to", text(&trace)];
    let server = starting(kind).with(&arguments).start();
    let mut client = connect(&server);
    let message = Message::of(5_000);
    message.send(&client, 5_000);
    client.flush().unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    message.assert_comes_back(&client, 64 << 10, |_| {});
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert!(server.end().status.success());
    let received: Vec<i64> = calls_in(&trace)
        .iter()
        .filter(|call| call["call"] == "recv")
        .map(|call| call["result"].as_i64().unwrap())
        .collect();
    assert_eq!(received.iter().filter(|len| **len == 1).count(), 5_000);
    assert!(received.iter().all(|len| *len <= 1));
}
