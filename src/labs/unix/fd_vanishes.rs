//! I send a descriptor with SCM_RIGHTS over TCP. What happens?
//!
//! sendmsg succeeds, the byte arrives, but the descriptor does not, and no flag at either end reports that. Linux
//! accepts SCM_RIGHTS on every socket, but only Unix-domain sockets act on it. So do not use the result of sendmsg to
//! test whether a socket can pass descriptors; check its domain.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, udp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::GVisor;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "fd-vanishes",
    claim: "A descriptor sent over TCP or UDP: sendmsg succeeds, and it never arrives.",
    question: "What happens to a descriptor that I send over TCP?",
    explanation: "The code shared by all protocols accepts SCM_RIGHTS, and leaves the work to the Unix domain. So over \
        TCP and UDP the message goes out without the descriptor, and MSG_CTRUNC is not set, because nothing was \
        truncated. A program that gets a socket from elsewhere should check its domain (SO_DOMAIN, or getsockname) \
        before it passes a descriptor, and a receiver should count the descriptors that arrived.",
    elsewhere: "gVisor refuses it with EINVAL.",
    sources: &["unix(7), SCM_RIGHTS", "cmsg(3)", "Linux, net/core/sock.c: __sock_cmsg_send"],
    related: &["fd-passing", "unix-is-not-tcp"],
    words: &["sendmsg", "recvmsg", "SCM_RIGHTS", "MSG_CTRUNC", "SO_DOMAIN"],
    predictions: &[&TCP_SENT, &TCP_BYTES, &TCP_FDS, &TCP_CUT, &UDP_SENT, &UDP_FDS, &UNIX_FDS],
    spoiled_by: "sendmsg:EINVAL@1",
    run,
    ..Lab::ORDINARY
};

const REFUSED: Expected = Expected::Is("EINVAL");
const WHY_REFUSED: &str = "it refuses control messages of the Unix domain on other sockets";

const TCP_SENT: Prediction = Prediction {
    asks: "A descriptor is sent with one byte over TCP. What does sendmsg give?",
    choices: &["1", "EINVAL", "EOPNOTSUPP"],
    expect: Expect::on_linux(Expected::Is("1")).but(&[GVisor], REFUSED, WHY_REFUSED),
};

const TCP_BYTES: Prediction = Prediction {
    asks: "How many bytes does recvmsg give at the other end, which has room for a descriptor?",
    choices: &["0", "1", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("1")),
};

const TCP_FDS: Prediction = Prediction {
    asks: "And how many descriptors?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const TCP_CUT: Prediction = Prediction {
    asks: "Is MSG_CTRUNC, which reports a lost descriptor, among its flags?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("no")),
};

const UDP_SENT: Prediction = Prediction {
    asks: "The same over UDP. What does sendmsg give?",
    choices: &["1", "EINVAL", "EOPNOTSUPP"],
    expect: Expect::on_linux(Expected::Is("1")).but(&[GVisor], REFUSED, WHY_REFUSED),
};

const UDP_FDS: Prediction = Prediction {
    asks: "How many descriptors arrive with the datagram?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const UNIX_FDS: Prediction = Prediction {
    asks: "And over a Unix-domain stream?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("1")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The broken way: over TCP");
    let (c, a) = tcp_pair()?;
    lab.predict(&TCP_SENT);
    lab.observe(passed(&c));
    lab.predict(&TCP_BYTES);
    let received = received(&a);
    lab.observe(received.as_ref().map(|received| received.len).map_err(|errno| *errno));
    lab.predict(&TCP_FDS);
    lab.observe(number_of_fds(&received));
    lab.predict(&TCP_CUT);
    let is_cut = received.map(|received| received.flags.contains(MSG_CTRUNC));
    lab.observe(is_cut);

    lab.part("The broken way: over UDP");
    let (one, other) = udp_pair()?;
    lab.predict(&UDP_SENT);
    lab.observe(passed(&one));
    lab.predict(&UDP_FDS);
    lab.observe(number_of_fds(&self::received(&other)));

    lab.part("The right way: in the Unix domain");
    let [ours, theirs] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    passed(&ours)?;
    lab.predict(&UNIX_FDS);
    lab.observe(number_of_fds(&self::received(&theirs)));
    Ok(())
}

/// Sends one byte, and the socket's own descriptor with it.
fn passed(fd: &Fd) -> Result<usize> {
    sendmsg(fd, None, &[b"x"], &[fd.as_fd()], MSG_NOSIGNAL)
}

/// What has arrived, with room for a descriptor. If nothing was sent, the wait is short.
fn received(fd: &Fd) -> Result<Received> {
    wait_for(fd, POLLIN)?;
    recvmsg(fd, &mut [&mut [0; 8]], 1, MSG_DONTWAIT)
}

fn number_of_fds(received: &Result<Received>) -> Result<usize> {
    received.as_ref().map(|received| received.fds.len()).map_err(|errno| *errno)
}
