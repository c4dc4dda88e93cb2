//! relay: passes bytes on between its clients and another server, in both directions.
//!
//! Everything is carried through, not only bytes. The end of a half: when the client has finished sending, the target
//! reads end of file and may still answer. (A relay that closes both sides at the first end of file, as the example in
//! select_tut(2) does, cuts that answer off.) A reset: to one side as to the other, so that nobody takes a
//! broken transfer for a complete one. And slowness: while something is owed to one side, nothing is read from the
//! other, so the memory has a bound and the sender feels how fast the receiver reads.

use std::time::Duration;

use crate::addr::Address;
use crate::events::{Action, Ending, LoopEvent, Service, Token, TokenMap};

/// How long an address may take to answer, if nothing else is said.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Connects every client to the first of its addresses that answers.
#[derive(Debug)]
pub struct Relay {
    target: Vec<Address>,
    time_limit: Duration,
    sides: TokenMap<Counterpart>,
}

/// What is known of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counterpart {
    /// A client whose target has not answered yet: nothing is read from it, its system keeps what it sends.
    Waiting,
    /// The other side.
    With(Token),
}

impl Relay {
    /// Passes on to these addresses, tried in turn, each for so long.
    pub fn new(target: Vec<Address>, time_limit: Duration) -> Self {
        Self { target, time_limit, sides: TokenMap::default() }
    }

    fn other(&self, who: Token) -> Option<Token> {
        match self.sides.get(who) {
            Some(Counterpart::With(other)) => Some(*other),
            Some(Counterpart::Waiting) | None => None,
        }
    }

    fn couple(&mut self, target: Token, client: Token) -> bool {
        if self.sides.get(client) != Some(&Counterpart::Waiting) {
            return false;
        }
        self.sides.insert(client, Counterpart::With(target));
        self.sides.insert(target, Counterpart::With(client));
        true
    }

    /// Forgets both sides; what is still owed to the other is the loop's business.
    fn part(&mut self, who: Token) -> Option<Token> {
        let other = self.other(who);
        self.sides.remove(who);
        self.sides.remove(other?);
        other
    }
}

impl Service for Relay {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Vec<Action<'a>>) {
        match event {
            LoopEvent::Opened { asked_by: None, .. } => {
                self.sides.insert(who, Counterpart::Waiting);
                let (addresses, time_limit) = (&self.target, self.time_limit);
                actions.push(Action::Hold(who));
                actions.push(Action::Open { by: who, addresses, time_limit });
            }
            LoopEvent::Opened { asked_by: Some(client), .. } => match self.couple(who, client) {
                true => actions.extend([Action::Couple(who, client), Action::Release(client)]),
                false => actions.push(Action::Abort(who)),
            },
            // The client would have been refused by the target itself: an end of file would look like an answer.
            LoopEvent::NotOpened(_) => {
                self.sides.remove(who);
                actions.push(Action::Abort(who));
            }
            LoopEvent::Bytes(bytes) => {
                actions.extend(self.other(who).map(|to| Action::Send { to, bytes }));
            }
            LoopEvent::PeerFinished => actions.extend(self.other(who).map(Action::Finish)),
            LoopEvent::Closed(ending) => actions.extend(self.part(who).map(|other| match ending {
                Ending::Failed(_) => Action::Abort(other),
                Ending::Finished | Ending::TooSlow | Ending::Silent | Ending::Refused => {
                    Action::Close(other)
                }
            })),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::testing::token;
    use crate::names::Errno;

    /// What is done when this happens, in words.
    fn done(relay: &mut Relay, who: Token, event: LoopEvent<'_>) -> Vec<String> {
        let mut actions = Vec::new();
        relay.on(who, event, &mut actions);
        actions.iter().map(|action| format!("{action:?}").replace("Token { place: ", "{")).collect()
    }

    fn opened(relay: &mut Relay, who: Token, asked_by: Option<Token>) -> Vec<String> {
        let peer = Address::unix("/peer");
        done(relay, who, LoopEvent::Opened { peer: &peer, asked_by })
    }

    fn relay() -> Relay {
        Relay::new(Vec::new(), TIME_LIMIT)
    }

    fn coupled() -> (Relay, Token, Token) {
        let (mut relay, client, target) = (relay(), token(1), token(2));
        opened(&mut relay, client, None);
        opened(&mut relay, target, Some(client));
        (relay, client, target)
    }

    #[test]
    fn a_client_waits_unread_until_its_target_answers() {
        let (mut relay, client, target) = (relay(), token(1), token(2));
        let actions = opened(&mut relay, client, None);
        assert!(actions[0].starts_with("Hold({1,"), "{actions:?}");
        assert!(actions[1].starts_with("Open"), "{actions:?}");
        let actions = opened(&mut relay, target, Some(client));
        assert!(actions[0].starts_with("Couple"), "{actions:?}");
        assert!(actions[1].starts_with("Release({1,"), "{actions:?}");
    }

    #[test]
    fn each_end_is_carried_to_the_other_side() {
        let (mut relay, client, target) = coupled();
        assert!(done(&mut relay, client, LoopEvent::PeerFinished)[0].starts_with("Finish({2,"));
        assert!(done(&mut relay, target, LoopEvent::PeerFinished)[0].starts_with("Finish({1,"));
        let closed = done(&mut relay, client, LoopEvent::Closed(Ending::Finished));
        assert!(closed[0].starts_with("Close({2,"), "{closed:?}");
        assert!(done(&mut relay, target, LoopEvent::Closed(Ending::Finished)).is_empty());

        let (mut relay, _, target) = coupled();
        let reset = Ending::Failed(Errno::ECONNRESET);
        assert!(done(&mut relay, target, LoopEvent::Closed(reset))[0].starts_with("Abort({1,"));
    }

    #[test]
    fn whom_nobody_answers_is_let_go() {
        let (mut relay, client, late) = (relay(), token(1), token(2));
        opened(&mut relay, client, None);
        let refused = done(&mut relay, client, LoopEvent::NotOpened(Errno::ECONNREFUSED));
        assert!(refused[0].starts_with("Abort({1,"), "{refused:?}");
        assert!(opened(&mut relay, late, Some(client))[0].starts_with("Abort({2,"));
    }
}
