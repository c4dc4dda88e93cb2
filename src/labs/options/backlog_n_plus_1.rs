//! How many clients may wait, and what becomes of the others?
//!
//! Linux queues one more than the backlog says. Whoever comes after that is not refused: its SYN is dropped, so it goes on
//! asking, and its connect goes on waiting. The Python Socket HOWTO has it that five is the normal maximum and that more are
//! refused; so it was on some systems, once.

use std::fs;
use std::path::Path;
use std::thread;

use crate::addr::Address;
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{loopback, set_nonblocking};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::limits::set_descriptor_limit;
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "backlog-n-plus-1",
    claim: "listen(l, n) queues n + 1 clients on Linux; the next wait, unrefused.",
    question: "What does the number mean that listen wants, and what happens beyond it?",
    explanation: "The queue holds connections that are complete and not yet accepted. Linux compares with \"more than n\", so \
        n + 1 fit, and no number is special, not even the five that the Python Socket HOWTO calls the normal maximum; only the \
        machine's limit (somaxconn) cuts it down. A client beyond that stays in \
        SYN_SENT and tries again after a second, and then again and again; it is not refused, as the HOWTO has it: a full queue looks like a slow \
        network. A Unix-domain connect says \
        EAGAIN instead, if it may not wait.",
    elsewhere: "FreeBSD takes nobody in when more than 3n/2 are queued (sonewconn in its kernel), so 1, 2, 4 and 8 \
        fit. macOS queues exactly n, at most 128, and 128 for a backlog of 0; OpenBSD 80 at least. In the Unix domain \
        a full queue is ECONNREFUSED on all of them.",
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
    asks: "listen(l, 0), and nobody accepts. How many clients are connected?",
    choices: &["0", "1", "5", "128"],
    expect: Expect::on_linux(Expected::Is("1")),
};

const OF_1: Prediction = Prediction {
    asks: "listen(l, 1). How many?",
    choices: &["1", "2", "5", "128"],
    expect: Expect::on_linux(Expected::Is("2")).but(
        &[MacOs],
        Expected::Is("1"),
        "n places are n places",
    ),
};

const OF_2: Prediction = Prediction {
    asks: "listen(l, 2). How many?",
    choices: &["2", "3", "4", "128"],
    expect: Expect::on_linux(Expected::Is("3"))
        .but(&[FreeBsd], Expected::Is("4"), "3n/2 + 1 places")
        .but(&[MacOs], Expected::Is("2"), "n places are n places"),
};

const OF_5: Prediction = Prediction {
    asks: "listen(l, 5). How many?",
    choices: &["5", "6", "8", "128"],
    expect: Expect::on_linux(Expected::Is("6"))
        .but(&[FreeBsd], Expected::Is("8"), "3n/2 + 1 places")
        .but(&[MacOs], Expected::Is("5"), "n places are n places"),
};

const BEYOND: Prediction = Prediction {
    asks: "What does poll say of the first client that is not, asked for POLLOUT?",
    choices: &["0", "POLLOUT", "POLLOUT|POLLERR|POLLHUP"],
    expect: Expect::on_linux(Expected::Is("0")).but(
        &[FreeBsd],
        Expected::Is("POLLHUP"),
        "it answers the handshake, and then resets what finds no place",
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
        .but(&[MacOs], Expected::Is("2"), "n places are n places"),
};

const UNIX_BEYOND: Prediction = Prediction {
    asks: "What does connect give to the next one?",
    choices: &["EAGAIN", "ECONNREFUSED", "EINPROGRESS"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ECONNREFUSED"),
        "a full queue refuses in the Unix domain, also a blocking connect",
    ),
};

const ROWS: Prediction = Prediction {
    asks: "This process may have 20 descriptors now. What does poll of 20 rows give, all of them to be skipped?",
    choices: &["0", "20", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const TOO_MANY_ROWS: Prediction = Prediction {
    asks: "And of 21 rows?",
    choices: &["0", "21", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("EINVAL")).but(
        &[FreeBsd, NetBsd],
        Expected::Is("0"),
        "the limit on rows is another there",
    ),
};

/// More clients than any of these queues holds, and few enough for everybody's limit on descriptors.
const MOST: usize = 16;
/// A handshake over loopback is over when connect returns; so long it has time all the same.
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
        lab.observe(connected.len());
        beyond = next.map(|next| (l, connected, next));
    }
    let Some((_l, _connected, c)) = beyond else {
        return Err(Stop::failed(format_args!("{MOST} clients are connected, and no end is seen")));
    };

    lab.part("The one that found no place");
    lab.predict(&BEYOND);
    let mut rows = [PollFd::new(c.as_fd(), POLLOUT)];
    let answered = poll(&mut rows, 0);
    lab.observe(answered.map(|_| rows[0].revents()));
    lab.predict(&NO_ERROR);
    lab.observe(getsockopt(&c, SOL_SOCKET, SO_ERROR));
    lab.say("What ss shows as the state, and getsockopt as TCP_INFO: a thread asks for it.");
    lab.predict(&STATE);
    lab.observe(state_of(&c));

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

/// Clients that come one after the other, each when the one before it is connected: those that are, and the first that is
/// not.
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
    let asked = thread::spawn(move || socket_state(number)).join();
    asked.ok().flatten().map_or("not told".to_string(), |told| told.state.to_string())
}

fn unix(lab: &mut Run<'_>) -> LabResult {
    // In the lab's own directory, which is the working directory: the name is short, wherever that lies.
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
            Ok(()) if connected.len() < MOST => connected.push(c),
            _ => break c,
        }
    };
    lab.observe(connected.len());
    lab.predict(&UNIX_BEYOND);
    lab.observe(connect(&beyond, &address));
    fs::remove_file(path)?;
    Ok(())
}

fn skipped_rows(count: usize) -> Vec<PollFd<'static>> {
    (0..count).map(|_| PollFd::skipped()).collect()
}
