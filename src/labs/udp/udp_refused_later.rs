//! Connection refused, on UDP, where there are no connections?
//!
//! The datagram was sent, nobody was there, and the other side's system said so (ICMP, port unreachable). A socket that is
//! connected is told, by whatever call comes next; one that is not hears nothing.

use crate::addr::Address;
use crate::labs::run::{Outcome, Run};
use crate::labs::scene::{loopback, set_nonblocking, udp_socket, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "udp-refused-later",
    claim: "Connected UDP: send succeeds, and the next call gives ECONNREFUSED, once.",
    question: "UDP has no connections. What is refused, then, and when am I told?",
    explanation: "send only hands the datagram over. If nobody has the port, an ICMP message comes back, and the system \
        keeps it as the socket's error until the next call, which fails although it did nothing wrong; that call's own \
        datagram is not sent. An unconnected socket could not tell which of its datagrams is meant, and is told nothing.",
    elsewhere: "FreeBSD gives the error to the next call, but its poll never says POLLERR. On Linux an unconnected socket is \
        told if it sets IP_RECVERR.",
    sources: &["udp(7)", "RFC 1122, 4.1.3.3", "Stevens, UNP 8.9 and 8.11"],
    related: &["udp-connect-filters", "readiness-matrix", "nb-connect-refused"],
    words: &["ECONNREFUSED", "SO_ERROR", "POLLERR"],
    minutes: 3,
    predictions: &[&SENT, &TOLD_BY_POLL, &NEXT, &THEN, &UNCONNECTED, &SILENCE],
    spoiled_by: "recv:EAGAIN@1",
    run,
    ..Lab::ORDINARY
};

const SENT: Prediction = Prediction {
    asks: "Nobody has that port. What does send on a connected UDP socket give?",
    choices: &["5", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const TOLD_BY_POLL: Prediction = Prediction {
    asks: "What does poll say, asked for POLLIN?",
    choices: &["0", "POLLIN", "POLLERR", "POLLIN|POLLERR"],
    expect: Expect::on_linux(Expected::OneOf(&["POLLERR", "POLLIN|POLLERR"]))
        .freebsd(Expected::Is("POLLIN")),
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
    asks: "A socket that is not connected: what does sendto to that port give?",
    choices: &["5", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("5")),
};

const SILENCE: Prediction = Prediction {
    asks: "And recvfrom after it, when the answer must have come?",
    choices: &["0", "EAGAIN", "ECONNREFUSED"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

fn run(lab: &mut Run<'_>) -> Outcome {
    let mut buf = [0; 64];
    let nobody = a_port_of_nobody()?;

    lab.part("Connected");
    let ours = udp_socket()?;
    set_nonblocking(&ours)?;
    connect(&ours, &nobody)?;
    lab.predict(&SENT);
    lab.observe(send(&ours, b"hello", MsgFlags::NONE));
    lab.predict(&TOLD_BY_POLL);
    lab.observe(wait_for(&ours, POLLIN)?);
    lab.predict(&NEXT);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));
    lab.predict(&THEN);
    lab.observe(recv(&ours, &mut buf, MsgFlags::NONE));

    lab.part("Not connected");
    let free = udp_socket()?;
    set_nonblocking(&free)?;
    lab.predict(&UNCONNECTED);
    lab.observe(sendto(&free, b"hello", MsgFlags::NONE, &nobody));
    // The answer comes as fast as above; so long it has time.
    poll(&mut [PollFd::new(free.as_fd(), POLLIN)], 100)?;
    lab.predict(&SILENCE);
    lab.observe(recvfrom(&free, &mut buf, MsgFlags::NONE));
    Ok(())
}

/// A port that somebody had a moment ago.
fn a_port_of_nobody() -> Result<Address> {
    let somebody = udp_socket()?;
    bind(&somebody, &loopback(0))?;
    getsockname(&somebody)
}
