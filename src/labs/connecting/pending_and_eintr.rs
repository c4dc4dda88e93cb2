//! The listener's queue is full: what does a client see?
//!
//! Nothing. The client is not refused: Linux drops its SYN, the client sends it again after a second, and the attempt
//! continues. The Python Socket HOWTO says that connections beyond the backlog are refused; on Linux they wait. A
//! signal ends the wait of a blocking `connect`, but not the attempt: calling `connect` again starts no new attempt.
//! POSIX says that the second call fails with `EALREADY`. Linux does that on a non-blocking socket; on a blocking one
//! the call waits again. When a place becomes free the attempt succeeds, and `SO_ERROR` is 0.

use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::labs::peers::Alarm;
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{fill_queue, loopback, set_nonblocking, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

/// The lab takes a second, the time after which Linux retransmits a SYN.
pub(super) const LAB: Lab = Lab {
    name: "pending-and-eintr",
    claim: "A full queue refuses no client: connect waits; a signal ends only the wait.",
    question: "The listener's queue is full: what does a client see?",
    explanation: "The attempt belongs to the socket, not to the call. EINTR ends the call, and the attempt continues. \
        Do not simply call connect again, as you would recv: POSIX says that it fails with EALREADY, and on a blocking \
        socket Linux waits again instead. Do as after EINPROGRESS: wait until the socket is writable, then read \
        SO_ERROR. Until then the socket is neither connected nor in error, so poll reports nothing. (The Python Socket \
        HOWTO says that connections beyond the backlog, with five as a normal maximum, are refused: here they wait.)",
    elsewhere: "How many connections fit into the queue differs. FreeBSD completes the handshake of a connection that \
        does not fit, and then resets it; NetBSD retransmits the SYN after six seconds.",
    sources: &[
        "connect(2)",
        "listen(2)",
        "POSIX connect (EINTR)",
        "Python Socket HOWTO (its \"normal max\")",
        "gVisor: TCPBacklog",
    ],
    related: &["backlog-n-plus-1", "nb-connect-ok", "eintr-despite-sa-restart"],
    words: &["connect", "EINTR", "EALREADY", "EAGAIN", "listen"],
    minutes: 3,
    descriptors: 200,
    predictions: &[
        &INTERRUPTED,
        &WAITS_ON,
        &SILENT,
        &ALREADY,
        &SEND,
        &RECEIVE,
        &WRITABLE,
        &WAITED,
        &NO_ERROR,
    ],
    spoiled_by: "connect:ENETUNREACH@3",
    run,
    ..Lab::ORDINARY
};

const INTERRUPTED: Prediction = Prediction {
    asks: "A blocking connect waits for a place in the queue, and a signal comes. What does it give?",
    choices: &["ECONNREFUSED", "EINTR", "ETIMEDOUT", "success"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const WAITS_ON: Prediction = Prediction {
    asks: "connect is called again, still blocking, and a signal comes again. What does it give?",
    choices: &["EINTR", "EALREADY", "EISCONN", "success"],
    // POSIX: EALREADY. Here connect waits again, and so the signal interrupts it again.
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const SILENT: Prediction = Prediction {
    asks: "For how many descriptors does poll report anything now?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const ALREADY: Prediction = Prediction {
    asks: "The socket is made non-blocking. What does connect give now?",
    choices: &["EINPROGRESS", "EALREADY", "EISCONN", "ECONNABORTED"],
    expect: Expect::on_linux(Expected::Is("EALREADY")),
};

const SEND: Prediction = Prediction {
    asks: "What does send give in the meantime?",
    choices: &["EAGAIN", "ENOTCONN", "EPIPE"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const RECEIVE: Prediction = Prediction {
    asks: "And recv?",
    choices: &["0", "EAGAIN", "ENOTCONN"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const WRITABLE: Prediction = Prediction {
    asks: "The server accepts the first client. What does poll report then?",
    choices: &["POLLOUT", "POLLIN|POLLOUT|POLLERR|POLLHUP", "POLLHUP"],
    expect: Expect::on_linux(Expected::Is("POLLOUT")),
};

/// Measured from the dropped SYN: the kernel sends it again after a second; somewhat later if the machine is busy.
const WAITED: Prediction = Prediction {
    asks: "How long after its start did the attempt succeed? (The kernel sends the dropped SYN again after a second.)",
    choices: &["less than 900 ms", "900 to 3900 ms", "at least 3901 ms"],
    expect: Expect::on_linux(Expected::Between(900, 3900, "ms")),
};

const NO_ERROR: Prediction = Prediction {
    asks: "What is SO_ERROR? (0: no error)",
    choices: &["0", "4", "111"],
    expect: Expect::on_linux(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&l, &loopback(0))?;
    listen(&l, 0)?;
    let address = getsockname(&l)?;
    lab.say("Clients connect until the queue is full. The backlog is 0: on Linux one client fits.");
    let _waiting = fill_queue(&address)?;
    wait_for(&l, POLLIN)?;

    lab.part("A blocking connect, and a signal");
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.say("A thread sends SIGUSR1 every 100 ms.");
    lab.predict(&INTERRUPTED);
    let began = Instant::now();
    let alarm = Alarm::every(Duration::from_millis(100), SIGUSR1);
    let interrupted = connect(&c, &address);
    drop(alarm);
    lab.observe(interrupted);
    if interrupted != Err(Errno::EINTR) {
        return Err(Stop::skipped(
            "the rest is about an attempt that waits for a place in the queue, and on this system no attempt waits",
        ));
    }

    lab.part("The attempt goes on");
    let mut attempt = ConnectAttempt { c, address, began };
    lab.predict(&WAITS_ON);
    attempt.renew_after(lab, A_WHILE)?;
    let alarm = Alarm::every(Duration::from_millis(100), SIGUSR1);
    let interrupted = connect(&attempt.c, &attempt.address);
    drop(alarm);
    lab.observe(interrupted);
    lab.predict(&SILENT);
    attempt.renew_after(lab, A_WHILE)?;
    lab.observe(poll(&mut [PollFd::new(attempt.c.as_fd(), POLLIN | POLLOUT)], 0));
    set_nonblocking(&attempt.c)?;
    lab.predict(&ALREADY);
    attempt.renew_after(lab, A_WHILE)?;
    lab.observe(connect(&attempt.c, &attempt.address));
    lab.predict(&SEND);
    attempt.renew_after(lab, A_WHILE)?;
    lab.observe(send(&attempt.c, b"hello", MSG_NOSIGNAL));
    lab.predict(&RECEIVE);
    attempt.renew_after(lab, A_WHILE)?;
    lab.observe(recv(&attempt.c, &mut [0; 64], MsgFlags::NONE));

    lab.part("A place becomes free");
    lab.say("The SYN is sent again a second after the first one, and then again and again, at first each second (Linux 6.5) or after twice the time (before).");
    lab.predict(&WRITABLE);
    attempt.renew_after(lab, A_MOMENT)?;
    let _a = accept(&l)?;
    let ConnectAttempt { c, began, .. } = attempt;
    let mut rows = [PollFd::new(c.as_fd(), POLLIN | POLLOUT)];
    let answered = poll(&mut rows, 10_000);
    let took = began.elapsed();
    lab.observe(answered.map(|_| rows[0].revents()));
    lab.predict(&WAITED);
    lab.observe(took);
    lab.predict(&NO_ERROR);
    lab.observe(getsockopt(&c, SOL_SOCKET, SO_ERROR));
    Ok(())
}

/// An attempt gives up after two minutes.
const A_WHILE: Duration = Duration::from_secs(30);
/// The longer the attempt lasts, the more rarely it sends its SYN again.
const A_MOMENT: Duration = Duration::from_secs(2);

/// A socket that tries to connect, and since when. If the reader thinks about a question for too long, the lab starts a
/// new attempt on another socket with the same flags.
struct ConnectAttempt {
    c: Fd,
    address: Address,
    began: Instant,
}

impl ConnectAttempt {
    fn renew_after(&mut self, lab: &mut Run<'_>, age: Duration) -> Result<()> {
        if self.began.elapsed() < age {
            return Ok(());
        }
        lab.say("That attempt has become too old in the meantime. Here is a new one.");
        let flags = fcntl_getfl(&self.c)?;
        let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
        set_nonblocking(&c)?;
        match connect(&c, &self.address) {
            Err(Errno::EINPROGRESS) => {}
            other => other?,
        }
        fcntl_setfl(&c, flags)?;
        self.c = c;
        self.began = Instant::now();
        Ok(())
    }
}
