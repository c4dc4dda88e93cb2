//! The reading end of the self-pipe as a service: each byte is a signal that came.

use crate::events::{Action, Actions, Ending, LoopEvent, Service, Token};

/// Asks the loop to end at every signal; and if the pipe fails, for then no signal would be heard any more, and the
/// program could only be killed.
#[derive(Debug, Default)]
pub struct Signals;

impl Service for Signals {
    fn on<'a>(&'a mut self, _: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Bytes(signals) => actions.extend(signals.iter().map(|_| Action::Stop)),
            LoopEvent::Closed(Ending::Failed(_)) => actions.push(Action::Stop),
            _ => {}
        }
    }
}
