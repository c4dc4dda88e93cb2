//! Why does select give EBADF, and for which descriptor?
//!
//! One closed descriptor in any set makes the whole call fail; the sets stay as they were, and select does not say
//! which descriptor it was. poll reports POLLNVAL in that row and answers the others. A peer that resets its connection
//! is never the reason: our descriptor stays open until we close it.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only, tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, NetBsd};
use crate::sys::wild::selecting;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "bad-fd-poisons-select",
    claim: "One closed descriptor fails the whole select; poll reports it in its own row.",
    question: "Why does select give EBADF, and for which descriptor?",
    explanation: "EBADF means that this program has closed a descriptor and left its number in a set: a peer cannot \
        cause it. UNP's select server does end when a client resets, but for another reason: the wrapper around its \
        read ends the program on any error. Close that one client instead. select does not name the closed descriptor; \
        a poll with timeout 0 finds it. The case without EBADF is worse: the kernel may have reused the number for \
        another connection, and Linux does not even check numbers beyond its table of descriptors.",
    elsewhere: "FreeBSD and NetBSD give EBADF for a number beyond the table as well.",
    sources: &["select(2), BUGS", "poll(2)", "POSIX select", "POSIX poll", "gVisor: ClosedFds"],
    related: &["close-under-wait", "drop-closes", "poll-array-rules"],
    words: &["EBADF", "POLLNVAL", "select", "poll"],
    predictions: &[&CLOSED, &SETS, &ROW, &RESET, &BEYOND_TABLE, &STILL_THERE],
    spoiled_by: "select:EINTR@1",
    run,
    ..Lab::ORDINARY
};

const CLOSED: Prediction = Prediction {
    asks: "A byte waits at one descriptor of the set; the other was closed. What does select give?",
    choices: &["1", "2", "EBADF"],
    expect: Expect::everywhere(Expected::Is("EBADF")),
};

const SETS: Prediction = Prediction {
    asks: "After that error: is the set as it was before the call?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("yes")),
};

const ROW: Prediction = Prediction {
    asks: "The same two numbers as rows of poll, for POLLIN. What is in revents of the closed one?",
    choices: &["POLLNVAL", "POLLERR", "EBADF", "0"],
    expect: Expect::everywhere(Expected::Is("POLLNVAL")),
};

const RESET: Prediction = Prediction {
    asks: "The peer has reset the connection; our descriptor is open. What does select give?",
    choices: &["1", "EBADF", "ECONNRESET"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const BEYOND_TABLE: Prediction = Prediction {
    asks: "The set has number 1000, which was never open. What does select give?",
    choices: &["0", "1", "EBADF"],
    expect: Expect::on_linux(Expected::Is("0")).but(
        &[FreeBsd, NetBsd, GVisor],
        Expected::Is("EBADF"),
        "it looks up every number below nfds",
    ),
};

const STILL_THERE: Prediction = Prediction {
    asks: "And is its bit set afterwards, as if it were ready?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&c, b"x", MSG_NOSIGNAL)?;

    lab.part("A number that was closed and left in the set");
    let stale = dup(&a)?;
    let stale_number = stale.number();
    let mut readable = only(&a)?;
    readable.set(&stale)?;
    close(stale)?;
    let before = readable;
    let nfds = readable.nfds();
    lab.predict(&CLOSED);
    lab.observe(select(nfds, Some(&mut readable), None, None, Some(&mut millis(0))));
    lab.predict(&SETS);
    lab.observe(readable == before);

    lab.part("The same question to poll, which finds the closed descriptor");
    let row = |fd| PollRow { fd, events: POLLIN, revents: PollEvents::NONE };
    let mut rows = [row(a.number()), row(stale_number)];
    lab.predict(&ROW);
    lab.observe(selecting::poll(lab.wild(), &mut rows, 0).and(Ok(rows[1].revents)));

    lab.part("A peer cannot cause it");
    let (peer, ours) = tcp_pair()?;
    setsockopt(&peer, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 })?;
    close(peer)?; // with this option: a reset
    wait_for(&ours, POLLIN)?;
    let mut readable = only(&ours)?;
    lab.predict(&RESET);
    lab.observe(select(readable.nfds(), Some(&mut readable), None, None, Some(&mut millis(0))));

    lab.part("A number beyond the table of descriptors, which grows only as needed");
    let never = FdNumber::new(1000);
    let mut memory = [0; FD_SETSIZE.div_ceil(WORD_BITS)];
    if selecting::fd_set(lab.wild(), never, &mut memory).is_err() {
        lab.say("FD_SETSIZE is too small here: 1000 has no bit.");
        return Ok(());
    }
    lab.predict(&BEYOND_TABLE);
    lab.observe(selecting::select(lab.wild(), 1001, &mut memory, &mut millis(0)));
    lab.predict(&STILL_THERE);
    lab.observe(selecting::fd_isset(lab.wild(), never, &memory));
    Ok(())
}
