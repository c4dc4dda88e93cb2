//! connect says EAGAIN. Is the connection in progress, as after EINPROGRESS?
//!
//! No. A Unix-domain listener whose queue is full has no place to remember the client: nothing is in progress, and no
//! connection will follow. But `poll` says that the socket is writable, and SO_ERROR is 0, so a program that continues
//! as after EINPROGRESS believes that it is connected. TCP in the same situation says EINPROGRESS, and `poll` waits.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::addr::Address;
use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{fill_queue, loopback, millis, or_waits_forever, set_nonblocking};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "connect-says-eagain",
    claim: "A Unix-domain connect that gives EAGAIN has begun nothing; poll cannot tell.",
    question: "A non-blocking connect gives EAGAIN. Do I wait until it is writable?",
    explanation: "TCP can wait for a place in the listener's queue, because the kernel can send the SYN again. A \
        Unix-domain connect puts the client into the queue during the call, and can only fail if the queue is full. The \
        socket then was never connected; yet poll reports POLLOUT and POLLHUP for it at once, and SO_ERROR is 0. So the \
        usual check after a non-blocking connect finds no error, and the first send fails. Call connect again after a \
        moment, or use a blocking connect, which waits for a place, with SO_SNDTIMEO as its time limit.",
    elsewhere: "On the BSDs and macOS connect to a full Unix-domain queue fails with ECONNREFUSED, even on a blocking \
        socket. In gVisor even a blocking connect gives EAGAIN, and poll reports nothing: a program that waits for that \
        socket waits forever.",
    sources: &[
        "connect(2), EAGAIN",
        "unix(7)",
        "Linux, net/unix/af_unix.c: unix_stream_connect, unix_poll",
    ],
    related: &["backlog-n-plus-1", "nb-connect-ok", "pending-and-eintr", "unix-is-not-tcp"],
    words: &["connect", "EAGAIN", "EINPROGRESS", "POLLHUP", "SO_ERROR", "SO_SNDTIMEO"],
    minutes: 3,
    descriptors: 300,
    predictions: &[
        &UNIX,
        &POLLED,
        &NO_ERROR,
        &SENT,
        &ROOM,
        &AGAIN,
        &LIMITED,
        &WAITED,
        &TCP,
        &TCP_POLLED,
    ],
    spoiled_by: "connect:EINPROGRESS@3",
    run,
    ..Lab::ORDINARY
};

const UNIX: Prediction = Prediction {
    asks: "The queue of a Unix-domain listener is full. What does a non-blocking connect give?",
    choices: &["EAGAIN", "EINPROGRESS", "ECONNREFUSED"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ECONNREFUSED"),
        "a full queue refuses in the Unix domain",
    ),
};

const POLLED: Prediction = Prediction {
    asks: "What does poll say of the socket, asked for POLLOUT?",
    choices: &["0", "POLLOUT", "POLLOUT|POLLHUP", "POLLOUT|POLLERR"],
    expect: Expect::on_linux(Expected::Is("POLLOUT|POLLHUP")),
};

const NO_ERROR: Prediction = Prediction {
    asks: "And what is SO_ERROR? (0: no error; 11: EAGAIN)",
    choices: &["0", "11"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const SENT: Prediction = Prediction {
    asks: "So it looks connected. What does send give?",
    choices: &["5", "EAGAIN", "ENOTCONN", "EPIPE"],
    expect: Expect::on_linux(Expected::Is("ENOTCONN")),
};

const ROOM: Prediction = Prediction {
    asks: "The server accepts a client: there is room. What does poll say of our socket now?",
    choices: &["0", "POLLOUT", "POLLOUT|POLLHUP"],
    expect: Expect::on_linux(Expected::Is("POLLOUT|POLLHUP")),
};

const AGAIN: Prediction = Prediction {
    asks: "connect is called again. What does it give?",
    choices: &["success", "EAGAIN", "EALREADY", "EISCONN"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const LIMITED: Prediction = Prediction {
    asks: "The queue is full again. What does a blocking connect give, with SO_SNDTIMEO of 100 ms?",
    choices: &["EAGAIN", "ETIMEDOUT", "EINPROGRESS", "waits forever"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ECONNREFUSED"),
        "a full queue refuses a blocking connect, too",
    ),
};

const WAITED: Prediction = Prediction {
    asks: "Without a limit, and the server accepts a client 100 ms later. What does connect give?",
    choices: &["success", "EAGAIN", "waits forever"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const TCP: Prediction = Prediction {
    asks: "The queue of a TCP listener is full. What does a non-blocking connect give?",
    choices: &["EAGAIN", "EINPROGRESS", "ECONNREFUSED"],
    expect: Expect::on_linux(Expected::Is("EINPROGRESS")),
};

const TCP_POLLED: Prediction = Prediction {
    asks: "And what does poll say of that socket, asked for POLLOUT?",
    choices: &["0", "POLLOUT", "POLLOUT|POLLHUP", "POLLOUT|POLLERR"],
    expect: Expect::on_linux(Expected::Is("0")),
};

/// No system queues this many clients for a backlog of 0.
const MOST: usize = 250;

fn run(lab: &mut Run<'_>) -> LabResult {
    // In the lab's own directory, which is the working directory, so that the path is short.
    let path = Path::new("server");
    let address = Address::unix(path);
    let l = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    bind(&l, &address)?;
    listen(&l, 0)?;

    lab.part("The broken way: continue as after EINPROGRESS");
    let mut waiting = fill(&address)?;
    let c = unix_socket()?;
    lab.predict(&UNIX);
    lab.observe(connect(&c, &address));
    lab.predict(&POLLED);
    lab.observe(polled(&c));
    lab.predict(&NO_ERROR);
    lab.observe(getsockopt(&c, SOL_SOCKET, SO_ERROR));
    lab.predict(&SENT);
    lab.observe(send(&c, b"hello", MSG_NOSIGNAL));
    lab.predict(&ROOM);
    let (served, _) = accept(&l)?;
    lab.observe(polled(&c));

    lab.part("The right way: call connect again, or let connect wait");
    lab.predict(&AGAIN);
    lab.observe(connect(&c, &address));
    waiting.push(c);
    waiting.extend(fill(&address)?);
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.say("Where a call waits forever, SIGUSR1 ends its wait after 1.5 s.");
    let limited = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    setsockopt(&limited, SOL_SOCKET, SO_SNDTIMEO, &millis(100))?;
    lab.predict(&LIMITED);
    lab.observe(or_waits_forever(|| connect(&limited, &address)));
    let patient = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.say("A thread is the server.");
    lab.predict(&WAITED);
    let server = spawn(move || accept_later(l));
    lab.observe(or_waits_forever(|| connect(&patient, &address)));
    let l = joined(server)?;
    std::fs::remove_file(path)?;
    drop((l, served, waiting, patient));

    lab.part("TCP, in the same situation");
    tcp(lab)
}

fn unix_socket() -> Result<Fd> {
    let c = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    set_nonblocking(&c)?;
    Ok(c)
}

/// Connects clients to a Unix-domain listener until its queue is full.
fn fill(address: &Address) -> Result<Vec<Fd>> {
    let mut clients = Vec::new();
    while clients.len() < MOST {
        let c = unix_socket()?;
        if connect(&c, address).is_err() {
            break;
        }
        clients.push(c);
    }
    Ok(clients)
}

/// The server: it accepts while connect waits.
fn accept_later(l: Fd) -> Result<Fd> {
    thread::sleep(Duration::from_millis(100));
    accept(&l)?;
    Ok(l)
}

fn polled(fd: &Fd) -> Result<PollEvents> {
    let mut rows = [PollFd::new(fd.as_fd(), POLLOUT)];
    poll(&mut rows, 0)?;
    Ok(rows[0].revents())
}

fn tcp(lab: &mut Run<'_>) -> LabResult {
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&l, &loopback(0))?;
    listen(&l, 0)?;
    let address = getsockname(&l)?;
    let _waiting = fill_queue(&address)?;
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    set_nonblocking(&c)?;
    lab.predict(&TCP);
    lab.observe(connect(&c, &address));
    lab.predict(&TCP_POLLED);
    lab.observe(polled(&c));
    Ok(())
}
