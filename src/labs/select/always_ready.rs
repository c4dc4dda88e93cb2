//! Why does select use 100 % of the processor?
//!
//! Because something in its sets is always ready. Files and directories are, by definition. An idle socket is writable,
//! and a socket whose end of file the program has read but ignored stays readable: select returns at once, each time.

use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{millis, only, sets_of};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::machine::processor_time;
use crate::os::system::System::MacOs;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "always-ready",
    claim: "Files, idle sockets in writefds and an ignored end of file are always ready.",
    question: "Why does select use 100 % of the processor?",
    explanation: "Ready means that a call would not wait, not that there is something to do. Ask for writability only \
        while you have unsent bytes, take a descriptor out of the sets after you have read its end of file, and do not \
        watch files at all: a read of a file may wait for the disk, and readiness does not show that.",
    elsewhere: "On macOS poll reports POLLNVAL for devices such as /dev/null; select can watch them (its poll(2)).",
    sources: &[
        "select(2)",
        "poll(2)",
        "POSIX select (regular files are always ready)",
        "gVisor: UnpollableFile",
    ],
    related: &["select-eats-its-sets", "partial-send", "emfile-accept-spin"],
    words: &["select", "POLLOUT"],
    predictions: &[
        &FILE,
        &DIRECTORY,
        &DEVICE,
        &IDLE_WRITER,
        &SPIN,
        &NOTHING_OWED,
        &IGNORED_END,
        &SAME_SPIN,
    ],
    spoiled_by: "select:EBADF@1+",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

/// How many turns are shown.
const TURNS: usize = 3;
/// How much processor time the untraced loop uses. (The load of the machine changes how long that lasts by the clock,
/// but not how many turns the loop makes.)
const A_WHILE: Duration = Duration::from_millis(50);

const FILE: Prediction = Prediction {
    asks: "A file without a byte in it: in which of the sets r, w and x does it stay?",
    choices: &["none", "w", "rw", "rwx"],
    expect: Expect::on_linux(Expected::Is("rw")).but(&[MacOs], Expected::Is("rwx"), "a file without readiness is in every set; read in HFS, because the source of APFS is closed"),
};

const DIRECTORY: Prediction = Prediction {
    asks: "And a directory?",
    choices: &["none", "r", "rw", "EBADF"],
    expect: Expect::on_linux(Expected::Is("rw")).but(&[MacOs], Expected::Is("rwx"), "a file without readiness is in every set; read in HFS, because the source of APFS is closed"),
};

const DEVICE: Prediction = Prediction {
    asks: "And /dev/null?",
    choices: &["none", "w", "rw", "EBADF"],
    expect: Expect::on_linux(Expected::Is("rw")).but(
        &[MacOs],
        Expected::Is("rwx"),
        "a file without readiness is in every set",
    ),
};

const IDLE_WRITER: Prediction = Prediction {
    asks: "Neither side sends anything. Three turns with the socket in writefds, each may wait a second: how many do not wait?",
    choices: &["0", "1", "3"],
    expect: Expect::everywhere(Expected::Is("3")),
};

/// A fast machine turns 30,000 times.
const SPIN: Prediction = Prediction {
    asks: "The same loop on a thread, without a trace: how many turns does it make in 50 ms of processor time?",
    choices: &["0 to 99", "100 to 999", "at least 1000"],
    expect: Expect::on_linux(Expected::AtLeast(1000, "")),
};

const NOTHING_OWED: Prediction = Prediction {
    asks: "There are no unsent bytes, so the socket is only in readfds. What does a select of 50 ms return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const IGNORED_END: Prediction = Prediction {
    asks: "The peer has closed, recv gave 0 and was ignored. Of three more turns, how many do not wait?",
    choices: &["0", "1", "3"],
    expect: Expect::everywhere(Expected::Is("3")),
};

const SAME_SPIN: Prediction = Prediction {
    asks: "And how many turns does that loop make in 50 ms of processor time?",
    ..SPIN
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("Files are always ready");
    lab.say("Descriptors of three kinds, which std opens, so that no trace shows it.");
    let path = lab.directory().join("empty");
    let file = open(OpenOptions::new().read(true).write(true).create_new(true), &path)?;
    lab.predict(&FILE);
    lab.observe(sets_of(&file));
    fs::remove_file(&path)?;
    let directory = Fd::from(OwnedFd::from(File::open(lab.directory())?));
    lab.predict(&DIRECTORY);
    lab.observe(sets_of(&directory));
    let device = open(OpenOptions::new().read(true).write(true), Path::new("/dev/null"))?;
    lab.predict(&DEVICE);
    lab.observe(sets_of(&device));

    lab.part("The broken way: ask for writability without unsent bytes");
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.predict(&IDLE_WRITER);
    let mut at_once = 0;
    for _ in 0..TURNS {
        at_once += usize::from(turn(&a, Asks::Writing) == Ok(1));
    }
    lab.observe(at_once);
    lab.predict(&SPIN);
    let (turned, a) = turns(a, Asks::Writing)?;
    lab.observe(turned);

    lab.part("The right way: ask only while there are unsent bytes");
    lab.predict(&NOTHING_OWED);
    let mut readable = only(&a)?;
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(50))));

    lab.part("The broken way: an end of file that stays in the set");
    close(c)?;
    recv(&a, &mut [0; 8], MsgFlags::NONE)?;
    lab.predict(&IGNORED_END);
    let mut at_once = 0;
    for _ in 0..TURNS {
        at_once += usize::from(turn(&a, Asks::Reading) == Ok(1));
    }
    lab.observe(at_once);
    lab.predict(&SAME_SPIN);
    let (turned, _a) = turns(a, Asks::Reading)?;
    lab.observe(turned);
    lab.say("The right way: after recv has returned 0, take the descriptor out of the set, and close it when no bytes \
        are left to send.");
    Ok(())
}

/// What a turn of the loop asks for.
#[derive(Clone, Copy)]
enum Asks {
    Reading,
    Writing,
}

/// One turn. It may wait for a second.
fn turn(fd: &Fd, asks: Asks) -> Result<usize> {
    let mut set = only(fd).map_err(|_| Errno::EINVAL)?;
    let nfds = set.nfds();
    let set = Some(&mut set);
    let (r, w) = match asks {
        Asks::Reading => (set, None),
        Asks::Writing => (None, set),
    };
    select(nfds, r, w, None, Some(&mut millis(1000)))
}

/// How many turns the loop makes in this time, on a thread, which is not traced and returns the descriptor. (The main
/// thread waits for that thread, and uses no processor time.)
fn turns(fd: Fd, asks: Asks) -> std::result::Result<(usize, Fd), Stop> {
    joined(spawn(move || {
        let mut turns = 0;
        let end = processor_time() + A_WHILE;
        while turn(&fd, asks) == Ok(1) && processor_time() < end {
            turns += 1;
        }
        Ok::<_, Stop>((turns, fd))
    }))
}

/// A file, owned so that its close is in the trace.
fn open(how: &OpenOptions, path: &Path) -> std::io::Result<Fd> {
    Ok(Fd::from(OwnedFd::from(how.open(path)?)))
}
