//! What the figures of `baresock compare` are worth, and what the event loop costs. A program that was built without
//! optimisation adds its own time to every call, so these are tests of the other build:
//!
//! ```sh
//! cargo test --release --test rates -- --ignored --test-threads=1
//! ```
//!
//! No time stands in them. Everything is compared with something else that is measured in the same minute, and where the
//! machine was busy in that minute, it is done again.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::*;

/// How often a comparison is made before it is believed to be wrong.
const TRIES: usize = 6;

fn report(arguments: &str) -> Value {
    let output = baresock(&arguments.split(' ').collect::<Vec<_>>());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Makes a comparison until nothing is wrong with it; each time it says what is.
#[track_caller]
fn holds_in_one_try(mut compare: impl FnMut() -> Vec<String>) {
    let mut wrong = Vec::new();
    for number in 1..=TRIES {
        let found = compare();
        if found.is_empty() {
            return;
        }
        wrong.push(format!("try {number}: {}", found.join("; ")));
    }
    panic!("{}", wrong.join("\n"));
}

type Times = BTreeMap<(String, u64), (f64, f64)>;

/// Median and spread of each call at each number of descriptors.
fn times(report: &Value) -> Times {
    let measured = report["calls"]["measured"].as_array().unwrap().iter();
    let on_axis = measured.filter(|one| one["axis"] == "descriptors");
    let number = |value: &Value| value.as_f64().unwrap();
    on_axis
        .map(|one| {
            let call = one["call"].as_str().unwrap().to_string();
            let time = &one["time_us"];
            let place = (call, one["descriptors"].as_u64().unwrap());
            (place, (number(&time["median"]), number(&time["spread"])))
        })
        .collect()
}

const QUICK: &str = "compare --quick --only calls --most 1000 --json";

#[test]
#[ignore = "needs a build with optimisation"]
fn a_small_program_in_c_gets_the_same_times() {
    if !has_program("cc") {
        return;
    }
    let place = TempDir::new();
    let program = place.file("bare_call");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bare_call.c");
    let built = output_of(Command::new("cc").args(["-O2", "-o", text(&program), source]));
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let in_c = |n: u64| -> [f64; 2] {
        let output = output_of(Command::new(&program).arg(n.to_string()));
        let printed = String::from_utf8(output.stdout).unwrap();
        let times: Vec<f64> =
            printed.split_whitespace().map(|word| word.parse().unwrap()).collect();
        times.try_into().unwrap()
    };
    let counts = [10, 100, 1000];
    holds_in_one_try(|| {
        // Before and after, so that a machine that changes its pace changes it for both.
        let before = counts.map(in_c);
        let ours = times(&report(QUICK));
        let after = counts.map(in_c);
        let mut wrong = Vec::new();
        for (at, n) in counts.into_iter().enumerate() {
            for (which, call) in ["select", "poll"].into_iter().enumerate() {
                let theirs = (before[at][which] + after[at][which]) / 2.0;
                let (ours, _) = ours[&(call.to_string(), n)];
                counted(format_args!("{call}, {n}: {ours:.3} us, in C {theirs:.3} us"));
                if !(0.85..=1.15).contains(&(ours / theirs)) {
                    wrong.push(format!("{call}, {n}: {ours:.3} us, in C {theirs:.3} us"));
                }
            }
        }
        wrong
    });
}

#[test]
#[ignore = "needs a build with optimisation"]
fn two_runs_agree_within_their_spreads() {
    holds_in_one_try(|| {
        let [one, other] = [(); 2].map(|()| times(&report(QUICK)));
        let apart = one.iter().filter_map(|(place, (median, spread))| {
            let (other_median, other_spread) = other[place];
            let is_apart = (median - other_median).abs() > spread + other_spread;
            is_apart.then(|| {
                format!(
                    "{place:?}: {median:.3} ±{spread:.3} and {other_median:.3} ±{other_spread:.3}"
                )
            })
        });
        apart.collect()
    });
}

#[test]
#[ignore = "needs a build with optimisation"]
fn the_harness_takes_less_than_two_hundredths() {
    holds_in_one_try(|| {
        let overhead = report(QUICK)["method"]["overhead_percent"].as_f64().unwrap();
        counted(format_args!("the harness takes {overhead:.2} %"));
        if overhead < 2.0 { Vec::new() } else { vec![format!("{overhead:.2} %")] }
    });
}

/// What the event loop can do beyond the bare one (services, deadlines, limits) must not cost much. The ratio is that of
/// rounds that follow each other; of those the median is taken, and of the medians of all tries.
#[test]
#[ignore = "needs a build with optimisation"]
fn the_event_loop_keeps_up_with_the_bare_one() {
    let mut medians: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    holds_in_one_try(|| {
        let report = report("compare --quick --only servers --bare --json");
        for ratio in report["servers"]["ratios"].as_array().unwrap() {
            let (of, to) = (ratio["of"].as_str().unwrap(), ratio["to"].as_str().unwrap());
            let (active, idle) = (&ratio["active"], &ratio["idle"]);
            // One client alone measures where the system's scheduler puts it: beside the server, on one processor, half of the
            // answers come within 4 us, and on the other, which sleeps meanwhile, within 58.
            let is_placement = active == 1 && idle == 0;
            if to.starts_with("bare_") && !is_placement {
                let row = format!("{of} to {to}, {active} active and {idle} idle");
                // Where others use the processors, rates are theirs to decide; the time that is used is not.
                let cpu = ratio["cpu"]["median"]
                    .as_f64()
                    .filter(|_| report["noise"]["too_noisy"] == true);
                let kept = cpu.map_or(ratio["rates"]["median"].as_f64().unwrap(), |cpu| 1.0 / cpu);
                medians.entry(row).or_default().push(kept);
            }
        }
        assert_eq!(medians.len(), 4, "{medians:?}");
        counted(format_args!("{medians:.2?}"));
        let of_tries = medians.iter_mut().map(|(row, tries)| {
            tries.sort_by(f64::total_cmp);
            (row, tries[tries.len() / 2])
        });
        let too_slow = of_tries.filter(|(_, ratio)| *ratio < 0.85);
        too_slow.map(|(row, ratio)| format!("{row}: {ratio:.2}")).collect()
    });
}

/// What a view costs the clients: next to nothing while no page looks, and at most a tenth while one does. Servers with a view
/// and without one take turns, so that a machine that changes its pace changes it for both; of the ratios of neighbouring
/// rounds the median is taken.
#[test]
#[ignore = "needs a build with optimisation"]
fn a_view_costs_little() {
    for kind in [SERVE_SELECT, SERVE_POLL] {
        let plain = start(kind);
        let view = viewed(kind, &[]);
        let [plain, seen] = [&plain, &view.server].map(|server| connect_many(server, 100));
        holds_in_one_try(|| cost_of_view(kind, "no page looks", 0.98, &plain, &seen));
        let mut frames = view.watch();
        let looks = thread::spawn(move || while frames.try_next().is_some() {});
        holds_in_one_try(|| cost_of_view(kind, "a page looks", 0.9, &plain, &seen));
        view.server.end();
        looks.join().unwrap();
    }
}

/// What is wrong with the rate of a server with a view, beside that of one without.
fn cost_of_view(
    kind: Kind,
    when: &str,
    least: f64,
    plain: &[TcpStream],
    seen: &[TcpStream],
) -> Vec<String> {
    let mut ratios: Vec<f64> = (0..21)
        .map(|_| {
            let [one, other] = [plain, seen].map(time_of_round);
            one.as_secs_f64() / other.as_secs_f64()
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    let said = format!("{kind}, {when}: {median:.3} of the rate without a view");
    counted(format_args!("{said}"));
    if median >= least { Vec::new() } else { vec![said] }
}

/// How long 20,000 requests take, a hundred at a time.
fn time_of_round(clients: &[TcpStream]) -> Duration {
    let began = Instant::now();
    for _ in 0..200 {
        for mut client in clients {
            client.write_all(&[7; 64]).unwrap();
        }
        for mut client in clients {
            client.read_exact(&mut [0; 64]).unwrap();
        }
    }
    began.elapsed()
}

/// What `--tiers` is for: a request of one connection costs little, however many others are idle. The servers take turns, and
/// of the ratios of neighbouring rounds the median is taken. It is about 10 with so many idle ones, and grows with their number.
#[test]
#[ignore = "needs a build with optimisation"]
fn tiers_serve_one_connection_of_many_several_times_as_fast() {
    const IDLE: usize = 1_500;
    const LEAST: f64 = 4.0;
    if !can_have_descriptors(2 * IDLE as u64 + 100) {
        return;
    }
    let limit = format!("-Sn {}", IDLE + 100);
    let servers =
        [&[][..], &["--tiers"]].map(|flags| starting(SERVE_POLL).with(flags).under(&limit).start());
    let _idle = servers.each_ref().map(|server| connect_many(server, IDLE));
    let busy = servers.each_ref().map(connect);
    holds_in_one_try(|| {
        // In the first rounds the idle ones are still hot.
        let mut ratios: Vec<f64> = (0..21)
            .map(|_| {
                let [plain, tiers] = busy.each_ref().map(time_of_pings);
                plain.as_secs_f64() / tiers.as_secs_f64()
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        let median = ratios[ratios.len() / 2];
        let said = format!("tiers serve one of {IDLE} connections {median:.1} times as fast");
        counted(format_args!("{said}"));
        if median >= LEAST { Vec::new() } else { vec![said] }
    });
}

/// How long 200 requests of one connection take, each sent after the last answer.
fn time_of_pings(mut client: &TcpStream) -> Duration {
    let began = Instant::now();
    for _ in 0..200 {
        client.write_all(&[7; 64]).unwrap();
        client.read_exact(&mut [0; 64]).unwrap();
    }
    began.elapsed()
}

/// What a request of 64 bytes costs the server in instructions of its own, without the kernel's: they can be counted on a
/// busy machine, too. Two runs are compared, so that neither start nor end is in the figure. A turn has a price of its own, which
/// one connection pays for each request, and a hundred connections share. The limits leave room for other compilers.
#[test]
#[ignore = "needs a build with optimisation"]
fn a_request_takes_few_instructions() {
    if !has_program("valgrind") {
        return;
    }
    // With a view, at which no page looks, a turn asks about one more listener, and counts who has moved how many bytes.
    let limits: [(&[&str], usize, u64); 6] = [
        (&["--via", "select"], 1, 1200),
        (&["--via", "select"], 100, 650),
        (&["--via", "select", "--view"], 1, 1450),
        (&["--via", "poll"], 1, 1100),
        (&["--via", "poll"], 100, 650),
        (&["--via", "poll", "--view"], 1, 1350),
    ];
    for (flags, connections, limit) in limits {
        let [few, many] = [1_000, 5_000].map(|requests| instructions(flags, connections, requests));
        let each = (many - few) / 4_000;
        let said = format!("{flags:?}, {connections} connections: {each} instructions a request");
        counted(format_args!("{said}"));
        assert!(each <= limit, "{said}");
    }
}

/// An idle connection holds no buffer, only its place in the loop. What 8,000 connections add to the resident memory is divided
/// by their number, so that what the program needs for itself is not in the figure.
#[test]
#[ignore = "needs a build with optimisation"]
fn an_idle_connection_takes_little_memory() {
    const FEW: usize = 1_000;
    const MANY: usize = 9_000;
    // It is 241, and a little more where the heap has holes.
    const MOST_BYTES_OF_ONE: u64 = 272;
    // FreeBSD's rlim_t is signed.
    let limit = (MANY + 100) as rlim_t;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if !HAS_PROC || hard < limit {
        return skipped(&format!("it needs /proc and {limit} descriptors"));
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(limit), hard).unwrap();
    let server = starting(SERVE_POLL).under(&format!("-Sn {limit}")).start();
    let mut clients = connect_many(&server, FEW);
    // The server has accepted all of them when the last one has its answer.
    let with_all_accepted = |mut last: &TcpStream| {
        last.write_all(b"x").unwrap();
        last.read_exact(&mut [0]).unwrap();
        resident_bytes_exactly(server.pid())
    };
    let with_few = with_all_accepted(&clients[FEW - 1]);
    clients.extend(connect_many(&server, MANY - FEW));
    let with_many = with_all_accepted(&clients[MANY - 1]);
    let each = with_many.saturating_sub(with_few) / (MANY - FEW) as u64;
    counted(format_args!("an idle connection: {each} bytes"));
    assert!(each <= MOST_BYTES_OF_ONE, "{each} bytes for each idle connection");
    assert!(each > 0, "the server holds no connections");
}

/// Resident memory, added up page by page: `VmRSS` is updated late.
fn resident_bytes_exactly(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = rollup.lines().find(|line| line.starts_with("Rss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// What a trace to a file adds to that: two lines for each request, and one for each turn. As JSON a line also has the time
/// before and after the call, and its connection.
#[test]
#[ignore = "needs a build with optimisation"]
fn a_traced_request_takes_few_instructions() {
    if !has_program("valgrind") {
        return;
    }
    let place = TempDir::new();
    let file = place.file("trace");
    let to_file = ["--trace-to", text(&file)];
    let limits: [(&[&str], u64); 2] = [(&[], 7_500), (&["--trace=json"], 13_500)];
    for (form, limit) in limits {
        let flags = [form, &to_file].concat();
        let [few, many] = [1_000, 5_000].map(|requests| instructions(&flags, 10, requests));
        let each = (many - few) / 4_000;
        let said = format!("{form:?}: {each} instructions a traced request");
        counted(format_args!("{said}"));
        assert!(each <= limit, "{said}");
    }
}

/// How many instructions a server takes, from its start to its end, that is asked so often.
#[track_caller]
fn instructions(flags: &[&str], connections: usize, requests: usize) -> u64 {
    let place = TempDir::new();
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let log = place.file("log");
    valgrind.arg(format!("--log-file={}", text(&log))).arg(BARESOCK);
    valgrind.args(["serve", "echo=127.0.0.1:0"]).args(flags);
    valgrind.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = KilledAtEnd(valgrind.spawn().unwrap());
    let lines = lines_of(server.0.stdout.take().unwrap());
    let line = lines.recv_timeout(PATIENCE).expect("it listens");
    let address = line.split(' ').nth(2).unwrap();
    let clients = || (0..connections).map(|_| impatient(TcpStream::connect(address).unwrap()));
    let mut clients: Vec<_> = clients().collect();
    let (request, mut answer) = ([7; 64], [0; 64]);
    let server_pid = Pid::from_raw(server.0.id() as i32);
    for _ in 0..requests / connections {
        // The server stands still until all have asked, so that each turn serves all of them on every machine.
        kill(server_pid, Signal::SIGSTOP).unwrap();
        for client in &mut clients {
            client.write_all(&request).unwrap();
        }
        kill(server_pid, Signal::SIGCONT).unwrap();
        for client in &mut clients {
            client.read_exact(&mut answer).unwrap();
            assert_eq!(answer, request);
        }
    }
    drop(clients);
    kill(server_pid, Signal::SIGTERM).unwrap();
    wait_for(&mut server.0);
    let log = std::fs::read_to_string(log).unwrap();
    let count = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = count.unwrap_or_else(|| panic!("no count in this: {log}"));
    count.trim().parse().unwrap()
}
