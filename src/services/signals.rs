//! The reading end of the self-pipe as a service: each byte is a signal that came.

use crate::events::{Action, Event, Service, Token};

/// Asks the loop to end at every signal.
#[derive(Debug, Default)]
pub struct Signals;

impl Service for Signals {
    fn on<'a>(&'a mut self, _: Token, event: Event<'a>, actions: &mut Vec<Action<'a>>) {
        if let Event::Bytes(signals) = event {
            actions.extend(signals.iter().map(|_| Action::Stop));
        }
    }
}
