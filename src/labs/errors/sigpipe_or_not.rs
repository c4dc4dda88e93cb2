//! Which errors of send also raise a signal?
//!
//! EPIPE on a stream, unless the caller passes MSG_NOSIGNAL. No other: neither a reset nor a datagram to a closed port.
//! The signal kills a program that does not handle it, without a message.

use std::os::unix::process::ExitStatusExt;

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{set_nonblocking, tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction};
use crate::os::signals::into_pipe;
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "sigpipe-or-not",
    claim: "EPIPE on a stream raises SIGPIPE, which kills a program; datagrams do not.",
    question: "My server vanished without a message when a client left. What killed it?",
    explanation: "SIGPIPE exists for shell pipelines: it ends a program that writes to a pipe without a reader. \
        Sockets inherited it: a send that fails with EPIPE raises SIGPIPE too. A server passes MSG_NOSIGNAL to each \
        send, or ignores the signal. Beej's servers do neither where they broadcast, so the first client that \
        disconnects at the wrong moment kills them.",
    elsewhere: "macOS, FreeBSD and NetBSD also have SO_NOSIGPIPE, for the socket. On the BSDs and macOS the first send \
        after a reset already fails with EPIPE, and raises the signal; gVisor raises none. Rust programs ignore \
        SIGPIPE from the start.",
    sources: &["send(2), MSG_NOSIGNAL", "POSIX send (EPIPE)", "signal(7)", "Stack Overflow 108183"],
    related: &["write-after-fin", "what-std-hides"],
    words: &["SIGPIPE", "MSG_NOSIGNAL", "EPIPE"],
    minutes: 3,
    predictions: &[
        &RESET,
        &RESET_SIGNAL,
        &TCP,
        &TCP_SIGNAL,
        &ASKED,
        &UNIX_SIGNAL,
        &DATAGRAM_SIGNAL,
        &VICTIM,
    ],
    spoiled_by: "send:EAGAIN@2",
    roles: &[LabProcess { name: "victim", run: be_killed }],
    run,
    ..Lab::ORDINARY
};

/// A read of the self-pipe tells whether the signal came.
const CAME: &[&str] = &["1", "EAGAIN"];

const RESET: Prediction = Prediction {
    asks: "The peer has reset the connection. What does the first send give?",
    choices: &["1", "EPIPE", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("ECONNRESET")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("EPIPE"),
        "send checks for a closed half before it checks for an error",
    ),
};

const RESET_SIGNAL: Prediction = Prediction {
    asks: "Did SIGPIPE come? (A read of the pipe that its handler writes to gives 1 if so.)",
    choices: CAME,
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("1"),
        "EPIPE comes with a signal",
    ),
};

const TCP: Prediction = Prediction {
    asks: "What does a second send give?",
    choices: &["1", "EPIPE", "ECONNRESET"],
    expect: Expect::everywhere(Expected::Is("EPIPE")),
};

const TCP_SIGNAL: Prediction = Prediction {
    asks: "Did SIGPIPE come with it?",
    choices: CAME,
    expect: Expect::everywhere(Expected::Is("1")),
};

const ASKED: Prediction = Prediction {
    asks: "The same with MSG_NOSIGNAL. Did SIGPIPE come?",
    choices: CAME,
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const UNIX_SIGNAL: Prediction = Prediction {
    asks: "A Unix-domain stream whose other end is closed: did SIGPIPE come?",
    choices: CAME,
    expect: Expect::everywhere(Expected::Is("1")),
};

const DATAGRAM_SIGNAL: Prediction = Prediction {
    asks: "A datagram to a socket that is closed: did SIGPIPE come?",
    choices: CAME,
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const VICTIM: Prediction = Prediction {
    asks: "A program with the default action for SIGPIPE sends to a closed socket. How does it end?",
    choices: &["exit status 0", "exit status 1", "killed by SIGPIPE"],
    expect: Expect::everywhere(Expected::Is("killed by SIGPIPE")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.say(
        "First a pipe, and a handler for SIGPIPE that writes into it: that makes the signal visible.",
    );
    let pipe = into_pipe(&[SIGPIPE])?;
    let mut signal = [0; 8];

    lab.part("TCP");
    let (peer, ours) = tcp_pair()?;
    setsockopt(&peer, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 })?;
    close(peer)?;
    wait_for(&ours, POLLIN)?;
    lab.predict(&RESET);
    lab.observe(send(&ours, b"x", MsgFlags::NONE));
    lab.predict(&RESET_SIGNAL);
    lab.observe(read(&pipe, &mut signal));
    lab.predict(&TCP);
    lab.observe(send(&ours, b"x", MsgFlags::NONE));
    lab.predict(&TCP_SIGNAL);
    lab.observe(read(&pipe, &mut signal));
    send(&ours, b"x", MSG_NOSIGNAL).err();
    lab.predict(&ASKED);
    lab.observe(read(&pipe, &mut signal));

    lab.part("The Unix domain");
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    close(theirs)?;
    send(&ours, b"x", MsgFlags::NONE).err();
    lab.predict(&UNIX_SIGNAL);
    lab.observe(read(&pipe, &mut signal));
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_DGRAM, Protocol::default())?;
    close(theirs)?;
    send(&ours, b"x", MsgFlags::NONE).err();
    lab.predict(&DATAGRAM_SIGNAL);
    lab.observe(read(&pipe, &mut signal));

    lab.part("A program without a handler");
    lab.predict(&VICTIM);
    let status = lab.role("victim")?.status()?;
    lab.observe(match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (_, Some(signal)) if signal == SIGPIPE.bits() => "killed by SIGPIPE".to_string(),
        (_, signal) => format!("killed by signal {signal:?}"),
    });
    sigaction(SIGPIPE, Some(&SigAction::new(Handler::Ignore)), None)?;
    drop(self_pipe(None)); // the end that the handler wrote to
    Ok(())
}

fn be_killed(_: &[String]) -> LabResult {
    // A Rust program ignores it; a C program does not.
    sigaction(SIGPIPE, Some(&SigAction::new(Handler::Default)), None)?;
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    set_nonblocking(&ours)?;
    close(theirs)?;
    send(&ours, b"x", MsgFlags::NONE).err();
    Ok(())
}
