//! Where the lines are written. To a terminal they are written at once, and the first half of a line is visible while
//! its call waits. To a file or a pipe they are collected, and written before the program may sleep, so that a reader
//! then sees everything that has happened.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The collected lines are written at the latest when they have this many bytes.
const COLLECT_BYTES: usize = 64 * 1024;

/// The end of a line that another one interrupts, as in strace's logs.
const UNFINISHED: &[u8] = b" <unfinished ...>\n";

/// When lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Half a line before a call that may wait, the rest when the call returns: for a person.
    Live,
    /// Each line as soon as it is complete: `--trace-sync`.
    EveryLine,
    /// Collected, and written before a call that may wait: for a file or a pipe.
    Collected,
}

/// An output that several tracers may share.
#[derive(Clone, Debug)]
pub struct Output(Arc<Mutex<Inner>>);

struct Inner {
    to: Box<dyn Write + Send>,
    what: String,
    pace: Pace,
    collected: Vec<u8>,
    /// The writer that has left half a line on the terminal.
    half: Option<OutputShare>,
    writers: u32,
    failed: bool,
}

/// One of the writers that share an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputShare(u32);

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("what", &self.what).finish_non_exhaustive()
    }
}

impl Output {
    /// An output to `to`, which messages call `what`.
    pub fn new(to: impl Write + Send + 'static, what: impl Into<String>, pace: Pace) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            to: Box::new(to),
            what: what.into(),
            pace,
            collected: Vec::new(),
            half: None,
            writers: 0,
            failed: false,
        })))
    }

    /// Registers one more writer.
    pub fn writer(&self) -> OutputShare {
        let mut inner = self.lock();
        inner.writers += 1;
        OutputShare(inner.writers)
    }

    /// When lines are written.
    pub fn pace(&self) -> Pace {
        self.lock().pace
    }

    /// Writes the first half of a line, before a call that may wait.
    pub fn half_line(&self, writer: OutputShare, text: &str) {
        let mut inner = self.lock();
        inner.make_way(writer);
        inner.write(text.as_bytes());
        inner.half = Some(writer);
    }

    /// Writes the rest of a line; `resumed` goes before it if other lines came in between.
    pub fn rest_of_line(&self, writer: OutputShare, resumed: &str, text: impl AsRef<[u8]>) {
        let mut inner = self.lock();
        if inner.half == Some(writer) {
            inner.half = None;
        } else {
            inner.make_way(writer);
            inner.write(resumed.as_bytes());
        }
        inner.write_line(text.as_ref());
    }

    /// Ends the half line of a call that still waits, because something else is written about its thread.
    pub fn cut_half_line(&self, writer: OutputShare) {
        let mut inner = self.lock();
        if inner.half.take_if(|half| *half == writer).is_some() {
            inner.write(UNFINISHED);
        }
    }

    /// Writes a whole line.
    pub fn line(&self, writer: OutputShare, text: impl AsRef<[u8]>) {
        let mut inner = self.lock();
        inner.make_way(writer);
        inner.write_line(text.as_ref());
    }

    /// Writes the collected lines.
    pub fn flush(&self) {
        self.lock().flush();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked while it wrote has left at most half a line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Ends the half line of another writer.
    fn make_way(&mut self, writer: OutputShare) {
        if self.half.take_if(|other| *other != writer).is_some() {
            self.write(UNFINISHED);
        }
    }

    fn write_line(&mut self, text: &[u8]) {
        self.collect(text);
        self.collect(b"\n");
        if self.pace != Pace::Collected || self.collected.len() >= COLLECT_BYTES {
            self.flush();
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.collect(bytes);
        self.flush();
    }

    fn collect(&mut self, bytes: &[u8]) {
        // After a failure, nothing more is kept.
        if !self.failed {
            self.collected.extend_from_slice(bytes);
        }
    }

    fn flush(&mut self) {
        if self.failed || self.collected.is_empty() {
            return;
        }
        let written = self.to.write_all(&self.collected).and_then(|()| self.to.flush());
        self.collected.clear();
        if let Err(error) = written {
            self.give_up(&error);
        }
    }

    /// A full disk or a closed pipe ends the trace, once and with a message, and nothing else.
    fn give_up(&mut self, error: &io::Error) {
        self.failed = true;
        self.collected = Vec::new();
        let why = match error.raw_os_error() {
            Some(number) => crate::names::Errno::from_number(number).to_string(),
            None => error.to_string(),
        };
        let _ = writeln!(
            io::stderr(),
            "baresock: trace to {}: {why}: the trace ends here, the program goes on",
            self.what
        );
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sink that a test can read.
    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Memory {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn half_a_line_is_there_while_its_call_waits() {
        let memory = Memory::default();
        let output = Output::new(memory.clone(), "memory", Pace::Live);
        let writer = output.writer();
        output.half_line(writer, "recv(6, ");
        assert_eq!(memory.text(), "recv(6, ");
        output.rest_of_line(writer, "<... recv resumed>", "\"\", 1, 0) = 0");
        assert_eq!(memory.text(), "recv(6, \"\", 1, 0) = 0\n");
    }

    #[test]
    fn a_line_of_another_cuts_it_and_it_is_resumed_as_strace_does() {
        let memory = Memory::default();
        let output = Output::new(memory.clone(), "memory", Pace::Live);
        let (one, two) = (output.writer(), output.writer());
        output.half_line(one, "recv(6, ");
        output.line(two, "close(7) = 0");
        output.rest_of_line(one, "<... recv resumed>", "\"\", 1, 0) = 0");
        assert_eq!(
            memory.text(),
            "recv(6,  <unfinished ...>\nclose(7) = 0\n<... recv resumed>\"\", 1, 0) = 0\n"
        );
    }

    #[test]
    fn what_is_collected_is_written_on_flush_and_on_drop() {
        let memory = Memory::default();
        let output = Output::new(memory.clone(), "memory", Pace::Collected);
        let writer = output.writer();
        output.line(writer, "close(3) = 0");
        assert_eq!(memory.text(), "");
        output.flush();
        assert_eq!(memory.text(), "close(3) = 0\n");
        output.line(writer, "close(4) = 0");
        drop(output);
        assert_eq!(memory.text(), "close(3) = 0\nclose(4) = 0\n");
    }

    #[test]
    fn an_output_that_fails_is_not_written_again() {
        struct Full(Arc<Mutex<usize>>);
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                *self.0.lock().unwrap() += 1;
                Err(io::Error::from_raw_os_error(libc::ENOSPC))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let tries = Arc::new(Mutex::new(0));
        let output = Output::new(Full(tries.clone()), "a full disk", Pace::EveryLine);
        let writer = output.writer();
        output.line(writer, "one");
        output.line(writer, "two");
        output.half_line(writer, "recv(6, ");
        output.rest_of_line(writer, "<... recv resumed>", "\"\", 1, 0) = 0");
        assert!(output.lock().collected.is_empty(), "what cannot be written is kept");
        drop(output);
        assert_eq!(*tries.lock().unwrap(), 1);
    }
}
