//! What each kind of service is asked, and what the right answer is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::bench::Bench;
use super::http::{self, Response};
use super::peer::{End, JudgePeer};
use super::role::Role;
use super::site::{HELLO, HELLO_BYTES};
use super::steps::shown;
use super::verdict::{CaseOutcome, CaseStop, Symptom};

/// Seconds from 1900 to 1970.
const EPOCH: u64 = 2_208_988_800;
/// How many seconds a clock may be wrong.
const MOST_WRONG_S: u64 = 120;
/// How many characters chargen must send at least.
pub const SOME_CHARACTERS: usize = 296;

/// An exchange on an open connection. Services that close after their answer are read to end of file.
pub(super) fn ask(bench: &mut Bench<'_>, peer: &mut JudgePeer) -> CaseOutcome {
    match bench.role {
        Role::Echo | Role::LineEcho | Role::Relay | Role::EchoUdp => {
            let line = format!("{}\n", bench.token());
            peer.send(line.as_bytes())?;
            peer.expect(line.as_bytes())
        }
        Role::Discard => {
            let line = format!("{}\n", bench.token());
            peer.send(line.as_bytes())?;
            peer.receive_what_is_there()?;
            nothing_came(peer)
        }
        Role::Chargen => characters(peer),
        Role::Daytime => daytime(peer),
        Role::Time => time(peer),
        Role::Chat => chat(bench, peer),
        Role::Http => {
            let request = get(bench, HELLO, "Connection: close\r\n");
            peer.send(request.as_bytes())?;
            let response = http::receive(peer, "GET")?;
            hello(&response, peer)
        }
    }
}

/// A complete connection, which both sides close in the end.
pub(super) fn whole(bench: &mut Bench<'_>, mut peer: JudgePeer, _who: &str) -> CaseOutcome {
    ask(bench, &mut peer)?;
    if bench.role == Role::Discard {
        peer.finish()?;
        peer.expect_end()?;
    }
    peer.leave();
    Ok(())
}

/// A request for a file.
pub fn get(bench: &Bench<'_>, name: &str, fields: &str) -> String {
    let prefix = bench.site.served.as_ref().map_or("/", |served| served.prefix.as_str());
    format!("GET {prefix}{name} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// Asserts that the answer to a request for the short file is that file.
///
/// # Errors
/// It is not.
pub fn hello(response: &Response, peer: &JudgePeer) -> CaseOutcome {
    if response.status == 200 && response.body == HELLO_BYTES {
        return Ok(());
    }
    let expected = format!("status 200 and the file, {}", shown(HELLO_BYTES));
    let came = format!("status {}, body {}", response.status, shown(&response.body));
    Err(peer.failed(Symptom::Wrong, expected, Some(came)))
}

fn nothing_came(peer: &JudgePeer) -> CaseOutcome {
    match (peer.received().is_empty(), peer.end()) {
        (true, None) => Ok(()),
        (false, _) => {
            Err(peer.failed(Symptom::TooMuch, "no answer: it throws everything away", None))
        }
        (true, Some(_)) => Err(peer.failed(peer.symptom(), "it takes everything", None)),
    }
}

fn characters(peer: &mut JudgePeer) -> CaseOutcome {
    if !peer.receive(SOME_CHARACTERS)? {
        return Err(peer.failed(peer.symptom(), "characters without end", None));
    }
    let is_one = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n');
    match peer.received().iter().all(is_one) {
        true => {
            peer.take_received();
            Ok(())
        }
        false => Err(peer.failed(Symptom::Wrong, "printable characters in lines", None)),
    }
}

fn daytime(peer: &mut JudgePeer) -> CaseOutcome {
    const EXPECTED: &str = "the date and time as a line, then the end of the connection";
    while peer.end().is_none()
        && peer.received().len() < 4096
        && peer.receive(peer.received().len() + 1)?
    {}
    let line = peer.received();
    let is_printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    let is_one = line.ends_with(b"\n")
        && line.iter().all(is_printable)
        && line.iter().any(u8::is_ascii_digit);
    match peer.end() {
        Some(End::Finished) if is_one => Ok(()),
        Some(End::Finished) if !line.is_empty() => Err(peer.failed(Symptom::Wrong, EXPECTED, None)),
        _ => Err(peer.failed(peer.symptom(), EXPECTED, None)),
    }
}

fn time(peer: &mut JudgePeer) -> CaseOutcome {
    let expected = || format!("{} as 4 bytes, the highest first, then the end", now_s());
    if !peer.receive(4)? {
        return Err(peer.failed(peer.symptom(), expected(), None));
    }
    let bytes = peer.received().to_vec();
    let told = bytes.iter().take(4).fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte));
    if bytes.len() > 4 {
        return Err(peer.failed(Symptom::TooMuch, expected(), None));
    }
    if told.abs_diff(now_s()) > MOST_WRONG_S {
        let hint = match u64::from((told as u32).swap_bytes()) {
            swapped if swapped.abs_diff(now_s()) < MOST_WRONG_S => {
                ", the lowest byte first: htonl is missing"
            }
            _ if (told + EPOCH).abs_diff(now_s()) < MOST_WRONG_S => {
                ", which counts from 1970, not from 1900"
            }
            _ => "",
        };
        let came = format!("{told}{hint}: {}", shown(&bytes));
        return Err(peer.failed(Symptom::Wrong, expected(), Some(came)));
    }
    peer.take_received();
    peer.expect_end()
}

/// The seconds since 1900, in four bytes.
fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    (now + EPOCH) & 0xffff_ffff
}

/// Asserts that another member hears what one client writes.
fn chat(bench: &mut Bench<'_>, peer: &mut JudgePeer) -> CaseOutcome {
    listener_to(bench, peer)?.leave();
    Ok(())
}

/// Connects another member of the chat, which hears this one. A client that has just connected may not be a member yet,
/// so the word is sent again until it is heard.
///
/// # Errors
/// It is not heard.
pub fn listener_to(bench: &mut Bench<'_>, peer: &mut JudgePeer) -> Result<JudgePeer, CaseStop> {
    let mut listener = bench.connect("a listener")?;
    let token = bench.token();
    meet(bench, peer, &mut listener, &token)?;
    Ok(listener)
}

/// Sends a word until it is heard.
///
/// # Errors
/// It is not heard.
pub fn meet(
    bench: &Bench<'_>,
    from: &mut JudgePeer,
    to: &mut JudgePeer,
    token: &str,
) -> CaseOutcome {
    const AGAIN: Duration = Duration::from_millis(100);
    let scene = bench.scene.clone();
    let mut patience = scene.patience();
    loop {
        from.send(format!("{token}\n").as_bytes())?;
        let again = Instant::now() + AGAIN;
        while Instant::now() < again && to.end().is_none() {
            if to.receive_within(again.saturating_duration_since(Instant::now()))? > 0 {
                // It first reads the earlier lines, which announce each of many members.
                patience.renew();
            }
            if has(to.received(), token.as_bytes()) {
                return Ok(());
            }
        }
        from.receive_what_is_there()?;
        from.take_received();
        if to.end().is_some() || patience.left_ms().is_none() {
            return Err(not_heard(from, to, token));
        }
    }
}

/// Asserts that the other member hears this word.
///
/// # Errors
/// It does not.
pub fn hears(from: &JudgePeer, to: &mut JudgePeer, word: &str) -> CaseOutcome {
    match to.receive_until(|bytes| has(bytes, word.as_bytes()))? {
        true => Ok(()),
        false => Err(not_heard(from, to, word)),
    }
}

fn not_heard(from: &JudgePeer, to: &JudgePeer, word: &str) -> CaseStop {
    let expected = format!("the other client gets a line with {}", shown(word.as_bytes()));
    let CaseStop::Failed(failure) = to.failed(to.symptom(), expected, None) else {
        return CaseStop::not_asked("no failure");
    };
    CaseStop::Failed(Box::new(super::verdict::CaseFailure { sent: from.sent_words(), ..*failure }))
}

/// Whether `bytes` contain `part`.
pub fn has(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}
