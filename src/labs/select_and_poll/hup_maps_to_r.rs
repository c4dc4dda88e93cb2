//! Which of poll's flags becomes which of select's sets?
//!
//! The kernel has one answer, and select maps it to three bits: IN, HUP and ERR become r; OUT and ERR become w; PRI
//! becomes x. So a socket for which poll reports an error is, for select, readable and writable.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{sets_of, tcp_pair, wait_for_urgent};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "hup-maps-to-r",
    claim: "select maps poll's flags: IN, HUP, ERR to r; OUT, ERR to w; PRI to x.",
    question: "Which of poll's flags becomes which of select's sets?",
    explanation: "Both calls ask the same function in the kernel; select keeps less of its answer. That is enough, \
        because the next read or write tells what happened. A socket that was never connected shows the oddest result: \
        poll reports OUT and HUP, select says readable and writable, and yet no byte can move.",
    elsewhere: "On the BSDs and macOS a socket that was never connected is neither readable nor writable, and a pipe \
        without its other end is POLLHUP at either end. FreeBSD and macOS map POLLHUP to r and w; NetBSD maps any flag \
        to each of the three sets.",
    sources: &[
        "select(2), NOTES (the correspondence)",
        "poll(2)",
        "POSIX select",
        "POSIX poll",
        "gVisor: NonBlockingEventPOLLHUP, NonBlockingEventPOLLERR, RSTCausesPollHUP",
    ],
    related: &["readiness-matrix", "exceptfds-is-not-errors"],
    words: &["POLLIN", "POLLOUT", "POLLHUP", "POLLERR", "POLLPRI", "select", "poll"],
    predictions: &[&HUP, &HUP_SETS, &ERR, &ERR_SETS, &PRI, &PRI_SETS, &FRESH, &FRESH_SETS],
    spoiled_by: "select:spurious@1",
    run,
    ..Lab::ORDINARY
};

const SETS: &[&str] = &["r", "w", "rw", "wx", "none"];

const fn sets(asks: &'static str, linux: &'static str) -> Prediction {
    Prediction { asks, choices: SETS, expect: Expect::on_linux(Expected::Is(linux)) }
}

const HUP: Prediction = Prediction {
    asks: "A pipe's read end; the writer has closed. What does poll report, asked for everything?",
    choices: &["POLLHUP", "POLLIN|POLLHUP", "POLLIN"],
    expect: Expect::on_linux(Expected::Is("POLLHUP"))
        .but(
            &[FreeBsd, OpenBsd],
            Expected::Is("POLLIN|POLLHUP"),
            "an end of file is readable as well",
        )
        .but(
            &[NetBsd],
            Expected::Is("POLLIN|POLLOUT|POLLHUP"),
            "a pipe without its other end is readable and writable as well",
        )
        .but(
            &[MacOs],
            Expected::Is("POLLIN|POLLPRI|POLLHUP"),
            "poll is built on kqueue, where an end of file is a hang-up",
        ),
};

const HUP_SETS: Prediction = sets("POLLHUP alone: in which of select's sets is it?", "r")
    .but(&[FreeBsd, OpenBsd, MacOs], Expected::Is("rw"), "POLLHUP counts for both")
    .but(&[NetBsd], Expected::Is("rwx"), "select maps any flag to each of its sets");

const ERR: Prediction = Prediction {
    asks: "A pipe's write end; the reader has closed. What does poll report, asked only for POLLIN?",
    choices: &["0", "POLLIN", "POLLERR"],
    expect: Expect::on_linux(Expected::Is("POLLERR")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("POLLIN|POLLHUP"),
        "a pipe without its other end is a hang-up, at either end",
    ),
};

const ERR_SETS: Prediction = sets(
    "It is open for writing only. In which of select's sets is it?",
    "rw",
)
.but(&[NetBsd], Expected::Is("rwx"), "select maps any flag to each of its sets");

const PRI: Prediction = Prediction {
    asks: "A TCP socket with an urgent byte and nothing else. What does poll report?",
    choices: &["POLLIN|POLLOUT", "POLLPRI|POLLOUT", "POLLIN|POLLPRI|POLLOUT"],
    expect: Expect::on_linux(Expected::Is("POLLPRI|POLLOUT"))
        .but(&[MacOs], Expected::Is("POLLOUT"), "its poll never reports urgent data: select does")
        .but(&[GVisor], Expected::Is("POLLIN|POLLOUT"), "it has no urgent data"),
};

const PRI_SETS: Prediction = sets("In which of select's sets is it?", "wx").but(
    &[GVisor],
    Expected::Is("rw"),
    "it has no urgent data",
);

const FRESH: Prediction = Prediction {
    asks: "A TCP socket that was never connected. What does poll report?",
    choices: &["0", "POLLOUT", "POLLOUT|POLLHUP", "POLLERR"],
    expect: Expect::on_linux(Expected::Is("POLLOUT|POLLHUP"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("0"),
            "a socket without a connection is not ready for anything",
        )
        .but(&[GVisor], Expected::Is("POLLHUP"), "it is not ready for writing"),
};

const FRESH_SETS: Prediction = Prediction {
    // macOS: soreadable has no data and no end, and sowriteable wants a connection (sys/socketvar.h).
    expect: Expect::on_linux(Expected::Is("rw"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("none"),
            "a socket without a connection is not ready for anything",
        )
        .but(&[GVisor], Expected::Is("r"), "it is not ready for writing"),
    ..sets("In which of select's sets is a socket that was never connected?", "rw")
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("HUP maps to r");
    let [read_end, write_end] = pipe()?;
    close(write_end)?;
    lab.predict(&HUP);
    lab.observe(answer(&read_end, POLLIN | POLLPRI | POLLOUT));
    lab.predict(&HUP_SETS);
    lab.observe(sets_of(&read_end));

    lab.part("ERR maps to r and w, and is reported unasked");
    let [read_end, write_end] = pipe()?;
    close(read_end)?;
    lab.predict(&ERR);
    lab.observe(answer(&write_end, POLLIN));
    lab.predict(&ERR_SETS);
    lab.observe(sets_of(&write_end));

    lab.part("PRI maps to x");
    let (c, a) = tcp_pair()?;
    send(&c, b"!", MSG_OOB)?;
    wait_for_urgent(&a)?;
    lab.predict(&PRI);
    lab.observe(answer(&a, POLLIN | POLLPRI | POLLOUT));
    lab.predict(&PRI_SETS);
    lab.observe(sets_of(&a));

    lab.part("A socket that was never connected");
    let fresh = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&FRESH);
    lab.observe(answer(&fresh, POLLIN | POLLPRI | POLLOUT));
    lab.predict(&FRESH_SETS);
    lab.observe(sets_of(&fresh));
    Ok(())
}

/// What poll reports now.
fn answer(fd: &Fd, events: PollEvents) -> Result<PollEvents> {
    let mut rows = [PollFd::new(fd.as_fd(), events)];
    poll(&mut rows, 0)?;
    Ok(rows[0].revents())
}
