//! Failures that all sending calls share, and all receiving calls: each caused with each wrapper. And those that need
//! preparation: a terminal that is gone, a file of the greatest length, no privilege.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

use baresock::sys::*;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::unistd::{Uid, setresuid};

use super::{ANY, Interrupter, has_first_process, has_ipv6, listener, loopback, tcp_pair, udp};
use super::{most_fds, unix_pair, until_readable, with_descriptor_limit};

/// What is made before the trace begins, because it takes calls that are not of the subject.
pub(crate) struct Ready {
    /// A terminal whose other end, the one programs read and write, was closed.
    deserted: Fd,
    /// The other way round: the terminal's own end was closed.
    hung_up: Fd,
    /// A file at its end, which is as far as this process may write.
    longest: Fd,
    /// A directory without write permission, with a socket in it without write permission.
    closed: (&'static str, &'static str),
    /// The number of the interface that is this machine alone.
    loopback_number: u32,
}

impl Ready {
    pub(crate) fn new() -> Self {
        let [first, second] = std::array::from_fn(|_| nix::pty::openpty(None, None).unwrap());
        drop(first.slave);
        drop(second.master);
        let closed = ("closed", "closed/listener");
        fs::create_dir(closed.0).unwrap();
        drop(std::os::unix::net::UnixListener::bind(closed.1).unwrap());
        for place in [closed.1, closed.0] {
            fs::set_permissions(place, fs::Permissions::from_mode(0o555)).unwrap();
        }
        // Made before the limit, which with 32 bits does not reach so far. Nothing of it is on the disk.
        File::create_new("large").unwrap().set_len(5_000_000_000).unwrap();
        let interfaces = if_nameindex().unwrap();
        let (loopback_number, _) = interfaces.iter().find(|(_, name)| name == "lo").unwrap();
        Self {
            loopback_number: *loopback_number,
            deserted: first.master.into(),
            hung_up: second.slave.into(),
            longest: longest_file().into(),
            closed,
        }
    }
}

impl Drop for Ready {
    /// The cleanup may remove the socket again.
    fn drop(&mut self) {
        fs::set_permissions(self.closed.0, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// The longest file that this process may write. (What a file system allows is more than an offset can say on btrfs, xfs and
/// tmpfs: there only this limit gives EFBIG.) It is far beyond what this test needs.
const LONGEST: rlim_t = if size_of::<rlim_t>() == 4 { 1 << 31 } else { (1_u64 << 36) as rlim_t };

/// A file at the end of what this process may write. The signal that comes with the error is ignored.
fn longest_file() -> OwnedFd {
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let end = LONGEST.min(hard);
    setrlimit(Resource::RLIMIT_FSIZE, end, hard).unwrap();
    sigaction(SIGXFSZ, Some(&SigAction::new(Handler::Ignore)), None).unwrap();
    let mut file = File::create("longest").unwrap();
    file.seek(SeekFrom::Start(end as u64)).unwrap();
    file.into()
}

pub(super) fn drive(interrupter: &Interrupter, ready: &Ready) {
    full(interrupter);
    resets();
    refusals();
    silence();
    no_connection();
    flags();
    files(ready);
    places(ready.loopback_number);
    accepting(interrupter);
    as_nobody(|| without_privilege(ready));
}

type Sends = fn(&Fd, &[u8], MsgFlags) -> Result<usize>;
type Receives = fn(&Fd, MsgFlags) -> Result<usize>;

/// The calls that send to the connected peer.
const SENDERS: [Sends; 3] =
    [|fd, buf, flags| send(fd, buf, flags), send_message, |fd, buf, _| write(fd, buf)];

/// The calls that receive.
const RECEIVERS: [Receives; 4] = [
    |fd, flags| recv(fd, &mut [0; 8], flags),
    |fd, flags| recvfrom(fd, &mut [0; 8], flags).map(|(len, _)| len),
    |fd, flags| recvmsg(fd, &mut [&mut [0; 8]], 0, flags).map(|received| received.len),
    |fd, _| read(fd, &mut [0; 8]),
];

fn send_message(fd: &Fd, buf: &[u8], flags: MsgFlags) -> Result<usize> {
    sendmsg(fd, None, &[buf], &[], flags)
}

/// TCP does not look at the address of `sendto`.
fn send_to_peer(fd: &Fd, buf: &[u8], flags: MsgFlags) -> Result<usize> {
    sendto(fd, buf, flags, &loopback())
}

fn tcp() -> Fd {
    socket(AF_INET, SOCK_STREAM, ANY).unwrap()
}

/// The queue of a datagram socket stays full while the receiver does not read.
fn full(interrupter: &Interrupter) {
    super::signals::interrupt_on_usr1(SaFlags::NONE);
    let (_receiver, at) = udp(&Address::unix("full datagrams"));
    let sender = socket(AF_UNIX, SOCK_DGRAM, ANY).unwrap();
    connect(&sender, &at).unwrap();
    while send(&sender, b"x", MSG_DONTWAIT) != Err(Errno::EAGAIN) {}
    assert_eq!(sendto(&sender, b"x", MSG_DONTWAIT, &at), Err(Errno::EAGAIN));
    assert_eq!(send_message(&sender, b"x", MSG_DONTWAIT), Err(Errno::EAGAIN));
    let sent = interrupter.during(|| sendto(&sender, b"x", MsgFlags::NONE, &at));
    assert_eq!(sent, Err(Errno::EINTR));
    let sent = interrupter.during(|| send_message(&sender, b"x", MsgFlags::NONE));
    assert_eq!(sent, Err(Errno::EINTR));
}

/// A socket whose peer has reset the connection, which no call has reported yet.
fn reset() -> Fd {
    let [fd, peer] = tcp_pair();
    setsockopt(&peer, SOL_SOCKET, SO_LINGER, &Linger { l_onoff: 1, l_linger: 0 }).unwrap();
    drop(peer);
    until_readable(&fd);
    fd
}

fn resets() {
    for send in SENDERS.into_iter().chain([send_to_peer as Sends]) {
        let fd = reset();
        assert_eq!(send(&fd, b"x", MSG_NOSIGNAL), Err(Errno::ECONNRESET));
        // It is told once.
        assert_eq!(send(&fd, b"x", MSG_NOSIGNAL), Err(Errno::EPIPE));
    }
    for receive in RECEIVERS {
        assert_eq!(receive(&reset(), MsgFlags::NONE), Err(Errno::ECONNRESET));
    }
}

/// A UDP socket with a pending ECONNREFUSED.
fn refused() -> (Fd, Address) {
    let (closed, at) = udp(&loopback());
    drop(closed);
    let fd = socket(AF_INET, SOCK_DGRAM, ANY).unwrap();
    connect(&fd, &at).unwrap();
    send(&fd, b"is anybody there?", MsgFlags::NONE).unwrap();
    until_readable(&fd);
    (fd, at)
}

fn refusals() {
    for send in SENDERS {
        assert_eq!(send(&refused().0, b"x", MsgFlags::NONE), Err(Errno::ECONNREFUSED));
    }
    for receive in RECEIVERS {
        assert_eq!(receive(&refused().0, MsgFlags::NONE), Err(Errno::ECONNREFUSED));
    }
}

/// Connections whose peer takes nothing more, and that wait no longer than a millisecond for it; and a peer that does
/// not answer at all.
fn silence() {
    let (listener, at) = listener(&loopback());
    setsockopt(&listener, SOL_SOCKET, SO_RCVBUF, &2048).unwrap();
    let silent = |_| {
        let fd = tcp();
        setsockopt(&fd, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
        connect(&fd, &at).unwrap();
        (fd, accept(&listener).unwrap())
    };
    let sending: [_; 4] = std::array::from_fn(silent);
    let receiving: [_; 4] = std::array::from_fn(silent);
    for (fd, _) in sending.iter().chain(&receiving) {
        while send(fd, &[b'x'; 4096], MSG_DONTWAIT | MSG_NOSIGNAL).is_ok() {}
        // Not earlier: on a busy machine these calls would get the error already.
        setsockopt(fd, SOL_TCP, TCP_USER_TIMEOUT, &1).unwrap();
    }
    for (fd, _) in sending.iter().chain(&receiving) {
        assert_eq!(poll(&mut [PollFd::new(fd.as_fd(), PollEvents::NONE)], 20_000), Ok(1));
    }
    for ((fd, _), send) in sending.iter().zip(SENDERS.into_iter().chain([send_to_peer as Sends])) {
        assert_eq!(send(fd, b"x", MSG_NOSIGNAL), Err(Errno::ETIMEDOUT));
    }
    for ((fd, _), receive) in receiving.iter().zip(RECEIVERS) {
        assert_eq!(receive(fd, MsgFlags::NONE), Err(Errno::ETIMEDOUT));
    }

    let full = tcp();
    bind(&full, &loopback()).unwrap();
    listen(&full, 0).unwrap();
    let at = getsockname(&full).unwrap();
    let [first, second] = [tcp(), tcp()];
    connect(&first, &at).unwrap();
    setsockopt(&second, SOL_TCP, TCP_USER_TIMEOUT, &1).unwrap();
    assert_eq!(connect(&second, &at), Err(Errno::ETIMEDOUT));
}

fn no_connection() {
    for receive in RECEIVERS {
        assert_eq!(receive(&tcp(), MsgFlags::NONE), Err(Errno::ENOTCONN));
    }
    let unix = socket(AF_UNIX, SOCK_DGRAM, ANY).unwrap();
    let (internet, _) = udp(&loopback());
    for send in SENDERS {
        assert_eq!(send(&unix, b"x", MsgFlags::NONE), Err(Errno::ENOTCONN));
        assert_eq!(send(&internet, b"x", MsgFlags::NONE), Err(Errno::EDESTADDRREQ));
    }
    let records = socket(AF_UNIX, SOCK_SEQPACKET, ANY).unwrap();
    let sent = sendto(&records, b"x", MsgFlags::NONE, &Address::unix("anybody"));
    assert_eq!(sent, Err(Errno::ENOTCONN));
    if has_ipv6() {
        let fd = socket(AF_INET6, SOCK_DGRAM, ANY).unwrap();
        let no_peer = Address::Other { family: AF_UNSPEC, data: vec![0; 14] };
        assert_eq!(sendto(&fd, b"x", MsgFlags::NONE, &no_peer), Err(Errno::EDESTADDRREQ));
    }
}

fn flags() {
    let (_receiver, at) = udp(&loopback());
    let fd = socket(AF_INET, SOCK_DGRAM, ANY).unwrap();
    connect(&fd, &at).unwrap();
    for send in SENDERS {
        assert_eq!(send(&fd, &[0; 70_000], MsgFlags::NONE), Err(Errno::EMSGSIZE));
    }
    for send in &SENDERS[..2] {
        assert_eq!(send(&fd, b"x", MSG_OOB), Err(Errno::EOPNOTSUPP));
    }
    let [stream, _peer] = tcp_pair();
    let [datagrams, _other] = unix_pair(SOCK_DGRAM);
    for receive in &RECEIVERS[..3] {
        assert_eq!(receive(&stream, MSG_OOB), Err(Errno::EINVAL));
        assert_eq!(receive(&datagrams, MSG_OOB), Err(Errno::EOPNOTSUPP));
    }
}

fn files(ready: &Ready) {
    assert_eq!(read(&ready.deserted, &mut [0; 8]), Err(Errno::EIO));
    assert_eq!(write(&ready.hung_up, b"x"), Err(Errno::EIO));
    assert_eq!(write(&ready.longest, b"x"), Err(Errno::EFBIG));
    let directory: Fd = OwnedFd::from(File::open(".").unwrap()).into();
    assert_eq!(read(&directory, &mut [0; 8]), Err(Errno::EISDIR));
    let device = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(write(Fd::from(OwnedFd::from(device)), b"x"), Err(Errno::ENOSPC));
}

/// Names and ports that are taken, or lead nowhere.
fn places(loopback_number: u32) {
    let shared = || {
        let fd = tcp();
        setsockopt(&fd, SOL_SOCKET, SO_REUSEADDR, &1).unwrap();
        fd
    };
    let [first, second] = [shared(), shared()];
    bind(&first, &loopback()).unwrap();
    bind(&second, &getsockname(&first).unwrap()).unwrap();
    listen(&first, 1).unwrap();
    assert_eq!(listen(&second, 1), Err(Errno::EADDRINUSE));

    // The same two ends twice: there is no local port left for that peer.
    let (_listener, at) = listener(&loopback());
    let [first, second] = [shared(), shared()];
    bind(&first, &loopback()).unwrap();
    bind(&second, &getsockname(&first).unwrap()).unwrap();
    connect(&first, &at).unwrap();
    assert_eq!(connect(&second, &at), Err(Errno::EADDRNOTAVAIL));

    if has_ipv6() {
        // A link-local address through the loopback interface, which is no link.
        let no_peer =
            SocketAddrV6::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), 9, 0, loopback_number);
        let fd = socket(AF_INET6, SOCK_DGRAM, ANY).unwrap();
        assert_eq!(connect(&fd, &Address::V6(no_peer)), Err(Errno::ENETUNREACH));
        let sent = sendto(&fd, b"x", MsgFlags::NONE, &Address::V6(no_peer));
        assert_eq!(sent, Err(Errno::ENETUNREACH));
    }
}

fn accepting(interrupter: &Interrupter) {
    super::signals::interrupt_on_usr1(SaFlags::NONE);
    let accept = |fd: &Fd| accept4(fd, SocketFlags::NONE).map(drop);
    let (listener, _) = listener(&loopback());
    assert_eq!(interrupter.during(|| accept(&listener)), Err(Errno::EINTR));
    let (datagrams, _) = udp(&loopback());
    assert_eq!(accept(&datagrams), Err(Errno::EOPNOTSUPP));
    let [pipe_end, _] = pipe().unwrap();
    assert_eq!(accept(&pipe_end), Err(Errno::ENOTSOCK));
}

/// Does something as a user without privileges, and switches back.
fn as_nobody(what: impl FnOnce()) {
    let root = Uid::from_raw(0);
    if !Uid::effective().is_root() {
        return what();
    }
    let nobody = Uid::from_raw(65534);
    setresuid(nobody, nobody, root).unwrap();
    what();
    setresuid(root, root, root).unwrap();
}

fn without_privilege(ready: &Ready) {
    let stream = || socket(AF_UNIX, SOCK_STREAM, ANY).unwrap();
    let (directory, socket_in_it) = ready.closed;
    let inside = Address::unix(format!("{directory}/new"));
    assert_eq!(bind(stream(), &inside), Err(Errno::EACCES));
    assert_eq!(connect(stream(), &Address::unix(socket_in_it)), Err(Errno::EACCES));
    assert_eq!(socket(AF_INET, SOCK_RAW, IPPROTO_TCP).map(drop), Err(Errno::EPERM));
    assert_eq!(setsockopt(stream(), SOL_SOCKET, SO_PRIORITY, &7), Err(Errno::EPERM));
    if !has_first_process() {
        assert_eq!(kill(1, Signal::from_bits(0)), Err(Errno::EPERM));
    }
    // Twice as many as a process may have descriptors are on their way.
    let [a, _b] = unix_pair(SOCK_DGRAM);
    let fds = vec![a.as_fd(); most_fds()];
    with_descriptor_limit(most_fds() as u64 / 2, || {
        sendmsg(&a, None, &[b"x"], &fds, MsgFlags::NONE).unwrap();
        let sent = sendmsg(&a, None, &[b"x"], &fds, MsgFlags::NONE);
        assert_eq!(sent, Err(Errno::ETOOMANYREFS));
    });
}
