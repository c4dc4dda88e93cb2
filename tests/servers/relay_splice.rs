//! The relay whose bytes the kernel moves (`move=splice`): its two sides see what they see without it.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;

use crate::relay::*;
use crate::support::*;
use baresock::os::splicing::HAS_SPLICE;
use socket2::SockRef;

tests! {
    both {}
    serve {
        the_kernel_moves_every_byte,
        short_splices_and_interrupted_calls,
        each_half_closes_by_itself,
        bytes_behind_an_urgent_one_arrive,
        a_reset_reaches_the_other_side,
        a_reset_while_the_pipe_is_full_reaches_the_other_side,
        a_slow_reader_slows_the_sender_down,
        what_comes_before_the_target_answers_is_passed_on,
        what_is_in_the_pipe_is_sent_when_it_ends,
        a_unix_domain_target_works,
        without_descriptors_for_pipes_the_bytes_are_copied,
        the_pipes_are_gone_with_their_connection,
        every_errno_of_splice_ends_one_connection_at_most,
    }
}

const SPLICE: &str = ",move=splice";

/// The two ends of a connection through a relay that splices; `None` where the system cannot.
fn spliced(kind: Kind, arguments: &[&str]) -> Option<Through> {
    can_splice().then(|| through_with(kind, SPLICE, arguments))
}

fn can_splice() -> bool {
    if !HAS_SPLICE {
        skipped("this system has no splice");
    }
    HAS_SPLICE
}

/// What each call of this name returned, by the trace.
fn results(trace: &str, call: &str) -> Vec<String> {
    let begin = format!("{call}(");
    let lines = trace.lines().filter(|line| line.starts_with(&begin));
    lines.filter_map(|line| Some(line.rsplit_once(" = ")?.1.to_string())).collect()
}

fn the_kernel_moves_every_byte(kind: Kind) {
    const LEN: usize = 12 << 20;
    let place = TempDir::new();
    let trace = place.file("trace");
    let arguments = ["--trace-to", text(&trace)];
    let Some(Through { server, client, target }) = spliced(kind, &arguments) else { return };
    assert_both_ways(&client, &target, LEN, 100_000);
    assert_eq!(server.end().stderr, "");
    let trace = std::fs::read_to_string(&trace).unwrap();
    let moved: usize =
        results(&trace, "splice").iter().filter_map(|it| it.parse::<usize>().ok()).sum();
    // Into a pipe, and out of it.
    assert_eq!(moved, 2 * (LEN + LEN + LEN / 3));
    assert_eq!(results(&trace, "send"), [""; 0]);
    let received = results(&trace, "recv");
    let ends = received.iter().filter(|result| *result == "0").count();
    assert_eq!(ends, 2, "{received:?}");
    let others = received.iter().filter(|result| *result != "0" && !result.contains("EAGAIN"));
    assert_eq!(others.count(), 0, "{received:?}");
}

fn short_splices_and_interrupted_calls(kind: Kind) {
    let runs: [(&[&str], usize, usize); 4] = [
        (&["--sndbuf", "4096"], 1 << 20, 64 << 10),
        (
            &["--inject", "splice:EAGAIN%20:seed=2", "--inject", "splice:EINTR%20:seed=3"],
            1 << 20,
            10_000,
        ),
        (&["--receive-buffer", "1"], 20_000, 500),
        (&[], 5_000, 1),
    ];
    for (arguments, len, piece) in runs {
        let Some(Through { server, client, target }) = spliced(kind, arguments) else { return };
        assert_both_ways(&client, &target, len, piece);
        assert_eq!(server.end().status.code(), Some(0));
    }
}

fn each_half_closes_by_itself(kind: Kind) {
    for client_ends_first in [true, false] {
        let Some(Through { server, client, target }) = spliced(kind, &[]) else { return };
        let (mut first, mut second) =
            if client_ends_first { (client, target) } else { (target, client) };
        first.write_all(b"the question").unwrap();
        first.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(&second), b"the question");
        let message = Message::of(1 << 20);
        std::thread::scope(|scope| {
            scope.spawn(|| send_and_finish(&message, &second));
            message.assert_comes_back(&first, 64 << 10, |_| {});
        });
        // Both sides are done: nothing of either is left.
        assert_finished(&mut first);
        assert_finished(&mut second);
        let ended = server.end();
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""));
    }
}

/// `splice` stops at the mark of the urgent byte, and returns what it returns at the end of file.
fn bytes_behind_an_urgent_one_arrive(kind: Kind) {
    let Some(Through { server: _server, client, target }) = spliced(kind, &[]) else { return };
    for (mut from, to) in [(&client, &target), (&target, &client)] {
        from.write_all(b"before").unwrap();
        assert_eq!(SockRef::from(from).send_out_of_band(b"!").unwrap(), 1);
        from.write_all(b"behind").unwrap();
        from.shutdown(Shutdown::Write).unwrap();
        assert!(read_all(to) == b"beforebehind", "something behind the mark is lost");
    }
}

fn a_reset_reaches_the_other_side(kind: Kind) {
    for client_resets in [true, false] {
        let Some(Through { server, client, target }) = spliced(kind, &[]) else { return };
        let (resetting, mut other) =
            if client_resets { (client, target) } else { (target, client) };
        other.write_all(b"so that both sides are known to work").unwrap();
        assert_receives(&resetting, b"so that both sides are known to work");
        reset(resetting);
        let error = other.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "client_resets: {client_resets}");
        server.wait_until_it_says("ECONNRESET");
        let said = server.end().stderr;
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// The receiver has read nothing, so the pipe holds bytes that can no longer be sent.
fn a_reset_while_the_pipe_is_full_reaches_the_other_side(kind: Kind) {
    let Some(Through { server, client, target }) = spliced(kind, &["--sndbuf", "4096"]) else {
        return;
    };
    client.set_nonblocking(true).unwrap();
    fill(&client, server.pid());
    reset(target);
    client.set_nonblocking(false).unwrap();
    let mut client = impatient(client);
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let ended = server.end();
    assert!(
        ended.stderr.contains("ECONNRESET") || ended.stderr.contains("EPIPE"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.status.code(), Some(0));
}

/// Sends until neither the kernel nor the relay takes more.
fn fill(mut from: &TcpStream, relay: u32) {
    wait_until("all buffers are full", || {
        let mut sent = false;
        while from.write(&[7; 100_000]).is_ok() {
            sent = true;
        }
        !sent && (!HAS_PROC || state(relay) == 'S')
    });
}

fn a_slow_reader_slows_the_sender_down(kind: Kind) {
    if can_splice() {
        assert_slow_client_is_waited_for(kind, SPLICE);
        assert_slow_target_is_waited_for(kind, SPLICE);
    }
}

fn what_comes_before_the_target_answers_is_passed_on(kind: Kind) {
    if !can_splice() {
        return;
    }
    let (listener, address, queued) = full();
    let server = relay_to(kind, &format!("{address},timeout=60{SPLICE}"), &[]);
    let client = connect(&server);
    let message = Message::of(4 << 20);
    std::thread::scope(|scope| {
        scope.spawn(|| send_and_finish(&message, &client));
        if HAS_PROC {
            wait_until("the relay waits", || state(server.pid()) == 'S');
        }
        drop(queued);
        let mut target = loop {
            let target = accept(&listener);
            // Those that filled the queue have ended already.
            if target.peek(&mut [0]).unwrap() > 0 {
                break target;
            }
        };
        message.assert_comes_back(&target, 64 << 10, |_| {});
        target.write_all(b"late").unwrap();
    });
    assert_eq!(read_all(&client), b"late");
}

fn what_is_in_the_pipe_is_sent_when_it_ends(kind: Kind) {
    if can_splice() {
        assert_queued_bytes_leave_at_the_end(kind, SPLICE);
    }
}

fn a_unix_domain_target_works(kind: Kind) {
    if !can_splice() {
        return;
    }
    let place = TempDir::new();
    let path = place.file("target");
    let listener = UnixListener::bind(&path).unwrap();
    let server = relay_to(kind, &format!("unix:{}{SPLICE}", text(&path)), &[]);
    let client = connect(&server);
    let (target, _) = listener.accept().unwrap();
    let message = Message::of(4 << 20);
    std::thread::scope(|scope| {
        scope.spawn(|| send_and_finish(&message, &client));
        message.assert_comes_back(&target, 64 << 10, |_| {});
        scope.spawn(|| {
            message.send(&target, 100_000);
            target.shutdown(Shutdown::Write).unwrap();
        });
        message.assert_comes_back(&client, 64 << 10, |_| {});
    });
    drop((client, target));
    assert_eq!(server.end().stderr, "");
}

/// One pipe or none, both mean that there are not the two that are needed.
fn without_descriptors_for_pipes_the_bytes_are_copied(kind: Kind) {
    // The first pipe is the self-pipe.
    for rule in ["pipe:EMFILE@2+", "pipe:EMFILE@3+"] {
        let place = TempDir::new();
        let trace = place.file("trace");
        let arguments = ["--inject", rule, "--trace-to", text(&trace)];
        let Some(Through { server, client, target }) = spliced(kind, &arguments) else { return };
        assert_both_ways(&client, &target, 1 << 20, 100_000);
        let ended = server.end();
        assert!(ended.stderr.contains("pipe: EMFILE"), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("the bytes of this connection are copied"),
            "{}",
            ended.stderr
        );
        assert_eq!((ended.status.code(), ended.stderr.lines().count()), (Some(0), 1));
        assert_eq!(results(&std::fs::read_to_string(&trace).unwrap(), "splice"), [""; 0]);
    }
}

fn the_pipes_are_gone_with_their_connection(kind: Kind) {
    if !HAS_PROC || !can_splice() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("{}{SPLICE}", listener.local_addr().unwrap());
    let server = relay_to(kind, &to, &[]);
    let before = descriptors(server.pid());
    for ends in ["both", "client resets", "target resets", "with bytes in the pipe"] {
        let mut client = connect(&server);
        let target = accept(&listener);
        client.write_all(b"hello").unwrap();
        assert_receives(&target, b"hello");
        // Two sockets, and a pipe for each direction.
        assert_eq!(descriptors(server.pid()), before + 6, "{ends}");
        match ends {
            "both" => drop((client, target)),
            "client resets" => reset(client),
            "target resets" => reset(target),
            _ => {
                client.set_nonblocking(true).unwrap();
                fill(&client, server.pid());
                reset(target);
            }
        }
        wait_for_descriptors(&server, before);
    }
}

/// At each of the first calls, into the pipe and out of it: the connection ends with a message, or neither side notices;
/// the next one is served.
fn every_errno_of_splice_ends_one_connection_at_most(kind: Kind) {
    if !can_splice() {
        return;
    }
    let unnoticed = BTreeSet::from(["EAGAIN", "EINTR"].map(String::from));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("{}{SPLICE}", listener.local_addr().unwrap());
    for errno in DocumentedErrors::read().of("splice") {
        for number in 1..=3 {
            let rule = format!("splice:{errno}@{number}");
            let server = relay_to(kind, &to, &["--inject", &rule]);
            let client = connect(&server);
            let target = accept(&listener);
            let question = vec![b'?'; 1000];
            let arrived = (&client).write_all(&question).is_ok()
                && comes(&target, &question)
                && (&target).write_all(&question).is_ok()
                && comes(&client, &question);
            // EINVAL into the pipe says that this socket cannot be spliced: then the bytes are copied.
            let is_unnoticed = unnoticed.contains(&errno) || errno == "EINVAL" && number != 2;
            assert_eq!(arrived, is_unnoticed, "{rule}");
            drop((client, target));
            let client = connect(&server);
            let target = accept(&listener);
            assert!((&client).write_all(&question).is_ok() && comes(&target, &question), "{rule}");
            let ended = server.end();
            assert_eq!(
                ended.stderr.contains(&format!("splice: {errno}")),
                !is_unnoticed,
                "{rule}: {}",
                ended.stderr
            );
            assert_eq!(ended.status.code(), Some(0), "{rule}");
        }
    }
}

/// Whether these bytes come, and not an end or a reset.
fn comes(mut from: &TcpStream, bytes: &[u8]) -> bool {
    let mut got = vec![0; bytes.len()];
    from.read_exact(&mut got).is_ok() && got == bytes
}
