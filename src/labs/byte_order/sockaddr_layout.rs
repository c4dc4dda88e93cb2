//! How long is an address, and where is its length stated?
//!
//! The length depends on the family: 16 bytes for IPv4, 28 for IPv6, up to 110 for a path, and `sockaddr_storage` has
//! room for all. A call that writes an address gets the size of the buffer, and reports how long the address is: if the
//! buffer is too small, the address is truncated without an error. A call that reads an address checks it, and refuses
//! a length that is too short or an address of another family.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use crate::byteorder::shown;
use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{client_of, listener, loopback};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::layouts::layouts;
use crate::os::system::System::{FreeBsd, MacOs, NetBsd, OpenBsd};
use crate::sys::wild::addresses::{accept_with_room, length_of_sockname};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "sockaddr-layout",
    claim: "An address is as long as its family says; a small buffer truncates it.",
    question: "How long is an address, and what if I give too little room?",
    explanation: "bind and connect get the length of the address, and refuse one that is too short for the family. \
        accept, getsockname and recvfrom get the size of the buffer, and report the length of the address: if that is \
        more, the address was truncated. sockaddr_storage has room for every family. Set the length again before each \
        call.",
    elsewhere: "On the BSDs and macOS a byte with the length stands before the family, which has one byte then, and sun_path \
        has 104 bytes. sockaddr_storage has 128 bytes, on OpenBSD 256 (<sys/socket.h>).",
    sources: &[
        "accept(2)",
        "ip(7)",
        "ipv6(7)",
        "unix(7)",
        "POSIX accept, bind; POSIX <sys/socket.h>",
        "gVisor: AcceptValidAddrLen",
    ],
    related: &["forgot-htons", "names-appear-late", "stale-socket-file"],
    words: &["getsockname", "accept", "EINVAL", "EAFNOSUPPORT"],
    minutes: 3,
    predictions: &[
        &V4,
        &V6,
        &PATH,
        &SUN_PATH,
        &STORAGE,
        &BEGINNING,
        &CUT,
        &TOO_SHORT,
        &WRONG_FAMILY,
    ],
    spoiled_by: "getsockname:EINVAL@1",
    run,
    ..Lab::ORDINARY
};

const V4: Prediction = Prediction {
    asks: "How many bytes has the address of an IPv4 socket?",
    choices: &["8", "16", "28", "128"],
    expect: Expect::everywhere(Expected::Is("16")),
};

const V6: Prediction = Prediction {
    asks: "And of an IPv6 socket?",
    choices: &["16", "24", "28", "128"],
    expect: Expect::everywhere(Expected::Is("28")),
};

const PATH: Prediction = Prediction {
    asks: "And of a Unix-domain socket with the longest path that fits with its zero byte?",
    choices: &["104", "108", "110", "128"],
    expect: Expect::on_linux(Expected::Is("110")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("106"),
        "sun_path has 104 bytes",
    ),
};

const SUN_PATH: Prediction = Prediction {
    asks: "How many bytes has sun_path?",
    choices: &["104", "108", "4096"],
    expect: Expect::on_linux(Expected::Is("108")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("104"),
        "the path has four bytes less there",
    ),
};

const STORAGE: Prediction = Prediction {
    asks: "And how many has sockaddr_storage, which has room for every family?",
    choices: &["28", "110", "128", "256"],
    expect: Expect::everywhere(Expected::Is("128")).but(
        &[OpenBsd],
        Expected::Is("256"),
        "OpenBSD reserves more",
    ),
};

/// On the BSDs and macOS the length, 16, stands before the family, which has one byte then.
const BEGINNING: Prediction = Prediction {
    asks: "AF_INET is 2. What are the first two bytes of a sockaddr_in in memory?",
    choices: &["00 02", "02 00", "10 02"],
    expect: Expect::on_linux(Expected::Is("02 00")).big_endian(Expected::Is("00 02")).but(
        &[FreeBsd, NetBsd, OpenBsd, MacOs],
        Expected::Is("10 02"),
        "an address begins with its length there",
    ),
};

const CUT: Prediction = Prediction {
    asks: "accept is told that there is room for 4 bytes. Which length does it report?",
    choices: &["4", "16", "it fails"],
    expect: Expect::on_linux(Expected::Is("16")).but(
        &[NetBsd],
        Expected::Is("4"),
        "NetBSD reports what it has written, not what it had",
    ),
};

const TOO_SHORT: Prediction = Prediction {
    asks: "bind is told that its IPv4 address has 15 bytes. It gives?",
    choices: &["success", "EINVAL", "EFAULT"],
    expect: Expect::on_linux(Expected::Is("EINVAL")),
};

const WRONG_FAMILY: Prediction = Prediction {
    asks: "bind of an IPv4 socket is given an IPv6 address. It gives?",
    choices: &["success", "EINVAL", "EAFNOSUPPORT"],
    expect: Expect::on_linux(Expected::Is("EAFNOSUPPORT")).but(
        &[FreeBsd],
        Expected::Is("EINVAL"),
        "the length is looked at first",
    ),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("How long addresses are");
    lab.say("There is as much room as sockaddr_storage has; the system says how many it wrote.");
    let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    lab.predict(&V4);
    lab.observe(length_of_sockname(lab.wild(), &s));
    match socket(AF_INET6, SOCK_STREAM, Protocol::default()) {
        Err(errno) => lab.say(format_args!("There is no IPv6 here: {errno}.")),
        Ok(s) => {
            lab.predict(&V6);
            lab.observe(length_of_sockname(lab.wild(), &s));
        }
    }
    longest_path(lab)?;
    lab.predict(&SUN_PATH);
    lab.observe(SUN_PATH_LEN);
    lab.predict(&STORAGE);
    lab.observe(
        layouts().iter().find(|one| one.name.ends_with("storage")).map_or(0, |one| one.size),
    );
    lab.predict(&BEGINNING);
    lab.observe(sockaddr_bytes(&loopback(80)).map(|bytes| shown(&bytes[..2])));

    lab.part("Too little room for the answer");
    let (l, address) = listener()?;
    let _c = client_of(&address)?;
    lab.predict(&CUT);
    let accepted = accept_with_room(lab.wild(), &l, 4);
    lab.observe(accepted.as_ref().map(|(_, len)| *len).map_err(|errno| *errno));
    lab.say("The family and the port have arrived, the address has not.");
    if accepted.as_ref().is_ok_and(|(_, len)| *len > 4) {
        lab.say("Nothing but the length says so.");
    }

    lab.part("Wrong lengths and families, given to bind");
    let s = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    let short =
        Address::Other { family: AF_INET, data: vec![0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0] };
    lab.predict(&TOO_SHORT);
    lab.observe(bind(&s, &short));
    lab.predict(&WRONG_FAMILY);
    lab.observe(bind(&s, &Address::v6(Ipv6Addr::LOCALHOST, 0)));
    Ok(())
}

/// A path that fills `sun_path`, with its zero byte.
fn longest_path(lab: &mut Run<'_>) -> LabResult {
    // In the lab's own directory, which is the working directory.
    let path = PathBuf::from("x".repeat(SUN_PATH_LEN - 1));
    let s = socket(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    bind(&s, &Address::unix(&path))?;
    lab.predict(&PATH);
    lab.observe(length_of_sockname(lab.wild(), &s));
    std::fs::remove_file(&path)?;
    Ok(())
}
