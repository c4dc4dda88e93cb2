//! I marked my sockets close-on-exec. Why does the program that I start have some of them?
//!
//! Because the mark belongs to a number, not to the socket behind it. dup, accept and a received message make numbers without a
//! mark. close_range marks all that are open, and no number that is made later.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, listener};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::ranges::{MARK, close_range};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "cloexec-is-not-copied",
    claim: "FD_CLOEXEC marks a number: dup, accept and recvmsg make numbers without it.",
    question: "I have marked my sockets close-on-exec. Why does the program that I start have some of them?",
    explanation: "exec closes the numbers that are marked with FD_CLOEXEC. O_NONBLOCK is a property of the open file, which all \
        its numbers share; FD_CLOEXEC is one of the number, so dup, accept and recvmsg, which make new numbers, leave it out: \
        each has a variant that sets it (F_DUPFD_CLOEXEC, accept4 with SOCK_CLOEXEC, MSG_CMSG_CLOEXEC). To set it in a second \
        call is too late if another thread starts a program in between. close_range with CLOSE_RANGE_CLOEXEC marks a whole \
        range at once, also what a library has opened; so it is the last call before exec.",
    elsewhere: "Linux and FreeBSD have close_range. The lab ends before it where the system has no such call.",
    sources: &[
        "fcntl(2), F_GETFD",
        "close_range(2)",
        "POSIX dup and accept",
        "Linux, fs/file.c: close_range, do_dup2",
    ],
    related: &["close-is-refcount", "nonblock-is-shared", "accept-inherits", "fd-passing"],
    words: &["FD_CLOEXEC", "close_range", "CLOSE_RANGE_CLOEXEC", "F_DUPFD_CLOEXEC", "SOCK_CLOEXEC"],
    minutes: 3,
    predictions: &[&COPIED, &ACCEPTED, &PASSED, &IN_RANGE, &LATER],
    spoiled_by: "fcntl:EBADF@2",
    run,
    ..Lab::ORDINARY
};

const FLAGS: &[&str] = &["0", "FD_CLOEXEC"];

const COPIED: Prediction = Prediction {
    asks: "The listener is marked with FD_CLOEXEC, and then copied with dup. Which flags does the copy have?",
    choices: FLAGS,
    expect: Expect::everywhere(Expected::Is("0")),
};

const ACCEPTED: Prediction = Prediction {
    asks: "And a socket that accept returns on the marked listener?",
    choices: FLAGS,
    expect: Expect::everywhere(Expected::Is("0")),
};

const PASSED: Prediction = Prediction {
    asks: "The marked listener is sent over a Unix-domain socket. Which flags does the received descriptor have?",
    choices: FLAGS,
    expect: Expect::on_linux(Expected::Is("0")),
};

const IN_RANGE: Prediction = Prediction {
    asks: "close_range with CLOSE_RANGE_CLOEXEC has returned, for the range from the listener on. And the accepted socket?",
    choices: &["0", "FD_CLOEXEC", "EBADF"],
    expect: Expect::on_linux(Expected::Is("FD_CLOEXEC")),
};

const LATER: Prediction = Prediction {
    asks: "Now the accepted socket is copied with dup, into the same range. Which flags does this copy have?",
    choices: FLAGS,
    expect: Expect::on_linux(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The broken way: mark the descriptor, and copy it");
    let (l, address) = listener()?;
    fcntl_setfd(&l, FD_CLOEXEC)?;
    let copy = dup(&l)?;
    lab.predict(&COPIED);
    lab.observe(fcntl_getfd(&copy));
    let c = client_of(&address)?;
    let (a, _peer) = accept(&l)?;
    lab.predict(&ACCEPTED);
    lab.observe(fcntl_getfd(&a));
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    sendmsg(&ours, None, &[b"x"], &[l.as_fd()], MsgFlags::NONE)?;
    let received = recvmsg(&theirs, &mut [&mut [0; 1]], 1, MsgFlags::NONE)?;
    let passed = received.fds.first().ok_or(Errno::EBADF)?;
    lab.predict(&PASSED);
    lab.observe(fcntl_getfd(passed));
    lab.say("A program that is started now inherits all three, and the client's socket and the pair as well.");

    lab.part("The right way: mark everything that is open at once, directly before exec");
    // The listener has the lowest number of this lab; below are those that the lab needs itself.
    let first = u32::try_from(l.number().get()).unwrap_or(u32::MAX);
    if let Err(Errno::ENOSYS | Errno::EINVAL) = close_range(first, u32::MAX, MARK) {
        lab.say("This system has no close_range, or not with that flag: each descriptor must be marked by itself.");
        return Ok(());
    }
    lab.predict(&IN_RANGE);
    lab.observe(fcntl_getfd(&a));
    let late = dup(&a)?;
    lab.predict(&LATER);
    lab.observe(fcntl_getfd(&late));
    lab.say("F_DUPFD_CLOEXEC makes the copy and the mark in one call.");
    let right = fcntl_dupfd_cloexec(&a, 0)?;
    fcntl_getfd(&right)?;
    drop(c);
    Ok(())
}
