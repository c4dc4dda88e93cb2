//! What a client does to the program: it sends, closes its half, resets.

use std::time::Instant;

use super::{CHUNK_BYTES, End, JudgePeer, wait};
use crate::judge::steps::{Way, in_bytes, shown};
use crate::judge::verdict::{CaseOutcome, CaseStop, Symptom};
use crate::names::{Errno, MSG_NOSIGNAL, MSG_OOB, POLLIN, POLLOUT, SHUT_WR, SO_LINGER, SOL_SOCKET};
use crate::os::children::Use;
use crate::os::states_of_others::unread_at_peer;
use crate::sys::{self, AsFd, PollFd};
use crate::values::Linger;

impl JudgePeer {
    /// Sends all of it; bytes that arrive in the meantime are kept.
    ///
    /// # Errors
    /// The program does not take it in time, or has ended the connection.
    pub fn send(&mut self, bytes: &[u8]) -> CaseOutcome {
        self.scene.step(&self.who, Way::Out, format!("send {}", shown(bytes)));
        self.send_untold(bytes)
    }

    /// The same without a step in the ladder: for one of many sends.
    ///
    /// # Errors
    /// As [`JudgePeer::send`].
    pub fn send_untold(&mut self, bytes: &[u8]) -> CaseOutcome {
        let scene = self.scene.clone();
        let mut patience = scene.patience();
        let mut unsent = bytes;
        while !unsent.is_empty() {
            let len = unsent.len().min(CHUNK_BYTES);
            match sys::send(&self.fd, &unsent[..len], MSG_NOSIGNAL) {
                Ok(sent) => {
                    self.keep_sent(&unsent[..sent]);
                    unsent = &unsent[sent..];
                    patience.renew();
                }
                Err(Errno::EAGAIN) => {
                    let taken = self.receive_what_is_there()?;
                    if taken > 0 {
                        patience.renew();
                        continue;
                    }
                    let events = if self.end.is_none() { POLLOUT.union(POLLIN) } else { POLLOUT };
                    if !wait(&self.fd, events, &mut patience)? {
                        let came = format!("it took no more for {}", patience.waited());
                        self.scene.step(&self.who, Way::Beside, came.clone());
                        return Err(self.failed(
                            Symptom::Silent,
                            "it receives all of it",
                            Some(came),
                        ));
                    }
                }
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    // The bytes that the program sent before are of interest.
                    let _ = self.receive_what_is_there();
                    self.ends(End::Failed(errno));
                    return Err(self.failed(Symptom::Reset, "it receives all of it", None));
                }
            }
        }
        Ok(())
    }

    /// Sends these bytes again and again until no more is taken for `wait_ms`, or `most` bytes were; receives nothing, and
    /// returns how many. This goes on, for one time limit, while the program works or waits for a processor, or has read
    /// all that has come to it: then the kernels have the bytes, which on a busy machine takes longer.
    ///
    /// # Errors
    /// A call that cannot fail did.
    pub fn push(&mut self, bytes: &[u8], most: usize, wait_ms: i32) -> Result<usize, CaseStop> {
        let begun_ns = self.scene.patience().begun_ns();
        let end = Instant::now() + self.scene.limit();
        let mut taken = 0;
        while taken < most {
            let from = taken % bytes.len();
            let piece = &bytes[from..];
            let piece = &piece[..piece.len().min(most - taken)];
            match sys::send(&self.fd, piece, MSG_NOSIGNAL) {
                Ok(sent) => {
                    self.keep_sent(&piece[..sent]);
                    taken += sent;
                }
                Err(Errno::EAGAIN) => {
                    let before = self.scene.used();
                    let mut rows = [PollFd::new(self.fd.as_fd(), POLLOUT)];
                    let is_full = sys::poll(&mut rows, wait_ms)? == 0;
                    if is_full
                        && (wait_ms == 0 || Instant::now() > end || !self.may_take_more(before))
                    {
                        break;
                    }
                }
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    self.ends(End::Failed(errno));
                    break;
                }
            }
        }
        let what = format!("send {}, receive nothing", in_bytes(taken));
        self.scene.step_since(begun_ns, &self.who, Way::Out, what);
        Ok(taken)
    }

    fn may_take_more(&self, before: Option<Use>) -> bool {
        self.scene.has_worked_since(before) || unread_at_peer(&self.fd) == Some(0)
    }

    /// Sends an urgent byte.
    ///
    /// # Errors
    /// The program has ended the connection.
    pub fn send_urgent(&mut self, byte: u8) -> CaseOutcome {
        self.scene.step(&self.who, Way::Out, format!("send {} with MSG_OOB", shown(&[byte])));
        match sys::send(&self.fd, &[byte], MSG_NOSIGNAL.union(MSG_OOB)) {
            Ok(_) => Ok(()),
            Err(errno) => {
                self.ends(End::Failed(errno));
                Err(self.failed(Symptom::Reset, "it takes the urgent byte or leaves it", None))
            }
        }
    }

    /// Closes our half of the connection.
    ///
    /// # Errors
    /// The program has ended the connection.
    pub fn finish(&mut self) -> CaseOutcome {
        self.scene.step(&self.who, Way::Out, "shutdown SHUT_WR");
        match sys::shutdown(&self.fd, SHUT_WR) {
            Ok(()) => Ok(()),
            Err(errno) => {
                let _ = self.receive_what_is_there();
                self.ends(End::Failed(errno));
                Err(self.failed(
                    Symptom::Reset,
                    "the connection lasts until both have finished",
                    None,
                ))
            }
        }
    }

    /// Resets the connection.
    ///
    /// # Errors
    /// The option is refused.
    pub fn reset(mut self) -> CaseOutcome {
        let linger = Linger { l_onoff: 1, l_linger: 0 };
        match sys::setsockopt(&self.fd, SOL_SOCKET, SO_LINGER, &linger) {
            // Some systems refuse options once the program has ended the connection.
            Err(_) if self.end.is_some() => {}
            result => result?,
        }
        self.scene.step(&self.who, Way::Out, "close with a reset");
        self.has_left = true;
        Ok(())
    }
}
