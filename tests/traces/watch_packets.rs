//! `watch --packets`: the packets of a program that plays both ends stand at its calls.

use std::process::Command;

use super::support::*;

/// Server and client in two threads.
const BOTH_ENDS: &str = "
import socket, threading
listener = socket.create_server(('127.0.0.1', 0))
def serve():
    client = listener.accept()[0]
    while received := client.recv(100):
        client.send(received.upper())
    client.close()
server = threading.Thread(target=serve)
server.start()
client = socket.create_connection(listener.getsockname())
for word in [b'one', b'two', b'three']:
    client.send(word)
    client.recv(100)
client.shutdown(socket.SHUT_WR)
client.recv(100)
client.close()
server.join()
";

/// Whether this machine has what the tests need.
fn can_watch() -> bool {
    if !["strace", "python3", "unshare"].into_iter().all(has_program) {
        return false;
    }
    let is_there = output_of(Command::new("unshare").args(["-rn", "true"])).status.success();
    if !is_there {
        missing("a network of its own is not allowed here");
    }
    is_there
}

/// What stands on standard error, from the first socket of the network on.
fn watched(flags: &[&str]) -> Vec<String> {
    watched_program(BOTH_ENDS, flags)
}

fn watched_program(program: &str, flags: &[&str]) -> Vec<String> {
    let command = ["--", "python3", "-c", program];
    let output = baresock(&[&["watch", "--packets"][..], flags, &command].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let lines = told.lines().map(ToString::to_string);
    lines.skip_while(|line| !line.starts_with("socket(AF_INET")).collect()
}

/// Whether a line is a packet, and what hangs at a call is indented.
fn is_packet(line: &str) -> bool {
    line.trim_start().starts_with("client ")
}

/// The flags and lengths of the packets that hang at the calls that begin so.
fn hanging(lines: &[String], call: &str) -> Vec<Vec<String>> {
    let at = lines.iter().enumerate().filter(|(_, line)| line.starts_with(call));
    let below = |at: usize| {
        let packets = lines[at + 1..].iter();
        let packets = packets.take_while(|line| line.starts_with("    ") && is_packet(line));
        packets.map(|line| line.split("  ").last().unwrap().to_string()).collect()
    };
    at.map(|(at, _)| below(at)).collect()
}

#[test]
fn packets_hang_at_the_calls_of_both_ends() {
    if !can_watch() {
        return;
    }
    let lines = watched(&[]);
    let told = lines.join("\n");
    let shown = |packets: &[Vec<String>]| packets.concat().join("\n");
    let connected = shown(&hanging(&lines, "connect("));
    for part in ["SYN, seq 0", "SYN ACK, seq 0, ack 1", "ACK, ack 1"] {
        assert!(connected.contains(part), "{part} in {connected:?}\n{told}");
    }
    for (word, len, seq) in [("one", 3, 1), ("ONE", 3, 1), ("two", 3, 4), ("three", 5, 7)] {
        let call = lines
            .iter()
            .find(|line| line.starts_with("send(") && line.contains(&format!("\"{word}\"")));
        let sent = shown(&hanging(&lines, call.unwrap()));
        assert!(sent.contains(&format!("PSH ACK {len} bytes, seq {seq}, ")), "{sent:?}\n{told}");
    }
    let ended = shown(&hanging(&lines, "shutdown("));
    assert!(ended.contains("FIN ACK, seq 12, "), "{ended:?}\n{told}");
    // No packet is lost, and none is told twice.
    let packets = lines.iter().filter(|line| is_packet(line));
    let fins = packets.clone().filter(|line| line.contains("FIN")).count();
    let bytes = packets.clone().filter(|line| line.contains("bytes,")).count();
    assert_eq!((fins, bytes), (2, 6), "{told}");
}

/// A server that forks for its client.
const FORKING: &str = "
import os, socket
listener = socket.create_server(('127.0.0.1', 0))
if os.fork() == 0:
    client = listener.accept()[0]
    if os.fork() == 0:
        client.send(client.recv(100).upper())
        os._exit(0)
    client.close()
    os.wait()
    os._exit(0)
client = socket.create_connection(listener.getsockname())
client.send(b'hello')
client.recv(100)
client.close()
os.wait()
";

#[test]
fn what_a_child_sends_on_an_inherited_socket_hangs_at_its_own_call() {
    if !can_watch() {
        return;
    }
    let lines = watched_program(FORKING, &[]);
    let told = lines.join("\n");
    let sent = hanging(&lines, "send(").concat().join("\n");
    assert!(sent.contains("PSH ACK 5 bytes, seq 1, ack 6"), "{sent:?}\n{told}");
    // The parent closes a copy, which sends nothing.
    let closed = hanging(&lines, "close(").concat().join("\n");
    assert!(!closed.contains("bytes"), "{closed:?}\n{told}");
}

#[test]
fn packets_are_explained_and_are_objects_among_the_calls() {
    if !can_watch() {
        return;
    }
    let told = watched(&["--explain"]).join("\n");
    assert!(told.contains("        the SYN: connect asks for a connection"), "{told}");
    let place = TempDir::new();
    let file = place.file("trace");
    watched(&["--trace=json", "--trace-to", text(&file)]);
    let trace = std::fs::read_to_string(&file).unwrap();
    let packets = trace.lines().filter(|line| baresock::packets::json::is_packet(line));
    let caused = packets.clone().filter(|line| !line.contains("\"cause\":null")).count();
    assert!(packets.count() >= 12 && caused >= 8, "{trace}");
    // They are read back: as packets of a ladder, and not as calls.
    let output = baresock(&["ladder", "--ascii", text(&file)]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("SYN--->"), "{trace}");
}

#[test]
fn the_packets_of_calls_that_are_not_shown_are_not_shown_either() {
    if !can_watch() {
        return;
    }
    let place = TempDir::new();
    let file = place.file("trace");
    watched(&["--only", "shutdown", "--trace-to", text(&file)]);
    let trace = std::fs::read_to_string(&file).unwrap();
    assert!(trace.contains("shutdown(") && trace.contains("    client --> server  FIN ACK"));
    assert!(!trace.contains("  SYN, ") && !trace.contains("send("), "{trace}");
}

#[test]
fn a_running_program_has_no_packets_and_the_reason_is_said() {
    let output = baresock(&["watch", "--packets", "--pid", "1"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("is in the machine's network") && said.lines().count() == 1, "{said}");
}
