//! SO_REUSEADDR or SO_REUSEPORT? And can a socket connect to itself?
//!
//! SO_REUSEADDR ignores the remains of old connections (TIME_WAIT); it never allows two TCP listeners at one address.
//! SO_REUSEPORT does, if every one of them sets it, and the kernel distributes the clients among them. And a socket
//! that connects to its own address is connected to itself.

use crate::addr::Address;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, loopback, set_nonblocking, udp_socket, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "reuseport-and-self",
    claim: "SO_REUSEPORT on every socket lets two listeners share a port and its clients.",
    question: "I want two servers on one port. SO_REUSEADDR or SO_REUSEPORT?",
    explanation: "For TCP, SO_REUSEADDR only ignores connections that are over; a port with a listener stays in use. \
        SO_REUSEPORT must be set on every socket before its bind, including the first, and then each new connection \
        goes to one of them. On UDP SO_REUSEADDR alone lets a second socket bind the port; the last one gets the \
        datagrams, so it takes them from the first. A client that keeps connecting to an unused local port may at last \
        connect to itself.",
    elsewhere: "FreeBSD distributes clients only with SO_REUSEPORT_LB; with SO_REUSEPORT alone the socket that was \
        bound last gets all of them, as on NetBSD and macOS. A second UDP socket needs SO_REUSEPORT on these systems, \
        too. macOS refuses to connect a socket to itself.",
    sources: &[
        "socket(7), SO_REUSEADDR and SO_REUSEPORT",
        "ip(7)",
        "RFC 9293, 3.5 (simultaneous open)",
        "gVisor: TcpPortReuseMultiThread, SelfConnectSendRecv",
    ],
    related: &["time-wait-bind", "udp-connect-filters", "readiness-is-a-hint"],
    words: &["SO_REUSEADDR", "SO_REUSEPORT", "EADDRINUSE"],
    minutes: 4,
    predictions: &[
        &REUSEADDR,
        &NEWCOMER,
        &BOTH,
        &SHARE,
        &ALL,
        &LAST_BINDER,
        &FIRST_BINDER,
        &TO_ITSELF,
        &ECHO,
    ],
    spoiled_by: "accept:ECONNABORTED@1",
    descriptors: 64,
    run,
    ..Lab::ORDINARY
};

const REUSEADDR: Prediction = Prediction {
    asks: "A listener has the port, and both sockets have SO_REUSEADDR. What does the second bind give?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::on_linux(Expected::Is("EADDRINUSE")),
};

const NEWCOMER: Prediction = Prediction {
    asks: "The second one alone has SO_REUSEPORT. What does its bind give?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::on_linux(Expected::Is("EADDRINUSE")),
};

const BOTH: Prediction = Prediction {
    asks: "Both have SO_REUSEPORT. What does the second bind give?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const SHARE: Prediction = Prediction {
    asks: "Both listen, and 40 clients connect. How many of them does the first listener get?",
    choices: &["0", "1 to 39", "40"],
    expect: Expect::on_linux(Expected::Between(1, 39, "")).but(
        &[FreeBsd, NetBsd, MacOs],
        Expected::Is("0"),
        "the socket that was bound last gets every connection",
    ),
};

const ALL: Prediction = Prediction {
    asks: "And how many do both have together?",
    choices: &["less than 40", "40", "at least 41"],
    expect: Expect::on_linux(Expected::Is("40")),
};

const LAST_BINDER: Prediction = Prediction {
    asks: "Two UDP sockets with SO_REUSEADDR share a port; five bytes arrive. What does recv on the second give?",
    choices: &["5", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("5")),
};

const FIRST_BINDER: Prediction = Prediction {
    asks: "And recv on the first socket, which had the port before?",
    choices: &["5", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const TO_ITSELF: Prediction = Prediction {
    asks: "A TCP socket is bound, no socket listens, and it connects to its own address. What does connect give?",
    choices: &["success", "ECONNREFUSED", "EADDRINUSE", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("success")).but(
        &[MacOs],
        Expected::Is("EINVAL"),
        "it refuses its own address",
    ),
};

const ECHO: Prediction = Prediction {
    asks: "It sends five bytes. What does recv on the same socket give?",
    choices: &["5", "EAGAIN", "ECONNRESET"],
    expect: Expect::on_linux(Expected::Is("5")),
};

const CLIENTS: usize = 40;

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("SO_REUSEADDR is not enough");
    let l = tcp_socket(SO_REUSEADDR)?;
    bind(&l, &loopback(0))?;
    listen(&l, 5)?;
    let address = getsockname(&l)?;
    let second = tcp_socket(SO_REUSEADDR)?;
    lab.predict(&REUSEADDR);
    lab.observe(bind(&second, &address));
    let second = tcp_socket(SO_REUSEPORT)?;
    lab.predict(&NEWCOMER);
    lab.observe(bind(&second, &address));

    lab.part("SO_REUSEPORT on both");
    let first = tcp_socket(SO_REUSEPORT)?;
    bind(&first, &loopback(0))?;
    let address = getsockname(&first)?;
    lab.predict(&BOTH);
    lab.observe(bind(&second, &address));
    share(lab, &[first, second], &address)?;

    lab.part("UDP: SO_REUSEADDR lets a second socket bind");
    take_over(lab)?;

    lab.part("A socket that connects to itself");
    let own = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&own, &loopback(0))?;
    let address = getsockname(&own)?;
    lab.predict(&TO_ITSELF);
    let connected = connect(&own, &address);
    lab.observe(connected);
    if connected.is_err() {
        lab.say("So nothing can come back here.");
        return Ok(());
    }
    send(&own, b"hello", MSG_NOSIGNAL)?;
    set_nonblocking(&own)?;
    wait_for(&own, POLLIN)?;
    lab.predict(&ECHO);
    lab.observe(recv(&own, &mut [0; 64], MsgFlags::NONE));
    Ok(())
}

fn tcp_socket(option: OptionName<i32>) -> Result<Fd> {
    let fd = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    setsockopt(&fd, SOL_SOCKET, option, &1)?;
    Ok(fd)
}

/// Clients connect, and each is in the queue of one listener.
fn share(lab: &mut Run<'_>, listeners: &[Fd; 2], address: &Address) -> LabResult {
    for l in listeners {
        listen(l, CLIENTS as i32)?;
        set_nonblocking(l)?;
    }
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(client_of(address)?);
    }
    lab.predict(&SHARE);
    let first = accept_all(&listeners[0]);
    lab.observe(first);
    lab.predict(&ALL);
    lab.observe(first.and_then(|first| Ok(first + accept_all(&listeners[1])?)));
    Ok(())
}

/// Accepts until the queue is empty, and returns how many clients there were.
fn accept_all(l: &Fd) -> Result<usize> {
    let mut count = 0;
    loop {
        match accept(l) {
            Ok(_) => count += 1,
            Err(Errno::EAGAIN) => return Ok(count),
            Err(errno) => return Err(errno),
        }
    }
}

fn take_over(lab: &mut Run<'_>) -> LabResult {
    let ((first, second), address) = match two_at_one_port(SO_REUSEADDR) {
        Err(Errno::EADDRINUSE) => {
            lab.say("SO_REUSEADDR is not enough on this system. Both sockets are made once more, with SO_REUSEPORT.");
            two_at_one_port(SO_REUSEPORT)?
        }
        made => made?,
    };
    sendto(&udp_socket()?, b"hello", MsgFlags::NONE, &address)?;
    wait_for(&second, POLLIN)?;
    lab.predict(&LAST_BINDER);
    lab.observe(recv(&second, &mut [0; 64], MsgFlags::NONE));
    lab.predict(&FIRST_BINDER);
    lab.observe(recv(&first, &mut [0; 64], MsgFlags::NONE));
    Ok(())
}

/// Two UDP sockets with this option, bound to one address one after the other.
fn two_at_one_port(option: OptionName<i32>) -> Result<((Fd, Fd), Address)> {
    let (first, second) = (udp_socket()?, udp_socket()?);
    for fd in [&first, &second] {
        setsockopt(fd, SOL_SOCKET, option, &1)?;
        set_nonblocking(fd)?;
    }
    bind(&first, &loopback(0))?;
    let address = getsockname(&first)?;
    bind(&second, &address)?;
    Ok(((first, second), address))
}
