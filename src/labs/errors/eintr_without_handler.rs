//! I have no signal handler. Can a call fail with EINTR nevertheless?
//!
//! On Linux it can, when the process was stopped and continued: after Control-Z and fg, when a debugger or strace
//! attaches, when a container is frozen and thawed. select, poll and a plain recv keep waiting; a recv or accept with
//! SO_RCVTIMEO fails with EINTR, as epoll_wait does, and recv with MSG_WAITALL returns the bytes that it has. (The lab
//! takes three seconds, because a process has to be stopped several times.)

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::labs::peers::spawn;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{listener, millis, tcp_pair};
use crate::labs::stopper::{STOPPER, Stopper};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "eintr-without-handler",
    claim: "After a stop, a recv with SO_RCVTIMEO gives EINTR, even without a handler.",
    question: "I have no signal handler. Can a call fail with EINTR all the same?",
    explanation: "A stop ends the wait inside the kernel, and when the process continues, the kernel restarts the call. \
        It cannot restart a call whose time limit is an option of the socket, because the whole limit would begin again: \
        such a call fails with EINTR. recv with MSG_WAITALL returns the bytes it has. Attaching strace or gdb is such a \
        stop, so a program that treats EINTR as fatal dies when you trace it. Repeat a call after EINTR, and check how \
        many bytes MSG_WAITALL returned.",
    elsewhere: "signal(7) says that other systems do not do this. In gVisor even a plain recv gives EINTR.",
    sources: &[
        "signal(7), Interruption of system calls and library functions by stop signals",
        "ptrace(2), Group-stop",
        "Linux, include/net/sock.h: sock_intr_errno",
    ],
    related: &[
        "eintr-despite-sa-restart",
        "stopped-while-waiting",
        "rcvtimeo-not-poll",
        "peek-waitall-trunc",
    ],
    words: &["EINTR", "SIGSTOP", "SIGCONT", "SO_RCVTIMEO", "MSG_WAITALL"],
    minutes: 3,
    predictions: &[&PLAIN, &LIMITED, &ACCEPTED, &ALL, &POLLED],
    spoiled_by: "recv:EAGAIN@2+",
    roles: &[STOPPER],
    run,
    ..Lab::ORDINARY
};

const PLAIN: Prediction = Prediction {
    asks: "A plain recv waits; the process is stopped, and goes on; a byte comes later. What does recv give?",
    choices: &["1", "EINTR", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("1")),
};

const LIMITED: Prediction = Prediction {
    asks: "The socket has SO_RCVTIMEO of 2 s, and nothing comes. The same: what does recv give?",
    choices: &["0", "EINTR", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const ACCEPTED: Prediction = Prediction {
    asks: "A listener has it, and no client comes. What does accept give?",
    choices: &["EINTR", "EAGAIN", "ECONNABORTED"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const ALL: Prediction = Prediction {
    asks: "Without SO_RCVTIMEO: three bytes have come, and recv wants ten with MSG_WAITALL. What does it give?",
    choices: &["3", "10", "EINTR", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("3")),
};

const POLLED: Prediction = Prediction {
    asks: "And poll, with a limit of 600 ms, when nothing comes?",
    choices: &["0", "EINTR"],
    expect: Expect::on_linux(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (peer, plain) = tcp_pair()?;
    let (c, a) = tcp_pair()?;
    let peer = Arc::new(peer);
    let (l, _address) = listener()?;
    let mut buf = [0; 10];
    lab.say(
        "Another process stops this one 100 ms after a call has begun (SIGSTOP), and lets it go on 400 ms later (SIGCONT). \
         Attaching with strace does the same, for a moment. This program handles neither.",
    );
    let stopper = Stopper::start(lab)?;

    lab.part("What keeps waiting");
    lab.say("A thread is the peer: it sends the byte 800 ms after recv was called.");
    lab.predict(&PLAIN);
    let (received, _) = stopper.stops(lab, || {
        let peer = Arc::clone(&peer);
        spawn(move || {
            thread::sleep(Duration::from_millis(800));
            send(peer.as_ref(), b"x", MSG_NOSIGNAL)
        });
        recv(&plain, &mut buf, MsgFlags::NONE)
    })?;
    lab.observe(received);

    lab.part("What fails, or returns early");
    setsockopt(&a, SOL_SOCKET, SO_RCVTIMEO, &millis(2000))?;
    lab.predict(&LIMITED);
    let (received, _) = stopper.stops(lab, || recv(&a, &mut buf, MsgFlags::NONE))?;
    lab.observe(received);
    setsockopt(&l, SOL_SOCKET, SO_RCVTIMEO, &millis(2000))?;
    lab.predict(&ACCEPTED);
    let (accepted, _) = stopper.stops(lab, || accept(&l).map(|_| ()))?;
    lab.observe(accepted);
    setsockopt(&a, SOL_SOCKET, SO_RCVTIMEO, &millis(0))?;
    lab.predict(&ALL);
    let (received, _) = stopper.stops(lab, || {
        send(&c, b"abc", MSG_NOSIGNAL)?;
        recv(&a, &mut buf, MSG_WAITALL)
    })?;
    lab.observe(received);

    lab.part("The right way: wait with poll, and repeat a call after EINTR");
    lab.predict(&POLLED);
    let (polled, _) = stopper.stops(lab, || poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 600))?;
    lab.observe(polled);
    Ok(())
}
