//! Why is the path in use, although the server has ended?
//!
//! Because `bind` creates a file, and `close` does not remove it. No socket belongs to the file any more, so `connect`
//! is refused. But the file exists, and so the next `bind` fails until a program removes it. An abstract name (Linux)
//! disappears with its socket.

use std::fs;
use std::path::Path;

use crate::labs::run::{LabResult, Run};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::system::System::{GVisor, MacOs, NetBsd};
use crate::os::system::this_system;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "stale-socket-file",
    claim: "A Unix-domain socket's file outlives it: connect is refused, bind fails.",
    question: "Why is the path in use, although the server has ended?",
    explanation: "bind creates a file of the type socket, and only unlink removes it; SO_REUSEADDR does not help. A \
        server removes the file when it ends. At its start it removes a leftover file, but only after connect to it \
        has failed with ECONNREFUSED: if connect succeeds, a running server owns the file. A path also has a socket \
        type: a datagram socket cannot connect to a stream socket's path.",
    elsewhere: "Abstract names, which begin with a zero byte and are not files, exist on Linux only.",
    sources: &["unix(7)", "POSIX bind, connect", "gVisor's tests of bound Unix-domain sockets"],
    related: &["time-wait-bind", "unix-is-not-tcp"],
    words: &["AF_UNIX", "bind", "EADDRINUSE", "ECONNREFUSED", "EPROTOTYPE"],
    minutes: 3,
    predictions: &[&WRONG_TYPE, &FILE, &CONNECT, &BIND, &AFTER_UNLINK, &ABSTRACT],
    spoiled_by: "connect:ENOENT@2",
    run,
    loopback: false,
    ..Lab::ORDINARY
};

const WRONG_TYPE: Prediction = Prediction {
    asks: "A server listens at this path. What does connect give a datagram socket?",
    choices: &["success", "ECONNREFUSED", "EPROTOTYPE"],
    expect: Expect::everywhere(Expected::Is("EPROTOTYPE")).but(
        &[GVisor],
        Expected::Is("ECONNREFUSED"),
        "it finds no socket of the type",
    ),
};

const FILE: Prediction = Prediction {
    asks: "The server has closed. Is its file still there?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("yes")),
};

const CONNECT: Prediction = Prediction {
    asks: "What does connect give at that path?",
    choices: &["success", "ECONNREFUSED", "ENOENT"],
    expect: Expect::everywhere(Expected::Is("ECONNREFUSED")),
};

const BIND: Prediction = Prediction {
    asks: "What does bind give there, with SO_REUSEADDR?",
    choices: &["success", "EADDRINUSE", "EEXIST"],
    expect: Expect::everywhere(Expected::Is("EADDRINUSE")),
};

const AFTER_UNLINK: Prediction = Prediction {
    asks: "The file is removed. What does bind give?",
    choices: &["success", "EADDRINUSE", "ENOENT"],
    expect: Expect::everywhere(Expected::Is("success")),
};

const ABSTRACT: Prediction = Prediction {
    asks: "An abstract name was bound, and its socket closed. What does bind to the same name give?",
    choices: &["success", "EADDRINUSE"],
    expect: Expect::on_linux(Expected::Is("success")).but(
        &[MacOs, NetBsd],
        Expected::Is("ENOENT"),
        "a name that begins with a zero byte is an empty path",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    // In the lab's own directory, which is the working directory: so the name is short, wherever that
    // directory is.
    let path = Path::new("server");
    let address = Address::unix(path);
    lab.part("A path has a type");
    let l = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    bind(&l, &address)?;
    listen(&l, 5)?;
    let d = socket(AF_UNIX, SOCK_DGRAM, Protocol::default())?;
    lab.predict(&WRONG_TYPE);
    lab.observe(connect(&d, &address));

    lab.part("The broken way: close alone");
    close(l)?;
    lab.predict(&FILE);
    lab.observe(path.exists());
    let c = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.predict(&CONNECT);
    lab.observe(connect(&c, &address));
    let l = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    setsockopt(&l, SOL_SOCKET, SO_REUSEADDR, &1)?;
    lab.predict(&BIND);
    lab.observe(bind(&l, &address));

    lab.part("The right way: remove the file if no server answers");
    lab.say("unlink(path), which std calls remove_file.");
    fs::remove_file(path)?;
    lab.predict(&AFTER_UNLINK);
    lab.observe(bind(&l, &address));
    close(l)?;
    fs::remove_file(path)?;

    if this_system().runs_linux_programs() {
        abstract_name(lab)?;
    }
    Ok(())
}

/// A name that is not a file.
fn abstract_name(lab: &mut Run<'_>) -> LabResult {
    lab.part("Another way, on Linux: a name that is not a file");
    let name = format!("baresock-lab-{}", std::process::id()).into_bytes();
    let address = Address::Unix(UnixName::Abstract(name));
    let l = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    bind(&l, &address)?;
    close(l)?;
    let l = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    lab.predict(&ABSTRACT);
    lab.observe(bind(&l, &address));
    Ok(())
}
