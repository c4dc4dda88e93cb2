//! The urgent byte was read: is it still in exceptfds?
//!
//! Not on Linux: reading the byte with `MSG_OOB` clears it, although the mark still lies ahead in the stream. The other way
//! round, whoever reads on in the stream and passes the mark clears it as well, and the urgent byte is gone: it can no
//! longer be read. A program that does neither, and waits with the descriptor in exceptfds, spins.

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
    explanation: "exceptfds and POLLPRI stay until the urgent byte has been dealt with: taken with MSG_OOB, or passed in \
        the stream, which throws it away. So read with MSG_OOB as soon as select says so, and take the descriptor out of \
        exceptfds if you are not going to.",
    elsewhere: "On FreeBSD, OpenBSD and macOS the condition lasts while the mark lies ahead and while the stream \
        stands at it, whether the byte was read or not. gVisor has no urgent data.",
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
    asks: "\"ab\", an urgent Z and \"cd\" have come. In which of select's sets (r, w, x) does the socket stay?",
    choices: &["rw", "x", "rwx", "wx"],
    expect: Expect::everywhere(Expected::Is("rwx")),
};

const AFTER: Prediction = Prediction {
    asks: "Z was read with MSG_OOB; \"ab\" still lies before the mark. In which now?",
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
    asks: "The same again, but only \"ab\" is read, up to the mark. In which sets is it?",
    choices: &["rw", "x", "rwx", "wx"],
    expect: Expect::on_linux(Expected::Is("rwx")),
};

const PASSED: Prediction = Prediction {
    asks: "\"cd\" was read too, past the mark. In which now?",
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
    lab.say("TIOCOUTQ counts what was not acknowledged: at 0 everything has come.");
    let (_c, a) = with_an_urgent_byte()?;
    lab.predict(&BEFORE);
    lab.observe(sets_of(&a));
    if let Err(errno) = recv(&a, &mut buf[..1], MSG_OOB) {
        lab.say(format_args!("Nothing can be read out of band here: {errno}."));
    }
    lab.predict(&AFTER);
    lab.observe(sets_of(&a));
    lab.say("The mark is still there: recv stops at it, though nothing urgent is left.");
    lab.predict(&STREAM);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));

    lab.part("The stream first: the urgent byte is lost");
    let (_c, a) = with_an_urgent_byte()?;
    // Up to the mark, where the system keeps one; otherwise everything, and the next recv finds nothing.
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

/// A connection to whose second end "ab", an urgent Z and "cd" have come.
fn with_an_urgent_byte() -> Result<(Fd, Fd)> {
    let (c, a) = tcp_pair()?;
    // Where MSG_OOB is not heeded, recv waits with it as without it.
    set_nonblocking(&a)?;
    send(&c, b"ab", MSG_NOSIGNAL)?;
    send(&c, b"Z", MSG_OOB | MSG_NOSIGNAL)?;
    send(&c, b"cd", MSG_NOSIGNAL)?;
    wait_for_urgent(&a)?;
    wait_until_taken(&c)?;
    Ok((c, a))
}
