//! A client of the judged program: one connection that never blocks; every wait has a time limit.

mod connecting;
mod sending;

use std::rc::Rc;
use std::time::Duration;

use super::scene::CaseScene;
use super::steps::{Way, in_bytes, shown};
use super::verdict::{CaseFailure, CaseOutcome, CaseStop, Symptom};
use crate::names::{Errno, MsgFlags, POLLIN, PollEvents};
use crate::sys::{self, AsFd, Fd, PollFd};

/// How many of the sent bytes are kept, for the report.
const MOST_KEPT: usize = 64;
const CHUNK_BYTES: usize = 64 * 1024;
/// How many bytes that no case asked for are kept if a program floods.
const MOST_RECEIVED: usize = 64 << 20;

/// How the program's half of the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By closing it in the ordinary way.
    Finished,
    /// With this errno.
    Failed(Errno),
}

/// One connection of judge.
#[derive(Debug)]
pub struct JudgePeer {
    who: String,
    fd: Fd,
    scene: Rc<CaseScene>,
    /// Bytes that arrived and were not looked at yet.
    received: Vec<u8>,
    /// The position of `received` in the stream.
    looked_at: usize,
    end: Option<End>,
    /// The first bytes that were sent, and how many there were in all.
    sent: (Vec<u8>, usize),
    /// Whether its end is in the ladder.
    has_left: bool,
}

impl JudgePeer {
    /// Takes over an existing connection.
    pub fn of(scene: &Rc<CaseScene>, who: &str, fd: Fd) -> Self {
        Self {
            who: who.to_string(),
            fd,
            scene: scene.clone(),
            received: Vec::new(),
            looked_at: 0,
            end: None,
            sent: (Vec::new(), 0),
            has_left: false,
        }
    }

    /// Bytes that arrived and were not looked at yet.
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Takes the bytes that have arrived so far.
    pub fn take_received(&mut self) -> Vec<u8> {
        self.looked_at += self.received.len();
        std::mem::take(&mut self.received)
    }

    /// Takes the first `count` bytes.
    pub fn take_first(&mut self, count: usize) {
        self.looked_at += count;
        self.received.drain(..count);
    }

    /// How the other half ended, if it has.
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// Closes the connection, and adds that to the ladder.
    pub fn leave(mut self) {
        self.scene.step(&self.who, Way::Out, "close");
        self.has_left = true;
    }

    /// Waits until this many bytes have arrived; false if the connection ends before, or nothing more arrives in time.
    ///
    /// # Errors
    /// A call that cannot fail did.
    pub fn receive(&mut self, wanted: usize) -> Result<bool, CaseStop> {
        let scene = self.scene.clone();
        let mut patience = scene.patience();
        while self.received.len() < wanted && self.end.is_none() {
            if self.receive_what_is_there()? > 0 {
                patience.renew();
            } else if self.end.is_none() && !wait(&self.fd, POLLIN, &mut patience)? {
                let what = format!("nothing came for {}", patience.waited());
                self.scene.step(&self.who, Way::Beside, what);
                break;
            }
        }
        Ok(self.received.len() >= wanted)
    }

    /// Waits until the received bytes contain what `is_there` looks for; false as in [`JudgePeer::receive`].
    ///
    /// # Errors
    /// As [`JudgePeer::receive`].
    pub fn receive_until(&mut self, is_there: impl Fn(&[u8]) -> bool) -> Result<bool, CaseStop> {
        while !is_there(&self.received) {
            if !self.receive(self.received.len() + 1)? {
                return Ok(is_there(&self.received));
            }
        }
        Ok(true)
    }

    /// Asserts that exactly these bytes arrive next, and takes them.
    ///
    /// # Errors
    /// Other bytes arrive, or fewer.
    pub fn expect(&mut self, bytes: &[u8]) -> CaseOutcome {
        let expected = || shown(bytes);
        let mut compared = 0;
        loop {
            let len = self.received.len().min(bytes.len());
            let (came, wanted) = (&self.received[compared..len], &bytes[compared..len]);
            // Only bytes that differ are compared one by one.
            if came != wanted {
                let at = came.iter().zip(wanted).position(|(came, wanted)| came != wanted);
                return Err(self.wrong_at(compared + at.unwrap_or(0), bytes));
            }
            compared = len;
            if len == bytes.len() {
                self.take_first(len);
                return Ok(());
            }
            if !self.receive(len + 1)? {
                return Err(self.failed(self.symptom(), expected(), None));
            }
        }
    }

    /// Asserts that nothing more arrives but end of file.
    ///
    /// # Errors
    /// More bytes arrive, or no end of file.
    pub fn expect_end(&mut self) -> CaseOutcome {
        let expected = "the end of the connection";
        if self.receive(1)? {
            return Err(self.failed(Symptom::TooMuch, expected, None));
        }
        match self.end {
            Some(End::Finished) => Ok(()),
            Some(End::Failed(_)) => Err(self.failed(Symptom::Reset, expected, None)),
            None => Err(self.failed(Symptom::Silent, expected, None)),
        }
    }

    /// The symptom when fewer bytes arrived than expected.
    pub const fn symptom(&self) -> Symptom {
        match self.end {
            None => Symptom::Silent,
            Some(End::Finished) => Symptom::Ended,
            Some(End::Failed(_)) => Symptom::Reset,
        }
    }

    /// A failure that reports what was sent and what arrived; `came` replaces the latter if it is known better.
    pub fn failed(
        &self,
        symptom: Symptom,
        expected: impl Into<String>,
        came: Option<String>,
    ) -> CaseStop {
        let came = came.unwrap_or_else(|| self.came());
        CaseFailure::new(symptom, self.sent_words(), expected.into(), came).into()
    }

    /// What was sent, in words.
    pub fn sent_words(&self) -> String {
        let (begin, count) = &self.sent;
        match *count {
            0 => "nothing: it connected".to_string(),
            count if count == begin.len() => shown(begin),
            count => format!("{} in all, which begin with {}", in_bytes(count), shown(begin)),
        }
    }

    fn wrong_at(&self, at: usize, expected: &[u8]) -> CaseStop {
        let place = self.looked_at + at;
        let (came, wanted) = (&self.received[at..], &expected[at..]);
        let came = format!("from byte {place} on {}", shown(came));
        let expected = format!("from byte {place} on {}", shown(wanted));
        self.failed(Symptom::Wrong, expected, Some(came))
    }

    fn came(&self) -> String {
        let got = if self.received.is_empty() && self.looked_at > 0 {
            format!("nothing after the first {}", in_bytes(self.looked_at))
        } else if self.received.is_empty() {
            "nothing".to_string()
        } else {
            shown(&self.received)
        };
        match self.end {
            None => format!("{got}, and no more"),
            Some(End::Finished) => format!("{got}, then the end of the connection"),
            Some(End::Failed(errno)) => format!("{got}, then {errno}"),
        }
    }

    fn keep_sent(&mut self, bytes: &[u8]) {
        let room = MOST_KEPT.saturating_sub(self.sent.0.len()).min(bytes.len());
        self.sent.0.extend_from_slice(&bytes[..room]);
        self.sent.1 += bytes.len();
    }

    /// Receives what is there now, at most a chunk, and returns how much.
    ///
    /// # Errors
    /// A call that cannot fail did.
    pub fn receive_what_is_there(&mut self) -> Result<usize, CaseStop> {
        self.scene.goes_on()?;
        if self.received.len() > MOST_RECEIVED {
            let expected = format!("no more than {} at once", in_bytes(MOST_RECEIVED));
            return Err(self.failed(Symptom::TooMuch, expected, None));
        }
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            if self.end.is_some() {
                return Ok(0);
            }
            match sys::recv(&self.fd, &mut chunk, MsgFlags::NONE) {
                Ok(0) => self.ends(End::Finished),
                Ok(count) => {
                    self.received.extend_from_slice(&chunk[..count]);
                    self.scene.step(&self.who, Way::In, shown(&chunk[..count]));
                    return Ok(count);
                }
                Err(Errno::EAGAIN) => return Ok(0),
                Err(Errno::EINTR) => {}
                Err(errno) => self.ends(End::Failed(errno)),
            }
        }
    }

    /// Receives what arrives first, at most a chunk, and waits at most this long; returns how much.
    ///
    /// # Errors
    /// A call that cannot fail did.
    pub fn receive_within(&mut self, time: Duration) -> Result<usize, CaseStop> {
        let mut rows = [PollFd::new(self.fd.as_fd(), POLLIN)];
        match sys::poll(&mut rows, time.as_millis().min(60_000) as i32 + 1) {
            Ok(_) | Err(Errno::EINTR) => self.receive_what_is_there(),
            Err(errno) => Err(errno.into()),
        }
    }

    fn ends(&mut self, end: End) {
        let what = match end {
            End::Finished => "end of the connection".to_string(),
            End::Failed(errno) => format!("{errno}"),
        };
        if self.end.is_none() {
            self.scene.step(&self.who, Way::In, what);
        }
        // After a reset every call fails in its own way: only the first errno says what happened.
        if !matches!(self.end, Some(End::Failed(_))) {
            self.end = Some(end);
        }
    }
}

impl Drop for JudgePeer {
    fn drop(&mut self) {
        if !self.has_left {
            self.scene.step_on_wire(&self.who, Way::Out, "close");
        }
    }
}

/// Waits for one of these events; false if the time limit is over.
pub(super) fn wait(
    fd: &Fd,
    events: PollEvents,
    patience: &mut super::scene::WaitLimit<'_>,
) -> Result<bool, CaseStop> {
    loop {
        patience.goes_on()?;
        let Some(left_ms) = patience.left_ms() else { return Ok(false) };
        let mut rows = [PollFd::new(fd.as_fd(), events)];
        match sys::poll(&mut rows, left_ms) {
            Ok(0) | Err(Errno::EINTR) => {}
            result => return Ok(result? > 0),
        }
    }
}
