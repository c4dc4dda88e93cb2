//! What arrives when a file descriptor is sent?
//!
//! Not its number: the receiver gets a new number for the same open file, and shares its position as after `dup`. If
//! the receiver does not ask for descriptors, it gets the bytes, and the kernel closes the descriptor. A receiver with
//! room for one may get two, because the room is rounded up.

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
    claim: "A passed descriptor arrives as a new number for the same open file.",
    question: "What arrives when a file descriptor is sent over a Unix-domain socket?",
    explanation: "SCM_RIGHTS passes the open file, not the number: both processes share its position and its flags. \
        The descriptor travels with the byte that it was sent with; if recv or read takes that byte, the kernel closes \
        the descriptor. CMSG_SPACE rounds up to 8 bytes on 64-bit machines, so a receiver with room for one descriptor \
        must check for two, or it leaks one.",
    elsewhere: "How many descriptors can be sent at once differs: Linux takes 253 (SCM_MAX_FD). On macOS a plain recv \
        installs them in the receiver's table, and recvmsg also installs those without room: they stay open, and the \
        program does not know their numbers.",
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
    asks: "Is a copy of that writing end still open? What does read give on the pipe's other end?",
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
            "MSG_CTRUNC; the second is open all the same, with a number that the program does not know",
        )
        .but(
            &[Linux32],
            Expected::Is("1"),
            "room is rounded up to 4 bytes there, so only one fits",
        ),
};

const TOO_MANY: Prediction = Prediction {
    asks: "254 descriptors are sent with one message. What does sendmsg give?",
    choices: &["1", "EINVAL", "EMFILE", "ENOMEM", "ETOOMANYREFS"],
    expect: Expect::on_linux(Expected::Is("EINVAL"))
        .but(
            &[FreeBsd, NetBsd, MacOs],
            Expected::Is("1"),
            "the limit differs: FreeBSD takes 254 and refuses 255 with E2BIG",
        )
        .but(&[OpenBsd], Expected::Is("E2BIG"), "the limit is that of a block of memory")
        .but(
            &[LinuxMusl],
            Expected::OneOf(&["ENOMEM", "EINVAL"]),
            "up to musl 1.2.3 libc itself has room for 1,024 bytes of control data, and says ENOMEM; later it is as with glibc",
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
    // On a kernel that keeps the descriptor, or closes it later (macOS, NetBSD), a blocking read
    // would wait.
    set_nonblocking(&out)?;
    wait_for(&out, POLLIN)?;
    lab.observe(read(&out, &mut buf));

    lab.part("Room for one, and what arrives");
    sendmsg(&a, None, &[b"x"], &[a.as_fd(), b.as_fd()], MsgFlags::NONE)?;
    lab.predict(&ROUNDED);
    let received = recvmsg(&b, &mut [&mut buf], 1, MsgFlags::NONE);
    lab.observe(received.map(|received| received.fds.len()));

    lab.part("Too many at once");
    lab.predict(&TOO_MANY);
    lab.observe(sendmsg_with_one_too_many(lab.wild(), &a, b"x", b.as_fd()));
    Ok(())
}

/// An open file at position 0, whose name has been removed.
fn file_with(lab: &Run<'_>, bytes: &[u8]) -> std::result::Result<Fd, Stop> {
    let path = lab.directory().join("a file");
    let writing = Fd::from(OwnedFd::from(File::create(&path)?));
    write(&writing, bytes)?;
    let reading = File::open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(Fd::from(OwnedFd::from(reading)))
}
