//! The guard of the datagram services: no answer to a port whose server would answer back.
//!
//! The sender's address of a datagram can be forged. An attacker who puts the address of one server into a datagram to
//! another makes the two answer each other forever, as fast as the network allows (CERT advisory CA-1996-01). So a
//! datagram from the port of such a service gets no answer.

use super::spec::answering_ports;
use crate::addr::Address;
use crate::events::{Actions, LoopEvent, Service, Token};
use crate::trace;

/// A service that never sees datagrams from the ports of other servers.
pub struct Guarded {
    service: Box<dyn Service>,
    own_ports: Vec<u16>,
}

impl Guarded {
    /// Guards a service. `own_ports` are the ports on which this program itself answers datagrams.
    pub fn new(service: Box<dyn Service>, own_ports: Vec<u16>) -> Self {
        Self { service, own_ports }
    }

    fn may_be_answered(&self, from: &Address) -> bool {
        let port = from.port();
        // Without a port (Unix-domain sockets) the sender's address cannot be forged.
        port.is_none_or(|port| {
            !answering_ports().any(|answering| answering == port) && !self.own_ports.contains(&port)
        })
    }
}

impl Service for Guarded {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Datagram { from, .. } if !self.may_be_answered(from) => {
                trace::intent(
                    "no answer: it comes from a server's port, and two servers would never stop",
                );
            }
            event => self.service.on(who, event, actions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::testing::{answers, token};
    use crate::services::Echo;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn is_answered(from: &Address) -> bool {
        let mut guarded = Guarded::new(Box::new(Echo), vec![40_000]);
        let actions = answers(&mut guarded, token(1), LoopEvent::Datagram { from, bytes: b"x" });
        !actions.is_empty()
    }

    #[test]
    fn a_server_is_not_answered_on_whatever_machine_it_is() {
        for port in [7, 9, 13, 19, 37, 7007, 9009, 1313, 1919, 3737, 7117, 40_000] {
            assert!(!is_answered(&Address::v4(Ipv4Addr::LOCALHOST, port)), "{port}");
            assert!(!is_answered(&Address::v6(Ipv6Addr::new(1, 2, 3, 4, 5, 6, 7, 8), port)));
        }
    }

    #[test]
    fn a_client_is_answered() {
        assert!(is_answered(&Address::v4(Ipv4Addr::LOCALHOST, 40_001)));
        assert!(is_answered(&Address::unix("/tmp/client")));
    }
}
