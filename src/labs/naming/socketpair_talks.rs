//! How do two processes communicate without a name or a port?
//!
//! With a pair of sockets that one process creates and another inherits. Unlike a pipe, the pair carries bytes both
//! ways. When the other process dies, however it dies, the kernel closes its descriptors, and we read the end of file:
//! unless we have kept a copy of its end open ourselves, a mistake that everyone makes once.

use std::process::{self, Child};

use crate::labs::peers::ended;
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction};
use crate::os::limits::no_core_file;
use crate::sys::wild::Wild;
use crate::sys::wild::ownership::inherited;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "socketpair-talks",
    claim: "socketpair and a child process: both ways, and EOF however the child dies.",
    question: "How do two processes communicate without a name or a port, and how do I learn that the other process \
        has died?",
    explanation: "socketpair creates both ends at once; a child process inherits its end, because descriptors stay \
        open across fork and, without FD_CLOEXEC, across exec. The end of file arrives when the last copy of the other \
        end is closed, however its process ended. So the parent closes its copy of the child's end, and the child its \
        copy of the parent's. (The Python Socket HOWTO warns that a socket which disappears without close leaves its \
        peer waiting: a dead process does not, a dead machine or network does.)",
    elsewhere: "",
    sources: &[
        "socketpair(2)",
        "fork(2)",
        "POSIX socketpair; POSIX _exit (consequences of process termination)",
        "the Python Socket HOWTO, on IPC",
    ],
    related: &["close-is-refcount", "drop-closes", "fd-passing", "silent-death"],
    words: &["socketpair", "AF_UNIX", "FD_CLOEXEC", "SIGKILL"],
    minutes: 3,
    predictions: &[&FIRST_ANSWER, &NO_END, &SECOND_ANSWER, &KILLED, &EXITED, &ABORTED],
    spoiled_by: "recv:EINTR@2",
    roles: &[LabProcess { name: "child", run: answer }],
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const FIRST_ANSWER: Prediction = Prediction {
    asks: "We have sent \"ping\" on our end. The child answers on its own. What does our recv give?",
    choices: &["4", "0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("4")),
};

const NO_END: Prediction = Prediction {
    asks: "The child was killed, and we still hold a copy of its end. For how many descriptors does our poll report \
        anything?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const SECOND_ANSWER: Prediction = Prediction {
    asks: "And once more, with another child?",
    choices: &["4", "0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("4")),
};

const ENDS: &[&str] = &["0", "ECONNRESET", "it waits"];

const KILLED: Prediction = Prediction {
    asks: "The child was killed; it could not close anything. What does our recv give?",
    choices: ENDS,
    expect: Expect::everywhere(Expected::Is("0")),
};

const EXITED: Prediction = Prediction {
    asks: "The child calls exit, without a close. What does our recv give?",
    choices: ENDS,
    expect: Expect::everywhere(Expected::Is("0")),
};

const ABORTED: Prediction = Prediction {
    asks: "The child calls abort, as a failed assertion does. What does our recv give?",
    choices: ENDS,
    expect: Expect::everywhere(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    lab.part("The broken way: the parent keeps a copy of the child's end");
    lab.say("FD_CLOEXEC: the child gets only its own end. SO_RCVTIMEO: if something fails, we do not wait forever.");
    let (ours, theirs) = pair()?;
    let child = start(lab, &theirs)?;
    send(&ours, b"ping", MSG_NOSIGNAL)?;
    lab.predict(&FIRST_ANSWER);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    kill(child.id(), SIGKILL)?;
    ended(child)?;
    lab.say("The child has ended, and the kernel has closed everything that it had open.");
    lab.predict(&NO_END);
    lab.observe(poll(&mut [PollFd::new(ours.as_fd(), POLLIN)], 100));
    drop(theirs);

    lab.part("The right way: the parent closes it");
    let (ours, theirs) = pair()?;
    let child = start(lab, &theirs)?;
    close(theirs)?;
    send(&ours, b"ping", MSG_NOSIGNAL)?;
    lab.predict(&SECOND_ANSWER);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    kill(child.id(), SIGKILL)?;
    lab.predict(&KILLED);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    ended(child)?;

    lab.part("However it dies");
    for (how, prediction) in [(&b"exit"[..], &EXITED), (b"abort", &ABORTED)] {
        let (ours, theirs) = pair()?;
        let child = start(lab, &theirs)?;
        close(theirs)?;
        send(&ours, how, MSG_NOSIGNAL)?;
        lab.predict(prediction);
        lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
        // Its exit status if it was not told how to end.
        close(ours)?;
        ended(child)?;
    }
    Ok(())
}

/// Our end and the child's. Ours is close-on-exec; otherwise the child would hold both ends.
fn pair() -> Result<(Fd, Fd)> {
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    fcntl_setfd(&ours, FD_CLOEXEC)?;
    // An answer that `--inject` has spoiled must not make the lab wait forever.
    setsockopt(&ours, SOL_SOCKET, SO_RCVTIMEO, &TimeVal { tv_sec: 10, tv_usec: 0 })?;
    Ok((ours, theirs))
}

fn start(lab: &mut Run<'_>, theirs: &Fd) -> std::result::Result<Child, Stop> {
    let number = theirs.number();
    lab.say(format_args!(
        "A child is started, and inherits descriptor {number}; it answers \"pong\" to \"ping\"."
    ));
    Ok(lab.role("child")?.arg(number.to_string()).spawn()?)
}

/// The child: it answers until it dies as told, or until its peer has closed.
fn answer(arguments: &[String]) -> LabResult {
    let number = arguments.first().and_then(|number| number.parse().ok());
    let (Some(wild), Some(number)) = (Wild::in_a_lab(), number) else {
        return Err(Stop::failed("the lab passes the child the number of its end"));
    };
    let end = inherited(wild, number);
    let mut buf = [0; 64];
    // abort would leave a file with the memory of the process.
    no_core_file()?;
    loop {
        let received = recv(&end, &mut buf, MsgFlags::NONE)?;
        match &buf[..received] {
            b"" => return Ok(()),
            b"exit" => process::exit(0),
            b"abort" => process::abort(),
            _ => send(&end, b"pong", MSG_NOSIGNAL)?,
        };
    }
}
