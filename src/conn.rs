//! One connection: what came in and is not yet used, what must go out and is not yet sent, and which half is
//! closed. An idle connection holds no memory for either.
//!
//! The descriptors ([`Ends`]) stand apart from the rest ([`Conn`]): the loop walks over all descriptors each turn,
//! and over the rest only where something happens.

mod part;

use std::collections::VecDeque;
use std::io;

use crate::names::{Errno, MSG_NOSIGNAL, MsgFlags, Result, SHUT_WR};
use crate::os::sending::MORE_FOLLOWS;
use crate::sys::{self, AsFd, BorrowedFd, Fd, PIPE_BUF};

pub use part::FilePart;

/// The descriptors of a connection.
#[derive(Debug)]
pub enum Ends {
    /// A socket: one descriptor, both ways.
    Socket(Fd),
    /// A datagram socket that has a peer: each receive is one datagram, perhaps without a byte, and nobody says that
    /// it was the last.
    Datagrams(Fd),
    /// A terminal, a pipe or a file: one to read from, one to write to.
    Files(Box<Files>),
}

/// Descriptors that are no socket's, either of which may be missing.
#[derive(Debug, Default)]
pub struct Files {
    /// Where bytes come from.
    pub input: Option<File>,
    /// Where bytes go.
    pub output: Option<File>,
}

/// A descriptor that is no socket's.
#[derive(Debug)]
pub enum File {
    /// One of our own.
    Own(Fd),
    /// Descriptor 0. It was given to this process, and is never closed.
    Stdin(io::Stdin),
    /// Descriptor 1. It was given to this process, and is never closed.
    Stdout(io::Stdout),
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(fd) => fd.as_fd(),
            Self::Stdin(stdin) => stdin.as_fd(),
            Self::Stdout(stdout) => stdout.as_fd(),
        }
    }
}

impl From<Fd> for File {
    fn from(fd: Fd) -> Self {
        Self::Own(fd)
    }
}

/// The most that is sent as one datagram; what is longer becomes several. (UDP takes 65,507 bytes, but macOS no more
/// than 9,216 as it comes.)
const DATAGRAM_BYTES: usize = 8192;

impl Ends {
    /// Whether our half can be ended and the peer's end of file waited for.
    pub const fn has_halves(&self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// Where to receive from.
    pub fn input(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Socket(fd) | Self::Datagrams(fd) => Some(fd.as_fd()),
            Self::Files(files) => files.input.as_ref().map(AsFd::as_fd),
        }
    }

    /// Where to send to.
    pub fn output(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Socket(fd) | Self::Datagrams(fd) => Some(fd.as_fd()),
            Self::Files(files) => files.output.as_ref().map(AsFd::as_fd),
        }
    }

    #[inline]
    fn receive(&self, buf: &mut [u8]) -> Result<usize> {
        match self {
            Self::Socket(fd) | Self::Datagrams(fd) => sys::recv(fd, buf, MsgFlags::NONE),
            Self::Files(files) => {
                files.input.as_ref().map_or(Err(Errno::EBADF), |fd| sys::read(fd, buf))
            }
        }
    }

    #[inline]
    fn send(&self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Socket(fd) => sys::send(fd, bytes, MSG_NOSIGNAL),
            Self::Datagrams(fd) => {
                sys::send(fd, &bytes[..bytes.len().min(DATAGRAM_BYTES)], MSG_NOSIGNAL)
            }
            // The descriptor may be blocking and shared with a shell; so much a writable pipe takes without waiting.
            Self::Files(files) => {
                let some = &bytes[..bytes.len().min(PIPE_BUF)];
                files.output.as_ref().map_or(Err(Errno::EPIPE), |fd| sys::write(fd, some))
            }
        }
    }

    /// Sends what something else will follow at once.
    fn send_before(&self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Socket(fd) => sys::send(fd, bytes, MSG_NOSIGNAL | MORE_FOLLOWS),
            _ => self.send(bytes),
        }
    }

    fn end_sending(&mut self) -> Result<()> {
        match self {
            Self::Socket(fd) => sys::shutdown(fd, SHUT_WR),
            Self::Datagrams(_) => Ok(()),
            Self::Files(files) => match files.output.take() {
                Some(File::Own(fd)) => sys::close(fd),
                _ => Ok(()),
            },
        }
    }
}

/// What a receive gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// So many bytes.
    Bytes(usize),
    /// The peer has finished: no byte will come any more.
    Finished,
    /// Nothing now: readiness was only a hint.
    Nothing,
}

/// Everything about a connection but its descriptors.
#[derive(Debug, Default)]
pub struct Conn {
    /// Received, given to the service, and not used by it: the beginning of a message.
    leftover: Vec<u8>,
    /// What is still to be sent; nothing, as a rule.
    owed: Option<Box<Owed>>,
    /// A file has become shorter than what was promised of it.
    is_broken: bool,
    sends_files: bool,
    peer_finished: bool,
    finishing: Finishing,
}

/// What is still to be sent. It stands apart, so that a connection that owes nothing is small: where hundreds are ready at
/// once, the memory that a message touches counts.
#[derive(Debug, Default)]
struct Owed {
    /// Taken over for sending; the part before `sent` is sent.
    outgoing: Vec<u8>,
    sent: usize,
    /// To be sent after that; if there is nothing before it, the first is of a file.
    behind: VecDeque<Piece>,
    behind_len: usize,
}

/// What is to be sent after something else.
#[derive(Debug)]
enum Piece {
    Bytes(Vec<u8>),
    File(FilePart),
}

/// Our own half: whether more may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Finishing {
    /// More may be sent.
    #[default]
    No,
    /// When everything owed is sent, this half is closed.
    WhenSent,
    /// This half is closed.
    Done,
}

impl Conn {
    /// How many bytes are still to be sent.
    #[inline]
    pub fn owed(&self) -> usize {
        self.owed.as_ref().map_or(0, |owed| owed.len())
    }

    /// How many of them are kept in memory. (Those of a file are not.)
    pub fn held(&self) -> usize {
        self.owed.as_ref().map_or(0, |owed| owed.held())
    }

    /// Whether the next of them are a file's.
    pub fn owes_file(&self) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.is_file_next())
    }

    /// Says that files will be sent; returns whether that is new.
    pub const fn begins_to_send_files(&mut self) -> bool {
        !std::mem::replace(&mut self.sends_files, true)
    }

    /// Whether a file has become shorter than what was promised of it: what is owed will never be complete.
    pub const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether the peer has finished sending.
    pub const fn peer_finished(&self) -> bool {
        self.peer_finished
    }

    /// Whether our own half is closed, with everything sent.
    pub fn finished(&self) -> bool {
        self.finishing == Finishing::Done
    }

    /// Receives once into `buf`.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    #[inline]
    pub fn receive(&mut self, ends: &Ends, buf: &mut [u8]) -> Result<Incoming> {
        match ends.receive(buf) {
            Ok(0) if !matches!(ends, Ends::Datagrams(_)) => {
                self.peer_finished = true;
                Ok(Incoming::Finished)
            }
            Ok(len) => Ok(Incoming::Bytes(len)),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Incoming::Nothing),
            Err(errno) => Err(errno),
        }
    }

    /// Sends `bytes` after what is owed already. What the system does not take now is owed.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    #[inline]
    pub fn send(&mut self, ends: &Ends, bytes: &[u8]) -> Result<()> {
        // Files may be blocking: nothing is written to them before they are known to be writable.
        let at_once = self.owed() == 0 && !matches!(ends, Ends::Files(_));
        let sent = if at_once { taken(ends.send(bytes))? } else { 0 };
        if sent < bytes.len() {
            self.keep(&bytes[sent..]);
        }
        Ok(())
    }

    /// The same with bytes that something else follows at once: they may go together.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_before(&mut self, ends: &Ends, bytes: &[u8]) -> Result<()> {
        let at_once = self.owed() == 0 && !matches!(ends, Ends::Files(_)) && !bytes.is_empty();
        let sent = if at_once { taken(ends.send_before(bytes))? } else { 0 };
        self.keep(&bytes[sent..]);
        Ok(())
    }

    /// Sends a part of a file after what is owed already. What the system does not take now is owed, and stays in the
    /// file.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_file(&mut self, ends: &Ends, part: FilePart) -> Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        let at_once = self.owed() == 0 && !matches!(ends, Ends::Files(_));
        self.owed.get_or_insert_default().push_file(part);
        if at_once { self.send_owed(ends) } else { Ok(()) }
    }

    /// Owes these bytes, after everything else.
    fn keep(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.owed.get_or_insert_default().push(bytes);
        }
    }

    /// Sends what is owed, as far as it goes.
    ///
    /// # Errors
    /// What ends this connection; `EAGAIN` and `EINTR` do not.
    pub fn send_owed(&mut self, ends: &Ends) -> Result<()> {
        let Some(owed) = &mut self.owed else { return Ok(()) };
        self.is_broken |= owed.send(ends)? == Progress::Broken;
        if owed.len() == 0 {
            // Given back: an idle connection holds no buffer.
            self.owed = None;
        }
        Ok(())
    }

    /// Says that nothing more will be sent: when everything owed is, this half is closed.
    pub fn finish(&mut self) {
        if self.finishing == Finishing::No {
            self.finishing = Finishing::WhenSent;
        }
    }

    /// Closes our half if that was asked for and everything owed is sent: the peer reads end of file, and may go on
    /// sending.
    ///
    /// # Errors
    /// As [`sys::shutdown`].
    pub fn finish_if_sent(&mut self, ends: &mut Ends) -> Result<()> {
        if self.finishing != Finishing::WhenSent || self.owed() > 0 {
            return Ok(());
        }
        self.finishing = Finishing::Done;
        ends.end_sending()
    }

    /// The bytes that were received but not used, to be put before what comes next.
    pub fn take_leftover(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.leftover)
    }

    /// Keeps bytes that were not used until more come.
    pub fn keep_leftover(&mut self, bytes: Vec<u8>) {
        self.leftover = bytes;
    }

    /// Whether bytes wait that were not used.
    pub const fn has_leftover(&self) -> bool {
        !self.leftover.is_empty()
    }
}

/// Whether what is owed can still be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Possible,
    /// A file has become shorter than what was promised of it.
    Broken,
}

impl Owed {
    fn len(&self) -> usize {
        self.outgoing.len() - self.sent + self.behind_len
    }

    fn held(&self) -> usize {
        let bytes = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::File(_) => 0,
        };
        self.outgoing.len() - self.sent + self.behind.iter().map(bytes).sum::<usize>()
    }

    fn is_file_next(&self) -> bool {
        self.sent == self.outgoing.len() && !self.behind.is_empty()
    }

    fn push_file(&mut self, part: FilePart) {
        self.behind_len += part.len();
        self.behind.push_back(Piece::File(part));
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.behind.is_empty() {
            return self.outgoing.extend_from_slice(bytes);
        }
        self.behind_len += bytes.len();
        match self.behind.back_mut() {
            Some(Piece::Bytes(last)) => last.extend_from_slice(bytes),
            _ => self.behind.push_back(Piece::Bytes(bytes.to_vec())),
        }
    }

    fn send(&mut self, ends: &Ends) -> Result<Progress> {
        if self.is_file_next() {
            return self.send_file(ends);
        }
        self.sent += taken(ends.send(&self.outgoing[self.sent..]))?;
        if self.sent == self.outgoing.len() {
            self.outgoing = Vec::new();
            self.sent = 0;
        }
        Ok(Progress::Possible)
    }

    fn send_file(&mut self, ends: &Ends) -> Result<Progress> {
        let Some(Piece::File(part)) = self.behind.front_mut() else {
            return Ok(Progress::Possible);
        };
        let sent = match part.send(ends) {
            Err(Errno::EAGAIN | Errno::EINTR) => 0,
            Ok(None) => return Ok(Progress::Broken),
            result => result?.unwrap_or(0),
        };
        self.behind_len -= sent;
        if part.is_empty() {
            self.behind.pop_front();
            self.after_file();
        }
        Ok(Progress::Possible)
    }

    /// A file is sent: what comes next, if it is in memory, is owed as bytes are.
    fn after_file(&mut self) {
        match self.behind.pop_front() {
            Some(Piece::Bytes(bytes)) => {
                self.behind_len -= bytes.len();
                self.outgoing = bytes;
            }
            Some(file) => self.behind.push_front(file),
            None => {}
        }
    }
}

/// How much a send took: nothing, if it would have had to wait.
#[inline]
fn taken(sent: Result<usize>) -> Result<usize> {
    match sent {
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::rc::Rc;

    use super::*;
    use crate::names::{AF_UNIX, Protocol, SO_SNDBUF, SOCK_STREAM, SOL_SOCKET};
    use crate::os::accepting::set_nonblocking;

    fn pair() -> [Fd; 2] {
        let pair = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        pair.iter().for_each(|fd| set_nonblocking(fd).unwrap());
        pair
    }

    #[test]
    fn what_a_short_send_leaves_is_owed_and_arrives_in_order() {
        let [ours, theirs] = pair();
        sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
        let ends = Ends::Socket(ours);
        let mut conn = Conn::default();
        let message: Vec<u8> = (0..100_000u32).map(|k| (k % 251) as u8).collect();
        conn.send(&ends, &message).unwrap();
        assert!(conn.owed() > 0, "the send was not short");
        conn.send(&ends, b"and the end").unwrap();

        let mut arrived = Vec::new();
        let mut buf = [0; 1000];
        while conn.owed() > 0 || arrived.len() < message.len() + 11 {
            conn.send_owed(&ends).unwrap();
            while let Ok(len) = sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
                arrived.extend_from_slice(&buf[..len]);
            }
        }
        assert_eq!(&arrived[..message.len()], message);
        assert_eq!(&arrived[message.len()..], b"and the end");
        assert!(conn.owed.is_none(), "an idle connection holds a buffer");
    }

    #[test]
    fn our_half_ends_when_everything_is_sent_and_not_before() {
        let [ours, theirs] = pair();
        sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
        let mut ends = Ends::Socket(ours);
        let mut conn = Conn::default();
        conn.send(&ends, &[7; 100_000]).unwrap();
        conn.finish();
        conn.finish_if_sent(&mut ends).unwrap();
        assert!(!conn.finished());

        let mut buf = vec![0; 200_000];
        let mut arrived = 0;
        loop {
            match sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
                Ok(0) => break,
                Ok(len) => arrived += len,
                Err(Errno::EAGAIN) => {
                    conn.send_owed(&ends).unwrap();
                    conn.finish_if_sent(&mut ends).unwrap();
                }
                Err(errno) => panic!("{errno}"),
            }
        }
        assert_eq!(arrived, 100_000);
        sys::send(&theirs, b"still here", MSG_NOSIGNAL).unwrap();
        assert_eq!(conn.receive(&ends, &mut buf), Ok(Incoming::Bytes(10)));
        drop(theirs);
        assert_eq!(conn.receive(&ends, &mut buf), Ok(Incoming::Finished));
    }

    /// A file of 300,000 bytes, without a name.
    fn file() -> (Rc<fs::File>, Vec<u8>) {
        let path = std::env::temp_dir().join(format!(
            "baresock-conn-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let bytes: Vec<u8> = (0..300_000u32).map(|k| (k % 251) as u8).collect();
        fs::write(&path, &bytes).unwrap();
        let file = fs::File::options().read(true).write(true).open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        (Rc::new(file), bytes)
    }

    #[test]
    fn bytes_and_files_go_out_in_their_order_and_only_bytes_are_held() {
        let [ours, theirs] = pair();
        sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
        let ends = Ends::Socket(ours);
        let mut conn = Conn::default();
        let (file, content) = file();
        let part = |at: usize, len| FilePart::new(Rc::clone(&file), at as u64, len);
        conn.send_before(&ends, b"first ").unwrap();
        conn.send_file(&ends, part(7, 200_000)).unwrap();
        conn.send(&ends, b" between").unwrap();
        conn.send(&ends, b" two ").unwrap();
        conn.send_file(&ends, part(0, 0)).unwrap();
        conn.send_file(&ends, part(299_990, 10)).unwrap();
        conn.send_file(&ends, part(3, 100)).unwrap();
        assert!(conn.owed() > 100_000 && conn.held() < 20, "{} {}", conn.owed(), conn.held());

        let end = &content[299_990..];
        let expected =
            [b"first ", &content[7..][..200_000], b" between two ", end, &content[3..][..100]]
                .concat();
        let mut arrived = Vec::new();
        let mut buf = [0; 10_000];
        while arrived.len() < expected.len() {
            if conn.owed() > 0 {
                conn.send_owed(&ends).unwrap();
            }
            while let Ok(len) = sys::recv(&theirs, &mut buf, MsgFlags::NONE) {
                arrived.extend_from_slice(&buf[..len]);
            }
        }
        assert!(arrived == expected, "other bytes");
        assert!(conn.owed() == 0 && conn.owed.is_none());
        assert_eq!(Rc::strong_count(&file), 1, "the file is still held");
    }

    #[test]
    fn a_file_that_has_become_shorter_is_no_end_and_no_spin() {
        let [ours, _theirs] = pair();
        let ends = Ends::Socket(ours);
        let (file, _) = file();
        file.set_len(10).unwrap();
        let mut conn = Conn::default();
        conn.send_file(&ends, FilePart::new(file, 0, 20)).unwrap();
        assert_eq!((conn.owed(), conn.is_broken()), (10, false));
        conn.send_owed(&ends).unwrap();
        assert_eq!((conn.owed(), conn.is_broken()), (10, true));
    }
}
