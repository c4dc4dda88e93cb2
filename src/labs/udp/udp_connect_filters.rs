//! What does connect do on a UDP socket?
//!
//! It sends nothing. It stores a peer: send goes to that address, and recv accepts datagrams from it only.
//! connect with AF_UNSPEC removes the peer again.

use crate::addr::Address;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{loopback, set_nonblocking, udp_socket, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "udp-connect-filters",
    claim: "connect on UDP stores a peer and filters out others; AF_UNSPEC undoes it.",
    question: "What does connect do on a UDP socket?",
    explanation: "connect sends no packet. From now on send needs no address, the socket receives no datagrams from \
        other senders, and the kernel can report errors that come back, because it knows which socket they belong to. \
        Linux still lets sendto name another address. connect to an address of the family AF_UNSPEC dissolves the \
        association.",
    elsewhere: "FreeBSD, NetBSD and macOS answer AF_UNSPEC with EAFNOSUPPORT, and dissolve it all the same; and \
        sendto with an address on a connected socket with EISCONN.",
    sources: &[
        "connect(2)",
        "udp(7)",
        "POSIX connect",
        "Stevens, UNP 8.11",
        "gVisor: SendToAddressOtherThanConnected",
    ],
    related: &["udp-refused-later"],
    words: &["connect", "AF_UNSPEC", "EISCONN"],
    predictions: &[&STRANGER, &PEER, &ELSEWHERE, &DISSOLVED, &STRANGER_AGAIN],
    spoiled_by: "recv:ECONNREFUSED@1",
    run,
    ..Lab::ORDINARY
};

const STRANGER: Prediction = Prediction {
    asks: "A stranger has sent a datagram to a socket that is connected to another peer. What does recv give?",
    choices: &["8", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const PEER: Prediction = Prediction {
    asks: "The peer has sent four bytes too. What does recv give?",
    choices: &["4", "8", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("4")),
};

const ELSEWHERE: Prediction = Prediction {
    asks: "What does sendto to the stranger give, on the connected socket?",
    choices: &["5", "EISCONN"],
    expect: Expect::on_linux(Expected::Is("5")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("EISCONN"),
        "a connected socket sends only to its peer",
    ),
};

const DISSOLVED: Prediction = Prediction {
    asks: "What does connect with AF_UNSPEC give?",
    choices: &["success", "EAFNOSUPPORT", "EINVAL"],
    expect: Expect::on_linux(Expected::Is("success")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("EAFNOSUPPORT"),
        "it is dissolved all the same",
    ),
};

const STRANGER_AGAIN: Prediction = Prediction {
    asks: "The stranger sends again. What does recv give?",
    choices: &["8", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("8")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    let [ours, peer, stranger] = [named()?, named()?, named()?];
    let our_address = getsockname(&ours)?;
    set_nonblocking(&ours)?;
    connect(&ours, &getsockname(&peer)?)?;

    sendto(&stranger, b"stranger", MsgFlags::NONE, &our_address)?;
    // On loopback a datagram has arrived when sendto returns; it is still given this much time.
    poll(&mut [PollFd::new(ours.as_fd(), POLLIN)], 50)?;
    lab.predict(&STRANGER);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    sendto(&peer, b"peer", MsgFlags::NONE, &our_address)?;
    wait_for(&ours, POLLIN)?;
    lab.predict(&PEER);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&ELSEWHERE);
    lab.observe(sendto(&ours, b"hello", MsgFlags::NONE, &getsockname(&stranger)?));

    lab.part("Removing the peer again");
    let no_peer = Address::Other { family: AF_UNSPEC, data: vec![0; 14] };
    lab.predict(&DISSOLVED);
    lab.observe(connect(&ours, &no_peer));
    if getsockname(&ours)?.port() == Some(0) {
        lab.say("The socket lost its port too, because the system had chosen it. A port that bind set explicitly would be kept.");
        bind(&ours, &loopback(0))?;
    }
    let our_address = loopback(getsockname(&ours)?.port().unwrap_or(0));
    sendto(&stranger, b"stranger", MsgFlags::NONE, &our_address)?;
    wait_for(&ours, POLLIN)?;
    lab.predict(&STRANGER_AGAIN);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    Ok(())
}

/// A UDP socket with an address that others can send to.
fn named() -> Result<Fd> {
    let fd = udp_socket()?;
    bind(&fd, &loopback(0))?;
    Ok(fd)
}
