//! What do poll and select report for a socket, state by state?
//!
//! The table that the author of every event loop needs, measured here: the lab builds each state, asks poll for every
//! flag, then select for all three sets. Each line is an observation of this system; the table comes at the end.
//!
//! Note what the table does not say. POLLIN does not distinguish data from the end of file: recv does. POLLHUP means
//! that both halves are closed, so it does not tell you that the peer has finished; for a pipe it comes without POLLIN.
//! And select has one bit where poll has four flags.
//!
//! (A pipe's write end without a reader is in r as well, because the lab puts it into all three sets: POLLERR counts
//! for r and for w. A program that puts a write end only into writefds, as usual, sees w.)

use crate::labs::prediction::Observed;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, listener, sets_of, tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::os::watching::PEER_FINISHED;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "readiness-matrix",
    claim: "What poll and select report for idle, data, FIN, reset and hang-up.",
    question: "POLLHUP, POLLRDHUP, or recv returning 0: which belongs to which state?",
    explanation: "Treat IN, HUP and ERR alike: call recv, and its result tells you whether there is data, the end of \
        file (0) or an error. POLLHUP on a stream means that both directions are closed, POLLRDHUP (where it exists) \
        that the peer has finished sending, and POLLERR that SO_ERROR holds an error. POSIX says that HUP and OUT \
        exclude each other; Linux sets both.",
    elsewhere: "FreeBSD and OpenBSD report a FIN as POLLIN alone (FreeBSD 14 adds POLLRDHUP), both closed halves as \
        POLLHUP without POLLOUT, and never POLLERR for a socket. (On FreeBSD that is the result of a poll that does not \
        have to wait; a poll that waits takes another way through the kernel, and was not run.) NetBSD reports neither \
        POLLHUP nor POLLERR for a socket. macOS's poll is built on kqueue: a FIN alone gives POLLHUP. So only recv tells \
        you on every system what happened.",
    sources: &[
        "poll(2)",
        "select(2)",
        "POSIX poll",
        "Kerrisk, The Linux Programming Interface, 63.2.3",
    ],
    related: &["hup-maps-to-r", "exceptfds-is-not-errors", "half-close", "tty-readiness"],
    words: &["POLLIN", "POLLOUT", "POLLHUP", "POLLERR", "POLLRDHUP", "poll", "select"],
    minutes: 5,
    predictions: &[
        &IDLE,
        &DATA,
        &FIN,
        &FIN_HUP,
        &BOTH_FINS,
        &HUP_OUT,
        &RESET,
        &RESET_ERR,
        &RESET_TOLD,
        &UNIX_CLOSED,
        &PIPE_HELD,
        &PIPE_EMPTY,
        &PIPE_BROKEN,
        &LISTENER_IDLE,
        &LISTENER_ASKED,
        &LISTENER_SHUT,
    ],
    spoiled_by: "select:spurious@1",
    run,
    ..Lab::ORDINARY
};

const fn state(
    asks: &'static str,
    choices: &'static [&'static str],
    linux: &'static str,
) -> Prediction {
    Prediction { asks, choices, expect: Expect::on_linux(Expected::Is(linux)) }
}

const IDLE: Prediction = Prediction {
    asks: "A TCP connection; no data was sent. What do poll and select report?",
    choices: &["0; none", "POLLOUT; w", "POLLIN|POLLOUT; rw"],
    expect: Expect::everywhere(Expected::Is("POLLOUT; w")),
};

const DATA: Prediction = Prediction {
    asks: "The peer has sent a byte.",
    choices: &["POLLIN; r", "POLLIN|POLLOUT; rw", "POLLIN|POLLPRI|POLLOUT; rwx"],
    expect: Expect::everywhere(Expected::Is("POLLIN|POLLOUT; rw")),
};

const FIN: Prediction = state(
    "The peer has finished sending (a FIN).",
    &["POLLHUP; r", "POLLIN|POLLOUT|POLLRDHUP; rw", "POLLIN|POLLOUT|POLLHUP; rw"],
    "POLLIN|POLLOUT|POLLRDHUP; rw",
)
.but(
    &[FreeBsd],
    Expected::OneOf(&["POLLIN|POLLOUT; rw", "POLLIN|POLLOUT|POLLRDHUP; rw"]),
    "POLLRDHUP exists since 14 only",
)
.but(
    &[NetBsd, OpenBsd],
    Expected::Is("POLLIN|POLLOUT; rw"),
    "poll lacks POLLRDHUP; a FIN makes the socket readable, as any end of file",
)
.but(&[MacOs], Expected::Is("POLLIN|POLLPRI|POLLHUP; rw"), KQUEUE);

/// What the kernel sources of other systems show: one flag in one state.
const fn flag(asks: &'static str, expect: Expect) -> Prediction {
    Prediction { asks, choices: &["yes", "no"], expect }
}

const FIN_HUP: Prediction = flag(
    "Is POLLHUP among the flags of a FIN alone?",
    Expect::on_linux(Expected::Is("no")),
)
.but(&[MacOs], Expected::Is("yes"), KQUEUE);

const HUP_OUT: Prediction = flag(
    "Is POLLOUT reported together with POLLHUP, which POSIX excludes?",
    Expect::on_linux(Expected::Is("yes")),
)
.but(&[NetBsd, OpenBsd, MacOs], Expected::Is("no"), "POLLHUP excludes POLLOUT, or is not reported")
.but(&[FreeBsd], Expected::Is("no"), HUNG_UP_ON_FREEBSD);

const HUNG_UP_ON_FREEBSD: &str = "POLLHUP excludes POLLOUT in a poll that does not have to wait, and poll does not \
    report POLLERR for sockets; a poll that waits was not run";

const RESET_ERR: Prediction =
    flag("Is a reset reported with POLLERR?", Expect::on_linux(Expected::Is("yes"))).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("no"),
        "poll does not report POLLERR for sockets: recv and SO_ERROR tell",
    );

/// Why macOS answers so often in its own way.
const KQUEUE: &str = "poll is built on kqueue, where an end of file is a hang-up";

/// What gVisor reports for a TCP connection that is over, however it ended.
const ALL_OF_IT: &str = "POLLIN|POLLPRI|POLLOUT|POLLERR|POLLHUP|POLLRDHUP; rwx";

/// A connection with both halves closed: the BSDs and macOS do not report how it ended.
const fn over(on_linux: Prediction) -> Prediction {
    let hung_up =
        "POLLHUP excludes POLLOUT, as POSIX requires, and poll does not report POLLERR for sockets";
    let not_said = "poll reports neither POLLHUP nor POLLERR for sockets";
    // FreeBSD has POLLRDHUP since 14.
    let by_release = Expected::OneOf(&["POLLIN|POLLHUP; rw", "POLLIN|POLLHUP|POLLRDHUP; rw"]);
    on_linux
        .but(&[FreeBsd], by_release, HUNG_UP_ON_FREEBSD)
        .but(&[OpenBsd], Expected::Is("POLLIN|POLLHUP; rw"), hung_up)
        .but(&[NetBsd], Expected::Is("POLLIN|POLLOUT; rw"), not_said)
        .but(&[MacOs], Expected::Is("POLLIN|POLLPRI|POLLHUP; rw"), KQUEUE)
}

/// A pipe whose other end is closed.
const fn one_ended(on_linux: Prediction) -> Prediction {
    let same = "a pipe without its other end reports the same at either end";
    let each_set = "select maps any flag to each of its sets";
    on_linux
        .but(&[FreeBsd, OpenBsd], Expected::Is("POLLIN|POLLHUP; rw"), same)
        .but(&[NetBsd], Expected::Is("POLLIN|POLLOUT|POLLHUP; rwx"), each_set)
        .but(&[MacOs], Expected::Is("POLLIN|POLLPRI|POLLHUP; rw"), KQUEUE)
}

const BOTH_FINS: Prediction = over(state(
    "The peer has finished sending, and so have we.",
    &["POLLHUP; r", "POLLIN|POLLRDHUP; r", "POLLIN|POLLOUT|POLLHUP|POLLRDHUP; rw"],
    "POLLIN|POLLOUT|POLLHUP|POLLRDHUP; rw",
))
.but(&[GVisor], Expected::Is(ALL_OF_IT), "it reports every flag");

const RESET: Prediction = over(state(
    "The peer has reset the connection.",
    &["POLLERR; x", "POLLERR|POLLHUP; none", "POLLIN|POLLOUT|POLLERR|POLLHUP|POLLRDHUP; rw"],
    "POLLIN|POLLOUT|POLLERR|POLLHUP|POLLRDHUP; rw",
))
.but(&[GVisor], Expected::Is(ALL_OF_IT), "it reports every flag");

const RESET_TOLD: Prediction = over(state(
    "The same socket, after SO_ERROR was read.",
    &[
        "0; none",
        "POLLIN|POLLOUT|POLLHUP|POLLRDHUP; rw",
        "POLLIN|POLLOUT|POLLERR|POLLHUP|POLLRDHUP; rw",
    ],
    "POLLIN|POLLOUT|POLLHUP|POLLRDHUP; rw",
))
.but(&[GVisor], Expected::Is(ALL_OF_IT), "it reports every flag");

const UNIX_CLOSED: Prediction = over(state(
    "A Unix-domain stream whose peer has closed.",
    &["POLLHUP; r", "POLLIN|POLLOUT|POLLRDHUP; rw", "POLLIN|POLLOUT|POLLHUP|POLLRDHUP; rw"],
    "POLLIN|POLLOUT|POLLHUP|POLLRDHUP; rw",
));

const PIPE_HELD: Prediction = one_ended(state(
    "A pipe's read end: its writer has gone, and a byte is left.",
    &["POLLHUP; r", "POLLIN|POLLHUP; r", "POLLIN; r"],
    "POLLIN|POLLHUP; r",
));

const PIPE_EMPTY: Prediction = one_ended(state(
    "The same, when the byte was read.",
    &["POLLHUP; r", "POLLIN|POLLHUP; r", "0; none"],
    "POLLHUP; r",
));

const PIPE_BROKEN: Prediction = one_ended(state(
    "A pipe's write end; its reader has gone.",
    &["POLLERR; r", "POLLOUT|POLLERR; rw", "POLLHUP; w"],
    "POLLOUT|POLLERR; rw",
));

const LISTENER_IDLE: Prediction =
    state("A listener with an empty queue.", &["0; none", "POLLOUT; w"], "0; none");

const LISTENER_ASKED: Prediction = state(
    "A listener with a connection in its queue.",
    &["POLLIN; r", "POLLIN|POLLOUT; rw", "POLLOUT; w"],
    "POLLIN; r",
);

const LISTENER_SHUT: Prediction = state(
    "A listener after shutdown.",
    &["POLLNVAL; none", "POLLHUP; r", "POLLOUT|POLLHUP; rw"],
    "POLLOUT|POLLHUP; rw",
)
.but(
    &[FreeBsd],
    Expected::Is("POLLIN|POLLHUP; rw"),
    "shutdown fails with ENOTCONN and takes effect; accept fails with ECONNABORTED",
)
.but(&[NetBsd], Expected::Is("POLLIN|POLLOUT; rw"), "poll does not report POLLHUP for sockets")
.but(&[GVisor], Expected::Is("0; none"), "it stops listening without an error")
.but(&[MacOs], Expected::Is("0; none"), "shutdown fails with ENOTCONN, and does nothing");

/// The lines of the table: a state, what poll reported for it, and select.
type ReadinessRows = Vec<(&'static str, String, String)>;

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut table = ReadinessRows::new();
    connections(lab, &mut table)?;
    pipes(lab, &mut table)?;
    listeners(lab, &mut table)?;

    lab.part("This system's table: the state, select's sets, poll's flags");
    for (state, polled, sets) in table {
        let flags = polled.replace("POLL", "").replace('|', " ");
        lab.say(format_args!("{state:<38} {sets:<5} {flags}"));
    }
    Ok(())
}

fn connections(lab: &mut Run<'_>, table: &mut ReadinessRows) -> LabResult {
    lab.part("A TCP connection");
    let (c, a) = tcp_pair()?;
    look(lab, table, ("TCP: idle", &IDLE), &a);
    send(&c, b"x", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    look(lab, table, ("TCP: data", &DATA), &a);
    recv(&a, &mut [0], MsgFlags::NONE)?;
    shutdown(&c, SHUT_WR)?;
    wait_for(&a, POLLIN)?;
    look(lab, table, ("TCP: the peer's FIN", &FIN), &a);
    says(lab, &FIN_HUP, &a, POLLHUP)?;
    shutdown(&a, SHUT_WR)?;
    look(lab, table, ("TCP: both FINs", &BOTH_FINS), &a);
    says(lab, &HUP_OUT, &a, POLLHUP | POLLOUT)?;

    lab.part("A TCP connection that is reset");
    let (c, a) = tcp_pair()?;
    setsockopt(&c, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 })?;
    close(c)?; // with this option: a reset
    wait_for(&a, POLLIN)?;
    look(lab, table, ("TCP: reset", &RESET), &a);
    says(lab, &RESET_ERR, &a, POLLERR)?;
    getsockopt(&a, SOL_SOCKET, SO_ERROR)?;
    look(lab, table, ("TCP: reset, SO_ERROR was read", &RESET_TOLD), &a);

    lab.part("A Unix-domain stream");
    let [c, a] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    close(c)?;
    look(lab, table, ("Unix domain: the peer has closed", &UNIX_CLOSED), &a);
    Ok(())
}

fn pipes(lab: &mut Run<'_>, table: &mut ReadinessRows) -> LabResult {
    lab.part("A pipe");
    let [read_end, write_end] = pipe()?;
    write(&write_end, b"x")?;
    close(write_end)?;
    look(lab, table, ("pipe to read: no writer, a byte left", &PIPE_HELD), &read_end);
    read(&read_end, &mut [0])?;
    look(lab, table, ("pipe to read: no writer, empty", &PIPE_EMPTY), &read_end);
    let [read_end, write_end] = pipe()?;
    close(read_end)?;
    look(lab, table, ("pipe to write: no reader", &PIPE_BROKEN), &write_end);
    Ok(())
}

fn listeners(lab: &mut Run<'_>, table: &mut ReadinessRows) -> LabResult {
    lab.part("A listener");
    let (l, address) = listener()?;
    look(lab, table, ("listener: empty queue", &LISTENER_IDLE), &l);
    let _c = client_of(&address)?;
    wait_for(&l, POLLIN)?;
    look(lab, table, ("listener: a connection waits", &LISTENER_ASKED), &l);
    accept(&l)?;
    if let Err(errno) = shutdown(&l, SHUT_RDWR) {
        lab.say(format_args!(
            "shutdown of a listener fails with {errno} here, and may have taken effect all the same."
        ));
    }
    look(lab, table, ("listener: shut down", &LISTENER_SHUT), &l);
    Ok(())
}

/// Asks both, and adds their answers to the table.
fn look(
    lab: &mut Run<'_>,
    table: &mut ReadinessRows,
    (state, prediction): (&'static str, &'static Prediction),
    fd: &Fd,
) {
    lab.predict(prediction);
    let mut rows = [PollFd::new(fd.as_fd(), POLLIN | POLLPRI | POLLOUT | PEER_FINISHED)];
    let polled = poll(&mut rows, 0).map(|_| rows[0].revents());
    let (polled, sets) = (polled.words(), sets_of(fd).words());
    lab.observe(format!("{polled}; {sets}"));
    table.push((state, polled, sets));
}

/// Whether poll, called again, reports all of these.
fn says(
    lab: &mut Run<'_>,
    prediction: &'static Prediction,
    fd: &Fd,
    flags: PollEvents,
) -> LabResult {
    lab.predict(prediction);
    let mut rows = [PollFd::new(fd.as_fd(), POLLIN | POLLOUT)];
    poll(&mut rows, 0)?;
    lab.observe(rows[0].revents().contains(flags));
    Ok(())
}
