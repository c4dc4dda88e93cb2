//! What the README shows is what happens: its example of the library, and every command of its consoles.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use baresock::sys::*;

const README: &str = include_str!("../README.md");
const THIS_FILE: &str = include_str!("readme.rs");
const PROGRAM: &str = env!("CARGO_BIN_EXE_baresock");

// The example begins.
fn example() -> Result<()> {
    let [one, other] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&one, b"hello", MSG_NOSIGNAL)?;

    let mut readable = FdSet::new();
    readable.set(&other).expect("a small number");
    let ready = select(readable.nfds(), Some(&mut readable), None, None, None)?;
    assert_eq!((ready, readable.isset(&other)), (1, true));

    let mut buf = [0; 64];
    let received = recv(&other, &mut buf, MsgFlags::NONE)?;
    assert_eq!(&buf[..received], b"hello");
    Ok(())
}
// The example ends.

#[test]
fn the_example_of_the_library_runs() {
    example().unwrap();
    let after = THIS_FILE.split("// The example begins.\n").nth(1).unwrap();
    let example = after.split("// The example ends.").next().unwrap();
    let as_main = example.replace("fn example()", "fn main()");
    assert!(README.contains(as_main.trim_end()), "the README has another example than this test");
}

/// A server that ends with its console.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_console_shows_what_happens() {
    let consoles: Vec<&str> = README.split("```console\n").skip(1).collect();
    assert!(consoles.len() >= 4, "{} consoles", consoles.len());
    for console in consoles {
        play(console.split("```").next().unwrap());
    }
}

/// Runs the commands of a console and compares what they print. Its ports are those of a reader's machine; here others
/// are free.
fn play(console: &str) {
    let console = with_free_ports(console);
    let mut servers = Vec::new();
    assert!(console.contains("$ "), "{console}");
    for step in console.split("$ ").skip(1) {
        let (command, expected) = step.split_once('\n').unwrap();
        match command.strip_suffix(" &") {
            Some(server) => servers.push(serve(server)),
            None => assert_shown(&run(command), expected, command),
        }
    }
}

fn with_free_ports(console: &str) -> String {
    let mut ports: Vec<&str> = console.split("127.0.0.1:").skip(1).collect();
    ports
        .iter_mut()
        .for_each(|rest| *rest = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap()]);
    ports.sort_unstable();
    ports.dedup();
    // All are held until all are known, so that no two are the same.
    let free: Vec<_> = ports.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let mut console = console.to_string();
    for (port, free) in ports.iter().zip(&free) {
        let free = free.local_addr().unwrap().port();
        // Marked, so that a free port is not taken for one that is still to be replaced.
        console = console.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:\u{1}{free}"));
    }
    console.replace('\u{1}', "")
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    let path = std::env::var("PATH").unwrap_or_default();
    let with_program = format!("{}:{path}", Path::new(PROGRAM).parent().unwrap().display());
    shell.args(["-c", command]).env("PATH", with_program).stdin(Stdio::null());
    shell
}

/// Starts a server and waits until each of its services listens.
fn serve(command: &str) -> Server {
    let services = command.matches('=').count() - command.matches(',').count();
    let mut child = shell(&format!("exec {command}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening =
        lines.take(services).filter(|line| line.as_ref().unwrap().starts_with("listening "));
    assert_eq!(listening.count(), services, "{command}");
    Server(child)
}

fn run(command: &str) -> String {
    let output = shell(command).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Line by line; `…` stands for what differs from time to time.
fn assert_shown(printed: &str, expected: &str, command: &str) {
    let expected = expected.trim_end_matches('\n');
    let (printed, expected): (Vec<_>, Vec<_>) =
        (printed.lines().collect(), expected.lines().collect());
    assert_eq!(printed.len(), expected.len(), "{command} printed {printed:?}");
    for (printed, expected) in printed.iter().zip(&expected) {
        let fits = match expected.split_once('…') {
            Some((before, after)) => {
                printed.len() > before.len() + after.len()
                    && printed.starts_with(before)
                    && printed.ends_with(after)
            }
            None => printed == expected,
        };
        assert!(fits, "{command} printed {printed:?}, the README has {expected:?}");
    }
}
