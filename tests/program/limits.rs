//! Many clients, and the limits that they reach: FD_SETSIZE, descriptors, memory, and those that a user sets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::*;
use baresock::sys::FD_SETSIZE;
use nix::sys::signal::Signal;

const MANY: usize = 1_100;

tests! {
    both {
        the_limit_on_descriptors,
        the_limit_of_an_fd_set,
    }
    serve {
        at_most_so_many_clients,
        silence_has_a_limit,
        silence_goes_on_while_the_server_is_stopped,
    }
    tiers {
        the_limit_of_an_fd_set,
        at_most_so_many_clients,
        silence_has_a_limit,
    }
}

/// Under a hard limit of 1,024 select and poll do not differ: both have no descriptor left before FD_SETSIZE matters.
fn the_limit_on_descriptors(kind: Kind) {
    const LIMIT: usize = 1_024;
    if !HAS_PROC {
        return skipped("this system does not show how many descriptors a process has");
    }
    if !can_have_descriptors(3_000) {
        return;
    }
    let server = starting(kind).under(&format!("-n {LIMIT}")).start();
    let free = free_below(LIMIT, server.pid());
    let mut served = connect_many(&server, MANY);
    for client in &mut served {
        client.write_all(b"hello").unwrap();
    }
    let waiting = served.split_off(free);
    for client in &served {
        assert_receives(client, b"hello");
    }
    if !kind.is_bare() {
        server.wait_until_it_says("accept: EMFILE");
    }
    waiting.iter().for_each(assert_nothing_came);
    for client in &served {
        assert_echo(client, b"still served");
    }
    // A server repeats it when accept has failed for the 10th and the 100th time, which a busy machine gives it the time for.
    let said = server.stderr();
    let about = said.lines().filter(|line| line.starts_with("baresock: accept: EMFILE")).count();
    assert_eq!(said.lines().count(), about, "it says: {said}");
    assert!(if kind.is_bare() { about == 0 } else { (1..=3).contains(&about) }, "it says: {said}");

    served.truncate(free - waiting.len());
    for client in &waiting {
        assert_receives(client, b"hello");
    }
}

/// What select has no bit for is refused, cleanly and one by one; poll has no such limit.
fn the_limit_of_an_fd_set(kind: Kind) {
    if !HAS_PROC {
        return skipped("this system does not show how many descriptors a process has");
    }
    let count = MANY.max(FD_SETSIZE + 76);
    if !can_have_descriptors(2 * count as u64 + 800) {
        return;
    }
    // serve raises its limit by itself; bare does nothing of the kind.
    let limit = if kind.is_bare() { format!("-Sn {}", count + 300) } else { "-Sn 1024".into() };
    let server = starting(kind).under(&limit).start();
    let watchable = match kind.via {
        "select" => free_below(FD_SETSIZE, server.pid()),
        _ => count,
    };
    let mut clients = connect_many(&server, count);
    let refused = clients.split_off(watchable);
    // Closed, not reset.
    refused.iter().for_each(assert_finished);
    for client in &clients {
        assert_echo(client, b"hello");
    }
    if kind.is_bare() || refused.is_empty() {
        assert_eq!(server.stderr(), "");
    } else {
        // Told at the first and at the tenth.
        server.wait_until_it_says("(10 times by now)");
        let said = server.stderr();
        assert_eq!(said.lines().count(), 2, "it says: {said}");
        let words = format!("has no bit in an fd_set (FD_SETSIZE is {FD_SETSIZE})");
        let is_right =
            |line: &str| line.contains(&words) && line.contains("--via poll has no such");
        assert!(said.lines().all(is_right), "it says: {said}");
    }

    // A client that leaves makes room, also below FD_SETSIZE.
    let before = descriptors(server.pid());
    clients.drain(..20);
    wait_for_descriptors(&server, before - 20);
    for newcomer in connect_many(&server, 20) {
        assert_echo(newcomer, b"in the place of another");
    }
    for client in &clients {
        assert_echo(client, b"still served");
    }
}

/// At most 512 bytes of memory for each idle connection beyond the first thousand. (Over poll: select cannot watch so
/// many.)
#[test]
fn an_idle_connection_costs_little_memory() {
    let [few, many] = [1_000, 9_000];
    if !HAS_PROC {
        return skipped("this system does not show how much memory a process has");
    }
    if !can_have_descriptors(many as u64 + 500) {
        return;
    }
    for kind in [SERVE_POLL, BARE_POLL] {
        let server = starting(kind).under(&format!("-Sn {}", many + 100)).start();
        let before = descriptors(server.pid());
        let mut clients = connect_many(&server, few);
        wait_for_descriptors(&server, before + few);
        assert_echo(&clients[few - 1], b"hello");
        let of_few = resident_bytes(server.pid());
        clients.extend(connect_many(&server, many - few));
        wait_for_descriptors(&server, before + many);
        assert_echo(&clients[many - 1], b"hello");
        let of_many = resident_bytes(server.pid());
        let each = of_many.saturating_sub(of_few) / (many - few) as u64;
        counted(format_args!("{kind}: {each} bytes for each idle connection"));
        assert!(each <= 512, "{kind}: {each} bytes for each idle connection");
    }
}

fn at_most_so_many_clients(kind: Kind) {
    let server = starting(kind).with(&["--max-clients", "3"]).start();
    let mut served = connect_many(&server, 3);
    served.iter().for_each(|client| assert_echo(client, b"hello"));
    let mut waiting: TcpStream = connect(&server);
    waiting.write_all(b"and me").unwrap();
    // The listener stays ready all the time.
    assert_waiting_costs_nothing(&server);
    served.iter().for_each(|client| assert_echo(client, b"still served"));
    assert_nothing_came(&waiting);
    served.remove(1);
    assert_receives(&waiting, b"and me");
    assert_eq!(server.stderr(), "");
}

fn silence_has_a_limit(kind: Kind) {
    let limit = Duration::from_secs(2);
    let server = starting(kind).with(&["--idle-timeout", "2"]).start();
    let began = Instant::now();
    let [mut silent, talking] = [connect(&server), connect(&server)];
    silent.set_nonblocking(true).unwrap();
    wait_until("the silent one is closed", || {
        assert_echo(&talking, b"I am here");
        matches!(silent.read(&mut [0]), Ok(0))
    });
    assert!(began.elapsed() >= limit, "after {:?}", began.elapsed());
    assert_echo(&talking, b"still here");
    server.wait_until_it_says("idle for too long");
    assert_eq!(server.stderr().lines().count(), 1, "it says: {}", server.stderr());
}

/// Runs baresock as a shell with a thousand files open starts it. None where the system or the shell does not go that far.
fn with_a_thousand_open(arguments: &str) -> Option<std::process::Output> {
    let script = "ulimit -n 4096 || exit 77; for ((n = 3; n < 1040; n++)); do eval \"exec $n</dev/null\"; done; exec \"$0\" \"$@\"";
    let mut command = Command::new("bash");
    command.args(["-c", script, BARESOCK]).args(arguments.split(' '));
    let output = output_of(&mut command);
    (output.status.code() != Some(77)).then_some(output)
}

/// EMFILE would be untrue: the process may have more descriptors, select cannot watch them.
#[test]
fn descriptors_beyond_the_set_by_inheritance_are_named() {
    if !has_program("bash") {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = format!("connect {}", listener.local_addr().unwrap());
    for arguments in ["serve echo=127.0.0.1:0", "bare 127.0.0.1:0", &connect] {
        let Some(output) = with_a_thousand_open(arguments) else {
            return skipped("the hard limit on descriptors is too low");
        };
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}: {said}");
        assert!(said.contains("has no bit in an fd_set (FD_SETSIZE is"), "{arguments}: {said}");
        assert!(said.contains("--via poll"), "{arguments}: {said}");
        assert!(!said.contains("EMFILE"), "{arguments}: {said}");
        assert_eq!(output.stdout, b"", "{arguments}: it does not say that it listens");
    }
}

/// Left alone, poll's timeout would run on while the server is stopped, and select would wait for the rest.
fn silence_goes_on_while_the_server_is_stopped(kind: Kind) {
    let limit = Duration::from_secs(4);
    // One server each, because bytes of another client would end the wait as well.
    let servers = [(); 2].map(|()| starting(kind).with(&["--idle-timeout", "4"]).start());
    let [silent, mut talking] = [connect(&servers[0]), connect(&servers[1])];
    for client in [&silent, &talking] {
        assert_echo(client, b"hello");
    }
    servers.iter().for_each(|server| server.signal(Signal::SIGSTOP));
    talking.write_all(b"in time").unwrap();
    std::thread::sleep(limit);
    servers.iter().for_each(|server| server.signal(Signal::SIGCONT));
    let began = Instant::now();
    assert_finished(&silent);
    assert!(began.elapsed() < limit / 2, "after {:?}", began.elapsed());
    // Bytes that arrived in the meantime count: this client was not silent.
    assert_receives(&talking, b"in time");
    assert_echo(&talking, b"still here");
    servers[0].wait_until_it_says("idle for too long");
    assert_eq!(servers[1].stderr(), "");
}
