//! daytime (RFC 867): the time as a line for people, then end of file.
//!
//! The RFC leaves the form of the line open. Here it is that of mail and HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::events::{Action, Actions, LoopEvent, Service, Token};

/// Sends one line to each client and closes, or answers each datagram with one line.
#[derive(Debug)]
pub struct Daytime {
    clock: fn() -> SystemTime,
    line: String,
}

impl Default for Daytime {
    fn default() -> Self {
        Self { clock: SystemTime::now, line: String::new() }
    }
}

impl Service for Daytime {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Opened { .. } => {
                let bytes = self.line_now();
                actions.extend([Action::Send { to: who, bytes }, Action::Close(who)]);
            }
            // The payload does not matter; usually it is empty.
            LoopEvent::Datagram { from, .. } => {
                let bytes = self.line_now();
                actions.push(Action::SendDatagram { by: who, to: from, bytes });
            }
            _ => {}
        }
    }
}

impl Daytime {
    fn line_now(&mut self) -> &[u8] {
        // A clock that was never set may show a time before 1970, which httpdate cannot format.
        let now = (self.clock)().max(UNIX_EPOCH);
        self.line = format!("{}\r\n", httpdate::fmt_http_date(now));
        self.line.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Address;
    use crate::events::testing::{answers, token};
    use std::time::Duration;

    #[test]
    fn one_line_and_the_end() {
        let clock = || UNIX_EPOCH + Duration::from_secs(784_111_777);
        let mut daytime = Daytime { clock, ..Daytime::default() };
        let peer = Address::unix("peer");
        let actions =
            answers(&mut daytime, token(1), LoopEvent::Opened { peer: &peer, asked_by: None });
        let [Action::Send { bytes, .. }, Action::Close(_)] = actions[..] else {
            panic!("{actions:?}")
        };
        assert_eq!(bytes, b"Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    }

    #[test]
    fn a_datagram_is_answered_with_the_line() {
        let clock = || UNIX_EPOCH - Duration::from_secs(1);
        let mut daytime = Daytime { clock, ..Daytime::default() };
        let from = Address::unix("peer");
        let actions =
            answers(&mut daytime, token(1), LoopEvent::Datagram { from: &from, bytes: b"" });
        let [Action::SendDatagram { bytes, .. }] = actions[..] else { panic!("{actions:?}") };
        assert_eq!(bytes, b"Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    }
}
