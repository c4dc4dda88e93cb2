//! A fault at every call. A fixed session is made once to number the server's calls, and then once more for each call
//! and each errno in the table of its wrapper, for short counts, and for readiness that is none. What must come of it
//! stands in `every_fault/expected.rs`; and always: no panic, no spin, no descriptor left, and every byte of every
//! client whose connection was not struck.
//!
//! The faults are made by `--inject`; that this is not trusted alone, strace makes some of them too, from outside.

mod expected;
mod faults;
mod session;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use baresock::os::system::{System, this_system};
use nix::sys::signal::Signal;

use self::expected::{Expected, Phase};
use self::faults::{Call, Fault, calls_in, calls_in_strace};
use self::session::{Report, Run};
use crate::support::*;

/// How many servers run at once. Most of them wait most of the time.
const AT_ONCE: usize = 8;

/// How many calls a run may need beyond those of the session without faults: a call that is made again, a turn more.
/// A loop that spins makes thousands.
const MORE_CALLS: usize = 250;

/// The most processor time of a run, in ticks. (A second of it, where the session needs a few hundredths.)
const MOST_TICKS: u64 = 100;

tests! {
    both {
        a_fault_at_any_call_harms_one_connection_at_most,
        faults_on_all_sides_at_once,
    }
    serve {}
}

fn a_fault_at_any_call_harms_one_connection_at_most(kind: Kind) {
    let echo = serve("poll", &["echo=127.0.0.1:0"]);
    let target = echo.at(0);
    let (report, calls) = session_with(kind, &[], None, target);
    assert_unnoticed(kind, &report);
    let all = faults::all(&calls, kind);
    try_all(&kind.to_string(), &calls, &all, |fault| {
        let (report, traced) = session_with(kind, &fault.rules(), Some(fault), target);
        let struck = traced.iter().position(|call| call.injected)?;
        Some((judge(kind, fault, &report, &traced, struck, calls.len()), report))
    });
}

/// What is wrong with a run, with all that is known about it; `None` if its fault met no call.
type Tried = Option<(Vec<String>, Report)>;

/// Tries every fault, several at once, and says how many there were.
fn try_all(what: &str, calls: &[Call], faults: &[Fault], one: impl Fn(&Fault) -> Tried + Sync) {
    let (next, unreached) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some((why, report)) = one(fault) else {
                        // Large messages are cut differently each time; the last pieces may be fewer.
                        unreached.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    if !why.is_empty() {
                        let mut failures = failures.lock().unwrap();
                        failures.push(format!("{fault}: {}\n  {report:?}", why.join("; ")));
                    }
                }
            });
        }
    });
    let unreached = unreached.into_inner();
    counted(format_args!(
        "{what}: {} calls, {} faults, of which {unreached} met no such call",
        calls.len(),
        faults.len(),
    ));
    counted(format_args!("{what}: {}", counts(faults)));
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {what}:\n{}", failures.len(), failures.join("\n"));
    assert!(unreached * 5 <= faults.len(), "too many met no such call: {unreached}");
}

/// Rules that strike again and again, by chance, and many at once.
fn on_all_sides(kind: Kind, seed: usize) -> Vec<String> {
    let wait = kind.via;
    let accept = if kind.is_bare() { "accept" } else { "accept4" };
    let rules = [
        format!("recv:EAGAIN%20:seed={seed}"),
        format!("recv:EINTR%10:seed={}", seed * 2),
        format!("recv:chunk=100%40:seed={}", seed * 3),
        format!("send:EAGAIN%20:seed={}", seed * 5),
        format!("send:short=100%40:seed={}", seed * 7),
        format!("{wait}:EINTR%20:seed={}", seed * 11),
        format!("{wait}:spurious%20:seed={}", seed * 13),
        format!("{accept}:EINTR%30:seed={}", seed * 17),
        format!("{accept}:ECONNABORTED%30:seed={}", seed * 19),
        format!("close:EINTR%50:seed={}", seed * 23),
    ];
    rules.into_iter().flat_map(|rule| ["--inject".into(), rule]).collect()
}

/// No client may notice anything.
fn faults_on_all_sides_at_once(kind: Kind) {
    const RUNS: usize = 20;
    let echo = serve("poll", &["echo=127.0.0.1:0"]);
    let mut struck = 0;
    for seed in 1..=RUNS {
        let flags = on_all_sides(kind, seed);
        let (report, traced) = session_with(kind, &flags, None, echo.at(0));
        struck += traced.iter().filter(|call| call.injected).count();
        assert_unnoticed(kind, &report);
        assert!(report.ticks <= MOST_TICKS, "{report:?}");
    }
    counted(format_args!("{kind}: {struck} faults in {RUNS} runs"));
    assert!(struck > 20 * RUNS, "{struck} faults only");
}

#[track_caller]
fn assert_unnoticed(kind: Kind, report: &Report) {
    assert!(report.wrong.is_empty() && report.cut.is_empty(), "{report:?}");
    assert!(report.told_gone.is_empty() && report.stderr.is_empty(), "{report:?}");
    assert!(ended_as_told(kind, report), "{report:?}");
}

#[test]
fn a_program_that_writes_more_than_a_pipe_holds_is_read_to_its_end() {
    const MUCH: usize = 1 << 20;
    let both = "head -c $0 /dev/zero; head -c $0 /dev/zero >&2";
    let output = output_of(Command::new("sh").args(["-c", both, &MUCH.to_string()]));
    assert_eq!((output.stdout.len(), output.stderr.len()), (MUCH, MUCH));
}

/// How long the test waits must not depend on other load of the machine, and valgrind takes long for its report.
#[test]
fn only_a_process_that_sleeps_is_given_up() {
    if !HAS_PROC {
        return skipped("this system does not show what a process does");
    }
    let is_given_up = |script: &str| {
        let mut child = KilledAtEnd(
            Command::new("sh").args(["-c", script]).stdout(Stdio::null()).spawn().unwrap(),
        );
        let (patience, begun) = (Duration::from_millis(300), Instant::now());
        let mut waited = Patience::with(child.0.id(), patience);
        while !waited.is_over() && begun.elapsed() < 5 * patience {
            assert!(child.0.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(2));
        }
        waited.is_over()
    };
    assert!(is_given_up("exec sleep 1000"), "a process that sleeps is given up");
    assert!(!is_given_up("while :; do :; done"), "a process that works is not");
    assert!(!is_given_up("ulimit -t 3; while :; do :; done & wait"), "nor one whose child works");
}

/// Whatever fault is injected, the server uses no memory that is not its own. (valgrind would report it, and there must
/// be no report.)
#[test]
fn valgrind_has_nothing_to_say() {
    if !has_program("valgrind") {
        return;
    }
    if this_system() == System::LinuxMusl {
        return skipped(
            "valgrind puts a library of glibc into the program, which musl cannot load",
        );
    }
    if size_of::<usize>() == 4 {
        return skipped(
            "valgrind needs the symbols of the 32-bit C library, which are not installed",
        );
    }
    let echo = serve("poll", &["echo=127.0.0.1:0"]);
    for kind in [SERVE_SELECT, SERVE_POLL] {
        for flags in [Vec::new(), on_all_sides(kind, 1)] {
            let under = ["valgrind", "-q", "--leak-check=full"].map(Into::into);
            let report = session_at(&TempDir::new(), kind, &flags, &under, None, echo.at(0));
            assert_unnoticed(kind, &report);
        }
    }
}

/// The mechanism of injection is not trusted alone: here strace makes the faults, and the server does not know.
#[test]
fn faults_that_strace_makes_come_to_the_same() {
    if !cfg!(target_os = "linux") {
        return skipped("strace is for Linux");
    }
    if !has_program("strace") {
        return;
    }
    let echo = serve("poll", &["echo=127.0.0.1:0"]);
    let target = echo.at(0);
    for kind in [SERVE_SELECT, SERVE_POLL] {
        let (_, traced) = session_with(kind, &[], None, target);
        let straced = faults::straced(&traced);
        let alone = |log: &str| faults::strace_alone(log, &straced);
        let (report, calls) = straced_session(kind, None, target, alone);
        assert_unnoticed(kind, &report);
        let all = faults::for_strace(&calls, kind);
        try_all(&format!("strace, {kind}"), &calls, &all, |fault| {
            let (report, traced) =
                straced_session(kind, Some(fault), target, |log| fault.strace(log, &straced));
            traced.iter().find(|call| call.injected)?;
            Some((judge_from_outside(kind, fault, &report, &traced, calls.len()), report))
        });
    }
}

/// The same if the affected connection is unknown: it may be any, but only one.
fn judge_from_outside(
    kind: Kind,
    fault: &Fault,
    report: &Report,
    traced: &[Call],
    usual: usize,
) -> Vec<String> {
    let is_one = report.cut.len() + report.told_gone.len() <= 2 && report.cut.len() <= 1;
    let victims = if is_one { &report.cut[..] } else { &[] };
    judge_given(kind, fault, report, traced.len(), usual, [victims, &report.told_gone].concat())
}

fn straced_session(
    kind: Kind,
    fault: Option<&Fault>,
    target: SocketAddr,
    under: impl Fn(&str) -> Vec<String>,
) -> (Report, Vec<Call>) {
    let place = TempDir::new();
    let log = place.file("strace");
    let report = session_at(&place, kind, &[], &under(text(&log)), fault, target);
    (report, calls_in_strace(&std::fs::read_to_string(&log).unwrap(), kind.via))
}

/// How many of each expectation.
fn counts(faults: &[Fault]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for fault in faults {
        *counts.entry(format!("{:?}", fault.expected)).or_default() += 1;
    }
    format!("{counts:?}")
}

/// A session with a server of these flags, and the calls that the server made.
fn session_with(
    kind: Kind,
    rules: &[String],
    fault: Option<&Fault>,
    target: SocketAddr,
) -> (Report, Vec<Call>) {
    let place = TempDir::new();
    let trace = place.file("trace");
    let mut flags = vec!["--trace=json".to_string(), "--trace-to".into(), text(&trace).into()];
    flags.extend_from_slice(rules);
    let report = session_at(&place, kind, &flags, &[], fault, target);
    (report, calls_in(&std::fs::read_to_string(&trace).unwrap()))
}

fn session_at(
    place: &TempDir,
    kind: Kind,
    flags: &[String],
    under: &[String],
    fault: Option<&Fault>,
    target: SocketAddr,
) -> Report {
    let ends_by_itself = fault.is_some_and(|fault| fault.expected == Expected::ServerEnds);
    std::fs::create_dir(place.file("www")).unwrap();
    std::fs::write(place.file("www/file"), session::file()).unwrap();
    let www = place.file("www");
    let directory = www.parent().unwrap();
    Run { kind, flags, under, target, ends_by_itself, directory }.make()
}

/// What is not as it must be in a run.
fn judge(
    kind: Kind,
    fault: &Fault,
    report: &Report,
    traced: &[Call],
    struck: usize,
    usual: usize,
) -> Vec<String> {
    let victims = victims_of(&traced[struck], traced, report);
    judge_given(kind, fault, report, traced.len(), usual, victims)
}

fn judge_given(
    kind: Kind,
    fault: &Fault,
    report: &Report,
    calls: usize,
    usual: usize,
    victims: Vec<&str>,
) -> Vec<String> {
    let mut why = report.wrong.clone();
    if calls > usual + MORE_CALLS {
        why.push(format!("{calls} calls, where {usual} are usual: it spins"));
    }
    if report.ticks > MOST_TICKS {
        why.push(format!("{} ticks of processor time", report.ticks));
    }
    let ended = matches!(fault.expected, Expected::NotStarted | Expected::ServerEnds);
    let has_failed = report.status.and_then(|status| status.code()) == Some(1);
    if has_failed != ended || !ended && !ended_as_told(kind, report) {
        why.push(format!("{:?}", report.status));
    }
    if report.started == (fault.phase == Phase::Starting && ended) {
        why.push("whether it started is wrong".into());
    }
    let harmed = report.cut.iter().filter(|name| !victims.contains(name));
    let harmed: Vec<_> = harmed.collect();
    let may_be_cut = matches!(fault.expected, Expected::ConnectionEnds);
    if !ended && !(harmed.is_empty() && (may_be_cut || report.cut.is_empty())) {
        why.push(format!("cut: {:?}, where it may be {victims:?}", report.cut));
    }
    if let Some(name) = report
        .told_gone
        .iter()
        .find(|name| !(report.cut.contains(name) || may_be_cut && victims.contains(name)))
    {
        why.push(format!("{name} is said to be gone, and is not"));
    }
    // The loop itself has no peer.
    let says_nothing = matches!(fault.expected, Expected::Unnoticed) || kind.is_bare() && !ended;
    let said = report.stderr.contains(&fault.errno);
    if said == says_nothing {
        why.push(if said { "it speaks of it" } else { "it does not say which errno" }.into());
    }
    if report.stderr.lines().count() > 2 {
        why.push("it says too much".into());
    }
    why
}

/// The server ran until it was asked to end, and then ended. (For the bare loop a signal ends the process.)
fn ended_as_told(kind: Kind, report: &Report) -> bool {
    let Some(status) = report.status else { return false };
    let by_signal = status.signal() == Some(Signal::SIGTERM as i32);
    report.was_told_to_end && if kind.is_bare() { by_signal } else { status.success() }
}

/// The client whose connection the call was made on; for a connection that relay makes, the client it is made for.
fn victims_of(struck: &Call, traced: &[Call], report: &Report) -> Vec<&'static str> {
    let client = report.clients.iter().find(|(_, ends)| Some(ends) == struck.ends.as_ref());
    match client {
        Some((name, _)) => vec![*name],
        // Calls on a descriptor that is no client's: relay's other side, while or after it was made.
        None if struck.is_of_relay(traced) => vec!["relay"],
        None => Vec::new(),
    }
}
