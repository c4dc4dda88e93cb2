//! The clients that people have at hand talk to the servers: nc, socat and Python.

use std::fs::File;
use std::process::Command;

use crate::support::*;

tests! {
    both {
        netcat,
        socat,
        python,
    }
    serve {}
}

/// Longer than one receive.
fn message() -> Vec<u8> {
    let lines = (0..20_000).map(|line| format!("line {line} of what is said\n"));
    lines.collect::<String>().into_bytes()
}

/// Starts a server at a TCP address and one at a path.
fn both(kind: Kind, place: &TempDir) -> (Server, Server, String) {
    let path = text(&place.file("echo.sock")).to_string();
    (start(kind), starting(kind).at(format!("unix:{path}")).start(), path)
}

/// A client whose standard input is the message writes the same to its standard output.
#[track_caller]
fn assert_talks(place: &TempDir, program: &str, arguments: &[&str]) {
    let [input, output] = [place.file("input"), place.file("output")];
    std::fs::write(&input, message()).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(File::open(&input).unwrap());
    let mut child = KilledAtEnd(command.stdout(File::create(&output).unwrap()).spawn().unwrap());
    let status = wait_for(&mut child.0);
    assert!(status.success(), "{program}: {status}");
    assert!(std::fs::read(&output).unwrap() == message(), "{program} got something else back");
}

fn netcat(kind: Kind) {
    if !has_program("nc") {
        return;
    }
    let help = Command::new("nc").arg("-h").output().unwrap();
    if !String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).contains("OpenBSD") {
        return missing("the nc that is installed is not OpenBSD's");
    }
    let place = TempDir::new();
    let (tcp, _unix, path) = both(kind, &place);
    // -N: nc closes its half at the end of the input, and keeps reading.
    let port = tcp.address().port().to_string();
    assert_talks(&place, "nc", &["-N", "127.0.0.1", &port]);
    assert_talks(&place, "nc", &["-N", "-U", &path]);
}

fn socat(kind: Kind) {
    if !has_program("socat") {
        return;
    }
    let place = TempDir::new();
    let (tcp, _unix, path) = both(kind, &place);
    // -t: how long socat waits for the other half after its own has ended.
    let to_tcp = format!("TCP:{}", tcp.address());
    assert_talks(&place, "socat", &["-t", "30", "-", &to_tcp]);
    assert_talks(&place, "socat", &["-t", "30", "-", &format!("UNIX-CONNECT:{path}")]);
}

const IN_PYTHON: &str = "\
import socket, sys, threading
host, port = sys.argv[1], int(sys.argv[2])
peer = socket.create_connection((host, port)) if port else socket.socket(socket.AF_UNIX)
if not port:
    peer.connect(host)
def send():
    peer.sendall(sys.stdin.buffer.read())
    peer.shutdown(socket.SHUT_WR)
sender = threading.Thread(target=send)
sender.start()
while data := peer.recv(1000):
    sys.stdout.buffer.write(data)
sender.join()
";

fn python(kind: Kind) {
    if !has_program("python3") {
        return;
    }
    let place = TempDir::new();
    let (tcp, _unix, path) = both(kind, &place);
    let port = tcp.address().port().to_string();
    assert_talks(&place, "python3", &["-c", IN_PYTHON, "127.0.0.1", &port]);
    assert_talks(&place, "python3", &["-c", IN_PYTHON, &path, "0"]);
}
