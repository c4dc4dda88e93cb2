//! How many clients may wait in the queue, and what happens to the others?
//!
//! Linux queues one more than the backlog says. A client beyond that is not refused: Linux drops its SYN, the client's
//! kernel sends the SYN again and again, and its connect keeps waiting. The Python Socket HOWTO says that five is the
//! normal maximum and that more are refused; that was once true on some systems.

use std::fs;
use std::path::Path;

use crate::addr::Address;
use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{loopback, set_nonblocking};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::limits::set_descriptor_limit;
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "backlog-n-plus-1",
    claim: "listen(l, n) queues n + 1 clients on Linux; more are not refused, but wait.",
    question: "What does listen's backlog mean, and what happens to clients beyond it?",
    explanation: "The queue holds connections whose handshake is complete and that are not yet accepted. Linux \
        compares with \"more than n\", so n + 1 fit. Five is not the maximum, although the Python Socket HOWTO calls it \
        the normal maximum; only the system's limit (somaxconn) caps the backlog. A client that finds the queue full \
        stays in SYN_SENT and sends its SYN again and again. The HOWTO is wrong that such a client is refused: a full \
        queue looks like a slow network. In the Unix domain a non-blocking connect to a full queue fails with EAGAIN.",
    elsewhere: "FreeBSD takes no more connections when more than 3n/2 are queued (sonewconn in its kernel), so 1, 2, 4 \
        and 8 fit. macOS queues exactly n, at most 128, and 128 for a backlog of 0; OpenBSD has room for at least 80. In \
        the Unix domain connect to a full queue fails with ECONNREFUSED on all of them.",
    sources: &[
        "listen(2)",
        "POSIX listen",
        "unix(7)",
        "poll(2), EINVAL",
        "net/ipv4 of Linux, sk_acceptq_is_full",
        "the Python Socket HOWTO",
        "gVisor: TCPBacklog",
    ],
    related: &["pending-and-eintr", "emfile-accept-spin", "poll-array-rules"],
    words: &["listen", "SYN_SENT", "EAGAIN"],
    minutes: 3,
    predictions: &[
        &OF_0,
        &OF_1,
        &OF_2,
        &OF_5,
        &BEYOND,
        &NO_ERROR,
        &STATE,
        &UNIX,
        &UNIX_BEYOND,
        &ROWS,
        &TOO_MANY_ROWS,
    ],
    spoiled_by: "connect:ECONNREFUSED@1",
    run,
    ..Lab::ORDINARY
};

const OF_0: Prediction = Prediction {
    asks: "listen(l, 0), and the server does not accept. How many clients are connected?",
    choices: &["0", "1", "5", "128"],
    expect: Expect::on_linux(Expected::Is("1")),
};

const OF_1: Prediction = Prediction {
    asks: "listen(l, 1). How many?",
    choices: &["1", "2", "5", "128"],
    expect: Expect::on_linux(Expected::Is("2")).but(
        &[MacOs],
        Expected::Is("1"),
        "a backlog of n is exactly n places",
    ),
};

const OF_2: Prediction = Prediction {
    asks: "listen(l, 2). How many?",
    choices: &["2", "3", "4", "128"],
    expect: Expect::on_linux(Expected::Is("3"))
        .but(&[FreeBsd], Expected::Is("4"), "3n/2 + 1 places")
        .but(&[MacOs], Expected::Is("2"), "a backlog of n is exactly n places"),
};

const OF_5: Prediction = Prediction {
    asks: "listen(l, 5). How many?",
    choices: &["5", "6", "8", "128"],
    expect: Expect::on_linux(Expected::Is("6"))
        .but(&[FreeBsd], Expected::Is("8"), "3n/2 + 1 places")
        .but(&[MacOs], Expected::Is("5"), "a backlog of n is exactly n places"),
};

const BEYOND: Prediction = Prediction {
    asks: "What does poll report for the first client that is not, asked for POLLOUT?",
    choices: &["0", "POLLOUT", "POLLOUT|POLLERR|POLLHUP"],
    expect: Expect::on_linux(Expected::Is("0")).but(
        &[FreeBsd],
        Expected::Is("POLLHUP"),
        "it completes the handshake, and then resets a connection that does not fit",
    ),
};

const NO_ERROR: Prediction = Prediction {
    asks: "What is its SO_ERROR? (0: no error; 111: ECONNREFUSED)",
    choices: &["0", "111"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const STATE: Prediction = Prediction {
    asks: "In which state is it?",
    choices: &["ESTABLISHED", "SYN_SENT", "CLOSE"],
    expect: Expect::on_linux(Expected::Is("SYN_SENT")),
};

const UNIX: Prediction = Prediction {
    asks: "A Unix-domain listener with backlog 2: how many connects succeed, without waiting?",
    choices: &["2", "3", "5", "128"],
    expect: Expect::on_linux(Expected::Is("3"))
        .but(&[FreeBsd, NetBsd], Expected::Is("4"), "3n/2 + 1 places")
        .but(&[MacOs], Expected::Is("2"), "a backlog of n is exactly n places"),
};

const UNIX_BEYOND: Prediction = Prediction {
    asks: "What does connect give to the next one?",
    choices: &["EAGAIN", "ECONNREFUSED", "EINPROGRESS"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ECONNREFUSED"),
        "in the Unix domain a full queue refuses even a blocking connect",
    ),
};

const ROWS: Prediction = Prediction {
    asks: "This process may now have 20 descriptors. What does poll of 20 rows give, all of them negative?",
    choices: &["0", "20", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const TOO_MANY_ROWS: Prediction = Prediction {
    asks: "And of 21 rows?",
    choices: &["0", "21", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("EINVAL")).but(
        &[FreeBsd, NetBsd],
        Expected::Is("0"),
        "the limit on rows differs there",
    ),
};

/// More clients than these queues hold, except on OpenBSD (at least 80) and, for a backlog of 0, on macOS (128); and few
/// enough for the limit on descriptors of every system.
const MOST: usize = 16;
/// A handshake over loopback is complete when connect returns; it is still given this much time.
const A_MOMENT_MS: i32 = 100;

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("TCP");
    let mut beyond = None;
    for (backlog, prediction) in [(0, &OF_0), (1, &OF_1), (2, &OF_2), (5, &OF_5)] {
        let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
        bind(&l, &loopback(0))?;
        listen(&l, backlog)?;
        let address = getsockname(&l)?;
        lab.predict(prediction);
        let (connected, next) = fill(&address)?;
        lab.observe(how_many(connected.len()));
        beyond = next.map(|next| (l, connected, next));
    }
    match &beyond {
        Some((_l, _connected, c)) => one_that_did_not_fit(lab, c)?,
        None => lab.say(format_args!("All {MOST} clients fit here, so none is left to look at.")),
    }

    lab.part("The Unix domain");
    unix(lab)?;

    lab.part("Another limit: the rows of poll");
    set_descriptor_limit(20)?;
    lab.predict(&ROWS);
    lab.observe(poll(&mut skipped_rows(20), 0));
    lab.predict(&TOO_MANY_ROWS);
    lab.observe(poll(&mut skipped_rows(21), 0));
    Ok(())
}

/// How many clients are connected. If all are, the queue may have room for more.
fn how_many(connected: usize) -> String {
    match connected {
        MOST => "all that it tries".to_string(),
        fewer => fewer.to_string(),
    }
}

fn one_that_did_not_fit(lab: &mut Run<'_>, c: &Fd) -> LabResult {
    lab.part("The client that did not fit");
    lab.predict(&BEYOND);
    let mut rows = [PollFd::new(c.as_fd(), POLLOUT)];
    let answered = poll(&mut rows, 0);
    lab.observe(answered.map(|_| rows[0].revents()));
    lab.predict(&NO_ERROR);
    lab.observe(getsockopt(c, SOL_SOCKET, SO_ERROR));
    lab.say("The state that ss shows, and getsockopt with TCP_INFO: a thread asks for it.");
    lab.predict(&STATE);
    lab.observe(state_of(c));
    Ok(())
}

/// Clients that connect one after the other: those that succeeded, and the first one that did not.
fn fill(address: &Address) -> Result<(Vec<Fd>, Option<Fd>)> {
    let mut connected = Vec::new();
    while connected.len() < MOST {
        let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
        set_nonblocking(&c)?;
        let is_connected = match connect(&c, address) {
            Ok(()) => true,
            Err(Errno::EINPROGRESS) => {
                poll(&mut [PollFd::new(c.as_fd(), POLLOUT)], A_MOMENT_MS)? == 1
                    && getsockopt(&c, SOL_SOCKET, SO_ERROR)? == 0
            }
            Err(_) => false,
        };
        if !is_connected {
            return Ok((connected, Some(c)));
        }
        connected.push(c);
    }
    Ok((connected, None))
}

fn state_of(c: &Fd) -> String {
    let number = c.number();
    let asked = joined(spawn(move || Ok::<_, Errno>(socket_state(number))));
    asked.ok().flatten().map_or("not told".to_string(), |told| told.state.to_string())
}

fn unix(lab: &mut Run<'_>) -> LabResult {
    // In the lab's own directory, which is the working directory: so the name is short, wherever that
    // directory is.
    let path = Path::new("server");
    let address = Address::unix(path);
    let l = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    bind(&l, &address)?;
    listen(&l, 2)?;
    lab.predict(&UNIX);
    let mut connected = Vec::new();
    let beyond = loop {
        let c = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
        set_nonblocking(&c)?;
        match connect(&c, &address) {
            Ok(()) => connected.push(c),
            Err(_) => break Some(c),
        }
        if connected.len() == MOST {
            break None;
        }
    };
    lab.observe(how_many(connected.len()));
    if let Some(c) = beyond {
        lab.predict(&UNIX_BEYOND);
        lab.observe(connect(&c, &address));
    }
    fs::remove_file(path)?;
    Ok(())
}

fn skipped_rows(count: usize) -> Vec<PollFd<'static>> {
    (0..count).map(|_| PollFd::skipped()).collect()
}
