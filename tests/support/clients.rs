//! Clients: what they send, and that it comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::{PATIENCE, Server};

/// A connection to the server. What it waits for must arrive: a read that would wait forever fails.
#[track_caller]
pub(crate) fn connect(server: &Server) -> TcpStream {
    impatient(TcpStream::connect(server.address()).unwrap())
}

/// This many connections, made in this order.
#[track_caller]
pub(crate) fn connect_many(server: &Server, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| connect(server)).collect()
}

/// A listener at `::1`, and the same port of 127.0.0.1 held without a server that listens. A port alone means both, in the
/// other order: a client that writes this port must try the second address.
pub(crate) fn listener_on_ipv6_alone() -> (TcpListener, Socket) {
    loop {
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let held = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let port = listener.local_addr().unwrap().port();
        if held.bind(&SocketAddr::from(([127, 0, 0, 1], port)).into()).is_ok() {
            return (listener, held);
        }
    }
}

/// A connection with a small receive buffer, so that a server soon has queued bytes for it.
#[track_caller]
pub(crate) fn connect_with_little_room(server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // Set before the connection is made, because the window is negotiated in the handshake.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.address().into()).unwrap();
    impatient(socket.into())
}

pub(crate) fn impatient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Closes a connection with a reset.
pub(crate) fn reset(stream: TcpStream) {
    let socket = Socket::from(stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

/// What is sent comes back.
#[track_caller]
pub(crate) fn assert_echo(mut stream: impl Read + Write, message: &[u8]) {
    stream.write_all(message).unwrap();
    assert_receives(stream, message);
}

#[track_caller]
pub(crate) fn assert_receives(mut stream: impl Read, message: &[u8]) {
    let mut back = vec![0; message.len()];
    stream.read_exact(&mut back).unwrap();
    assert!(back == message, "other bytes came back");
}

/// The server has finished: nothing more comes.
#[track_caller]
pub(crate) fn assert_finished(mut stream: impl Read) {
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "one more byte");
}

/// Nothing has come so far, and the connection stands.
#[track_caller]
pub(crate) fn assert_nothing_came(mut stream: &TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let came = stream.read(&mut [0]).map_err(|error| error.kind());
    stream.set_nonblocking(false).unwrap();
    assert_eq!(came, Err(ErrorKind::WouldBlock));
}

/// Whether this machine has IPv6.
pub(crate) fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

/// Raises this process's own limit, which its clients need. False, and said, if it does not reach far enough.
pub(crate) fn can_have_descriptors(count: u64) -> bool {
    let limits = baresock::os::limits::raise_descriptor_limit().unwrap();
    if limits.soft < count {
        let have = limits.soft;
        super::skipped(&format!("{count} descriptors are needed, and the limit is {have}"));
    }
    limits.soft >= count
}

/// A long message: a block whose length is a prime, over and over, so that no piece of it that is lost or comes twice
/// goes unseen.
pub(crate) struct Message {
    block: Vec<u8>,
    len: usize,
}

impl Message {
    pub(crate) fn of(len: usize) -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let bytes = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 56) as u8
        });
        Self { block: bytes.take(1_000_003).collect(), len }
    }

    /// The bytes from a place on: as many as there are up to the end of the block, and at most `most`.
    pub(crate) fn at(&self, place: usize, most: usize) -> &[u8] {
        let from = place % self.block.len();
        let most = most.min(self.len - place);
        &self.block[from..self.block.len().min(from + most)]
    }

    /// Sends all of it, `piece` bytes at a time.
    #[track_caller]
    pub(crate) fn send(&self, mut to: impl Write, piece: usize) {
        let mut sent = 0;
        while sent < self.len {
            let bytes = self.at(sent, piece);
            to.write_all(bytes).unwrap();
            sent += bytes.len();
        }
    }

    /// Receives all of it, at most `piece` bytes at a time, and then the end. `at` is told how far it is.
    #[track_caller]
    pub(crate) fn assert_comes_back(
        &self,
        mut from: impl Read,
        piece: usize,
        mut at: impl FnMut(usize),
    ) {
        let mut buffer = vec![0; piece];
        let mut received = 0;
        loop {
            let len = from.read(&mut buffer).unwrap();
            if len == 0 {
                break;
            }
            let mut rest = &buffer[..len];
            while !rest.is_empty() {
                assert!(received < self.len, "more came back than was sent");
                let expected = self.at(received, rest.len());
                assert!(rest[..expected.len()] == *expected, "other bytes from byte {received} on");
                received += expected.len();
                rest = &rest[expected.len()..];
            }
            at(received);
        }
        assert_eq!(received, self.len, "not all of it came back");
    }
}
