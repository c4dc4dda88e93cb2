//! chat: each line that a member writes goes to all other members.
//!
//! Several lessons of TCP meet here: a line may arrive in pieces (framing), a reader may be slow or gone (the loop
//! drops it, and the others are told), and a stranger's text must not command a terminal (printable).
//!
//! A line for all members is formatted once, and every send borrows the same bytes. The limits: a line longer than
//! [`LINE_LIMIT`] is refused with a message to its writer; a member that sends more than [`SAID_AT_ONCE`] is not read
//! for a moment; a member with more queued bytes than the loop allows is disconnected.

#[cfg(test)]
mod tests;

use std::fmt::{self, Write};
use std::time::Duration;

use super::printable::append_printable;
use crate::events::{Action, Actions, Ending, LoopEvent, Service, Token, TokenMap};
use crate::framing::{Framing, Rule, TooLong};

/// The longest line, in bytes.
const LINE_LIMIT: usize = 1024;

/// When a member has caused this many bytes, the rest of its lines waits for [`PAUSE`]. Otherwise a member that sends a
/// file as fast as the network takes it would fill the queues of all others, and the server would disconnect readers
/// that did nothing wrong.
const SAID_AT_ONCE: usize = 16 * 1024;

/// How long a member that sends much at once is not read.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest name, in bytes.
const NAME_LIMIT: usize = 16;

const LINES: Framing = Framing { rule: Rule::Line, limit: LINE_LIMIT };

const HELP: &str = "\
* whatever you write, all others read; /nick NAME gives you a name,
* /who lists the members, /quit ends, /help is this
";

/// Passes lines on between its members.
#[derive(Debug, Default)]
pub struct Chat {
    members: TokenMap<Member>,
    /// How many guest names were given so far.
    guests: u64,
    /// Text for the member that caused the event.
    reply: String,
    /// Text for all others.
    news: String,
}

#[derive(Debug)]
struct Member {
    name: String,
    /// In the middle of a refused line: bytes up to its end are discarded.
    refusing: bool,
}

/// What to do next with a member.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MemberStep {
    Receive,
    Pause,
    End,
}

impl Service for Chat {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        self.reply.clear();
        self.news.clear();
        let step = match event {
            LoopEvent::Opened { .. } => self.enter(who),
            LoopEvent::Bytes(bytes) => {
                let (step, rest) = self.receive(who, bytes);
                actions.push(Action::Keep(rest.len()));
                step
            }
            LoopEvent::PeerFinished => self.leave(who, "has left"),
            LoopEvent::Closed(ending) => {
                self.leave_closed(who, ending);
                MemberStep::Receive
            }
            LoopEvent::Deadline => {
                // The pause is over: the waiting lines are presented again, then more is read.
                actions.extend([Action::Release(who), Action::WantRoom(who)]);
                MemberStep::Receive
            }
            _ => MemberStep::Receive,
        };
        self.send(who, actions);
        match step {
            MemberStep::Receive => {}
            MemberStep::Pause => {
                actions.extend([Action::Hold(who), Action::Deadline(who, Some(PAUSE))]);
            }
            MemberStep::End => actions.push(Action::Close(who)),
        }
    }
}

impl Chat {
    /// Sends the formatted text, without a copy for each reader.
    fn send<'a>(&'a self, who: Token, actions: &mut Actions<'a>) {
        if !self.reply.is_empty() {
            actions.push(Action::Send { to: who, bytes: self.reply.as_bytes() });
        }
        if !self.news.is_empty() {
            let others = self.members.iter().map(|(token, _)| token).filter(|token| *token != who);
            let bytes = self.news.as_bytes();
            actions.extend(others.map(|to| Action::Send { to, bytes }));
        }
    }

    fn enter(&mut self, who: Token) -> MemberStep {
        let name = loop {
            self.guests += 1;
            let name = format!("guest{}", self.guests);
            if self.bearer_of(&name).is_none() {
                break name;
            }
        };
        line(&mut self.reply, format_args!("* you are {name}; /help tells what can be written"));
        line(&mut self.news, format_args!("* {name} has come"));
        self.members.insert(who, Member { name, refusing: false });
        MemberStep::Receive
    }

    fn leave(&mut self, who: Token, how: impl fmt::Display) -> MemberStep {
        // A member that has left gets no more lines.
        if let Some(member) = self.members.remove(who) {
            line(&mut self.news, format_args!("* {} {how}", member.name));
        }
        MemberStep::End
    }

    fn leave_closed(&mut self, who: Token, ending: Ending) -> MemberStep {
        match ending {
            Ending::Finished => self.leave(who, "has left"),
            Ending::Failed(errno) => self.leave(who, format_args!("is gone: {errno}")),
            Ending::TooSlow => self.leave(who, "did not read, and was disconnected"),
            Ending::Refused => self.leave(who, "was one too many, and was disconnected"),
            Ending::Silent => self.leave(who, "was idle for too long, and was disconnected"),
        }
    }

    /// Acts on the complete lines. An incomplete line waits: it may end within a character.
    fn receive<'b>(&mut self, who: Token, bytes: &'b [u8]) -> (MemberStep, &'b [u8]) {
        let mut rest = bytes;
        while self.reply.len() + self.news.len() < SAID_AT_ONCE {
            let Some(member) = self.members.get_mut(who) else { return (MemberStep::End, &[]) };
            if member.refusing {
                let Some(after) = after_line(rest) else { return (MemberStep::Receive, &[]) };
                (member.refusing, rest) = (false, after);
            }
            match LINES.take(rest) {
                Ok(Some((text, after))) => {
                    if self.read(who, text) == MemberStep::End {
                        return (MemberStep::End, &[]);
                    }
                    rest = after;
                }
                Ok(None) => return (MemberStep::Receive, rest),
                Err(TooLong { limit }) => {
                    member.refusing = true;
                    let what = "* this line is too long and was not sent";
                    line(&mut self.reply, format_args!("{what}: at most {limit} bytes"));
                }
            }
        }
        (MemberStep::Pause, rest)
    }

    /// Acts on one line: a message or a command.
    fn read(&mut self, who: Token, text: &[u8]) -> MemberStep {
        let Some(command) = text.strip_prefix(b"/") else {
            self.say(who, text);
            return MemberStep::Receive;
        };
        let end_of_word = command.iter().position(|byte| *byte == b' ').unwrap_or(command.len());
        let (word, argument) = command.split_at(end_of_word);
        match word {
            b"nick" => self.rename(who, argument.trim_ascii()),
            b"who" => self.list(),
            b"help" => self.reply.push_str(HELP),
            b"quit" => {
                self.reply.push_str("* good-bye\n");
                return self.leave(who, "has left");
            }
            _ => {
                self.reply.push_str("* there is no /");
                append_printable(&mut self.reply, word);
                self.reply.push_str("; /help tells what there is\n");
            }
        }
        MemberStep::Receive
    }

    fn say(&mut self, who: Token, text: &[u8]) {
        if let Some(member) = self.members.get(who)
            && !text.is_empty()
        {
            self.news.push('<');
            self.news.push_str(&member.name);
            self.news.push_str("> ");
            append_printable(&mut self.news, text);
            self.news.push('\n');
        }
    }

    fn rename(&mut self, who: Token, name: &[u8]) {
        let Some(name) = valid_name(name) else {
            let what = "* a name has letters (A to Z), digits, - and _";
            return line(&mut self.reply, format_args!("{what}, at most {NAME_LIMIT}"));
        };
        if self.bearer_of(name).is_some_and(|bearer| bearer != who) {
            return line(&mut self.reply, format_args!("* {name} is taken"));
        }
        if let Some(member) = self.members.get_mut(who) {
            line(&mut self.reply, format_args!("* you are {name}"));
            line(&mut self.news, format_args!("* {} is now {name}", member.name));
            member.name = name.to_string();
        }
    }

    fn list(&mut self) {
        self.reply.push_str("* here are:");
        for (_, member) in self.members.iter() {
            self.reply.push(' ');
            self.reply.push_str(&member.name);
        }
        self.reply.push('\n');
    }

    /// The member with this name. Names that differ only in case count as the same, because people would confuse them.
    fn bearer_of(&self, name: &str) -> Option<Token> {
        let mut bearers =
            self.members.iter().filter(|(_, member)| member.name.eq_ignore_ascii_case(name));
        bearers.next().map(|(token, _)| token)
    }
}

/// Names are ASCII only: letters of other alphabets that look alike would let one member pass for another.
fn valid_name(name: &[u8]) -> Option<&str> {
    let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let name = std::str::from_utf8(name).ok()?;
    ((1..=NAME_LIMIT).contains(&name.len()) && name.as_bytes().iter().all(is_valid)).then_some(name)
}

/// The bytes after the first line, if its end has arrived.
fn after_line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some(&bytes[end + 1..])
}

fn line(out: &mut String, what: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{what}");
}
