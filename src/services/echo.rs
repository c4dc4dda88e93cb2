//! echo (RFC 862): received bytes are sent back.

use crate::events::{Action, Actions, LoopEvent, Service, Token};

/// Sends back everything that it receives, by stream or by datagram.
#[derive(Debug, Default)]
pub struct Echo;

impl Service for Echo {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Bytes(bytes) => actions.push(Action::Send { to: who, bytes }),
            LoopEvent::Datagram { from, bytes } => {
                actions.push(Action::SendDatagram { by: who, to: from, bytes });
            }
            // A client may close its half first and read afterwards: queued bytes are still sent.
            LoopEvent::PeerFinished => actions.push(Action::Close(who)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::testing::{sent, token};

    #[test]
    fn received_bytes_are_sent_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(sent(&mut Echo, token(1), LoopEvent::Bytes(&all)), all);
    }
}
