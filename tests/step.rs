//! `--step`, and the tour: at a terminal the program stops before each call, or after each chapter, and a key says how to
//! go on; and with `--view` a key begins. (In a file of its own, because programs started by other tests would inherit the descriptors of a terminal.)
#![cfg(linux)]
// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, poll};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::*;

/// How long a terminal may show nothing although it should, even on a busy machine.
const PATIENCE_MS: u16 = 30_000;

/// Held while a program is started.
static STARTING: Mutex<()> = Mutex::new(());

/// The program at a terminal that controls it, as setsid(1) gives it one.
struct Session {
    child: KilledAtEnd,
    terminal: File,
    shown: String,
    /// It keeps the terminal's settings when the program has ended.
    slave: OwnedFd,
    before: TerminalSettings,
}

impl Session {
    fn start(arguments: &[&str]) -> Self {
        Self::of(&[&[BARESOCK], arguments].concat())
    }

    /// A shell with job control, as at a prompt, that runs baresock (`$0`).
    fn shell(script: &str) -> Self {
        Self::of(&["sh", "-mc", script, BARESOCK])
    }

    fn of(command_line: &[&str]) -> Self {
        // Between these two another test would start its program with this terminal open.
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let pty = openpty(None, None).unwrap();
        for end in [&pty.master, &pty.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let before = settings_of(&pty.slave);
        let mut command = interruptible("setsid");
        command.args(["--ctty", "--wait"]).args(command_line).env("TERM", "dumb");
        command.stdin(pty.slave.try_clone().unwrap()).stdout(pty.slave.try_clone().unwrap());
        command.stderr(pty.slave.try_clone().unwrap());
        let child = KilledAtEnd(command.spawn().expect("setsid of util-linux starts"));
        let terminal = File::from(pty.master);
        Self { child, terminal, shown: String::new(), slave: pty.slave, before }
    }

    /// The program: setsid becomes it, or starts it if setsid leads a group already.
    fn program(&self) -> Pid {
        let child = self.child.0.id();
        let name = std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap();
        let own = match name.trim() {
            "setsid" => std::fs::read_to_string(format!("/proc/{child}/task/{child}/children"))
                .unwrap()
                .trim()
                .parse()
                .unwrap(),
            _ => child,
        };
        Pid::from_raw(i32::try_from(own).unwrap())
    }

    fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads on until what is shown is as it should be.
    fn until(&mut self, is_right: impl Fn(&str) -> bool) {
        let mut buffer = [0; 4096];
        while !is_right(&self.shown) {
            let mut fds = [PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN)];
            let ready = poll(&mut fds, PATIENCE_MS).unwrap();
            assert!(ready > 0, "nothing more than {:?}", self.shown);
            match self.terminal.read(&mut buffer) {
                Ok(len @ 1..) => {
                    let text = String::from_utf8_lossy(&buffer[..len]).replace('\r', "");
                    self.shown.push_str(&text);
                }
                other => panic!("{other:?} after {}", self.shown),
            }
        }
    }

    fn until_standing_at(&mut self, half: &str) {
        self.until(|shown| shown.ends_with(half));
    }

    /// How the program ended, and all that it showed; the terminal is as it was before.
    fn end(mut self) -> (ExitStatus, String) {
        let status = wait_for(&mut self.child.0);
        assert_eq!(settings_of(&self.slave), self.before, "the terminal's settings");
        drop(self.slave);
        let mut rest = Vec::new();
        // On Linux the end of a terminal is EIO.
        let _ = self.terminal.read_to_end(&mut rest);
        (status, self.shown + &String::from_utf8_lossy(&rest).replace('\r', ""))
    }
}

/// The lines of calls that have returned.
fn calls_of(shown: &str) -> usize {
    shown.lines().filter(|line| line.contains(") = ")).count()
}

#[test]
fn each_of_twenty_keys_makes_one_call() {
    for via in ["select", "poll"] {
        let mut session =
            Session::start(&["lab", "half-close", "--step", "--via", via, "--color", "never"]);
        session.until_standing_at("socket(AF_INET, SOCK_STREAM, IPPROTO_IP");
        // All at once, as an impatient person types.
        session.press(&"n \r\nn".repeat(4));
        // The terminal makes a newline of a carriage return: that is one key, too.
        session.until(|shown| calls_of(shown) == 20 && !shown.ends_with('\n'));
        session.press("c");
        let (status, shown) = session.end();
        assert!(status.success(), "{status}: {shown}");
        assert!(calls_of(&shown) > 21 && shown.contains("as predicted"), "{shown}");
        assert_eq!(shown.matches("Enter, n: make this call").count(), 1, "{shown}");
    }
}

/// From another terminal, where the terminal of the program gets nothing to do with it.
#[test]
fn the_terminal_is_in_order_after_a_signal_too() {
    for arguments in [
        &["bare", "127.0.0.1:0", "--step"][..],
        &["serve", "echo=127.0.0.1:0", "--step"],
        &["lab", "half-close", "--step"],
        &["tour"],
    ] {
        for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGINT] {
            let mut session = Session::start(arguments);
            let found = session.before.clone();
            session.until(|shown| !shown.is_empty());
            // Held while it waits for a key.
            wait_until("the terminal is held", || settings_of(&session.slave) != found);
            kill(session.program(), signal).unwrap();
            let (status, shown) = session.end();
            assert!(!status.success(), "{arguments:?} {signal}: {status}\n{shown}");
        }
    }
}

#[test]
fn a_call_is_explained_and_the_descriptors_are_shown_before_it_is_made() {
    let mut session = Session::start(&["lab", "half-close", "--step", "--color", "never"]);
    session.until_standing_at("IPPROTO_IP");
    session.press("es?\u{1b}[Bdn");
    session.until_standing_at(
        "bind(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"127.0.0.1\")}, 16",
    );
    let shown = session.shown.clone();
    for part in [
        "IPPROTO_IP <unfinished ...>\n    socket: ",
        "No descriptor has been made yet.",
        "This call has no descriptor.",
    ] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
    // At first, for `?`, and for the arrow.
    assert_eq!(shown.matches("Enter, n: make this call").count(), 3, "{shown}");
    session.press("nnnnns");
    session.until(|shown| shown.contains("    3: listener 127.0.0.1:"));
    // On to the close of the listener, past what other descriptors do.
    session.press("q");
    let (status, shown) = session.end();
    assert!(!status.success() && !shown.contains("as predicted"), "{status}: {shown}");
}

#[test]
fn a_key_goes_on_to_the_next_call_of_the_same_descriptor() {
    let mut session = Session::start(&["lab", "half-close", "--step", "--color", "never"]);
    session.until_standing_at("IPPROTO_IP");
    session.press("nnd");
    session.until(|shown| shown.ends_with("getsockname(3") || shown.ends_with("getsockname(3, "));
    session.press("d");
    session.until(|shown| shown.ends_with("accept(3") || shown.ends_with("accept(3, "));
    assert!(session.shown.contains("connect(4, "), "{}", session.shown);
    session.press("c");
    assert!(session.end().0.success());
}

#[test]
fn a_server_stands_and_an_interrupt_ends_it_in_order() {
    for via in ["select", "poll"] {
        let trace = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("step-{via}"));
        let file = trace.to_str().unwrap();
        let arguments = ["serve", "echo=127.0.0.1:0", "--step", "--via", via, "--trace-to", file];
        let mut session = Session::start(&arguments);
        // Until it waits, in the call that this is about.
        let wait = if via == "select" { "\nselect(" } else { "\npoll(" };
        while !session.shown.contains(wait) {
            let known = calls_of(&session.shown);
            session.press("n");
            session.until(|shown| calls_of(shown) > known && !shown.ends_with('\n'));
        }
        let told = session.shown.lines().find_map(|line| line.split_once("listening echo "));
        let address = told.expect(&session.shown).1.split(' ').next().unwrap().to_string();
        let mut client = TcpStream::connect(&address).unwrap();
        client.write_all(b"hello").unwrap();
        session.press("c");
        let mut echoed = [0; 5];
        client.read_exact(&mut echoed).unwrap();
        assert_eq!(&echoed, b"hello");
        drop(client);
        session.press("\u{3}");
        let (status, shown) = session.end();
        assert!(status.success(), "{status}: {shown}");
        let traced = std::fs::read_to_string(&trace).unwrap();
        assert!(traced.contains("\"hello\"") && traced.contains(wait), "{traced}");
    }
}

#[test]
fn an_interrupt_at_a_stop_leaves_the_terminal_as_it_was() {
    for keys in ["\u{3}", "n\u{3}", "q"] {
        let mut session = Session::start(&["serve", "echo=127.0.0.1:0", "--step"]);
        session.until_standing_at("sigaction(SIGHUP, NULL, ");
        session.press(keys);
        let (status, shown) = session.end();
        assert!(!shown.contains("panicked"), "{status}: {shown}");
    }
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    let mut session = Session::start(&["tour", "--step"]);
    session.until(|shown| shown.contains("socket("));
    let Session { mut child, terminal, slave, .. } = session;
    drop((terminal, slave));
    let status = wait_for(&mut child.0);
    assert!(!status.success(), "{status}");
}

/// What the tour says after each chapter.
const TOUR_KEYS: &str = "-- Enter or space: continue; a: show all the rest; q: quit\n";

impl Session {
    fn until_asked(&mut self, times: usize) {
        self.until(|shown| shown.matches(TOUR_KEYS).count() == times);
    }
}

#[test]
fn a_key_turns_the_page_of_the_tour_and_none_is_left_to_the_shell() {
    let then = "\"$0\"; echo \"ended $?\"; read -r line; echo \"the shell has read <$line>\"";
    for (keys, last) in [("q", "3. A message arrives"), ("a", "10. The server exits")] {
        let mut session = Session::shell(then);
        session.until_asked(1);
        session.press(" ");
        session.until_asked(2);
        session.press("\r");
        session.until_asked(3);
        // No key of the tour; it says again which are, and shows neither.
        session.press("x\u{1b}[A");
        session.until_asked(5);
        session.press(&format!("{keys}typed ahead"));
        session.until(|shown| shown.contains("ended 0\n"));
        session.press("later\n");
        let (status, shown) = session.end();
        assert!(status.success() && shown.ends_with("the shell has read <later>\n"), "{shown}");
        assert!(shown.contains(last), "{shown}");
        assert_eq!(shown.contains("4. Two messages"), keys == "a", "{shown}");
        let asked = shown.matches(TOUR_KEYS).count();
        assert_eq!(asked, 5, "{shown}");
    }
}

#[test]
fn the_tour_is_interrupted_stopped_and_continued_as_any_program() {
    let mut session = Session::start(&[]);
    session.until_asked(1);
    session.press("\u{3}");
    let (status, shown) = session.end();
    assert!(!status.success() && !shown.contains("2. A client"), "{status}: {shown}");

    let settings = "stty -a | grep -c -w -e '-icanon' -e '-echo'";
    let script = format!("\"$0\"; echo \"stopped, $({settings})\"; fg; echo \"ended $?\"");
    let mut session = Session::shell(&script);
    session.until_asked(1);
    session.press("\u{1a}");
    session.until(|shown| shown.contains("stopped, "));
    session.press(" ");
    session.until_asked(2);
    session.press("q");
    let (status, shown) = session.end();
    assert!(status.success() && shown.ends_with("ended 0\n"), "{status}: {shown}");
    assert!(shown.contains("stopped, 0\n"), "{shown}");
    assert!(shown.contains("2. A client connects") && !shown.contains("3. "), "{shown}");
}

#[test]
fn a_terminal_that_is_closed_ends_the_tour() {
    let mut session = Session::start(&[]);
    session.until_asked(1);
    let Session { mut child, terminal, slave, .. } = session;
    drop((terminal, slave));
    let status = wait_for(&mut child.0);
    assert!(!status.success(), "{status}");
}

#[test]
fn without_a_terminal_it_is_refused() {
    let refused = |arguments: &[&str]| {
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let output = output_of(Command::new(BARESOCK).args(arguments).stdin(Stdio::null()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        said
    };
    for arguments in
        [&["serve", "echo", "--step"][..], &["tour", "--step"], &["lab", "half-close", "--step"]]
    {
        assert!(refused(arguments).contains("is not a terminal"), "{arguments:?}");
    }
    for arguments in [
        &["watch", "--step", "--", "true"][..],
        &["read", "--step", "/dev/null"],
        &["explain", "--step", "recv"],
        &["compare", "--step"],
        &["lab", "--all", "--step"],
    ] {
        refused(arguments);
    }
}

#[test]
fn enter_begins_a_run_at_which_no_page_looks() {
    for arguments in [&["lab", "half-close"][..], &["tour"]] {
        let view = ["--view", "--color", "never"];
        let mut session = Session::start(&[arguments, &view].concat());
        session.until(|shown| shown.ends_with("or without a page when you press Enter\n"));
        assert!(session.shown.starts_with("view http://127.0.0.1:"), "{}", session.shown);
        session.press("\n");
        let (status, shown) = session.end();
        assert!(status.success(), "{status}: {shown}");
        // It runs to its end without a stop.
        assert!(calls_of(&shown) > 40, "{shown}");
        assert!(!shown.contains("Enter or space"), "{shown}");
    }
}

#[test]
fn ctrl_c_and_ctrl_d_are_heard_while_a_run_waits_for_its_page() {
    let mut session = Session::start(&["lab", "half-close", "--view"]);
    session.until(|shown| shown.ends_with("press Enter\n"));
    session.press("\x03");
    let (status, shown) = session.end();
    assert!(!status.success() && calls_of(&shown) == 0, "{status}: {shown}");
    // Without a further key the run begins.
    let mut session = Session::start(&["lab", "half-close", "--view"]);
    session.until(|shown| shown.ends_with("press Enter\n"));
    session.press("\x04");
    let (status, shown) = session.end();
    assert!(status.success() && shown.contains("as predicted"), "{status}: {shown}");
}
