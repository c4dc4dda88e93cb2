//! I read one line of two: why does poll say that there is nothing to read?
//!
//! Because a buffered reader (C's `fgets` with its `FILE`, Rust's `BufReader`) takes from the socket as much as fits
//! and hands it out line by line. `poll` cannot see that buffer: the socket is empty, and poll sleeps, while the second
//! line is already in this process. So either avoid buffered readers, or check their buffer before you call `poll`.

use std::io::{self, BufRead, BufReader, Read};

use crate::labs::run::{LabResult, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::wild::stdio::StdioFile;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "stdio-hides-readiness",
    claim: "poll sees the socket, not the buffer of stdio or of BufReader before it.",
    question: "I read one line of two: why does poll say that there is nothing to read?",
    explanation: "A buffered reader takes all that the socket holds with one call and hands it out in lines. select \
        and poll ask the kernel, which has nothing left: a loop that waits while the reader still holds a line waits \
        for a client that waits for an answer (a deadlock). Handle every line in the buffer before you wait, or keep \
        the buffer yourself, as a server must.",
    elsewhere: "",
    sources: &["select(2)", "fgets(3), setvbuf(3)", "UNP, 6.5 (select and stdio)"],
    related: &["header-splits", "one-slow-client", "select-eats-its-sets"],
    words: &["poll", "POLLIN", "read", "recv", "FIONREAD"],
    predictions: &[&LEFT, &SILENT, &A_LINE, &HELD],
    spoiled_by: "poll:spurious@2",
    run,
    ..Lab::ORDINARY
};

const LEFT: Prediction = Prediction {
    asks: "Two lines of four bytes have arrived, and fgets has returned one. How many bytes are left in the socket (FIONREAD)?",
    choices: &["0", "4", "8"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const SILENT: Prediction = Prediction {
    asks: "For how many descriptors does poll say POLLIN?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const A_LINE: Prediction = Prediction {
    asks: "poll reports nothing to read. What does the next fgets give?",
    choices: &["\"two\\n\"", "\"\"", "it waits"],
    expect: Expect::everywhere(Expected::Is("\"two\\n\"")),
};

const HELD: Prediction = Prediction {
    asks: "Two more lines come, and one is read. How many bytes does the BufReader hold?",
    choices: &["0", "5", "11"],
    expect: Expect::everywhere(Expected::Is("5")),
};

/// What a `BufReader` reads from: each of its reads is one `recv`.
struct RecvReader<'fd>(BorrowedFd<'fd>);

impl Read for RecvReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.0, buf, MsgFlags::NONE)?)
    }
}

fn run(lab: &mut Run<'_>) -> LabResult {
    let (c, a) = tcp_pair()?;

    lab.part("The broken way: fgets, a line at a time, and poll in between");
    lab.say("fdopen makes a FILE of a copy of the socket. A thread runs stdio, so the trace does not show stdio's calls.");
    let mut file = StdioFile::fdopen(lab.wild(), dup(&a)?)?;
    send(&c, b"one\ntwo\n", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    let line = file.fgets().unwrap_or_default();
    lab.say(format_args!("fgets gives the first line: {line:?}"));
    let mut left = 0;
    lab.predict(&LEFT);
    lab.observe(ioctl(&a, FIONREAD, &mut left).map(|_| left));
    lab.predict(&SILENT);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 200));
    lab.predict(&A_LINE);
    lab.observe(format!("{:?}", file.fgets().unwrap_or_default()));
    drop(file);
    lab.say("fclose, on its thread, has closed the copy.");

    lab.part("The right way: check the buffer first, then call poll");
    lab.say("In C there is no way to ask what a FILE still holds. A BufReader can be asked, and so can a buffer of \
        your own.");
    let mut reader = BufReader::new(RecvReader(a.as_fd()));
    let mut line = String::new();
    send(&c, b"three\nfour\n", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    reader.read_line(&mut line)?;
    lab.predict(&HELD);
    lab.observe(reader.buffer().len());
    while !reader.buffer().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
        lab.say(format_args!("From the buffer: {line:?}"));
    }
    lab.say("Now the buffer is empty, and it is time to call poll.");
    Ok(())
}
