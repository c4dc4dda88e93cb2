//! When is a terminal ready?
//!
//! In its usual mode (canonical mode) a terminal is ready when a whole line is: until the newline the terminal driver
//! keeps the letters, so that the user can edit them. Control-D on an empty line makes the terminal ready, and read
//! returns 0, the end of file; the terminal itself stays open. When the other side of a pseudo-terminal is closed, poll
//! reports everything at once.

use std::io;

use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{set_nonblocking, sets_of, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{GVisor, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "tty-readiness",
    claim: "A terminal is ready after a whole line; Control-D makes read return 0.",
    question: "When is a terminal ready?",
    explanation: "A terminal in its usual mode (ICANON; an editor turns it off) collects a line, so that the user can \
        correct it, and becomes readable with the newline. Control-D hands over what was typed so far: on an empty \
        line nothing, so read returns 0, as at an end of file. One loop can therefore watch standard input beside \
        sockets, if it treats 0 as the end and does not wait for single letters.",
    elsewhere: "On macOS poll reports POLLNVAL for /dev/tty, which select can watch; poll can watch a pseudo-terminal.",
    sources: &[
        "poll(2)",
        "pty(7)",
        "termios(3)",
        "POSIX General Terminal Interface",
        "termbox2, issue 31 (macOS: poll and terminals)",
    ],
    related: &["readiness-matrix", "always-ready", "stdio-hides-readiness"],
    words: &["poll", "POLLHUP", "POLLNVAL"],
    predictions: &[&PARTIAL, &LINE, &END, &READ_END, &HANGUP, &HANGUP_SELECT, &READ_HANGUP],
    spoiled_by: "poll:spurious@2",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const PARTIAL: Prediction = Prediction {
    asks: "Two letters were typed, and no newline. What does poll report?",
    choices: &["0", "POLLIN", "POLLNVAL"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const LINE: Prediction = Prediction {
    asks: "Now the newline. What does poll report?",
    choices: &["0", "POLLIN", "POLLNVAL"],
    expect: Expect::on_linux(Expected::Is("POLLIN")),
};

const END: Prediction = Prediction {
    asks: "The line was read. Control-D is typed. What does poll report?",
    choices: &["0", "POLLIN", "POLLHUP", "POLLNVAL"],
    expect: Expect::on_linux(Expected::Is("POLLIN")),
};

const READ_END: Prediction = Prediction {
    asks: "And what does read give after Control-D?",
    choices: &["0", "1", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const HANGUP: Prediction = Prediction {
    asks: "The other side is closed: the terminal is gone. What does poll report for POLLIN|POLLOUT?",
    choices: &["POLLHUP", "POLLIN|POLLHUP", "POLLIN|POLLOUT|POLLERR|POLLHUP", "POLLNVAL"],
    expect: Expect::on_linux(Expected::Is("POLLIN|POLLOUT|POLLERR|POLLHUP"))
        .but(
            &[MacOs],
            Expected::Is("POLLIN|POLLHUP"),
            "poll is built on kqueue, where an end of file is a hang-up",
        )
        .but(&[NetBsd], Expected::Is("POLLHUP"), "POLLHUP excludes the other flags")
        .but(&[GVisor], Expected::Is("POLLOUT"), "it reports nothing for a terminal that is gone"),
};

const HANGUP_SELECT: Prediction = Prediction {
    asks: "And in which of its sets does select leave it?",
    choices: &["r", "rw", "rwx", "none"],
    expect: Expect::on_linux(Expected::Is("rw"))
        .but(&[NetBsd], Expected::Is("rwx"), "select maps any flag to each of its sets")
        .but(&[GVisor], Expected::Is("w"), "it reports nothing for a terminal that is gone"),
};

const READ_HANGUP: Prediction = Prediction {
    asks: "And what does read give on a terminal that is gone?",
    choices: &["0", "EIO", "EBADF"],
    expect: Expect::on_linux(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.say("A thread opens a pseudo-terminal: what is written to one side is typed at the other.");
    let opened = joined(spawn(|| nix::pty::openpty(None, None).map_err(io::Error::from)));
    let Ok(pty) = opened else {
        return Err(Stop::skipped("no pseudo-terminal can be opened here"));
    };
    let (keyboard, terminal) = (Fd::from(pty.master), Fd::from(pty.slave));
    let mut buf = [0; 16];
    // On a system where poll does not report the same, a read would wait.
    set_nonblocking(&keyboard)?;
    set_nonblocking(&terminal)?;

    lab.part("A line");
    write(&keyboard, b"ab")?;
    lab.say("The terminal echoes what was typed: so the terminal has received it.");
    wait_for(&keyboard, POLLIN)?;
    // If the echo has not arrived yet, it arrives later and is ignored.
    let _ = read(&keyboard, &mut buf);
    lab.predict(&PARTIAL);
    lab.observe(answer(&terminal, POLLIN, 0));
    write(&keyboard, b"\n")?;
    lab.predict(&LINE);
    lab.observe(answer(&terminal, POLLIN, 1000));
    let _ = read(&terminal, &mut buf);

    lab.part("Control-D");
    write(&keyboard, b"\x04")?;
    lab.predict(&END);
    lab.observe(answer(&terminal, POLLIN, 1000));
    lab.predict(&READ_END);
    lab.observe(read(&terminal, &mut buf));

    lab.part("The other side is closed");
    close(keyboard)?;
    lab.predict(&HANGUP);
    lab.observe(answer(&terminal, POLLIN | POLLOUT, 1000));
    lab.predict(&HANGUP_SELECT);
    lab.observe(sets_of(&terminal));
    lab.predict(&READ_HANGUP);
    lab.observe(read(&terminal, &mut buf));
    Ok(())
}

/// What poll answers.
fn answer(fd: &Fd, events: PollEvents, timeout_ms: i32) -> Result<PollEvents> {
    let mut rows = [PollFd::new(fd.as_fd(), events)];
    poll(&mut rows, timeout_ms)?;
    Ok(rows[0].revents())
}
