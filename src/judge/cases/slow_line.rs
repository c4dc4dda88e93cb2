//! A client that is slow with its line must not delay another client.

use crate::judge::dialogue::{get, hello, listener_to};
use crate::judge::http;
use crate::judge::site::HELLO;
use crate::judge::{JudgeCase, Role};

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "slow-line",
    question: "Does it serve others while one client is slow with its line?",
    of: &[Role::Echo, Role::LineEcho, Role::Relay, Role::Chat, Role::Http],
    points: 2,
    lab: "one-slow-client",
    run: |bench| {
        let mut slow = bench.connect("a slow client")?;
        let word = bench.token();
        let line = match bench.role {
            Role::Http => get(bench, HELLO, "Connection: close\r\n"),
            _ => format!("{word} comes slowly\n"),
        };
        let (first, rest) = line.split_at(6);
        let (second, third) = rest.split_at(4);
        for part in [first, second] {
            slow.send(part.as_bytes())?;
            bench.pause(30);
            bench.serves_while("another has sent half a line", "client")?;
        }
        slow.send(third.as_bytes())?;
        match bench.role {
            Role::Http => {
                let response = http::receive(&mut slow, "GET")?;
                hello(&response, &slow)
            }
            Role::Chat => {
                listener_to(bench, &mut slow)?;
                Ok(())
            }
            _ => slow.expect(line.as_bytes()),
        }
    },
    ..JudgeCase::ORDINARY
};
