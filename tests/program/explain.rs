//! `baresock explain` as its user knows it.

use std::process::{Command, Stdio};

use crate::support::*;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The words that `--list` lists.
fn listed() -> Vec<String> {
    let output = baresock(&["explain", "--list"]);
    assert_eq!(output.status.code(), Some(0));
    let lines = text(&output.stdout);
    let words = lines.lines().filter_map(|line| line.strip_prefix("  "));
    words.map(|line| line.split(' ').next().unwrap().to_string()).collect()
}

#[test]
fn every_listed_word_is_explained() {
    let words = listed();
    assert!(words.len() > 250, "{}", words.len());
    // Some at a time: each page must fit into a pipe that is read when the program has ended.
    for words in words.chunks(25) {
        let mut arguments = vec!["explain"];
        arguments.extend(words.iter().map(String::as_str));
        let output = baresock(&arguments);
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(output.stderr, b"");
        let said = text(&output.stdout);
        for word in words {
            let page = said.lines().filter(|line| {
                *line == word
                    || line.strip_prefix(word.as_str()).is_some_and(|l| l.starts_with(": "))
            });
            assert_eq!(page.count(), 1, "{word} in {said}");
        }
    }
}

#[test]
fn a_word_may_be_written_in_several_ways() {
    for (arguments, begins) in [
        ("EAGAIN", "EAGAIN: "),
        ("so_reuseaddr", "SO_REUSEADDR: "),
        ("accept()", "accept: "),
        ("half close", "shutdown: "),
        ("self connect", "self-connection: "),
        ("half-close", "shutdown: "),
        ("so-reuseaddr", "SO_REUSEADDR: "),
        ("time-wait", "TIME_WAIT: "),
        ("sin_port", "sin_port: "),
        ("refused", "ECONNREFUSED: "),
        ("epoll", "epoll: "),
        ("eof", "recv: "),
        ("HUP", "POLLHUP: "),
    ] {
        let mut all = vec!["explain"];
        all.extend(arguments.split(' '));
        let output = baresock(&all);
        assert_eq!(output.status.code(), Some(0), "{arguments}");
        assert!(output.stdout.starts_with(begins.as_bytes()), "{}", text(&output.stdout));
    }
    let number = baresock::sys::Errno::EPIPE.number().to_string();
    assert!(baresock(&["explain", &number]).stdout.starts_with(b"EPIPE: "));
}

/// As people ask: with the output of a program, or the words of a book.
#[test]
fn it_is_found_as_people_say_it() {
    for (asked, names) in [
        ("bind: Address already in use", &["EADDRINUSE", "bind"][..]),
        ("Connection refused (os error 111)", &["ECONNREFUSED"]),
        ("[Errno 111] Connection refused", &["ECONNREFUSED"]),
        ("errno 111", &["ECONNREFUSED"]),
        ("EAGAIN (Resource temporarily unavailable)", &["EAGAIN"]),
        ("0x6f", &["ECONNREFUSED"]),
        ("0x11", &["POLLIN", "POLLHUP"]),
        ("POLLIN|POLLHUP", &["POLLIN", "POLLHUP"]),
        ("WSAECONNRESET", &["ECONNRESET"]),
        ("10054", &["ECONNRESET"]),
        ("ConnectionResetError", &["ECONNRESET"]),
        ("java.net.SocketException: Broken pipe", &["EPIPE"]),
        ("getaddrinfo: Name or service not known", &["EAI_NONAME", "getaddrinfo"]),
        ("select(2)", &["select"]),
        ("htons(7007)", &["htons"]),
        ("recv(6, \"\", 65536, 0) = 0", &["recv"]),
        (
            "accept(5, 0x7ffc1b2ecfc0, [128]) = -1 EAGAIN (Resource temporarily unavailable)",
            &["EAGAIN", "accept"],
        ),
        ("file descriptor", &["file-descriptor"]),
        ("backpressure", &["backpressure"]),
        ("flow control", &["flow-control"]),
        ("handshake", &["handshake"]),
        ("three-way handshake", &["handshake"]),
        ("ephemeral port", &["ephemeral-port"]),
        ("connection reset", &["ECONNRESET"]),
        ("port in use", &["EADDRINUSE"]),
        ("event loop", &["event-loop"]),
        ("multiplexing", &["multiplexing"]),
        ("level-triggered", &["level-triggered"]),
        ("edge-triggered", &["edge-triggered"]),
        ("graceful shutdown", &["graceful-shutdown"]),
        ("socket buffer", &["socket-buffer"]),
        ("half-open", &["half-open"]),
        ("delayed ack", &["delayed-ack"]),
        ("40ms", &["delayed-ack"]),
        ("thundering herd", &["thundering-herd"]),
        ("deadlock", &["deadlock"]),
        ("tcp keepalive", &["SO_KEEPALIVE"]),
    ] {
        // In one argument, and as words that a shell has taken apart.
        let words: Vec<&str> = asked.split(' ').collect();
        for arguments in [vec![asked], words] {
            let output = baresock(&[&["explain"], &arguments[..]].concat());
            let said = text(&output.stdout);
            assert_eq!(output.status.code(), Some(0), "{asked}: {}", text(&output.stderr));
            let is_title =
                |line: &&str| names.iter().any(|name| line.starts_with(&format!("{name}: ")));
            let titles: Vec<&str> = said.lines().filter(is_title).collect();
            assert_eq!(titles.len(), names.len(), "{asked}: {said}");
            assert!(said.starts_with(&format!("{}: ", names[0])), "{asked}: {said}");
        }
    }
}

#[test]
fn an_errno_without_a_page_is_named_all_the_same() {
    if cfg!(target_os = "linux") {
        // glibc and musl have the same words for it.
        let said = text(&baresock(&["explain", "Block", "device", "required"]).stdout);
        assert!(said.starts_with("ENOTBLK (Block device required): 15 on this system"), "{said}");
        assert!(said.contains("\nerrno: "), "{said}");
    }
}

#[test]
fn what_has_no_page_is_searched_for_in_all_pages() {
    let output = baresock(&["explain", "accept", "queue", "full"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(said.starts_with("No page is about 'accept queue full'."), "{said}");
    assert!(said.lines().skip(1).any(|line| line.starts_with("  accept ")), "{said}");
    let json = baresock(&["explain", "accept queue full", "--json"]);
    for line in text(&json.stdout).lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["name"].is_string() && object["kind"].is_string(), "{object}");
    }
}

#[test]
fn a_slip_is_answered_with_what_was_meant() {
    for (word, said) in [
        ("EGAIN", "did you mean EAGAIN?"),
        ("xyzzy-plugh", "baresock explain --list"),
        ("99999", "baresock explain --list"),
        ("", "baresock explain --list"),
        ("\u{1b}[31m", "baresock explain --list"),
    ] {
        let output = baresock(&["explain", word]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{word}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
        assert!(!stderr.contains('\u{1b}'), "{stderr:?}");
        assert_eq!(output.stdout, b"");
    }
    let mixed = baresock(&["explain", "EGAIN", "EINTR"]);
    assert_eq!(mixed.status.code(), Some(1));
    assert!(mixed.stdout.starts_with(b"EINTR: "), "what is known is explained all the same");
}

#[test]
fn json_is_one_object_a_line() {
    let objects = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let output = baresock(arguments);
        assert_eq!(output.status.code(), Some(0));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let explained = objects(&["explain", "--json", "accept", "EAGAIN"]);
    assert_eq!(explained.len(), 2);
    assert_eq!(explained[0]["name"], "accept");
    assert!(explained[0]["prototype"].as_str().unwrap().starts_with("int accept("));
    assert_eq!(explained[1]["value"], baresock::sys::Errno::EAGAIN.number());
    let all = objects(&["explain", "--list", "--json"]);
    let names: Vec<_> = all.iter().map(|object| object["name"].as_str().unwrap()).collect();
    assert_eq!(names, listed());
}

#[test]
fn what_is_asked_must_be_said() {
    for arguments in [&["explain"][..], &["explain", "--json"], &["explain", "--list", "EAGAIN"]] {
        assert_eq!(baresock(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn colour_is_used_on_terminals_and_on_request() {
    assert!(!baresock(&["explain", "EAGAIN"]).stdout.contains(&0x1b));
    assert!(baresock(&["explain", "EAGAIN", "--color", "always"]).stdout.contains(&0x1b));
}

/// As in `baresock explain --list | head -0`.
#[test]
fn standard_output_may_be_closed() {
    for arguments in
        [&["explain", "--list"][..], &["explain", "--list", "--json"], &["explain", "accept"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run =
            Command::new(BARESOCK).args(arguments).stdin(Stdio::null()).stdout(writer).output();
        let output = run.unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}

/// What connect says of a Unix-domain listener whose queue is full stands where people look for it; and so does what macOS
/// says where its user has not allowed the local network.
#[test]
fn a_full_queue_and_a_forbidden_network_are_explained() {
    for (word, parts) in [
        ("EAGAIN", &["Unix-domain listener whose queue is full", "nothing is in progress"][..]),
        ("connect", &["nothing is in progress", "ECONNREFUSED"]),
        ("backlog", &["those of Unix-domain sockets", "EAGAIN if they are non-blocking"]),
        ("EHOSTUNREACH", &["macOS 15", "Local Network", "documented: Apple's TN3179"]),
    ] {
        let said = text(&baresock(&["explain", word]).stdout);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(said.contains(part), "{word}: {part} is missing in {said}");
        }
    }
}
