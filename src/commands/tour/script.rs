//! The script, step by step: a headline, what to watch, and what happens.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use baresock::explain::grouped;

use super::paper::{Paper, ReaderWish};
use super::stage::Stage;
use crate::commands::failure::Failure;

struct TourStep {
    headline: &'static str,
    /// What will happen and what to look at.
    before: &'static str,
    act: fn(&mut Stage) -> Result<(), Failure>,
}

const INTRODUCTION: &str = "This is a tour: an echo server and two clients, all in this terminal. You see each call of \
    the server and, the first time, what it means. Lines that begin with -- say what the clients do.";

const ABOUT_PACKETS: &str = "Lines with an arrow are packets. They stand below the call that caused them, or below what a \
    client does; a kernel sent a packet at the left edge by itself, without a call at that moment.";

/// How much client A sends without reading: more than fits into the buffers on the way back.
const MUCH: usize = 32 * 1024;

const STEPS: &[TourStep] = &[
    TourStep {
        headline: "The server creates a listener",
        before: "A server starts with a socket that will never carry data. Watch it get an address (bind) and a queue \
            for clients (listen).",
        act: Stage::listen,
    },
    TourStep {
        headline: "A client connects",
        before: "A new client makes the listener readable. Watch accept: the server calls it until the queue is empty (EAGAIN).",
        act: first_client,
    },
    TourStep {
        headline: "A message arrives in two pieces",
        before: "TCP carries bytes, not messages. Client A sends one line in two parts. Watch how many bytes each recv returns.",
        act: two_pieces,
    },
    TourStep {
        headline: "Two messages arrive as one",
        before: "Now A sends two lines before the server wakes up. Watch how many recvs the server needs.",
        act: two_as_one,
    },
    TourStep {
        headline: "A short write: send takes only a part",
        before: "A sends 32,768 bytes and does not read the echo. Watch what send returns when the buffers are full. From then on the server stops reading from A: a slow reader slows its writer down (backpressure).",
        act: short_send,
    },
    TourStep {
        headline: "Meanwhile, another client connects",
        before: "The server has unsent bytes for A. Watch what it asks about A now: is there room to send? And watch B, which is served all the same.",
        act: another_client,
    },
    TourStep {
        headline: "The server sends the rest",
        before: "A reads at last, which makes room in the buffers. Watch what wakes the server.",
        act: the_rest,
    },
    TourStep {
        headline: "A client aborts its connection",
        before: "B aborts: its kernel sends a reset instead of a FIN. Watch which call reports the reset, and that A is \
            not affected.",
        act: reset,
    },
    TourStep {
        headline: "A client finishes",
        before: "A shuts down sending (a half-close). Watch the recv that returns 0: this is not an error but the end \
            of file.",
        act: finish,
    },
    TourStep {
        headline: "The server exits",
        before: "No client is left. One descriptor is still open: the listener.",
        act: the_end,
    },
];

/// Commands, and what each does.
const NEXT: &[(&str, &str)] = &[
    ("baresock --via poll", "this tour over poll instead of select"),
    ("baresock serve echo --trace", "your own echo server, every call shown"),
    ("baresock connect 7007 --explain", "talk to it, from another terminal"),
    ("baresock bare", "the event loop itself: one short file"),
    ("baresock lab --list", "labs, each about one behaviour of sockets"),
    ("baresock explain EAGAIN", "the meaning of a name in a trace"),
    ("baresock --help", "everything else"),
];

/// The path under which the user started the program, if a shell cannot find it by its name: the commands below then
/// need the path.
fn path_of_the_program() -> Option<String> {
    let written = std::env::args_os().next()?;
    written.as_encoded_bytes().contains(&b'/').then(|| as_typed(&written))
}

/// A path as a shell reads it.
fn as_typed(path: &OsStr) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    match path.to_str() {
        Some(path) if path.chars().all(is_plain) => path.to_string(),
        Some(path) if !path.contains(char::is_control) => {
            format!("'{}'", path.replace('\'', r"'\''"))
        }
        _ => format!("$'{}'", path.as_bytes().escape_ascii()),
    }
}

/// Plays every step, until standard output is closed.
pub(super) fn play(stage: &mut Stage, paper: &Paper) -> Result<(), Failure> {
    stage.narrator.say(INTRODUCTION);
    if stage.shows_packets() {
        stage.narrator.say(ABOUT_PACKETS);
    }
    for (number, step) in (1..).zip(STEPS) {
        if number > 1 && paper.turn_over(&stage.narrator) == ReaderWish::End {
            return Ok(());
        }
        stage.begin_chapter(number, step.headline, step.before);
        (step.act)(stage)?;
        if paper.is_spoilt() {
            return Ok(());
        }
    }
    stage.narrator.line("");
    stage.narrator.say("That was the tour. What to try next:");
    stage.narrator.line("");
    stage.narrator.list(NEXT);
    if let Some(path) = path_of_the_program() {
        stage.narrator.line("");
        stage.narrator.say("On this machine, write the program's path instead of its name:");
        // In one piece, however long, so that it can be copied.
        stage.narrator.line(&format!("  {path}"));
    }
    Ok(())
}

fn first_client(stage: &mut Stage) -> Result<(), Failure> {
    stage.tell(format_args!("client A connects"));
    stage.connect_a()?;
    stage.turn()
}

fn two_pieces(stage: &mut Stage) -> Result<(), Failure> {
    stage.tell(format_args!("client A sends \"hel\""));
    stage.a()?.send(b"hel")?;
    stage.turn()?;
    stage.tell(format_args!("client A sends \"lo\\n\""));
    stage.a()?.send(b"lo\n")?;
    stage.turn()?;
    back_at_a(stage, b"hello\n")?;
    stage.tell(format_args!("client A gets \"hello\\n\" back"));
    Ok(())
}

fn two_as_one(stage: &mut Stage) -> Result<(), Failure> {
    stage.tell(format_args!("client A sends \"one\\n\", and then \"two\\n\""));
    stage.a()?.send(b"one\n")?;
    stage.a()?.send(b"two\n")?;
    stage.until_arrived_from_a(8)?;
    stage.turn()?;
    back_at_a(stage, b"one\ntwo\n")?;
    stage.tell(format_args!("client A gets both lines back"));
    Ok(())
}

fn short_send(stage: &mut Stage) -> Result<(), Failure> {
    let shown = grouped(MUCH as i64);
    stage.tell(format_args!("client A sends {shown} bytes, and does not read"));
    stage.a()?.send(&much())?;
    stage.until_arrived_from_a(MUCH)?;
    stage.turn()?;
    if stage.owed_to_a()? == 0 {
        stage.tell(format_args!("(this system has room for all of it, in spite of small buffers)"));
    }
    Ok(())
}

fn another_client(stage: &mut Stage) -> Result<(), Failure> {
    stage.tell(format_args!("client B connects"));
    stage.connect_b()?;
    stage.turn()?;
    stage.tell(format_args!("client B sends \"and me?\\n\""));
    stage.b()?.send(b"and me?\n")?;
    stage.turn()?;
    let back = stage.b()?.receive(8)?;
    same(&back, b"and me?\n", "B")?;
    stage.tell(format_args!("client B gets \"and me?\\n\" back"));
    Ok(())
}

fn the_rest(stage: &mut Stage) -> Result<(), Failure> {
    let mut back = Vec::new();
    stage.a()?.widen();
    loop {
        // Everything that the kernel took, so that as much room as possible becomes free.
        let on_its_way = MUCH - stage.owed_to_a()? - back.len();
        let shown = grouped(on_its_way as i64);
        stage.tell(format_args!("client A reads {shown} bytes"));
        back.extend(stage.a()?.receive(on_its_way)?);
        if stage.owed_to_a()? == 0 {
            break;
        }
        stage.until_all_arrived_at_a()?;
        stage.turn()?;
    }
    same(&back, &much(), "A")?;
    let shown = grouped(MUCH as i64);
    stage.tell(format_args!("client A gets all {shown} bytes back, unchanged"));
    Ok(())
}

fn reset(stage: &mut Stage) -> Result<(), Failure> {
    stage.tell(format_args!("client B aborts its connection"));
    stage.take_b()?.reset()?;
    stage.turn()?;
    stage.tell(format_args!("client A sends \"still here?\\n\""));
    stage.a()?.send(b"still here?\n")?;
    stage.turn()?;
    back_at_a(stage, b"still here?\n")?;
    stage.tell(format_args!("client A gets \"still here?\\n\" back"));
    Ok(())
}

fn finish(stage: &mut Stage) -> Result<(), Failure> {
    stage.tell(format_args!("client A finishes sending"));
    stage.a()?.finish()?;
    stage.turn()?;
    stage.a()?.receive_end()?;
    stage.tell(format_args!("client A reads 0 as well: both sides have finished"));
    Ok(())
}

fn the_end(stage: &mut Stage) -> Result<(), Failure> {
    stage.stop();
    Ok(())
}

/// Bytes without a pattern, so that a lost or duplicated piece is noticed.
fn much() -> Vec<u8> {
    (0..MUCH as u32).map(|at| b'a' + (at.wrapping_mul(at) / 7 % 26) as u8).collect()
}

fn back_at_a(stage: &mut Stage, expected: &[u8]) -> Result<(), Failure> {
    let back = stage.a()?.receive(expected.len())?;
    same(&back, expected, "A")
}

/// The tour claims that everything comes back, so it checks.
fn same(back: &[u8], expected: &[u8], name: &str) -> Result<(), Failure> {
    if back == expected {
        return Ok(());
    }
    Err(Failure::new(format_args!("the tour: client {name} got other bytes back than it sent")))
}
