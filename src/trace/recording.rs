//! A JSON trace that is kept in memory, for whoever wants to draw it afterwards.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::arg::Limits;
use super::json::{JsonSink, Source};
use super::output::{Output, Pace};

/// What the sinks made of it have written so far.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Vec<u8>>>);

impl Recording {
    /// A sink that records.
    pub fn sink(&self, source: Source, limits: Limits) -> JsonSink {
        JsonSink::new(Output::new(self.clone(), "memory", Pace::EveryLine), source, limits)
    }

    /// The trace, one object a line, as `--trace=json` writes it.
    pub fn trace(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Recording {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
