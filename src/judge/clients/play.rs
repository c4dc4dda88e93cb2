//! The server that judge plays for a client, and the client, which is started for one case.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::judge::bench::Bench;
use crate::judge::client::JudgedClient;
use crate::judge::dialogue::has;
use crate::judge::explaining::SEEN_TO_END;
use crate::judge::peer::JudgePeer;
use crate::judge::program::ending;
use crate::judge::role::Role;
use crate::judge::scene::CaseScene;
use crate::judge::site::HELLO_BYTES;
use crate::judge::steps::{Way, shown};
use crate::judge::verdict::{CaseFailure, CaseOutcome, CaseStop, Symptom};
use crate::names::{Errno, POLLIN, Protocol, SOCK_STREAM};
use crate::os::accepting::{accept_nonblocking, set_nonblocking};
use crate::os::signals::name_of;
use crate::sys::{self, Fd};

/// The standard input of a client, which it should send.
pub(super) const INPUT: &[u8] = b"judge-1 says hello\njudge-2 says more\njudge-3 has said enough\n";
/// The answer of a daytime server.
const DAYTIME: &[u8] = b"Saturday, November 28, 2026 12:34:56-UTC\r\n";

/// A server with one client, which has been started.
#[derive(Debug)]
pub(super) struct Play {
    role: Role,
    scene: Rc<CaseScene>,
    listener: Option<Fd>,
    client: JudgedClient,
}

impl Play {
    /// Listens, and starts the client with this standard input.
    pub(super) fn start(bench: &mut Bench<'_>, input: &[u8]) -> Result<Self, CaseStop> {
        let listener = sys::socket(crate::names::AF_INET, SOCK_STREAM, Protocol::default())?;
        sys::bind(&listener, &Address::v4(std::net::Ipv4Addr::LOCALHOST, 0))?;
        sys::listen(&listener, 8)?;
        set_nonblocking(&listener)?;
        sys::fcntl_setfd(&listener, crate::names::FD_CLOEXEC)?;
        let address = sys::getsockname(&listener)?;
        Self::start_at(bench, address, Some(listener), input)
    }

    /// Starts the client without a listener: the connection is refused.
    pub(super) fn start_refused(bench: &mut Bench<'_>, input: &[u8]) -> Result<Self, CaseStop> {
        let listener = sys::socket(crate::names::AF_INET, SOCK_STREAM, Protocol::default())?;
        sys::bind(&listener, &Address::v4(std::net::Ipv4Addr::LOCALHOST, 0))?;
        let address = sys::getsockname(&listener)?;
        // The socket is bound and does not listen, so that no other process gets the port.
        Self::start_at(bench, address, Some(listener), input)
    }

    fn start_at(
        bench: &mut Bench<'_>,
        address: Address,
        listener: Option<Fd>,
        input: &[u8],
    ) -> Result<Self, CaseStop> {
        let Some(recipe) = bench.client else {
            return Err(CaseStop::not_asked("only a client that judge starts can be asked"));
        };
        bench.scene.listens_at(&address.to_string());
        let command = recipe.command(&address, None);
        let input =
            if bench.role == Role::Echo || bench.role == Role::LineEcho { input } else { b"" };
        let client = JudgedClient::start(command, input.to_vec())
            .map_err(|error| CaseStop::not_asked(format_args!("it cannot be started: {error}")))?;
        bench.scene.pid.set(Some(client.pid()));
        Ok(Self { role: bench.role, scene: bench.scene.clone(), listener, client })
    }

    /// Waits until the client has connected.
    pub(super) fn accept(&mut self) -> Result<JudgePeer, CaseStop> {
        let scene = self.scene.clone();
        let Some(listener) = &self.listener else { return Err(CaseStop::not_asked("no listener")) };
        let mut patience = scene.patience();
        loop {
            match accept_nonblocking(listener) {
                Ok((fd, _)) => {
                    scene.step("", Way::In, "connect");
                    return Ok(JudgePeer::of(&scene, "", fd));
                }
                // A client that left before it was accepted may come again.
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED) => {}
                Err(errno) => return Err(errno.into()),
            }
            let slice = Instant::now() + Duration::from_millis(20);
            let mut is_over = false;
            while !is_over && Instant::now() < slice {
                let mut rows = [sys::PollFd::new(sys::AsFd::as_fd(listener), POLLIN)];
                if sys::poll(&mut rows, 20).unwrap_or(0) > 0 {
                    break;
                }
                is_over = patience.left_ms().is_none();
            }
            if is_over || (self.client.ended().is_some() && !self.is_waiting()) {
                let came = match self.client.ended() {
                    Some(status) => format!("{}, without having connected", ending(status)),
                    None => format!("no connection in {}", patience.waited()),
                };
                let expected = "it connects to 127.0.0.1 at {port}";
                return Err(self.failed(Symptom::Silent, "the client was started", expected, came));
            }
        }
    }

    fn is_waiting(&self) -> bool {
        let Some(listener) = &self.listener else { return false };
        let mut rows = [sys::PollFd::new(sys::AsFd::as_fd(listener), POLLIN)];
        sys::poll(&mut rows, 0).unwrap_or(0) > 0
    }

    /// The complete answer of the server.
    pub(super) fn answer(&self) -> Vec<u8> {
        match self.role {
            Role::Daytime => DAYTIME.to_vec(),
            Role::Http => response(HELLO_BYTES),
            _ => INPUT.to_vec(),
        }
    }

    /// What the output must then contain.
    pub(super) fn wanted(&self) -> Vec<u8> {
        match self.role {
            Role::Daytime => DAYTIME.trim_ascii().to_vec(),
            Role::Http => HELLO_BYTES.to_vec(),
            _ => INPUT.to_vec(),
        }
    }

    /// Receives the question, and answers by `say`, piece by piece as it arrives.
    pub(super) fn serve(
        &mut self,
        peer: &mut JudgePeer,
        mut say: impl FnMut(&mut JudgePeer, &[u8]) -> CaseOutcome,
    ) -> CaseOutcome {
        match self.role {
            Role::Daytime => say(peer, DAYTIME),
            Role::Http => {
                self.hear_request(peer)?;
                say(peer, &response(HELLO_BYTES))
            }
            _ => {
                let mut heard = 0;
                while heard < INPUT.len() {
                    if !peer.receive(1)? {
                        let expected =
                            format!("the client sends its standard input, {}", shown(INPUT));
                        let came = format!("{heard} bytes of it");
                        let sent = "the connection was accepted";
                        return Err(self.failed(peer.symptom(), sent, expected, came));
                    }
                    let piece = peer.take_received();
                    heard += piece.len();
                    say(peer, &piece)?;
                }
                Ok(())
            }
        }
    }

    /// Waits for a request of HTTP.
    pub(super) fn hear_request(&mut self, peer: &mut JudgePeer) -> CaseOutcome {
        if peer.receive_until(|bytes| has(bytes, b"\r\n\r\n"))? {
            peer.take_received();
            return Ok(());
        }
        let came = shown(peer.received());
        Err(self.failed(
            Symptom::Silent,
            "the connection was accepted",
            "a request of HTTP, with its empty line",
            came,
        ))
    }

    /// Waits for the client's end, and returns how it ended.
    pub(super) fn end(&mut self, after: &str) -> Result<ExitStatus, CaseStop> {
        let end = Instant::now() + self.scene.limit();
        loop {
            if let Some(status) = self.client.ended() {
                self.scene.step("", Way::Beside, ending(status));
                return Ok(status);
            }
            if Instant::now() >= end {
                let came = format!("it still runs after {:.0} s", self.scene.limit().as_secs_f64());
                return Err(self.failed(Symptom::Stays, after, "it ends", came));
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Asserts that the client ends successfully, with this on standard output.
    pub(super) fn expect_output(&mut self, after: &str, wanted: &[u8]) -> CaseOutcome {
        let status = self.end(after)?;
        let output = self.client.output.begin();
        if !is_written(&output, wanted) {
            let expected = format!("on its standard output {}", shown(wanted));
            return Err(self.failed(Symptom::Wrong, after, expected, shown(&output)));
        }
        match status.signal() {
            Some(_) => Err(self.failed(Symptom::Died, after, "it exits", "no exit status")),
            None => Ok(()),
        }
    }

    /// Asserts that the client ends by itself, and reports an error: by its exit status or on standard error.
    pub(super) fn expect_complaint(&mut self, after: &str) -> CaseOutcome {
        let status = self.end(after)?;
        if status.signal().is_some() {
            let expected = "it says what went wrong, and exits";
            return Err(self.failed(Symptom::Died, after, expected, "no exit status"));
        }
        if status.success() && self.client.errors.text().trim().is_empty() {
            let expected = "another status than 0, or some words on standard error";
            return Err(self.failed(
                Symptom::ClaimsSuccess,
                after,
                expected,
                "status 0, and not a word",
            ));
        }
        Ok(())
    }

    pub(super) fn client(&mut self) -> &mut JudgedClient {
        &mut self.client
    }

    /// A failure. If a signal has ended the client, that explains what was seen.
    pub(super) fn failed(
        &mut self,
        symptom: Symptom,
        sent: impl std::fmt::Display,
        expected: impl std::fmt::Display,
        came: impl std::fmt::Display,
    ) -> CaseStop {
        let signal = self.ending_signal();
        let said = self.client.errors.text();
        let said = said
            .lines()
            .last()
            .map_or(String::new(), |line| format!("; on standard error: {line}"));
        let Some(signal) = signal.map(name_of) else {
            return CaseFailure::new(symptom, sent, expected, format!("{came}{said}")).into();
        };
        let came = format!("{came}; {signal} ended it{said}");
        let failure = CaseFailure::new(Symptom::Died, sent, expected, came);
        CaseFailure { signal: Some(signal), ..failure }.into()
    }

    /// The signal that has ended the client. A process is seen to have ended a little later than its socket.
    fn ending_signal(&mut self) -> Option<i32> {
        let end = Instant::now() + SEEN_TO_END;
        while self.client.ended().is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(3));
        }
        self.client.ended()?.signal()
    }
}

/// An HTTP response with this body.
pub(super) fn response(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Whether the output contains these lines in order: a client may write more, such as a prompt.
fn is_written(output: &[u8], wanted: &[u8]) -> bool {
    let mut rest = output;
    wanted.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).all(|line| {
        match memchr::memmem::find(rest, line.trim_ascii_end()) {
            Some(at) => {
                rest = &rest[at + line.trim_ascii_end().len()..];
                true
            }
            None => false,
        }
    })
}

/// Waits until nothing has arrived for a while, or the other side has closed its half.
pub(super) fn drain(scene: &CaseScene, peer: &mut JudgePeer, ms: u64) -> CaseOutcome {
    let end = Instant::now() + Duration::from_millis(ms).mul_f64(scene.slowness());
    while Instant::now() < end && peer.end().is_none() {
        peer.receive_within(end.saturating_duration_since(Instant::now()))?;
        peer.take_received();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_write_more_than_the_answer() {
        assert!(is_written(b"> a\n> b\n", b"a\nb\n"));
        assert!(!is_written(b"b\na\n", b"a\nb\n"));
        assert!(!is_written(b"", b"a\n"));
        assert!(is_written(INPUT, INPUT));
    }
}
