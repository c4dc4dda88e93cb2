//! How does a Unix-domain socket differ from TCP and UDP?
//!
//! A stream whose peer closes with unread bytes gives ECONNRESET, as TCP does. But datagrams are not lost: the sender
//! gets an error if the queue is full. And after the receiver of datagrams has closed, the very next send fails, while
//! `poll` does not report POLLHUP.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::set_nonblocking;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "unix-is-not-tcp",
    claim: "Unix datagrams are not lost: a full queue is EAGAIN, a closed peer an error.",
    question: "Is a Unix-domain socket just a faster TCP or UDP?",
    explanation: "Both ends are in one kernel, which can report at once what a network reports late or never: send \
        fails if the receiver's queue is full (a blocking send waits), and a send to a closed peer fails with \
        ECONNREFUSED in that very call, where UDP reports it in the next. If a stream's peer closes with unread bytes, \
        recv gives ECONNRESET once, then the end of file.",
    elsewhere: "On the BSDs and macOS unread bytes cause no error; a full queue of datagrams is ENOBUFS, never EAGAIN; \
        and a receiver that has closed causes ECONNRESET.",
    sources: &["unix(7)", "POSIX send", "gVisor's tests of Unix-domain sockets"],
    related: &["rst-on-unread", "udp-drops-silently", "udp-refused-later", "readiness-matrix"],
    words: &["AF_UNIX", "SOCK_DGRAM", "ECONNRESET", "ECONNREFUSED", "POLLHUP"],
    minutes: 3,
    predictions: &[&UNREAD, &THEN, &FULL, &ROOM, &GONE_POLL, &GONE_SEND],
    spoiled_by: "recv:EAGAIN@1",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const UNREAD: Prediction = Prediction {
    asks: "The peer has closed and left a byte of ours unread. What does recv give?",
    choices: &["0", "ECONNRESET", "EPIPE"],
    expect: Expect::on_linux(Expected::Is("ECONNRESET")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("0"),
        "unread bytes cause no error",
    ),
};

const THEN: Prediction = Prediction {
    asks: "And the next recv?",
    choices: &["0", "ECONNRESET", "ENOTCONN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const FULL: Prediction = Prediction {
    asks: "Datagrams are sent until send refuses one; the receiver does not read. What does that send give?",
    choices: &["EAGAIN", "ENOBUFS", "1"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ENOBUFS"),
        "a full queue is ENOBUFS",
    ),
};

const ROOM: Prediction = Prediction {
    asks: "The receiver reads all that have arrived. How many of the accepted datagrams are missing?",
    choices: &["0", "1", "most"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const GONE_POLL: Prediction = Prediction {
    asks: "The receiver has closed. What does poll report to the sender?",
    choices: &["POLLOUT", "POLLOUT|POLLHUP", "POLLOUT|POLLERR"],
    expect: Expect::on_linux(Expected::Is("POLLOUT"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("POLLIN|POLLOUT"),
            "the sender has a pending error",
        )
        .but(&[GVisor], Expected::Is("POLLIN|POLLOUT|POLLHUP"), "it reports POLLHUP"),
};

const GONE_SEND: Prediction = Prediction {
    asks: "And the next send?",
    choices: &["1", "ECONNREFUSED", "EPIPE", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("ECONNREFUSED"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("ECONNRESET"),
            "the receiver that closes resets its senders",
        )
        .but(&[GVisor], Expected::Is("EPIPE"), "it reports POLLHUP"),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    lab.part("A stream whose peer closes with unread bytes");
    let [a, b] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&a, b"x", MSG_NOSIGNAL)?;
    close(b)?;
    lab.predict(&UNREAD);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));
    lab.predict(&THEN);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));

    lab.part("Datagrams: a full queue");
    let [a, b] = socketpair(AF_UNIX, SOCK_DGRAM, Protocol::default())?;
    small_buffer(&a)?;
    set_nonblocking(&a)?;
    set_nonblocking(&b)?;
    lab.predict(&FULL);
    let mut sent = 0;
    let mut last = Ok(0);
    while last.is_ok() && sent < MOST {
        last = send(&a, b"datagram", MSG_NOSIGNAL);
        sent += usize::from(last.is_ok());
    }
    lab.observe(last);
    lab.predict(&ROOM);
    let mut received = 0;
    while recv(&b, &mut buf, MsgFlags::NONE).is_ok() {
        received += 1;
    }
    lab.observe(sent - received);

    lab.part("Datagrams: a receiver that has closed");
    close(b)?;
    lab.predict(&GONE_POLL);
    let mut rows = [PollFd::new(a.as_fd(), POLLIN | POLLOUT)];
    let polled = poll(&mut rows, 0);
    lab.observe(polled.map(|_| rows[0].revents()));
    lab.predict(&GONE_SEND);
    lab.observe(send(&a, b"datagram", MSG_NOSIGNAL));
    Ok(())
}

/// No system has room for this many.
const MOST: usize = 100_000;

/// A small send buffer, so that a few datagrams fill it on Linux. (On the BSDs and macOS the receiver's buffer counts, and
/// this is the longest datagram that can be sent.)
fn small_buffer(fd: &Fd) -> Result<()> {
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &2048)
}
