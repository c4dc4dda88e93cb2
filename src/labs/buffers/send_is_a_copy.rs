//! `send` has returned: does the peer have my bytes?
//!
//! Nobody knows. `send` copies them into a buffer of our own system, which passes them on to a buffer of the peer's system;
//! there they lie until the peer reads. A peer that is stopped dead takes megabytes in this way. If it then is killed,
//! what it never read is gone, and all that we hear is a reset.
//!
//! The Python Socket HOWTO says that a send which completes tells that the client was there to receive. It tells only that
//! our own system had room.

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;

use super::share;
use crate::labs::peers::ChildProcess;
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{fill, listener, set_nonblocking, wait_for};
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "send-is-a-copy",
    claim: "send copies into buffers: that it returned does not say that anybody read.",
    question: "send has returned: does the peer have my bytes?",
    explanation: "send returns when our own system has taken the bytes. They wait in its send buffer and in the peer's \
        receive buffer, whether the peer runs or not. A process that dies without a close does not vanish without a \
        word: its system closes for it, with a FIN, or with a reset if bytes were left unread. The Python Socket HOWTO \
        takes a send that completes for a client that was there to receive; it tells only that there was room. Who must \
        know that something has arrived needs an answer from the peer's program.",
    elsewhere: "How much the buffers take differs from system to system, and with the load.",
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
    asks: "The peer is stopped. What does send take of a first megabyte?",
    choices: &["all", "a part", "nothing", "EAGAIN"],
    expect: Expect::on_linux(Expected::OneOf(&["all", "a part"])),
};

const FULL: Prediction = Prediction {
    asks: "At last nothing more fits. What does send give?",
    choices: &["0", "EAGAIN", "ENOBUFS", "EPIPE"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const STANDS: Prediction = Prediction {
    asks: "The peer reads nothing, and answers nothing. In which state is the connection?",
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
    lab.say(format_args!("Taken in all: {all} bytes, and the peer has not seen one of them."));
    lab.predict(&FULL);
    lab.observe(send(&a, &megabyte, MSG_NOSIGNAL));
    lab.say("The state is what ss shows, and getsockopt as TCP_INFO: a thread asks for it.");
    lab.predict(&STANDS);
    let number = a.number();
    let asked = thread::spawn(move || socket_state(number)).join().ok().flatten();
    lab.observe(asked.map_or("not told".to_string(), |told| told.state.to_string()));

    lab.part("It is killed");
    kill(peer.pid(), SIGKILL)?;
    wait_for(&a, POLLIN)?;
    let mut buf = [0; 64];
    lab.predict(&RESET);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));

    lab.part("Another one is killed, with nothing unread");
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
