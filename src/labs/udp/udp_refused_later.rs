//! Connection refused on UDP, which has no connections?
//!
//! The datagram arrived at a port without a socket, and the other kernel answered with an ICMP message (port
//! unreachable). On a connected socket the next call returns the error, whichever call that is; an unconnected socket
//! gets no error, unless it has asked for errors (Linux: IP_RECVERR). Then an error that one peer has caused fails the next send,
//! which may go to another peer.

use crate::addr::Address;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{loopback, set_nonblocking, udp_socket, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::errors_of_datagrams::hear_errors;
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "udp-refused-later",
    claim: "Connected UDP: send succeeds, and the next call gives ECONNREFUSED, once.",
    question: "UDP has no connections. What is refused, then, and when do I get the error?",
    explanation: "send only hands the datagram to the kernel. If no socket has the port, an ICMP message comes back, \
        and the kernel stores it as the socket's error until the next call. That call fails although it did nothing \
        wrong, and does not send its own datagram. An unconnected socket could not tell which of its datagrams the \
        error is about, so it gets no error.",
    elsewhere: "On the BSDs and macOS the next call gets the error, but poll never reports POLLERR. On Linux an \
        unconnected socket gets the error if it sets IP_RECVERR; then the next call fails whatever its destination is, and \
        one client that has left costs another its datagram. Bun 1.4.5 sets the option on every UDP socket.",
    sources: &[
        "udp(7)",
        "RFC 1122, 4.1.3.3",
        "Stevens, UNP 8.9 and 8.11",
        "gVisor: ConnectAndSendNoReceiver",
    ],
    related: &["udp-connect-filters", "readiness-matrix", "nb-connect-refused"],
    words: &["ECONNREFUSED", "SO_ERROR", "POLLERR"],
    minutes: 3,
    predictions: &[
        &SENT,
        &TOLD_BY_POLL,
        &NEXT,
        &THEN,
        &UNCONNECTED,
        &SILENCE,
        &ASKED_FOR,
        &TO_ANOTHER,
        &LOST,
        &REPEATED,
    ],
    spoiled_by: "recv:EAGAIN@1",
    run,
    ..Lab::ORDINARY
};

const SENT: Prediction = Prediction {
    asks: "No socket has that port. What does send on a connected UDP socket give?",
    choices: &["5", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const TOLD_BY_POLL: Prediction = Prediction {
    asks: "What does poll say, asked for POLLIN and POLLOUT?",
    choices: &["POLLOUT", "POLLIN|POLLOUT", "POLLOUT|POLLERR", "POLLIN|POLLOUT|POLLERR"],
    // FreeBSD: an error makes a socket readable, and never POLLERR (soreadable and sopoll in the kernel).
    expect: Expect::on_linux(Expected::Is("POLLOUT|POLLERR")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("POLLIN|POLLOUT"),
        "an error makes a socket readable and writable; poll does not report POLLERR for sockets",
    ),
};

const NEXT: Prediction = Prediction {
    asks: "What does recv give?",
    choices: &["0", "EAGAIN", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("ECONNREFUSED")),
};

const THEN: Prediction = Prediction {
    asks: "And another recv?",
    choices: &["0", "EAGAIN", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const UNCONNECTED: Prediction = Prediction {
    asks: "An unconnected socket: what does sendto to that port give?",
    choices: &["5", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const SILENCE: Prediction = Prediction {
    asks: "And recvfrom after it, when the answer must have arrived?",
    choices: &["0", "EAGAIN", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const ASKED_FOR: Prediction = Prediction {
    asks: "The same on a socket that has set IP_RECVERR. What does recvfrom give?",
    choices: &["0", "EAGAIN", "ECONNREFUSED", "ENOPROTOOPT"],
    expect: Expect::on_linux(Expected::Is("ECONNREFUSED"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("ENOPROTOOPT"),
            "IP_RECVERR is an option of Linux",
        )
        .but(&[GVisor], Expected::Is("EAGAIN"), "the option can be set, and does nothing"),
};

const TO_ANOTHER: Prediction = Prediction {
    asks: "Another socket with IP_RECVERR sends to that port, and then to a peer that is there. What does the second sendto give?",
    choices: &["5", "ECONNREFUSED"],
    expect: Expect::on_linux(Expected::Is("ECONNREFUSED")).but(
        &[GVisor],
        Expected::Is("5"),
        "the option can be set, and does nothing",
    ),
};

const LOST: Prediction = Prediction {
    asks: "And what does recv of that peer give?",
    choices: &["5", "EAGAIN", "ECONNREFUSED"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[GVisor],
        Expected::Is("5"),
        "its datagram was sent",
    ),
};

const REPEATED: Prediction = Prediction {
    asks: "And the same sendto to that peer once more?",
    choices: &["5", "ECONNREFUSED"],
    expect: Expect::on_linux(Expected::Is("5")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let mut buf = [0; 64];
    let no_peer = a_port_without_a_socket()?;

    lab.part("Connected");
    let ours = udp_socket()?;
    set_nonblocking(&ours)?;
    connect(&ours, &no_peer)?;
    lab.predict(&SENT);
    lab.observe(send(&ours, b"hello", MsgFlags::NONE));
    lab.predict(&TOLD_BY_POLL);
    wait_for(&ours, POLLIN)?; // the socket is always writable, so the wait does not ask for that
    lab.observe(wait_for(&ours, POLLIN | POLLOUT)?);
    lab.predict(&NEXT);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&THEN);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));

    lab.part("Not connected");
    let free = udp_socket()?;
    set_nonblocking(&free)?;
    lab.predict(&UNCONNECTED);
    lab.observe(sendto(&free, b"hello", MsgFlags::NONE, &no_peer));
    // The answer arrives as fast as above; it is given this much time.
    poll(&mut [PollFd::new(free.as_fd(), POLLIN)], 100)?;
    lab.predict(&SILENCE);
    lab.observe(recvfrom(&free, &mut buf, MsgFlags::NONE));

    lab.part("Unconnected, and asking for errors");
    lab.predict(&ASKED_FOR);
    let heard = hear_errors(&free);
    lab.observe(heard.and_then(|()| {
        sendto(&free, b"hello", MsgFlags::NONE, &no_peer)?;
        wait_for(&free, POLLIN)?;
        recvfrom(&free, &mut buf, MsgFlags::NONE)
    }));
    if heard.is_err() {
        lab.say("This system has no such option: that was all.");
        return Ok(());
    }

    lab.part("Asking for errors, with a second peer");
    let there = udp_socket()?;
    set_nonblocking(&there)?;
    bind(&there, &loopback(0))?;
    let there_at = getsockname(&there)?;
    // The first socket's error is still in its error queue, so poll would not wait for the next one.
    let asking = udp_socket()?;
    set_nonblocking(&asking)?;
    hear_errors(&asking)?;
    lab.predict(&TO_ANOTHER);
    sendto(&asking, b"hello", MsgFlags::NONE, &no_peer)?;
    wait_for(&asking, POLLIN)?;
    lab.observe(sendto(&asking, b"hello", MsgFlags::NONE, &there_at));
    poll(&mut [PollFd::new(there.as_fd(), POLLIN)], 100)?;
    lab.predict(&LOST);
    lab.observe(recv(&there, &mut buf, MsgFlags::NONE));
    lab.predict(&REPEATED);
    lab.observe(sendto(&asking, b"hello", MsgFlags::NONE, &there_at));
    Ok(())
}

/// A port that another socket had a moment ago.
fn a_port_without_a_socket() -> Result<Address> {
    let somebody = udp_socket()?;
    bind(&somebody, &loopback(0))?;
    getsockname(&somebody)
}
