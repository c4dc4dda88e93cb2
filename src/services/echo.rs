//! echo (RFC 862): whatever comes goes back.

use crate::events::{Action, Event, Service, Token};

/// Sends back whatever it receives.
#[derive(Debug, Default)]
pub struct Echo;

impl Service for Echo {
    fn on<'a>(&'a mut self, who: Token, event: Event<'a>, actions: &mut Vec<Action<'a>>) {
        match event {
            Event::Bytes(bytes) => actions.push(Action::Send { to: who, bytes }),
            // A client may finish sending first and read afterwards: what is owed is still sent.
            Event::PeerFinished => actions.push(Action::Close(who)),
            Event::Opened { .. } | Event::Room | Event::Failed(_) => {}
        }
    }
}
