//! `judge --packets`: what went over the wire stands in the ladders of failed cases.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

use baresock::packets::{Packet, PacketBody, SegmentFlags};
use nix::unistd::{Uid, User};
use serde_json::Value;

use super::support::*;
use super::{Place, can_judge, compiled, report, source};

/// Whether an ordinary user may have a network of its own here.
fn has_network() -> bool {
    let mut command = Command::new("unshare");
    let is_there =
        has_program("unshare") && output_of(command.args(["-rn", "true"])).status.success();
    if !is_there {
        missing("a network of its own is not allowed here");
    }
    is_there
}

/// The lines of the ladder of the only case that was run.
fn ladder(report: &Value) -> Vec<String> {
    let lines = report["cases"][0]["failure"]["ladder"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap().trim_start().to_string()).collect()
}

fn packets(report: &Value) -> Vec<Packet> {
    serde_json::from_value(report["cases"][0]["failure"]["packets"].clone()).unwrap()
}

/// Asserts that below a step are rows that begin like these.
#[track_caller]
fn assert_below(ladder: &[String], step: &str, rows: &[&str]) {
    let at = ladder.iter().position(|line| line.starts_with(step));
    let at = at.unwrap_or_else(|| panic!("{step} in {ladder:#?}"));
    for (row, line) in rows.iter().zip(&ladder[at + 1..]) {
        assert!(line.starts_with(row), "{row:?} below {step:?}, not {line:?}: {ladder:#?}");
    }
}

fn judged_with_packets(flags: &[&str], command: &[&str]) -> (Value, Output) {
    report(&[&["--json", "--packets", "--timeout", "2"], flags, &["--"], command].concat())
}

#[test]
fn the_segments_stand_between_the_steps_of_judge_s_peers() {
    if !can_judge(&["cc"]) || !has_network() {
        return;
    }
    let place = TempDir::new();
    let program = compiled(&place, "server.c", "RESET_ENDS", "echo");
    let pcap = place.file("judge.pcapng");
    let flags = ["echo", "--only", "reset-idle", "--pcap", text(&pcap)];
    let (report, output) = judged_with_packets(&flags, &[text(&program), "{port}"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "baresock: 1 of 1 cases failed\n",
        "{report}"
    );
    let ladder = ladder(&report);
    let handshake = ["SYN, seq 0, window ", "◀···", "ACK, ack 1 ···"];
    assert_below(&ladder, "a bystander: connect", &handshake);
    assert!(ladder[3].ends_with(" SYN ACK, seq 0, ack 1, window 65483"), "{ladder:#?}");
    assert_below(&ladder, "client 0: connect", &["#2 SYN, seq 0, window "]);
    assert_below(&ladder, "client 0: send \"judge-", &["#2 PSH ACK "]);
    assert_below(&ladder, "client 0: close with a reset", &["#2 RST ACK, seq "]);
    let packets = packets(&report);
    let rows = ladder.iter().filter(|line| line.contains("··")).count();
    assert_eq!(packets.len(), rows, "{ladder:#?}");
    assert_eq!(report["cases"][0]["failure"]["packets_left_out"], 0);
    if ["tshark"].into_iter().all(has_program) {
        compare_with_tshark(&pcap, &packets);
    }
}

/// The segments of the ladder are in the file, with judge's steps as comments.
fn compare_with_tshark(pcap: &std::path::Path, packets: &[Packet]) {
    let fields =
        ["ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.flags", "tcp.seq", "tcp.len"];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-r", text(pcap), "-T", "fields", "-E", "separator=;", "-Y", "tcp"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field])).args(["-e", "frame.comment"]);
    let output = output_of(&mut tshark);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    for packet in packets {
        let PacketBody::Tcp(segment) = &packet.body else { panic!("{packet:?}") };
        let Packet { from, to, .. } = packet;
        let line = format!(
            "{};{};{};{};0x{:04x};{};{};",
            from.ip(),
            from.port(),
            to.ip(),
            to.port(),
            segment.flags.0,
            segment.seq,
            segment.len
        );
        assert!(told.lines().any(|one| one.starts_with(&line)), "{line} in\n{told}");
    }
    for comment in ["case: reset-idle", "client 0: close with a reset"] {
        assert!(told.contains(comment), "{comment:?} in\n{told}");
    }
}

#[test]
fn a_judged_client_s_handshake_stands_before_its_connect() {
    if !can_judge(&["cc"]) || !has_network() {
        return;
    }
    let place = TempDir::new();
    let client = compiled(&place, "client.c", "ERRORS_ARE_ENDS", "echo");
    let flags = ["client", "echo", "--only", "reset"];
    let (report, _) = judged_with_packets(&flags, &[text(&client), "{port}"]);
    let ladder = ladder(&report);
    assert!(ladder[1].starts_with("◀·") && ladder[1].contains("··· SYN, seq 0"), "{ladder:#?}");
    assert!(ladder[2].starts_with("SYN ACK, seq 0, ack 1") && ladder[2].ends_with('▶'));
    assert!(ladder.iter().position(|line| line.contains("──── connect")) > Some(2));
    let is_reset = |packet: &Packet| match &packet.body {
        PacketBody::Tcp(segment) => segment.flags.has(SegmentFlags::RST) && !segment.by_client,
        _ => false,
    };
    assert!(packets(&report).iter().any(is_reset), "{ladder:#?}");
}

#[test]
fn datagrams_and_what_no_socket_takes_are_in_the_ladder() {
    if !can_judge(&["python3"]) || !has_network() {
        return;
    }
    let server = source("server.py");
    let flags = ["echo/udp", "--only", "empty-datagram"];
    let command = ["python3", text(&server), "udp", "empty-is-the-end", "{port}"];
    let (report, _) = judged_with_packets(&flags, &command);
    let ladder = ladder(&report);
    assert_below(&ladder, "sender: send \"\" (0 bytes)", &["UDP 0 bytes ··"]);
    let unreachable = ladder.iter().find(|line| line.contains("ICMP port unreachable"));
    assert!(unreachable.is_some_and(|line| line.starts_with("◀·")), "{ladder:#?}");
}

/// An echo server that sends each byte in a segment of its own.
const BYTE_BY_BYTE: &str = "
import socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    client = listener.accept()[0]
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while received := client.recv(65536):
        for at in range(len(received)):
            client.send(received[at:at + 1])
    client.close()
";

#[test]
fn what_is_kept_of_a_case_is_bounded_and_what_is_left_out_is_said() {
    if !can_judge(&["python3"]) || !has_network() {
        return;
    }
    let _place = Place::take();
    let place = TempDir::new();
    let pcap = place.file("judge.pcapng");
    let judge = ["judge", "echo", "--only", "one-byte-at-a-time,a-mebibyte", "--pcap", text(&pcap)];
    let command = ["--", "python3", "-c", BYTE_BY_BYTE, "{port}"];
    let output = baresock(&[&judge[..], &command].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(" packets are not in the file: each case has room for 4 MiB"), "{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    let file = fs::read(&pcap).unwrap();
    assert!((1 << 20..6 << 20).contains(&file.len()), "{}", file.len());
    let file = String::from_utf8_lossy(&file).into_owned();
    for comment in ["case: a-mebibyte", " packets of this case are left out here"] {
        assert!(file.contains(comment), "{comment}");
    }
}

#[test]
fn an_ordinary_user_judges_with_packets_too() {
    if !can_judge(&[]) {
        return;
    }
    let _place = Place::take();
    let place = TempDir::new();
    let program = place.file("baresock");
    // By another process: while this one has a program open for writing, it cannot be started.
    assert!(Command::new("cp").arg(BARESOCK).arg(&program).status().unwrap().success());
    for path in [program.parent().unwrap(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(&program);
    // An echo server says nothing by itself: it is not what it is judged as.
    command.args(["judge", "daytime", "--packets", "--only", "answers", "--timeout", "0.3", "--"]);
    command.arg(&program).args(["serve", "echo={port}"]).current_dir("/");
    if Uid::effective().is_root() {
        let nobody = User::from_name("nobody").unwrap().expect("every system has a user nobody");
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    let output = output_of(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("an administrator can") {
        return missing(&format!("a network for an ordinary user: {said}"));
    }
    assert_eq!(output.status.code(), Some(1), "{said}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("      SYN, seq 0, window ") && told.contains("··· SYN ACK, "), "{told}");
}

#[test]
fn without_packets_a_ladder_is_as_before_and_a_file_alone_does_not_change_it() {
    if !can_judge(&["cc"]) || !has_network() {
        return;
    }
    let place = TempDir::new();
    let program = compiled(&place, "server.c", "WHOLE_BUFFER", "echo");
    let pcap = place.file("judge.pcapng");
    let command = ["--only", "answers", "--timeout", "1", "--", text(&program), "{port}"];
    let ladders = [&["--json"][..], &["--json", "--pcap", text(&pcap)]].map(|flags| {
        let (report, _) = report(&[&["echo"], flags, &command].concat());
        assert_eq!(report["cases"][0]["failure"].get("packets"), None);
        let ladder = ladder(&report);
        assert!(ladder.iter().all(|line| !line.contains("SYN")), "{ladder:#?}");
        // How the bytes arrive, in one piece or several, is up to the kernel.
        ladder.iter().take(3).cloned().collect::<Vec<_>>()
    });
    assert_eq!(ladders[0], ladders[1]);
    assert!(fs::read(&pcap).unwrap().len() > 1000);
}

#[test]
fn what_forbids_packets_is_said_in_one_line() {
    for (arguments, said) in [
        ("echo 7007 --packets", "a server that runs already is in the machine's"),
        ("echo 7007 --pcap x", "a server that runs already is in the machine's"),
        ("echo --packets -- x {path}", "a Unix-domain socket sends no packets"),
        ("echo --packets --at unix:x -- x", "a Unix-domain socket sends no packets"),
        ("echo --packets --each /tmp", "cannot be used with"),
    ] {
        let all: Vec<&str> = std::iter::once("judge").chain(arguments.split(' ')).collect();
        let output = baresock(&all);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
        assert!(error.contains(said) && error.lines().count() == 1, "{arguments}: {error}");
    }
    if !has_network() {
        return;
    }
    // A user namespace has limits of its own.
    let script =
        "echo 0 >/proc/sys/user/max_user_namespaces; echo 0 >/proc/sys/user/max_net_namespaces
         exec \"$0\" judge echo --packets -- sleep 9";
    let output = output_of(Command::new("unshare").args(["-r", "sh", "-c", script, BARESOCK]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("--packets and --pcap need a network of its own: unshare: "), "{said}");
}
