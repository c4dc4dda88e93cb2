//! The command line itself: help and version, errors, and a closed standard output.

use std::process::{Command, Stdio};

use crate::support::*;

#[test]
fn it_says_what_it_is() {
    for flag in ["--version", "-V", "--help", "-h", "serve --help", "bare --help"] {
        let output = baresock(&flag.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(0), "{flag}");
        assert_eq!(output.stderr, b"", "{flag}");
        assert!(!output.stdout.is_empty(), "{flag}");
    }
    let version = String::from_utf8(baresock(&["--version"]).stdout).unwrap();
    assert!(
        version.starts_with(concat!("baresock ", env!("CARGO_PKG_VERSION"), "\n")),
        "{version}"
    );
    let set_size = format!("FD_SETSIZE: {}", baresock::sys::FD_SETSIZE);
    assert!(version.lines().any(|line| line == set_size), "{version}");
    assert!(version.contains("target: "), "{version}");
}

/// A name of a file need not be UTF-8.
#[test]
fn an_argument_of_any_bytes_is_refused_in_words() {
    use std::os::unix::ffi::OsStrExt;
    let bytes = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let output = output_of(Command::new(BARESOCK).arg(bytes));
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("baresock: ") && !said.contains("panicked"), "{said}");
}

#[test]
fn what_is_wrong_with_it_is_told_and_the_status_is_2() {
    for (arguments, said) in [
        ("serve echo=127.0.0.1:65536", "port 65536 is out of range"),
        ("serve echo=127.0.0.1:", "a port is missing"),
        ("serve echo=::1:7", "put an IPv6 address in brackets"),
        ("serve echo=unix:", "needs a path"),
        ("connect example.org 80", "with a colon, example.org:80"),
        ("connect 127.0.0.1:7 80", "with a colon, HOST:80"),
        ("serve nonsense", "there is no service 'nonsense'"),
        ("serve nonsense=127.0.0.1:0", "there is no service 'nonsense'"),
        ("serve", "required"),
        ("bare 127.0.0.1:65536", "port 65536 is out of range"),
        ("bare 127.0.0.1:0 --via epoll", "epoll"),
        ("bare 127.0.0.1:0 --trace=xml", "xml"),
        ("serve echo=0 --drain -1", "-1"),
        ("serve echo=0 --drain 1e19", "--drain"),
        ("serve echo=0 --idle-timeout 1e19", "--idle-timeout"),
        ("serve echo=0 --idle-timeout inf", "--idle-timeout"),
        ("serve echo=0 --idle-timeout nan", "--idle-timeout"),
        ("serve echo=0 --receive-buffer 0", "--receive-buffer"),
        ("serve echo=0 --receive-buffer 99999999999999999999", "--receive-buffer"),
        ("explain EAGAIN --trace-to /nonexistent/keep.json", "trace flags cannot be used here"),
        ("lab half-close --html -", "write /dev/stdout for standard output, or ./- for a file"),
        ("lab half-close --pcap -", "/dev/stdout"),
        ("tour --html -", "/dev/stdout"),
        ("ladder - --html -", "/dev/stdout"),
        ("compare --svg -", "/dev/stdout"),
        ("judge echo 7 --junit -", "/dev/stdout"),
        ("bare 0 --trace-to -", "/dev/stdout"),
        ("completions bash --trace", "trace flags cannot be used here"),
        ("serve echo=127.0.0.1:0 --trace-duration", "add --trace or --explain"),
        ("bare 127.0.0.1:0 --trace-bytes 10", "add --trace or --explain"),
        ("serve echo=127.0.0.1:0 --inject send:short=0", "short=0@3"),
        ("host --trace-to /nonexistent/keep.json", "trace flags cannot be used here"),
        ("lab --list --trace", "trace flags cannot be used here"),
        ("lab --why --explain", "trace flags cannot be used here"),
        ("lab --progress --inject recv:EINTR", "trace flags cannot be used here"),
        ("lab select --trace=json", "the calls of one lab; name one lab"),
        ("lab half-close linger-zero --trace-to /nonexistent/keep", "of one lab; name one lab"),
        ("lab half-close linger-zero --explain", "but several labs show no calls; name one lab"),
        (
            "serve echo=0 --inject poll:EINTR",
            "--inject poll:EINTR: poll is never called: the loop waits with select (--via poll does)",
        ),
        (
            "bare 0 --via poll --inject select:EINTR",
            "select is never called: the loop waits with poll (--via select does)",
        ),
        ("connect 7 --inject ppoll:EINTR", "ppoll is never called: the loop waits with select;"),
        ("connect 7007 80", "write host and port with a colon, HOST:80"),
        ("connect 127.0.0.1:7 80", "write host and port with a colon, HOST:80"),
        ("connect http://localhost/x", "this is a URL, not an address: write localhost:80"),
        ("connect http://localhost:8080/x", "this is a URL, not an address: write localhost:8080"),
        ("serve echo=0 --inject recv:EGAIN", "did you mean EAGAIN?"),
        ("serve echo=0 --inject selct:EINTR", "did you mean select?"),
        ("compare --quick --inject recv:EINTR", "trace flags cannot be used here"),
        ("tour --inject recv:EINTR", "--inject"),
        ("serve echo=0 --trace=json --explain", "cannot be used with --trace=json"),
        ("serve echo=0 --trace=json --bits", "cannot be used with --trace=json"),
        ("serve echo=0 --inject recv:chunk=0", "chunk=BYTES"),
        ("serve echo=0 --inject recv:EINTR%101", "ten in a hundred"),
        ("serve echo=0 --max-clients 0", "--max-clients <N>': write a whole number, 1 or more"),
        ("serve echo=0 --max-clients x", "write a whole number, 1 or more"),
        ("serve echo=0 --backlog x", "write a whole number from 0 to 2147483647"),
        ("serve echo=0 --backlog 2147483648", "write a whole number from 0 to 2147483647"),
        ("serve echo=0 --sndbuf 1k", "write a whole number from 0 to 2147483647, of bytes"),
        ("serve echo=0 --nofile x", "write a whole number, 0 or more"),
        ("serve echo=0 --tiers-share 5", "--tiers-share: applies to tiers only: add --tiers"),
        ("serve echo=0 --tiers-wait 5", "--tiers-wait: applies to tiers only: add --tiers"),
        (
            "serve echo=0 --via poll --tiers-from 5",
            "--tiers-from: applies to tiers only: add --tiers",
        ),
        ("serve echo=0 --tiers --tiers-share 0", "write a whole number from 1 to 100"),
        ("serve echo=0 --tiers --tiers-wait 0", "write a whole number from 1 to 3600000"),
        ("serve echo=0 --tiers --tiers-from 0", "write a whole number, 1 or more"),
        ("serve echo=0 --trace-items x", "write a whole number, 0 or more"),
        ("serve echo=0 --trace-bytes 1.5", "write a whole number, 0 or more"),
        ("compare --most 0", "write a whole number, 1 or more"),
        ("connect 7 --timeout 0", "write a number of seconds above 0"),
        ("connect --listen 0 --idle-timeout 0", "write a number of seconds above 0"),
        ("serve echo=0 --idle-timeout 0", "write a number of seconds above 0"),
        ("serve relay=0,to=7,timeout=0", "timeout=0: write a number of seconds above 0"),
        ("serve echo --trace json", "'json'; services: echo"),
        ("serve echo --trace json", "; write --trace=json, with '='; see --help"),
        ("bare --trace text extra", "; write --trace=text, with '='; see --help"),
        ("serve echo=127.0.0.1:0,", "nothing goes behind the comma"),
        ("serve echo=1.2.3.4", "1.2.3.4 is a host: write 1.2.3.4:PORT"),
        ("no-such-command", "no-such-command"),
        ("serve echo=0 --no-such-flag", "--no-such-flag"),
    ] {
        let output = baresock(&arguments.split(' ').collect::<Vec<_>>());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {stderr}");
        assert!(stderr.contains(said), "{arguments}: {stderr}");
        assert!(stderr.starts_with("baresock: ") && stderr.lines().count() == 1, "{stderr}");
        assert_eq!(output.stdout, b"", "{arguments}");
        // The message is that of the standard library's parser.
        for words in ["invalid digit", "would be zero", "out of range integral", "too large to fit"]
        {
            assert!(!stderr.contains(words), "{arguments}: {stderr}");
        }
    }
}

#[test]
fn what_is_written_in_it_reaches_the_terminal_escaped() {
    for arguments in [
        ["serve", "echo=\u{1b}[31mred:0"],
        ["serve", "\u{1b}[31mred"],
        ["bare", "\u{1b}[31mred:0"],
        ["bare", "unix:/nonexistent/\u{1b}[31mred"],
    ] {
        let output = baresock(&arguments);
        assert!(!output.stderr.is_empty());
        assert!(!output.stderr.contains(&0x1b), "{arguments:?}");
    }
}

/// As with `baresock --help | head -0`: the program ends silently.
#[test]
fn standard_output_may_be_closed() {
    for arguments in ["--help", "--version", "serve --help", "completions bash"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(BARESOCK);
        command.args(arguments.split(' ')).stdin(Stdio::null()).stdout(writer);
        let mut child = KilledAtEnd(command.stderr(Stdio::piped()).spawn().unwrap());
        let status = wait_for(&mut child.0);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut said).unwrap();
        assert_eq!((status.code(), &said[..]), (Some(0), ""), "{arguments}");
    }
}

#[test]
fn standard_output_may_be_full() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        return skipped("this system has no /dev/full");
    };
    for arguments in ["--help", "--version", "serve -h", "completions bash"] {
        let mut command = Command::new(BARESOCK);
        command.args(arguments.split(' ')).stdin(Stdio::null()).stdout(full.try_clone().unwrap());
        let output = command.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("baresock: standard output: ENOSPC ("), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// No client could learn the port. (If standard output is closed, its reader has read enough.)
#[test]
fn a_server_that_cannot_say_where_it_listens_does_not_serve() {
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        return skipped("this system has no /dev/full");
    };
    let place = TempDir::new();
    let socket = place.file("socket");
    let at = format!("unix:{}", socket.display());
    for arguments in [
        ["serve", "echo=127.0.0.1:0", "--via", "select"],
        ["serve", &format!("echo={at}"), "--via", "poll"],
        ["bare", "127.0.0.1:0", "--via", "select"],
        ["bare", &at, "--via", "poll"],
    ] {
        let mut command = Command::new(BARESOCK);
        command.args(arguments).stdin(Stdio::null()).stdout(full.try_clone().unwrap());
        let mut child = KilledAtEnd(command.stderr(Stdio::piped()).spawn().unwrap());
        let status = wait_for(&mut child.0);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut said).unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.starts_with("baresock: standard output: ENOSPC ("), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!socket.exists(), "its file is removed");
    }
}

#[test]
fn a_rule_that_has_not_interfered_says_so() {
    let run = |rules: &[&str]| {
        let place = TempDir::new();
        let file = place.file("input");
        std::fs::write(&file, "hello").unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut command = Command::new(BARESOCK);
        command.args(["connect", &address]).args(rules.iter().flat_map(|rule| ["--inject", rule]));
        command.stdin(std::fs::File::open(&file).unwrap()).stdout(Stdio::null());
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        // The peer reads all, and finishes.
        let mut received = Vec::new();
        std::io::Read::read_to_end(&mut listener.accept().unwrap().0, &mut received).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    };
    let said = run(&["recvfrom:EINTR", "send:EAGAIN@99", "recv:chunk=1@2", "send:short=2"]);
    assert!(
        said.contains("--inject recvfrom:EINTR: recvfrom was never called; recv was\n"),
        "{said}"
    );
    assert!(
        said.contains("--inject send:EAGAIN@99: send was called 3 times, never so\n"),
        "{said}"
    );
    assert!(
        said.contains("--inject recv:chunk=1@2: recv was called once, and never so\n"),
        "{said}"
    );
    assert_eq!(said.matches("--inject").count(), 3, "{said}");
}

/// Any process that shares a pipe or a terminal can make it non-blocking: then there may be no room, and the rest has
/// to wait.
#[test]
fn output_that_is_non_blocking_is_written_to_the_end() {
    use std::io::Read;
    let whole = baresock(&["explain", "--list", "--json"]);
    let (stdout, stderr) = (whole.stdout, baresock(&["--trace=json"]).stderr);
    for (arguments, expected) in
        [(&["explain", "--list", "--json"][..], Some(&stdout)), (&["--trace=json"], None)]
    {
        let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let theirs = socket2::Socket::from(std::os::fd::OwnedFd::from(theirs));
        theirs.set_send_buffer_size(4_608).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let theirs = std::os::fd::OwnedFd::from(theirs);
        let mut command = Command::new(BARESOCK);
        command.args(arguments).stdin(Stdio::null());
        match expected {
            Some(_) => command.stdout(theirs).stderr(Stdio::null()),
            None => command.stderr(theirs).stdout(Stdio::null()),
        };
        let mut child = KilledAtEnd(command.spawn().unwrap());
        drop(command);
        wait_until("it waits for room, or has ended", || {
            child.0.try_wait().unwrap().is_some() || HAS_PROC && state(child.0.id()) == 'S'
        });
        let mut read = Vec::new();
        ours.read_to_end(&mut read).unwrap();
        assert!(wait_for(&mut child.0).success(), "{arguments:?}");
        match expected {
            Some(expected) => {
                assert!(&read == expected, "{} bytes of {}", read.len(), expected.len())
            }
            None => {
                let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
                assert_eq!(lines(&read), lines(&stderr), "{}", String::from_utf8_lossy(&read));
            }
        }
    }
}
