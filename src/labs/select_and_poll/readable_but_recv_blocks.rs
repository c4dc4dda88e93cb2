//! poll reports POLLIN. Can a blocking recv still wait, with both ends on one machine?
//!
//! Yes, on a Unix-domain stream. An urgent byte that was taken with MSG_OOB leaves its mark in the queue, and poll only
//! checks whether the queue is empty. And SO_RCVLOWAT makes recv wait for more bytes, but poll ignores the option
//! there. On TCP poll and recv agree about SO_RCVLOWAT. A non-blocking recv gives EAGAIN, or the bytes that have
//! arrived.

use std::thread;
use std::time::Duration;

use crate::labs::peers::{Alarm, joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for, without_pressure};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "readable-but-recv-blocks",
    claim: "On a Unix-domain stream poll reports POLLIN, yet a blocking recv waits.",
    question: "poll has reported POLLIN on my Unix-domain stream. Can recv still wait?",
    explanation: "For a Unix-domain stream poll checks whether the queue is empty. The mark of an urgent byte stays in \
        the queue after the byte was taken, and so do bytes below the SO_RCVLOWAT level; recv finds no bytes, or not \
        enough, and waits. So readiness is only a hint, even if no other process can take the bytes away: make every \
        descriptor of a loop non-blocking.",
    elsewhere: "Linux has had urgent data on Unix-domain streams since 5.15. The BSDs and macOS (read, \
        uipc_usrreq.c of each) and 5.10 fail with EOPNOTSUPP, and that part is skipped; gVisor takes the byte, and leaves no mark \
        (ran). On 6.1 bytes behind such a mark are hidden once: poll reports POLLIN, \
        and the first recv gives EAGAIN.",
    sources: &[
        "unix(7), MSG_OOB",
        "socket(7), SO_RCVLOWAT",
        "Linux, net/unix/af_unix.c: unix_poll, unix_stream_read_generic",
    ],
    related: &["readiness-is-a-hint", "level-and-lowat", "oob-one-byte", "blocking-or-eagain"],
    words: &["AF_UNIX", "MSG_OOB", "POLLIN", "FIONREAD", "SO_RCVLOWAT", "EAGAIN"],
    minutes: 3,
    predictions: &[
        &URGENT_POLL,
        &URGENT_COUNT,
        &URGENT_RECV,
        &URGENT_AT_ONCE,
        &LOW_WATER_TCP,
        &LOW_WATER_POLL,
        &LOW_WATER_RECV,
    ],
    spoiled_by: "poll:spurious",
    run,
    ..Lab::ORDINARY
};

const URGENT_POLL: Prediction = Prediction {
    asks: "A single urgent byte arrived on a Unix-domain stream, and was taken with MSG_OOB. What does poll say?",
    choices: &["0", "POLLIN", "POLLPRI"],
    expect: Expect::on_linux(Expected::Is("POLLIN")),
};

const URGENT_COUNT: Prediction = Prediction {
    asks: "How many bytes does FIONREAD count?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const URGENT_RECV: Prediction = Prediction {
    asks: "And a blocking recv? A signal comes every 100 ms.",
    choices: &["0", "1", "EAGAIN", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const URGENT_AT_ONCE: Prediction = Prediction {
    asks: "And a non-blocking one?",
    choices: &["0", "1", "EAGAIN", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const LOW_WATER_TCP: Prediction = Prediction {
    asks: "SO_RCVLOWAT is 10, and three bytes have arrived on TCP. What does poll say?",
    choices: &["0", "POLLIN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const LOW_WATER_POLL: Prediction = Prediction {
    asks: "The same on a Unix-domain stream. What does poll say?",
    choices: &["0", "POLLIN"],
    expect: Expect::on_linux(Expected::Is("POLLIN")),
};

const LOW_WATER_RECV: Prediction = Prediction {
    asks: "The peer will send ten more bytes in 300 ms. What does a blocking recv give now?",
    choices: &["3", "10", "13", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("13")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    lab.part("An urgent byte that was taken");
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    match send(&theirs, b"!", MSG_OOB | MSG_NOSIGNAL) {
        Ok(_) => urgent_byte(lab, &ours)?,
        Err(errno) => {
            lab.say(format_args!("Unix-domain streams have no urgent data here: {errno}."))
        }
    }

    lab.part("SO_RCVLOWAT: TCP, where poll respects it");
    let (c, a) = tcp_pair()?;
    send(&c, b"abc", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    setsockopt(&a, SOL_SOCKET, SO_RCVLOWAT, &10)?;
    lab.predict(&LOW_WATER_TCP);
    lab.observe(without_pressure(|| polled(&a), |events| *events != PollEvents::NONE));

    lab.part("SO_RCVLOWAT: a Unix-domain stream, where poll ignores it");
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&theirs, b"abc", MSG_NOSIGNAL)?;
    setsockopt(&ours, SOL_SOCKET, SO_RCVLOWAT, &10)?;
    lab.predict(&LOW_WATER_POLL);
    lab.observe(polled(&ours));
    lab.say("The peer is a thread.");
    lab.predict(&LOW_WATER_RECV);
    let peer = spawn(move || send_later(theirs));
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    joined(peer)?;
    Ok(())
}

/// An urgent byte has arrived, and nothing else.
fn urgent_byte(lab: &mut Run<'_>, ours: &Fd) -> LabResult {
    let mut buf = [0; 64];
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    recv(ours, &mut buf[..1], MSG_OOB | MSG_DONTWAIT)?;
    lab.predict(&URGENT_POLL);
    lab.observe(polled(ours));
    let mut unread = 0;
    lab.predict(&URGENT_COUNT);
    lab.observe(ioctl(ours, FIONREAD, &mut unread).map(|_| unread));
    lab.predict(&URGENT_RECV);
    let alarm = Alarm::every(Duration::from_millis(100), SIGUSR1);
    let received = recv(ours, &mut buf, MsgFlags::NONE);
    drop(alarm);
    lab.observe(received);
    lab.predict(&URGENT_AT_ONCE);
    lab.observe(recv(ours, &mut buf, MSG_DONTWAIT));
    Ok(())
}

/// What poll reports for a socket now, asked for everything that can be received.
fn polled(fd: &Fd) -> Result<PollEvents> {
    let mut rows = [PollFd::new(fd.as_fd(), POLLIN | POLLPRI)];
    poll(&mut rows, 0)?;
    Ok(rows[0].revents())
}

/// The peer: it sends when recv waits.
fn send_later(end: Fd) -> Result<Fd> {
    thread::sleep(Duration::from_millis(300));
    send(&end, b"0123456789", MSG_NOSIGNAL)?;
    Ok(end)
}
