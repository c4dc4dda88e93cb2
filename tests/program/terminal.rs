//! Output on a terminal fits its width. (In a file of its own, because programs started by other tests would inherit
//! the descriptors of a terminal.)

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::*;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What the program writes to a terminal of this width.
fn on_a_terminal(columns: u16, arguments: &[&str]) -> String {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = openpty(Some(&size), None).unwrap();
    let mut command = Command::new(BARESOCK);
    command.args(arguments).env("LC_ALL", "C.UTF-8").env("TERM", "xterm").env_remove("NO_COLOR");
    command.stdin(Stdio::null()).stdout(pty.slave).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // It has the terminal as well, which ends when no process has it open any more.
    drop(command);
    let mut shown = Vec::new();
    // On Linux the end is EIO.
    let _ = File::from(pty.master).read_to_end(&mut shown);
    assert!(child.wait().unwrap().success(), "{arguments:?}");
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}

fn width(line: &str) -> usize {
    line.chars().count()
}

/// A call is one line, however long, so that it can be copied, and so is the program's path; the terminal breaks them. All
/// else is broken between words.
#[test]
fn the_tour_breaks_no_word_of_its_prose() {
    let text = on_a_terminal(40, &["--color", "never"]);
    let is_call = |line: &&str| line.contains(") = ") && line.starts_with(char::is_lowercase);
    assert!(text.lines().filter(is_call).count() > 30, "{text}");
    let is_path = |line: &&str| line.trim_start().trim_matches('\'') == BARESOCK;
    assert_eq!(text.lines().filter(is_path).count(), 1, "{text}");
    for line in text.lines().filter(|line| !is_call(line) && !is_path(line)) {
        assert!(width(line) <= 40, "{line}");
    }
    let broken = "-- client A gets all 32,768 bytes back,\n   unchanged\n";
    for part in [broken, "  baresock bare\n      the event loop itself"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let wide = on_a_terminal(120, &[]);
    assert!(wide.contains("\n  baresock bare                    the event loop itself"), "{wide}");
    assert!(wide.contains('\u{1b}'), "a terminal has colours");
}

/// A terminal gets the same lines one by one, with pauses of some seconds in all.
#[test]
fn in_a_pipe_there_are_no_pauses() {
    let took = |run: &dyn Fn()| {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    let piped = (0..3).map(|_| took(&|| assert!(baresock(&[]).status.success()))).min();
    let paused = took(&|| drop(on_a_terminal(80, &[])));
    assert!(piped < Some(paused), "{piped:?} in a pipe, {paused:?} on a terminal");
}

/// Tables fit, and prose is not made wider than is read with ease.
#[test]
fn figures_fit_into_the_terminal() {
    let text = on_a_terminal(120, &["compare", "--quick", "--only", "calls"]);
    assert!(text.lines().all(|line| width(line) <= 120), "{text}");
    let prose = text.lines().skip_while(|line| !line.starts_with("Medians"));
    assert!(prose.clone().all(|line| width(line) <= 100), "{text}");
    assert!(prose.count() > 5, "{text}");
}

/// What cannot be broken is as long as it is: a call, of a lab; a name, an address or a prototype's word.
fn assert_fits(text: &str, columns: usize, arguments: &[&str]) {
    for line in text.lines().filter(|line| width(line) > columns) {
        let is_call = line.starts_with("    ") && line.contains(") = ");
        let is_one_word = line.split_whitespace().count() == 1;
        assert!(is_call || is_one_word, "{arguments:?} on {columns} columns: {line}");
    }
}

/// Prose is not made wider than is read with ease. Where there is no terminal it is for 80 columns.
#[test]
fn pages_are_as_wide_as_the_terminal() {
    let log = TempDir::new();
    let file = log.file("log");
    let call = "recv(3, \"0123456789\", 65536, 0) = 10\n";
    std::fs::write(&file, format!("accept(4, NULL, NULL) = 3\n{}", call.repeat(40))).unwrap();
    let pages: [&[&str]; 10] = [
        &["explain", "EAGAIN", "select", "half-close"],
        &["explain", "--list"],
        &["explain", "send", "receive", "slowly"],
        &["lab", "half-close"],
        &["lab", "half-close", "backlog-n-plus-1"],
        &["lab", "--list"],
        &["lab", "--why"],
        &["lab", "backlog-n-plus-1", "--on", "freebsd"],
        &["host"],
        &["read", text(&file)],
    ];
    for arguments in pages {
        let arguments = &[arguments, &["--color", "never"]].concat()[..];
        let piped = String::from_utf8(baresock(arguments).stdout).unwrap();
        let [narrow, wide] = [20, 132].map(|columns| on_a_terminal(columns, arguments));
        assert_fits(&narrow, 20, arguments);
        assert_fits(&piped, 80, arguments);
        assert_fits(&wide, 132, arguments);
        assert!(narrow.lines().count() > piped.lines().count(), "{arguments:?}");
        assert!(wide.lines().count() <= piped.lines().count(), "{arguments:?}");
    }
    let prose = on_a_terminal(132, &["explain", "EAGAIN", "--color", "never"]);
    let longest = prose.lines().map(width).max();
    assert!(longest.is_some_and(|longest| (81..=100).contains(&longest)), "{prose}");
}

/// Of what crossed and of what was called more is seen where there is more room.
#[test]
fn a_ladder_is_as_wide_as_the_terminal() {
    let place = TempDir::new();
    let file = place.file("log");
    let address = "{sa_family=AF_INET, sin_port=htons(7007), sin_addr=inet_addr(\"127.0.0.1\")}";
    let sent = "connection-oriented";
    let log = format!(
        "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\nconnect(3, {address}, 16) = 0\n\
         send(3, \"{sent}\", 19, MSG_NOSIGNAL) = 19\nclose(3) = 0\n"
    );
    std::fs::write(&file, log).unwrap();
    let arguments = ["ladder", text(&file)];
    for (columns, is_whole) in [(40, false), (80, false), (132, true)] {
        let drawn = on_a_terminal(columns, &arguments);
        let picture = drawn.lines().filter(|line| line.contains(['─', '┄']));
        let longest = drawn.lines().map(width).max().unwrap_or(0);
        assert!(longest <= usize::from(columns).max(60), "{drawn}");
        assert!(picture.clone().count() > 2, "{drawn}");
        assert_eq!(drawn.contains("send(3, \"connection-oriented\") = 19"), is_whole, "{drawn}");
    }
    assert_eq!(on_a_terminal(80, &arguments).as_bytes(), baresock(&arguments).stdout);
}

/// A matrix of the systems is cut between its columns.
#[test]
fn a_table_that_is_too_wide_is_told_in_parts() {
    let arguments = ["lab", "--systems"];
    let piped = String::from_utf8(baresock(&arguments).stdout).unwrap();
    let narrow = on_a_terminal(40, &arguments);
    assert_fits(&narrow, 40, &arguments);
    let heads = |text: &str| text.lines().filter(|line| line.starts_with("lab ")).count();
    assert_eq!((heads(&piped), heads(&narrow)), (1, 4));
    for system in ["FreeBSD", "NetBSD", "OpenBSD", "macOS", "gVisor", "musl", "32-bit"] {
        assert_eq!(narrow.matches(system).count(), piped.matches(system).count(), "{system}");
    }
}

/// At a terminal of its own, typing this at each question.
fn tour_with(answers: &[&str]) -> (String, std::process::ExitStatus) {
    use std::io::Write;
    let pty = openpty(None, None).unwrap();
    let mut command = Command::new(BARESOCK);
    command.args(["--color", "never"]).env("TERM", "xterm").stderr(Stdio::null());
    command.stdin(pty.slave.try_clone().unwrap()).stdout(pty.slave);
    let mut child = KilledAtEnd(command.spawn().unwrap());
    drop(command);
    let mut terminal = File::from(pty.master);
    let (mut shown, mut buffer, mut answers) = (Vec::new(), [0; 1000], answers.iter());
    let mut asked = 0;
    while let Ok(len @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..len]);
        let text = String::from_utf8_lossy(&shown);
        while asked < text.matches("q: quit").count() {
            asked += 1;
            terminal.write_all(answers.next().expect("it asks once more").as_bytes()).unwrap();
        }
    }
    (String::from_utf8(shown).unwrap(), wait_for(&mut child.0))
}

#[test]
fn a_person_at_a_terminal_turns_the_pages_of_the_tour() {
    let (shown, status) = tour_with(&["\n", "q"]);
    assert!(status.success(), "{status}");
    assert!(shown.contains("\n2. A client connects") && !shown.contains("\n3. "), "{shown}");
    let (shown, status) = tour_with(&["a"]);
    assert!(status.success(), "{status}");
    assert!(
        shown.contains("\n10. The server exits") && shown.contains("What to try next"),
        "{shown}"
    );
    let (shown, _) = tour_with(&[" "; 9]);
    assert!(shown.contains("What to try next"), "{shown}");
}

/// A terminal that cannot show colours calls itself dumb, or has no name.
#[test]
fn a_terminal_that_is_dumb_gets_no_colours() {
    for term in [None, Some("dumb"), Some(""), Some("xterm")] {
        let pty = openpty(None, None).unwrap();
        let mut command = Command::new(BARESOCK);
        command.args(["explain", "EAGAIN"]).env_remove("NO_COLOR").env_remove("TERM");
        command.envs(term.map(|name| ("TERM", name)));
        command.stdin(Stdio::null()).stdout(pty.slave).stderr(Stdio::null());
        let mut child = KilledAtEnd(command.spawn().unwrap());
        drop(command);
        let mut shown = Vec::new();
        let _ = File::from(pty.master).read_to_end(&mut shown);
        assert!(wait_for(&mut child.0).success());
        assert_eq!(shown.contains(&0x1b), term == Some("xterm"), "{term:?}");
    }
}

/// Ctrl-C reaches the program and `watch` alike: the program does with it what it does without `watch`, then comes the report,
/// and `watch` ends as the program did.
#[cfg(linux)]
#[test]
fn ctrl_c_is_the_programs_and_the_report_comes_after_it() {
    use std::io::Write;
    let strace = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !strace.is_ok_and(|output| output.status.success()) {
        return missing("strace is not installed, or may not trace here");
    }
    // (A shell that waits for another program would pass over a signal that comes just as that program ends.)
    let dies = "echo ready; exec sleep 1000";
    let handles = "trap 'echo told; exit 5' INT; echo ready; while :; do sleep 0.05; done";
    for (script, code, signal) in [(dies, None, Some(2)), (handles, Some(5), None)] {
        let pty = openpty(None, None).unwrap();
        // The terminal is that of its session, or it would have no process in front.
        let mut command = interruptible("setsid");
        command.args(["--ctty", BARESOCK, "watch", "-q", "--", "bash", "-c", script]);
        command.stdin(pty.slave.try_clone().unwrap());
        command.stdout(pty.slave.try_clone().unwrap()).stderr(pty.slave);
        let mut child = KilledAtEnd(command.spawn().unwrap());
        drop(command);
        let mut terminal = File::from(pty.master);
        let (mut shown, mut buffer, mut typed) = (Vec::new(), [0; 1000], false);
        while let Ok(len @ 1..) = read_in_time(&mut terminal, &mut buffer) {
            shown.extend_from_slice(&buffer[..len]);
            if !typed && String::from_utf8_lossy(&shown).contains("ready\r\n") {
                typed = true;
                terminal.write_all(b"\x03").unwrap();
            }
        }
        let (shown, status) = (String::from_utf8_lossy(&shown), wait_for(&mut child.0));
        assert_eq!((status.code(), status.signal()), (code, signal), "{shown}");
        let (before, report) = shown.split_once("Calls").expect("a report");
        assert!(report.contains("execve") && !report.contains("told"), "{shown}");
        assert_eq!(before.contains("told"), code.is_some(), "{shown}");
    }
}

/// After an interrupt the terminal is as it was: settings, colours, and a cursor.
#[test]
fn an_interrupt_leaves_the_terminal_as_it_was() {
    for arguments in [&[][..], &["compare", "--quick"], &["lab", "--all"], &["lab", "select"]] {
        for after in [1, 300, 2_000] {
            let pty = openpty(None, None).unwrap();
            let before = settings_of(&pty.master);
            let mut command = interruptible(BARESOCK);
            command
                .args(arguments)
                .env("LC_ALL", "C.UTF-8")
                .env("TERM", "xterm")
                .env_remove("NO_COLOR");
            command.stdin(Stdio::null()).stdout(pty.slave.try_clone().unwrap()).stderr(pty.slave);
            let mut child = command.spawn().unwrap();
            drop(command);
            let mut terminal = File::from(pty.master);
            let (mut shown, mut buffer) = (Vec::new(), [0; 100]);
            let mut is_interrupted = false;
            while let Ok(len @ 1..) = read_in_time(&mut terminal, &mut buffer) {
                shown.extend_from_slice(&buffer[..len]);
                if !is_interrupted && shown.len() >= after {
                    is_interrupted = true;
                    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
                }
            }
            let status = child.wait().unwrap();
            assert!(status.success() || status.signal() == Some(2), "{arguments:?}: {status}");
            assert!(settings_of(&terminal) == before, "{arguments:?} after {after}");
            let shown = String::from_utf8_lossy(&shown);
            // The last colour is none; the cursor is not hidden, or shown again.
            let colour = shown.rmatch_indices("\u{1b}[").find(|(at, _)| is_colour(&shown[*at..]));
            assert!(colour.is_none_or(|(at, _)| shown[at..].starts_with("\u{1b}[0m")), "{shown}");
            assert!(shown.rfind("\u{1b}[?25l") <= shown.rfind("\u{1b}[?25h"), "{shown}");
        }
    }
}

/// What a terminal shows next, or 0 or an error at its end; the test fails if the terminal stands still.
fn read_in_time(terminal: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut rows = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
    let limit = PollTimeout::try_from(PATIENCE).unwrap();
    assert_ne!(poll(&mut rows, limit), Ok(0), "the terminal shows no more, and does not end");
    terminal.read(buffer)
}

fn is_colour(escape: &str) -> bool {
    escape[2..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
}
