//! What happens to a descriptor that an fd_set has no bit for?
//!
//! An `fd_set` is a bitmap of FD_SETSIZE bits, and neither C's FD_SET nor the kernel checks where it ends: FD_SET
//! writes into the memory behind it (or aborts the program, if the C library was built to check), and select with a
//! larger nfds reads and rewrites that memory. Our set refuses the number. On Linux a longer bitmap of your own works;
//! poll needs none.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{MacOs, NetBsd};
use crate::sys::wild::selecting::{self, fd_isset, fd_set};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "fdsetsize-overflow",
    claim: "From FD_SETSIZE on a number has no bit: C overruns its set, ours refuses.",
    question: "What happens to a descriptor that an fd_set has no bit for?",
    explanation: "The limit is that of the set, not of the kernel: Linux takes as many bits as nfds says, and so \
        writes beyond a set that is too short. UNP's select server checks whether its array has a free slot, but not \
        whether the descriptor has a bit: if it has inherited open files, it overruns its set. Python's \
        \"filedescriptor out of range in select()\" is the same refusal as ours. Raise the limit on descriptors only \
        in a program that uses poll, allocates longer sets where the system accepts them, or refuses descriptors that \
        select cannot watch.",
    elsewhere: "FD_SETSIZE is 256 on NetBSD, 1024 elsewhere; FreeBSD and OpenBSD let a program define a larger value \
        before its includes (select(2)). macOS gives EINVAL beyond 1024 unless the program asks for unlimited sets \
        (select(2)); since macOS 11 Apple's FD_SET checks the number first, and then writes nothing.",
    sources: &["select(2), NOTES", "POSIX select"],
    related: &["nfds-and-count", "bad-fd-poisons-select", "cost-is-the-highest-fd"],
    words: &["FD_SETSIZE", "select", "poll"],
    predictions: &[&BITS, &REFUSED, &REFUSED_CALL, &OVERRUN, &FOUND, &REWRITTEN, &WIDE, &POLL],
    spoiled_by: "poll:EINTR@1",
    descriptors: 1700,
    run,
    loopback: false,
    ..Lab::ORDINARY
};

/// A number that no fd_set has a bit for, and how many words would be needed.
const NUMBER: i32 = 1600;
const WORDS: usize = (NUMBER as usize + 1).div_ceil(WORD_BITS);
/// The words of an fd_set; the memory after them belongs to another variable.
const SET: usize = FD_SETSIZE / WORD_BITS;

/// <sys/select.h> of each: libc's constant, and the length of the structure.
const BITS: Prediction = Prediction {
    asks: "For how many descriptors does an fd_set have bits?",
    choices: &["256", "1024", "65536"],
    expect: Expect::everywhere(Expected::Is("1024")).but(
        &[NetBsd],
        Expected::Is("256"),
        "FD_SETSIZE is 256 there",
    ),
};

const REFUSED: Prediction = Prediction {
    asks: "Does our FdSet take a descriptor with the number 1600?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("no")),
};

const REFUSED_CALL: Prediction = Prediction {
    asks: "What does our select give for nfds 1601?",
    choices: &["0", "EINVAL", "EBADF"],
    expect: Expect::everywhere(Expected::Is("EINVAL")),
};

const OVERRUN: Prediction = Prediction {
    asks: "FD_SET(1600) as C's macro does it. Has it changed the memory behind the set?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("yes")),
};

const FOUND: Prediction = Prediction {
    asks: "A byte waits at 1600. What does the kernel's select return for nfds 1601?",
    choices: &["0", "1", "EINVAL"],
    expect: BEYOND_THE_SET,
};

/// As select(2) says: FreeBSD, OpenBSD and NetBSD let a program define a greater FD_SETSIZE, so the kernel must take it.
const BEYOND_THE_SET: Expect = Expect::on_linux(Expected::Is("1")).but(
    &[MacOs],
    Expected::Is("EINVAL"),
    "its libc refuses nfds above 1024 unless the program was built to have more",
);

const REWRITTEN: Prediction = Prediction {
    asks: "Nothing waits, but the neighbour's bit is set. Is it still set after select?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("no")).but(
        &[MacOs],
        Expected::Is("yes"),
        "its libc refuses the call",
    ),
};

const WIDE: Prediction = Prediction {
    asks: "A byte waits at 1600, in a set with bits up to there. What does select return?",
    choices: &["0", "1", "EINVAL"],
    expect: BEYOND_THE_SET,
};

const POLL: Prediction = Prediction {
    asks: "A byte waits at 1600. What does poll return for a row with it?",
    choices: &["0", "1", "EINVAL"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let wild = lab.wild();
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    let far = fcntl_dupfd(&a, NUMBER)?;
    send(&c, b"x", MSG_NOSIGNAL)?;

    lab.part("What our wrappers do");
    lab.predict(&BITS);
    lab.observe(size_of::<FdSet>() * 8);
    let mut set = only(&a)?;
    lab.predict(&REFUSED);
    lab.observe(set.set(&far).is_ok());
    lab.predict(&REFUSED_CALL);
    lab.observe(select(NUMBER + 1, Some(&mut set), None, None, Some(&mut millis(0))));

    lab.part("The broken way: what C's macro and the kernel do");
    lab.say(format_args!(
        "Here is memory of {WORDS} words. The first {SET} are an fd_set; the rest belongs to its neighbour on the stack."
    ));
    let mut memory = [0; WORDS];
    lab.predict(&OVERRUN);
    fd_set(wild, far.number(), &mut memory)?;
    let behind = memory[SET..].iter().any(|word| *word != 0);
    lab.observe(behind);
    lab.say(format_args!(
        "Bit {NUMBER} is in byte {}, {} bytes past the end of the set.",
        NUMBER / 8,
        NUMBER as usize / 8 - size_of::<FdSet>()
    ));
    lab.predict(&FOUND);
    lab.observe(selecting::select(wild, NUMBER + 1, &mut memory, &mut millis(0)));
    lab.say("The kernel has read the neighbour's memory, and it also writes to it:");
    recv(&a, &mut [0], MsgFlags::NONE)?;
    lab.predict(&REWRITTEN);
    // If it fails, as on macOS, the bit shows that.
    let _ = selecting::select(wild, NUMBER + 1, &mut memory, &mut millis(0));
    lab.observe(fd_isset(wild, far.number(), &memory));

    lab.part("A right way, where the system accepts it: a set that is long enough");
    send(&c, b"x", MSG_NOSIGNAL)?;
    let mut wide = WideFdSet::new();
    wide.set(&far);
    lab.predict(&WIDE);
    lab.observe(select_wide(wide.nfds(), Some(&mut wide), None, None, Some(&mut millis(0))));

    lab.part("The right way: no bitmap");
    lab.predict(&POLL);
    lab.observe(poll(&mut [PollFd::new(far.as_fd(), POLLIN)], 0));
    Ok(())
}
