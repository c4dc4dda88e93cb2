//! Connecting, and what each result says about the program.

use std::rc::Rc;

use super::{End, JudgePeer, wait};
use crate::addr::Address;
use crate::judge::scene::{CaseScene, WaitLimit};
use crate::judge::steps::Way;
use crate::judge::verdict::{CaseFailure, CaseStop, Symptom};
use crate::names::{
    Errno, FD_CLOEXEC, POLLOUT, Protocol, Result, SO_ERROR, SOCK_STREAM, SOL_SOCKET,
};
use crate::os::accepting::set_nonblocking;
use crate::sys::{self, Fd};

const EXPECTED: &str = "the connection is made";

/// What an errno of `connect`, or of `SO_ERROR` after it, says about the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectFailure {
    /// Nothing listens there.
    Refused,
    /// The connection was made, and the program closed it before judge looked: that may be right, and the listener
    /// exists.
    ResetAtOnce,
    /// No answer arrived.
    NoAnswer,
    /// The system did not let judge connect, or has no route to the address: the program was not asked.
    NotAsked,
}

const fn meaning(errno: Errno) -> ConnectFailure {
    match errno {
        // The file of a Unix-domain socket is gone, or belongs to a socket of another type.
        Errno::ECONNREFUSED | Errno::ENOENT | Errno::EPROTOTYPE => ConnectFailure::Refused,
        // EPIPE is reported for a reset after the end of the connection.
        Errno::ECONNRESET | Errno::ECONNABORTED | Errno::EPIPE => ConnectFailure::ResetAtOnce,
        Errno::ETIMEDOUT => ConnectFailure::NoAnswer,
        _ => ConnectFailure::NotAsked,
    }
}

impl JudgePeer {
    /// Connects. If that is impossible, the program has failed; if the program ends the connection at once, the first
    /// call that needs the connection reports it.
    ///
    /// # Errors
    /// The connection is refused, or not made in time.
    pub fn connect(scene: &Rc<CaseScene>, who: &str) -> std::result::Result<Self, CaseStop> {
        scene.goes_on()?;
        let fd = unconnected(&scene.address)?;
        let mut patience = scene.patience();
        loop {
            match sys::connect(&fd, &scene.address) {
                // The queue of a Unix-domain listener is full: nothing is in progress.
                Err(Errno::EAGAIN) => {
                    std::thread::sleep(std::time::Duration::from_millis(3));
                    if patience.left_ms().is_none() {
                        let came =
                            format!("the queue of the listener was full for {}", patience.waited());
                        return Err(silent(&patience, who, "it waits in the queue", came));
                    }
                }
                begun => return Self::begun(scene, who, fd, begun, &mut patience),
            }
        }
    }

    /// The outcome of a connection that `connect` has begun, with this result.
    fn begun(
        scene: &Rc<CaseScene>,
        who: &str,
        fd: Fd,
        result: Result<()>,
        patience: &mut WaitLimit<'_>,
    ) -> std::result::Result<Self, CaseStop> {
        let errno = match result {
            Ok(()) | Err(Errno::EISCONN) => None,
            // A signal interrupts the wait for the answer, not the handshake.
            Err(Errno::EINPROGRESS | Errno::EALREADY | Errno::EINTR) => {
                if !wait(&fd, POLLOUT, patience)? {
                    let came = format!("no answer to it in {}", patience.waited());
                    return Err(silent(patience, who, "no answer", came));
                }
                match sys::getsockopt(&fd, SOL_SOCKET, SO_ERROR)? {
                    0 => None,
                    number => Some(Errno::from_number(number)),
                }
            }
            Err(errno) => Some(errno),
        };
        let mut peer = Self::of(scene, who, fd);
        let Some(errno) = errno else {
            patience.step(who, Way::Out, "connect");
            return Ok(peer);
        };
        match meaning(errno) {
            ConnectFailure::ResetAtOnce => {
                patience.step(who, Way::Out, "connect");
                peer.ends(End::Failed(errno));
                Ok(peer)
            }
            ConnectFailure::Refused => {
                patience.step(who, Way::Out, format!("connect: {errno}"));
                Err(CaseFailure::new(Symptom::Refused, "connect", EXPECTED, errno).into())
            }
            ConnectFailure::NoAnswer => {
                Err(silent(patience, who, "no answer", format!("no answer to it: {errno}")))
            }
            ConnectFailure::NotAsked => {
                Err(CaseStop::not_asked(format_args!("judge cannot connect: {errno}")))
            }
        }
    }
}

fn unconnected(address: &Address) -> std::result::Result<Fd, CaseStop> {
    let made = sys::socket(address.domain(), SOCK_STREAM, Protocol::default());
    let fd =
        made.map_err(|errno| CaseStop::not_asked(format_args!("judge has no socket: {errno}")))?;
    sys::fcntl_setfd(&fd, FD_CLOEXEC)?;
    set_nonblocking(&fd)?;
    Ok(fd)
}

fn silent(waited: &WaitLimit<'_>, who: &str, what: &str, came: String) -> CaseStop {
    waited.step(who, Way::Out, format!("connect: {what}"));
    CaseFailure::new(Symptom::Silent, "connect", EXPECTED, came).into()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Shutdown, TcpListener};
    use std::time::Duration;

    use super::*;
    use crate::judge::verdict::CaseOutcome;
    use crate::names::PollEvents;
    use crate::sys::{AsFd, PollFd};

    const END_OF_SENDING: [Option<Shutdown>; 2] = [None, Some(Shutdown::Write)];

    /// A peer of a server that resets the connection between `connect` and `SO_ERROR`.
    fn reset_meanwhile(finishes: Option<Shutdown>) -> JudgePeer {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::v4(Ipv4Addr::LOCALHOST, server.local_addr().unwrap().port());
        let scene = Rc::new(CaseScene::new(address, None, Duration::from_secs(5), 1.0));
        let fd = unconnected(&scene.address).unwrap();
        let result = sys::connect(&fd, &scene.address);
        let (client, _) = server.accept().unwrap();
        finishes.map_or(Ok(()), |how| client.shutdown(how)).unwrap();
        socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        // The reset is there when an error is: this poll asks about nothing else.
        let mut rows = [PollFd::new(fd.as_fd(), PollEvents::NONE)];
        assert_eq!(sys::poll(&mut rows, 60_000), Ok(1));
        // One that has answered at once says nothing of SO_ERROR, which is what this is about.
        let result = result.and(Err(Errno::EINPROGRESS));
        JudgePeer::begun(&scene, "client", fd, result, &mut scene.patience()).unwrap()
    }

    fn symptom(outcome: CaseOutcome) -> Symptom {
        match outcome {
            Err(CaseStop::Failed(failure)) => failure.symptom,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_connection_that_is_reset_at_once_was_not_refused() {
        for finishes in END_OF_SENDING {
            let mut peer = reset_meanwhile(finishes);
            assert!(matches!(peer.end(), Some(End::Failed(_))), "{peer:?}");
            // What a case does that lets a server close what is too much for it.
            assert_eq!(peer.push(b"x\n", 2, 0).unwrap(), 0);
            peer.reset().unwrap();
            let mut peer = reset_meanwhile(finishes);
            assert_eq!(symptom(peer.send(b"x")), Symptom::Reset);
            let mut peer = reset_meanwhile(finishes);
            assert_eq!(symptom(peer.expect(b"x")), Symptom::Reset);
            assert_eq!(symptom(peer.expect_end()), Symptom::Reset);
            let mut peer = reset_meanwhile(finishes);
            assert_eq!(symptom(peer.finish()), Symptom::Reset);
        }
    }

    #[test]
    fn every_errno_of_connect_is_a_refusal_a_reset_silence_or_no_matter_of_the_program() {
        use ConnectFailure::{NoAnswer, NotAsked, Refused, ResetAtOnce};
        let scene = || {
            let nowhere = Address::v4(Ipv4Addr::LOCALHOST, 1);
            Rc::new(CaseScene::new(nowhere, None, Duration::from_secs(5), 1.0))
        };
        for (errno, expected) in [
            (Errno::ECONNREFUSED, Refused),
            (Errno::ENOENT, Refused),
            (Errno::EPROTOTYPE, Refused),
            (Errno::ECONNRESET, ResetAtOnce),
            (Errno::ECONNABORTED, ResetAtOnce),
            (Errno::EPIPE, ResetAtOnce),
            (Errno::ETIMEDOUT, NoAnswer),
            (Errno::EADDRNOTAVAIL, NotAsked),
            (Errno::EACCES, NotAsked),
            (Errno::ENETUNREACH, NotAsked),
            (Errno::EHOSTUNREACH, NotAsked),
            (Errno::EMFILE, NotAsked),
            (Errno::EINVAL, NotAsked),
        ] {
            let scene = scene();
            let fd = unconnected(&scene.address).unwrap();
            let begun = JudgePeer::begun(&scene, "client", fd, Err(errno), &mut scene.patience());
            let came = match begun {
                Ok(peer) if peer.end() == Some(End::Failed(errno)) => ResetAtOnce,
                Err(CaseStop::Failed(failure)) if failure.symptom == Symptom::Refused => Refused,
                Err(CaseStop::Failed(failure)) if failure.symptom == Symptom::Silent => NoAnswer,
                Err(CaseStop::NotAsked(_)) => NotAsked,
                other => panic!("{errno}: {other:?}"),
            };
            assert_eq!(came, expected, "{errno}");
        }
    }
}
