//! The process has no file descriptor left, and a client waits. What does the loop do?
//!
//! A loop that does not handle this case spins: accept fails with EMFILE, the client stays in the queue, and the
//! listener stays readable. Take the listener out of the set until a descriptor is free.

use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{client_of, listener, set_nonblocking};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::limits::set_descriptor_limit;
use crate::os::system::System::{GVisor, MacOs};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "emfile-accept-spin",
    claim: "accept gives EMFILE and the listener stays readable: a loop that spins.",
    question: "My server uses 100 % of a processor and reports \"too many open files\". Why?",
    explanation: "When accept fails with EMFILE the client stays in the queue, so every further select or poll returns \
        at once. baresock's loop leaves the listener out of its set until a descriptor has been closed or a moment has \
        passed. Some servers keep a spare descriptor, close it, accept, and close the client at once: then the client \
        learns that it was turned away.",
    elsewhere: "macOS drops the connection that accept could not take (soacceptlock and accept in the kernel), and so \
        does gVisor.",
    sources: &["accept(2)", "POSIX accept (EMFILE)", "getrlimit(2), RLIMIT_NOFILE"],
    related: &["level-and-lowat", "backlog-n-plus-1"],
    words: &["EMFILE", "accept"],
    minutes: 2,
    predictions: &[&NONE_LEFT, &STILL_READABLE, &SPIN, &ONE_FREE],
    spoiled_by: "accept:EAGAIN@1",
    run,
    ..Lab::ORDINARY
};

const NONE_LEFT: Prediction = Prediction {
    asks: "No file descriptor is free. What does accept give?",
    choices: &["a descriptor", "EAGAIN", "EMFILE"],
    expect: Expect::everywhere(Expected::Is("EMFILE")),
};

const STILL_READABLE: Prediction = Prediction {
    asks: "What does poll report for the listener now, without waiting?",
    choices: &["0", "POLLIN"],
    expect: Expect::on_linux(Expected::Is("POLLIN")).but(
        &[MacOs, GVisor],
        Expected::Is("0"),
        "accept takes the connection from the queue before it looks for a free descriptor, and then drops it",
    ),
};

const SPIN: Prediction = Prediction {
    asks: "A thread calls poll and accept in turn, as a loop would. In how many of 100 turns does it get POLLIN, and EMFILE?",
    choices: &["0", "1", "100"],
    expect: Expect::on_linux(Expected::Is("100")).but(
        &[MacOs, GVisor],
        Expected::Is("0"),
        "accept takes the connection from the queue before it looks for a free descriptor, and then drops it",
    ),
};

const ONE_FREE: Prediction = Prediction {
    asks: "One descriptor was closed. What does accept give?",
    choices: &["a descriptor", "EAGAIN", "EMFILE"],
    expect: Expect::on_linux(Expected::Is("a descriptor")).but(
        &[MacOs, GVisor],
        Expected::Is("EAGAIN"),
        "the connection was dropped",
    ),
};

/// So few descriptors are left, which keeps the trace short.
const FEW: i32 = 4;

fn run(lab: &mut Run<'_>) -> LabResult {
    let (l, address) = listener()?;
    set_nonblocking(&l)?;
    let _client = client_of(&address)?;
    // The lowest free number, which depends on what this process has inherited.
    let free = dup(&l)?;
    let limit = free.number().get() + FEW;
    set_descriptor_limit(limit.unsigned_abs().into())?;
    lab.say(format_args!(
        "From now on descriptors stay below {limit} (RLIMIT_NOFILE), and duplicates use up the free ones."
    ));
    let mut held = vec![free];
    loop {
        match dup(&l) {
            Ok(fd) => held.push(fd),
            Err(Errno::EMFILE) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    lab.predict(&NONE_LEFT);
    lab.observe(accept(&l));
    lab.predict(&STILL_READABLE);
    let mut rows = [PollFd::new(l.as_fd(), POLLIN)];
    poll(&mut rows, 0)?;
    lab.observe(rows[0].revents());
    lab.predict(&SPIN);
    let (in_vain, l) = turns(l)?;
    lab.observe(in_vain);
    held.pop();
    lab.predict(&ONE_FREE);
    lab.observe(accept(&l));
    Ok(())
}

/// How many of 100 turns of a loop do not wait, and accept no client. On a thread, which is not
/// traced, and returns the listener.
fn turns(l: Fd) -> std::result::Result<(usize, Fd), Stop> {
    joined(spawn(move || {
        let in_vain = |_: &i32| {
            let ready = poll(&mut [PollFd::new(l.as_fd(), POLLIN)], 0);
            ready == Ok(1) && matches!(accept(&l), Err(Errno::EMFILE))
        };
        let turns = (0..100).filter(in_vain).count();
        Ok::<_, Stop>((turns, l))
    }))
}
