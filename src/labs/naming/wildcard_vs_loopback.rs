//! Why can other machines not reach my server?
//!
//! Because it is bound to 127.0.0.1: only packets to that address reach it. On Linux all of 127.0.0.0/8 leads to this
//! machine, so here 127.5.6.7 plays the part of another address. A server bound to 0.0.0.0 can be reached at every
//! address of this machine, and each accepted socket has the address that its client connected to.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::listener;
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::this_system;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "wildcard-vs-loopback",
    claim: "A server bound to 127.0.0.1 is reached only there; 0.0.0.0 is every address.",
    question: "Why can other machines not reach my server?",
    explanation: "bind decides at which of this machine's addresses the socket can be reached. 127.0.0.1 is for \
        clients on this machine only, which is a sound default; 0.0.0.0 stands for every address, including those of \
        interfaces that are added later. With the advice to bind to gethostname(), /etc/hosts decides which clients \
        can connect.",
    elsewhere: "On macOS and the BSDs the loopback interface has only 127.0.0.1, unless more addresses are added: this \
        part is skipped there.",
    sources: &[
        "bind(2)",
        "ip(7)",
        "capabilities(7), CAP_NET_BIND_SERVICE",
        "the Python Socket HOWTO, on gethostname",
    ],
    related: &["names-appear-late", "dual-stack"],
    words: &["bind", "ECONNREFUSED", "EACCES", "gethostname"],
    minutes: 3,
    predictions: &[&RESERVED, &LOOPBACK, &WILDCARD, &NAME],
    spoiled_by: "connect:ETIMEDOUT@2",
    run,
    ..Lab::ORDINARY
};

const RESERVED: Prediction = Prediction {
    asks: "We are an ordinary user. What does bind to port 80 give?",
    choices: &["success", "EACCES", "EADDRINUSE"],
    expect: Expect::on_linux(Expected::Is("EACCES")),
};

const LOOPBACK: Prediction = Prediction {
    asks: "The server is bound to 127.0.0.1. A client connects to 127.5.6.7 with the right port. What does connect give?",
    choices: &["success", "ECONNREFUSED", "ETIMEDOUT"],
    expect: Expect::on_linux(Expected::Is("ECONNREFUSED")),
};

const WILDCARD: Prediction = Prediction {
    asks: "The server is bound to 0.0.0.0. What does the connect to 127.5.6.7 give?",
    choices: &["success", "ECONNREFUSED", "ETIMEDOUT"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const NAME: Prediction = Prediction {
    asks: "The listener's address is 0.0.0.0. What address does the accepted socket have?",
    choices: &["0.0.0.0", "127.0.0.1", "127.5.6.7"],
    expect: Expect::on_linux(Expected::Is("127.5.6.7")),
};

/// Another address of this machine, on Linux.
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 5, 6, 7);

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("Reserved ports");
    if may_bind(80, lab.directory()) {
        lab.say(
            "This process may bind port 80; an ordinary user's process would usually get EACCES.",
        );
    } else {
        let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
        lab.predict(&RESERVED);
        lab.observe(bind(&s, &Address::v4(Ipv4Addr::LOCALHOST, 80)));
    }
    lab.part("The name of this machine");
    tell_own_name(lab)?;
    if !this_system().runs_linux_programs() {
        lab.say("The rest needs a second loopback address, which only Linux has by default.");
        return Ok(());
    }

    lab.part("The broken way: 127.0.0.1, for clients that use another address");
    let (l, address) = listener()?;
    let port = address.port().unwrap_or(0);
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    connect(&c, &address)?; // at its own address it can be reached
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&LOOPBACK);
    lab.observe(connect(&c, &Address::v4(OTHER, port)));
    close(l)?;

    lab.part("The other way: 0.0.0.0");
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&l, &Address::v4(Ipv4Addr::UNSPECIFIED, 0))?;
    listen(&l, 5)?;
    let port = getsockname(&l)?.port().unwrap_or(0);
    let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&WILDCARD);
    let connected = connect(&c, &Address::v4(OTHER, port));
    lab.observe(connected);
    if connected.is_err() {
        return Ok(()); // accept would wait forever
    }
    let (a, _peer) = accept(&l)?;
    lab.predict(&NAME);
    lab.observe(getsockname(&a).map(|name| match name {
        Address::V4(name) => name.ip().to_string(),
        other => other.to_string(),
    }));
    Ok(())
}

/// Whether this process may probably bind a reserved port: its directory belongs to root, or the administrator has
/// lowered the limit (Linux).
fn may_bind(port: u16, own_directory: &Path) -> bool {
    let border = text_of("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let border = border.trim().parse().unwrap_or(1024);
    let is_root = fs::metadata(own_directory).is_ok_and(|directory| directory.uid() == 0);
    is_root || port >= border
}

/// Says which clients could reach a server that is bound to `gethostname()`. Only if /etc/hosts has the name:
/// otherwise libc would ask name servers.
fn tell_own_name(lab: &mut Run<'_>) -> LabResult {
    let name = gethostname()?;
    let hosts = text_of("/etc/hosts");
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    if !lines.flat_map(str::split_whitespace).any(|word| word == name) {
        lab.say("/etc/hosts does not have that name, and this lab asks no name server.");
        return Ok(());
    }
    let hints = Hints { family: AF_INET, socktype: SOCK_STREAM, ..Hints::default() };
    match getaddrinfo(Some(&name), None, Some(&hints)) {
        Ok(found) => {
            for address in found.iter().map(|found| &found.address) {
                lab.say(format_args!(
                    "A server that binds to it can be reached by {}.",
                    address.reach()
                ));
            }
        }
        Err(error) => lab.say(format_args!("No server can bind to it: {}.", gai_strerror(error))),
    }
    Ok(())
}

/// A file's text; nothing if there is none. On a thread of its own, whose calls are not the lab's.
fn text_of(path: &'static str) -> String {
    joined(spawn(move || fs::read_to_string(path))).unwrap_or_default()
}
