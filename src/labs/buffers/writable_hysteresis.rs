//! There is room again: why does poll not report it?
//!
//! Because a socket counts as writable only when a good part of its buffer is free; otherwise every few bytes of room
//! would wake the writer. So between "full" and "writable" there is a range in which `send` would take some bytes
//! although `poll` does not report `POLLOUT` (hysteresis). On Linux a TCP socket is writable from a third of the buffer
//! free, a Unix-domain stream from three quarters.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{fill, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "writable-hysteresis",
    claim: "A full socket is writable again only when a good part has been drained.",
    question: "There is room again: why does poll not report it?",
    explanation: "poll and select report when it is worth waking you, not when one byte would fit. A full socket \
        becomes writable when a good part of its buffer is free; until then both report nothing, although send would \
        take some bytes. So if poll reports nothing, send need not fail with EAGAIN, and a loop that always tries send \
        first is not wrong.",
    elsewhere: "macOS and the BSDs use a low-water mark instead, SO_SNDLOWAT, which a program can set there: on \
        FreeBSD the socket is writable at once, on NetBSD before the peer has read half.",
    sources: &["poll(2)", "socket(7)", "Linux: sk_stream_is_writeable, unix_writable"],
    related: &["partial-send", "sockbuf-doubling", "level-and-lowat"],
    words: &["POLLOUT", "SO_SNDBUF", "SO_SNDLOWAT", "EAGAIN"],
    minutes: 3,
    predictions: &[&A_LITTLE, &DRAINED, &UNIX_SILENT, &UNIX_TAKES],
    spoiled_by: "poll:spurious",
    run,
    ..Lab::ORDINARY
};

const A_LITTLE: Prediction = Prediction {
    asks: "The buffers were full, and the peer has read 64 KiB. For how many descriptors does poll say POLLOUT?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const DRAINED: Prediction = Prediction {
    asks: "How much of all bytes must the peer read until poll says POLLOUT?",
    choices: &["less than 10 %", "10 to 40 %", "at least 41 %"],
    // 35 to 36 % was seen on 5.10 to 7.2, with the congestion controls bbr, cubic and reno.
    expect: Expect::on_linux(Expected::Between(10, 40, "%")),
};

const UNIX_SILENT: Prediction = Prediction {
    asks: "A full Unix-domain stream, and the peer has read 1 KiB. For how many descriptors does poll say POLLOUT?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const UNIX_TAKES: Prediction = Prediction {
    asks: "poll reports nothing. What does send of 1 KiB give all the same?",
    choices: &["1024", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("1024")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("TCP: full, then drained step by step");
    let (c, a) = tcp_pair()?;
    let all = fill(lab, &c, &vec![b'x'; 1 << 20])?;
    let mut buf = vec![0; (all / STEPS).max(65_536)];
    let mut drained = recv(&a, &mut buf[..65_536], MSG_DONTWAIT)?;
    lab.predict(&A_LITTLE);
    lab.observe(writable(&c));
    lab.say("Now the peer reads on, a sixty-fourth of everything at a time.");
    lab.predict(&DRAINED);
    // More looks than steps, because now and then bytes from the sender's buffer are still on their
    // way.
    for _ in 0..10 * STEPS {
        if writable(&c)? == 1 || drained >= all {
            break;
        }
        match recv(&a, &mut buf[..all / STEPS], MSG_DONTWAIT) {
            Err(Errno::EAGAIN) => continue,
            received => drained += received?,
        }
    }
    let percent = drained * 100 / all.max(1);
    lab.observe(format!("{percent} %"));
    lab.say(format_args!(
        "Writable after the peer has read {drained} of {all} bytes; only a part of these was in the sender's own buffer."
    ));
    lab.say(
        "On Linux a third of the send buffer must be free. A peer that reads in large steps makes its own receive \
        buffer grow, which then takes more bytes from the sender, so the peer has to read less. Reading in small steps \
        does not have that effect.",
    );

    lab.part("A Unix-domain stream: not writable, and yet there is room");
    let [near, far] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    setsockopt(&near, SOL_SOCKET, SO_SNDBUF, &8192)?;
    let kibibyte = [b'x'; 1024];
    fill(lab, &near, &kibibyte)?;
    recv(&far, &mut buf[..1024], MSG_DONTWAIT)?;
    lab.predict(&UNIX_SILENT);
    lab.observe(writable(&near));
    lab.predict(&UNIX_TAKES);
    lab.observe(send(&near, &kibibyte, MSG_NOSIGNAL));
    Ok(())
}

const STEPS: usize = 64;

/// 1 if poll says POLLOUT within 20 ms, 0 if not: what the peer has read is told to the sender, and that takes a moment.
fn writable(fd: &Fd) -> Result<usize> {
    poll(&mut [PollFd::new(fd.as_fd(), POLLOUT)], 20)
}
