//! A server with several services, and clients that speak to them.

use std::io::Read;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use super::{BARESOCK, KilledAtEnd, PATIENCE, lines_of};

/// Both calls.
pub(crate) const BOTH: [&str; 2] = ["select", "poll"];

/// A server, which ends with its test.
pub(crate) struct Services {
    child: KilledAtEnd,
    /// Where each of its services listens, as they were given.
    listening: Vec<String>,
    /// Kept, so that the pipe stays open.
    _lines: Receiver<String>,
}

/// Starts a server with these services, one address each, and waits until all listen.
#[track_caller]
pub(crate) fn serve(via: &str, services: &[&str]) -> Services {
    serve_with(via, services, &[])
}

/// The same with flags.
#[track_caller]
pub(crate) fn serve_with(via: &str, services: &[&str], flags: &[&str]) -> Services {
    let mut command = Command::new(BARESOCK);
    command.args(["serve", "--via", via]).args(flags).args(services);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = KilledAtEnd(command.spawn().unwrap());
    let lines = lines_of(child.0.stdout.take().unwrap());
    let listening = services.iter().map(|service| {
        let line = lines.recv_timeout(PATIENCE).expect("a line for each listener");
        let name = service.split('=').next().unwrap();
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[..2], ["listening", name], "{line}");
        words[2].to_string()
    });
    let listening = listening.collect();
    Services { child, listening, _lines: lines }
}

impl Services {
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// The address of the service of this number.
    #[track_caller]
    pub(crate) fn at(&self, service: usize) -> SocketAddr {
        self.listening[service].parse().unwrap()
    }

    /// A connection to it. What it waits for must arrive: a read that would wait forever fails.
    #[track_caller]
    pub(crate) fn connect(&self, service: usize) -> TcpStream {
        let stream = TcpStream::connect(self.at(service)).unwrap();
        stream.set_nodelay(true).unwrap();
        super::impatient(stream)
    }
}

/// Everything up to the peer's end.
#[track_caller]
pub(crate) fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).unwrap();
    all
}

/// A datagram socket on this address.
#[track_caller]
pub(crate) fn datagrams(at: impl ToSocketAddrs) -> UdpSocket {
    let socket = UdpSocket::bind(at).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// The answer to a datagram.
#[track_caller]
pub(crate) fn answer(client: &UdpSocket, server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    client.send_to(bytes, server).unwrap();
    let mut buffer = [0; 70_000];
    let (len, from) = client.recv_from(&mut buffer).unwrap();
    assert_eq!(from, server);
    buffer[..len].to_vec()
}

/// Whether a datagram has come.
pub(crate) fn has_come(client: &UdpSocket) -> bool {
    client.set_nonblocking(true).unwrap();
    let came = client.recv(&mut [0; 1]).is_ok();
    client.set_nonblocking(false).unwrap();
    came
}
