//! The urgent byte was read: is it still in exceptfds?
//!
//! Not on Linux: reading the byte with `MSG_OOB` clears the condition, although the mark still lies ahead in the
//! stream. Reading the stream past the mark clears it as well, but then the urgent byte is lost. A program that does
//! neither, and waits with the descriptor in exceptfds, spins.

use super::wait_until_taken;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{set_nonblocking, sets_of, tcp_pair, wait_for_urgent};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "oob-except-clears",
    claim: "Reading the urgent byte ends exceptfds; reading past the mark loses it.",
    question: "The urgent byte was read: is it still in exceptfds?",
    explanation: "select keeps reporting exceptfds, and poll POLLPRI, until the program reads the urgent byte with \
        MSG_OOB or reads the stream past it, which discards the byte. So read with MSG_OOB as soon as select reports \
        it, or take the descriptor out of exceptfds.",
    elsewhere: "On FreeBSD, OpenBSD and macOS the condition lasts until the stream has been read past the mark, \
        whether the byte was read or not. gVisor has no urgent data.",
    sources: &[
        "select(2), exceptional conditions",
        "tcp(7)",
        "UNP, 24.2 (its example has to take care of this)",
    ],
    related: &["oob-one-byte", "exceptfds-is-not-errors", "always-ready"],
    words: &["MSG_OOB", "POLLPRI", "select", "EINVAL"],
    predictions: &[&BEFORE, &AFTER, &STREAM, &NOT_CLEARED, &PASSED, &GONE],
    spoiled_by: "select:EINTR@2",
    run,
    ..Lab::ORDINARY
};

const BEFORE: Prediction = Prediction {
    asks: "\"ab\", an urgent Z and \"cd\" have arrived. In which of select's sets (r, w, x) does the socket stay?",
    choices: &["rw", "x", "rwx", "wx"],
    expect: Expect::everywhere(Expected::Is("rwx")),
};

const AFTER: Prediction = Prediction {
    asks: "Z was read with MSG_OOB; \"ab\" still lies before the mark. In which sets now?",
    choices: &["rw", "x", "rwx", "wx"],
    expect: Expect::on_linux(Expected::Is("rw")).but(
        &[FreeBsd, OpenBsd, MacOs],
        Expected::Is("rwx"),
        "the mark counts until it is passed, read or not",
    ),
};

const STREAM: Prediction = Prediction {
    asks: "How many bytes does an ordinary recv with room for 64 give?",
    choices: &["2", "4", "5"],
    expect: Expect::on_linux(Expected::Is("2")),
};

const NOT_CLEARED: Prediction = Prediction {
    asks: "The same again, but only \"ab\" is read, up to the mark. In which sets is the socket?",
    choices: &["rw", "x", "rwx", "wx"],
    expect: Expect::on_linux(Expected::Is("rwx")),
};

const PASSED: Prediction = Prediction {
    asks: "\"cd\" was read too, past the mark. In which sets now?",
    choices: &["w", "x", "rwx", "wx"],
    expect: Expect::on_linux(Expected::Is("w")),
};

const GONE: Prediction = Prediction {
    asks: "What does recv with MSG_OOB give now?",
    choices: &["0", "1", "EAGAIN", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("EINVAL")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    lab.part("The urgent byte first");
    lab.say("TIOCOUTQ counts unacknowledged bytes: at 0 everything has arrived.");
    let (_c, a) = with_an_urgent_byte()?;
    lab.predict(&BEFORE);
    lab.observe(sets_of(&a));
    if let Err(errno) = recv(&a, &mut buf[..1], MSG_OOB) {
        lab.say(format_args!("This system has no out-of-band data: {errno}."));
    }
    lab.predict(&AFTER);
    lab.observe(sets_of(&a));
    lab.say("The mark is still there: recv stops at it, though nothing urgent is left.");
    lab.predict(&STREAM);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));

    lab.part("The stream first: the urgent byte is lost");
    let (_c, a) = with_an_urgent_byte()?;
    // Reads up to the mark, on a system that keeps one; otherwise it reads everything, and the next recv
    // finds nothing.
    let _ = recv(&a, &mut buf, MSG_DONTWAIT);
    lab.predict(&NOT_CLEARED);
    lab.observe(sets_of(&a));
    let _ = recv(&a, &mut buf, MSG_DONTWAIT);
    lab.predict(&PASSED);
    lab.observe(sets_of(&a));
    lab.predict(&GONE);
    lab.observe(recv(&a, &mut buf[..1], MSG_OOB));
    Ok(())
}

/// A connection whose second end has received "ab", an urgent Z and "cd".
fn with_an_urgent_byte() -> Result<(Fd, Fd)> {
    let (c, a) = tcp_pair()?;
    // On a system that ignores MSG_OOB, recv waits as it does without the flag.
    set_nonblocking(&a)?;
    send(&c, b"ab", MSG_NOSIGNAL)?;
    send(&c, b"Z", MSG_OOB | MSG_NOSIGNAL)?;
    send(&c, b"cd", MSG_NOSIGNAL)?;
    wait_for_urgent(&a)?;
    wait_until_taken(&c)?;
    Ok((c, a))
}
