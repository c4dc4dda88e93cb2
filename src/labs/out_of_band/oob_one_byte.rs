//! I send "XYZ" with MSG_OOB: what arrives out of band?
//!
//! One byte: Z, the last. TCP has no second channel, only a mark in the stream; the bytes before the mark are ordinary
//! bytes. `recv` stops at the mark, and `recv` with `MSG_OOB` takes the urgent byte, once. `exceptfds` and `POLLPRI`
//! report it, and `SIGURG` to the process that `F_SETOWN` has named. There is only one mark: if a second urgent byte
//! arrives before the first was read, the first is no longer urgent; if no ordinary byte lies before it, Linux drops
//! it.

use super::wait_until_taken;
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{millis, only, set_nonblocking, tcp_pair, wait_for_urgent};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "oob-one-byte",
    claim: "Of three bytes sent with MSG_OOB only the last is urgent; a new mark moves it.",
    question: "I send \"XYZ\" with MSG_OOB: what arrives out of band?",
    explanation: "TCP's urgent pointer marks one place in the stream. The socket interface turns it into one byte \
        outside the stream, so all the other bytes are ordinary, and each new mark replaces the old one. select's \
        third set reports urgent data, not errors. RFC 6093 advises against urgent data in new programs; a second \
        connection does better.",
    elsewhere: "On FreeBSD, NetBSD and macOS the first urgent byte is lost if a second arrives before it was read; Linux \
        puts the first back into the stream if an ordinary byte lies before it. gVisor has no urgent data.",
    sources: &["tcp(7)", "recv(2), MSG_OOB", "fcntl(2), F_SETOWN", "RFC 6093", "UNP, chapter 24"],
    related: &["oob-except-clears", "exceptfds-is-not-errors", "hup-maps-to-r"],
    words: &["MSG_OOB", "POLLPRI", "SIGURG", "F_SETOWN", "SIOCATMARK", "SO_OOBINLINE"],
    minutes: 4,
    predictions: &[
        &EXCEPTIONAL,
        &UP_TO_MARK,
        &AT_MARK,
        &URGENT,
        &ONCE,
        &UNASKED,
        &SIGNALLED,
        &LATEST,
        &FIRST,
        &JOINED,
    ],
    spoiled_by: "recv:ECONNRESET@2",
    run,
    ..Lab::ORDINARY
};

const EXCEPTIONAL: Prediction = Prediction {
    asks: "For how many descriptors of exceptfds does select report anything?",
    choices: &["0", "1", "3"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const UP_TO_MARK: Prediction = Prediction {
    asks: "What does an ordinary recv give?",
    choices: &["XYZ", "XY", "Z", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("XY")),
};

const AT_MARK: Prediction = Prediction {
    asks: "Is the mark next in the stream (SIOCATMARK)?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("yes")),
};

const URGENT: Prediction = Prediction {
    asks: "What does recv with MSG_OOB give?",
    choices: &["XYZ", "X", "Z", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("Z")),
};

const ONCE: Prediction = Prediction {
    asks: "And once more?",
    choices: &["Z", "", "EAGAIN", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("EINVAL")),
};

const UNASKED: Prediction = Prediction {
    asks: "A handler for SIGURG is installed, and an urgent byte has arrived. For how many descriptors does poll report a byte in the self-pipe?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const SIGNALLED: Prediction = Prediction {
    asks: "F_SETOWN has named this process, and another urgent byte arrives. For how many descriptors now?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const LATEST: Prediction = Prediction {
    asks: "1 was sent as urgent, then 2, and neither was read. What does recv with MSG_OOB give?",
    choices: &["1", "2", "12", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("2")),
};

const FIRST: Prediction = Prediction {
    asks: "What does an ordinary recv give of the 1 and the 2?",
    choices: &["1", "12", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const JOINED: Prediction = Prediction {
    asks: "The same with a1 and b2. What does an ordinary recv give, up to the mark?",
    choices: &["ab", "a1b", "a", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("a1b")).but(
        &[FreeBsd, NetBsd, MacOs],
        Expected::Is("ab"),
        "the first urgent byte is lost, not put back into the stream",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("Three bytes, one of them urgent");
    let (c, a) = tcp_pair()?;
    // On a system that ignores MSG_OOB, recv waits as it does without the flag.
    set_nonblocking(&a)?;
    send(&c, b"XYZ", MSG_OOB | MSG_NOSIGNAL)?;
    lab.predict(&EXCEPTIONAL);
    let mut except = only(&a)?;
    lab.observe(select(except.nfds(), None, None, Some(&mut except), Some(&mut millis(1000))));
    lab.predict(&UP_TO_MARK);
    lab.observe(received(&a, MSG_DONTWAIT));
    let mut at_mark = 0;
    lab.predict(&AT_MARK);
    lab.observe(ioctl(&a, SIOCATMARK, &mut at_mark).map(|_| at_mark != 0));
    lab.predict(&URGENT);
    lab.observe(received(&a, MSG_OOB));
    lab.predict(&ONCE);
    lab.observe(received(&a, MSG_OOB));

    lab.part("SIGURG is sent to the process that F_SETOWN named");
    signals(lab)?;

    lab.part("Two in a row: there is one mark only");
    lab.say("TIOCOUTQ counts unacknowledged bytes: at 0 everything has arrived.");
    let (c, a) = tcp_pair()?;
    set_nonblocking(&a)?;
    send_both(&c, &a, b"1", b"2")?;
    lab.predict(&LATEST);
    lab.observe(received(&a, MSG_OOB));
    lab.predict(&FIRST);
    lab.observe(received(&a, MSG_DONTWAIT));
    lab.say("The first urgent byte is lost. With an ordinary byte before it, it joins the stream instead:");
    let (c, a) = tcp_pair()?;
    send_both(&c, &a, b"a1", b"b2")?;
    lab.predict(&JOINED);
    lab.observe(received(&a, MSG_DONTWAIT));
    Ok(())
}

/// The same urgent byte twice, before and after `F_SETOWN`.
fn signals(lab: &mut Run<'_>) -> LabResult {
    let [told, tell] = pipe()?;
    set_nonblocking(&tell)?;
    self_pipe(Some(tell));
    sigaction(SIGURG, Some(&SigAction::new(Handler::SelfPipe)), None)?;
    let outcome = twice(lab, &told);
    sigaction(SIGURG, Some(&SigAction::new(Handler::Default)), None)?;
    self_pipe(None);
    outcome
}

fn twice(lab: &mut Run<'_>, told: &Fd) -> LabResult {
    let (c, a) = tcp_pair()?;
    send(&c, b"!", MSG_OOB | MSG_NOSIGNAL)?;
    wait_for_urgent(&a)?;
    lab.predict(&UNASKED);
    lab.observe(poll(&mut [PollFd::new(told.as_fd(), POLLIN)], 100));
    let pid = i32::try_from(std::process::id()).map_err(Stop::failed)?;
    fcntl_setown(&a, pid)?;
    send(&c, b"!", MSG_OOB | MSG_NOSIGNAL)?;
    lab.predict(&SIGNALLED);
    lab.observe(signalled(told));
    Ok(())
}

/// How many descriptors poll reports, although a signal may arrive while it waits.
fn signalled(told: &Fd) -> Result<usize> {
    loop {
        match poll(&mut [PollFd::new(told.as_fd(), POLLIN)], 1000) {
            // That was the signal itself; the byte is in the pipe.
            Err(Errno::EINTR) => continue,
            answered => return answered,
        }
    }
}

/// Two urgent sends, the second when the first has arrived.
fn send_both(c: &Fd, a: &Fd, first: &[u8], second: &[u8]) -> Result<()> {
    send(c, first, MSG_OOB | MSG_NOSIGNAL)?;
    wait_for_urgent(a)?;
    send(c, second, MSG_OOB | MSG_NOSIGNAL)?;
    wait_until_taken(c)
}

/// The result of a recv, as text.
fn received(fd: &Fd, flags: MsgFlags) -> Result<String> {
    let mut buf = [0; 64];
    let count = recv(fd, &mut buf, flags)?;
    Ok(buf[..count].escape_ascii().to_string())
}
