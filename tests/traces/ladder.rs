//! The ladder of real sessions: a server of the program, and a client of the library, each with its own trace.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::support::*;
use baresock::ladder;
use baresock::os::identity;
use baresock::sys::{
    self, AF_UNIX, Fd, Linger, MSG_NOSIGNAL, MSG_WAITALL, MsgFlags, Protocol, SHUT_WR, SO_LINGER,
    SOCK_STREAM, SOL_SOCKET, accept, bind, connect, listen, recv, send, setsockopt, shutdown,
    socket, socket_state,
};
use baresock::trace::arg::ValueLimits;
use baresock::trace::json::JsonSink;
use baresock::trace::output::{Output, Pace};
use baresock::trace::{Tracer, install};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A session, from which two traces are left.
struct Session {
    place: TempDir,
}

impl Session {
    /// Clients that speak to a server, one after the other, all in one trace.
    fn of(via: &'static str, flags: &[&str], clients: &[fn(&sys::Address)]) -> Self {
        // The clients' sockets are not close-on-exec: a server that another test started now would inherit them, and have
        // other numbers than it has alone.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let place = TempDir::new();
        let server_file = place.file("server.json");
        let flags = [&["--trace=json", "--trace-to", text(&server_file)], flags].concat();
        let server = starting(Kind { via, ..SERVE_SELECT }).with(&flags).start();
        let at = match server.address() {
            std::net::SocketAddr::V4(at) => sys::Address::V4(at),
            std::net::SocketAddr::V6(at) => sys::Address::V6(at),
        };
        let file = File::create(place.file("client.json")).unwrap();
        let output = Output::new(file, "a file", Pace::Collected);
        let sink = JsonSink::new(output, ValueLimits::default());
        let tracer = Tracer::new(sink).with_caller(identity::caller());
        let tracer =
            if flags.contains(&"--state") { tracer.with_probe(socket_state) } else { tracer };
        let traced = install(tracer);
        for client in clients {
            client(&at);
        }
        drop(traced);
        let closed = || read(&server_file).matches("\"call\":\"close\"").count();
        wait_until("the server has closed every connection", || closed() == clients.len());
        server.end();
        Self { place }
    }

    fn files(&self) -> [PathBuf; 2] {
        ["client.json", "server.json"].map(|name| self.place.file(name))
    }

    fn drawn(&self, flags: &[&str]) -> String {
        let [client, server] = self.files();
        drawn(&[&[text(&client), text(&server)], flags].concat())
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// What the program draws.
#[track_caller]
fn drawn(arguments: &[&str]) -> String {
    let run = baresock(&[&["ladder"], arguments].concat());
    assert!(run.status.success() && run.stderr.is_empty(), "{run:?}");
    String::from_utf8(run.stdout).unwrap()
}

fn stream(at: &sys::Address) -> Fd {
    let fd = socket(at.domain(), SOCK_STREAM, Protocol::default()).unwrap();
    connect(&fd, at).unwrap();
    fd
}

/// Everything up to the end.
fn receive_all(fd: &Fd) {
    while recv(fd, &mut [0; 100], MsgFlags::NONE).unwrap() > 0 {}
}

fn half_closes(at: &sys::Address) {
    let fd = stream(at);
    assert_eq!(send(&fd, b"hello\n", MSG_NOSIGNAL), Ok(6));
    shutdown(&fd, SHUT_WR).unwrap();
    receive_all(&fd);
}

fn resets(at: &sys::Address) {
    let fd = stream(at);
    assert_eq!(send(&fd, b"hello\n", MSG_NOSIGNAL), Ok(6));
    assert_eq!(recv(&fd, &mut [0; 6], MSG_WAITALL), Ok(6));
    setsockopt(&fd, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 }).unwrap();
}

/// Sends to an echo and does not wait for the answer, three times.
fn sends_thrice(at: &sys::Address) {
    let fd = stream(at);
    for piece in [&b"one"[..], b"three", b"seventeen"] {
        assert_eq!(send(&fd, piece, MSG_NOSIGNAL), Ok(piece.len()));
    }
    shutdown(&fd, SHUT_WR).unwrap();
    receive_all(&fd);
}

/// What a hostile client might send, and what it does not look like.
const HOSTILE: &[u8] =
    b"</script><script>document.title='taken'</script>\"'&\xe2\x80\xa8<!--data-->";

fn is_hostile(at: &sys::Address) {
    let fd = stream(at);
    assert_eq!(send(&fd, HOSTILE, MSG_NOSIGNAL), Ok(HOSTILE.len()));
    shutdown(&fd, SHUT_WR).unwrap();
    receive_all(&fd);
}

/// A ladder as a reader sees it: what stands left, between, and right.
#[derive(Debug)]
struct Picture {
    rows: Vec<[String; 3]>,
    text: String,
}

impl Picture {
    fn of(text: String) -> Self {
        let part = |line: &str, from: usize, to: usize| -> String {
            let part: String = line.chars().skip(from).take(to - from).collect();
            part.trim_end().to_string()
        };
        let rows = text.lines().map(|line| {
            assert!(line.chars().count() <= 80, "too wide: {line}");
            let gutter: String = line.chars().skip(33).take(14).collect();
            [part(line, 0, 32), format!("{gutter:14}"), part(line, 48, 80)]
        });
        Self { rows: rows.collect(), text }
    }

    /// The row of the first call that begins so, behind this row.
    #[track_caller]
    fn find(&self, side: Side, call: &str, behind: usize) -> usize {
        let column = if side == Side::Client { 0 } else { 2 };
        let rows = self.rows.iter().enumerate().skip(behind);
        let found = rows.into_iter().find(|(_, row)| row[column].starts_with(call));
        found.unwrap_or_else(|| panic!("no {call} of {side:?} in\n{}", self.text)).0
    }

    fn cell(&self, row: usize, column: usize) -> char {
        self.rows[row][1].chars().nth(column).unwrap()
    }

    /// Where the arrow that leaves this row arrives first: down its lane, and out of it.
    #[track_caller]
    fn follow(&self, row: usize) -> usize {
        let corner = self.rows[row][1].chars().position(|c| matches!(c, '┐' | '┌'));
        let lane =
            corner.unwrap_or_else(|| panic!("nothing leaves {:?}\n{}", self.rows[row], self.text));
        let mut at = row + 1;
        while !matches!(self.cell(at, lane), '└' | '┘' | '├' | '┤' | '┴') {
            // A label may hide it, where there is no other place for the label.
            let [before, here, behind] = [lane - 1, lane, lane + 1].map(|lane| self.cell(at, lane));
            let is_label = |c: char| c.is_ascii_alphanumeric() || c == '#';
            let is_hidden = is_label(here) || (here == ' ' && is_label(before) && is_label(behind));
            assert!(here == '│' || is_hidden, "the lane breaks off in row {at}\n{}", self.text);
            at += 1;
        }
        let head = if self.cell(row, lane) == '┐' { '▶' } else { '◀' };
        assert!(self.rows[at][1].contains(head), "row {at} has no head\n{}", self.text);
        at
    }

    /// From one call goes an arrow with this label to another.
    #[track_caller]
    fn assert_crosses(&self, from: (Side, &str), label: &str, to: (Side, &str)) {
        let row = self.find(from.0, from.1, 0);
        assert!(
            self.rows[row][1].contains(label),
            "no {label} at {:?}\n{}",
            self.rows[row],
            self.text
        );
        let arrival = &self.rows[self.follow(row)];
        let column = if to.0 == Side::Client { 0 } else { 2 };
        assert!(
            arrival[column].starts_with(to.1),
            "{from:?} arrives at {arrival:?}\n{}",
            self.text
        );
    }

    /// The calls of a column, in their order.
    fn calls(&self, side: Side) -> Vec<String> {
        let column = if side == Side::Client { 0 } else { 2 };
        let calls = self.rows.iter().skip(1).map(|row| row[column].clone());
        calls.filter(|call| call.contains('(') && !call.starts_with('(')).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

use Side::{Client, Server};

#[track_caller]
fn assert_shows_the_half_close(picture: &Picture) {
    picture.assert_crosses((Client, "connect("), "SYN", (Server, "accept"));
    picture.assert_crosses((Client, "send("), "6 B", (Server, "recv(7, \"hello\\n\") = 6"));
    picture.assert_crosses((Client, "shutdown("), "FIN", (Server, "recv(7, \"\") = 0"));
    picture.assert_crosses((Server, "send("), "6 B", (Client, "recv(5, \"hello\\n\") = 6"));
    picture.assert_crosses((Server, "close(7)"), "FIN", (Client, "recv(5, \"\") = 0"));
    // After both have finished, a close says nothing to the other side.
    let last = picture.find(Client, "close(5)", 0);
    assert!(!picture.rows[last][1].contains(['┐', '▷']), "{}", picture.text);
}

#[track_caller]
fn assert_shows_the_reset(picture: &Picture) {
    picture.assert_crosses((Client, "send("), "6 B", (Server, "recv(7, \"hello\\n\") = 6"));
    picture.assert_crosses((Client, "close(5)"), "RST", (Server, "recv(7) = -1 ECONNRESET"));
    let close = picture.find(Server, "close(7)", 0);
    assert_eq!(
        picture.rows[close][1].trim(),
        "",
        "a close after a reset sends nothing\n{}",
        picture.text
    );
    assert!(!picture.text.contains("FIN"), "{}", picture.text);
}

/// The same numbers in every test: what a session opens, counted from the lowest that is free. Others may have some.
fn renumbered(session: &Session) {
    for (file, call, wanted) in [(0, "connect", 5), (1, "accept4", 7)] {
        let file = &session.files()[file];
        let mut calls: Vec<Value> = json_lines(&read(file));
        let Some(opening) = calls.iter().find(|one| one["call"] == call) else { continue };
        let had =
            if call == "connect" { &opening["arguments"]["sockfd"] } else { &opening["result"] };
        let had = had.as_i64().unwrap();
        for one in &mut calls {
            for name in ["sockfd", "fd"] {
                if one["arguments"][name] == had {
                    one["arguments"][name] = wanted.into();
                }
            }
            let makes = matches!(one["call"].as_str(), Some("socket" | "accept4" | "accept"));
            if makes && one["result"] == had {
                one["result"] = wanted.into();
            }
        }
        write(file, &calls);
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write(file: &Path, calls: &[Value]) {
    let lines: Vec<_> = calls.iter().map(|call| format!("{call}\n")).collect();
    std::fs::write(file, lines.concat()).unwrap();
}

/// A session whose client has a clock of its own, which shows another time and goes faster.
fn with_two_clocks(session: &Session, later_ns: i64) {
    let file = &session.files()[0];
    let mut calls = json_lines(&read(file));
    let first = calls[0]["begin_ns"].as_i64().unwrap();
    for call in &mut calls {
        call["clock"] = "CLOCK_MONOTONIC@elsewhere".into();
        for name in ["begin_ns", "end_ns"] {
            let passed = call[name].as_i64().unwrap() - first;
            call[name] = (first + later_ns + passed * 3 / 2).into();
        }
    }
    write(file, &calls);
}

const ONE_CLOCK: &str = "(one clock: the order is that of time)";
const TWO_CLOCKS: &str = "(two clocks: order across the columns is a guess, but for the arrows)";

#[test]
fn a_half_close_is_shown() {
    for via in BOTH {
        let session = Session::of(via, &[], &[half_closes]);
        renumbered(&session);
        let picture = Picture::of(session.drawn(&[]));
        assert!(picture.text.contains(ONE_CLOCK), "{}", picture.text);
        assert_shows_the_half_close(&picture);
    }
}

#[test]
fn a_reset_is_shown() {
    for via in BOTH {
        let session = Session::of(via, &[], &[resets]);
        renumbered(&session);
        let picture = Picture::of(session.drawn(&[]));
        assert!(picture.text.contains(ONE_CLOCK), "{}", picture.text);
        assert_shows_the_reset(&picture);
    }
}

#[test]
fn with_two_clocks_the_order_is_said_to_be_a_guess_and_holds_to_the_arrows() {
    let sessions = [half_closes, resets].map(|client| Session::of("select", &[], &[client]));
    sessions.iter().for_each(renumbered);
    let before = sessions.each_ref().map(|session| Picture::of(session.drawn(&[])));
    for later_ns in [0, 3_600_000_000_000, -4_000_000, 2_000_000] {
        for session in &sessions {
            with_two_clocks(session, later_ns);
        }
        let after = sessions.each_ref().map(|session| Picture::of(session.drawn(&[])));
        assert_shows_the_half_close(&after[0]);
        assert_shows_the_reset(&after[1]);
        for (before, after) in before.iter().zip(&after) {
            assert!(after.text.contains(TWO_CLOCKS) && !after.text.contains(ONE_CLOCK));
            for side in [Client, Server] {
                assert_eq!(before.calls(side), after.calls(side), "{}", after.text);
            }
        }
    }
}

/// Both ends are the program: its client, which connects without waiting, and its server.
#[test]
fn a_session_of_the_program_with_itself_is_shown() {
    for via in BOTH {
        let place = TempDir::new();
        let files = ["client.json", "server.json"].map(|name| place.file(name));
        let flags = ["--trace=json", "--trace-to", text(&files[1])];
        let server = starting(Kind { via, ..SERVE_SELECT }).with(&flags).start();
        let mut client = Command::new(BARESOCK);
        client.args(["connect", "-q", "--via", via, "--trace=json", "--trace-to", text(&files[0])]);
        client.arg(server.address().to_string());
        client.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut client = KilledAtEnd(client.spawn().unwrap());
        let mut stdin = client.0.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, b"hello\n").unwrap();
        drop(stdin);
        assert!(wait_for(&mut client.0).success());
        wait_until("the server has closed it", || read(&files[1]).contains("\"call\":\"close\""));
        server.end();
        let picture = Picture::of(drawn(&[text(&files[0]), text(&files[1])]));
        assert!(picture.text.contains(ONE_CLOCK), "{}", picture.text);
        picture.assert_crosses((Client, "connect("), "SYN", (Server, "accept"));
        picture.assert_crosses((Client, "send("), "6 B", (Server, "recv("));
        picture.assert_crosses((Client, "shutdown("), "FIN", (Server, "recv("));
        picture.assert_crosses((Server, "send("), "6 B", (Client, "recv("));
        let wait = picture.find(Client, via, 0);
        assert!(picture.find(Client, "read(0", wait) > wait, "{}", picture.text);
    }
}

/// A call of a process at a time.
fn at(pid: u32, clock: &str, seq: u64, begin_ns: u64) -> Value {
    json!({
        "schema": 2, "pid": pid, "tid": pid, "clock": clock, "seq": seq, "begin_ns": begin_ns,
        "end_ns": begin_ns + 1, "call": "dup", "arguments": {"oldfd": seq}, "result": 10 + seq,
        "errno": null,
    })
}

/// The pictures of files with these calls.
#[track_caller]
fn picture(files: &[&[Value]]) -> Picture {
    let place = TempDir::new();
    let paths: Vec<_> = (0..files.len()).map(|number| place.file(&number.to_string())).collect();
    for (path, calls) in paths.iter().zip(files) {
        write(path, calls);
    }
    Picture::of(drawn(&paths.iter().map(|path| text(path)).collect::<Vec<_>>()))
}

#[test]
fn with_one_clock_the_order_is_that_of_time() {
    let one = [at(1, "c", 0, 100), at(1, "c", 1, 300), at(1, "c", 2, 500)];
    let other = [at(2, "c", 0, 200), at(2, "c", 1, 400)];
    let picture = picture(&[&one, &other]);
    let order: Vec<_> = picture.calls(Server).iter().map(|call| call[..6].to_string()).collect();
    assert_eq!(order, ["A dup(", "B dup(", "A dup(", "B dup(", "A dup("], "{}", picture.text);
}

#[test]
fn bytes_are_joined_by_their_place_in_the_stream() {
    let session = Session::of(
        "select",
        &["--inject", "recv:chunk=4", "--inject", "accept4:delay=200ms@1"],
        &[sends_thrice],
    );
    let picture = Picture::of(session.drawn(&[]));
    // 3, 5 and 9 bytes were sent before the server looked; by 4 they were received: 3+1, 4, 4, 4, 1.
    let sends: Vec<_> =
        (0..picture.rows.len()).filter(|row| picture.rows[*row][0].starts_with("send(")).collect();
    assert_eq!(sends.len(), 3, "{}", picture.text);
    for (row, bytes) in sends.iter().zip(["3 B", "5 B", "9 B"]) {
        assert!(picture.rows[*row][1].contains(bytes), "{}", picture.text);
    }
    let arrivals: Vec<_> = sends.iter().map(|row| picture.follow(*row)).collect();
    let first = picture.find(Server, "recv(", 0);
    // The first four bytes are of the first two sends.
    assert_eq!(arrivals[..2], [first, first], "{}", picture.text);
    let third = picture.find(Server, "recv(", picture.find(Server, "recv(", first + 1) + 1);
    assert_eq!(arrivals[2], third, "{}", picture.text);
}

#[test]
fn connections_are_told_apart_by_their_addresses() {
    let session = Session::of("poll", &[], &[half_closes, resets]);
    let picture = Picture::of(session.drawn(&[]));
    for words in ["#1 SYN", "#2 SYN", "#1 FIN", "#2 RST", "#1  127.0.0.1:", "#2  127.0.0.1:"] {
        assert!(picture.text.contains(words), "no {words}\n{}", picture.text);
    }
    assert!(
        !picture.text.contains("#2 FIN") && !picture.text.contains("#1 RST"),
        "{}",
        picture.text
    );
    assert!(!picture.text.contains(['▷', '◁']), "{}", picture.text);
}

#[test]
fn other_addresses_are_another_connection_whatever_the_time() {
    let session = Session::of("select", &[], &[half_closes]);
    let file = &session.files()[0];
    let mut calls = json_lines(&read(file));
    for call in calls.iter_mut().filter(|call| call["connection"].is_object()) {
        call["connection"]["local"] = "127.0.0.1:1".into();
    }
    write(file, &calls);
    let picture = Picture::of(session.drawn(&[]));
    assert!(!picture.text.contains(['┐', '┌']), "{}", picture.text);
    assert!(picture.text.contains("came from a peer without a trace here"), "{}", picture.text);
}

/// Speaks through a copy of its descriptor, after it has closed the first one.
fn speaks_through(copy: fn(&Fd) -> Fd, at: &sys::Address) {
    let first = stream(at);
    let copy = copy(&first);
    drop(first);
    assert_eq!(send(&copy, b"hello\n", MSG_NOSIGNAL), Ok(6));
    shutdown(&copy, SHUT_WR).unwrap();
    receive_all(&copy);
}

fn passed(fd: &Fd) -> Fd {
    let [one, other] = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    sys::sendmsg(&one, None, &[b"x"], &[fd.as_fd()], MsgFlags::NONE).unwrap();
    let mut received = sys::recvmsg(&other, &mut [&mut [0]], 1, MsgFlags::NONE).unwrap();
    received.fds.pop().unwrap()
}

#[test]
fn a_copy_of_a_descriptor_is_no_other_connection() {
    let copies: [fn(&sys::Address); 4] = [
        |at| speaks_through(|fd| sys::dup(fd).unwrap(), at),
        |at| speaks_through(|fd| sys::fcntl_dupfd(fd, 20).unwrap(), at),
        |at| speaks_through(|fd| sys::fcntl_dupfd_cloexec(fd, 20).unwrap(), at),
        |at| speaks_through(passed, at),
    ];
    for copies in copies {
        let picture = Picture::of(Session::of("select", &[], &[copies]).drawn(&[]));
        picture.assert_crosses((Client, "connect("), "SYN", (Server, "accept"));
        picture.assert_crosses((Client, "send("), "6 B", (Server, "recv("));
        picture.assert_crosses((Client, "shutdown("), "FIN", (Server, "recv("));
        picture.assert_crosses((Server, "send("), "6 B", (Client, "recv("));
        picture.assert_crosses((Server, "close("), "FIN", (Client, "recv("));
        let text = &picture.text;
        assert!(!text.contains(['▷', '┄', '#']), "bytes are lost or connections invented\n{text}");
    }
}

/// `dup2` closes a connection and leads its number to another one.
fn moves_by_dup2(at: &sys::Address) {
    let mut first = stream(at);
    assert_eq!(send(&first, b"one", MSG_NOSIGNAL), Ok(3));
    assert_eq!(recv(&first, &mut [0; 3], MSG_WAITALL), Ok(3));
    let second = stream(at);
    sys::dup2(&second, &mut first).unwrap();
    drop(second);
    assert_eq!(send(&first, b"hello\n", MSG_NOSIGNAL), Ok(6));
    shutdown(&first, SHUT_WR).unwrap();
    receive_all(&first);
}

#[test]
fn dup2_ends_the_connection_that_it_closes_and_copies_the_other() {
    // The server closes both connections.
    let picture = Picture::of(Session::of("select", &[], &[moves_by_dup2, |_| {}]).drawn(&[]));
    let text = &picture.text;
    picture.assert_crosses((Client, "dup2("), "#1 FIN", (Server, "recv("));
    picture.assert_crosses((Client, "send("), "#1 3 B", (Server, "recv("));
    // The same number, and another connection.
    let second = picture.find(Client, "send(", picture.find(Client, "dup2(", 0));
    assert!(picture.rows[second][1].contains("#2 6 B"), "{text}");
    assert!(picture.rows[picture.follow(second)][2].starts_with("recv("), "{text}");
    picture.assert_crosses((Client, "shutdown("), "#2 FIN", (Server, "recv("));
    assert!(text.contains("\n#2  127.0.0.1:") && !text.contains("#3"), "{text}");
    // What the server says last on the first one finds nothing that could receive it; all else arrives.
    let open: Vec<_> = picture.rows.iter().filter(|row| row[1].contains('┄')).collect();
    assert!(open.len() == 1 && open[0][1].contains("#1 FIN"), "{open:?}\n{text}");
    assert!(open[0][2].starts_with("close("), "{open:?}\n{text}");
}

#[test]
fn one_side_alone_is_drawn_as_far_as_it_is_known() {
    let session = Session::of("select", &[], &[half_closes]);
    let [client, server] = session.files();
    let alone = Picture::of(drawn(&[text(&server)]));
    assert!(alone.text.starts_with("client (no trace)"), "{}", alone.text);
    assert_eq!(alone.calls(Client), [""; 0]);
    let received = alone.find(Server, "recv(", 0);
    assert!(alone.rows[received][1].contains("6 B┄") && alone.rows[received][1].ends_with('▶'));
    let alone = Picture::of(drawn(&[text(&client)]));
    assert!(alone.text.lines().next().unwrap().ends_with("server (no trace)"), "{}", alone.text);
    assert_eq!(alone.calls(Server), [""; 0]);
    // In one file they are the same as in two, in whichever order.
    let both = session.place.file("both.json");
    std::fs::write(&both, read(&server) + &read(&client)).unwrap();
    assert_eq!(drawn(&[text(&both)]), session.drawn(&[]));
    assert_eq!(drawn(&[text(&server), text(&client)]), session.drawn(&[]));
}

#[test]
fn both_ends_may_be_one_thread_s_and_of_the_unix_domain() {
    let place = TempDir::new();
    let file = place.file("trace.json");
    let output = Output::new(File::create(&file).unwrap(), "a file", Pace::Collected);
    let sink = JsonSink::new(output, ValueLimits::default());
    let traced = install(Tracer::new(sink).with_caller(identity::caller()));
    let at = sys::Address::unix(place.file("socket"));
    let listener = socket(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    bind(&listener, &at).unwrap();
    listen(&listener, 1).unwrap();
    let client = stream(&at);
    let (server, _) = accept(&listener).unwrap();
    send(&client, b"hi", MSG_NOSIGNAL).unwrap();
    recv(&server, &mut [0; 9], MsgFlags::NONE).unwrap();
    drop(client);
    recv(&server, &mut [0; 9], MsgFlags::NONE).unwrap();
    drop(traced);
    let picture = Picture::of(drawn(&[text(&file)]));
    picture.assert_crosses((Client, "connect("), "connect", (Server, "accept("));
    picture.assert_crosses((Client, "send("), "2 B", (Server, "recv("));
    picture.assert_crosses((Client, "close("), "end", (Server, "recv("));
    assert_eq!(picture.calls(Client)[0][..7], *"socket(");
    assert_eq!(picture.calls(Server)[0][..7], *"socket(");
}

#[test]
fn buffers_are_shown_from_traces_with_states() {
    // The server receives two bytes at a time: the rest waits.
    let flags = ["--state", "--inject", "recv:chunk=2"];
    let session = Session::of("select", &flags, &[half_closes]);
    let picture = Picture::of(session.drawn(&[]));
    for words in [", 4 unread", ", 2 unread", "    CLOSE_WAIT", "    was CLOSE_WAIT"] {
        assert!(picture.text.contains(words), "no {words}\n{}", picture.text);
    }
}

#[test]
fn in_ascii_it_is_the_same_picture() {
    let session = Session::of("select", &[], &[half_closes, resets]);
    let (ascii, unicode) = (session.drawn(&["--ascii"]), session.drawn(&[]));
    assert!(ascii.is_ascii());
    assert_eq!(ascii.lines().count(), unicode.lines().count());
    for line in ascii.lines() {
        assert!(line.len() <= 80, "{line}");
    }
    assert!(ascii.contains("#1 FIN-") && ascii.contains("> recv("), "{ascii}");
}

#[test]
fn more_arrows_than_lanes_are_lettered() {
    // Forty pieces are under way before the server looks.
    fn floods(at: &sys::Address) {
        let fd = stream(at);
        for _ in 0..40 {
            assert_eq!(send(&fd, b"x", MSG_NOSIGNAL), Ok(1));
        }
        shutdown(&fd, SHUT_WR).unwrap();
        receive_all(&fd);
    }
    let session = Session::of("select", &["--inject", "accept4:delay=200ms@1"], &[floods]);
    let picture = Picture::of(session.drawn(&[]));
    assert!(picture.text.contains("(a)"), "{}", picture.text);
}

#[test]
fn what_is_no_trace_is_refused_in_one_line() {
    let place = TempDir::new();
    let whole = at(1, "c", 0, 1).to_string();
    let mut other_schema = at(1, "c", 0, 1);
    other_schema["schema"] = 1.into();
    let mut unknown = at(1, "c", 0, 1);
    unknown["call"] = "\u{1b}[2Jfork".into();
    for (name, content, why) in [
        ("empty", String::new(), "empty: there is no call in it"),
        ("blank", "\n\n".into(), "empty: there is no call in it"),
        ("text", "hello, world\n".into(), "no call is in it"),
        ("cut", format!("{whole}\n{}\n{whole}\n", &whole[..whole.len() / 2]), "line 2: not JSON: "),
        ("schema", other_schema.to_string(), "line 1: schema 1, and this baresock reads 2"),
        ("other", "{\"a\": 1}".into(), "line 1: not a call of a JSON trace: it has no schema"),
        ("array", "[]".into(), "no call is in it"),
        ("missing", "{\"schema\": 2}".into(), "line 1: not a call of a JSON trace: missing field"),
        ("unknown", unknown.to_string(), "no function of C: "),
    ] {
        let file = place.file(name);
        std::fs::write(&file, content).unwrap();
        assert_refused(&[text(&file)], why);
        assert_refused(&[text(&file), "--html", text(&place.file("page"))], why);
        assert!(!place.file("page").exists());
    }
    std::fs::write(place.file("bytes"), b"\xff\xfe\n").unwrap();
    assert_refused(&[text(&place.file("bytes"))], "no call is in it");
    assert_refused(&[text(&place.file("nowhere"))], "nowhere: ENOENT (");
    std::fs::write(place.file("good"), whole).unwrap();
    let nowhere = place.file("no/page");
    assert_refused(&[text(&place.file("good")), "--html", text(&nowhere)], "page: ENOENT (");
    assert_eq!(baresock(&["ladder"]).status.code(), Some(2));
}

#[track_caller]
fn assert_refused(arguments: &[&str], why: &str) {
    let run = baresock(&[&["ladder"], arguments].concat());
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.starts_with("baresock: ") && said.contains(why), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.trim_end().contains(char::is_control), "{said:?}");
    assert!(run.stdout.is_empty());
}

/// The traces of one session with much in it, made once.
fn a_session() -> &'static [String; 2] {
    static SESSION: std::sync::OnceLock<[String; 2]> = std::sync::OnceLock::new();
    SESSION.get_or_init(|| {
        let session = Session::of("poll", &["--state"], &[half_closes, resets, is_hostile]);
        session.files().map(|file| read(&file))
    })
}

/// A trace as a student has it at hand: standard error, with what the program said there.
#[test]
fn messages_among_the_calls_and_a_last_line_that_was_cut_off_are_left_out() {
    let [client, server] = a_session();
    let place = TempDir::new();
    let file = place.file("stderr.json");
    let half = &server[..server.len() - 20];
    std::fs::write(&file, format!("baresock: 127.0.0.1:1: connected\n{half}")).unwrap();
    let whole = place.file("client.json");
    std::fs::write(&whole, client).unwrap();
    let output = baresock(&["ladder", text(&file), text(&whole)]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("the last, was cut off") && said.contains("left out: 1"), "{said}");

    // In the middle of a file such a line is an error.
    std::fs::write(&file, format!("{half}\n{server}")).unwrap();
    assert_eq!(baresock(&["ladder", text(&file)]).status.code(), Some(1));
}

/// Windows' editors put a mark before a text, and PowerShell's `>` writes two bytes for each character.
#[test]
fn what_windows_does_to_a_file_is_undone_or_named() {
    let [client, server] = a_session();
    let log = "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\nclose(3) = 0\n";
    let place = TempDir::new();
    let (file, page) = (place.file("trace"), place.file("other"));
    std::fs::write(&page, server).unwrap();
    let run = |command: &str| {
        let output = baresock(&[command, text(&file)]);
        let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), texts)
    };
    for trace in [client, log] {
        for command in ["ladder", "read"] {
            std::fs::write(&file, trace).unwrap();
            let plain = run(command);
            assert_eq!(plain.0, Some(0), "{plain:?}");
            std::fs::write(&file, format!("\u{feff}{trace}")).unwrap();
            assert_eq!(run(command), plain, "{command}");
            let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
                format!("\u{feff}{trace}").encode_utf16().flat_map(order).collect()
            };
            for bytes in [wide(u16::to_le_bytes), wide(u16::to_be_bytes)] {
                std::fs::write(&file, bytes).unwrap();
                let (status, [shown, said]) = run(command);
                assert_eq!((status, &*shown), (Some(1), ""), "{command}");
                assert!(said.contains("UTF-16") && said.contains("save it as UTF-8"), "{said}");
                assert_eq!(said.lines().count(), 1, "{said}");
            }
        }
    }
}

#[test]
fn a_trace_may_come_on_standard_input() {
    let [client, server] = a_session();
    let place = TempDir::new();
    let files = ["client.json", "server.json"].map(|name| place.file(name));
    std::fs::write(&files[0], client).unwrap();
    std::fs::write(&files[1], server).unwrap();
    let from_files = baresock(&["ladder", text(&files[0]), text(&files[1])]);
    let mut command = Command::new(BARESOCK);
    command.args(["ladder", "-", text(&files[1])]).stdin(File::open(&files[0]).unwrap());
    let piped = command.output().unwrap();
    assert_eq!((piped.status.code(), piped.stdout), (Some(0), from_files.stdout));
    let nothing = baresock(&["ladder", "-"]);
    let said = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert_eq!(nothing.status.code(), Some(1), "{said}");
    assert!(said.starts_with("baresock: standard input: empty"), "{said}");
}

#[test]
fn a_file_that_is_given_twice_or_was_shuffled_is_the_same_trace() {
    let [client, server] = a_session();
    let read = |trace: &str| ladder::read_json(trace.as_bytes()).unwrap().calls;
    let drawn = |traces: &[&str]| {
        let ladder = ladder::Ladder::of(traces.iter().map(|trace| read(trace)).collect());
        (ladder::text::draw(&ladder, &ladder::text::ASCII, 80), ladder.repeated())
    };
    let (once, none) = drawn(&[client, server]);
    let (twice, repeated) = drawn(&[client, server, client]);
    assert_eq!((none, repeated), (0, client.lines().count()));
    assert_eq!(once, twice);
    let mut lines: Vec<&str> = server.lines().collect();
    lines.sort_unstable_by_key(|line| line.len());
    let (shuffled, _) = drawn(&[client, &lines.join("\n")]);
    assert_eq!(once, shuffled);
}

#[test]
fn a_call_without_a_lesson_is_told_what_it_is_for_and_whatever_copies_makes_a_copy() {
    let mut fcntl = at(1, "c", 7, 300);
    fcntl["call"] = json!("fcntl");
    fcntl["arguments"] = json!({"fd": 7, "cmd": "F_DUPFD", "arg": 10});
    let place = TempDir::new();
    let file = place.file("trace.json");
    write(&file, &[at(1, "c", 3, 100), fcntl]);
    let trace = ladder::read_json(read(&file).as_bytes()).unwrap();
    let page = ladder::html::page(&ladder::Ladder::of(vec![trace.calls]), "a trace", &[]);
    for part in ["\"dup: a second number for the same open file\"", "copy of 3", "copy of 7"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[test]
fn a_trace_is_not_overwritten_by_its_picture() {
    let [client, _] = a_session();
    let place = TempDir::new();
    let file = place.file("client.json");
    std::fs::write(&file, client).unwrap();
    std::os::unix::fs::symlink(&file, place.file("link.json")).unwrap();
    let link = place.file("link.json");
    for arguments in [["--html", text(&file)], ["--html", text(&link)], ["--trace-to", text(&file)]]
    {
        let output = baresock(&[&["ladder", text(&file)], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(read(&file), *client);
    }
}

/// Reads and draws in every form; returns what was drawn, if it could be read.
fn draws(traces: &[String; 2]) -> Option<[String; 3]> {
    let read: Result<Vec<_>, _> = traces
        .iter()
        .map(|trace| ladder::read_json(trace.as_bytes()).map(|trace| trace.calls))
        .collect();
    let drawn = ladder::Ladder::of(read.ok()?);
    let text = [&ladder::text::UNICODE, &ladder::text::ASCII]
        .map(|pens| ladder::text::draw(&drawn, pens, 80));
    let page = ladder::html::page(&drawn, "baresock ladder", &[]);
    assert_eq!(page.matches("<script").count(), 2);
    assert!(!text.concat().replace('\n', "").contains(char::is_control));
    let [unicode, ascii] = text;
    Some([unicode, ascii, page])
}

/// Values that are where they should not be.
fn strange() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0u64..20).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("\u{1b}[2J</script><script>alert(1)</script>\u{2028}\u{202e}")),
        Just(json!([4, -1, 99999, "x", null])),
        Just(json!({"text": "\u{1b}</script>", "cut": true, "given": 1, "before": {}, "fd": 3})),
        Just(json!("send")),
        Just(json!("ECONNRESET")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_or_truncated_bytes_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let [client, server] = a_session();
        let mut bytes = server.clone().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(end.index(bytes.len()));
        }
        let _ = ladder::read_json(&bytes);
        draws(&[client.clone(), String::from_utf8_lossy(&bytes).into_owned()]);
    }

    #[test]
    fn wrong_values_are_refused_without_harm(
        changes in prop::collection::vec(
            (any::<bool>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), strange()), 1..12),
        moves in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..4),
    ) {
        let mut traces = a_session().each_ref().map(|trace| json_lines(trace));
        for (of_server, line, place, value) in changes {
            let trace = &mut traces[usize::from(of_server)];
            let line = line.index(trace.len());
            let pointers = pointers(&trace[line], "");
            let pointer = &pointers[place.index(pointers.len())];
            *trace[line].pointer_mut(pointer).unwrap() = value;
        }
        for (one, other) in moves {
            let trace = &mut traces[1];
            let (one, other) = (one.index(trace.len()), other.index(trace.len()));
            trace.swap(one, other);
        }
        draws(&traces.map(|calls| calls.iter().map(|call| format!("{call}\n")).collect()));
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(ladder::read_json(&bytes).is_err());
    }
}

/// The places of all values in a value, itself left out.
fn pointers(value: &Value, at: &str) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(values) => {
            values.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    let below = below.into_iter().flat_map(|(name, value)| {
        let here = format!("{at}/{name}");
        let mut all = pointers(value, &here);
        all.push(here);
        all
    });
    below.collect()
}

#[test]
fn the_page_loads_nothing_and_keeps_a_stranger_s_bytes_as_text() {
    let [_, _, page] = draws(a_session()).unwrap();
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;"), "{page}");
    assert!(page.contains("\\u003c/script\\u003e"), "{page}");
    for never in ["http:", "https:", "src=", "href=", "@import", "innerHTML", "\u{2028}"] {
        let hits = page.replace("http-equiv", "");
        // A call leads to its own step.
        let hits = hits.replace("href=\"#step=", "");
        assert!(!hits.contains(never), "{never} in the page");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("prefers-color-scheme: dark"));
}

/// The text of the element of this name; of several paragraphs, a line for each.
#[track_caller]
fn element(browser: &mut Browser, id: &str) -> String {
    let text = "element.children.length ? [...element.children].map(child => child.textContent).join('\\n') : element.textContent";
    browser.text_of(&format!("(element => {text})(document.getElementById('{id}'))"))
}

#[test]
fn a_person_steps_through_the_page() {
    if !has_program("chromium") {
        return;
    }
    let session = Session::of("select", &["--state"], &[half_closes, resets, is_hostile]);
    let [client, server] = session.files().map(|file| json_lines(&read(&file)));
    let first = |calls: &[Value], call: &str| calls.iter().find(|one| one["call"] == call).cloned();
    let ours = first(&client, "connect").unwrap()["arguments"]["sockfd"].as_i64().unwrap();
    let theirs = first(&server, "accept4").unwrap()["result"].as_i64().unwrap();
    let listener = first(&server, "listen").unwrap()["arguments"]["sockfd"].as_i64().unwrap();
    let pipe = first(&server, "pipe").unwrap()["arguments"]["pipefd"][0].as_i64().unwrap();
    let page = session.place.file("page.html");
    assert_eq!(session.drawn(&["--html", text(&page)]), "");
    // A short result is kept in one piece.
    let html = read(&page).replace("<span>", "");
    let rows: Vec<_> =
        html.lines().filter_map(|line| line.strip_prefix("<li class=\"row ")).collect();
    let step = |side: &str, call: &str| {
        let place = rows.iter().position(|row| row.starts_with(side) && row.contains(call));
        format!("#step={}", place.unwrap() + 1)
    };

    // It begins at the first, unless another is given.
    let mut browser = Browser::new(1280);
    browser.open(&page, "");
    assert_eq!(element(&mut browser, "place"), format!("step 1 of {}", rows.len()));

    // A wait: what it asked, what was ready, and who is open.
    let wait = format!("select({}, [{pipe} {listener} {theirs}]", theirs + 1);
    browser.open(&page, &step("right", &wait));
    assert!(element(&mut browser, "call").starts_with(&wait), "{wait}");
    assert!(element(&mut browser, "about").contains("ready"), "{}", element(&mut browser, "about"));
    let drawing = element(&mut browser, "drawing");
    let bits = |of: &[i64]| -> String {
        (0..=theirs).map(|number| if of.contains(&number) { '1' } else { '.' }).collect()
    };
    let (asked, ready) = (bits(&[pipe, listener, theirs]), bits(&[theirs]));
    let sets = format!("readfds    {asked}  asked\n           {ready}  ready");
    assert!(drawing.contains(&sets), "{sets}\n{drawing}");
    let descriptors = element(&mut browser, "descriptors");
    for line in [
        format!("{pipe}  pipe, to read from"),
        format!("{listener}  listens at 127.0.0.1:"),
        format!("{theirs}  connection from 127.0.0.1:"),
    ] {
        assert!(descriptors.contains(&line), "{descriptors}");
    }

    // The client's last receive: the server has closed by then.
    browser.open(&page, &step("left", &format!("recv({ours}, &quot;&quot;) = 0")));
    let (who, about) = (element(&mut browser, "who"), element(&mut browser, "about"));
    assert!(who.starts_with("client, pid "), "{who}");
    assert!(about.contains("0 is the end of file: the peer has finished sending"), "{about}");
    let buffers = element(&mut browser, "buffers");
    assert!(
        buffers.contains("sent and not yet received: 0 to the server, 0 to the client"),
        "{buffers}"
    );
    assert!(buffers.contains("client: ") && buffers.contains("server: closed"), "{buffers}");
    let chosen = "[...document.querySelectorAll('.chosen')].map(one => one.getAttribute('class')).sort().join(', ')";
    assert_eq!(browser.text_of(chosen), "end chosen, row left chosen");

    // What a stranger sent is text, whatever it looks like.
    browser.open(&page, &step("right", &format!("recv({theirs}, &quot;&lt;/script")));
    assert!(element(&mut browser, "call").contains("</script><script>document.title="), "{wait}");
    assert_eq!(browser.text_of("document.title"), "baresock ladder");
    // Two scripts; what the peer sent is in one of them, as JSON.
    assert_eq!(browser.ask("document.scripts.length"), 2);
    assert_eq!(browser.take_complaints(), [""; 0]);
}

#[test]
fn the_arrow_keys_step() {
    if !has_program("chromium") {
        return;
    }
    let session = Session::of("poll", &[], &[resets]);
    let page = session.place.file("page.html");
    session.drawn(&["--html", text(&page)]);
    let steps = read(&page).matches("<li class=\"row ").count();
    let mut browser = Browser::new(375);
    for (keys, step) in [
        (&["ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"][..], 3),
        (&["ArrowUp", "ArrowLeft"], 1),
        (&["End", "ArrowDown"], steps),
        (&["End", "Home", "ArrowDown"], 2),
        // The first Tab leads to the chosen call, Enter on a button presses it.
        (&["Tab", "Tab", "Tab", "Enter"], 2),
    ] {
        browser.open(&page, "");
        keys.iter().for_each(|key| browser.press(key));
        assert_eq!(element(&mut browser, "place"), format!("step {step} of {steps}"), "{keys:?}");
    }
}
