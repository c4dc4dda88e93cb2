//! What one client does, or the system lacks, harms no other client: the server continues, reports it once, and does
//! not spin.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use crate::support::*;
use baresock::names::Errno;
use nix::sys::signal::Signal;

tests! {
    both {
        a_client_that_resets_ends_its_own_connection_only,
        no_descriptor_is_left,
        a_stop_and_a_go_on,
    }
    serve {}
    tiers {
        a_client_that_resets_ends_its_own_connection_only,
        no_descriptor_is_left,
        a_stop_and_a_go_on,
    }
}

fn a_client_that_resets_ends_its_own_connection_only(kind: Kind) {
    let server = start(kind);
    let bystander = connect(&server);
    assert_echo(&bystander, b"before");
    let before = if HAS_PROC { descriptors(server.pid()) } else { 0 };

    // In the middle of a message, and with an unread answer to it.
    let mut resetting = connect(&server);
    assert_echo(&resetting, b"before");
    resetting.write_all(&[7; 100_000]).unwrap();
    reset(resetting);
    wait_for_descriptors(&server, before);
    assert_echo(&bystander, b"after");
    assert_echo(connect(&server), b"a new one");
    if !kind.is_bare() {
        server.wait_until_it_says("ECONNRESET");
    }
    let said = server.stderr();
    assert_eq!(said.lines().count(), if kind.is_bare() { 0 } else { 1 }, "it says: {said}");

    come_and_go(&server, 2_000);
    assert_echo(&bystander, b"and later");
    // Served after all of them.
    assert_echo(connect(&server), b"one more");
    wait_for_descriptors(&server, before);
    assert_waiting_costs_nothing(&server);
    assert_echo(&bystander, b"and later still");
    // Each kind of trouble is told at its 1st, 10th, 100th and 1,000th time.
    let said = server.stderr();
    assert!(said.lines().count() <= 4 && !said.contains("panicked"), "it says: {said}");
}

/// Some close at once, some end their half first, some have said something whose answer they do not read.
fn come_and_go(server: &Server, count: usize) {
    for kind in 0..count {
        let mut client = connect(server);
        match kind % 3 {
            0 => {}
            1 => client.shutdown(Shutdown::Write).unwrap(),
            _ => client.write_all(b"and gone").unwrap(),
        }
    }
}

/// The limit's number of clients is accepted, the others wait; a client that leaves makes room for
/// the next.
fn no_descriptor_is_left(kind: Kind) {
    const LIMIT: usize = 32;
    if !HAS_PROC {
        return skipped("this system does not show how many descriptors a process has");
    }
    let server = starting(kind).under(&format!("-n {LIMIT}")).start();
    let free = free_below(LIMIT, server.pid());
    let mut served = connect_many(&server, 100);
    for client in &mut served {
        client.write_all(b"hello").unwrap();
    }
    let mut waiting = served.split_off(free);
    for client in &served {
        assert_receives(client, b"hello");
    }
    if !kind.is_bare() {
        server.wait_until_it_says(&format!("accept: {}", Errno::EMFILE));
    }
    assert_waiting_costs_nothing(&server);
    waiting.iter().for_each(assert_nothing_came);
    let said = server.stderr();
    assert_eq!(said.lines().count(), if kind.is_bare() { 0 } else { 1 }, "it says: {said}");
    for client in &served {
        assert_echo(client, b"still served");
    }

    // In the order in which they came.
    while !waiting.is_empty() {
        let rest = waiting.split_off(free.min(waiting.len()));
        served = std::mem::replace(&mut waiting, rest);
        for client in &served {
            assert_receives(client, b"hello");
        }
    }
}

/// Stopped and continued like any job of a shell, in the midst of its wait.
fn a_stop_and_a_go_on(kind: Kind) {
    let server = start(kind);
    let mut client = connect(&server);
    assert_echo(&client, b"before");
    server.signal(Signal::SIGSTOP);
    if HAS_PROC {
        wait_until("it is stopped", || state(server.pid()) == 'T');
    }
    let newcomer: TcpStream = connect(&server);
    client.write_all(b"meanwhile").unwrap();
    server.signal(Signal::SIGCONT);
    assert_receives(&client, b"meanwhile");
    assert_echo(newcomer, b"a new one");
}
