//! relay: copies bytes between its clients and another server, in both directions.
//!
//! The relay passes on more than bytes. The end of one half: when the client has closed its half, the target reads end
//! of file and may still answer. (A relay that closes both sides at the first end of file, like the example in
//! select_tut(2), cuts that answer off.) A reset: it resets the other side too, so that a client does not take a broken
//! transfer for a complete one. And backpressure: while bytes are queued for one side, the relay reads nothing from the
//! other, so memory has a bound and the sender goes as fast as the receiver reads.
//!
//! Unix-domain sockets have no reset: to such a client the target's reset, and its refusal, look like a clean end.
//! (Only Linux reports `ECONNRESET` there, and only if bytes of the client had not been read.)
//!
//! The relay looks at no byte, so the kernel can move them from one socket to the other without copying them into this
//! process ([`Moving::Spliced`]). Early bytes, bytes behind the mark of an urgent byte, and the end of file still come
//! through `recv`.
//!
//! While the relay connects to the target, it reads from a TCP client, up to a limit, because only a receive reports
//! that the client has reset the connection; after a reset the relay gives the attempt up. After an end of file it does
//! not: a client that has only closed its half may still wait for the answer, and one that has closed its socket looks
//! the same.

use std::time::Duration;

use crate::addr::Address;
use crate::events::{Action, Actions, Ending, LoopEvent, Service, Token, TokenMap};

/// How long an address may take to answer, unless the option `timeout=` says otherwise.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(10);

/// When this many bytes have arrived from a client whose target has not answered yet, the relay reads no more: the
/// client's bytes stay in the kernels, and a reset behind them is noticed later.
const MOST_KEPT: usize = 16 * 1024;

/// How bytes get from one side to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Moving {
    /// Received into a buffer of this process, and sent from there.
    #[default]
    Copied,
    /// Moved by the kernel, through a pipe for each direction (`splice`).
    Spliced,
}

/// Connects every client to the first address of the target that answers.
#[derive(Debug)]
pub struct Relay {
    target: Vec<Address>,
    time_limit: Duration,
    moving: Moving,
    sides: TokenMap<Counterpart>,
}

/// The other side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counterpart {
    /// A client whose target has not answered yet: the loop keeps the bytes that it has sent.
    Waiting(Early),
    /// The other side, and the early bytes that are still to be passed on to it.
    With(Token, Early),
}

/// What a client has sent before its target answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Early {
    /// How many bytes the loop keeps.
    kept: usize,
    /// Whether the client has closed its half after them.
    finished: bool,
}

impl Relay {
    /// A relay to these addresses, tried in turn, each for `time_limit`.
    pub fn new(target: Vec<Address>, time_limit: Duration, moving: Moving) -> Self {
        Self { target, time_limit, moving, sides: TokenMap::default() }
    }

    /// A client has connected: begin to connect to its target.
    fn wait_for_target<'a>(&'a mut self, client: Token, peer: &Address) -> Vec<Action<'a>> {
        self.sides.insert(client, Counterpart::Waiting(Early::default()));
        // Where there are no resets, reading tells nothing; and unread bytes let Linux report a refusal to the client.
        let hold = matches!(peer, Address::Unix(_)).then_some(Action::Hold(client));
        let open =
            Action::Open { by: client, addresses: &self.target, time_limit: self.time_limit };
        hold.into_iter().chain([open]).collect()
    }

    /// A target has answered: pass on the client's early bytes, and then all that follows.
    fn couple<'a>(&mut self, target: Token, client: Token) -> Vec<Action<'a>> {
        let Some(Counterpart::Waiting(early)) = self.sides.get(client).copied() else {
            return vec![Action::Abort(target)];
        };
        self.sides.insert(client, Counterpart::With(target, early));
        self.sides.insert(target, Counterpart::With(client, Early::default()));
        let mut actions = vec![Action::Couple(target, client)];
        actions.extend((self.moving == Moving::Spliced).then_some(Action::Splice(target, client)));
        actions.push(Action::Release(client));
        match early {
            Early { kept: 0, finished: true } => actions.push(Action::Finish(target)),
            Early { kept: 0, finished: false } => {}
            // The kept bytes are presented as soon as there is room for an answer.
            _ => actions.push(Action::WantRoom(client)),
        }
        actions
    }

    fn bytes<'a>(&mut self, who: Token, bytes: &'a [u8], actions: &mut Actions<'a>) {
        match self.sides.get_mut(who) {
            Some(Counterpart::With(other, early)) => {
                actions.push(Action::Send { to: *other, bytes });
                let had_finished = std::mem::take(early).finished;
                actions.extend(had_finished.then_some(Action::Finish(*other)));
            }
            Some(Counterpart::Waiting(early)) => {
                early.kept = bytes.len();
                actions.push(Action::Keep(early.kept));
                actions.extend((early.kept >= MOST_KEPT).then_some(Action::Hold(who)));
            }
            None => {}
        }
    }

    fn finished<'a>(&mut self, who: Token) -> Option<Action<'a>> {
        match self.sides.get_mut(who)? {
            Counterpart::Waiting(early) | Counterpart::With(_, early @ Early { kept: 1.., .. }) => {
                early.finished = true;
                None
            }
            Counterpart::With(other, _) => Some(Action::Finish(*other)),
        }
    }

    /// Forgets both sides. If this side failed, the other side is reset; otherwise the loop first sends the bytes that are
    /// queued for the other side.
    fn part<'a>(&mut self, who: Token, ending: Ending) -> Option<Action<'a>> {
        let other = match self.sides.remove(who)? {
            Counterpart::Waiting(_) => return Some(Action::GiveUp(who)),
            Counterpart::With(other, _) => other,
        };
        self.sides.remove(other);
        Some(match ending {
            Ending::Failed(_) => Action::Abort(other),
            Ending::Finished | Ending::TooSlow | Ending::Silent | Ending::Refused => {
                Action::Close(other)
            }
        })
    }
}

impl Service for Relay {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Bytes(bytes) => self.bytes(who, bytes, actions),
            LoopEvent::Opened { asked_by: None, peer } => {
                actions.extend(self.wait_for_target(who, peer));
            }
            LoopEvent::Opened { asked_by: Some(client), .. } => {
                actions.extend(self.couple(who, client))
            }
            // The target itself would have refused the client, so the client gets a reset: an end of file would look
            // like an answer.
            LoopEvent::NotOpened(_) => {
                self.sides.remove(who);
                actions.push(Action::Abort(who));
            }
            LoopEvent::PeerFinished => actions.extend(self.finished(who)),
            LoopEvent::Closed(ending) => actions.extend(self.part(who, ending)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::testing::{answers, token};
    use crate::names::Errno;

    /// The actions for an event, in words.
    fn done(relay: &mut Relay, who: Token, event: LoopEvent<'_>) -> Vec<String> {
        let actions = answers(relay, who, event);
        actions.iter().map(|action| format!("{action:?}").replace("Token { place: ", "{")).collect()
    }

    fn opened(relay: &mut Relay, who: Token, asked_by: Option<Token>) -> Vec<String> {
        let peer = Address::unix("/peer");
        done(relay, who, LoopEvent::Opened { peer: &peer, asked_by })
    }

    fn relay() -> Relay {
        Relay::new(Vec::new(), TIME_LIMIT, Moving::Copied)
    }

    fn coupled() -> (Relay, Token, Token) {
        let mut relay = relay();
        let client = token(1);
        let target = token(2);
        opened(&mut relay, client, None);
        opened(&mut relay, target, Some(client));
        (relay, client, target)
    }

    /// The names of the actions, in words.
    fn names(actions: &[String]) -> Vec<&str> {
        actions.iter().map(|action| action.split(['(', ' ']).next().unwrap()).collect()
    }

    #[test]
    fn a_unix_domain_client_waits_unread_until_its_target_answers() {
        let mut relay = relay();
        let client = token(1);
        let target = token(2);
        let actions = opened(&mut relay, client, None);
        assert!(actions[0].starts_with("Hold({1,"), "{actions:?}");
        assert!(actions[1].starts_with("Open"), "{actions:?}");
        let actions = opened(&mut relay, target, Some(client));
        assert!(actions[0].starts_with("Couple"), "{actions:?}");
        assert!(actions[1].starts_with("Release({1,"), "{actions:?}");
    }

    #[test]
    fn what_a_client_does_before_its_target_answers_is_passed_on_in_order() {
        for (kept, finishes) in [(0, false), (0, true), (5, false), (5, true), (MOST_KEPT, true)] {
            let mut relay = relay();
            let client = token(1);
            let target = token(2);
            let peer = Address::v4(std::net::Ipv4Addr::LOCALHOST, 1);
            let actions =
                done(&mut relay, client, LoopEvent::Opened { peer: &peer, asked_by: None });
            assert_eq!(names(&actions), ["Open"]);
            let bytes = vec![b'x'; kept];
            if kept > 0 {
                let actions = done(&mut relay, client, LoopEvent::Bytes(&bytes));
                assert_eq!(actions[0], format!("Keep({kept})"));
                let expected = ["Keep", "Hold"];
                let is_held = kept >= MOST_KEPT;
                assert_eq!(names(&actions), &expected[..1 + usize::from(is_held)]);
            }
            if finishes {
                assert!(done(&mut relay, client, LoopEvent::PeerFinished).is_empty());
            }
            let actions = opened(&mut relay, target, Some(client));
            let last = match (kept, finishes) {
                (0, false) => None,
                (0, true) => Some("Finish"),
                _ => Some("WantRoom"),
            };
            assert_eq!(names(&actions).get(2).copied(), last, "{actions:?}");
            if kept > 0 {
                let actions = done(&mut relay, client, LoopEvent::Bytes(&bytes));
                assert_eq!(names(&actions), &["Send", "Finish"][..1 + usize::from(finishes)]);
                // Each end of file is passed on once.
                assert_eq!(names(&done(&mut relay, client, LoopEvent::Bytes(b"y"))), ["Send"]);
            }
        }
    }

    #[test]
    fn a_client_that_goes_gives_up_its_target() {
        let mut relay = relay();
        let client = token(1);
        opened(&mut relay, client, None);
        let reset = LoopEvent::Closed(Ending::Failed(Errno::ECONNRESET));
        assert_eq!(names(&done(&mut relay, client, reset)), ["GiveUp"]);
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
    fn a_client_whose_target_never_answers_is_closed() {
        let mut relay = relay();
        let client = token(1);
        let late = token(2);
        opened(&mut relay, client, None);
        let refused = done(&mut relay, client, LoopEvent::NotOpened(Errno::ECONNREFUSED));
        assert!(refused[0].starts_with("Abort({1,"), "{refused:?}");
        assert!(opened(&mut relay, late, Some(client))[0].starts_with("Abort({2,"));
    }
}
