//! `baresock judge`: right programs pass, and of wrong ones exactly those cases fail that their one mistake breaks.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod packets;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use baresock::judge::{JudgeCase, Role, cases, clients};
use baresock::labs;
use serde_json::Value;
use support::{
    BARESOCK, KilledAtEnd, SERVE_POLL, SERVE_SELECT, TempDir, baresock, has_program, output_of,
    starting, text, violations, wait_until,
};

const SCHEMA: &str = include_str!("../judge.schema.json");

/// A wrong program: how it is compiled or called, the role it is judged as, the cases that fail, and a word of the
/// explanation.
struct Wrong {
    mistake: &'static str,
    judged_as: &'static str,
    /// Separated by blanks.
    fails: &'static str,
    /// In the explanation of the first that fails.
    says: &'static str,
}

const fn wrong(
    mistake: &'static str,
    judged_as: &'static str,
    fails: &'static str,
    says: &'static str,
) -> Wrong {
    Wrong { mistake, judged_as, fails, says }
}

/// `tests/judge/server.c`.
const SERVERS_IN_C: &[Wrong] = &[
    wrong("SIGPIPE_ENDS", "echo", "gone-while-answered", "SIGPIPE"),
    wrong("SHORT_SEND", "echo", "slow-reader", "a short send"),
    wrong("EAGAIN_CLOSES", "echo", "slow-reader", "EAGAIN"),
    wrong("STRINGS", "echo", "every-byte-value", "string"),
    wrong("WHOLE_BUFFER", "echo", "answers", "the whole buffer"),
    wrong("FD_SET_UNCHECKED", "echo", "beyond-fd-setsize", "FD_SET"),
    wrong("FIXED_TABLE", "echo", "nine-hundred-at-once", "fewer places for clients"),
    wrong("EMFILE_SPINS", "echo", "out-of-descriptors", "accept fails with EMFILE"),
    wrong("EMFILE_ENDS", "echo", "out-of-descriptors", "EMFILE"),
    wrong("LEAKS_MEMORY", "echo", "descriptors-flat", "allocated"),
    wrong("NO_REUSEADDR", "echo", "restart", "SO_REUSEADDR"),
    wrong("IGNORES_SIGTERM", "echo", "sigterm-ends", "SIGTERM is ignored"),
    wrong("ALWAYS_WRITABLE", "echo", "idle out-of-descriptors", "POLLOUT only while"),
    wrong("URGENT_CLOSES", "echo", "urgent-byte", "exceptfds"),
    wrong("UNBOUNDED", "echo", "never-reads", "without a limit"),
    wrong("UNBOUNDED_BUSY", "echo", "never-reads", "without a limit"),
    wrong("RECV_IS_LINE", "line-echo", "one-in-two", "each recv is taken for a whole message"),
    wrong(
        "SHORT_LINES",
        "line-echo",
        "half-close a-mebibyte gone-while-answered slow-reader never-reads",
        "outside of its memory",
    ),
    wrong(
        "EOF_IGNORED",
        "echo",
        "half-close idle descriptors-flat out-of-descriptors",
        "went on waiting",
    ),
    wrong(
        "LEAKS_DESCRIPTORS",
        "echo",
        "half-close descriptors-flat beyond-fd-setsize out-of-descriptors",
        "forgot to close",
    ),
    wrong(
        "ONE_AT_A_TIME",
        "echo",
        "silence slow-line fifty-at-once reset-idle idle never-reads nine-hundred-at-once beyond-fd-setsize",
        "waits in a blocking call for one client",
    ),
    wrong(
        "RESET_ENDS",
        "echo",
        "reset-idle reset-mid-message reset-in-queue gone-while-answered beyond-fd-setsize",
        "an error of one client",
    ),
];

/// `tests/judge/server.py`: the role in the program comes before the mistake.
const SERVERS_IN_PYTHON: &[Wrong] = &[
    wrong("udp short-buffer", "echo/udp", "largest-datagram", "the buffer is smaller"),
    wrong("udp empty-is-the-end", "echo/udp", "empty-datagram", "recvfrom returned 0"),
    wrong("udp first-sender-only", "echo/udp", "answers", "the first sender"),
    wrong("http one-recv", "http", "http-in-pieces slow-line", "the first recv"),
    wrong("http one-request-per-recv", "http", "http-pipelined", "thrown away"),
    wrong("http claims-to-go-on", "http", "http-keep-alive http-pipelined", "Connection: close"),
    wrong("http no-host-is-fine", "http", "http-no-host", "Host"),
    wrong("http body-is-a-request", "http", "http-post", "the body was left"),
    wrong("http climbs-out", "http", "http-climbing-out", "\"..\""),
    wrong("http head-has-a-body", "http", "http-head", "the body is sent"),
    wrong("http everything-is-found", "http", "http-pipelined http-not-found", "404"),
    wrong("echo text", "echo", "every-byte-value", "decoded"),
    wrong("daytime stays-open", "daytime", "answers", "the end of the connection"),
    wrong("time unix-epoch", "time", "answers", "from 1970"),
    wrong("time host-order", "time", "answers", "htonl"),
];

/// `tests/judge/client.c`.
const CLIENTS_IN_C: &[Wrong] = &[
    wrong("ONE_RECV", "echo", "dribbled large reset", "one recv"),
    wrong("SENDS_FIRST", "echo", "large", "before anything is received"),
    wrong("ERRORS_ARE_ENDS", "echo", "reset", "ECONNRESET"),
    wrong("BUSY", "echo", "never-answered", "again and again"),
    wrong("TRIES_FOREVER", "echo", "refused", "again and again"),
    wrong("SMALL_BUFFER", "echo", "large too-much", "beyond a buffer"),
];

/// `tests/judge/client.py`.
const CLIENTS_IN_PYTHON: &[Wrong] = &[
    wrong("one-recv", "http", "dribbled large", "one recv"),
    wrong("one-recv", "daytime", "dribbled reset", "one recv"),
    wrong("waits-without-a-wait", "http", "never-answered", "again and again"),
];

/// How many judges of this process are at work; each waits most of its time.
static AT_WORK: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// A judge that may be at work, together with some others.
struct Place;

impl Place {
    fn take() -> Self {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let (at_work, left) = &AT_WORK;
        let mut at_work = at_work.lock().unwrap();
        while *at_work >= 2 * cores {
            at_work = left.wait(at_work).unwrap();
        }
        *at_work += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *AT_WORK.0.lock().unwrap() -= 1;
        AT_WORK.1.notify_one();
    }
}

/// Does this with all of them side by side, as far as there are places.
fn side_by_side<T: Sync>(all: &[T], one: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for item in all {
            scope.spawn(|| one(item));
        }
    });
}

fn report(arguments: &[&str]) -> (Value, Output) {
    /// Longer than judge itself gives any case, so that it is judge that says what was too slow.
    const PATIENCE: Duration = Duration::from_secs(600);
    let _place = Place::take();
    // A report may be longer than what a pipe takes before it is read.
    let place = TempDir::new();
    let mut command = Command::new(BARESOCK);
    command.arg("judge").args(arguments).stdin(Stdio::null());
    command.stdout(fs::File::create(place.file("stdout")).unwrap());
    command.stderr(fs::File::create(place.file("stderr")).unwrap());
    let mut judge = KilledAtEnd(command.spawn().unwrap());
    let status = support::ended_within(&mut judge.0, PATIENCE).expect("judge comes to an end");
    let read = |name: &str| fs::read(place.file(name)).unwrap();
    let output = Output { status, stdout: read("stdout"), stderr: read("stderr") };
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let report = serde_json::from_str(&text);
    let report: Value = report.unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
    });
    let schema = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(violations(&schema, &report), [""; 0], "{text}");
    (report, output)
}

fn failed(report: &Value) -> BTreeSet<String> {
    let cases = report["cases"].as_array().unwrap();
    let failed = cases.iter().filter(|case| case["verdict"] == "fail");
    failed.map(|case| case["name"].as_str().unwrap().to_string()).collect()
}

/// Compares the verdict on one wrong program with what is expected.
fn differs(wrong: &Wrong, report: &Value) -> Option<String> {
    let expected: BTreeSet<String> = wrong.fails.split(' ').map(ToString::to_string).collect();
    let failed = failed(report);
    let cases = report["cases"].as_array().unwrap();
    let told = cases.iter().find(|case| case["verdict"] == "fail").map(|case| {
        let part = |name: &str| case["failure"][name].as_str().unwrap().to_string();
        ["expected", "came", "cause", "remedy"].map(part).join(" / ")
    });
    let told = told.unwrap_or_default();
    if failed == expected && told.contains(wrong.says) {
        return None;
    }
    let says = cases.iter().filter(|case| case["verdict"] == "fail").map(ToString::to_string);
    let says: Vec<_> = says.collect();
    Some(format!(
        "{} {}: failed {failed:?}, not {expected:?}; {:?} in {told:?}\n{}",
        wrong.judged_as,
        wrong.mistake,
        wrong.says,
        says.join("\n")
    ))
}

/// Judges all of them.
fn judge_each(wrong: &'static [Wrong], command: impl Fn(&Wrong) -> Vec<String> + Sync) {
    let differing = Mutex::new(Vec::new());
    side_by_side(wrong, |wrong| {
        let command = command(wrong);
        let arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        let (report, output) = report(&arguments);
        assert_eq!(output.status.code(), Some(1), "{}: {report}", wrong.mistake);
        differing.lock().unwrap().extend(differs(wrong, &report));
    });
    let differing = differing.into_inner().unwrap();
    assert!(differing.is_empty(), "\n{}", differing.join("\n\n"));
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judge").join(name)
}

/// Compiles a program with a mistake; `NONE` is the right one.
fn compiled(directory: &TempDir, source_name: &str, mistake: &str, judged_as: &str) -> PathBuf {
    let program = directory.file(&format!("{source_name}-{judged_as}-{mistake}"));
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-w", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]);
    if judged_as == "line-echo" {
        compiler.arg("-DLINES");
    }
    compiler.arg(format!("-DMISTAKE={mistake}")).arg(source(source_name)).arg("-o").arg(&program);
    let output = output_of(&mut compiler);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Whether this test can run here: judge looks into processes, which only Linux allows.
fn can_judge(programs: &[&str]) -> bool {
    support::HAS_PROC && programs.iter().all(|program| has_program(program))
}

const SHORT: [&str; 3] = ["--json", "--timeout", "4"];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn of_wrong_servers_in_c_those_cases_fail_that_the_mistake_breaks() {
    if !can_judge(&["cc"]) {
        return;
    }
    let directory = TempDir::new();
    judge_each(SERVERS_IN_C, |wrong| {
        let program = compiled(&directory, "server.c", wrong.mistake, wrong.judged_as);
        words(&[&SHORT[..], &[wrong.judged_as, "--", text(&program), "{port}"]].concat())
    });
}

#[test]
fn of_wrong_servers_in_python_those_cases_fail_that_the_mistake_breaks() {
    if !can_judge(&["python3"]) {
        return;
    }
    judge_each(SERVERS_IN_PYTHON, |wrong| {
        let (role, mistake) = wrong.mistake.split_once(' ').unwrap();
        let program = source("server.py");
        let command = ["--", "python3", text(&program), role, mistake, "{port}", "{dir}"];
        words(&[&SHORT[..], &[wrong.judged_as], &command].concat())
    });
}

#[test]
fn of_wrong_clients_those_cases_fail_that_the_mistake_breaks() {
    if !can_judge(&["cc", "python3"]) {
        return;
    }
    let program = source("client.py");
    judge_each(CLIENTS_IN_PYTHON, |wrong| {
        let at = if wrong.judged_as == "http" { "{url}" } else { "{port}" };
        let command = ["--", "python3", text(&program), wrong.mistake, at];
        words(&[&SHORT[..], &["client", wrong.judged_as], &command].concat())
    });
    let directory = TempDir::new();
    judge_each(CLIENTS_IN_C, |wrong| {
        let program = compiled(&directory, "client.c", wrong.mistake, wrong.judged_as);
        words(&[&SHORT[..], &["client", wrong.judged_as, "--", text(&program), "{port}"]].concat())
    });
}

/// Everything passes, or is not asked for a reason.
fn assert_passes(arguments: &[&str]) {
    let (report, output) = report(&[&["--json"], arguments].concat());
    let failing: Vec<_> = report["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["verdict"] == "fail")
        .map(ToString::to_string)
        .collect();
    assert!(failing.is_empty(), "{arguments:?}\n{}", failing.join("\n"));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {report}");
    let asked = report["passed"].as_u64().unwrap();
    assert!(asked >= report["not_asked"].as_u64().unwrap(), "{report}");
}

#[test]
fn right_programs_pass() {
    if !can_judge(&["cc", "python3"]) {
        return;
    }
    let directory = TempDir::new();
    let echo = compiled(&directory, "server.c", "NONE", "echo");
    let lines = compiled(&directory, "server.c", "NONE", "line-echo");
    let client = compiled(&directory, "client.c", "NONE", "echo");
    let (server, client_in_python) = (source("server.py"), source("client.py"));
    let (server, client_in_python) = (text(&server), text(&client_in_python));
    let mut all = vec![
        vec!["echo", "--", text(&echo), "{port}"],
        vec!["line-echo", "--", text(&lines), "{port}"],
        vec!["client", "echo", "--", text(&client), "{port}"],
        vec!["client", "http", "--", "python3", client_in_python, "none", "{url}"],
        vec!["client", "daytime", "--", "python3", client_in_python, "none", "{port}"],
    ];
    for role in ["echo", "daytime", "time", "chat", "http", "udp"] {
        let judged_as = if role == "udp" { "echo/udp" } else { role };
        all.push(vec![judged_as, "--", "python3", server, role, "none", "{port}", "{dir}"]);
    }
    side_by_side(&all, |arguments| assert_passes(arguments));
}

fn our_services_pass(via: &str) {
    if !support::HAS_PROC {
        return;
    }
    let mut all = vec![vec!["echo", "--", BARESOCK, "bare", "127.0.0.1:{port}", "--via", via]];
    for (judged_as, service) in [
        ("echo", "echo={port}"),
        ("echo", "echo=[::1]:{port}"),
        ("echo", "echo=unix:{path}"),
        ("discard", "discard={port}"),
        ("chargen", "chargen={port}"),
        ("daytime", "daytime={port}"),
        ("time", "time={port}"),
        ("chat", "chat={port}"),
        ("http", "http={port},root={dir}"),
        ("relay", "relay={port},to={to}"),
        ("echo/udp", "echo/udp={port}"),
    ] {
        all.push(vec![judged_as, "--", BARESOCK, "serve", service, "--via", via]);
    }
    side_by_side(&all, |arguments| assert_passes(arguments));
}

/// The path of a socket has room for about a hundred bytes, and TMPDIR may be longer.
#[test]
fn a_socket_finds_a_place_also_where_the_directory_for_short_has_a_long_name() {
    let directory = TempDir::new();
    let long = directory.file(&"long".repeat(30));
    fs::create_dir(&long).unwrap();
    let mut judge = Command::new(BARESOCK);
    judge.args(["judge", "echo", "--only", "answers", "--", BARESOCK, "serve", "echo=unix:{path}"]);
    let output = output_of(judge.env("TMPDIR", &long));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    // And a directory that is not there is named.
    let output = output_of(judge.env("TMPDIR", "/nonexistent"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("mkdir /nonexistent/") && said.contains("set TMPDIR"), "{said}");
}

#[test]
fn our_services_pass_over_select() {
    our_services_pass("select");
}

#[test]
fn our_services_pass_over_poll() {
    our_services_pass("poll");
}

/// A command line for a server that does something bad.
fn awful<'a>(server: &'a str, role: &'a str, mistake: &'a str) -> Vec<&'a str> {
    vec!["--timeout", "1", "echo", "--", "python3", server, role, mistake, "{port}"]
}

#[test]
fn what_a_judged_program_has_started_is_gone_afterwards() {
    if !can_judge(&["cc", "python3"]) {
        return;
    }
    let directory = TempDir::new();
    let server = directory.file("server.py");
    fs::copy(source("server.py"), &server).unwrap();
    let only = ["--json", "--only", "answers,every-byte-value,half-close,sigterm-ends"];
    for (mistake, status) in
        [("double-fork", 0), ("forks-on", 0), ("ignores-sigterm", 1), ("never-listens", 3)]
    {
        let (report, output) =
            report(&[&only[..], &awful(text(&server), "echo", mistake)].concat());
        assert_eq!(output.status.code(), Some(status), "{mistake}: {report}");
        assert_eq!(processes_with(text(&server)), 0, "{mistake}");
    }
    for mistake in ["HANGS", "FLOODS", "CLOSES_PORT"] {
        let program = compiled(&directory, "server.c", mistake, "echo");
        let command = ["--timeout", "1", "echo", "--", text(&program), "{port}"];
        let (report, output) = report(&[&only[..], &command].concat());
        assert_eq!(output.status.code(), Some(1), "{mistake}: {report}");
        assert_eq!(processes_with(text(&program)), 0, "{mistake}");
    }
}

#[test]
fn a_judge_that_is_ended_ends_what_it_has_started() {
    if !can_judge(&["python3"]) {
        return;
    }
    for signal in [nix::sys::signal::SIGTERM, nix::sys::signal::SIGKILL] {
        for mistake in ["none", "double-fork", "forks-on"] {
            ends_with_its_judge(signal, mistake);
        }
    }
}

fn ends_with_its_judge(signal: nix::sys::signal::Signal, mistake: &str) {
    let directory = TempDir::new();
    let server = directory.file("server.py");
    fs::copy(source("server.py"), &server).unwrap();
    let mut judge = Command::new(BARESOCK);
    // It does not come to an end by itself.
    judge.args(["judge", "--only", "answers", "--repeat", "1000000"]);
    judge.args(awful(text(&server), "echo", mistake));
    judge.env("TMPDIR", directory.file("")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut judge = KilledAtEnd(judge.spawn().unwrap());
    // sh has become python. Of the two that fork twice the first goes on, and the last.
    let most = if mistake == "none" { 1 } else { 2 };
    wait_until("the server runs", || processes_with(text(&server)) >= most);
    let pid = nix::unistd::Pid::from_raw(judge.0.id() as i32);
    nix::sys::signal::kill(pid, signal).unwrap();
    support::wait_for(&mut judge.0);
    let left = || {
        let files = fs::read_dir(directory.file("")).unwrap().filter(|entry| {
            entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("baresock-judge")
        });
        (processes_with(text(&server)), files.count())
    };
    if signal == nix::sys::signal::SIGKILL {
        // It is another process that cleans up then, a moment later.
        wait_until("everything is gone", || left() == (0, 0));
    }
    assert_eq!(left(), (0, 0), "{signal} {mistake}");
}

/// How many processes have this text in their command line, apart from judges.
fn processes_with(words: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.contains(words) && !line.contains("\0judge\0")).count()
}

#[test]
fn a_server_that_runs_is_judged_too() {
    for kind in [SERVE_SELECT, SERVE_POLL] {
        let server = starting(kind).start();
        let address = server.address().to_string();
        let pid = server.pid().to_string();
        assert_passes(&["echo", &address, "--pid", &pid]);
        let (report, output) = report(&["--json", "--only", "idle,answers", "echo", &address]);
        assert_eq!(output.status.code(), Some(0), "{report}");
        let idle = &report["cases"][1];
        assert_eq!(idle["verdict"], "not asked");
        assert!(idle["why"].as_str().unwrap().contains("--pid"), "{idle}");
    }
}

#[test]
fn a_running_http_server_and_a_running_relay_are_judged_too() {
    let kind = SERVE_POLL;
    let root = TempDir::new();
    let server = starting(kind).serving("http", &format!(",root={}", text(&root.file("")))).start();
    assert_passes(&["http", &server.address().to_string(), "--root", text(&root.file(""))]);
    assert_eq!(fs::read_dir(root.file("")).unwrap().count(), 0, "judge's files are left");
    let to = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = starting(kind).serving("relay", &format!(",to={to}")).start();
    assert_passes(&["relay", &server.address().to_string(), "--to", &to]);
}

#[test]
fn each_case_has_its_lab_and_its_name_and_each_role_begins_with_answers() {
    let names = |all: &[&JudgeCase], role: Role| -> Vec<&str> {
        all.iter().filter(|case| case.of.contains(&role)).map(|case| case.name).collect()
    };
    for case in cases::ALL.iter().chain(clients::ALL) {
        assert!(labs::find(case.lab).is_some(), "{}: there is no lab {}", case.name, case.lab);
        assert!(case.question.ends_with('?') && case.points > 0, "{}", case.name);
    }
    for (all, roles) in [(cases::ALL, Role::ALL), (clients::ALL, Role::OF_CLIENTS)] {
        for role in roles {
            let names = names(all, *role);
            assert_eq!(names[0], "answers", "{role}");
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{role}");
        }
    }
}

#[test]
fn a_failure_is_told_with_its_ladder_cause_remedy_and_lab() {
    if !can_judge(&["cc"]) {
        return;
    }
    let directory = TempDir::new();
    let program = compiled(&directory, "server.c", "STRINGS", "echo");
    let (junit, points) = (directory.file("junit.xml"), directory.file("points"));
    fs::write(&points, "every-byte-value 7 # much\n").unwrap();
    let arguments = ["judge", "echo", "--only", "answers,every-byte-value", "--timeout", "1"];
    let files = ["--junit", text(&junit), "--points", text(&points), "--repeat", "2"];
    let command = ["--", text(&program), "{port}"];
    let output = baresock(&[&arguments[..], &files, &command].concat());
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    for part in [
        "FAIL       every-byte-value       0 of 7",
        "  question       Does it handle bytes of every value",
        "  sent           256 bytes in all, which begin with",
        "──▶",
        "usual cause",
        "string",
        "baresock lab no-message-boundaries",
        "1 passed, 1 failed, 0 not asked: 2 of 9 points",
    ] {
        assert!(told.contains(part), "{part:?} in\n{told}");
    }
    assert_eq!(String::from_utf8_lossy(&output.stderr), "baresock: 1 of 2 cases failed\n");
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
    assert!(xml.contains("<failure type=\"silent\""), "{xml}");
    let output = baresock(&[&arguments[..], &["--markdown"], &command].concat());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("# echo: `") && told.contains("| `every-byte-value` |"), "{told}");
}

#[test]
fn watch_adds_what_the_calls_show() {
    if !can_judge(&["cc", "strace"]) {
        return;
    }
    let directory = TempDir::new();
    let program = compiled(&directory, "server.c", "EMFILE_SPINS", "echo");
    let command = ["--", text(&program), "{port}"];
    let (report, _) = report(
        &[&["--json", "--watch", "--only", "out-of-descriptors", "echo"], &command[..]].concat(),
    );
    let advice = report["cases"][0]["failure"]["advice"].as_array().unwrap();
    let advice: Vec<_> = advice.iter().map(|line| line.as_str().unwrap()).collect();
    assert!(advice.iter().any(|line| line.starts_with("accept-emfile-spin")), "{report}");
}

#[test]
fn a_class_is_a_table_and_comma_separated_values() {
    if !can_judge(&["cc"]) {
        return;
    }
    let directory = TempDir::new();
    for (name, mistake) in [("ada", "NONE"), ("bob", "STRINGS")] {
        fs::create_dir(directory.file(name)).unwrap();
        let program = compiled(&directory, "server.c", mistake, "echo");
        fs::copy(program, directory.file(name).join("run")).unwrap();
    }
    let only = ["--only", "answers,every-byte-value", "--timeout", "1", "--jobs", "2"];
    let output =
        baresock(&[&["judge", "echo", "--each", text(&directory.file(""))], &only[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "name     points  failed\nada         4/4  -\nbob         2/4  every-byte-value\n\n\
         name,points,of,not judged,answers,every-byte-value\nada,4,4,,pass,pass\nbob,2,4,,pass,fail\n"
    );
}

#[test]
fn what_is_wrong_with_a_command_line_is_said() {
    for (arguments, said) in [
        ("echo", "write where the server is (ADDR), or how it is started (-- COMMAND)"),
        ("nosuch 7007", "'nosuch' is none of: echo, line-echo"),
        ("client chat -- x", "'chat' is none of: echo, line-echo, daytime, http"),
        ("client", "write what the client is to be"),
        ("echo 7007 -- x", "not both"),
        ("echo 192.0.2.1:7", "--anywhere"),
        ("http 7007", "--root DIR is missing"),
        ("relay 7007", "--to HOST:PORT is missing"),
        ("echo 7007 --only nosuch", "there is no case 'nosuch' for echo"),
        ("echo 7007 --via poll", "--via does not go here"),
        ("echo 7007 --watch", "only a program that judge starts can be watched"),
        ("echo 7007 --list", "--list shows the cases of a role: no ADDR"),
    ] {
        let all: Vec<&str> = std::iter::once("judge").chain(arguments.split(' ')).collect();
        let output = baresock(&all);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
        assert!(error.contains(said) && error.lines().count() == 1, "{arguments}: {error}");
    }
}

#[test]
fn what_does_not_run_is_not_judged() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = baresock(&["judge", "echo", &format!("127.0.0.1:{free}")]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("ECONNREFUSED"));
    let output = baresock(&["judge", "echo", "--", "sh", "-c", "echo why; exit 4"]);
    assert_eq!(output.status.code(), Some(3));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("status 4") && told.contains("why"), "{told}");
}

/// A program that only writes its port to a file, and another process that listens at that port.
#[test]
fn the_listener_of_another_program_is_not_judged() {
    if !can_judge(&[]) {
        return;
    }
    let place = TempDir::new();
    let port = place.file("port");
    let script = format!("echo $PORT >{0}.new; mv {0}.new {0}; exec sleep 600", text(&port));
    thread::scope(|scope| {
        let judged = scope.spawn(|| {
            let _place = Place::take();
            baresock(&["judge", "--only", "answers", "echo", "--", "sh", "-c", &script])
        });
        wait_until("the program writes its port", || port.exists());
        let port: u16 = fs::read_to_string(&port).unwrap().trim().parse().unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        let output = judged.join().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(said.contains("another program listens there"), "{said}");
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "judge has connected to it");
    });
}

#[test]
fn the_list_has_every_case() {
    let output = baresock(&["judge", "--list"]);
    let told = String::from_utf8(output.stdout).unwrap();
    for case in cases::ALL.iter().chain(clients::ALL) {
        assert!(told.lines().any(|line| line.starts_with(case.name)), "{}", case.name);
    }
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let output = baresock(&["judge", "--list", "client", "http"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("dribbled"));
}
