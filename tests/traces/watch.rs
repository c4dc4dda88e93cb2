//! `baresock watch`: another program under strace keeps its input, its output and its exit status.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use crate::support::{self, BARESOCK, missing, output_of, skipped, with_three_descriptors};

/// What `watch` does with these arguments.
fn watch(arguments: &[&str]) -> Option<Output> {
    usable().then(|| output_of(with_three_descriptors(BARESOCK).arg("watch").args(arguments)))
}

/// Whether strace can trace here.
fn usable() -> bool {
    let strace = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    let works = strace.is_ok_and(|output| output.status.success());
    if !works {
        missing("strace is not installed, or may not trace here");
    }
    works
}

const CLIENT: &str = "exec 3<>/dev/tcp/127.0.0.1/1 || true; echo said";

#[test]
fn a_program_keeps_its_output_and_its_calls_are_shown() {
    let Some(output) = watch(&["--", "bash", "-c", CLIENT]) else { return };
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{err}");
    assert!(out.starts_with("said\n") && out.contains("Calls"), "{out}");
    assert!(err.contains("connect(3, {sa_family=AF_INET, sin_port=htons(1)"), "{err}");
    assert!(err.contains("= -1 ECONNREFUSED (Connection refused)\n"), "{err}");
}

#[test]
fn what_is_shown_can_be_chosen_explained_and_left_out() {
    let Some(only) = watch(&["--only", "connect", "--", "bash", "-c", CLIENT]) else { return };
    let err = String::from_utf8(only.stderr).unwrap();
    let calls: Vec<_> = err.lines().filter(|line| line.contains(") = ")).collect();
    assert!(calls.iter().all(|call| call.starts_with("connect(")), "{err}");
    // Without HOME and SHELL, bash looks up its user, for which libc connects to a name service.
    let to_the_port = calls.iter().filter(|call| call.contains("sin_port=htons(1)"));
    assert_eq!(to_the_port.count(), 1, "{err}");
    let explained = watch(&["--explain", "--", "bash", "-c", CLIENT]).unwrap();
    let explained = String::from_utf8(explained.stderr).unwrap();
    assert!(explained.contains("explain ") || explained.contains("(lab "), "{explained}");
    let quiet = watch(&["-q", "--", "bash", "-c", "exit 0"]).unwrap();
    assert_eq!(String::from_utf8(quiet.stderr).unwrap(), "");
    let json = watch(&["--json", "--", "bash", "-c", CLIENT]).unwrap();
    let out = String::from_utf8(json.stdout).unwrap();
    let report: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert!(report["advice"].is_array(), "{out}");
}

#[test]
fn the_end_of_the_program_is_the_end_of_watch() {
    let Some(exited) = watch(&["-q", "--", "sh", "-c", "exit 7"]) else { return };
    assert_eq!(exited.status.code(), Some(7));
    let killed = watch(&["-q", "--", "sh", "-c", "kill -TERM $$"]).unwrap();
    assert_eq!(killed.status.signal(), Some(15), "{:?}", killed.status);
    let nothing = watch(&["--", "/nonexistent/program"]).unwrap();
    let said = String::from_utf8(nothing.stderr).unwrap();
    assert_eq!(nothing.status.code(), Some(1), "{said}");
    assert!(said.ends_with("baresock: /nonexistent/program: no such file\n"), "{said}");
}

/// A process inherits that its parent ignores SIGCHLD; then the kernel keeps nothing of a child that has ended.
#[test]
fn the_end_is_seen_also_where_the_parent_ignores_its_children() {
    if !usable() {
        return;
    }
    let mut command = Command::new("env");
    command.args(["--ignore-signal=CHLD", BARESOCK, "watch", "-q", "--", "sh", "-c", "exit 3"]);
    let output = output_of(&mut command);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_program_reads_the_input_and_gets_the_signals() {
    if !usable() {
        return;
    }
    let script =
        "trap 'echo told; exit 5' TERM; read line; echo got $line; while :; do sleep 0.05; done";
    let mut command = Command::new(BARESOCK);
    command.args(["watch", "-q", "--", "bash", "-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = support::KilledAtEnd(command.spawn().unwrap());
    child.0.stdin.take().unwrap().write_all(b"a line\n").unwrap();
    let mut out = std::io::BufReader::new(child.0.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "got a line\n");
    baresock::sys::kill(child.0.id(), baresock::sys::SIGTERM).unwrap();
    line.clear();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "told\n");
    // What is left is the report.
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
    assert!(rest.contains("Calls"), "{rest}");
    assert_eq!(support::wait_for(&mut child.0).code(), Some(5));
}

/// A signal that comes before strace has shown a call, and with it the program, is not lost.
#[test]
fn a_signal_that_comes_early_is_forwarded() {
    if !usable() {
        return;
    }
    let place = support::TempDir::new();
    let [begun, may_go] = ["begun", "may go"].map(|name| place.file(name));
    let path = std::env::var("PATH").unwrap();
    let strace = place.file("strace");
    let slow = format!(
        "#!/bin/bash\n: >'{}'\nwhile [ ! -e '{}' ]; do sleep 0.01; done\nPATH='{path}' exec strace \"$@\"\n",
        support::text(&begun),
        support::text(&may_go)
    );
    std::fs::write(&strace, slow).unwrap();
    std::fs::set_permissions(&strace, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new(BARESOCK);
    command.args(["watch", "-q", "--", "sleep", "600"]).stdin(Stdio::null());
    command.env("PATH", format!("{}:{path}", support::text(&place.file(""))));
    let mut child = support::KilledAtEnd(command.spawn().unwrap());
    support::wait_until("strace is started", || begun.exists());
    baresock::sys::kill(child.0.id(), baresock::sys::SIGTERM).unwrap();
    std::fs::write(&may_go, "").unwrap();
    assert_eq!(support::wait_for(&mut child.0).signal(), Some(15));
}

/// The states of another program's sockets are seen while it runs.
#[test]
fn the_states_of_its_sockets_are_shown() {
    if !usable() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; read line <&3; echo $line");
    let mut command = Command::new(BARESOCK);
    command.args(["watch", "--state", "--", "bash", "-c", &script]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = support::KilledAtEnd(command.spawn().unwrap());
    let (mut peer, _) = listener.accept().unwrap();
    let mut err = std::io::BufReader::new(child.0.stderr.take().unwrap());
    let mut shown = String::new();
    // bash waits for an answer, which comes when its connection has been seen.
    while !shown.contains("   ESTABLISHED, 0 unread, 0 unacknowledged\n") {
        let len = std::io::BufRead::read_line(&mut err, &mut shown).unwrap();
        assert!(len > 0, "{shown}");
    }
    peer.write_all(b"answer\n").unwrap();
    std::io::Read::read_to_string(&mut err, &mut shown).unwrap();
    assert!(support::wait_for(&mut child.0).success(), "{shown}");
}

#[test]
fn a_wait_that_attaching_ends_is_marked() {
    if !usable() {
        return;
    }
    if size_of::<usize>() == 4 {
        return skipped(
            "the calls of a 64-bit program have other numbers than those of a 32-bit baresock",
        );
    }
    let compiler = Command::new("cc").arg("--version").output();
    if !compiler.is_ok_and(|output| output.status.success()) {
        return missing("there is no cc");
    }
    let place = support::TempDir::new();
    let program = place.file("waits");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/watch/waits.c");
    let compiled = Command::new("cc").arg("-o").arg(&program).arg(source).status().unwrap();
    assert!(compiled.success());
    for (call, marked) in [
        ("epoll_wait", Some("epoll_wait(")),
        ("recv", Some("recvfrom(")),
        ("waitall", Some("recvfrom(")),
        ("poll", None),
    ] {
        let mut waits = Command::new(&program);
        waits.arg(call).stdout(Stdio::piped());
        let mut waits = support::KilledAtEnd(waits.spawn().unwrap());
        let mut line = String::new();
        let mut out = std::io::BufReader::new(waits.0.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        let pid = waits.0.id().to_string();
        wait_until_it_sleeps(waits.0.id());
        let watched = watch(&["--pid", &pid]).unwrap();
        let shown = String::from_utf8(watched.stderr).unwrap();
        assert!(support::wait_for(&mut waits.0).success());
        assert!(shown.starts_with("baresock: attaching interrupts"), "{shown}");
        let injected = shown.lines().find(|line| line.ends_with(" = ? (INJECTED)"));
        match marked {
            Some(name) => {
                assert!(injected.is_some_and(|line| line.starts_with(name)), "{call}: {shown}");
                assert!(shown.contains("attaching ended this wait"), "{call}: {shown}");
            }
            None => assert_eq!(injected, None, "{call}: {shown}"),
        }
        assert!(shown.contains("\"after\", 5"), "{call}: {shown}");
        let report = String::from_utf8(watched.stdout).unwrap();
        assert!(!report.contains("eintr-not-retried"), "{call}: {report}");
    }
}

/// Until the process waits in a call.
fn wait_until_it_sleeps(pid: u32) {
    let sleeps = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
    };
    // Twice, for what it does before its wait may sleep a moment, too.
    for _ in 0..2 {
        while !sleeps() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn what_is_not_there_is_said_to_be_missing_not_forbidden() {
    if !usable() {
        return;
    }
    // A process that has ended and was waited for.
    let mut ended = Command::new("true").spawn().unwrap();
    ended.wait().unwrap();
    let (pid, gone) = (ended.id().to_string(), format!("process {} was not found", ended.id()));
    for (arguments, said) in [
        (&["--", "/nonexistent/server"][..], "baresock: /nonexistent/server: no such file"),
        (&["--", "no-such-server"], "baresock: no-such-server: not found in PATH"),
        (&["--pid", &pid], &gone),
    ] {
        let output = output_of(Command::new(BARESOCK).arg("watch").args(arguments));
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.contains(said) && !err.contains("not permitted"), "{err}");
    }
}

#[test]
fn without_strace_one_line_says_how_to_get_it() {
    let output =
        output_of(Command::new(BARESOCK).args(["watch", "--", "true"]).env("PATH", "/nonexistent"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("strace"), "{said}");
    let refused = output_of(Command::new(BARESOCK).args(["watch", "--via", "poll", "--", "true"]));
    assert_eq!(refused.status.code(), Some(2));
}
