//! The trace of a server that runs: where it goes, what is in it, and what happens when it cannot be written.

use std::fs::File;
use std::io::{PipeReader, Read};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::support::*;
use baresock::sys::{
    AF_UNIX, FIONBIO, FIONREAD, MSG_NOSIGNAL, MsgFlags, Protocol, SOCK_STREAM, ioctl, recv, send,
    socketpair,
};
use baresock::trace::{Event, Function, Sink, Tracer, install};
use nix::pty::openpty;
use serde_json::Value;

tests! {
    both {
        it_goes_to_standard_error,
        it_goes_to_a_file,
        a_full_disk_ends_the_trace_only,
        a_closed_pipe_ends_the_trace_only,
        standard_error_has_no_reader,
        every_line_of_json_is_complete,
        on_a_terminal_half_a_line_shows_where_it_waits,
        on_a_terminal_the_lines_are_those_of_a_file,
        times_and_sets_are_shown_to_those_who_ask,
        each_end_is_named_to_those_who_ask,
        colour_is_for_terminals_and_not_against_anybodys_will,
    }
    serve {}
}

/// The server has something to report for each of these.
#[track_caller]
fn work(server: &Server) {
    for _ in 0..3 {
        let client = connect(server);
        for _ in 0..200 {
            assert_echo(&client, b"hello");
        }
    }
}

/// The lines that an echo leaves, with the descriptor that it had.
#[track_caller]
fn assert_shows_an_echo(trace: &str, kind: Kind) {
    let received = trace.lines().find(|line| line.starts_with("recv(")).expect("a recv");
    let fd = received["recv(".len()..].split(',').next().unwrap();
    assert_eq!(received, format!("recv({fd}, \"hello\", 65536, 0) = 5"));
    for line in [
        format!("send({fd}, \"hello\", 5, MSG_NOSIGNAL) = 5"),
        format!("recv({fd}, \"\", 65536, 0) = 0"),
        format!("close({fd}) = 0"),
    ] {
        assert!(trace.lines().any(|other| other == line), "no {line:?} in:\n{trace}");
    }
    let wait = format!("{}(", kind.via);
    assert!(trace.lines().any(|line| line.starts_with(&wait)), "no {wait} in:\n{trace}");
    let other = if kind.via == "poll" { "select(" } else { "poll(" };
    assert!(!trace.contains(other), "{other} in:\n{trace}");
}

fn it_goes_to_standard_error(kind: Kind) {
    let server = starting(kind).with(&["--trace"]).start();
    assert_echo(connect(&server), b"hello");
    // While it waits, all that has happened can be read.
    server.wait_until_it_says("close(");
    assert_shows_an_echo(&server.stderr(), kind);
}

fn it_goes_to_a_file(kind: Kind) {
    let place = TempDir::new();
    let file = place.file("trace");
    let server = starting(kind).with(&["--trace-to", text(&file)]).start();
    assert_echo(connect(&server), b"hello");
    wait_until("the close is in the file", || read(&file).contains("close("));
    assert_shows_an_echo(&read(&file), kind);
    assert_eq!(server.stderr(), "");
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

fn a_full_disk_ends_the_trace_only(kind: Kind) {
    if !Path::new("/dev/full").exists() {
        return skipped("this system has no /dev/full");
    }
    let server = starting(kind).with(&["--trace-to", "/dev/full"]).start();
    work(&server);
    assert_says_once(&server, "trace to /dev/full: ENOSPC (");
}

/// One line, and no more than that after more work.
#[track_caller]
fn assert_says_once(server: &Server, words: &str) {
    server.wait_until_it_says(words);
    work(server);
    let said = server.stderr();
    assert_eq!(said.lines().count(), 1, "it says: {said}");
    assert!(said.starts_with("baresock: ") && said.contains("the program goes on"), "{said}");
}

fn a_closed_pipe_ends_the_trace_only(kind: Kind) {
    let place = TempDir::new();
    let pipe = place.file("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Opening either end waits for the other.
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut beginning = [0; 4];
            File::open(pipe).unwrap().read_exact(&mut beginning).unwrap();
            beginning
        }
    });
    let server = starting(kind).with(&["--trace-to", text(&pipe)]).start();
    work(&server);
    assert_says_once(&server, &format!("trace to {}: EPIPE (", text(&pipe)));
    assert_ne!(reader.join().unwrap(), [0; 4]);
}

fn standard_error_has_no_reader(kind: Kind) {
    let (reader, writer) = std::io::pipe().unwrap();
    let server = starting(kind).with(&["--trace"]).stderr(writer).start();
    drop::<PipeReader>(reader);
    work(&server);
    work(&server);
}

fn every_line_of_json_is_complete(kind: Kind) {
    let place = TempDir::new();
    let file = place.file("trace.json");
    let arguments = ["--trace=json", "--trace-to", text(&file)];
    let server = starting(kind).with(&arguments).start();
    let client = connect(&server);
    let peer = client.local_addr().unwrap().to_string();
    assert_echo(&client, b"hello");
    assert_echo(&client, b"again!");
    drop(client);
    wait_until("the close is in the file", || read(&file).contains("\"call\":\"close\""));
    let trace = read(&file);
    let calls: Vec<Value> = trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (seq, call) in calls.iter().enumerate() {
        assert_is_complete(call, server.pid(), seq as u64);
    }
    for pair in calls.windows(2) {
        assert!(pair[0]["end_ns"].as_u64() <= pair[1]["begin_ns"].as_u64(), "{pair:?}");
    }
    let local = server.address().to_string();
    let of_connection: Vec<_> =
        calls.iter().filter(|call| call["connection"].is_object()).collect();
    for call in &of_connection {
        assert_eq!(call["connection"]["local"], local, "{call}");
        assert_eq!(call["connection"]["peer"], peer, "{call}");
        assert_eq!(call["connection"]["id"], of_connection[0]["connection"]["id"], "{call}");
    }
    // How many bytes had come and gone before each call.
    let told: Vec<(&str, i64, u64, u64)> = of_connection
        .iter()
        .filter(|call| call["call"] != "fcntl")
        .map(|call| {
            let bytes = |name: &str| call["connection"][name].as_u64().unwrap();
            let (name, result) = (call["call"].as_str().unwrap(), call["result"].as_i64().unwrap());
            (name, result, bytes("bytes_in"), bytes("bytes_out"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("recv", 5, 0, 0),
            ("send", 5, 5, 0),
            ("recv", 6, 5, 5),
            ("send", 6, 11, 5),
            ("recv", 0, 11, 11),
            ("close", 0, 11, 11),
        ]
    );
}

#[track_caller]
fn assert_is_complete(call: &Value, pid: u32, seq: u64) {
    assert_eq!(call["schema"], 2, "{call}");
    assert_eq!(call["pid"], pid, "{call}");
    assert!(call["tid"].is_u64(), "{call}");
    assert_eq!(call["seq"], seq, "{call}");
    assert!(call["clock"].is_string(), "{call}");
    assert!(call["begin_ns"].as_u64().unwrap() <= call["end_ns"].as_u64().unwrap(), "{call}");
    assert!(call["call"].is_string(), "{call}");
    assert!(call["arguments"].is_object(), "{call}");
    let failed = call["result"].as_i64().unwrap() == -1;
    assert_eq!(call["errno"].is_string(), failed, "{call}");
    assert!(failed || call["errno"].is_null(), "{call}");
    assert!(call["mark"].is_null(), "{call}");
}

/// What the program writes to its terminal.
fn terminal() -> (File, Arc<Mutex<String>>) {
    let pty = openpty(None, None).unwrap();
    let shown = Arc::new(Mutex::new(String::new()));
    let mut screen = File::from(pty.master);
    let into = shown.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 1000];
        // On Linux the end is EIO.
        while let Ok(len @ 1..) = screen.read(&mut buffer) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
        }
    });
    (File::from(pty.slave), shown)
}

fn on_a_terminal_half_a_line_shows_where_it_waits(kind: Kind) {
    let (terminal, shown) = terminal();
    let server = starting(kind).with(&["--trace", "--color", "never"]).stderr(terminal).start();
    let shown = || shown.lock().unwrap().replace("\r\n", "\n");
    let is_half = |line: &str| {
        let beginning = format!("{}(", kind.via);
        line.starts_with(&beginning) && !line.contains(" = ")
    };
    // The last line has no end yet, and stops where the call waits.
    wait_until("half a line is shown", || shown().lines().last().is_some_and(is_half));
    let before = shown();
    let half = before.lines().last().unwrap();
    assert!(!before.ends_with('\n'), "{half:?}");

    assert_echo(connect(&server), b"hello");
    wait_until("the other half is shown", || shown().contains("\nclose("));
    let after = shown();
    let whole = after[before.len() - half.len()..].lines().next().unwrap();
    assert!(whole.starts_with(&format!("{half}) = 1 (")), "{half:?} became {whole:?}");
    assert_shows_an_echo(&after, kind);
}

/// What differs from run to run: numbers of ports and descriptors, places in memory.
fn without_numbers(trace: &str) -> String {
    trace.replace(|c: char| c.is_ascii_hexdigit(), "")
}

fn on_a_terminal_the_lines_are_those_of_a_file(kind: Kind) {
    let place = TempDir::new();
    let file = place.file("trace");
    let session = |server: &Server, shown: &dyn Fn() -> String| {
        assert_echo(connect(server), b"hello");
        wait_until("the close is shown", || shown().contains("\nclose("));
        let shown = shown();
        let end = shown.find("\nclose(").unwrap();
        without_numbers(&shown[..end])
    };
    let server = starting(kind).with(&["--trace-to", text(&file)]).start();
    let in_file = session(&server, &|| read(&file));
    drop(server);
    let (terminal, shown) = terminal();
    let server = starting(kind).with(&["--trace", "--color", "never"]).stderr(terminal).start();
    let on_terminal = session(&server, &|| shown.lock().unwrap().replace("\r\n", "\n"));
    assert_eq!(on_terminal, in_file);
}

fn times_and_sets_are_shown_to_those_who_ask(kind: Kind) {
    let place = TempDir::new();
    let file = place.file("trace");
    let asking = ["--trace-time", "--trace-duration", "--bits", "--trace-to", text(&file)];
    let server = starting(kind).with(&asking).start();
    assert_echo(connect(&server), b"hello");
    wait_until("the close is in the file", || read(&file).contains(" close("));
    let trace = read(&file);
    let (calls, drawn): (Vec<&str>, Vec<&str>) =
        trace.lines().partition(|line| !line.starts_with("    "));
    let is_seconds = |text: &str| {
        let (whole, rest) = text.split_once('.').unwrap();
        rest.len() == 6 && (whole.to_string() + rest).bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut before = f64::NAN;
    for call in calls {
        let (time, rest) = call.split_once(' ').unwrap();
        let duration = rest.rsplit_once(" <").unwrap().1.strip_suffix('>').unwrap();
        assert!(is_seconds(time) && is_seconds(duration), "{call}");
        let time = time.parse::<f64>().unwrap();
        assert!(
            before.is_nan() || (before..before + 3600.0).contains(&time),
            "{call} after {before}"
        );
        before = time;
    }
    let parts = if kind.via == "select" { ["asked", "ready"] } else { ["POLLIN", "fd"] };
    for part in parts {
        assert!(drawn.iter().any(|line| line.contains(part)), "{part} is not in {drawn:#?}");
    }
}

/// As strace's -yy would, without its inodes; and a reader of logs takes them for what they are.
fn each_end_is_named_to_those_who_ask(kind: Kind) {
    let place = TempDir::new();
    let files = [place.file("plain"), place.file("named")];
    for (file, flags) in files.iter().zip([&[][..], &["--trace-ends"]]) {
        let arguments = [&["--trace-to", text(file), "--trace-sync"], flags].concat();
        let server = starting(kind).with(&arguments).start();
        let client = connect(&server);
        assert_echo(&client, b"hello");
        let (at, from) = (server.address(), client.local_addr().unwrap());
        drop(client);
        let closes = |trace: &str| trace.lines().filter(|line| line.starts_with("close(")).count();
        wait_until("the connection is closed", || closes(&read(file)) > 0);
        let trace = read(file);
        assert_eq!(trace.contains('<'), !flags.is_empty(), "{trace}");
        if flags.is_empty() {
            continue;
        }
        let accepted = |line: &&str| {
            line.starts_with("accept") && line.contains(&format!("<listener at {at}>, "))
        };
        let end = format!("<server of {from}>");
        assert!(trace.lines().filter(accepted).any(|line| line.ends_with(&end)), "{trace}");
        for call in ["recv", "send", "close"] {
            let is_named = |line: &str| {
                let (name, rest) = line.split_once('(').unwrap_or_default();
                name == call
                    && rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(&end)
            };
            assert!(trace.lines().any(is_named), "{call}: {trace}");
        }
    }
    let reports = files.map(|file| {
        let output = baresock(&["read", "-q", text(&file)]);
        assert!(output.status.success(), "{output:?}");
        let report = String::from_utf8(output.stdout).unwrap();
        // Each session has its own ports.
        report.split(|c: char| c.is_ascii_digit()).collect::<String>()
    });
    assert_eq!(reports[0], reports[1]);
}

fn colour_is_for_terminals_and_not_against_anybodys_will(kind: Kind) {
    for (variable, flag, is_terminal, is_coloured) in [
        ("", "auto", true, true),
        ("1", "auto", true, false),
        ("1", "always", true, true),
        ("", "never", true, false),
        ("", "auto", false, false),
        ("", "always", false, true),
    ] {
        let mut command = Command::new(BARESOCK);
        command
            .args([kind.command, if kind.is_bare() { "127.0.0.1:0" } else { "echo=127.0.0.1:0" }]);
        // Written at once, for the server is killed as soon as it listens.
        command.args(["--via", kind.via, "--trace", "--trace-sync", "--color", flag]);
        command.env("NO_COLOR", variable).env("TERM", "xterm");
        let (terminal, shown) = terminal();
        let (mut reader, writer) = std::io::pipe().unwrap();
        match is_terminal {
            true => command.stderr(terminal),
            false => command.stderr(writer),
        };
        let mut server = KilledAtEnd(command.stdout(std::process::Stdio::piped()).spawn().unwrap());
        lines_of(server.0.stdout.take().unwrap()).recv_timeout(PATIENCE).unwrap();
        drop((server, command));
        let shown = match is_terminal {
            true => {
                let has_listened = || shown.lock().unwrap().contains("listen");
                wait_until("the listen is shown", has_listened);
                shown.lock().unwrap().clone()
            }
            false => {
                let mut all = String::new();
                reader.read_to_string(&mut all).unwrap();
                all
            }
        };
        let case = format!("NO_COLOR={variable} --color {flag}, terminal: {is_terminal}");
        assert_eq!(shown.contains('\u{1b}'), is_coloured, "{case}: {shown}");
    }
}

/// What a trace to a file collects is written before a call that may wait: that is told by what the tracer has learnt.
#[test]
fn a_descriptor_is_taken_for_nonblocking_by_fionbio_and_by_no_other_request() {
    #[derive(Clone, Default)]
    struct Receives(Arc<Mutex<Vec<bool>>>);
    impl Sink for Receives {
        fn begin(&mut self, event: &Event<'_>) {
            if event.function() == Some(Function::RECV) {
                self.0.lock().unwrap().push(false);
            }
        }
        fn wait(&mut self, event: &Event<'_>) {
            if event.function() == Some(Function::RECV) {
                *self.0.lock().unwrap().last_mut().unwrap() = true;
            }
        }
        fn end(&mut self, _: &Event<'_>) {}
    }
    let receives = Receives::default();
    let _traced = install(Tracer::new(receives.clone()));
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    send(&theirs, b"abc", MSG_NOSIGNAL).unwrap();
    let receive = || recv(&ours, &mut [0], MsgFlags::NONE).unwrap();
    receive();
    let mut unread = 0;
    ioctl(&ours, FIONREAD, &mut unread).unwrap();
    assert_eq!(unread, 2, "and not 0, which would mean the same to FIONBIO as before");
    receive();
    ioctl(&ours, FIONBIO, &mut 1).unwrap();
    receive();
    ioctl(&ours, FIONBIO, &mut 0).unwrap();
    send(&theirs, b"d", MSG_NOSIGNAL).unwrap();
    receive();
    assert_eq!(*receives.0.lock().unwrap(), [true, true, false, true]);
}
