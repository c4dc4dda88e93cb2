//! `send` has returned: does the peer have my bytes?
//!
//! You cannot tell. `send` copies the bytes into a buffer of our own kernel, which passes them on to a buffer of the
//! peer's kernel; there they lie until the peer reads. Even a peer process that is stopped takes megabytes in this way.
//! If that process is then killed, the bytes that it never read are gone, and all that we get is a reset.
//!
//! The Python Socket HOWTO says that a send which completes shows that the client was there to receive. It shows only
//! that our own kernel had room.

use std::io;
use std::net::{Ipv4Addr, TcpStream};

use super::share;
use crate::labs::peers::{ChildProcess, joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{fill, listener, set_nonblocking, wait_for};
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "send-is-a-copy",
    claim: "send copies into buffers: its return does not mean that the peer has read.",
    question: "send has returned: does the peer have my bytes?",
    explanation: "send returns when our own kernel has taken the bytes. They wait in its send buffer and in the peer's \
        receive buffer, whether the peer runs or not. A process that dies without calling close does not vanish \
        silently: its kernel closes its sockets, with a FIN, or with a reset if bytes were left unread. The Python \
        Socket HOWTO takes a completed send as proof that the client was receiving; it proves only that there was \
        room. If you must know that the bytes arrived, let the peer's program answer (an acknowledgement in your own \
        protocol).",
    elsewhere: "How many bytes the buffers hold differs from system to system, and with the load.",
    sources: &[
        "send(2)",
        "tcp(7), tcp_wmem and tcp_rmem",
        "RFC 1122, 4.2.2.13 (a reset if data was unread)",
        "Python Socket HOWTO, When Sockets Die (which is too trusting here)",
    ],
    related: &["partial-send", "write-after-fin", "rst-on-unread", "silent-death"],
    words: &["send", "ECONNRESET", "EAGAIN", "SO_SNDBUF"],
    minutes: 3,
    predictions: &[&TAKEN, &FULL, &STANDS, &RESET, &END],
    spoiled_by: "recv:EAGAIN@1",
    roles: &[LabProcess { name: "peer", run: connects_and_does_nothing }],
    run,
    ..Lab::ORDINARY
};

const TAKEN: Prediction = Prediction {
    asks: "The peer is stopped. How much of a first megabyte does send take?",
    choices: &["all", "a part", "nothing", "EAGAIN"],
    expect: Expect::on_linux(Expected::OneOf(&["all", "a part"])),
};

const FULL: Prediction = Prediction {
    asks: "At last nothing more fits. What does send give?",
    choices: &["0", "EAGAIN", "ENOBUFS", "EPIPE"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const STANDS: Prediction = Prediction {
    asks: "The peer neither reads nor answers. In which state is the connection?",
    choices: &["ESTABLISHED", "CLOSE_WAIT", "CLOSE"],
    expect: Expect::on_linux(Expected::Is("ESTABLISHED")),
};

const RESET: Prediction = Prediction {
    asks: "The peer was killed, with bytes unread. What does recv give?",
    choices: &["0", "ECONNRESET", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("ECONNRESET")),
};

const END: Prediction = Prediction {
    asks: "This peer was killed too, but had nothing to read. What does recv give?",
    choices: &["0", "ECONNRESET", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("0")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("A peer that does not run");
    let (peer, a) = peer_process(lab)?;
    set_nonblocking(&a)?;
    kill(peer.pid(), SIGSTOP)?;
    let megabyte = vec![b'x'; 1 << 20];
    lab.predict(&TAKEN);
    let first = send(&a, &megabyte, MSG_NOSIGNAL);
    lab.observe(share(first, megabyte.len()));
    let all = first? + fill(lab, &a, &megabyte)?;
    lab.say(format_args!(
        "The kernel has taken {all} bytes in all, and the peer has not seen one of them."
    ));
    lab.predict(&FULL);
    lab.observe(send(&a, &megabyte, MSG_NOSIGNAL));
    lab.say(
        "The state is the one that ss shows, and getsockopt with TCP_INFO: a thread asks for it.",
    );
    lab.predict(&STANDS);
    let number = a.number();
    let asked = joined(spawn(move || Ok::<_, Errno>(socket_state(number)))).ok().flatten();
    lab.observe(asked.map_or("not told".to_string(), |told| told.state.to_string()));

    lab.part("It is killed");
    kill(peer.pid(), SIGKILL)?;
    wait_for(&a, POLLIN)?;
    let mut buf = [0; 64];
    lab.predict(&RESET);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));

    lab.part("Another peer is killed, with nothing unread");
    let (peer, a) = peer_process(lab)?;
    kill(peer.pid(), SIGKILL)?;
    wait_for(&a, POLLIN)?;
    lab.predict(&END);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));
    Ok(())
}

/// Another process that is connected to us, and our end of the connection.
fn peer_process(lab: &mut Run<'_>) -> std::result::Result<(ChildProcess, Fd), Stop> {
    let (l, address) = listener()?;
    let mut command = lab.role("peer")?;
    command.arg(address.port().unwrap_or_default().to_string());
    let peer = ChildProcess::start(command)?;
    let (a, _address) = accept(&l)?;
    Ok((peer, a))
}

/// The other process: it connects, and reads nothing.
fn connects_and_does_nothing(arguments: &[String]) -> LabResult {
    let port = arguments.first().and_then(|port| port.parse().ok());
    let port: u16 = port.ok_or_else(|| Stop::failed("the peer wants a port"))?;
    let _stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    // Until it is killed, or the lab is.
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
