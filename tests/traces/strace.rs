//! The trace equals strace's. The test runs itself again under strace; that second run drives every wrapper
//! with its own trace switched on, and then both are compared, line by line.
#![cfg(linux)]

pub(crate) mod driver;
pub(crate) mod equality;
mod errors;
mod events;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use self::equality::Untold;
use baresock::os::system::{System, this_system};
use baresock::sys::wild::LAB_DIRECTORY;
use baresock::sys::{SIGUSR1, SIGUSR2, SignalSet, sigprocmask};
use baresock::trace::output::{Output, Pace};
use baresock::trace::text::{TextOptions, TextSink};
use baresock::trace::{Tracer, install};

/// Set in the run under strace: the file to write the trace to.
const DRIVE: &str = "BARESOCK_TEST_DRIVE";

#[test]
fn every_line_equals_straces() {
    if let Some(trace_file) = std::env::var_os(DRIVE) {
        return drive(Path::new(&trace_file));
    }
    if !equality::strace_is_usable() {
        return;
    }
    let dir =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("strace-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("place")).unwrap();
    let (trace_file, strace_file) = (dir.join("ours"), dir.join("straces"));
    // Child processes inherit this: of all threads, only the driving one unblocks these signals.
    let before = sigprocmask(&driven_by()).unwrap();
    let output = equality::strace(&strace_file, std::env::current_exe().unwrap())
        .args(["--exact", "strace::every_line_equals_straces", "--nocapture", "--test-threads=1"])
        .env(DRIVE, &trace_file)
        // A lab's process may make the calls that the safe wrappers refuse.
        .env(LAB_DIRECTORY, dir.join("place"))
        .current_dir(dir.join("place"))
        .output()
        .unwrap();
    sigprocmask(&before).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr)
    );

    let read = |file: &Path| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    let (straces, ours) = (read(&strace_file), read(&trace_file));
    let report = equality::compare(&straces, &ours, &trace_file, Untold::default())
        .unwrap_or_else(|difference| panic!("{difference}\nboth traces are in {}", dir.display()));
    crate::support::counted(format_args!(
        "{} calls equal strace's, {} distinct",
        report.calls,
        report.distinct.len()
    ));
    crate::support::counted(format_args!(
        "{} not made, {} of the library",
        report.not_made, report.library
    ));
    crate::support::counted(format_args!("not of the subject: {:?}", report.left_out));
    assert!(report.distinct.len() >= 300, "{} distinct are too few", report.distinct.len());
    let of_musl = this_system() == System::LinuxMusl;
    let is_needed = |rule: &str| match rule {
        // Names with a width are those of 32-bit programs.
        "a_name_has_no_width" => size_of::<usize>() == 4,
        // There a long has no upper half, and the kernel has these two calls.
        "sa_flags_are_an_int" | "send_is_sendto_nobody" | "recv_is_recvfrom_nobody" => {
            size_of::<usize>() == 8
        }
        // musl makes these calls themselves.
        "select_is_pselect6" | "pipe_is_pipe2" => !of_musl,
        _ => true,
    };
    let musls = equality::fold::MUSL_RULES.iter().filter(|_| of_musl);
    for (rule, _) in equality::fold::RULES.iter().filter(|(rule, _)| is_needed(rule)).chain(musls) {
        assert!(report.rules.contains(rule), "nothing needed the rule {rule}");
    }
    let errors = errors::compare(&ours).unwrap_or_else(|wrong| panic!("{wrong}"));
    crate::support::counted(format_args!("{errors}"));
    let same = events::compare(&report.pairs).unwrap_or_else(|wrong| panic!("{wrong}"));
    crate::support::counted(format_args!("{same}"));
    let unexplained = words::unexplained(&ours);
    assert!(unexplained.is_empty(), "explain knows nothing of {unexplained:?}");
    every_harm_is_seen(&straces, &ours, &trace_file);
    fs::remove_dir_all(&dir).unwrap();
}

/// Calls everything, with the trace in `trace_file`. The second thread is there before the trace begins and after it
/// has ended, so that none of its making is in it.
fn drive(trace_file: &Path) {
    let (interrupter, ready) = (driver::Interrupter::new(), driver::Ready::new());
    sigprocmask(&SignalSet::empty()).unwrap();
    let output = Output::new(fs::File::create(trace_file).unwrap(), "a file", Pace::EveryLine);
    let tracing = install(Tracer::new(TextSink::new(output, TextOptions::default())));
    driver::drive(&interrupter, &ready);
    drop(tracing);
}

/// The signals that the driver sends to its own process.
fn driven_by() -> SignalSet {
    SignalSet::empty().with(SIGUSR1).with(SIGUSR2)
}

/// A comparison that finds nothing proves nothing: lines here and there are left out, repeated and changed.
fn every_harm_is_seen(straces: &str, ours: &str, trace_file: &Path) {
    let lines: Vec<&str> = ours.lines().collect();
    let seen = equality::lines::seen(straces, trace_file, Untold::default(), &mut BTreeMap::new());
    let seen = seen.unwrap();
    let is_equal = |lines: &[&str]| equality::walk(&seen, &lines.join("\n")).is_ok();
    assert!(is_equal(&lines));
    // Those without a counterpart can be added as one likes, and a function of the library stands for anything.
    let has_a_mark =
        |line: &str| ["(refused)", "(libc)", "(library)"].iter().any(|mark| line.ends_with(mark));
    for at in (7..lines.len()).step_by(lines.len() / 6).filter(|at| !has_a_mark(lines[*at])) {
        let changed = lines[at].replacen('(', "(1", 1);
        let harms: [(&str, &[&str]); 3] =
            [("left out", &[]), ("invented", &[lines[at], lines[at]]), ("changed", &[&changed])];
        for (harm, instead) in harms {
            let harmed = [&lines[..at], instead, &lines[at + 1..]].concat();
            assert!(!is_equal(&harmed), "{harm} unseen: {}", lines[at]);
        }
    }
}
