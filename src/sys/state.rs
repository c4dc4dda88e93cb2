//! The state of a TCP socket, for `--state`: what the kernel reports without a privilege. These calls are not in the
//! trace.
//!
//! | | state | unread | unacknowledged |
//! |---|---|---|---|
//! | Linux | `TCP_INFO` | `FIONREAD` | `TIOCOUTQ` (tcp(7): SIOCOUTQ) |
//! | macOS | `TCP_CONNECTION_INFO` | `FIONREAD` | `SO_NWRITE` |
//! | FreeBSD, NetBSD | `TCP_INFO` | `FIONREAD` | `FIONWRITE` |
//! | OpenBSD | `TCP_INFO` | `FIONREAD` | not available |
//!
//! In every one of these structures the state is the first byte.

use libc::{c_int, socklen_t};

use crate::names::{FIONREAD, IoctlRequest, LISTEN, TcpState};
use crate::values::{FdNumber, SocketState};

/// Room for the largest of the structures.
const INFO_ROOM: usize = 512;

// Linux: include/uapi/linux/tcp.h. FreeBSD, NetBSD, OpenBSD: <netinet/tcp.h>. macOS: <netinet/tcp.h>, 0x106.
#[cfg(any(linux, freebsd))]
const INFO: c_int = libc::TCP_INFO;
#[cfg(any(netbsd, openbsd))]
const INFO: c_int = 9;
#[cfg(apple)]
const INFO: c_int = 0x106;

/// The state of a socket, by its number. `None` if it is not a TCP socket, or the system does not report its state.
///
/// A number is enough here, although it gives no right to use the descriptor: whatever it refers to, these calls only
/// read, and write into memory of our own.
pub fn socket_state(number: FdNumber) -> Option<SocketState> {
    let mut info = [0u8; INFO_ROOM];
    let mut len = INFO_ROOM as socklen_t;
    let pointer = info.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `len` bytes to `info`, which has that many.
    let status =
        unsafe { libc::getsockopt(number.get(), libc::IPPROTO_TCP, INFO, pointer, &raw mut len) };
    if status != 0 || len == 0 {
        return None;
    }
    let state = TcpState::from_bits(info[0].into());
    if state == LISTEN {
        return Some(SocketState {
            state,
            unread: None,
            unacknowledged: None,
            waiting: waiting(&info),
        });
    }
    let (unread, unacknowledged) = (ask(number, FIONREAD), unacknowledged(number));
    Some(SocketState { state, unread, unacknowledged, waiting: None })
}

/// How many retransmissions of the oldest unacknowledged segment there were, by the number of a TCP socket: Linux's
/// `TCP_INFO` reports it. `None` on other systems, and for other sockets.
#[cfg(linux)]
pub fn retransmissions(number: FdNumber) -> Option<u8> {
    let mut info = [0u8; INFO_ROOM];
    let mut len = INFO_ROOM as socklen_t;
    let pointer = info.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `len` bytes to `info`, which has that many.
    let status =
        unsafe { libc::getsockopt(number.get(), libc::IPPROTO_TCP, INFO, pointer, &raw mut len) };
    let at = std::mem::offset_of!(libc::tcp_info, tcpi_retransmits);
    (status == 0 && len as usize > at).then_some(info[at])
}

/// The known structure of this system has no such count.
#[cfg(not(linux))]
pub fn retransmissions(_: FdNumber) -> Option<u8> {
    None
}

fn ask(number: FdNumber, request: IoctlRequest) -> Option<u64> {
    let mut value: c_int = 0;
    // SAFETY: every `IoctlRequest` takes a pointer to one int, and `value` is exclusively ours.
    let status = unsafe { libc::ioctl(number.get(), request.bits() as _, &raw mut value) };
    u64::try_from(value).ok().filter(|_| status == 0)
}

#[cfg(linux)]
fn unacknowledged(number: FdNumber) -> Option<u64> {
    ask(number, crate::names::TIOCOUTQ)
}

#[cfg(any(freebsd, netbsd))]
fn unacknowledged(number: FdNumber) -> Option<u64> {
    ask(number, crate::names::FIONWRITE)
}

#[cfg(apple)]
fn unacknowledged(number: FdNumber) -> Option<u64> {
    let mut value: c_int = 0;
    let mut len = size_of::<c_int>() as socklen_t;
    let pointer = (&raw mut value).cast();
    // SAFETY: the kernel writes at most `len` bytes to `value`, which has that many.
    let status = unsafe {
        libc::getsockopt(number.get(), libc::SOL_SOCKET, libc::SO_NWRITE, pointer, &raw mut len)
    };
    u64::try_from(value).ok().filter(|_| status == 0)
}

#[cfg(openbsd)]
fn unacknowledged(_: FdNumber) -> Option<u64> {
    None
}

/// How many connections wait to be accepted, and how many may wait. Linux reports these in the fields that hold, for a
/// connection, the counts of unacknowledged and selectively acknowledged segments (net/ipv4/tcp.c, tcp_get_info).
#[cfg(linux)]
fn waiting(info: &[u8]) -> Option<(u32, u32)> {
    let word = |at: usize| u32::from_ne_bytes([info[at], info[at + 1], info[at + 2], info[at + 3]]);
    let unacked = std::mem::offset_of!(libc::tcp_info, tcpi_unacked);
    let sacked = std::mem::offset_of!(libc::tcp_info, tcpi_sacked);
    Some((word(unacked), word(sacked)))
}

#[cfg(not(linux))]
fn waiting(_: &[u8]) -> Option<(u32, u32)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Address;
    use crate::names::{AF_INET, CLOSE, CLOSE_WAIT, ESTABLISHED, MsgFlags, Protocol, SOCK_STREAM};
    use crate::sys::{accept, bind, connect, getsockname, listen, pipe, send, socket};

    /// Waits until `is` holds for the state: what the other end did takes time to arrive, even through loopback.
    fn wait_for(number: FdNumber, is: impl Fn(&SocketState) -> bool) -> SocketState {
        for _ in 0..1000 {
            let state = socket_state(number).unwrap();
            if is(&state) {
                return state;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        panic!("{:?}", socket_state(number));
    }

    #[test]
    fn a_connection_is_seen_through_its_life() {
        let new = || socket(AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
        let (listener, client) = (new(), new());
        assert_eq!(socket_state(client.number()).unwrap().state, CLOSE);
        bind(&listener, &Address::v4(std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
        listen(&listener, 7).unwrap();
        connect(&client, &getsockname(&listener).unwrap()).unwrap();
        let listening = socket_state(listener.number()).unwrap();
        assert_eq!(listening.state, LISTEN);
        if cfg!(linux) {
            assert_eq!(listening.waiting, Some((1, 7)));
        }
        let (accepted, _) = accept(&listener).unwrap();
        send(&client, b"hello", MsgFlags::NONE).unwrap();
        let state = wait_for(accepted.number(), |state| state.unread == Some(5));
        assert_eq!(state.state, ESTABLISHED);
        drop(client);
        wait_for(accepted.number(), |state| state.state == CLOSE_WAIT);
    }

    #[test]
    fn what_is_no_tcp_socket_has_no_state() {
        let [out, _into] = pipe().unwrap();
        assert_eq!(socket_state(out.number()), None);
        assert_eq!(socket_state(FdNumber::new(-1)), None);
    }
}
