//! Looking at the loop from outside, without serving anybody.

use std::time::Duration;

use super::EventLoop;
use super::endpoints::Endpoint;
use crate::addr::Address;
use crate::conn::{Conn, Ends};
use crate::names::Result;
use crate::poller::{Row, emptied};

impl EventLoop {
    /// Whether somebody is ready, or becomes so within `timeout`: then a [`turn`](Self::turn) will not wait. It asks
    /// what a turn would ask, and leaves everything as it is, for readiness lasts until somebody acts on it.
    ///
    /// # Errors
    /// As [`select`](crate::sys::select) and [`poll`](crate::sys::poll).
    pub fn ready_within(&mut self, timeout: Duration) -> Result<bool> {
        if !self.later.is_empty() {
            return Ok(true);
        }
        let mut question: Vec<Row<'_>> = std::mem::take(&mut self.scratch.question);
        self.endpoints.ask(self.wants_clients(), &mut question);
        let mut evidence = Vec::new();
        let waited = self.poller.wait(&question, Some(timeout), &mut evidence);
        self.scratch.question = emptied(question);
        waited?;
        Ok(!evidence.is_empty())
    }

    /// The connection of the client at this address, to look at.
    pub fn client(&self, at: &Address) -> Option<(&Ends, &Conn)> {
        let is_at = |endpoint: &Endpoint| matches!(endpoint, Endpoint::Stream(stream) if stream.peer() == Some(at));
        let token = *self.endpoints.tokens_where(is_at).first()?;
        Some((self.endpoints.ends(token)?, &self.endpoints.stream(token)?.conn))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpStream;

    use super::*;
    use crate::event_loop::Limits;
    use crate::names::{AF_INET, Protocol, SOCK_STREAM};
    use crate::os::accepting::set_nonblocking;
    use crate::poller::Via;
    use crate::services::Echo;
    use crate::sys;

    #[test]
    fn looking_changes_nothing_and_tells_what_a_turn_would_find() {
        for via in [Via::Select, Via::Poll] {
            let mut event_loop = EventLoop::new(via, Limits::default());
            let service = event_loop.add_service(Box::new(Echo));
            let listener = sys::socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
            sys::bind(&listener, &Address::v4([127, 0, 0, 1].into(), 0)).unwrap();
            let port = sys::getsockname(&listener).unwrap().port().unwrap();
            sys::listen(&listener, 1).unwrap();
            set_nonblocking(&listener).unwrap();
            event_loop.add_listener(listener, service);
            assert_eq!(event_loop.ready_within(Duration::ZERO), Ok(false), "{via}");

            let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let own = client.local_addr().unwrap();
            let own = Address::ip(own.ip(), own.port());
            let soon = Duration::from_secs(5);
            assert_eq!(event_loop.ready_within(soon), Ok(true), "{via}");
            assert_eq!(event_loop.ready_within(soon), Ok(true), "it was only looked at, {via}");
            assert!(event_loop.client(&own).is_none(), "{via}");
            event_loop.turn().unwrap();
            assert!(event_loop.client(&own).is_some_and(|(_, conn)| conn.owed() == 0), "{via}");

            assert_eq!(event_loop.ready_within(Duration::ZERO), Ok(false), "{via}");
            client.write_all(b"x").unwrap();
            assert_eq!(event_loop.ready_within(soon), Ok(true), "{via}");
        }
    }
}
