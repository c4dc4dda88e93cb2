//! Must each wait ask about every connection?
//!
//! No. poll looks at each row of each call, so a program may leave out the connections that were silent lately, and look
//! at them now and then. What it saves is rows; what it pays is that a silent connection which becomes ready waits for
//! the next look. epoll and kqueue keep the list in the kernel, and need neither rows nor looks.

use crate::labs::run::{LabResult, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::NetBsd;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "poll-in-tiers",
    claim: "Rows that are left out cost nothing, and report nothing, until a look.",
    question: "Must each wait ask about every connection?",
    explanation: "poll and select keep nothing between two calls: each call asks about every row, though most connections of a \
        large server are silent. Tiers keep a list of the busy ones in the program: waits ask about these alone (the hot \
        tier), and a call with a timeout of 0 looks at a part of the others from time to time (the cold tier). That saves \
        nearly all rows, and costs a bounded delay: a byte, an end or an error of a cold connection is noticed by the next \
        look. epoll and kqueue have the list in the kernel: a program adds a descriptor once, the socket itself puts it on \
        the list of ready ones, and a wait returns that list without looking at the silent ones. The price there is a list \
        that must agree with the program's, also after dup and close. 'baresock serve --via poll --tiers' waits in tiers.",
    elsewhere: "All systems scan every row of each call. NetBSD says POLLIN alone of a socket whose peer has closed.",
    sources: &[
        "poll(2)",
        "epoll(7), Questions and answers",
        "Linux, fs/select.c: do_poll",
        "kqueue(2) of FreeBSD",
    ],
    related: &["cost-is-the-highest-fd", "poll-array-rules", "readiness-is-a-hint"],
    words: &["poll", "tiers", "POLLIN", "POLLHUP", "epoll", "kqueue"],
    minutes: 3,
    predictions: &[&EVERY_ROW, &HOT_ROWS, &NOT_SEEN, &SEEN, &END_SEEN, &ALL_AGAIN],
    spoiled_by: "poll:EINTR@1",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

/// Connections; the last one is busy.
const CONNECTIONS: usize = 8;
const BUSY: usize = CONNECTIONS - 1;
const REQUESTS: usize = 3;

const EVERY_ROW: Prediction = Prediction {
    asks: "8 connections, one busy: it sends 3 requests, each found by a poll over all. How many rows has poll been given?",
    choices: &["3", "8", "24"],
    expect: Expect::everywhere(Expected::Is("24")),
};

const HOT_ROWS: Prediction = Prediction {
    asks: "The same 3 requests, each found by a poll that asks about the busy connection alone. How many rows?",
    choices: &["3", "8", "24"],
    expect: Expect::everywhere(Expected::Is("3")),
};

const NOT_SEEN: Prediction = Prediction {
    asks: "A silent connection has sent a byte, the busy one nothing. What does poll over the busy one return after 20 ms?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const SEEN: Prediction = Prediction {
    asks: "A look: poll over the silent ones, with a timeout of 0. What does it return?",
    choices: &["0", "1", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const END_SEEN: Prediction = Prediction {
    asks: "The peer of another silent connection closed it before that look. What does the next look say of it?",
    choices: &["nothing", "POLLIN|POLLHUP", "POLLNVAL"],
    expect: Expect::on_linux(Expected::Is("POLLIN|POLLHUP")).but(
        &[NetBsd],
        Expected::Is("POLLIN"),
        "its poll has no POLLHUP for sockets, and recv tells the end",
    ),
};

const ALL_AGAIN: Prediction = Prediction {
    asks: "All bytes are read, and no connection is busy. poll asks about all, without a time limit. A silent one sends: it returns?",
    choices: &["0", "1", "7"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let pairs = (0..CONNECTIONS).map(|_| socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()));
    let pairs = pairs.collect::<Result<Vec<_>>>()?;
    let (mut peers, ours): (Vec<_>, Vec<_>) =
        pairs.into_iter().map(|[peer, our]| (Some(peer), our)).unzip();

    lab.part("The slow way: every wait asks about every connection");
    lab.predict(&EVERY_ROW);
    let rows = requests(&peers, &ours, 0);
    lab.observe(rows);

    lab.part("The hot tier: the connections that were busy lately");
    lab.predict(&HOT_ROWS);
    let rows = requests(&peers, &ours, BUSY);
    lab.observe(rows);

    lab.part("What it costs: a cold connection waits for a look");
    send_from(&peers, 3)?;
    lab.predict(&NOT_SEEN);
    lab.observe(poll(&mut rows_of(&ours[BUSY..]), 20));
    lab.predict(&SEEN);
    lab.observe(poll(&mut rows_of(&ours[..BUSY]), 0));
    recv(&ours[3], &mut [0; 8], MsgFlags::NONE)?;

    lab.part("An end is noticed by a look, too");
    peers[5] = None;
    let mut cold = rows_of(&ours[..BUSY]);
    lab.predict(&END_SEEN);
    lab.observe(poll(&mut cold, 0).and(Ok(cold[5].revents())));
    recv(&ours[5], &mut [0; 8], MsgFlags::NONE)?;

    lab.part("Silence: no looks, one wait for all");
    lab.say("Looks would wake the program for nothing. The connection that has ended is left out.");
    let mut all = rows_of(&ours[..5]);
    all.extend(rows_of(&ours[6..]));
    lab.predict(&ALL_AGAIN);
    send_from(&peers, 2)?;
    lab.observe(poll(&mut all, -1));
    lab.say("epoll_wait and kevent would be called in the same way while others are busy: the kernel has the rows.");
    Ok(())
}

/// The busy connection's requests, each found by a poll over the connections from `first` on; how many rows these
/// calls were given.
fn requests(peers: &[Option<Fd>], ours: &[Fd], first: usize) -> Result<usize> {
    let mut asked = 0;
    for _ in 0..REQUESTS {
        send_from(peers, BUSY)?;
        let mut rows = rows_of(&ours[first..]);
        asked += rows.len();
        poll(&mut rows, -1)?;
        recv(&ours[BUSY], &mut [0; 8], MsgFlags::NONE)?;
    }
    Ok(asked)
}

fn send_from(peers: &[Option<Fd>], at: usize) -> Result<()> {
    let peer = peers[at].as_ref().ok_or(Errno::EBADF)?;
    send(peer, b"x", MSG_NOSIGNAL).map(drop)
}

fn rows_of(fds: &[Fd]) -> Vec<PollFd<'_>> {
    fds.iter().map(|fd| PollFd::new(fd.as_fd(), POLLIN)).collect()
}
