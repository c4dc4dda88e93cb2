//! `--packets`: what is shown between the calls is what went over the wire. tshark, which reads the same network at the same
//! time, is the judge.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use baresock::labs;
use baresock::packets::json::is_packet;
use baresock::packets::{Packet, PacketBody, PacketCause, SegmentFlags, SegmentNote};
use nix::unistd::{Uid, User};
use serde_json::Value;

use crate::support::*;

/// Labs whose packets are compared: handshakes, data, delayed acknowledgements, windows, FINs, resets, retransmissions, urgent
/// bytes, several connections, IPv6, UDP and ICMP, MPTCP, peers in other threads and processes.
const LABS: [&str; 34] = [
    "names-appear-late",
    "listener-cannot-talk",
    "wildcard-vs-loopback",
    "gai-fans-out",
    "forgot-htons",
    "int-on-the-wire",
    "blocking-or-eagain",
    "send-is-a-copy",
    "partial-send",
    "writable-hysteresis",
    "zero-is-three-things",
    "peek-waitall-trunc",
    "no-message-boundaries",
    "header-splits",
    "one-slow-client",
    "readiness-matrix",
    "close-under-wait",
    "nb-connect-ok",
    "nb-connect-refused",
    "syn-sent-again",
    "accept-after-rst",
    "write-after-fin",
    "rst-on-unread",
    "half-close",
    "close-is-refcount",
    "linger-zero",
    "multipath-hides-close",
    "time-wait-bind",
    "oob-one-byte",
    "udp-refused-later",
    "datagram-truncation",
    "udp-connect-filters",
    "dual-stack",
    "nagle-40ms",
];

/// A network of its own, in which `script` runs as root of a namespace: with dumpcap writing to `wire`, once it captures.
fn beside_dumpcap(place: &TempDir, script: &str) -> Output {
    let whole = format!(
        "ip link set lo up || exit 9
         dumpcap -q -i lo -s 256 -w {wire} 2>{said} &
         dumpcap=$!
         until grep -q ^File: {said} 2>/dev/null; do kill -0 $dumpcap || exit 9; sleep 0.01; done
         {script}
         status=$?
         sleep 0.3
         kill -INT $dumpcap; wait $dumpcap
         exit $status",
        wire = text(&place.file("wire")),
        said = text(&place.file("said")),
    );
    // In a user namespace the network may be looked at by every user.
    let options = if Uid::effective().is_root() { "-n" } else { "-rn" };
    let mut command = Command::new("unshare");
    command.args([options, "sh", "-c", &whole, BARESOCK]).env("BARESOCK_OWN_NETWORK", "1");
    output_of(&mut command)
}

/// Whether this process may have a network of its own.
fn has_network() -> bool {
    let mut command = Command::new("unshare");
    let is_there =
        has_program("unshare") && output_of(command.args(["-rn", "true"])).status.success();
    if !is_there {
        missing("a network of its own is not allowed here");
    }
    is_there
}

fn has_tshark() -> bool {
    ["tshark", "dumpcap", "ip", "unshare"].into_iter().all(has_program)
}

/// One packet, as both programs say it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SeenPacket {
    from: String,
    to: String,
    /// Of a segment: flags, relative numbers, window; of others type, code, length.
    what: String,
    notes: Vec<&'static str>,
}

/// What tshark reads in a file.
fn seen_by_tshark(file: &Path) -> Vec<SeenPacket> {
    const FIELDS: [&str; 24] = [
        "ip.src",
        "ipv6.src",
        "ip.dst",
        "ipv6.dst",
        "tcp.srcport",
        "tcp.dstport",
        "tcp.flags",
        "tcp.seq",
        "tcp.ack",
        "tcp.len",
        "tcp.window_size",
        "tcp.analysis.retransmission",
        "tcp.analysis.window_update",
        "tcp.analysis.zero_window",
        "udp.srcport",
        "udp.dstport",
        "udp.length",
        "icmp.type",
        "icmp.code",
        "icmpv6.type",
        "icmpv6.code",
        "tcp.analysis.keep_alive",
        "tcp.analysis.zero_window_probe",
        "tcp.seq_raw",
    ];
    let mut command = Command::new("tshark");
    // The first of several values: a message of ICMP quotes the headers of another packet.
    command.args([
        "-n",
        "-r",
        text(file),
        "-T",
        "fields",
        "-E",
        "occurrence=f",
        "-E",
        "separator=;",
    ]);
    command.args([
        "-o",
        "tcp.relative_sequence_numbers:TRUE",
        "-Y",
        "tcp or udp or icmp or icmpv6",
    ]);
    FIELDS.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let output = output_of(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| {
            let fields: BTreeMap<_, _> = FIELDS.into_iter().zip(line.split(';')).collect();
            seen(&fields)
        })
        // Before a lab begins, the capture tries its clock with datagrams from a socket to itself.
        .filter(|packet| packet.from != packet.to || packet.what != "UDP 4")
        .collect()
}

/// When each packet of a file was sent, in seconds since 1970.
fn times(file: &Path) -> Vec<f64> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", text(file), "-T", "fields", "-e", "frame.time_epoch"]);
    command.args(["-Y", "tcp or udp or icmp or icmpv6"]);
    let lines = String::from_utf8(output_of(&mut command).stdout).unwrap();
    lines.lines().map(|time| time.parse().unwrap()).collect()
}

fn seen(fields: &BTreeMap<&str, &str>) -> Option<SeenPacket> {
    let is = |field: &str| !fields[field].is_empty();
    let either =
        |one: &str, other: &str| if is(one) { fields[one] } else { fields[other] }.to_string();
    let [from, to] = [either("ip.src", "ipv6.src"), either("ip.dst", "ipv6.dst")];
    if is("icmp.type") || is("icmpv6.type") {
        let (kind, code) = (either("icmp.type", "icmpv6.type"), either("icmp.code", "icmpv6.code"));
        return Some(SeenPacket {
            from,
            to,
            what: format!("ICMP {kind} {code}"),
            notes: Vec::new(),
        });
    }
    let with_port = |address: String, port: &str| match address.contains(':') {
        true => format!("[{address}]:{port}"),
        false => format!("{address}:{port}"),
    };
    if is("udp.length") {
        let len: u32 = fields["udp.length"].parse().unwrap();
        let [from, to] =
            [with_port(from, fields["udp.srcport"]), with_port(to, fields["udp.dstport"])];
        return Some(SeenPacket { from, to, what: format!("UDP {}", len - 8), notes: Vec::new() });
    }
    let flags = u16::from_str_radix(fields["tcp.flags"].strip_prefix("0x")?, 16).unwrap();
    let flags = SegmentFlags(flags as u8);
    let number = |field: &str| fields[field].parse::<u32>().unwrap();
    let ack = flags.has(SegmentFlags::ACK).then(|| number("tcp.ack"));
    let what = written(flags, number("tcp.seq"), ack, number("tcp.len"), number("tcp.window_size"));
    let notes = NOTES.iter().filter(|(_, field)| is(field)).map(|(_, field)| *field).collect();
    let [from, to] = [with_port(from, fields["tcp.srcport"]), with_port(to, fields["tcp.dstport"])];
    Some(SeenPacket { from, to, what, notes })
}

/// What the two programs call the same. (tshark calls a segment of length 0 that repeats a number a keepalive, whether or not
/// the peer has room.)
const NOTES: [(SegmentNote, &str); 3] = [
    (SegmentNote::Retransmission, "tcp.analysis.retransmission"),
    (SegmentNote::WindowZero, "tcp.analysis.zero_window"),
    (SegmentNote::WindowUpdate, "tcp.analysis.window_update"),
];

fn written(flags: SegmentFlags, seq: u32, ack: Option<u32>, len: u32, window: u32) -> String {
    format!("{flags}, {len} bytes, seq {seq}, ack {ack:?}, window {window}")
}

impl From<&Packet> for SeenPacket {
    fn from(packet: &Packet) -> Self {
        let (from, to) = (packet.from.to_string(), packet.to.to_string());
        match &packet.body {
            PacketBody::Tcp(segment) => {
                let what =
                    written(segment.flags, segment.seq, segment.ack, segment.len, segment.window);
                let is = |note: &SegmentNote| segment.notes.contains(note);
                let notes = NOTES.iter().filter(|(note, _)| is(note)).map(|(_, field)| *field);
                Self { from, to, what, notes: notes.collect() }
            }
            PacketBody::Udp { len } => {
                Self { from, to, what: format!("UDP {len}"), notes: Vec::new() }
            }
            PacketBody::Icmp { kind, code, .. } => {
                let [from, to] = [packet.from.ip(), packet.to.ip()].map(|ip| ip.to_string());
                Self { from, to, what: format!("ICMP {kind} {code}"), notes: Vec::new() }
            }
        }
    }
}

/// The events of a lab of this kind, from its JSON.
fn events_in(stdout: &[u8], kind: &str) -> Vec<Value> {
    let lines = String::from_utf8(stdout.to_vec()).unwrap();
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events = events.map(|mut event| event["happened"].take());
    events.filter(|event| event["event"] == kind).collect()
}

/// The packets among the events of a lab.
fn packets_in(stdout: &[u8]) -> Vec<Packet> {
    let crossed = events_in(stdout, "crossed").into_iter();
    crossed.map(|mut event| serde_json::from_value(event["json"].take()).unwrap()).collect()
}

/// Each direction of each connection in order: two ends may send at the same moment.
fn by_direction(seen: Vec<SeenPacket>) -> BTreeMap<(String, String), Vec<SeenPacket>> {
    let mut directions: BTreeMap<_, Vec<SeenPacket>> = BTreeMap::new();
    for packet in seen {
        directions.entry((packet.from.clone(), packet.to.clone())).or_default().push(packet);
    }
    directions
}

#[track_caller]
fn assert_equal(what: &str, ours: Vec<SeenPacket>, tsharks: Vec<SeenPacket>) {
    let (ours, tsharks) = (by_direction(ours), by_direction(tsharks));
    for (direction, theirs) in &tsharks {
        let empty = Vec::new();
        let own = ours.get(direction).unwrap_or(&empty);
        for (at, their) in theirs.iter().enumerate() {
            assert_eq!(own.get(at), Some(their), "{what}: packet {at} of {direction:?}");
        }
    }
    assert_eq!(ours, tsharks, "{what}");
}

#[test]
fn the_packets_of_labs_are_those_that_tshark_sees() {
    /// Most labs wait most of the time.
    const SIDE_BY_SIDE: usize = 4;
    if !has_tshark() || !has_network() {
        return;
    }
    let (waiting, all) = (Mutex::new(LABS.iter()), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                let next = || waiting.lock().unwrap().next();
                while let Some(lab) = next() {
                    all.fetch_add(compare_lab(lab), Ordering::Relaxed);
                }
            });
        }
    });
    let all = all.into_inner();
    counted(format_args!("{all} packets of {} labs equal tshark's", LABS.len()));
}

/// Runs a lab beside dumpcap; returns how many packets were compared.
fn compare_lab(lab: &str) -> usize {
    let place = TempDir::new();
    let own = place.file("own");
    let script = format!("\"$0\" lab {lab} --packets --json --pcap {}", text(&own));
    let output = beside_dumpcap(&place, &script);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{lab}: {:?} {said}", output.status);
    let ours: Vec<SeenPacket> = packets_in(&output.stdout).iter().map(Into::into).collect();
    assert!(!ours.is_empty(), "{lab}");
    let count = ours.len();
    // What a kernel sends later, for processes that are gone, is seen by tshark alone.
    let mut theirs = seen_by_tshark(&place.file("wire"));
    let [own, wire] = [&own, &place.file("wire")].map(|file| times(file));
    let last = own.last().expect("a packet") + 0.001;
    theirs.truncate(theirs.len() - wire.iter().filter(|time| **time > last).count());
    assert_equal(lab, ours, theirs);
    count
}

#[test]
fn the_file_for_wireshark_has_the_same_packets_and_the_calls_as_comments() {
    if !has_tshark() || !has_network() {
        return;
    }
    let place = TempDir::new();
    let file = place.file("lab.pcapng");
    let output = baresock(&["lab", "rst-on-unread", "--packets", "--json", "--pcap", text(&file)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ours: Vec<SeenPacket> = packets_in(&output.stdout).iter().map(Into::into).collect();
    assert!(ours.len() > 10, "{ours:?}");
    // In the order of time, also across directions.
    let by_time = seen_by_tshark(&file);
    assert_eq!(by_time, ours);
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", text(&file), "-T", "fields", "-e", "frame.time_epoch"]);
    command.args(["-e", "tcp.flags.str", "-e", "frame.comment"]);
    let said = String::from_utf8(output_of(&mut command).stdout).unwrap();
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split('\t').collect()).collect();
    let is_now = |time: &str| {
        let seconds: f64 = time.parse().unwrap();
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() - seconds < 120.0
    };
    assert!(
        lines.iter().all(|line| is_now(line[0]) && line[0].len() == "1795858973.123456789".len())
    );
    // The calls before the first packet, and the connect that caused it.
    let first = lines[0][2];
    for call in ["socket(AF_INET, ", "listen(3, 5) = 0", "connect(4, "] {
        assert!(first.contains(call), "{first}");
    }
    let reset = lines.iter().find(|line| line[1].contains('R')).unwrap();
    assert!(reset[2].contains("close(5<server>) = 0"), "{reset:?}");
    let calls = events_in(&output.stdout, "called").len();
    let comments: usize = lines.iter().map(|line| line[2].matches(") = ").count()).sum();
    assert_eq!(comments, calls, "{said}");
}

#[test]
fn an_ordinary_user_sees_the_packets_and_stays_the_same_user() {
    let place = TempDir::new();
    let program = place.file("baresock");
    // By another process: while this one has a program open for writing, it cannot be started.
    assert!(Command::new("cp").arg(BARESOCK).arg(&program).status().unwrap().success());
    for path in [program.parent().unwrap(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(&program);
    command.args(["lab", "half-close", "--packets"]);
    if Uid::effective().is_root() {
        let nobody = User::from_name("nobody").unwrap().expect("every system has a user nobody");
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    let output = output_of(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && said.contains("an administrator can") {
        return missing(&format!("a network for an ordinary user: {said}"));
    }
    assert!(output.status.success(), "{said}");
    let told = String::from_utf8(output.stdout).unwrap();
    for line in [
        "        client --> server  SYN, seq 0, window ",
        "        client <-- server  SYN ACK, seq 0, ack 1, window ",
        "        client --> server  PSH ACK 8 bytes, seq 1, ack 1",
        "        client --> server  FIN ACK, seq 9, ack 1",
        "        client --> server  RST, seq 10",
    ] {
        assert!(told.contains(line), "{line:?} is missing in\n{told}");
    }
}

#[test]
fn every_packet_hangs_at_the_call_that_caused_it() {
    if !has_network() {
        return;
    }
    for (lab, call, packets) in [
        ("half-close", "connect(4, ", &["SYN,", "SYN ACK,", "ACK,"][..]),
        ("half-close", "accept(3, ", &[]),
        ("half-close", "send(4<client>, \"question\"", &["PSH ACK 8 bytes,", "ACK,"]),
        ("half-close", "recv(5<server>, \"question\"", &[]),
        // The client has closed: the reset answers the server's bytes.
        ("half-close", "send(5<server>, \"part 1\"", &["PSH ACK 6 bytes,", "RST,"]),
        ("rst-on-unread", "close(5<server>)", &["RST ACK,"]),
        ("linger-zero", "close(6<server>)", &["RST ACK,"]),
        ("nb-connect-refused", "connect(3, ", &["SYN,", "RST ACK,"]),
        ("udp-refused-later", "send(3, \"hello\"", &["UDP 5 bytes", "ICMP port unreachable:"]),
    ] {
        let output = baresock(&["lab", lab, "--packets"]);
        let told = String::from_utf8(output.stdout).unwrap();
        let mut after = told.lines().skip_while(|line| !line.starts_with(&format!("    {call}")));
        assert!(after.next().is_some(), "{lab}: {call} in\n{told}");
        let hanging = after.take_while(|line| line.starts_with("        ") && line.contains("--"));
        let gists: Vec<&str> = hanging.map(|line| line.rsplit("  ").next().unwrap()).collect();
        assert_eq!(gists.len(), packets.len(), "{lab}: {call} {gists:?}");
        let is_right = |(gist, packet): (&&str, &&str)| gist.starts_with(packet);
        assert!(gists.iter().zip(packets).all(is_right), "{lab}: {call} {gists:?}");
    }
}

#[test]
fn a_network_that_other_programs_use_is_neither_captured_nor_cut() {
    if !has_network() || !has_program("ip") {
        return;
    }
    // A network with a second interface stands for the machine's. There no lab may send, or leave loopback down.
    let script = "ip link set lo up
         ip link add other type dummy 2>/dev/null || ip link add other type veth || exit 9
         ip link set other up || exit 9
         \"$0\" lab half-close --packets || exit 1
         \"$0\" lab silent-death || exit 2
         ip -o link show lo; grep lo: /proc/net/dev";
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-c", script, BARESOCK]).env("BARESOCK_OWN_NETWORK", "1");
    let output = output_of(&mut command);
    if output.status.code() == Some(9) {
        return missing("an interface besides loopback");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?} {said}", output.status);
    let told = String::from_utf8(output.stdout).unwrap();
    let [sent, link] = [1, 2].map(|from_end| told.lines().nth_back(from_end - 1).unwrap());
    assert!(link.contains("LOOPBACK,UP"), "{told}");
    assert!(
        sent.trim().trim_start_matches("lo:").split_whitespace().all(|count| count == "0"),
        "{told}"
    );
}

#[test]
fn what_forbids_a_network_is_named() {
    if !has_program("unshare") {
        return;
    }
    // A user namespace has limits of its own.
    let script =
        "echo 0 >/proc/sys/user/max_user_namespaces; echo 0 >/proc/sys/user/max_net_namespaces
         exec \"$0\" lab half-close --packets";
    let output = output_of(Command::new("unshare").args(["-r", "sh", "-c", script, BARESOCK]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for part in [
        "--packets and --pcap need a network of its own: unshare: ",
        "user.max_user_namespaces is 0",
        "an administrator can set it",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_file_for_wireshark_that_cannot_be_opened_is_reported_before_the_lab_runs() {
    if !has_network() {
        return;
    }
    let place = TempDir::new();
    let file = place.file("missing/x");
    let output = baresock(&["lab", "half-close", "--pcap", text(&file)]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing/x: ENOENT"), "{output:?}");
}

#[test]
fn packets_are_of_one_lab() {
    for arguments in [&["lab", "closing", "--packets"][..], &["lab", "closing", "--pcap", "x"]] {
        let output = baresock(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("name one lab"), "{output:?}");
    }
}

/// A lab's trace in a file, with its packets.
fn traced(place: &TempDir, lab: &str) -> PathBuf {
    let file = place.file("trace.json");
    let flags = ["--packets", "--trace=json", "--trace-to", text(&file)];
    let output = baresock(&[&["lab", lab][..], &flags].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    file
}

#[test]
fn packets_in_a_trace_are_read_back_equal_and_are_no_calls() {
    if !has_network() {
        return;
    }
    let place = TempDir::new();
    let file = traced(&place, "half-close");
    let trace = fs::read_to_string(&file).unwrap();
    let packets: Vec<&str> = trace.lines().filter(|line| is_packet(line)).collect();
    assert!(packets.len() > 20, "{trace}");
    for line in &packets {
        assert_eq!(Packet::from_json(line).unwrap().to_json(), **line);
    }
    let calls: Vec<Value> = trace
        .lines()
        .filter(|line| !is_packet(line))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let is_call = |cause: PacketCause| {
        calls.iter().any(|call| {
            let is_same = |field: &str, number: u64| call[field] == number;
            is_same("pid", cause.pid.into())
                && is_same("tid", cause.tid)
                && is_same("seq", cause.seq)
                && is_same("begin_ns", cause.begin_ns)
        })
    };
    let causes: Vec<_> =
        packets.iter().filter_map(|line| Packet::from_json(line).unwrap().cause).collect();
    assert!(causes.len() > 15 && causes.into_iter().all(is_call));
    // The report is about calls, and does not take the packets for foreign lines.
    let output = baresock(&["read", text(&file)]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_ladder_draws_the_segments_between_the_calls_of_both_ends() {
    if !has_network() {
        return;
    }
    let place = TempDir::new();
    let file = traced(&place, "rst-on-unread");
    let output = baresock(&["ladder", "--ascii", text(&file)]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let picture = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<&str> = picture.lines().map(str::trim).collect();
    let at = rows.iter().position(|row| row.starts_with("connect(")).expect("a connect");
    let [syn, syn_ack, ack] = [1, 2, 3].map(|further| rows[at + further]);
    assert!(syn.starts_with("SYN, seq 0, window") && syn.ends_with("#1 SYN--->"), "{picture}");
    assert!(
        syn_ack.starts_with("<-#1 SYN ACK-- ") && syn_ack.contains("   SYN ACK, "),
        "{picture}"
    );
    assert!(ack.starts_with("ACK, ack 1 ") && ack.ends_with("#1 ACK--->"), "{picture}");
    let at = rows.iter().position(|row| row.starts_with("close(6)")).expect("a close");
    assert!(rows[at + 1].starts_with("<---#1 RST----"), "{picture}");
    // Where the segments are, no arrow is guessed. (One that a timer sends may be there in one run and not in another.)
    assert!(!picture.contains('|') && !picture.contains("came from a peer"), "{picture}");
    assert!(!picture.contains("no call in these traces received it"), "{picture}");

    let page = place.file("page.html");
    let output = baresock(&["ladder", text(&file), "--html", text(&page)]);
    assert!(output.status.success());
    let page = fs::read_to_string(page).unwrap();
    let drawn = page.matches("<li class=\"packet ").count();
    let trace = fs::read_to_string(&file).unwrap();
    assert_eq!(drawn, trace.lines().filter(|line| is_packet(line)).count());
    assert!(page.contains("<li class=\"packet right reset\">"), "{page}");
}

/// Runs a lab with these flags; its events of these kinds.
fn events_of(lab: &str, flags: &[&str], kind: &str) -> Vec<Value> {
    let output = baresock(&[&["lab", lab, "--json"][..], flags].concat());
    assert!(output.status.success(), "{lab}: {output:?}");
    events_in(&output.stdout, kind)
}

/// The questions of events.
fn asked(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| event["asks"].as_str().unwrap().to_string()).collect()
}

#[test]
fn predictions_about_packets_are_asked_where_packets_are_captured_and_hold() {
    if !has_network() {
        return;
    }
    let labs: Vec<_> = labs::all().filter(|lab| !lab.on_wire.is_empty()).collect();
    assert!(labs.len() >= 7, "{}", labs.len());
    for lab in labs {
        // That the packets themselves are right, tshark says.
        assert!(LABS.contains(&lab.name), "{}", lab.name);
        let predicted = events_of(lab.name, &["--packets"], "predicted");
        let observed = events_of(lab.name, &["--packets"], "observed");
        assert_eq!(predicted.len(), observed.len(), "{}", lab.name);
        let asked = asked(&predicted);
        for on_wire in lab.on_wire {
            let at = asked.iter().position(|asks| asks == on_wire.asked.asks);
            let at = at.unwrap_or_else(|| panic!("{}: {}", lab.name, on_wire.asked.asks));
            assert_eq!(observed[at]["agrees"], true, "{}: {}", lab.name, observed[at]);
            let words = observed[at]["observed"].as_str().unwrap();
            assert!(on_wire.asked.choices.contains(&words), "{}: {words}", lab.name);
            // What other systems send was not looked at.
            let elsewhere = &predicted[at]["on"]["FreeBSD"];
            assert_eq!(
                (&elsewhere["expected"], &elsewhere["known"]),
                (&Value::Null, &"not checked".into())
            );
        }
        assert_eq!(asked.len(), lab.predictions.len() + lab.on_wire.len(), "{}", lab.name);
        assert!(events_of(lab.name, &["--packets"], "not-asked").is_empty());
    }
}

#[test]
fn without_packets_such_a_prediction_is_not_asked_and_not_counted() {
    for lab in labs::all().filter(|lab| !lab.on_wire.is_empty()) {
        let not_asked = events_of(lab.name, &[], "not-asked");
        let on_wire: Vec<_> = lab.on_wire.iter().map(|one| one.asked.asks).collect();
        let mut told = asked(&not_asked);
        told.sort_unstable_by_key(|asks| on_wire.iter().position(|one| one == asks));
        assert_eq!(told, on_wire, "{}", lab.name);
        assert!(not_asked.iter().all(|event| event["why"] == "--packets shows it"));
        assert_eq!(asked(&events_of(lab.name, &[], "predicted")).len(), lab.predictions.len());
    }
    let told = String::from_utf8(baresock(&["lab", "rst-on-unread"]).stdout).unwrap();
    let line = "  ? A byte is unread. What does the peer's close send? (--packets shows it)";
    assert!(told.contains(line) && told.contains("\nas predicted, 4 of 4\n"), "{told}");
}

#[test]
fn an_answer_about_packets_that_differs_is_found() {
    if !has_network() {
        return;
    }
    // The peer reads a single byte: that is not worth a window update.
    let flags = ["--packets", "--inject", "recv:chunk=1@1", "--json"];
    let output = baresock(&[&["lab", "partial-send"][..], &flags].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let observed = events_in(&output.stdout, "observed");
    let differs = observed.iter().find(|event| event["agrees"] == false).expect("a difference");
    assert_eq!(differs["observed"], "nothing", "{observed:?}");
}

#[test]
fn such_a_question_is_on_paper_and_among_the_answers_of_other_systems() {
    if !has_network() {
        return;
    }
    let sheet = baresock(&["lab", "rst-on-unread", "--packets", "--readme", "--worksheet"]);
    let sheet = String::from_utf8(sheet.stdout).unwrap();
    let (_, asked) = sheet.split_once("What does the peer's close send?").expect("the question");
    let (asked, _) = asked.split_once("The peer has closed").expect("the next one");
    assert!(asked.contains("b) RST ACK") && !asked.contains("= RST ACK"), "{asked}");
    for (system, answer) in [("freebsd", "= not checked"), ("linux", "= RST ACK (ran 6.18)")] {
        let told = baresock(&["lab", "rst-on-unread", "--on", system]);
        let told = String::from_utf8(told.stdout).unwrap();
        let (_, after) = told.split_once("What does the peer's close send?").expect(system);
        assert!(after.trim_start().starts_with(answer), "{system}: {told}");
    }
}
