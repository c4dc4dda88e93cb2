//! May I call accept without O_NONBLOCK, after select has reported a connection?
//!
//! No. The state can change between the answer and the next call. Two processes watch one listener; select reports the
//! one connection in both; one process accepts it. The other process gets EAGAIN, or, without O_NONBLOCK, waits for the
//! next client while all its own clients wait.

use std::io;
use std::os::fd::OwnedFd;

use crate::labs::peers::{ended, joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{client_of, listener, millis, only, set_nonblocking};
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "readiness-is-a-hint",
    claim: "Two processes see one connection; one gets it, the other EAGAIN.",
    question: "After select has reported a connection, may I call accept without O_NONBLOCK?",
    explanation: "Readiness describes the moment at which the call checked. Another process or thread may take the \
        connection first, a client may reset its connection in the queue, the kernel may discard a datagram with a \
        wrong checksum. So make every descriptor in such a loop non-blocking, and treat EAGAIN after readiness as an \
        ordinary result: wait again.",
    elsewhere: "",
    sources: &["select(2), BUGS", "accept(2)", "POSIX accept"],
    related: &[
        "readable-but-recv-blocks",
        "blocking-or-eagain",
        "accept-after-rst",
        "nonblock-is-shared",
    ],
    words: &["select", "accept", "EAGAIN", "O_NONBLOCK"],
    predictions: &[&BOTH_TOLD, &OTHER_TOLD, &TOO_LATE],
    spoiled_by: "accept:EMFILE@1",
    roles: &[LabProcess { name: "rival", run: rival }],
    run,
    ..Lab::ORDINARY
};

const BOTH_TOLD: Prediction = Prediction {
    asks: "Two processes watch one listener, and one client connects. What does our select return?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const OTHER_TOLD: Prediction = Prediction {
    asks: "And what does select return in the other process?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const TOO_LATE: Prediction = Prediction {
    asks: "The other process was faster and has accepted the connection. What does our accept give?",
    choices: &["a descriptor", "EAGAIN", "ECONNABORTED"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (l, address) = listener()?;
    set_nonblocking(&l)?;

    lab.part("Two processes, one listener");
    lab.say("A second process has the listener as its standard input, and a socket to us as its standard output.");
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    fcntl_setfd(&ours, FD_CLOEXEC)?;
    let its_input = OwnedFd::from(dup(&l)?);
    let its_output = OwnedFd::from(theirs);
    let mut command = lab.role("rival")?;
    command.stdin(its_input).stdout(its_output);
    // In a thread, which closes our copies of its descriptors as well.
    let rival = joined(spawn(move || command.spawn()))?;

    let outcome = race(lab, &l, &address, &ours);
    // The other process reads the end of our stream, if it has not ended already.
    close(ours)?;
    let rival = ended(rival);
    outcome?;
    rival.map(|_| ())
}

fn race(lab: &mut Run<'_>, l: &Fd, address: &Address, rival: &Fd) -> LabResult {
    let _c = client_of(address)?;
    lab.predict(&BOTH_TOLD);
    let mut readable = only(l)?;
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(1000))));
    lab.predict(&OTHER_TOLD);
    let mut word = [0];
    recv(rival, &mut word, MsgFlags::NONE)?;
    lab.observe(i32::from(word[0].saturating_sub(b'0')));

    lab.say("We are slow. The other process accepts, and reports it.");
    send(rival, b"!", MSG_NOSIGNAL)?;
    recv(rival, &mut word, MsgFlags::NONE)?;
    if word != *b"a" {
        return Err(Stop::failed("the other process could not accept"));
    }
    lab.predict(&TOO_LATE);
    lab.observe(accept(l));
    lab.say("Without O_NONBLOCK this accept would have waited for another client.");
    Ok(())
}

/// The other process: it waits for a connection, reports it, and accepts it when told to.
fn rival(_: &[String]) -> LabResult {
    let l = io::stdin();
    let talk = io::stdout();
    let mut readable = only(&l)?;
    let ready =
        select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(10_000)))?;
    send(&talk, ready.to_string().as_bytes(), MSG_NOSIGNAL)?;
    if recv(&talk, &mut [0], MsgFlags::NONE)? == 0 {
        return Ok(()); // the lab's process has ended
    }
    let said = if accept(&l).is_ok() { b"a" } else { b"e" };
    send(&talk, said, MSG_NOSIGNAL)?;
    Ok(())
}
