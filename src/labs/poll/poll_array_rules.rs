//! What are the rules of poll's rows?
//!
//! poll skips a row with a negative descriptor: so a program can disable a row without moving the others. Two rows may
//! contain the same descriptor; each counts. poll never writes to `events`. And even a row with `events` 0 can get an
//! answer: poll reports POLLERR, POLLHUP and POLLNVAL unasked.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::wild::selecting;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "poll-array-rules",
    claim: "Negative rows are skipped, events is kept, and errors come unasked.",
    question: "What are the rules of poll's rows?",
    explanation: "A program can keep the array from call to call: poll writes only revents. To leave a descriptor out, \
        negate its number or remove the row. Setting events to 0 is not enough, because a reset still wakes poll, again and \
        again, and a loop that ignores this row spins. A FIN does not wake such a row.",
    elsewhere: "macOS's poll is built on kqueue: it never answers a row with events = 0, and of two rows for one \
        descriptor only the last. NetBSD does not report a reset in a row with events = 0 either.",
    sources: &["poll(2)", "POSIX poll", "gVisor: EventsFieldNotModified"],
    related: &["select-eats-its-sets", "readiness-matrix", "bad-fd-poisons-select"],
    words: &["poll", "POLLERR", "POLLHUP", "POLLNVAL"],
    predictions: &[&NEGATIVE, &TWICE, &EVENTS, &FIN_UNASKED, &RESET_UNASKED],
    spoiled_by: "poll:EINTR@2",
    run,
    ..Lab::ORDINARY
};

const NEGATIVE: Prediction = Prediction {
    asks: "A row asks for POLLIN of descriptor -1. What is in its revents?",
    choices: &["0", "POLLNVAL", "POLLERR"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const TWICE: Prediction = Prediction {
    asks: "A byte waits. Two rows ask for the same descriptor. What does poll return?",
    choices: &["1", "2", "EINVAL"],
    expect: Expect::everywhere(Expected::Is("2")).but(
        &[MacOs],
        Expected::Is("1"),
        "kqueue keeps one filter for a descriptor, so poll answers only the last row",
    ),
};

const EVENTS: Prediction = Prediction {
    asks: "The first row asked for POLLIN|POLLPRI and got POLLIN. What is in its events now?",
    choices: &["POLLIN|POLLPRI", "POLLIN", "0"],
    expect: Expect::everywhere(Expected::Is("POLLIN|POLLPRI")).but(
        &[GVisor],
        Expected::OneOf(&["POLLIN|POLLPRI|POLLERR|POLLHUP", "POLLIN|POLLPRI"]),
        "it writes back the flags that it added; later releases do not",
    ),
};

const FIN_UNASKED: Prediction = Prediction {
    asks: "A row asks for nothing (events = 0). The peer has sent a FIN. What is in revents?",
    choices: &["0", "POLLHUP", "POLLIN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const RESET_UNASKED: Prediction = Prediction {
    asks: "Another row asks for nothing, and the peer has reset the connection. What is in revents?",
    choices: &["0", "POLLERR|POLLHUP", "POLLIN|POLLERR"],
    expect: Expect::on_linux(Expected::Is("POLLERR|POLLHUP"))
        .but(
            &[FreeBsd, OpenBsd],
            Expected::Is("POLLHUP"),
            "poll does not report POLLERR for sockets",
        )
        .but(&[NetBsd], Expected::Is("0"), "poll reports neither for sockets")
        .but(&[MacOs], Expected::Is("0"), "a row that asks for nothing is not registered"),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&c, b"x", MSG_NOSIGNAL)?;

    lab.part("A row that is skipped");
    let skipped = PollRow { fd: FdNumber::new(-1), events: POLLIN, revents: PollEvents::NONE };
    let mut rows = [skipped];
    lab.predict(&NEGATIVE);
    lab.observe(selecting::poll(lab.wild(), &mut rows, 0).and(Ok(rows[0].revents)));

    lab.part("Two rows for one descriptor");
    let mut rows = [PollFd::new(a.as_fd(), POLLIN | POLLPRI), PollFd::new(a.as_fd(), POLLIN)];
    lab.predict(&TWICE);
    lab.observe(poll(&mut rows, -1));
    lab.predict(&EVENTS);
    lab.observe(rows[0].events());

    lab.part("A row that asks for nothing");
    let (c, a) = tcp_pair()?;
    shutdown(&c, SHUT_WR)?;
    wait_for(&a, POLLIN)?;
    let mut rows = [PollFd::new(a.as_fd(), PollEvents::NONE)];
    lab.predict(&FIN_UNASKED);
    lab.observe(poll(&mut rows, 0).and(Ok(rows[0].revents())));
    let (c, a) = tcp_pair()?;
    setsockopt(&c, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 })?;
    close(c)?; // with this option: a reset
    wait_for(&a, POLLIN)?;
    let mut rows = [PollFd::new(a.as_fd(), PollEvents::NONE)];
    lab.predict(&RESET_UNASKED);
    lab.observe(poll(&mut rows, 0).and(Ok(rows[0].revents())));
    lab.say("The row asked for nothing, and poll would report the reset again and again, until the descriptor is \
        closed or its row removed.");
    Ok(())
}
