//! The reading end of the self-pipe as a service: each byte stands for a signal.

use crate::events::{Action, Actions, Ending, LoopEvent, Service, Token};

/// Asks the loop to end at every signal. It does so too if the pipe fails, because no signal would be noticed any more,
/// and the program could only be killed.
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
