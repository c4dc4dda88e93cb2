//! upper: received bytes are sent back, with small letters of ASCII as capitals.
//!
//! echo cannot show which side of a connection a byte has been on; this service can. It is the smallest one that makes bytes of
//! its own: they must stay until the loop has sent them, so they are in a buffer of the service, and not on the stack.

use crate::events::{Action, Actions, LoopEvent, Service, Token};

/// Answers each byte with its upper case, by stream or by datagram.
#[derive(Debug, Default)]
pub struct Upper {
    /// The last answer. Its room is used again, so an answer costs no allocation once the buffer is as long as a receive can be.
    answer: Vec<u8>,
}

impl Service for Upper {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Bytes(bytes) => {
                let bytes = self.upper_case_of(bytes);
                actions.push(Action::Send { to: who, bytes });
            }
            LoopEvent::Datagram { from, bytes } => {
                let bytes = self.upper_case_of(bytes);
                actions.push(Action::SendDatagram { by: who, to: from, bytes });
            }
            // A client may close its half first and read afterwards: queued bytes are still sent.
            LoopEvent::PeerFinished => actions.push(Action::Close(who)),
            _ => {}
        }
    }
}

impl Upper {
    /// Each byte is changed by itself. (In UTF-8 the bytes of other letters are above those of ASCII, and stay as they are; a
    /// letter that TCP has cut in two is not harmed.)
    fn upper_case_of(&mut self, bytes: &[u8]) -> &[u8] {
        self.answer.clear();
        self.answer.extend(bytes.iter().map(u8::to_ascii_uppercase));
        &self.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::testing::{sent, token};

    #[test]
    fn letters_of_ascii_become_capitals_and_other_bytes_stay() {
        let mut upper = Upper::default();
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(sent(&mut upper, token(1), LoopEvent::Bytes(&all)), all.to_ascii_uppercase());
        let next = sent(&mut upper, token(1), LoopEvent::Bytes("Grüße, 2 straße".as_bytes()));
        assert_eq!(next, "GRüßE, 2 STRAßE".as_bytes(), "nothing is left of the longer answer");
    }
}
