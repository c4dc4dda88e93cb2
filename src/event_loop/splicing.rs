//! Lets the kernel move the bytes between two coupled connections, through a pipe for each direction (`splice`). This
//! process sees only how many there are.
//!
//! A pipe belongs to the connection to which its bytes go, and counts as queued there: so what holds for queued bytes
//! holds for these too. While there are any, nothing is read from the other connection, and they are sent before a half
//! is closed.

use super::notice::Notice;
use super::state::LoopState;
use super::stream::FailedCall;
use crate::conn::SplicePipe;
use crate::events::Token;
use crate::names::{Errno, Result};
use crate::os::splicing::HAS_SPLICE;
use crate::trace::{self, Function};

/// Whether a readable connection has had its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpliceProgress {
    /// Bytes were moved, or the connection has ended.
    Done,
    /// The kernel moved nothing: a receive says why.
    Nothing,
}

impl LoopState {
    /// Makes the pipes between two coupled connections. Without them the bytes are copied, as elsewhere.
    pub(super) fn begin_to_splice(&mut self, one: Token, other: Token) {
        let made = match HAS_SPLICE {
            true => make_pipes(),
            false => Err(Errno::ENOSYS),
        };
        match made {
            Ok(pipes) => {
                self.splices = true;
                for (token, pipe) in [one, other].into_iter().zip(pipes) {
                    if let Some((_, stream)) = self.endpoints.stream_mut(token) {
                        stream.is_spliced = true;
                        stream.conn.sending.set_pipe(pipe);
                    }
                }
            }
            Err(errno) => {
                trace::intent(
                    "the kernel made no pipes for this connection, so the relay copies its bytes",
                );
                let peer = self.endpoints.stream(one).and_then(|(_, stream)| stream.peer.clone());
                if let Some(peer) = peer {
                    self.tell_person(&Notice::NotSpliced(&peer, errno));
                }
            }
        }
    }

    /// A connection is readable: if the kernel moves its bytes, lets it move them into the pipe and at once on to the
    /// partner.
    #[inline(never)]
    pub(super) fn splice_to_partner(&mut self, who: Token, most: usize) -> SpliceProgress {
        let Some((_, stream)) = self.endpoints.stream(who) else { return SpliceProgress::Nothing };
        // The receive that follows does what remains: it reads nothing, or puts bytes behind those that were kept.
        if !stream.is_spliced || !stream.reads() || stream.conn.receiving.has_leftover() {
            return SpliceProgress::Nothing;
        }
        let Some(partner) = stream.partner else { return SpliceProgress::Nothing };
        let service = stream.service;
        match self.fill_pipe(who, partner, most) {
            Ok(0) => return SpliceProgress::Nothing,
            Ok(moved) => {
                if let Some(observer) = &mut self.observer {
                    observer.count_received(who, service, moved);
                    observer.count_accepted(partner, service, moved);
                }
                self.drain_pipe(partner);
            }
            Err(errno) => self.end_failed(who, FailedCall(Function::SPLICE, errno)),
        }
        SpliceProgress::Done
    }

    /// Moves bytes from a connection into the pipe of its partner.
    fn fill_pipe(&mut self, who: Token, partner: Token, most: usize) -> Result<usize> {
        let pipe = self.endpoints.stream_mut(partner);
        let Some(mut pipe) = pipe.and_then(|(_, stream)| stream.conn.sending.take_pipe()) else {
            return Ok(0);
        };
        let filled = match self.endpoints.stream_mut(who) {
            Some((ends, stream)) => {
                stream.note_activity();
                pipe.fill(ends, most)
            }
            None => Ok(0),
        };
        if let Some((_, stream)) = self.endpoints.stream_mut(partner) {
            stream.conn.sending.set_pipe(pipe);
        }
        filled
    }

    /// Moves the bytes in the pipe of a connection to its peer, as many as the kernel takes now.
    fn drain_pipe(&mut self, token: Token) {
        let Some((ends, stream)) = self.endpoints.stream_mut(token) else { return };
        stream.note_activity();
        if let Err(errno) = stream.conn.sending.send_owed(ends) {
            return self.fail_stream(token, FailedCall(Function::SPLICE, errno));
        }
        if stream.conn.sending.piped() > 0 {
            trace::intent(
                "the rest waits in the pipe until this descriptor is writable; until then no more are read for it",
            );
            self.endpoints.settle(token);
        }
    }
}

fn make_pipes() -> Result<[SplicePipe; 2]> {
    Ok([SplicePipe::new()?, SplicePipe::new()?])
}
