//! I read one line of two: why does poll say that nothing is there?
//!
//! Because a reader with a buffer of its own (`fgets` and a `FILE`, `BufReader` here) takes from the socket as much as fits
//! and hands it out line by line. What it holds `poll` cannot see: the socket is empty, and poll sleeps, while the second
//! line is already in this process. So either no such reader, or ask its buffer before asking `poll`.

use std::io::{self, BufRead, BufReader, Read};

use crate::labs::run::{Outcome, Run};
use crate::labs::scene::{tcp_pair, wait_for};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "stdio-hides-readiness",
    claim: "poll sees the socket, not the buffer of stdio or of BufReader before it.",
    question: "I read one line of two: why does poll say that nothing is there?",
    explanation: "A buffered reader takes whatever the socket holds with one call and hands it out in lines. select and \
        poll ask the kernel, which has nothing left: a loop that waits there while the reader still holds a line waits \
        for a client that waits for it. Handle every line that the buffer has before you wait, or keep the buffer \
        yourself, as a server must.",
    elsewhere: "",
    sources: &["select(2)", "fgets(3), setvbuf(3)", "UNP, 6.5 (select and stdio)"],
    related: &["header-splits", "one-slow-client", "select-eats-its-sets"],
    words: &["poll", "POLLIN", "read", "recv"],
    predictions: &[&SILENT, &A_LINE, &HELD],
    spoiled_by: "poll:spurious@2",
    run,
    ..Lab::ORDINARY
};

const SILENT: Prediction = Prediction {
    asks: "Two lines have come, one was read with a buffered reader. For how many descriptors does poll say POLLIN?",
    choices: &["0", "1"],
    expect: Expect::everywhere(Expected::Is("0")),
};

const A_LINE: Prediction = Prediction {
    asks: "poll says that nothing is there. What does the reader's next line give?",
    choices: &["\"two\\n\"", "\"\"", "it waits"],
    expect: Expect::everywhere(Expected::Is("\"two\\n\"")),
};

const HELD: Prediction = Prediction {
    asks: "Two more lines come, and one is read. How many bytes does the reader hold?",
    choices: &["0", "5", "11"],
    expect: Expect::everywhere(Expected::Is("5")),
};

/// What a `BufReader` reads from: each of its reads is one `recv`.
struct Received<'fd>(BorrowedFd<'fd>);

impl Read for Received<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.0, buf, MsgFlags::NONE)?)
    }
}

fn run(lab: &mut Run<'_>) -> Outcome {
    let (c, a) = tcp_pair()?;
    let mut reader = BufReader::new(Received(a.as_fd()));
    let mut line = String::new();

    lab.part("The broken way: a line at a time, and poll in between");
    send(&c, b"one\ntwo\n", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    lab.say(
        "The first line is read: the reader asks for as much as its buffer holds, as fgets does.",
    );
    reader.read_line(&mut line)?;
    lab.predict(&SILENT);
    lab.observe(poll(&mut [PollFd::new(a.as_fd(), POLLIN)], 200));
    lab.say("The second line is read, and no call is made for it.");
    lab.predict(&A_LINE);
    line.clear();
    reader.read_line(&mut line)?;
    lab.observe(format!("{line:?}"));

    lab.part("The right way: ask the buffer first, then poll");
    send(&c, b"three\nfour\n", MSG_NOSIGNAL)?;
    wait_for(&a, POLLIN)?;
    line.clear();
    reader.read_line(&mut line)?;
    lab.predict(&HELD);
    lab.observe(reader.buffer().len());
    while !reader.buffer().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
        lab.say(format_args!("From the buffer: {line:?}"));
    }
    lab.say("Now the buffer is empty, and poll may be asked.");
    Ok(())
}
