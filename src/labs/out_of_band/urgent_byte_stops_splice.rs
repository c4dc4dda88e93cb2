//! My forwarder moves bytes with splice, and splice returned 0. Has the peer finished?
//!
//! Not necessarily. An urgent byte leaves a mark in a TCP stream, and splice does not pass it: on a blocking socket it
//! returns 0 there, as it does at the end of file, and on a non-blocking socket it fails with EAGAIN, until the peer has
//! finished; then it is 0 there too. The bytes behind the mark are there for recv. So when splice returns 0, or EAGAIN after
//! poll has reported POLLIN, call recv, which tells bytes from the end of file.

use super::wait_until_taken;
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{set_nonblocking, tcp_pair, wait_for, wait_for_urgent};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::splicing::{AT_ONCE, HAS_SPLICE, splice};
use crate::os::system::System::GVisor;
use crate::os::watching::PEER_FINISHED;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "urgent-byte-stops-splice",
    claim: "At the mark of an urgent byte splice returns 0 or EAGAIN; bytes lie behind it.",
    question: "splice has returned 0. Has the peer finished sending?",
    explanation: "splice takes bytes up to the mark of an urgent byte and never passes it, whether the urgent byte was read \
        or not. There it has moved nothing, and its result is the same as at the end of file: 0 on a blocking socket, and \
        on any socket once the peer has finished. Until then a non-blocking socket gives EAGAIN, while poll reports \
        POLLIN: a loop that waits again spins. A forwarder that believes the 0 ends both connections cleanly, and \
        everything behind the mark is lost. So let recv decide: it passes the mark, and returns 0 only at the end.",
    elsewhere: "splice is a call of Linux. gVisor has it, and no urgent data: the urgent byte is an ordinary one there.",
    sources: &[
        "splice(2), return value",
        "tcp(7), urgent data",
        "Linux, net/ipv4/tcp.c: tcp_splice_read, tcp_read_sock",
    ],
    related: &["oob-one-byte", "zero-is-three-things", "half-close", "always-ready"],
    words: &["splice", "MSG_OOB", "SPLICE_F_NONBLOCK", "EAGAIN", "POLLIN"],
    minutes: 3,
    predictions: &[
        &FIRST,
        &BLOCKING,
        &AT_ONCE_TOO,
        &NONBLOCKING,
        &POLLED,
        &URGENT_READ,
        &FINISHED,
        &RECEIVED,
        &PASSED,
        &THE_END,
    ],
    spoiled_by: "splice:EAGAIN@2",
    run,
    ..Lab::ORDINARY
};

const FIRST: Prediction = Prediction {
    asks: "\"ab\", an urgent Z and \"cd\" have arrived. splice may move 64 bytes into a pipe. How many does it move?",
    choices: &["2", "3", "4", "5"],
    expect: Expect::on_linux(Expected::Is("2")).but(
        &[GVisor],
        Expected::Is("5"),
        "it has no urgent data, so Z is an ordinary byte",
    ),
};

const BLOCKING: Prediction = Prediction {
    asks: "The mark is next, and \"cd\" lies behind it. The socket is blocking. What does splice give?",
    choices: &["0", "2", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const AT_ONCE_TOO: Prediction = Prediction {
    asks: "And with SPLICE_F_NONBLOCK?",
    choices: &["0", "2", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const NONBLOCKING: Prediction = Prediction {
    asks: "The socket is non-blocking now (O_NONBLOCK). What does splice give?",
    choices: &["0", "2", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const POLLED: Prediction = Prediction {
    asks: "So the loop waits. Asked for POLLIN, what does poll say?",
    choices: &["0", "POLLIN", "POLLPRI"],
    expect: Expect::on_linux(Expected::Is("POLLIN")),
};

const URGENT_READ: Prediction = Prediction {
    asks: "Z was read with MSG_OOB. What does splice give now?",
    choices: &["0", "2", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const FINISHED: Prediction = Prediction {
    asks: "The peer finishes sending; \"cd\" is still unread. What does splice give, on the non-blocking socket?",
    choices: &["0", "2", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const RECEIVED: Prediction = Prediction {
    asks: "How many bytes does recv give at the same place?",
    choices: &["0", "2", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("2")),
};

const PASSED: Prediction = Prediction {
    asks: "The same on another connection: recv with room for 1 byte has passed the mark. What does splice give?",
    choices: &["0", "1", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("1")),
};

const THE_END: Prediction = Prediction {
    asks: "The peer finishes. splice returns 0 once more; what does recv give?",
    choices: &["0", "1", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    if !HAS_SPLICE {
        return Err(Stop::skipped("this system has no splice"));
    }
    lab.part("The broken way: 0 is the end");
    lab.say("TIOCOUTQ counts unacknowledged bytes: at 0 everything has arrived.");
    let [_out, into] = pipe()?;
    let (c, a) = with_an_urgent_byte()?;
    lab.predict(&FIRST);
    lab.observe(splice(&a, &into, ROOM, SpliceFlags::NONE));
    if !is_at_mark(&a) {
        lab.say("This system keeps no mark, so splice has moved what there was.");
        return Ok(());
    }
    lab.predict(&BLOCKING);
    lab.observe(splice(&a, &into, ROOM, SpliceFlags::NONE));
    lab.predict(&AT_ONCE_TOO);
    lab.observe(splice(&a, &into, ROOM, AT_ONCE));

    lab.part("The broken way: EAGAIN means that nothing is there");
    set_nonblocking(&a)?;
    lab.predict(&NONBLOCKING);
    lab.observe(splice(&a, &into, ROOM, SpliceFlags::NONE));
    lab.predict(&POLLED);
    lab.observe(wait_for(&a, POLLIN));
    recv(&a, &mut [0; 1], MSG_OOB)?;
    lab.predict(&URGENT_READ);
    lab.observe(splice(&a, &into, ROOM, SpliceFlags::NONE));
    finish(&c, &a)?;
    lab.predict(&FINISHED);
    lab.observe(splice(&a, &into, ROOM, SpliceFlags::NONE));
    lab.predict(&RECEIVED);
    lab.observe(recv(&a, &mut [0; 64], MsgFlags::NONE));

    lab.part("The right way: recv decides");
    let (c, a) = with_an_urgent_byte()?;
    set_nonblocking(&a)?;
    splice(&a, &into, ROOM, SpliceFlags::NONE)?;
    lab.say("splice fails here with EAGAIN, as before. So the forwarder receives, and sends that itself.");
    recv(&a, &mut [0; 1], MsgFlags::NONE)?;
    lab.predict(&PASSED);
    lab.observe(splice(&a, &into, ROOM, SpliceFlags::NONE));
    finish(&c, &a)?;
    splice(&a, &into, ROOM, SpliceFlags::NONE)?;
    lab.predict(&THE_END);
    lab.observe(recv(&a, &mut [0; 1], MsgFlags::NONE));
    Ok(())
}

/// How much one splice may move.
const ROOM: usize = 64;

/// A connection whose second end has received "ab", an urgent Z and "cd".
fn with_an_urgent_byte() -> Result<(Fd, Fd)> {
    let (c, a) = tcp_pair()?;
    send(&c, b"ab", MSG_NOSIGNAL)?;
    send(&c, b"Z", MSG_OOB | MSG_NOSIGNAL)?;
    send(&c, b"cd", MSG_NOSIGNAL)?;
    wait_for_urgent(&a)?;
    wait_until_taken(&c)?;
    Ok((c, a))
}

/// Whether the mark is next. gVisor does not know the question.
fn is_at_mark(fd: &Fd) -> bool {
    let mut at_mark = 0;
    ioctl(fd, SIOCATMARK, &mut at_mark).is_ok() && at_mark != 0
}

/// The peer finishes sending, and its FIN arrives.
fn finish(c: &Fd, a: &Fd) -> Result<()> {
    shutdown(c, SHUT_WR)?;
    wait_for(a, PEER_FINISHED)?;
    Ok(())
}
