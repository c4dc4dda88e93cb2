//! Where the servers listen: the line that says so, each kind of address, and what is left afterwards.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::support::*;

tests! {
    both {
        the_line_says_the_port_that_the_system_chose,
        ipv6_is_written_in_brackets,
        a_unix_domain_path,
        a_port_alone_means_this_machine,
    }
    serve {
        several_services_share_one_loop,
        standard_output_has_no_reader,
        a_quiet_server_says_nothing,
    }
}

fn the_line_says_the_port_that_the_system_chose(kind: Kind) {
    let server = start(kind);
    let port = server.address().port();
    assert_ne!(port, 0);
    assert_eq!(server.listening, format!("listening echo 127.0.0.1:{port} (this machine only)"));
    assert_echo(connect(&server), b"hello");
}

fn ipv6_is_written_in_brackets(kind: Kind) {
    if !has_ipv6() {
        return skipped("this machine has no IPv6");
    }
    let server = starting(kind).at("[::1]:0").start();
    let port = server.address().port();
    assert_eq!(server.listening, format!("listening echo [::1]:{port} (this machine only)"));
    assert_echo(connect(&server), b"hello");
}

fn a_unix_domain_path(kind: Kind) {
    let place = TempDir::new();
    let path = place.file("echo.sock");
    let server = starting(kind).at(format!("unix:{}", text(&path))).start();
    assert!(
        server.listening.starts_with(&format!("listening echo unix:{} (", text(&path))),
        "{}",
        server.listening
    );
    let client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_echo(&client, b"hello");
    if !kind.is_bare() {
        assert!(server.end().status.success());
        assert!(!path.exists(), "the server has ended and its file is still there");
    }
}

fn a_port_alone_means_this_machine(kind: Kind) {
    let server = starting(kind).at("0").start();
    assert!(server.address().ip().is_loopback() && server.address().is_ipv4());
    assert_echo(connect(&server), b"hello");
    if kind.is_bare() || !has_ipv6() {
        return;
    }
    let second = address_in(&server.next_line());
    assert!(second.ip().is_loopback() && second.is_ipv6());
    let client = std::net::TcpStream::connect(second).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_echo(&client, b"hello");
}

fn several_services_share_one_loop(kind: Kind) {
    let server = starting(kind).with(&["echo=127.0.0.1:0"]).start();
    let second = address_in(&server.next_line());
    assert_ne!(server.address(), second);
    let to_first = connect(&server);
    let to_second = std::net::TcpStream::connect(second).unwrap();
    to_second.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    for _ in 0..10 {
        assert_echo(&to_first, b"to the first");
        assert_echo(&to_second, b"to the second");
    }
}

/// Nothing but errors, in the bare server as well.
fn a_quiet_server_says_nothing(kind: Kind) {
    use std::process::{Command, Stdio};
    for command in ["serve", "bare"] {
        let place = TempDir::new();
        let path = place.file("echo.sock");
        let at = format!("{}unix:{}", if command == "bare" { "" } else { "echo=" }, text(&path));
        let mut quiet = Command::new(BARESOCK);
        quiet.args([command, &at, "-q", "--via", kind.via]);
        quiet.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = KilledAtEnd(quiet.spawn().unwrap());
        wait_until("it serves", || {
            UnixStream::connect(&path).is_ok_and(|client| {
                client.set_read_timeout(Some(PATIENCE)).unwrap();
                assert_echo(&client, b"hello");
                true
            })
        });
        server.0.kill().unwrap();
        let output = read_all(server.0.stdout.take().unwrap());
        let errors = read_all(server.0.stderr.take().unwrap());
        assert_eq!((output, errors), (Vec::new(), Vec::new()), "{command}");
    }
}

fn standard_output_has_no_reader(kind: Kind) {
    let place = TempDir::new();
    let path = place.file("echo.sock");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(BARESOCK);
    command.args(["serve", &format!("echo=unix:{}", text(&path)), "--via", kind.via]);
    let _server = KilledAtEnd(command.stdout(writer).spawn().unwrap());
    let mut client = None;
    wait_until("it listens", || {
        client = UnixStream::connect(&path).ok();
        client.is_some()
    });
    let client = client.unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_echo(&client, b"hello");
}
