//! What arrives when a descriptor is sent?
//!
//! Not its number: the receiver gets a number of its own for the same open file, which shares the position as after
//! `dup`. A receiver that does not ask for descriptors gets the bytes, and the descriptor is closed. One that has room
//! for one may be given two, because the room is rounded up.

use std::fs::File;
use std::os::fd::OwnedFd;

use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{set_nonblocking, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, Linux32, LinuxMusl, MacOs, NetBsd, OpenBsd};
use crate::sys::wild::passing::sendmsg_with_one_too_many;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "fd-passing",
    claim: "A descriptor that is sent gets a new number for the same open file.",
    question: "What arrives when a descriptor is sent over a Unix-domain socket?",
    explanation: "SCM_RIGHTS passes the open file, not the number: both processes share its position and its flags. The descriptor \
        hangs on the byte that it was sent with; if that byte is taken by recv or read, it is closed. CMSG_SPACE rounds \
        up to 8 bytes on 64-bit machines, so a receiver with room for one must look for two, or it leaks one that it \
        never sees.",
    elsewhere: "How many can be sent at once differs: Linux takes 253 (SCM_MAX_FD). On macOS a plain recv puts them \
        into the table of the receiver, and so does recvmsg with those that had no room: they stay open, and nobody \
        knows their numbers.",
    sources: &[
        "unix(7)",
        "cmsg(3)",
        "POSIX recvmsg, SCM_RIGHTS",
        "gVisor's tests FDPass...",
        "UNP, 15.7",
    ],
    related: &["fd-vanishes", "socketpair-talks", "nonblock-is-shared", "close-is-refcount"],
    words: &["sendmsg", "recvmsg", "SCM_RIGHTS", "MSG_CTRUNC"],
    minutes: 4,
    predictions: &[&NUMBER, &POSITION, &PLAIN, &LOST, &ROUNDED, &TOO_MANY],
    spoiled_by: "read:EAGAIN@2",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const NUMBER: Prediction = Prediction {
    asks: "Is the descriptor that arrives the number that was sent?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("no")),
};

const POSITION: Prediction = Prediction {
    asks: "We have read \"hello \" on ours. What does a read of five bytes on the other give?",
    choices: &["hello", "world"],
    expect: Expect::everywhere(Expected::Is("world")),
};

const PLAIN: Prediction = Prediction {
    asks: "A pipe's writing end was sent with one byte, and closed here. What does a plain recv give?",
    choices: &["0", "1", "EINVAL"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const LOST: Prediction = Prediction {
    asks: "Does anybody still have that writing end? What does read give on the pipe's other end?",
    choices: &["0", "EAGAIN", "it waits"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const ROUNDED: Prediction = Prediction {
    asks: "Two descriptors are sent. recvmsg has room for one, CMSG_SPACE(sizeof(int)). How many arrive?",
    choices: &["0", "1", "2"],
    expect: Expect::on_linux(Expected::Is("2"))
        .but(
            &[MacOs],
            Expected::Is("1"),
            "MSG_CTRUNC; the second is open all the same, and nobody knows its number",
        )
        .but(
            &[Linux32],
            Expected::Is("1"),
            "room is rounded up to 4 bytes there, and so it is room for one",
        ),
};

const TOO_MANY: Prediction = Prediction {
    asks: "254 descriptors are sent with one message. What does sendmsg give?",
    choices: &["1", "EINVAL", "EMFILE", "ETOOMANYREFS"],
    expect: Expect::on_linux(Expected::Is("EINVAL"))
        .but(
            &[FreeBsd, NetBsd, MacOs],
            Expected::Is("1"),
            "the limit is another: FreeBSD takes 254 and refuses 255 with E2BIG",
        )
        .but(&[OpenBsd], Expected::Is("E2BIG"), "the limit is that of a block of memory")
        .but(
            &[LinuxMusl],
            Expected::Is("ENOMEM"),
            "up to musl 1.2.3 libc itself has room for 1,024 bytes of control data",
        ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("A new number for the same open file");
    let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.say("A file with \"hello world\" is made. std opens it, which no trace shows.");
    let file = file_with(lab, b"hello world")?;
    let mut buf = [0; 64];
    read(&file, &mut buf[..6])?;
    sendmsg(&a, None, &[b"x"], &[file.as_fd()], MsgFlags::NONE)?;
    lab.predict(&NUMBER);
    let received = recvmsg(&b, &mut [&mut buf], 1, MsgFlags::NONE)?;
    let passed = received.fds.first().ok_or(Errno::EBADF)?;
    lab.observe(passed.number() == file.number());
    lab.predict(&POSITION);
    let read_on = read(passed, &mut buf[..5]);
    lab.observe(read_on.map(|len| buf[..len].escape_ascii().to_string()));

    lab.part("The broken way: a plain recv");
    let [out, into] = pipe()?;
    sendmsg(&a, None, &[b"x"], &[into.as_fd()], MsgFlags::NONE)?;
    close(into)?;
    lab.predict(&PLAIN);
    lab.observe(recv(&b, &mut buf, MsgFlags::NONE));
    lab.predict(&LOST);
    // Where the kernel keeps it, or closes it later (macOS, NetBSD), a blocking read would wait.
    set_nonblocking(&out)?;
    wait_for(&out, POLLIN)?;
    lab.observe(read(&out, &mut buf));

    lab.part("Room for one, and what comes");
    sendmsg(&a, None, &[b"x"], &[a.as_fd(), b.as_fd()], MsgFlags::NONE)?;
    lab.predict(&ROUNDED);
    let received = recvmsg(&b, &mut [&mut buf], 1, MsgFlags::NONE);
    lab.observe(received.map(|received| received.fds.len()));

    lab.part("Too many at once");
    lab.predict(&TOO_MANY);
    lab.observe(sendmsg_with_one_too_many(lab.wild(), &a, b"x", b.as_fd()));
    Ok(())
}

/// A file that is open at its beginning, and has no name any more.
fn file_with(lab: &Run<'_>, bytes: &[u8]) -> std::result::Result<Fd, Stop> {
    let path = lab.directory().join("a file");
    let writing = Fd::from(OwnedFd::from(File::create(&path)?));
    write(&writing, bytes)?;
    let reading = File::open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(Fd::from(OwnedFd::from(reading)))
}
