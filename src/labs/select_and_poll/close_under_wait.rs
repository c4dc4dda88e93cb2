//! Does close() wake a thread that waits on the descriptor?
//!
//! Not on Linux. select and poll keep waiting until their timeout; a recv that has begun continues, and receives. The
//! connection is not even closed: the waiting call holds it, so the peer gets no FIN. shutdown wakes the thread,
//! because it acts on the connection and not on the descriptor.

use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{millis, only, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::wild::selecting;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "close-under-wait",
    claim: "close does not wake a thread that waits on the descriptor; shutdown does.",
    question: "Why does close() not wake my recv?",
    explanation: "close frees a number; the waiting call looked up the open file earlier and holds it until it \
        returns. The number is free in the meantime, so the next accept may get it, and then the waiting thread \
        continues with another client's connection. Call shutdown, wait until the other thread has finished, then \
        close.",
    elsewhere: "On the BSDs and macOS close wakes a waiting select, which fails with EBADF. The BSDs wake poll as \
        well; macOS's poll keeps sleeping. On NetBSD and macOS recv fails with EBADF. POSIX leaves it open. Until 2022 \
        Linux left the closed descriptor out of select's result, which was 0 then.",
    sources: &[
        "select(2), NOTES (multithreaded applications)",
        "Linux 5.17, do_select (EPOLLNVAL counts as ready)",
        "close(2), NOTES",
        "POSIX shutdown",
        "gVisor: ClosedReadBlockingSocket",
    ],
    related: &["bad-fd-poisons-select", "drop-closes", "close-is-refcount"],
    words: &["close", "shutdown", "POLLNVAL", "EBADF"],
    minutes: 3,
    predictions: &[&SELECT_SAID, &SELECT_WAITED, &POLL_SAID, &RECEIVED, &NO_FIN, &WOKEN],
    spoiled_by: "select:EINTR@1",
    run,
    ..Lab::ORDINARY
};

/// When the other thread closes, and until when select and poll wait.
const CLOSES_AFTER: Duration = Duration::from_millis(150);
const WAITS_MS: i32 = 450;
/// How long they wait at most, if the machine is so busy that the other thread does not run for that long.
const LONGEST_MS: i32 = 9 * WAITS_MS;
const TOO_BUSY: &str = "The machine is busy: the other thread did not close during the wait. Once more, with more time.";

const SELECT_SAID: Prediction = Prediction {
    asks: "Another thread closes the descriptor during a select of 450 ms. What does select return in the end?",
    choices: &["0", "1", "EBADF"],
    expect: Expect::on_linux(Expected::Is("1"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("EBADF"),
            "close wakes a waiting select",
        )
        .but(&[GVisor], Expected::Is("0"), "it forgets the descriptor"),
};

const SELECT_WAITED: Prediction = Prediction {
    asks: "It was closed after 150 ms. How long did select take?",
    choices: &["less than 450 ms", "at least 450 ms"],
    expect: Expect::on_linux(Expected::AtLeast(WAITS_MS as i64, "ms")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Between(0, 449, "ms"),
        "close wakes a waiting select",
    ),
};

const POLL_SAID: Prediction = Prediction {
    asks: "The same with poll. What is in revents at its timeout?",
    choices: &["0", "POLLNVAL", "POLLHUP"],
    expect: Expect::on_linux(Expected::Is("POLLNVAL")).but(
        &[MacOs, GVisor],
        Expected::Is("0"),
        "the descriptor is forgotten, and poll waits until its timeout",
    ),
};

const RECEIVED: Prediction = Prediction {
    asks: "recv waits, another thread closes the descriptor, then the peer sends a byte. What does recv give?",
    choices: &["1", "0", "EBADF"],
    expect: Expect::on_linux(Expected::Is("1")).but(
        &[NetBsd, MacOs],
        Expected::Is("EBADF"),
        "close ends a waiting recv",
    ),
};

const NO_FIN: Prediction = Prediction {
    asks: "Between the close and that byte the peer called recv, without waiting. What did it give?",
    choices: &["0 (a FIN)", "EAGAIN (nothing)", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("EAGAIN (nothing)")).but(
        &[NetBsd, MacOs],
        Expected::Is("0 (a FIN)"),
        "the connection is closed at once",
    ),
};

const WOKEN: Prediction = Prediction {
    asks: "recv waits, and another thread shuts the connection down. What does recv give?",
    choices: &["0", "EBADF", "it keeps waiting"],
    expect: Expect::everywhere(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    // They stay open until the end.
    let mut clients = Vec::new();
    under_select(lab, &mut clients)?;
    under_poll(lab, &mut clients)?;

    lab.part("The broken way: close under recv");
    let (c, a) = tcp_pair()?;
    let number = a.number();
    lab.say("150 ms after the close, the peer checks whether a FIN has arrived, and sends a byte.");
    lab.predict(&RECEIVED);
    let closer = spawn(|| close_and_look(a, c));
    let received = selecting::recv(lab.wild(), number, &mut [0; 8], MsgFlags::NONE);
    lab.observe(received);
    let seen = joined(closer)?;
    lab.predict(&NO_FIN);
    lab.observe(seen);

    lab.part("The right way: shutdown, and close when no thread waits any more");
    let (_c, a) = tcp_pair()?;
    let copy = TcpStream::from(OwnedFd::from(dup(&a)?));
    lab.predict(&WOKEN);
    let other = spawn(move || {
        thread::sleep(CLOSES_AFTER);
        copy.shutdown(Shutdown::Both)
    });
    lab.observe(recv(&a, &mut [0; 8], MsgFlags::NONE));
    joined(other)
}

fn under_select(lab: &mut Run<'_>, clients: &mut Vec<Fd>) -> LabResult {
    lab.part("The broken way: close under select");
    let mut pair = tcp_pair()?;
    lab.predict(&SELECT_SAID);
    let mut waits_ms = WAITS_MS;
    let (result, took) = loop {
        let (c, a) = pair;
        clients.push(c);
        let nfds = a.number().get() + 1;
        let mut readable = only(&a)?;
        let closer = close_later(a, waits_ms);
        let began = Instant::now();
        let mut timeout = millis(waits_ms.into());
        let result = select(nfds, Some(&mut readable), None, None, Some(&mut timeout));
        let took = began.elapsed();
        if is_during_wait(joined(closer)?, began, waits_ms) || waits_ms >= LONGEST_MS {
            break (result, took);
        }
        lab.say(TOO_BUSY);
        waits_ms *= 3;
        pair = tcp_pair()?;
    };
    lab.observe(result);
    lab.predict(&SELECT_WAITED);
    lab.observe(took);
    if result == Ok(1) {
        lab.say(
            "At the timeout select checked once more, found no such descriptor, and reported it as ready.",
        );
    }
    Ok(())
}

fn under_poll(lab: &mut Run<'_>, clients: &mut Vec<Fd>) -> LabResult {
    lab.part("The broken way: close under poll");
    let mut pair = tcp_pair()?;
    lab.predict(&POLL_SAID);
    let mut waits_ms = WAITS_MS;
    let result = loop {
        let (c, a) = pair;
        clients.push(c);
        let mut rows = [PollRow { fd: a.number(), events: POLLIN, revents: PollEvents::NONE }];
        let closer = close_later(a, waits_ms);
        let began = Instant::now();
        let result = selecting::poll(lab.wild(), &mut rows, waits_ms);
        if is_during_wait(joined(closer)?, began, waits_ms) || waits_ms >= LONGEST_MS {
            break result.and(Ok(rows[0].revents));
        }
        lab.say(TOO_BUSY);
        waits_ms *= 3;
        pair = tcp_pair()?;
    };
    lab.observe(result);
    Ok(())
}

/// The other thread: it closes after a third of the wait, and returns when that was.
fn close_later(fd: Fd, waits_ms: i32) -> JoinHandle<Result<Instant>> {
    let after = Duration::from_millis(waits_ms as u64 / 3);
    spawn(move || {
        thread::sleep(after);
        close(fd)?;
        Ok(Instant::now())
    })
}

/// Whether the other thread closed during the wait, and not before or afterwards.
fn is_during_wait(closed: Instant, began: Instant, waits_ms: i32) -> bool {
    (began..began + Duration::from_millis(waits_ms as u64)).contains(&closed)
}

/// The other thread: it closes one end, checks at the other end whether a FIN has arrived, and sends a byte from
/// there.
fn close_and_look(a: Fd, c: Fd) -> Result<&'static str> {
    thread::sleep(CLOSES_AFTER);
    close(a)?;
    thread::sleep(CLOSES_AFTER);
    let seen = match recv(&c, &mut [0], MSG_DONTWAIT) {
        Ok(0) => "0 (a FIN)",
        Err(Errno::EAGAIN) => "EAGAIN (nothing)",
        Ok(_) => "a byte",
        Err(_) => "another error",
    };
    // On a system where the close took effect, no receiver is left.
    let _ = send(&c, b"x", MSG_NOSIGNAL);
    Ok(seen)
}
