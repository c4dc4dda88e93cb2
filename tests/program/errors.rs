//! What goes wrong is told in one line: what was tried, the errno by name, and what to do; then the status is 1.

use std::process::{Command, Output};

use crate::support::*;

tests! {
    both {
        a_host_that_is_unknown,
        a_service_name_that_is_unknown,
        an_address_of_another_machine,
        a_port_that_is_in_use,
        a_port_that_is_reserved,
        a_path_that_is_too_long,
        a_path_in_no_directory,
        a_path_that_is_in_use,
        a_trace_that_cannot_be_written,
    }
    serve {
        a_limit_that_cannot_be_had,
    }
}

/// The arguments for a server at an address.
fn arguments(kind: Kind, address: &str) -> Vec<String> {
    let address = if kind.is_bare() { address.into() } else { format!("echo={address}") };
    [kind.command, &address, "--via", kind.via].map(String::from).to_vec()
}

#[track_caller]
fn assert_fails(kind: Kind, address: &str, parts: &[&str]) {
    let output = output_of(Command::new(BARESOCK).args(arguments(kind, address)));
    assert_says(&output, parts);
}

/// One line, which begins with the program's name and has these parts in this order.
#[track_caller]
fn assert_says(output: &Output, parts: &[&str]) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "it says: {said}");
    assert_eq!(said.lines().count(), 1, "it says: {said}");
    assert_eq!(output.stdout, b"", "it says: {said}");
    let mut rest = said.strip_prefix("baresock: ").expect("its own name first");
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no {part:?} in: {said}"));
        rest = &rest[at + part.len()..];
    }
}

fn a_host_that_is_unknown(kind: Kind) {
    // (Which error it is depends on whether there is a name server.)
    assert_fails(kind, "host.invalid:0", &["getaddrinfo host.invalid: EAI_", " ("]);
}

fn a_service_name_that_is_unknown(kind: Kind) {
    assert_fails(kind, "127.0.0.1:no-such-name", &["no-such-name", "there is no service"]);
}

fn an_address_of_another_machine(kind: Kind) {
    // TEST-NET-1 (RFC 5737): no machine has such an address.
    let parts = ["bind 192.0.2.1:0: EADDRNOTAVAIL (", "): ", "this machine has no such address"];
    assert_fails(kind, "192.0.2.1:0", &parts);
}

fn a_port_that_is_in_use(kind: Kind) {
    let other = start(kind);
    let address = other.address().to_string();
    let parts = [&format!("{address}: EADDRINUSE (")[..], "): ", "another socket has this address"];
    assert_fails(kind, &address, &parts);
    assert_echo(connect(&other), b"undisturbed");
}

fn a_port_that_is_reserved(kind: Kind) {
    let lowest = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if lowest.is_ok_and(|lowest| lowest.trim() != "1024") {
        return skipped("this system reserves other ports than those below 1024");
    }
    let output = match is_root() {
        false => output_of(Command::new(BARESOCK).args(arguments(kind, "127.0.0.1:80"))),
        // Under another name, and from a place where that name may run it.
        true if has_program("setpriv") => {
            let place = TempDir::new();
            let copy = place.file("baresock");
            // By another program: if this one wrote the file, a child that another test is just starting might still
            // hold it open for writing, and then it cannot be run (ETXTBSY).
            assert!(Command::new("cp").args([BARESOCK, text(&copy)]).status().unwrap().success());
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
            output_of(command.arg(&copy).args(arguments(kind, "127.0.0.1:80")))
        }
        true => return,
    };
    let parts =
        ["bind 127.0.0.1:80: EACCES (", "): ports below 1024 are reserved; try a higher port"];
    assert_says(&output, &parts);
}

fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

fn a_path_that_is_too_long(kind: Kind) {
    let path = format!("unix:/tmp/{}", "x".repeat(200));
    assert_fails(kind, &path, &["bind unix:/tmp/xxx", ": ENAMETOOLONG (", "): ", "107 bytes"]);
}

fn a_path_in_no_directory(kind: Kind) {
    let place = TempDir::new();
    let path = format!("unix:{}", text(&place.file("missing/echo.sock")));
    let parts = [&format!("bind {path}: ENOENT (")[..], "): the directory does not exist"];
    assert_fails(kind, &path, &parts);
}

fn a_path_that_is_in_use(kind: Kind) {
    let place = TempDir::new();
    let path = place.file("echo.sock");
    std::fs::write(&path, "not a socket, but a user's file").unwrap();
    let address = format!("unix:{}", text(&path));
    let parts = [&format!("bind {address}: EADDRINUSE (")[..], "): a file of that name exists"];
    assert_fails(kind, &address, &parts);
    assert!(path.exists(), "the file was not its own, and it is gone");
}

fn a_trace_that_cannot_be_written(kind: Kind) {
    let place = TempDir::new();
    let file = place.file("missing/trace");
    let mut arguments = arguments(kind, "127.0.0.1:0");
    arguments.extend(["--trace-to".to_string(), text(&file).to_string()]);
    let output = output_of(Command::new(BARESOCK).args(arguments));
    assert_says(&output, &[&format!("open {}: ENOENT (", text(&file))]);
}

fn a_limit_that_cannot_be_had(kind: Kind) {
    let mut arguments = arguments(kind, "127.0.0.1:0");
    arguments.extend(["--nofile", "18446744073709551615"].map(String::from));
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\"", BARESOCK]);
    let output = output_of(shell.args(&arguments));
    assert_says(&output, &["setrlimit: E", "the hard limit on descriptors is 64"]);
}
