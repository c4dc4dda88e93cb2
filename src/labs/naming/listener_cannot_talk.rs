//! Can the listener itself send and receive?
//!
//! No: `accept` on it produces the sockets that do. Each attempt fails with a different error, and none of them says
//! "this is a listener". A new socket without a connection fails in the same way: its `send` fails as if the connection
//! had ended, SIGPIPE included.

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, listener, loopback};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::signals::into_pipe;
use crate::os::system::System::{FreeBsd, GVisor, MacOs, NetBsd, OpenBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "listener-cannot-talk",
    claim: "A listener only produces connected sockets: recv, send and connect fail.",
    question: "What happens if I send or receive on the listener instead of the accepted socket?",
    explanation: "listen turns a socket into a queue of connections; bytes travel on the sockets that accept takes out \
        of that queue. A program that confuses the two variables gets ENOTCONN, EPIPE or EISCONN, and EINVAL if it \
        calls accept on the wrong one. On Linux such a send also raises SIGPIPE, which kills a program that does not \
        handle it.",
    elsewhere: "On the BSDs and macOS send on an unconnected socket fails with ENOTCONN, as POSIX says, without a \
        signal, and connect on a listener with EOPNOTSUPP.",
    sources: &[
        "listen(2)",
        "POSIX accept, recv, send",
        "the Python Socket HOWTO, on what a server socket is for",
        "gVisor: SendUnconnected",
    ],
    related: &["names-appear-late", "sigpipe-or-not"],
    words: &["listen", "accept", "ENOTCONN", "EPIPE", "EISCONN", "SIGPIPE"],
    predictions: &[&RECV, &SEND, &CONNECT, &FRESH, &SIGNAL, &NOT_LISTENING, &ACCEPTED],
    spoiled_by: "recv:EAGAIN@1",
    run,
    ..Lab::ORDINARY
};

const RECV: Prediction = Prediction {
    asks: "What does recv give on the listener?",
    choices: &["0", "ENOTCONN", "EOPNOTSUPP", "5"],
    expect: Expect::everywhere(Expected::Is("ENOTCONN")),
};

const SEND: Prediction = Prediction {
    asks: "What does send give on the listener?",
    choices: &["ENOTCONN", "EPIPE", "EOPNOTSUPP", "5"],
    expect: Expect::on_linux(Expected::Is("EPIPE")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ENOTCONN"),
        "without a connection send fails with ENOTCONN; EPIPE means that sending was shut down",
    ),
};

const CONNECT: Prediction = Prediction {
    asks: "What does connect give on the listener?",
    choices: &["success", "EISCONN", "EOPNOTSUPP"],
    expect: Expect::on_linux(Expected::Is("EISCONN"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("EOPNOTSUPP"),
            "connect refuses every listener",
        )
        .but(&[GVisor], Expected::Is("EINVAL"), "its own network stack says so"),
};

const FRESH: Prediction = Prediction {
    asks: "A socket was made, and nothing else. What does send give on it?",
    choices: &["ENOTCONN", "EPIPE", "EDESTADDRREQ"],
    expect: Expect::on_linux(Expected::Is("EPIPE")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("ENOTCONN"),
        "without a connection send fails with ENOTCONN; EPIPE means that sending was shut down",
    ),
};

const SIGNAL: Prediction = Prediction {
    asks: "Did SIGPIPE come with it? (A read of the pipe that its handler writes to gives 1 if so.)",
    choices: &["1", "EAGAIN"],
    expect: Expect::on_linux(Expected::Is("1"))
        .but(
            &[FreeBsd, NetBsd, OpenBsd, MacOs],
            Expected::Is("EAGAIN"),
            "ENOTCONN comes without a signal",
        )
        .but(&[GVisor], Expected::Is("EAGAIN"), "it never raises SIGPIPE"),
};

const NOT_LISTENING: Prediction = Prediction {
    asks: "What does accept give on a socket that does not listen?",
    choices: &["EINVAL", "ENOTCONN", "EAGAIN"],
    expect: Expect::everywhere(Expected::Is("EINVAL")),
};

const ACCEPTED: Prediction = Prediction {
    asks: "What does recv give on the accepted socket?",
    choices: &["5", "ENOTCONN"],
    expect: Expect::everywhere(Expected::Is("5")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("The broken way: talk on the listener");
    let (l, address) = listener()?;
    let c = client_of(&address)?;
    send(&c, b"hello", MSG_NOSIGNAL)?;
    lab.say("A client is connected and has sent five bytes.");
    let mut buf = [0; 64];
    lab.predict(&RECV);
    lab.observe(recv(&l, &mut buf, MsgFlags::NONE));
    lab.predict(&SEND);
    lab.observe(send(&l, b"hello", MSG_NOSIGNAL));
    lab.predict(&CONNECT);
    lab.observe(connect(&l, &address));

    lab.part("The same on a socket that does not listen");
    lab.say(
        "First a pipe, and a handler for SIGPIPE that writes into it: that makes the signal visible.",
    );
    let signals = into_pipe(&[SIGPIPE])?;
    let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&FRESH);
    lab.observe(send(&s, b"hello", MsgFlags::NONE));
    lab.predict(&SIGNAL);
    lab.observe(read(&signals, &mut buf));
    bind(&s, &loopback(0))?;
    lab.predict(&NOT_LISTENING);
    lab.observe(accept(&s));

    lab.part("The right way: talk on the socket that accept returned");
    let (a, _peer) = accept(&l)?;
    lab.predict(&ACCEPTED);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));
    sigaction(SIGPIPE, Some(&SigAction::new(Handler::Ignore)), None)?;
    drop(self_pipe(None)); // the end that the handler wrote to
    Ok(())
}
