//! I never set O_NONBLOCK: why does my recv give EAGAIN?
//!
//! `O_NONBLOCK` belongs to the open file, which a child inherits and a `dup` shares; when the child sets it, the parent's
//! descriptor is non-blocking too. That is how one program ruins the terminal of the next. `MSG_DONTWAIT` is for one call
//! and leaves nothing behind, where the system heeds it: NetBSD and macOS do so in `recv` and not in `send`.
//!
//! Many guides, Beej's among them, set `O_NONBLOCK` with `fcntl(fd, F_SETFL, O_NONBLOCK)`. That call sets *all* the
//! status flags, and clears every flag that it does not name.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use crate::labs::peers::run_to_its_end;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{fill, or_waits_forever, set_nonblocking, tcp_pair};
use crate::labs::{Expect, Expected, Lab, LabProcess, Prediction};
use crate::os::system::System::{MacOs, NetBsd};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "nonblock-is-shared",
    claim: "O_NONBLOCK belongs to the open file: all who share the file share the flag.",
    question: "I never set O_NONBLOCK: why does my recv give EAGAIN?",
    explanation: "A file descriptor is a number for an open file, and status flags belong to the file: dup, fork and \
        descriptor passing share them. So leave the flags of inherited descriptors alone, or restore them before you \
        exit. MSG_DONTWAIT makes one call non-blocking. F_SETFL replaces all flags, so the line in Beej's Guide, with \
        O_NONBLOCK alone, clears the others: read the flags first, change one, write them back.",
    elsewhere: "On NetBSD and macOS send does not heed MSG_DONTWAIT: on a blocking socket it waits for room. A program that is \
        to run there sets O_NONBLOCK.",
    sources: &[
        "fcntl(2), F_SETFL",
        "open(2), open file descriptions",
        "POSIX fcntl",
        "Beej's Guide, Blocking (which drops the other flags)",
    ],
    related: &["blocking-or-eagain", "accept-inherits", "fd-passing"],
    words: &["O_NONBLOCK", "F_SETFL", "MSG_DONTWAIT", "EAGAIN", "O_APPEND"],
    predictions: &[&ONCE, &NOT_KEPT, &SENT, &SHARED, &DROPPED, &KEPT],
    spoiled_by: "recv:ECONNRESET@2",
    roles: &[LabProcess { name: "child", run: sets_nonblocking_on_its_input }],
    run,
    ..Lab::ORDINARY
};

const ONCE: Prediction = Prediction {
    asks: "No data has arrived. What does a recv with MSG_DONTWAIT give?",
    choices: &["0", "EAGAIN", "it waits"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const NOT_KEPT: Prediction = Prediction {
    asks: "Is O_NONBLOCK set after that?",
    choices: &["yes", "no"],
    expect: Expect::on_linux(Expected::Is("no")),
};

const SENT: Prediction = Prediction {
    asks: "The socket is blocking, and its send buffer full. What does a send with MSG_DONTWAIT give?",
    choices: &["EAGAIN", "0", "waits forever"],
    expect: Expect::on_linux(Expected::Is("EAGAIN")).but(
        &[NetBsd, MacOs],
        Expected::Is("waits forever"),
        "send looks at O_NONBLOCK alone",
    ),
};

const SHARED: Prediction = Prediction {
    asks: "A child has set O_NONBLOCK on the socket that it inherited. What does the parent's plain recv give?",
    choices: &["0", "EAGAIN", "it waits"],
    expect: Expect::everywhere(Expected::Is("EAGAIN")),
};

const DROPPED: Prediction = Prediction {
    asks: "F_SETFL with O_NONBLOCK alone, on a file that was opened with O_APPEND. Is O_APPEND still set?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("no")),
};

const KEPT: Prediction = Prediction {
    asks: "F_GETFL first, then F_SETFL with what it gave and O_NONBLOCK. Is O_APPEND still set?",
    choices: &["yes", "no"],
    expect: Expect::everywhere(Expected::Is("yes")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    let (_c, a) = tcp_pair()?;
    let mut buf = [0; 64];

    lab.part("MSG_DONTWAIT: for one call");
    lab.predict(&ONCE);
    lab.observe(recv(&a, &mut buf, MSG_DONTWAIT));
    lab.predict(&NOT_KEPT);
    lab.observe(fcntl_getfl(&a).map(|flags| flags.contains(O_NONBLOCK)));

    let (full, _nobody_reads) = tcp_pair()?;
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Interrupt)), None)?;
    lab.say("Where send waits all the same, SIGUSR1 ends its wait after 1.5 s.");
    lab.predict(&SENT);
    // After the prediction, because a person may think for long: in the meantime the kernel could make room.
    let sent = send_where_no_byte_fits(lab, &full)?;
    lab.observe(sent);

    lab.part("O_NONBLOCK: for every process that shares the open file");
    let mut child = lab.role("child")?;
    child.stdin(Stdio::from(OwnedFd::from(dup(&a)?)));
    lab.say("A child inherits the socket, sets O_NONBLOCK on it, and ends.");
    run_to_its_end(child)?;
    lab.predict(&SHARED);
    lab.observe(recv(&a, &mut buf, MsgFlags::NONE));

    lab.part("F_SETFL sets all the flags: the broken way, and the right one");
    lab.say("A file is opened with O_APPEND, by std, which no trace shows.");
    let path = lab.directory().join("log");
    let open = || File::options().create(true).append(true).open(&path);
    let log = Fd::from(OwnedFd::from(open()?));
    fcntl_setfl(&log, O_NONBLOCK)?;
    lab.predict(&DROPPED);
    lab.observe(fcntl_getfl(&log).map(|flags| flags.contains(O_APPEND)));
    let log = Fd::from(OwnedFd::from(open()?));
    std::fs::remove_file(&path)?;
    set_nonblocking(&log)?;
    lab.predict(&KEPT);
    lab.observe(fcntl_getfl(&log).map(|flags| flags.contains(O_APPEND)));
    Ok(())
}

/// A byte that is taken had room: bytes still travel, and on a busy machine the kernel makes room late. So the send that
/// decides is the first that does not take its byte.
fn send_where_no_byte_fits(lab: &mut Run<'_>, full: &Fd) -> Result<String> {
    for _ in 0..ATTEMPTS {
        fill(lab, full, &[b'x'; 65_536])?;
        // A byte may fit where 64 KiB did not.
        while send(full, b"x", MSG_NOSIGNAL).is_ok() {}
        let flags = fcntl_getfl(full)?;
        fcntl_setfl(full, flags.without(O_NONBLOCK))?;
        let sent = or_waits_forever(|| send(full, b"x", MSG_DONTWAIT | MSG_NOSIGNAL));
        if sent != "1" {
            return Ok(sent);
        }
        lab.say("The kernel has made room meanwhile, because bytes still travelled. Once more.");
    }
    Ok("1".to_string())
}

const ATTEMPTS: usize = 20;

/// The child: its standard input is the socket.
fn sets_nonblocking_on_its_input(_: &[String]) -> LabResult {
    set_nonblocking(std::io::stdin())?;
    Ok(())
}
