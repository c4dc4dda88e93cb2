//! What can one slow client do to my server?
//!
//! If the server reads a whole line from one client before it turns to the next, a client can stop it with three
//! bytes and no newline. `select` alone does not help if the code after it waits for the rest of the line. The
//! remedy is one receive for each ready descriptor, and a buffer for each client.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, listener, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "one-slow-client",
    claim: "A server that waits for one client's whole line makes all the others wait.",
    question: "What can one slow client do to my server?",
    explanation: "Readiness means that some bytes have arrived, not a whole message. A server that keeps receiving \
        from one client until its line is complete cannot serve any other client. So call recv once for each ready \
        descriptor, append the bytes to that client's own buffer, and answer only complete lines. The same holds for \
        sending: a client that does not read stops a server that waits for it, as in Beej's pollserver.",
    elsewhere: "",
    sources: &[
        "select(2)",
        "POSIX recv, SO_RCVTIMEO (2.10.16)",
        "UNP, 6.8 (a line that never ends)",
        "Beej's Guide, pollserver",
    ],
    related: &["header-splits", "blocking-or-eagain", "stdio-hides-readiness", "partial-send"],
    words: &["select", "recv", "SO_RCVTIMEO", "EAGAIN"],
    minutes: 3,
    predictions: &[&STALLED, &NO_ANSWER, &READY, &ANSWER, &SLOW_ANSWER],
    spoiled_by: "poll:spurious@1",
    run,
    ..Lab::ORDINARY
};

const STALLED: Prediction = Prediction {
    asks: "The server waits for the rest of the line; without the time limit set here it would wait forever. What does recv give?",
    choices: &["0", "3", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const NO_ANSWER: Prediction = Prediction {
    asks: "The quick client has sent a whole line. How many descriptors are ready when it looks for its answer?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const READY: Prediction = Prediction {
    asks: "Neither client has sent more. How many of the two does select find ready?",
    choices: &["0", "1", "2"],
    expect: Expect::everywhere(Expected::Is("1")),
};

const ANSWER: Prediction = Prediction {
    asks: "What does the quick client's recv give?",
    choices: &["4", "0", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("4")),
};

const SLOW_ANSWER: Prediction = Prediction {
    asks: "The slow client sends its newline at last. What does its recv give?",
    choices: &["1", "4", "0"],
    expect: Expect::everywhere(Expected::Is("4")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    let (l, address) = listener()?;
    let (slow, quick) = (client_of(&address)?, client_of(&address)?);
    let ((a, _), (b, _)) = (accept(&l)?, accept(&l)?);
    send(&slow, b"foo", MSG_NOSIGNAL)?;
    send(&quick, b"bar\n", MSG_NOSIGNAL)?;

    lab.part("The broken way: a whole line from the first client");
    let limit = TimeVal { tv_sec: 0, tv_usec: 300_000 };
    setsockopt(&a, SOL_SOCKET, SO_RCVTIMEO, &limit)?;
    let mut line = Vec::new();
    let received = recv(&a, &mut buf, MsgFlags::NONE)?;
    line.extend_from_slice(&buf[..received]); // no newline yet
    lab.predict(&STALLED);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));
    lab.predict(&NO_ANSWER);
    lab.observe(poll(&mut [PollFd::new(quick.as_fd(), POLLIN)], 0));

    lab.part("The right way: one receive from each ready client, and a buffer for each");
    let mut clients = [(a, line), (b, Vec::new())];
    lab.predict(&READY);
    let served = turn(&mut clients);
    lab.observe(served);
    wait_for(&quick, POLLIN)?;
    lab.predict(&ANSWER);
    lab.observe(recv(&quick, &mut buf, MSG_DONTWAIT));
    send(&slow, b"\n", MSG_NOSIGNAL)?;
    turn(&mut clients)?;
    wait_for(&slow, POLLIN)?;
    lab.predict(&SLOW_ANSWER);
    lab.observe(recv(&slow, &mut buf, MSG_DONTWAIT));
    Ok(())
}

/// One turn of an echo server: waits until a client is ready, receives once from each ready client, and answers whole
/// lines.
fn turn(clients: &mut [(Fd, Vec<u8>); 2]) -> Result<usize> {
    let mut readable = FdSet::new();
    for (fd, _) in clients.iter() {
        readable.set(fd).map_err(|_| Errno::EMFILE)?;
    }
    let mut limit = TimeVal { tv_sec: 5, tv_usec: 0 };
    let ready = select(readable.nfds(), Some(&mut readable), None, None, Some(&mut limit))?;
    for (fd, line) in clients.iter_mut().filter(|(fd, _)| readable.isset(fd)) {
        let mut buf = [0; 64];
        let received = recv(&*fd, &mut buf, MsgFlags::NONE)?;
        line.extend_from_slice(&buf[..received]);
        let whole = line.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole > 0 {
            send(&*fd, &line[..whole], MSG_NOSIGNAL)?;
            line.drain(..whole); // what stands after it is the beginning of the next
        }
    }
    Ok(ready)
}
