//! The output of the tour: standard output, line by line, slowly enough to read on a terminal.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use baresock::os::keyboard::{Key, Keyboard};
use baresock::os::output::{Colors, Patient};
use baresock::trace::output::{Output, OutputShare};
use baresock::trace::wrapping::wrapped;

use crate::commands::columns::columns;

/// The pause after each line, and before each headline: the whole tour stays below six seconds.
const LINE_PAUSE: Duration = Duration::from_millis(15);
const STEP_PAUSE: Duration = Duration::from_millis(300);

/// Standard output. What cannot be written is kept as an error for later; the trace must not complain of it.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    error: Arc<Mutex<Option<io::Error>>>,
    for_a_person: bool,
    reader: Arc<Mutex<PageTurner>>,
}

/// The person at the terminal.
#[derive(Debug, Default)]
struct PageTurner {
    /// None if there is no terminal to ask at.
    keyboard: Option<Keyboard>,
    /// Whether that person has said that all may follow.
    has_seen_enough: bool,
}

/// What the keys do after a chapter.
const KEYS: &str = "Enter or space: continue; a: show all the rest; q: quit";
/// What Ctrl-D types.
const END_OF_TRANSMISSION: u8 = 4;

/// What a reader wants after a chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReaderWish {
    GoOn,
    End,
}

/// How a person at a terminal goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageTurning {
    /// By a key after each chapter.
    ByChapters,
    /// By a key before each call, which other code reads.
    ByCalls,
}

impl Paper {
    /// Standard output; on a terminal with a keyboard the reader turns the pages.
    pub(super) fn new(turning: PageTurning) -> Self {
        let for_a_person = io::stdout().is_terminal() && turning == PageTurning::ByChapters;
        let asks = for_a_person && io::stdin().is_terminal();
        let keyboard = asks.then(Keyboard::of_standard_input);
        let reader = Arc::new(Mutex::new(PageTurner { keyboard, has_seen_enough: false }));
        Self { error: Arc::default(), for_a_person, reader }
    }

    /// Lets a person read a chapter to its end, and say what is to follow. The terminal is held only meanwhile: whatever ends the
    /// tour while it plays finds the terminal as it was.
    pub(super) fn turn_over(&self, narrator: &Narrator) -> ReaderWish {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let PageTurner { keyboard: Some(keyboard), has_seen_enough: false } = &mut *reader else {
            self.rest(STEP_PAUSE);
            return ReaderWish::GoOn;
        };
        narrator.line("");
        // Before the question, so that no answer is echoed.
        keyboard.hold();
        narrator.client(format_args!("{KEYS}"));
        let key = loop {
            match keyboard.read_key() {
                key @ (Key::Typed(b'\r' | b'\n' | b' ' | b'a' | b'q' | END_OF_TRANSMISSION)
                | Key::Interrupted
                | Key::Closed) => break key,
                Key::Typed(_) => narrator.client(format_args!("{KEYS}")),
            }
        };
        keyboard.release();
        reader.has_seen_enough = matches!(key, Key::Typed(b'a') | Key::Closed);
        match key {
            // Ctrl-C has ended the program, or a signal that it ignores has come.
            Key::Typed(b'q' | END_OF_TRANSMISSION) | Key::Interrupted => ReaderWish::End,
            _ => ReaderWish::GoOn,
        }
    }

    /// Keys that were typed during the tour must not reach the shell.
    pub(super) fn discard_typed(&self) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.keyboard.iter_mut().for_each(Keyboard::discard_typed);
    }

    /// The first error.
    pub(super) fn error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether nothing more can be written.
    pub(super) fn is_spoilt(&self) -> bool {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn rest(&self, pause: Duration) {
        if self.for_a_person && !self.is_spoilt() {
            sleep(pause);
        }
    }

    fn attempt(&self, write: impl FnOnce(&mut Patient<io::StdoutLock<'_>>) -> io::Result<()>) {
        let mut error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if error.is_none() {
            *error = write(&mut Patient(io::stdout().lock())).err();
        }
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|stdout| stdout.write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.attempt(|stdout| stdout.flush());
        self.rest(LINE_PAUSE);
        Ok(())
    }
}

const HEADLINE: Style = AnsiColor::Green.on_default().bold();
const CLIENT: Style = AnsiColor::Yellow.on_default();

/// Writes everything that is not a call: headlines, explanations, what the clients do.
#[derive(Debug)]
pub(super) struct Narrator {
    output: Output,
    writer: OutputShare,
    colors: Colors,
}

impl Narrator {
    pub(super) fn new(output: Output, colors: Colors) -> Self {
        let writer = output.writer();
        Self { output, writer, colors }
    }

    /// A numbered headline, and a sentence or two on what will happen and what to look at.
    pub(super) fn headline(&self, number: usize, title: &str, before: &str) {
        self.line("");
        self.styled(HEADLINE, format_args!("{number}. {title}"));
        self.say(before);
        self.line("");
    }

    /// A paragraph.
    pub(super) fn say(&self, text: &str) {
        for line in wrapped(text, columns()) {
            self.line(line);
        }
    }

    /// An action or result of a client, which is not in the trace.
    pub(super) fn client(&self, what: fmt::Arguments<'_>) {
        let what = what.to_string();
        for (number, line) in wrapped(&what, columns().saturating_sub(3)).iter().enumerate() {
            let dashes = if number == 0 { "--" } else { "  " };
            self.styled(CLIENT, format_args!("{dashes} {line}"));
        }
    }

    /// Names and their meaning: side by side, or below each other on a narrow terminal.
    pub(super) fn list(&self, rows: &[(&str, &str)]) {
        let name_width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let width = rows.iter().map(|(_, what)| what.len()).max().unwrap_or(0) + name_width + 4;
        for (name, what) in rows {
            if width <= columns() {
                self.line(&format!("  {name:name_width$}  {what}"));
                continue;
            }
            self.line(&format!("  {name}"));
            for line in wrapped(what, columns().saturating_sub(6)) {
                self.line(&format!("      {line}"));
            }
        }
    }

    /// A line, unchanged.
    pub(super) fn line(&self, text: &str) {
        self.output.line(self.writer, text);
    }

    fn styled(&self, style: Style, text: fmt::Arguments<'_>) {
        self.line(&self.colors.paint(style, text));
    }
}
