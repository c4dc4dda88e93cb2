//! discard (RFC 863): received bytes are thrown away.

use crate::events::{Action, Actions, LoopEvent, Service, Token};

/// Answers nothing, by stream or by datagram.
#[derive(Debug, Default)]
pub struct Discard;

impl Service for Discard {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        // Receiving the bytes and not keeping them makes room for more. If the server never received, the client would
        // wait in send forever.
        if matches!(event, LoopEvent::PeerFinished) {
            actions.push(Action::Close(who));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Address;
    use crate::events::testing::{answers, token};

    #[test]
    fn nothing_is_answered_and_nothing_kept() {
        let from = Address::unix("peer");
        for event in [LoopEvent::Bytes(b"abc"), LoopEvent::Datagram { from: &from, bytes: b"abc" }]
        {
            let mut discard = Discard;
            let actions = answers(&mut discard, token(1), event);
            assert!(actions.is_empty(), "{actions:?}");
        }
    }
}
