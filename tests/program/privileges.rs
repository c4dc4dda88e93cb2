//! What a server may do and what it leaves behind: root's rights are given up, the file of a Unix-domain socket has the
//! mode that was asked for, is removed at the end, and is replaced only if no server listens on it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use crate::support::*;
use nix::unistd::{Uid, User};

tests! {
    both {
        a_server_that_was_killed_starts_again,
    }
    serve {
        root_is_given_up_after_a_low_port_is_bound,
        who_is_not_root_cannot_become_another,
        a_user_that_cannot_be_is_refused,
        a_file_of_another_users_server_is_removed_at_the_end,
        a_socket_has_the_mode_that_was_asked_for,
        a_socket_that_nobody_listens_on_is_replaced,
        a_socket_that_somebody_listens_on_is_not,
        what_took_its_place_is_not_removed,
        a_file_that_cannot_be_removed_is_named,
    }
}

fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Tests that only root can run are skipped for others. (CI runs as root.)
fn only_root_can() -> bool {
    if !is_root() {
        missing("this test needs root");
    }
    is_root()
}

fn nobody() -> User {
    User::from_name("nobody").unwrap().expect("every system has a user nobody")
}

/// A port below 1024 that is not in use.
fn low_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (600..1024).rev().find(is_free).expect("a free port")
}

fn root_is_given_up_after_a_low_port_is_bound(kind: Kind) {
    if !only_root_can() {
        return;
    }
    let address = format!("127.0.0.1:{}", low_port());
    let server = starting(kind).at(address).with(&["--user", "nobody", "-v"]).start();
    assert_echo(&connect(&server), b"hello");
    server.wait_until_it_says("running as nobody (uid ");
    if HAS_PROC {
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let numbers = |field: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
            line.split_whitespace().map(|number| number.parse().unwrap()).collect()
        };
        let user = nobody();
        assert_eq!(numbers("Uid:"), [user.uid.as_raw(); 4], "real, effective, saved, of files");
        assert_eq!(numbers("Gid:"), [user.gid.as_raw(); 4]);
        assert_eq!(numbers("Groups:"), [user.gid.as_raw()], "root's groups are still there");
    }
    assert_eq!(server.end().status.code(), Some(0));
}

/// The program as the user nobody, in a directory where that user may start it.
fn as_nobody(place: &TempDir, arguments: &[&str]) -> Command {
    let copy = place.file("baresock");
    // By another process: what this one has open for writing, a child that a neighbouring test is starting may hold
    // open for a moment, and then it cannot be run (ETXTBSY).
    assert!(Command::new("cp").args([BARESOCK, text(&copy)]).status().unwrap().success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.arg(&copy).args(arguments);
    command
}

fn who_is_not_root_cannot_become_another(kind: Kind) {
    let arguments = ["serve", "echo=127.0.0.1:0", "--user", "nobody", "--via", kind.via];
    let place = TempDir::new();
    let output = match is_root() {
        false => baresock(&arguments),
        true if has_program("setpriv") => output_of(&mut as_nobody(&place, &arguments)),
        true => return,
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("baresock: --user nobody: "), "{said}");
    assert!(said.contains(": EPERM (") && said.contains("only root can"), "{said}");
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "it served");
}

fn a_user_that_cannot_be_is_refused(kind: Kind) {
    for (name, why) in [
        ("no-such-user", "no-such-user: unknown user"),
        ("root", "root: this is root, which keeps every privilege"),
        ("\u{1b}[2J", r"\u{1b}[2J: unknown user"),
    ] {
        let output = baresock(&["serve", "echo=127.0.0.1:0", "--user", name, "--via", kind.via]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("baresock: --user ") && said.contains(why), "{said}");
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "it served");
    }
}

/// In a directory like /tmp every user may create files, and remove only their own.
fn a_file_of_another_users_server_is_removed_at_the_end(kind: Kind) {
    if !only_root_can() {
        return;
    }
    let place = TempDir::new();
    let path = place.file("echo.sock");
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o1777)).unwrap();
    let address = format!("unix:{}", text(&path));
    let server = starting(kind).at(&address).with(&["--user", "nobody"]).start();
    assert_eq!(fs::metadata(&path).unwrap().uid(), nobody().uid.as_raw());
    assert_eq!(server.end().status.code(), Some(0));
    assert!(!path.exists());
}

fn a_socket_has_the_mode_that_was_asked_for(kind: Kind) {
    for mode in [0o600, 0o666] {
        let place = TempDir::new();
        let path = place.file("echo.sock");
        let address = format!("unix:{}", text(&path));
        let server = starting(kind).at(address).with(&["--mode", &format!("{mode:o}")]).start();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        assert!(echoes(&path));
        drop(server);
    }
    for (mode, service) in [("9", "echo=unix:/nowhere"), ("1777", "echo"), ("-1", "echo")] {
        let output = baresock(&["serve", service, &format!("--mode={mode}"), "--via", kind.via]);
        assert_eq!(output.status.code(), Some(2), "--mode={mode}");
    }
    let output = baresock(&["serve", "echo=127.0.0.1:0", "--mode", "600", "--via", kind.via]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--mode: applies to Unix-domain"));
}

fn echoes(path: &Path) -> bool {
    let Ok(client) = UnixStream::connect(path) else { return false };
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_echo(&client, b"hello");
    true
}

fn a_socket_that_nobody_listens_on_is_replaced(kind: Kind) {
    let place = TempDir::new();
    let path = place.file("echo.sock");
    // std does not remove it either.
    drop(UnixListener::bind(&path).unwrap());
    let server = starting(kind).at(format!("unix:{}", text(&path))).start();
    assert!(echoes(&path));
    server.wait_until_it_says("a leftover socket file, on which no server listens: it is replaced");
    assert_eq!(server.end().status.code(), Some(0));
    assert!(!path.exists(), "the file is left");

    let path = place.file("datagrams.sock");
    drop(UnixDatagram::bind(&path).unwrap());
    let server = starting(kind).serving("echo/udp", "").at(format!("unix:{}", text(&path))).start();
    let client = UnixDatagram::bind(place.file("client.sock")).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(b"hello", &path).unwrap();
    let mut buffer = [0; 10];
    assert_eq!(client.recv(&mut buffer).unwrap(), 5);
    drop(server);
}

fn a_socket_that_somebody_listens_on_is_not(kind: Kind) {
    let place = TempDir::new();
    let path = place.file("echo.sock");
    let address = format!("unix:{}", text(&path));
    let refused = || {
        let output = baresock(&["serve", &format!("echo={address}"), "--via", kind.via]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("bind {address}: EADDRINUSE (")), "{said}");
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "it served");
    };
    let first = starting(kind).at(&address).start();
    refused();
    assert!(echoes(&path), "the first one is out of reach");
    drop(first);
    fs::remove_file(&path).unwrap();

    // Of another type; and one whose queue is full, where a connect that may wait would.
    let datagrams = UnixDatagram::bind(&path).unwrap();
    refused();
    drop(datagrams);
    fs::remove_file(&path).unwrap();
    let full = UnixListener::bind(&path).unwrap();
    baresock::sys::listen(&full, 0).unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    refused();
    assert!(path.exists());
}

fn what_took_its_place_is_not_removed(kind: Kind) {
    let place = TempDir::new();
    let path = place.file("echo.sock");
    let server = starting(kind).at(format!("unix:{}", text(&path))).start();
    fs::rename(&path, place.file("elsewhere.sock")).unwrap();
    let another = UnixListener::bind(&path).unwrap();
    assert_eq!(server.end().status.code(), Some(0));
    assert!(path.exists(), "another server's file is gone");
    drop(another);
}

fn a_server_that_was_killed_starts_again(kind: Kind) {
    let place = TempDir::new();
    let path = place.file("echo.sock");
    let address = format!("unix:{}", text(&path));
    let killed = starting(kind).at(&address).start();
    assert!(echoes(&path));
    drop(killed);
    assert!(path.exists() && !echoes(&path));
    let _server = starting(kind).at(&address).start();
    assert!(echoes(&path));
}

fn a_file_that_cannot_be_removed_is_named(kind: Kind) {
    if !only_root_can() {
        return;
    }
    let place = TempDir::new();
    let path = place.file("echo.sock");
    let address = format!("unix:{}", text(&path));
    let server = starting(kind).at(&address).with(&["--user", "nobody"]).start();
    let ended = server.end();
    let why = format!("baresock: unlink {}: EACCES (", text(&path));
    assert!(
        ended.stderr.starts_with(&why) && ended.stderr.ends_with(": the file stays\n"),
        "{ended:?}"
    );
    assert_eq!(ended.status.code(), Some(0));
}
