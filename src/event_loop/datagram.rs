//! Datagrams: one socket for all peers, each message for itself.

use super::endpoints::Endpoint;
use super::{EventLoop, Notice, ServiceId};
use crate::addr::Address;
use crate::conn::Ends;
use crate::events::{Event, Token};
use crate::names::{Errno, MSG_NOSIGNAL, MsgFlags};
use crate::sys::{self, Fd};

impl EventLoop {
    /// Adds a datagram socket that is bound, and must be non-blocking.
    pub fn add_datagram(&mut self, fd: Fd, service: ServiceId) -> Token {
        self.endpoints.insert(Ends::Socket(fd), Endpoint::Datagram(service))
    }

    /// Receives one datagram. An error says that an earlier one of ours found nobody, and concerns no other peer.
    pub(super) fn receive_datagram(&mut self, token: Token, service: ServiceId) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let received = self
            .endpoints
            .ends(token)
            .and_then(Ends::input)
            .map(|fd| sys::recvfrom(fd, &mut buffer, MsgFlags::NONE));
        match received {
            Some(Ok((len, Some(from)))) => {
                self.tell(token, service, Event::Datagram { from: &from, bytes: &buffer[..len] });
            }
            Some(Err(errno)) if !matches!(errno, Errno::EAGAIN | Errno::EINTR) => {
                self.notice(&Notice::DatagramFailed(errno));
            }
            // Nobody to answer: an unnamed Unix-domain socket; or readiness was only a hint.
            Some(_) | None => {}
        }
        self.buffer = buffer;
    }

    pub(super) fn send_datagram(&mut self, by: Token, to: &Address, bytes: &[u8]) {
        let sent = self
            .endpoints
            .ends(by)
            .and_then(Ends::output)
            .map(|fd| sys::sendto(fd, bytes, MSG_NOSIGNAL, to));
        match sent {
            None | Some(Ok(_) | Err(Errno::EAGAIN | Errno::EINTR)) => {}
            Some(Err(errno)) => self.notice(&Notice::DatagramFailed(errno)),
        }
    }
}
