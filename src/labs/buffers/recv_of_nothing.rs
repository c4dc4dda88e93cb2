//! I ask for 0 bytes. Does the call return at once?
//!
//! read does. recv asks the protocol, waits until a byte arrives, and then leaves that byte in the socket. If a signal
//! ends the wait, recv on a Unix-domain stream fails with EINTR, but recv on TCP returns 0, which otherwise means that
//! the peer has finished. On a datagram socket read takes nothing, whereas recv takes the datagram and discards its
//! bytes.

use std::time::{Duration, Instant};

use crate::labs::peers::Alarm;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "recv-of-nothing",
    claim: "read of 0 bytes returns at once; recv of 0 bytes waits, or loses a datagram.",
    question: "Does recv with a buffer of 0 bytes return at once, as read does?",
    explanation: "In read the kernel checks the count first and returns at once if it is 0. recv passes the call to \
        the protocol, which waits for data before it looks at the size of the buffer. So a program whose buffer is \
        full, and which calls recv for the 0 bytes that are left, sleeps, or mistakes the 0 for the end of the stream. \
        Make room before you receive, and use FIONREAD or MSG_PEEK to look.",
    elsewhere: "POSIX lets read of 0 bytes return 0 and do nothing else; it does not say what recv of 0 bytes does.",
    sources: &[
        "read(2): count is zero",
        "POSIX read, recv",
        "Linux, net/socket.c: sock_read_iter; net/ipv4/tcp.c: tcp_recvmsg_locked",
    ],
    related: &["zero-is-three-things", "peek-waitall-trunc", "datagram-truncation"],
    words: &["read", "recv", "EINTR", "FIONREAD", "MSG_PEEK"],
    minutes: 3,
    predictions: &[
        &READ,
        &RECV_TCP,
        &RECV_UNIX,
        &RECV_WITH_A_BYTE,
        &BYTE_IS_LEFT,
        &AFTER_READ,
        &AFTER_RECV,
    ],
    spoiled_by: "recv:ECONNRESET@1",
    run,
    ..Lab::ORDINARY
};

const WHAT_HAPPENS: &[&str] = &["0 at once", "0, when a signal comes", "EINTR", "EINVAL"];

const READ: Prediction = Prediction {
    asks: "No data has arrived on a TCP connection. What does read of 0 bytes give?",
    choices: WHAT_HAPPENS,
    expect: Expect::on_linux(Expected::Is("0 at once")),
};

const RECV_TCP: Prediction = Prediction {
    asks: "And recv of 0 bytes, while a signal comes each half second?",
    choices: WHAT_HAPPENS,
    expect: Expect::on_linux(Expected::Is("0, when a signal comes")),
};

const RECV_UNIX: Prediction = Prediction {
    asks: "And recv of 0 bytes on a Unix-domain stream?",
    choices: WHAT_HAPPENS,
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const RECV_WITH_A_BYTE: Prediction = Prediction {
    asks: "A byte has arrived on TCP. What does recv of 0 bytes give now?",
    choices: WHAT_HAPPENS,
    expect: Expect::on_linux(Expected::Is("0 at once")),
};

const BYTE_IS_LEFT: Prediction = Prediction {
    asks: "How many bytes does FIONREAD count afterwards?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("1")),
};

const AFTER_READ: Prediction = Prediction {
    asks: "Two datagrams have come, \"abc\" and \"def\". After read of 0 bytes, which one does recv with MSG_PEEK show?",
    choices: &["abc", "def"],
    expect: Expect::on_linux(Expected::Is("abc")),
};

const AFTER_RECV: Prediction = Prediction {
    asks: "And after recv of 0 bytes?",
    choices: &["abc", "def"],
    expect: Expect::on_linux(Expected::Is("def")),
};

/// How often the signal comes. A call that returned in much less time returned by itself.
const PERIOD: Duration = Duration::from_millis(500);
const AT_ONCE: Duration = Duration::from_millis(400);

fn run(lab: &mut Run<'_>) -> LabResult {
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    let (c, a) = tcp_pair()?;

    lab.part("Streams, and no data has arrived");
    lab.predict(&READ);
    lab.observe(interrupted(|| read(&a, &mut [])));
    lab.predict(&RECV_TCP);
    lab.observe(interrupted(|| recv(&a, &mut [], MsgFlags::NONE)));
    let [ours, _theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.predict(&RECV_UNIX);
    lab.observe(interrupted(|| recv(&ours, &mut [], MsgFlags::NONE)));

    lab.part("A stream, and a byte has arrived");
    send(&c, b"x", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    lab.predict(&RECV_WITH_A_BYTE);
    lab.observe(interrupted(|| recv(&a, &mut [], MsgFlags::NONE)));
    let mut unread = 0;
    lab.predict(&BYTE_IS_LEFT);
    lab.observe(ioctl(&a, FIONREAD, &mut unread).map(|_| unread));

    lab.part("Datagrams");
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_DGRAM, Protocol::default())?;
    send(&theirs, b"abc", MSG_NOSIGNAL)?;
    send(&theirs, b"def", MSG_NOSIGNAL)?;
    read(&ours, &mut [])?;
    lab.predict(&AFTER_READ);
    lab.observe(next_of(&ours));
    recv(&ours, &mut [], MSG_DONTWAIT)?;
    lab.predict(&AFTER_RECV);
    lab.observe(next_of(&ours));
    Ok(())
}

/// What a call gives while the signal comes again and again, and whether it returned before one came.
fn interrupted(call: impl FnOnce() -> Result<usize>) -> Result<String> {
    // Before the alarm: what a signal has ended then took at least its period.
    let began = Instant::now();
    let alarm = Alarm::every(PERIOD, SIGUSR1);
    let result = call();
    let took = began.elapsed();
    drop(alarm);
    let when = if took < AT_ONCE { " at once" } else { ", when a signal comes" };
    result.map(|bytes| format!("{bytes}{when}"))
}

/// The next datagram, which stays.
fn next_of(fd: &Fd) -> Result<String> {
    let mut buf = [0; 8];
    let len = recv(fd, &mut buf, MSG_PEEK | MSG_DONTWAIT)?;
    Ok(buf[..len].escape_ascii().to_string())
}
