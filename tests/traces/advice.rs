//! Each advice has a pair of small programs under `tests/advice/`: one has the fault, the other does it right. Both run under
//! strace, and the report on the first has that advice, with the lines that show it, and no other; the report on the
//! second has none.
#![cfg(linux)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use baresock::logs::body::ProcessExit;
use baresock::logs::reader::{LogEvent, LogReader};
use baresock::report::{At, ProcessEnding, Report, Reported, advice};

use crate::support::skipped;

/// The calls that a log needs: those on sockets and descriptors, those that start and end processes, and those that
/// remove files.
const CALLS: &str = "trace=%network,%desc,%process,%signal,unlink,unlinkat";

/// How often a program is run whose result depends on time: another process may have kept the processor.
const ATTEMPTS: usize = 3;

/// The pairs: the advice, and the words that must occur in the lines which show it.
macro_rules! pairs {
    ($( $test:ident: [$($shown:literal),*]; )*) => {
        $(
            #[test]
            fn $test() {
                check(&stringify!($test).replace('_', "-"), &[$($shown),*]);
            }
        )*

        const TESTED: &[&str] = &[$( stringify!($test) ),*];
    };
}

pairs! {
    short_send_dropped: ["sendto", "close"];
    short_recv_as_message: [") = 2", "recvfrom"];
    eof_ignored: ["recvfrom", "recvfrom"];
    spin: ["poll", "poll"];
    eagain_spin: ["EAGAIN", "EAGAIN"];
    writable_always_asked: ["POLLOUT", "POLLOUT"];
    sets_not_rebuilt: ["select6", "select6"];
    timeout_not_rebuilt: ["tv_nsec=50000000", "tv_nsec=0"];
    closed_descriptor_in_set: ["EBADF"];
    beyond_fd_setsize: ["select6(1501"];
    nfds_too_small: ["listen(3", "select6(3"];
    sigpipe_death: ["EPIPE", "+++ killed by SIGPIPE +++"];
    send_after_reset: ["EPIPE", "sendto"];
    one_reset_ends_all: ["ECONNRESET", "exit_group(1)"];
    no_reuseaddr: ["close", "EADDRINUSE"];
    forgot_htons: ["1.0.0.127"];
    loopback_only: ["listen("];
    open_to_all: ["listen("];
    descriptor_leak: ["accept", "recvfrom", "exit_group"];
    never_closed: ["accept", "close", "exit_group"];
    accept_emfile_spin: ["EMFILE", "EMFILE"];
    eintr_not_retried: ["accept", "SIGCHLD", "exit_group(1)"];
    connect_not_checked: ["EINPROGRESS", "ECONNREFUSED"];
    connect_again_after_failure: ["ECONNREFUSED", "connect"];
    nagle_delay: ["sendto", "recvfrom", "recvfrom"];
    one_byte_io: ["\", 1, ", "\", 1, "];
    one_client_blocks_all: ["recvfrom", "\"fast"];
    blocking_accept_after_select: ["poll", "accept"];
    nonblocking_flag_lost: ["accept4", "ASYNC"];
    close_with_unread: ["close", "ECONNRESET"];
    udp_truncated: ["\"a messag\", 8"];
    udp_refused_unseen: ["sendto", "close"];
    unix_file_left: ["bind(", "exit_group"];
    backlog_overflow: ["listen(", "connect"];
    getaddrinfo_first_only: ["connect", "ECONNREFUSED", "exit_group"];
    dns_in_loop: ["/etc/resolv.conf", "poll"];
    inherit_leak: ["socket(", "execve("];
}

/// The servers of textbooks and tutorials, as written from memory of what they do, with the client that brings them down.
#[test]
fn the_classic_servers_are_told_what_ends_them() {
    if !has("strace", "-V") || !has("cc", "--version") {
        return;
    }
    let dir = fresh_dir("classics");
    for (program, expected) in
        [("select-server", "one-reset-ends-all"), ("poll-server", "one-client-blocks-all")]
    {
        let mut attempts = (0..ATTEMPTS).map(|_| log_of("classics", program, &dir));
        let log = attempts.find(|log| !names(&report_on(log)).is_empty()).unwrap_or_default();
        assert_eq!(names(&report_on(&log)), [expected], "{program}");
    }
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn every_advice_has_its_pair() {
    let tested: BTreeSet<_> = TESTED.iter().map(|name| name.replace('_', "-")).collect();
    let known: BTreeSet<_> = advice::ALL.iter().map(|advice| advice.name.to_string()).collect();
    assert_eq!(tested, known);
}

fn check(name: &str, shown: &[&str]) {
    if !has("strace", "-V") || !has("cc", "--version") {
        return;
    }
    let dir = fresh_dir(name);
    let log = log_of(name, "good", &dir);
    for (log, how) in [(&log, "with times"), (&without_times(&log), "without times")] {
        let found = names(&report_on(log));
        assert!(found.is_empty(), "the good program of {name}, {how}, gets {found:?}:\n{log}");
    }
    let mut attempts = (0..ATTEMPTS).map(|_| log_of(name, "bad", &dir));
    let log = attempts.find(|log| !names(&report_on(log)).is_empty());
    let log = log.unwrap_or_else(|| {
        panic!("the bad program of {name} gets no advice; see {}", dir.display())
    });
    let reported = report_on(&log);
    assert_eq!(names(&reported), [name], "the bad program of {name}:\n{log}");
    shows(&reported, shown, &log);
    let timeless = names(&report_on(&without_times(&log)));
    assert!(timeless.iter().all(|found| found == name), "without times: {timeless:?}\n{log}");
    fs::remove_dir_all(&dir).unwrap();
}

fn fresh_dir(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("advice-{name}"));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// The lines that the advice points to must contain what is expected, in the log itself.
fn shows(reported: &Reported, shown: &[&str], log: &str) {
    let evidence = &reported.advice[0].evidence;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(evidence.len(), shown.len(), "{evidence:#?}");
    for (one, expected) in evidence.iter().zip(shown) {
        let line = lines[one.line as usize - 1];
        // If strace writes a call in two lines, its arguments are in the first one.
        let is_told = line.contains(" resumed>") && one.text.contains(expected);
        assert!(line.contains(expected) || is_told, "no {expected} in {line}\nof {evidence:#?}");
    }
}

fn names(reported: &Reported) -> Vec<String> {
    let names: BTreeSet<_> = reported.advice.iter().map(|found| found.advice.to_string()).collect();
    names.into_iter().collect()
}

/// The log that strace writes of one program of a pair.
fn log_of(name: &str, which: &str, dir: &Path) -> String {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/advice");
    let source = match name {
        "classics" => sources.join(format!("classics/{which}.c")),
        _ => sources.join(format!("{name}.{which}.c")),
    };
    let (program, log) = (dir.join(which), dir.join(format!("{which}.log")));
    if !program.exists() {
        let compiled =
            Command::new("cc").args(["-O1", "-o"]).arg(&program).arg(&source).output().unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    }
    let mut strace = Command::new("strace");
    strace.args(["-f", "-ttt", "-T", "-e", CALLS, "-o"]).arg(&log).arg(&program);
    // The program may fail: showing that is its purpose.
    strace.current_dir(dir).output().unwrap();
    String::from_utf8_lossy(&fs::read(&log).unwrap()).into_owned()
}

/// The same log as strace writes it without -ttt and -T.
fn without_times(log: &str) -> String {
    let line = |line: &str| {
        let (pid, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (_, call) = rest.trim_start().split_once(' ').unwrap_or(("", rest));
        let took =
            call.rfind(" <0.").or_else(|| call.rfind(" <1.")).filter(|_| call.ends_with('>'));
        format!("{pid} {}\n", &call[..took.unwrap_or(call.len())])
    };
    log.lines().map(line).collect()
}

fn report_on(log: &str) -> Reported {
    let mut reader = LogReader::new([(log.as_bytes(), 0)]);
    let mut report = Report::new();
    let mut lines = 0;
    let told = reader.read_all(|told, place| {
        let at = At { begun: place.begun, line: place.line, text: place.text };
        lines = place.line;
        match told {
            LogEvent::Call(event) => report.take(event, at),
            LogEvent::Signal { pid, name, .. } => report.take_signal(*pid, name, at),
            LogEvent::Ended { pid, tid, end: ProcessExit::Exited(status) } => {
                report.take_end(*pid, *tid, ProcessEnding::Exited((*status).into()), at);
            }
            LogEvent::Ended { pid, tid, end: ProcessExit::Killed(signal) } => {
                report.take_end(*pid, *tid, ProcessEnding::Killed(signal), at);
            }
            _ => {}
        }
    });
    told.unwrap();
    report.finish(At { line: lines, ..At::default() })
}

/// Whether a program is there. Under CI it must be.
fn has(program: &str, asks: &str) -> bool {
    let is_there =
        Command::new(program).arg(asks).output().is_ok_and(|output| output.status.success());
    assert!(is_there || std::env::var_os("CI").is_none(), "{program} is needed under CI");
    if !is_there {
        skipped(&format!("there is no {program}"));
    }
    is_there
}
