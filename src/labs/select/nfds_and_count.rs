//! What is nfds, and what does select count?
//!
//! nfds is the highest descriptor plus one: neither a count nor the highest number. select's result counts bits over
//! all three sets, poll's counts rows. select ignores bits beyond nfds: some are cleared all the same, some stay set,
//! and a program that tests a bit it did not ask for draws a wrong conclusion.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{GVisor, Linux32, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "nfds-and-count",
    claim: "nfds is the highest descriptor plus 1; select counts bits, poll counts rows.",
    question: "What is nfds, and what does select count?",
    explanation: "The kernel checks the descriptors from 0 to nfds - 1. Linux copies the sets in and out in words of \
        64 bits (32 for a 32-bit program): it clears a bit beyond nfds in the last word, but a bit in a later word \
        survives and looks like an answer. The result is the number of bits left in all three sets, so one descriptor \
        may count twice.",
    elsewhere: "POSIX defines the count and nfds, but not what happens to bits beyond nfds: macOS, NetBSD, OpenBSD and \
        Linux for a 32-bit program copy words of 32 bits, so more bits survive.",
    sources: &["select(2)", "poll(2)", "POSIX select", "POSIX poll", "gVisor: IgnoreBitsAboveNfds"],
    related: &["select-eats-its-sets", "fdsetsize-overflow", "poll-array-rules"],
    words: &["select", "poll", "FD_SETSIZE"],
    predictions: &[&ONE_TOO_LOW, &BIT_IN_THE_WORD, &BITS, &ROWS, &BIT_IN_LAST_WORD, &BIT_BEYOND],
    spoiled_by: "select:spurious@1",
    descriptors: 256,
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const ONE_TOO_LOW: Prediction = Prediction {
    asks: "A byte waits at the only descriptor in the set, and nfds is its number. What does select return?",
    choices: &["0", "1", "EINVAL"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const BIT_IN_THE_WORD: Prediction = Prediction {
    asks: "That descriptor was not checked. Is its bit still set?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("no")),
};

const BITS: Prediction = Prediction {
    asks: "It is readable and writable, and stands in both sets. What does select return?",
    choices: &["1", "2"],
    expect: Expect::everywhere(Expected::Is("2")),
};

const ROWS: Prediction = Prediction {
    asks: "One row of poll asks for POLLIN|POLLOUT. What does poll return?",
    choices: &["1", "2"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const BIT_IN_LAST_WORD: Prediction = Prediction {
    asks: "nfds is 65, and the set also has number 100, in the same 64-bit word as 64. Is that bit set after the call?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("no"))
        .but(
            &[NetBsd, OpenBsd, MacOs, Linux32],
            Expected::Is("yes"),
            "the words that the kernel copies have 32 bits there",
        )
        .but(&[GVisor], Expected::Is("yes"), "it rewrites less than a word"),
};

const BIT_BEYOND: Prediction = Prediction {
    asks: "The set also has number 130, in a word beyond nfds. Is that bit set after the call?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&c, b"x", MSG_NOSIGNAL)?;

    lab.part("The broken way: nfds is the highest number, without plus one");
    let mut readable = only(&a)?;
    lab.predict(&ONE_TOO_LOW);
    let nfds = a.number().get();
    lab.observe(select(nfds, Some(&mut readable), None, None, Some(&mut millis(0))));
    lab.predict(&BIT_IN_THE_WORD);
    lab.observe(readable.isset(&a));

    lab.part("The right way: plus one; and what the result counts");
    let nfds = a.number().get() + 1;
    let (mut readable, mut writable) = (only(&a)?, only(&a)?);
    lab.predict(&BITS);
    lab.observe(select(nfds, Some(&mut readable), Some(&mut writable), None, None));
    lab.predict(&ROWS);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN | POLLOUT)], -1));

    lab.part("Numbers beyond nfds");
    lab.say(
        "The trace shows only the part of a set that select is asked for: the numbers below nfds.",
    );
    let near = fcntl_dupfd(&a, 64)?;
    for (number, prediction) in [(100, &BIT_IN_LAST_WORD), (130, &BIT_BEYOND)] {
        let far = fcntl_dupfd(&c, number)?; // it has nothing to read
        let mut readable = only(&near)?;
        readable.set(&far)?;
        lab.predict(prediction);
        let nfds = near.number().get() + 1;
        select(nfds, Some(&mut readable), None, None, Some(&mut millis(0)))?;
        lab.observe(readable.isset(&far));
    }
    Ok(())
}
