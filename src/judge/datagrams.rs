//! A sender of datagrams to the judged program.

use std::rc::Rc;

use super::bench::Bench;
use super::peer::wait;
use super::scene::CaseScene;
use super::steps::{Way, shown};
use super::verdict::{CaseFailure, CaseOutcome, CaseStop, Symptom};
use crate::names::{
    Errno, FD_CLOEXEC, MSG_NOSIGNAL, MsgFlags, POLLIN, Protocol, SO_RCVBUF, SOCK_DGRAM, SOL_SOCKET,
};
use crate::os::accepting::set_nonblocking;
use crate::sys::{self, AsFd, Fd, PollFd};

/// How often a datagram is sent again, because it may be lost.
const TRIES: i32 = 4;
/// The longest datagram, with room for one byte more.
const ROOM: usize = 65_536;

/// A datagram socket that is connected to the program.
#[derive(Debug)]
pub struct Sender {
    who: String,
    fd: Fd,
    scene: Rc<CaseScene>,
}

impl Sender {
    /// A new socket with a port of its own.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn new(bench: &Bench<'_>, who: &str) -> Result<Self, CaseStop> {
        let scene = bench.scene.clone();
        let fd = sys::socket(scene.address.domain(), SOCK_DGRAM, Protocol::default())?;
        sys::fcntl_setfd(&fd, FD_CLOEXEC)?;
        set_nonblocking(&fd)?;
        sys::setsockopt(&fd, SOL_SOCKET, SO_RCVBUF, &(1 << 20))?;
        sys::connect(&fd, &scene.address)?;
        Ok(Self { who: who.to_string(), fd, scene })
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// Nothing is bound at the address, as an earlier datagram has shown; or the system refuses it.
    pub fn send(&self, bytes: &[u8]) -> CaseOutcome {
        self.scene.step(&self.who, Way::Out, format!("send {}", shown(bytes)));
        match sys::send(&self.fd, bytes, MSG_NOSIGNAL) {
            Ok(_) | Err(Errno::EAGAIN) => Ok(()),
            Err(Errno::ECONNREFUSED) => Err(self.refused(bytes)),
            Err(Errno::EMSGSIZE) => {
                Err(CaseStop::not_asked("this system sends no datagram of that size"))
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits for the next datagram, for a part of the time limit.
    ///
    /// # Errors
    /// Nothing is bound at the address.
    pub fn receive(&self, sent: &[u8], part: i32) -> Result<Option<Vec<u8>>, CaseStop> {
        let mut buf = vec![0; ROOM];
        let limit_ms = i32::try_from(self.scene.limit().as_millis()).unwrap_or(i32::MAX) / part;
        loop {
            match sys::recv(&self.fd, &mut buf, MsgFlags::NONE) {
                Ok(count) => {
                    self.scene.step(&self.who, Way::In, shown(&buf[..count]));
                    return Ok(Some(buf[..count].to_vec()));
                }
                Err(Errno::ECONNREFUSED) => return Err(self.refused(sent)),
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
            let mut rows = [PollFd::new(self.fd.as_fd(), POLLIN)];
            match sys::poll(&mut rows, limit_ms) {
                Ok(0) => return Ok(None),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Sends a datagram and receives its echo. It is sent again if there is no answer, because a datagram may be lost.
    ///
    /// # Errors
    /// Another datagram comes back, or none.
    pub fn expect_echo(&self, bytes: &[u8]) -> CaseOutcome {
        for _ in 0..TRIES {
            self.send(bytes)?;
            match self.receive(bytes, TRIES)? {
                None => {}
                Some(came) if came == bytes => return Ok(()),
                Some(came) => {
                    let symptom =
                        if came.len() > bytes.len() { Symptom::TooMuch } else { Symptom::Wrong };
                    return Err(CaseFailure::new(
                        symptom,
                        shown(bytes),
                        shown(bytes),
                        shown(&came),
                    )
                    .into());
                }
            }
        }
        // The program may be at work, or the machine slower than it was known to be.
        let mut patience = self.scene.patience();
        if wait(&self.fd, POLLIN, &mut patience)?
            && self.receive(bytes, 1)?.is_some_and(|came| came == bytes)
        {
            return Ok(());
        }
        let came = format!("nothing, though it was sent {TRIES} times");
        Err(CaseFailure::new(Symptom::Silent, shown(bytes), shown(bytes), came).into())
    }

    /// Discards what is still there: second answers to a datagram that was sent twice.
    pub fn forget(&self) {
        let mut buf = vec![0; ROOM];
        while sys::recv(&self.fd, &mut buf, MsgFlags::NONE).is_ok() {}
    }

    fn refused(&self, sent: &[u8]) -> CaseStop {
        self.scene.step(&self.who, Way::In, "ECONNREFUSED");
        CaseFailure::new(
            Symptom::Refused,
            shown(sent),
            "the same datagram",
            "ECONNREFUSED: no socket has this port",
        )
        .into()
    }
}

/// Asserts that a new sender is answered.
pub(super) fn ask(bench: &mut Bench<'_>, who: &str) -> CaseOutcome {
    let token = bench.token();
    Sender::new(bench, who)?.expect_echo(token.as_bytes())
}
