//! The trace of every lab equals strace's of the same lab, call for call.
#![cfg(linux)]

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;

use crate::strace::equality::{self, Report, Untold};
use baresock::labs::{Lab, all};
use baresock::sys::wild::LAB_DIRECTORY;

/// Labs whose trace cannot equal strace's, and why.
const NOT_COMPARED: &[(&str, &str)] = &[];

/// How many run at a time.
const SIDE_BY_SIDE: usize = 3;

/// What a lab's process tells on its standard output, the handler of the alarm that ends a call which never returns, what
/// a lab and libc do to start a thread (`peers::spawn`) or a process, and the wait for one, which strace shows only if a signal (SIGCHLD) interrupts it.
const BESIDES: Untold<'_> = Untold {
    beginnings: &[
        "write(1, \"{\\\"event\\\"",
        "rt_sigaction(SIGALRM, ",
        "rt_sigaction(SIGRT_1, ",
        "rt_sigprocmask(SIG_UNBLOCK, [RTMIN RT_1], NULL",
        "rt_sigprocmask(SIG_BLOCK, ~[], [",
        "rt_sigprocmask(SIG_BLOCK, [ALRM], [",
        "rt_sigprocmask(SIG_SETMASK, [], NULL",
        "rt_sigprocmask(SIG_SETMASK, [ALRM], NULL",
        "rt_sigprocmask(SIG_SETMASK, [USR1], NULL",
        "rt_sigprocmask(SIG_SETMASK, [USR1 ALRM], NULL",
        "restart_syscall(<... resuming interrupted futex",
    ],
};

#[test]
fn every_lab() {
    if !equality::strace_is_usable() {
        return;
    }
    for (name, why) in NOT_COMPARED {
        assert!(baresock::labs::find(name).is_some(), "there is no lab {name} ({why})");
    }
    let compared = |lab: &&Lab| !NOT_COMPARED.iter().any(|(name, _)| *name == lab.name);
    let waiting: Mutex<VecDeque<&Lab>> = Mutex::new(all().filter(compared).collect());
    let (reports, differences) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(lab) = { waiting.lock().unwrap().pop_front() } {
                    match compare(lab) {
                        Ok(report) => reports.lock().unwrap().push((lab.name, report)),
                        Err(difference) => differences.lock().unwrap().push(difference),
                    }
                }
            });
        }
    });
    let reports = reports.into_inner().unwrap();
    let calls: usize = reports.iter().map(|(_, report)| report.calls).sum();
    let distinct: BTreeSet<_> = reports.iter().flat_map(|(_, report)| &report.distinct).collect();
    crate::support::counted(format_args!(
        "{} labs: {calls} calls equal strace's, {} distinct; left out: {NOT_COMPARED:?}",
        reports.len(),
        distinct.len()
    ));
    let differences = differences.into_inner().unwrap();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    for (lab, report) in reports {
        assert!(report.calls > 0, "{lab} makes no call");
    }
}

fn compare(lab: &Lab) -> Result<Report, String> {
    let name = format!("lab-{}-{}", lab.name, std::process::id());
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    let lab_directory = dir.join("lab");
    fs::create_dir_all(&lab_directory).unwrap();
    let (ours, straces) = (dir.join("ours"), dir.join("straces"));
    let status = equality::strace(&straces, env!("CARGO_BIN_EXE_baresock"))
        .args(["lab", lab.name, "--stage", "--trace-sync", "--trace-to"])
        .arg(&ours)
        .env(LAB_DIRECTORY, &lab_directory)
        .current_dir(&lab_directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .unwrap();
    let read =
        |file: &Path| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned();
    let place = dir.display();
    if !status.success() {
        return Err(format!("{}: {status}; traces are in {place}", lab.name));
    }
    let report = equality::compare(&read(&straces), &read(&ours), &ours, BESIDES)
        .map_err(|difference| format!("{}: {difference}\ntraces are in {place}", lab.name))?;
    fs::remove_dir_all(&dir).unwrap();
    Ok(report)
}
