//! What goes over the loopback interface of this process's network, frame by frame, with the time at which the kernel sent
//! it. A packet socket (Linux) sees every frame; opening one takes a privilege, which a process has in a network of its own
//! ([`own_network`](super::own_network)).

use crate::names::Errno;

/// A frame as it went over the interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When the kernel sent it, in nanoseconds since 1970.
    pub since_1970_ns: u64,
    /// The same moment on the clock of the trace, which is `CLOCK_MONOTONIC`.
    pub time_ns: u64,
    /// Its length on the wire. `bytes` may have less: of a long frame, only the headers are kept.
    pub len: u32,
    /// Its bytes, from the Ethernet header on.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// How much memory it takes.
    pub fn bytes_in_memory(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity()
    }
}

/// Which step of opening a capture failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCapture {
    tried: &'static str,
    errno: Errno,
}

impl std::fmt::Display for NoCapture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "capture on loopback: {}: {}", self.tried, self.errno)
    }
}

impl std::error::Error for NoCapture {}

#[cfg(linux)]
pub use linux::Capture;

#[cfg(not(linux))]
pub use elsewhere::Capture;

#[cfg(linux)]
mod linux {
    use std::net::UdpSocket;
    use std::thread::sleep;
    use std::time::Duration;

    use nix::time::{ClockId, clock_gettime};

    use super::{Frame, NoCapture};
    use crate::addr::Address;
    use crate::byteorder::{htons, ntohs};
    use crate::names::{
        AF_PACKET, Errno, MSG_DONTWAIT, POLLIN, Protocol, SO_RCVBUF, SOCK_CLOEXEC, SOCK_RAW,
        SOL_SOCKET,
    };
    use crate::sys::packet::{
        FilterStep, SCM_TIMESTAMPNS, attach_filter, dropped_packets, stamp_packets,
    };
    use crate::sys::{self, AsFd, Fd, PollFd};
    use crate::trace::suspended;

    /// A longer frame is kept without its payload.
    const KEPT_WHOLE: u32 = 2048;
    /// Ethernet, IP, and TCP with its time stamps (12 bytes), which Linux sends in each segment.
    const HEADERS: u32 = 14 + 20 + 32;
    const HEADERS_OF_IPV6: u32 = 14 + 40 + 32;
    /// A control message with a time needs no more room than one with this many descriptors.
    const ROOM_FOR_TIME: usize = 16;
    /// As much as the system gives: a burst must not overflow it before this process runs.
    const RECEIVE_BUFFER: i32 = 64 * 1024 * 1024;
    /// The number of the capture's descriptor is at least this, so that those of the calls that are watched are what they
    /// would be without it.
    const LOWEST_DESCRIPTOR: i32 = 64;

    /// `ETH_P_ALL`.
    const EVERY_PROTOCOL: u16 = 3;
    /// The place of `pkttype` among the facts that a filter can load: `SKF_AD_OFF + SKF_AD_PKTTYPE`.
    const PACKET_TYPE: u32 = (-0x1000_i32 + 4) as u32;
    /// `PACKET_OUTGOING`.
    const OUTGOING: u32 = 4;
    const ETHERTYPE_AT: u32 = 12;
    const IPV6: u32 = 0x86dd;

    /// The filter. On loopback a packet socket sees each frame twice, as it is sent and as it arrives; only the first is
    /// kept, for it is here before the sending call goes on. A long frame without its payload takes little of the buffer.
    const FILTER: [FilterStep; 10] = {
        const LOAD_WORD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
        const LOAD_HALF: u16 = 0x28; // BPF_LD | BPF_H | BPF_ABS
        const LOAD_LENGTH: u16 = 0x80; // BPF_LD | BPF_W | BPF_LEN
        const IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
        const IF_GREATER: u16 = 0x25; // BPF_JMP | BPF_JGT | BPF_K
        const RETURN: u16 = 0x06; // BPF_RET | BPF_K
        const fn step(code: u16, operand: u32, jump_if_true: u8, jump_if_false: u8) -> FilterStep {
            FilterStep { code, jump_if_true, jump_if_false, operand }
        }
        [
            // Only what is sent; otherwise on to the last step.
            step(LOAD_WORD, PACKET_TYPE, 0, 0),
            step(IF_EQUAL, OUTGOING, 0, 7),
            // A short frame is kept whole.
            step(LOAD_LENGTH, 0, 0, 0),
            step(IF_GREATER, KEPT_WHOLE, 0, 3),
            // A long one is cut behind its headers, which are longer in IPv6.
            step(LOAD_HALF, ETHERTYPE_AT, 0, 0),
            step(IF_EQUAL, IPV6, 2, 0),
            step(RETURN, HEADERS, 0, 0),
            step(RETURN, KEPT_WHOLE, 0, 0),
            step(RETURN, HEADERS_OF_IPV6, 0, 0),
            // Dropped.
            step(RETURN, 0, 0, 0),
        ]
    };

    /// A capture on the loopback interface.
    #[derive(Debug)]
    pub struct Capture {
        socket: Fd,
    }

    impl Capture {
        /// Begins to capture.
        ///
        /// # Errors
        /// `EPERM`: this process may not look at this network's packets.
        pub fn of_loopback() -> Result<Self, NoCapture> {
            suspended(|| {
                let capture = Self { socket: opened()? };
                capture.wait_for_times()?;
                Ok(capture)
            })
        }

        /// Passes on what has arrived and was not yet read, in order; returns at once. What is sent meanwhile may be left for
        /// the next time, or else a program that sends without a pause would never let it return.
        pub fn read_arrived(&self, mut take: impl FnMut(Frame)) {
            suspended(|| {
                let lag_ns = clocks_lag_ns();
                let called_ns = now_ns(ClockId::CLOCK_REALTIME);
                let mut room = [0; KEPT_WHOLE as usize];
                loop {
                    let received =
                        sys::recvmsg(&self.socket, &mut [&mut room], ROOM_FOR_TIME, MSG_DONTWAIT);
                    let received = match received {
                        Ok(received) => received,
                        // A lab has cut the network: the kernel says so once, and what was sent before is still there.
                        Err(Errno::EINTR | Errno::ENETDOWN) => continue,
                        Err(_) => return,
                    };
                    let time = received.control.iter().find(|message| {
                        (message.level, message.kind) == (SOL_SOCKET, SCM_TIMESTAMPNS)
                    });
                    let Some(since_1970_ns) = time.and_then(|message| nanoseconds(&message.data))
                    else {
                        continue;
                    };
                    let bytes = room[..received.len].to_vec();
                    let time_ns = since_1970_ns.saturating_sub(lag_ns);
                    take(Frame { since_1970_ns, time_ns, len: length_on_wire(&bytes), bytes });
                    if since_1970_ns > called_ns {
                        return;
                    }
                }
            });
        }

        /// Waits until something has arrived, at most for this long.
        pub fn wait(&self, timeout_ms: i32) {
            let mut rows = [PollFd::new(self.socket.as_fd(), POLLIN)];
            // What may fail here fails again when it is read.
            let _ = suspended(|| sys::poll(&mut rows, timeout_ms));
        }

        /// How many frames found no room in the buffer since this was last asked.
        pub fn dropped(&self) -> u32 {
            dropped_packets(&self.socket).unwrap_or(0)
        }

        /// Waits until the kernel gives each packet its time as it is sent. It begins to do so a moment after the first
        /// socket has asked; until then a packet gets the time at which it is *read*. A datagram that is read late tells.
        fn wait_for_times(&self) -> Result<(), NoCapture> {
            const ATTEMPTS: usize = 500;
            let failed = |error: std::io::Error| NoCapture {
                tried: "a datagram to 127.0.0.1",
                errno: error.raw_os_error().map_or(Errno::UNLISTED, Errno::from_number),
            };
            for _ in 0..ATTEMPTS {
                let probe = UdpSocket::bind(("127.0.0.1", 0)).map_err(failed)?;
                let to = probe.local_addr().map_err(failed)?;
                probe.send_to(b"time", to).map_err(failed)?;
                let sent_by_ns = now_ns(ClockId::CLOCK_REALTIME);
                sleep(Duration::from_millis(2));
                let mut stamped_ns = u64::MAX;
                self.read_arrived(|frame| stamped_ns = stamped_ns.min(frame.since_1970_ns));
                if stamped_ns <= sent_by_ns {
                    return Ok(());
                }
            }
            Err(NoCapture { tried: "the time of a packet", errno: Errno::ETIMEDOUT })
        }
    }

    /// A packet socket on loopback, which has seen nothing before its filter was in place.
    fn opened() -> Result<Fd, NoCapture> {
        let failed = |tried| move |errno| NoCapture { tried, errno };
        let socket = sys::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, Protocol::default())
            .map_err(failed("socket(AF_PACKET)"))?;
        let socket = sys::fcntl_dupfd_cloexec(&socket, LOWEST_DESCRIPTOR).unwrap_or(socket);
        attach_filter(&socket, &FILTER).map_err(failed("SO_ATTACH_FILTER"))?;
        stamp_packets(&socket).map_err(failed("SO_TIMESTAMPNS"))?;
        // The system cuts it to what it allows.
        let _ = sys::setsockopt(&socket, SOL_SOCKET, SO_RCVBUF, &RECEIVE_BUFFER);
        let loopback = sys::if_nametoindex("lo").map_err(failed("if_nametoindex lo"))?;
        sys::bind(&socket, &link_address(loopback)).map_err(failed("bind to lo"))?;
        Ok(socket)
    }

    /// `struct sockaddr_ll` with a protocol and an interface, after its family.
    fn link_address(interface: u32) -> Address {
        const LENGTH: usize = 18;
        let mut data = htons(EVERY_PROTOCOL).to_ne_bytes().to_vec();
        data.extend(interface.to_ne_bytes());
        data.resize(LENGTH, 0);
        Address::Other { family: AF_PACKET, data }
    }

    fn now_ns(clock: ClockId) -> u64 {
        clock_gettime(clock).map_or(0, |now| Duration::from(now).as_nanos() as u64)
    }

    /// How far `CLOCK_MONOTONIC` is behind the time since 1970. The two are read in turn, so that the error is at most half of
    /// the shortest of a few readings. It is read again for each batch of packets, because the time since 1970 may be set.
    fn clocks_lag_ns() -> u64 {
        const READINGS: usize = 4;
        let read = |_| {
            let before = now_ns(ClockId::CLOCK_MONOTONIC);
            let since_1970 = now_ns(ClockId::CLOCK_REALTIME);
            let after = now_ns(ClockId::CLOCK_MONOTONIC);
            (after - before, since_1970.saturating_sub(before + (after - before) / 2))
        };
        (0..READINGS).map(read).min().map_or(0, |(_, lag_ns)| lag_ns)
    }

    /// A `struct timespec`, whose fields have 32 or 64 bits.
    fn nanoseconds(data: &[u8]) -> Option<u64> {
        let (seconds, nanoseconds) = match data.len() {
            16 => (
                i64::from_ne_bytes(data[..8].try_into().ok()?),
                i64::from_ne_bytes(data[8..].try_into().ok()?),
            ),
            8 => (
                i32::from_ne_bytes(data[..4].try_into().ok()?).into(),
                i32::from_ne_bytes(data[4..].try_into().ok()?).into(),
            ),
            _ => return None,
        };
        u64::try_from(seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)?).ok()
    }

    /// The length of a frame that may have been cut: what IP says, and the Ethernet header.
    fn length_on_wire(bytes: &[u8]) -> u32 {
        let number = |at: usize| {
            let field = bytes.get(at..at + 2)?;
            Some(u32::from(ntohs(u16::from_ne_bytes([field[0], field[1]]))))
        };
        let kept = bytes.len() as u32;
        let said = match number(ETHERTYPE_AT as usize) {
            Some(0x0800) => number(16).map(|length| 14 + length),
            Some(IPV6) => number(18).map(|length| 14 + 40 + length),
            _ => None,
        };
        said.unwrap_or(kept).max(kept)
    }
}

#[cfg(not(linux))]
mod elsewhere {
    use super::{Frame, NoCapture};
    use crate::names::Errno;

    /// A capture on the loopback interface, which this system has not (the BSDs and macOS have bpf(4), for root).
    #[derive(Debug)]
    pub struct Capture(());

    impl Capture {
        /// Always fails.
        ///
        /// # Errors
        /// `ENOSYS`.
        pub fn of_loopback() -> Result<Self, NoCapture> {
            Err(NoCapture { tried: "socket(AF_PACKET)", errno: Errno::ENOSYS })
        }

        /// There is nothing to read.
        pub fn read_arrived(&self, _: impl FnMut(Frame)) {}

        /// There is nothing to wait for.
        pub fn wait(&self, _: i32) {}

        /// Nothing is lost.
        pub fn dropped(&self) -> u32 {
            0
        }
    }
}
