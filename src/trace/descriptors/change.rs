//! What a call changes at the file that it was made on. The rules are here only: for the tracer's table of descriptors, and for the
//! report, which has an index of its own.

use super::{DescriptorKind, OpenFile, asked_for_bytes, only_looks};
use crate::addr::Address;
use crate::names::{AF_UNSPEC, Errno, F_SETFL, FIONBIO, Named, O_NONBLOCK};
use crate::trace::arg::{Arg, Value};
use crate::trace::event::{Event, Mark, Outcome};
use crate::trace::page::Effect;

/// One change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FileChange<'e> {
    /// Bytes were received, or the end of the file.
    Received {
        /// How many; those that `MSG_PEEK` leaves in the socket do not count.
        bytes: u64,
        /// Whether nothing came although bytes were asked for.
        is_end: bool,
    },
    /// This many bytes were sent.
    Sent(u64),
    /// The socket has this peer, or will have it: the call may have returned before.
    Connected(Option<&'e Address>),
    /// The address of this end, and that of the other end, as far as the call tells them.
    Named(Option<&'e Address>, Option<&'e Address>),
    /// The socket listens.
    Listens,
    /// This end has shut down its sending half.
    FinishedSending,
    /// Whether `close` discards unsent bytes.
    Abrupt(bool),
    /// `O_NONBLOCK` is set or cleared.
    Nonblocking(bool),
    /// The connection is lost.
    Reset,
    /// The connection takes no more bytes.
    NotSendable,
}

impl<'e> FileChange<'e> {
    /// What this call changes at the file of its descriptor, if anything.
    pub fn of(event: &'e Event<'_>) -> Option<Self> {
        match event.outcome {
            Outcome::Value(value) => Self::of_success(event, value),
            Outcome::Error(errno) => Self::of_failure(event, errno),
            Outcome::Unknown => None,
        }
    }

    fn of_success(event: &'e Event<'_>, value: i64) -> Option<Self> {
        let change = match event.callee.effect() {
            Effect::Receives => {
                let moved = event.bytes_moved(value)?;
                Self::Received {
                    bytes: if only_looks(event) { 0 } else { moved },
                    is_end: moved == 0 && asked_for_bytes(event),
                }
            }
            Effect::Sends => Self::Sent(event.bytes_moved(value)?),
            // 0 is not always the end of file: splice returns it at the mark of an urgent byte, too.
            Effect::Splices => Self::Received { bytes: event.bytes_moved(value)?, is_end: false },
            Effect::Connects => Self::Connected(address(event)),
            Effect::Binds | Effect::TellsName => Self::Named(address(event), None),
            Effect::TellsPeer => Self::Named(None, address(event)),
            Effect::Listens => Self::Listens,
            Effect::ShutsDown if !event.args.iter().any(|arg| says(arg, "SHUT_RD")) => {
                Self::FinishedSending
            }
            Effect::SetsOption => match event.args.get(3) {
                Some(Arg::Value(Value::Linger(linger))) => {
                    Self::Abrupt(linger.l_onoff != 0 && linger.l_linger == 0)
                }
                _ => return None,
            },
            Effect::Commands => match &event.args[..] {
                [_, Arg::Request(FIONBIO), Arg::Value(Value::Int(on))] => {
                    Self::Nonblocking(*on != 0)
                }
                [_, Arg::Named(command), Arg::OpenFlags(flags), ..]
                    if *command == F_SETFL.named() =>
                {
                    Self::Nonblocking(flags.contains(O_NONBLOCK))
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(change)
    }

    fn of_failure(event: &'e Event<'_>, errno: Errno) -> Option<Self> {
        match (event.callee.effect(), errno) {
            (Effect::Closes, _) => None,
            // The connect continues although the call has returned.
            (Effect::Connects, Errno::EINPROGRESS | Errno::EINTR)
                if event.mark != Mark::Injected =>
            {
                Some(Self::Connected(address(event)))
            }
            (_, Errno::ECONNRESET) => Some(Self::Reset),
            (_, Errno::EPIPE) => Some(Self::NotSendable),
            _ => None,
        }
    }
}

impl OpenFile {
    /// Applies a change.
    pub(crate) fn apply(&mut self, change: FileChange<'_>) {
        match change {
            FileChange::Received { bytes, is_end } => {
                self.bytes_in = self.bytes_in.saturating_add(bytes);
                self.peer_finished |= is_end;
            }
            FileChange::Sent(bytes) => self.bytes_out = self.bytes_out.saturating_add(bytes),
            // On a datagram socket this removes the peer.
            FileChange::Connected(Some(peer)) if peer.domain() == AF_UNSPEC => self.peer = None,
            FileChange::Connected(peer) => {
                if self.kind != DescriptorKind::Datagram {
                    self.kind = DescriptorKind::Connection;
                }
                self.peer = peer.cloned();
            }
            FileChange::Named(local, peer) => {
                self.local = local.cloned().or(self.local.take());
                self.peer = peer.cloned().or(self.peer.take());
            }
            FileChange::Listens => self.kind = DescriptorKind::Listener,
            FileChange::FinishedSending => self.finished = true,
            FileChange::Abrupt(abrupt) => self.abrupt = abrupt,
            FileChange::Nonblocking(nonblocking) => self.nonblocking = Some(nonblocking),
            FileChange::Reset => self.broken = true,
            // After its own shutdown, EPIPE says nothing about the peer, which may still send.
            FileChange::NotSendable => self.broken |= !self.finished,
        }
    }
}

/// The address among the arguments.
pub(super) fn address<'e>(event: &'e Event<'_>) -> Option<&'e Address> {
    event.args.iter().find_map(|arg| match arg {
        Arg::Address(address) => Some(&**address),
        _ => None,
    })
}

/// Whether the argument is a constant with this name, or flags that contain it.
pub(super) fn says(arg: &Arg<'_>, name: &str) -> bool {
    let has = |named: Named| {
        let known = named.family.names.iter().find(|known| known.name == name);
        known.is_some_and(|known| match named.family.flags {
            true => known.value != 0 && named.value & known.value == known.value,
            false => named.value == known.value,
        })
    };
    match arg {
        Arg::Named(named) => has(*named),
        Arg::Type(kind) => has(kind.flags().named()),
        Arg::OpenFlags(flags) => has(flags.named()),
        Arg::Word(text) | Arg::Text(text) => text.split('|').any(|word| word == name),
        _ => false,
    }
}
