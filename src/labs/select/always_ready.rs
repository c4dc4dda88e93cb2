//! Why does select take all of the processor?
//!
//! Because something in its sets is always ready. Files and directories are, by definition. A socket that nobody has
//! anything to send on is writable, and an end of file that was read and not acted upon stays readable: select returns at
//! once, each time.

use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Instant;

use crate::labs::run::{Outcome, Run};
use crate::labs::scene::{millis, only, sets_of};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "always-ready",
    claim: "Files, idle sockets in writefds and an ignored end of file are always ready.",
    question: "Why does select take all of the processor?",
    explanation: "Ready means that the call would not wait, not that there is something to do. Ask for writability only \
        while something is owed to the peer, take a descriptor out of the sets once its end of file was read, and do not \
        ask about files at all: reading one waits for the disk, and no readiness tells of that.",
    elsewhere: "poll on macOS answers POLLNVAL for devices such as /dev/null; select can watch them (its poll(2)).",
    sources: &["select(2)", "poll(2)", "POSIX select (regular files are always ready)"],
    related: &["select-eats-its-sets", "partial-send", "emfile-accept-spin"],
    words: &["select", "POLLOUT"],
    predictions: &[&FILE, &DIRECTORY, &DEVICE, &IDLE_WRITER, &NOTHING_OWED, &IGNORED_END],
    spoiled_by: "select:EBADF@1+",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const TURNS: usize = 10;

const FILE: Prediction = Prediction {
    asks: "A file without a byte in it: in which of the sets r, w and x does it stay?",
    choices: &["none", "w", "rw", "rwx"],
    expect: Expect::on_linux(Expected::Is("rw")),
};

const DIRECTORY: Prediction = Prediction {
    asks: "And a directory?",
    choices: &["none", "r", "rw", "EBADF"],
    expect: Expect::on_linux(Expected::Is("rw")),
};

const DEVICE: Prediction = Prediction {
    asks: "And /dev/null?",
    choices: &["none", "w", "rw", "EBADF"],
    expect: Expect::on_linux(Expected::Is("rw")),
};

const IDLE_WRITER: Prediction = Prediction {
    asks: "Nobody sends anything. Ten turns with the socket in writefds, each may wait a second: how many do not wait?",
    choices: &["0", "1", "10"],
    expect: Expect::everywhere(Expected::Is("10")),
};

const NOTHING_OWED: Prediction = Prediction {
    asks: "Nothing is owed, so it is only asked for reading. What does a select of 50 ms return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const IGNORED_END: Prediction = Prediction {
    asks: "The peer has closed, recv gave 0 and was ignored. Of ten more turns, how many do not wait?",
    choices: &["0", "1", "10"],
    expect: Expect::everywhere(Expected::Is("10")),
};

fn run(lab: &mut Run<'_>) -> Outcome {
    lab.part("What has no readiness is always ready");
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

    lab.part("The broken way: writability, though nothing is owed");
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.predict(&IDLE_WRITER);
    let began = Instant::now();
    let mut at_once = 0;
    for _ in 0..TURNS {
        let (mut readable, mut writable) = (only(&a)?, only(&a)?);
        let (r, w) = (Some(&mut readable), Some(&mut writable));
        at_once +=
            usize::from(select(a.number().get() + 1, r, w, None, Some(&mut millis(1000))) == Ok(1));
    }
    lab.observe(at_once);
    lab.say(format_args!(
        "That took {} microseconds, most of them to write the turns down. A bare loop turns some 600,000 times in a second.",
        began.elapsed().as_micros()
    ));

    lab.part("The right way: only while something is owed");
    lab.predict(&NOTHING_OWED);
    let mut readable = only(&a)?;
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(50))));

    lab.part("The broken way: an end of file that stays in the set");
    close(c)?;
    recv(&a, &mut [0; 8], MsgFlags::NONE)?;
    lab.predict(&IGNORED_END);
    let mut at_once = 0;
    for _ in 0..TURNS {
        let mut readable = only(&a)?;
        let result =
            select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(1000)));
        at_once += usize::from(result == Ok(1));
    }
    lab.observe(at_once);
    lab.say("The right way: after a 0 from recv, the descriptor leaves the set, and is closed when nothing is owed.");
    Ok(())
}

/// A file, owned so that its close is in the trace.
fn open(how: &OpenOptions, path: &Path) -> std::io::Result<Fd> {
    Ok(Fd::from(OwnedFd::from(how.open(path)?)))
}
