//! What if I forget `htons`?
//!
//! The program compiles and runs, but uses another port: 8080 in little-endian order is read as 36895. The address
//! suffers in the same way: 127.0.0.1 becomes 1.0.0.127, which is not an address of this machine. On a big-endian
//! machine nothing changes, and the mistake shows only after the program moves to another machine.

use std::net::Ipv4Addr;

use crate::byteorder::{htonl, htons};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::this_system;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "forgot-htons",
    claim: "Without htons port 8080 is 36895, and 127.0.0.1 without htonl is 1.0.0.127.",
    question: "My server says that it listens, but no client can connect. Did I forget htons?",
    explanation: "The port and the address in a sockaddr_in are in network order, the most significant byte first. \
        Most machines store numbers the other way round, and to C both are a uint16_t. So bind succeeds, on the wrong \
        port; a wrong address at least fails. getsockname, or ss -l, shows where a server really listens.",
    elsewhere: "On a big-endian machine host order is network order: the functions change nothing, and forgetting them \
        goes unnoticed.",
    sources: &["byteorder(3)", "ip(7)", "POSIX htons; POSIX <netinet/in.h>", "UNP, 3.4"],
    related: &["int-on-the-wire", "sockaddr-layout", "wildcard-vs-loopback"],
    words: &["htons", "htonl", "bind", "EADDRNOTAVAIL"],
    minutes: 3,
    predictions: &[&PORT, &CLIENT, &ADDRESS, &RIGHT_PORT, &RIGHT_CLIENT],
    spoiled_by: "connect:ETIMEDOUT@1",
    run,
    ..Lab::ORDINARY
};

const PORT: Prediction = Prediction {
    asks: "sin_port was set to 8080, without htons. On which port does the server listen?",
    choices: &["8080", "36895"],
    expect: Expect::everywhere(Expected::Is("36895")).big_endian(Expected::Is("8080")),
};

const CLIENT: Prediction = Prediction {
    asks: "A client connects to port 8080. It gets?",
    choices: &["success", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("ECONNREFUSED")).big_endian(Expected::Is("success")),
};

const ADDRESS: Prediction = Prediction {
    asks: "sin_addr was set to INADDR_LOOPBACK, without htonl. What does bind give?",
    choices: &["success", "EADDRNOTAVAIL", "EINVAL"],
    expect: Expect::everywhere(Expected::Is("EADDRNOTAVAIL")).big_endian(Expected::Is("success")),
};

const RIGHT_PORT: Prediction = Prediction {
    asks: "Now with htons and htonl. On which port does it listen?",
    choices: &["8080", "36895"],
    expect: Expect::everywhere(Expected::Is("8080")),
};

const RIGHT_CLIENT: Prediction = Prediction {
    asks: "And a client that connects to port 8080 now gets?",
    choices: &["success", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("success")),
};

/// `INADDR_LOOPBACK`, as a number of this machine.
const INADDR_LOOPBACK: u32 = 0x7f00_0001;

fn run(lab: &mut Run<'_>) -> LabResult {
    let host = own_loopback();
    lab.say(format_args!(
        "First: are both ports free at {host}, an address of this machine's loopback?"
    ));
    for port in [8080, 36895] {
        drop(bound(&Address::v4(host, port))?);
    }
    let client_of_8080 = || -> Result<()> {
        let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
        connect(&c, &Address::v4(host, 8080))
    };
    lab.part("The broken way: the numbers as they are");
    let raw = sockaddr_in(8080, htonl(host.to_bits()));
    lab.predict(&PORT);
    let l = listening(&raw)?;
    lab.observe(port_of(&l));
    lab.predict(&CLIENT);
    lab.observe(client_of_8080());
    close(l)?;
    let raw = sockaddr_in(0, INADDR_LOOPBACK);
    let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&ADDRESS);
    lab.observe(bind(&s, &raw));

    lab.part("The right way: htons and htonl");
    let converted = sockaddr_in(htons(8080), htonl(host.to_bits()));
    lab.predict(&RIGHT_PORT);
    let l = listening(&converted)?;
    lab.observe(port_of(&l));
    lab.predict(&RIGHT_CLIENT);
    lab.observe(client_of_8080());
    Ok(())
}

/// A `struct sockaddr_in` as in C: it stores the numbers exactly as given, whatever their order. (The typed address
/// of this library takes a port in host order and converts it.)
fn sockaddr_in(sin_port: u16, sin_addr: u32) -> Address {
    let mut data = sin_port.to_ne_bytes().to_vec();
    data.extend(sin_addr.to_ne_bytes());
    data.extend([0; 8]); // sin_zero
    Address::Other { family: AF_INET, data }
}

fn listening(address: &Address) -> std::result::Result<Fd, Stop> {
    let l = bound(address)?;
    listen(&l, 5)?;
    Ok(l)
}

fn bound(address: &Address) -> std::result::Result<Fd, Stop> {
    let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    match bind(&s, address) {
        Err(Errno::EADDRINUSE) => Err(Stop::skipped("another program uses port 8080 or 36895")),
        result => Ok(result.map(|()| s)?),
    }
}

fn port_of(l: &Fd) -> Result<String> {
    Ok(getsockname(l)?.port().unwrap_or(0).to_string())
}

/// A loopback address that no other program is likely to use, because this lab cannot choose its ports: on Linux all of
/// 127.0.0.0/8 is loopback.
fn own_loopback() -> Ipv4Addr {
    let [.., a, b] = std::process::id().to_be_bytes();
    match this_system().runs_linux_programs() {
        true => Ipv4Addr::new(127, 80, a, b.clamp(1, 254)),
        false => Ipv4Addr::LOCALHOST,
    }
}
