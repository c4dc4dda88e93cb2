//! The client: standard input, standard output and one socket under the same loop.
//!
//! The terminal and the socket are coupled like the two sides of a relay: while one has unsent bytes, nothing is read
//! from the other, so a slow terminal slows the peer down instead of filling memory (backpressure). Only the ends
//! differ. At the end of standard input the client closes its half only, because the answer is still to come. At the
//! peer's end of file the client writes all remaining bytes to either side and ends, unless it was asked to keep
//! sending.

mod messages;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::addr::Address;
use crate::conn::{Ends, FileEnd, Files};
use crate::event_loop::{EventLoop, Limits, Notice, ServiceId, WaitFailed};
use crate::events::{Action, Actions, Ending, LoopEvent, Service, Token};
use crate::framing::{Rule, TooLong, Unfinished};
use crate::names::Errno;
use crate::poller::Via;
use crate::sys::Fd;
use crate::trace::Function;

use messages::Messages;

/// UDP has no end of file: after the end of standard input, the client waits this long for another datagram.
const DATAGRAM_SILENCE: Duration = Duration::from_secs(1);

/// How the client gets its one socket.
#[derive(Debug)]
pub enum Meeting {
    /// Connect to the first of these addresses that answers, each within the time limit.
    Connect(Vec<Address>, Duration),
    /// Accept the first client of one of these listeners.
    Accept(Vec<Fd>),
    /// Use this datagram socket, which is connected to this peer.
    Datagrams(Fd, Address),
}

/// How the client behaves.
#[derive(Clone, Copy, Debug)]
pub struct ClientOptions {
    /// At the end of standard input, close our half of the connection.
    pub half_close: bool,
    /// After the peer has closed its half, keep sending until the end of standard input.
    pub keep_sending: bool,
    /// Send `\r\n` for each `\n`.
    pub crlf: bool,
    /// Show the received messages, whose ends this rule defines, instead of copying bytes to standard output.
    pub frame: Option<Rule>,
    /// End when no byte arrived or left for this long.
    pub idle_timeout: Option<Duration>,
}

/// What happened in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionReport {
    /// The address of the other end, once there was one.
    pub peer: Option<Address>,
    /// Bytes copied from standard input to the peer.
    pub bytes_sent: u64,
    /// Bytes received from the peer.
    pub bytes_received: u64,
    /// Whether standard input was read to its end.
    pub input_ended: bool,
    /// Why the client ended; the first reason, if there were several.
    pub end: Option<ClientEnd>,
}

/// Why a client ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEnd {
    /// The peer has closed its half.
    PeerFinished,
    /// The peer has closed its half in the middle of a message.
    Unfinished(Unfinished),
    /// A message was longer than the limit.
    TooLong(TooLong),
    /// No byte arrived or left for the idle timeout.
    Silent,
    /// No client connected to the listeners within the idle timeout.
    NoClientCame,
    /// The reader of our standard output has closed its end.
    OutputClosed,
    /// No connection could be made; with the address that was tried last, if there was one.
    NotConnected(Option<Address>, Errno),
    /// No program listens at this address, which was tried last, and the kernel picked its port for this end.
    ConnectedToItself(Address),
    /// A call on the connection failed.
    Failed(Function, Errno),
    /// Standard input or output failed.
    FileFailed(Function, Errno),
}

/// Runs a session to its end. `told` is called for each failed attempt while other addresses are left, and for the
/// connection.
///
/// # Errors
/// The wait failed with an errno that would come again.
pub fn talk(
    via: Via,
    meeting: Meeting,
    options: ClientOptions,
    mut told: impl FnMut(&Notice<'_>) + 'static,
) -> Result<SessionReport, WaitFailed> {
    let limits = Limits {
        idle_timeout: options.idle_timeout,
        // This limit is never reached: the bytes of one receive, or the lines that show them, are written before the
        // next.
        owed_bytes: usize::MAX,
        // The caller that stops this loop has already waited for everything.
        drain: Duration::ZERO,
        ..Limits::default()
    };
    let mut event_loop = EventLoop::new(via, limits);
    let report = Rc::new(RefCell::new(SessionReport::default()));
    let noted = report.clone();
    event_loop.notify(move |notice| match (end_of(notice), notice) {
        (Some(end), _) => note(&noted, end),
        (
            None,
            Notice::Opened(_)
            | Notice::NotConnected { .. }
            | Notice::ConnectedToItself { .. }
            | Notice::WaitFailed(..),
        ) => told(notice),
        _ => {}
    });
    let client =
        ConnectService::new(options, matches!(meeting, Meeting::Datagrams(..)), report.clone());
    let its_files = client.files.clone();
    let service = event_loop.add_service(Box::new(client));
    let files = event_loop.add_stream(standard_files(), service);
    its_files.set(Some(files));
    // Nothing is read before there is a peer to send it to.
    event_loop.perform(&Action::Hold(files), service);
    meet(&mut event_loop, meeting, options.idle_timeout, files, service);
    event_loop.run()?;
    drop(event_loop);
    Ok(report.take())
}

fn standard_files() -> Ends {
    let (input, output) = (FileEnd::Stdin(io::stdin()), FileEnd::Stdout(io::stdout()));
    Ends::Files(Box::new(Files { input: Some(input), output: Some(output) }))
}

fn meet(
    event_loop: &mut EventLoop,
    meeting: Meeting,
    idle_timeout: Option<Duration>,
    files: Token,
    service: ServiceId,
) {
    match meeting {
        Meeting::Connect(addresses, time_limit) => {
            let open = Action::Open { by: files, addresses: &addresses, time_limit };
            event_loop.perform(&open, service);
        }
        Meeting::Accept(listeners) => {
            for fd in listeners {
                event_loop.add_listener(fd, service);
            }
            // The loop checks the silence of connections, and there is none yet.
            event_loop.perform(&Action::Deadline(files, idle_timeout), service);
        }
        Meeting::Datagrams(fd, peer) => {
            event_loop.add_connection(Ends::Datagrams(fd), &peer, service, Some(files));
        }
    }
}

/// The reason to end that a notice of the loop gives, if it gives one.
fn end_of(notice: &Notice<'_>) -> Option<ClientEnd> {
    match notice {
        Notice::NotConnected { address, errno, others: 0 } => {
            Some(ClientEnd::NotConnected(Some((*address).clone()), *errno))
        }
        Notice::ConnectedToItself { address, others: 0 } => {
            Some(ClientEnd::ConnectedToItself((*address).clone()))
        }
        Notice::Failed(_, call, errno) => Some(ClientEnd::Failed(*call, *errno)),
        Notice::FileFailed(call, Errno::EPIPE) if *call == Function::WRITE => {
            Some(ClientEnd::OutputClosed)
        }
        Notice::FileFailed(call, errno) => Some(ClientEnd::FileFailed(*call, *errno)),
        Notice::TimedOut(_) => Some(ClientEnd::Silent),
        _ => None,
    }
}

fn note(report: &Rc<RefCell<SessionReport>>, end: ClientEnd) {
    report.borrow_mut().end.get_or_insert(end);
}

/// The service that connects the socket with standard input and output.
#[derive(Debug)]
struct ConnectService {
    options: ClientOptions,
    is_datagrams: bool,
    /// The token of standard input and output, known only after the service is in the loop.
    files: Rc<Cell<Option<Token>>>,
    socket: Option<Token>,
    /// Why the peer will send no more, if we keep sending after that.
    peer_ended: Option<ClientEnd>,
    newlines: Newlines,
    messages: Option<Messages>,
    report: Rc<RefCell<SessionReport>>,
}

impl ConnectService {
    fn new(options: ClientOptions, is_datagrams: bool, report: Rc<RefCell<SessionReport>>) -> Self {
        Self {
            options,
            is_datagrams,
            files: Rc::default(),
            socket: None,
            peer_ended: None,
            newlines: Newlines::default(),
            messages: options.frame.map(Messages::new),
            report,
        }
    }

    fn opened<'a>(&mut self, socket: Token, peer: &Address) -> Vec<Action<'a>> {
        self.socket = Some(socket);
        self.report.borrow_mut().peer = Some(peer.clone());
        let files = self.files.get().into_iter();
        let coupled = files.flat_map(|files| {
            [Action::Couple(files, socket), Action::Release(files), Action::Deadline(files, None)]
        });
        coupled.chain([Action::Unlisten]).collect()
    }

    fn send_on<'a>(&'a mut self, bytes: &'a [u8]) -> Option<Action<'a>> {
        let to = self.socket?;
        let bytes = if self.options.crlf { self.newlines.converted(bytes) } else { bytes };
        self.report.borrow_mut().bytes_sent += bytes.len() as u64;
        Some(Action::Send { to, bytes })
    }

    fn write_out<'a>(&'a mut self, bytes: &'a [u8]) -> Vec<Action<'a>> {
        self.report.borrow_mut().bytes_received += bytes.len() as u64;
        let taken = self.messages.as_mut().map_or(Ok(()), |messages| messages.take(bytes));
        let bytes = self.messages.as_ref().map_or(bytes, Messages::lines);
        let mut actions: Vec<_> = self.write(bytes).into_iter().collect();
        match taken {
            Ok(()) => actions.extend(self.expect_datagram()),
            // It is unknown where the next message begins.
            Err(too_long) => actions.extend(self.close_both(ClientEnd::TooLong(too_long))),
        }
        actions
    }

    fn write<'a>(&self, bytes: &'a [u8]) -> Option<Action<'a>> {
        let to = self.files.get().filter(|_| !bytes.is_empty())?;
        Some(Action::Send { to, bytes })
    }

    fn peer_finished<'a>(&'a mut self) -> Vec<Action<'a>> {
        let last = self.messages.as_mut().map_or(Ok(()), Messages::take_last);
        let lines = self.messages.as_ref().map_or(&b""[..], Messages::lines);
        let end = last.map_or_else(ClientEnd::Unfinished, |()| ClientEnd::PeerFinished);
        let goes_on = self.options.keep_sending && !self.report.borrow().input_ended;
        let last_lines = self.write(lines).into_iter();
        if goes_on {
            let actions = last_lines.collect();
            self.peer_ended = Some(end);
            return actions;
        }
        last_lines.chain(self.close_both(end)).collect()
    }

    fn input_ended<'a>(&mut self) -> Vec<Action<'a>> {
        self.report.borrow_mut().input_ended = true;
        match self.peer_ended.take() {
            Some(end) => self.close_both(end),
            None => self.finish().into_iter().collect(),
        }
    }

    fn finish<'a>(&self) -> Option<Action<'a>> {
        let finish = self.socket.filter(|_| self.options.half_close && !self.is_datagrams);
        finish.map(Action::Finish).or_else(|| self.expect_datagram())
    }

    /// After the end of standard input, each datagram starts the wait for the next one again.
    fn expect_datagram<'a>(&self) -> Option<Action<'a>> {
        let is_last = self.is_datagrams
            && self.report.borrow().input_ended
            && self.options.idle_timeout.is_none();
        let socket = self.socket.filter(|_| is_last)?;
        Some(Action::Deadline(socket, Some(DATAGRAM_SILENCE)))
    }

    /// Closes both sides after all remaining bytes are sent and written.
    fn close_both<'a>(&self, end: ClientEnd) -> Vec<Action<'a>> {
        note(&self.report, end);
        self.files.get().into_iter().chain(self.socket).map(Action::Close).collect()
    }

    fn closed<'a>(&mut self, who: Token, ending: Ending) -> Vec<Action<'a>> {
        if self.files.get() == Some(who) {
            self.files.set(None);
            // The peer may keep sending, but its bytes can no longer be written anywhere.
            let failed = matches!(ending, Ending::Failed(_));
            return if failed || self.socket.is_none() { vec![Action::Stop] } else { Vec::new() };
        }
        self.socket = None;
        vec![self.files.get().map_or(Action::Stop, Action::Close)]
    }
}

impl Service for ConnectService {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        let is_socket = self.socket == Some(who);
        match event {
            LoopEvent::Opened { peer, .. } => actions.extend(self.opened(who, peer)),
            LoopEvent::NotOpened(errno) => {
                note(&self.report, ClientEnd::NotConnected(None, errno));
                actions.push(Action::Stop);
            }
            LoopEvent::Bytes(bytes) if is_socket => actions.extend(self.write_out(bytes)),
            LoopEvent::Bytes(bytes) => actions.extend(self.send_on(bytes)),
            LoopEvent::PeerFinished if is_socket => actions.extend(self.peer_finished()),
            LoopEvent::PeerFinished => actions.extend(self.input_ended()),
            LoopEvent::Deadline if self.socket.is_none() => {
                note(&self.report, ClientEnd::NoClientCame);
                actions.push(Action::Stop);
            }
            LoopEvent::Deadline => actions.extend(self.close_both(ClientEnd::Silent)),
            LoopEvent::Closed(ending) => actions.extend(self.closed(who, ending)),
            LoopEvent::Datagram { .. } | LoopEvent::Room => {}
        }
    }
}

/// Puts `\r` before every `\n` that has none.
#[derive(Debug, Default)]
struct Newlines {
    last: u8,
    converted: Vec<u8>,
}

impl Newlines {
    fn converted(&mut self, bytes: &[u8]) -> &[u8] {
        self.converted.clear();
        for byte in bytes {
            if *byte == b'\n' && self.last != b'\r' {
                self.converted.push(b'\r');
            }
            self.converted.push(*byte);
            self.last = *byte;
        }
        &self.converted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newline_gets_its_carriage_return_once_wherever_the_reads_are_cut() {
        let text = b"\none\r\ntwo\n\n\r\r\nend\r";
        for cut in 0..text.len() {
            let mut newlines = Newlines::default();
            let mut sent = newlines.converted(&text[..cut]).to_vec();
            sent.extend_from_slice(newlines.converted(&text[cut..]));
            assert_eq!(sent, b"\r\none\r\ntwo\r\n\r\n\r\r\nend\r", "cut at {cut}");
        }
    }
}
