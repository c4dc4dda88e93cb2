//! time (RFC 868): the time as a number for machines: seconds since 1900 in UTC, 32 bits in network byte order.
//!
//! The 32 bits overflow on 7 February 2036 at 06:28:16: the number is 0 again, and a naive client takes it for 1900.
//! Nothing in the protocol says which era is meant: a client must know. (This is not the end of `time_t` in 2038, which
//! counts from 1970 and has a sign.)

use std::time::{SystemTime, UNIX_EPOCH};

use crate::byteorder::htonl;
use crate::events::{Action, Actions, LoopEvent, Service, Token};

/// Seconds from 1900 to 1970: 70 years, 17 of them leap years.
const SECONDS_BEFORE_1970: u64 = (70 * 365 + 17) * 24 * 60 * 60;

/// Sends four bytes to each client and closes, or answers each datagram with them.
#[derive(Debug)]
pub struct Time {
    clock: fn() -> SystemTime,
    answer: [u8; 4],
}

impl Default for Time {
    fn default() -> Self {
        Self { clock: SystemTime::now, answer: [0; 4] }
    }
}

impl Service for Time {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Opened { .. } => {
                let bytes = self.answer_now();
                actions.extend([Action::Send { to: who, bytes }, Action::Close(who)]);
            }
            // By the RFC the client sends an empty datagram; the payload does not matter.
            LoopEvent::Datagram { from, .. } => {
                let bytes = self.answer_now();
                actions.push(Action::SendDatagram { by: who, to: from, bytes });
            }
            _ => {}
        }
    }
}

impl Time {
    fn answer_now(&mut self) -> &[u8] {
        let since_1970 = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        // The upper 32 bits are dropped: from 2036 on the number begins at 0 again, as the protocol says.
        let since_1900 = since_1970.wrapping_add(SECONDS_BEFORE_1970) as u32;
        // In memory the bytes of a number are in network order only after htonl. Without it a little-endian machine
        // would send them reversed, and be decades off.
        self.answer = htonl(since_1900).to_ne_bytes();
        &self.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Address;
    use crate::events::testing::{answers, token};
    use std::time::Duration;

    fn answer_at(clock: fn() -> SystemTime) -> [u8; 4] {
        let mut time = Time { clock, ..Time::default() };
        let peer = Address::unix("peer");
        let actions =
            answers(&mut time, token(1), LoopEvent::Opened { peer: &peer, asked_by: None });
        let [Action::Send { bytes, .. }, Action::Close(_)] = actions[..] else {
            panic!("{actions:?}")
        };
        bytes.try_into().unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // 2,208,988,800 corresponds to 00:00 1 Jan 1970 GMT, 2,629,584,000 to 00:00 1 May 1983 GMT.
        assert_eq!(answer_at(|| UNIX_EPOCH), 2_208_988_800_u32.to_be_bytes());
        let in_1983 = answer_at(|| UNIX_EPOCH + Duration::from_secs(420_595_200));
        assert_eq!(in_1983, 2_629_584_000_u32.to_be_bytes());
    }

    #[test]
    fn in_2036_it_begins_again() {
        let last = answer_at(|| UNIX_EPOCH + Duration::from_secs(2_085_978_495));
        assert_eq!(last, [0xff; 4], "06:28:15 on 7 February");
        assert_eq!(answer_at(|| UNIX_EPOCH + Duration::from_secs(2_085_978_496)), [0; 4]);
    }

    #[test]
    fn a_clock_before_1970_is_taken_for_1970() {
        assert_eq!(answer_at(|| UNIX_EPOCH - Duration::from_secs(9)), answer_at(|| UNIX_EPOCH));
    }
}
