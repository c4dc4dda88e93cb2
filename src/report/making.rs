//! What a call creates: a socket, and the descriptor that leads to it.

use super::did::{Did, Making};
use super::moment::Moment;
use super::reading::NOT_A_SOCKET;
use super::world::{Held, ProcessId, Socket, SocketId, SocketRole, World};
use crate::addr::Address;
use crate::names::SocketFlags;
use crate::trace::descriptors::{DescriptorKind, OpenFile};

/// Creates what a call has created, before the advice sees the call.
pub(super) fn make(world: &mut World, moment: &mut Moment<'_>) {
    let Some(result) = moment.event.value().and_then(|value| i32::try_from(value).ok()) else {
        return;
    };
    let process = moment.process;
    match moment.did {
        Did::Made(making) => {
            let kind = match making.is_datagram {
                true => DescriptorKind::Datagram,
                false => DescriptorKind::Socket,
            };
            let socket = Socket {
                making: *making,
                is_known: true,
                file: file_of(making, kind),
                made: Some(moment.mark()),
                ..Socket::default()
            };
            moment.made = hold(world, process, result, socket, making.is_closed_on_exec);
        }
        Did::Paired(ends, making) => {
            let kind = match making {
                Making { is_datagram: true, .. } => DescriptorKind::Datagram,
                Making { is_stream: true, .. } => DescriptorKind::Connection,
                _ => DescriptorKind::Pipe,
            };
            let made = ends.map(|fd| {
                let socket = Socket {
                    making: *making,
                    is_known: true,
                    role: SocketRole::Paired,
                    file: file_of(making, kind),
                    made: Some(moment.mark()),
                    ..Socket::default()
                };
                hold(world, process, fd, socket, making.is_closed_on_exec)
            });
            if let [Some(one), Some(other)] = made {
                world.socket_mut(one).other_end = Some(other);
                world.socket_mut(other).other_end = Some(one);
            }
        }
        Did::Accepted(from, flags) => {
            let listener = moment.socket.map(|id| world.socket(id));
            let socket = accepted(listener, *from, *flags, moment);
            if let Some(id) = moment.socket {
                world.socket_mut(id).clients += 1;
            }
            let closes = flags.asks_for_close_on_exec();
            moment.made = hold(world, process, result, socket, closes);
        }
        Did::Opened(_) => set(world, process, result, Held::Other, KEPT_ON_EXEC),
        _ => {}
    }
}

/// A connection that a listener has returned.
fn accepted(
    listener: Option<&Socket>,
    from: Option<&Address>,
    flags: SocketFlags,
    moment: &Moment<'_>,
) -> Socket {
    let making = listener.map_or_else(Making::default, |listener| listener.making);
    Socket {
        file: OpenFile {
            kind: DescriptorKind::Connection,
            local: listener.and_then(|listener| listener.file.local.clone()),
            peer: from.cloned(),
            // On Linux an accepted socket does not inherit the flag.
            nonblocking: Some(flags.asks_for_nonblocking()),
            ..OpenFile::default()
        },
        making: Making { is_stream: true, ..making },
        is_known: true,
        role: SocketRole::Accepted,
        is_undelayed: listener.is_some_and(|listener| listener.is_undelayed),
        made: Some(moment.mark()),
        named: Some(moment.mark()),
        ..Socket::default()
    }
}

/// A file of this kind that was just made like this.
fn file_of(making: &Making, kind: DescriptorKind) -> OpenFile {
    OpenFile { kind, nonblocking: Some(making.is_nonblocking), ..OpenFile::default() }
}

/// An opened file stays open after `execve`, unless its line says otherwise.
const KEPT_ON_EXEC: bool = false;
/// A socket whose creation was not seen is not reported as inherited.
const CLOSED_ON_EXEC: bool = true;

/// Lets a new descriptor lead to a new socket.
fn hold(
    world: &mut World,
    process: ProcessId,
    fd: i32,
    socket: Socket,
    is_closed_on_exec: bool,
) -> Option<SocketId> {
    // If a log opens more and more descriptors, only the fact that they are open is kept.
    if world.is_full() || world.entry_mut(process, fd).is_none() {
        set(world, process, fd, Held::Other, is_closed_on_exec);
        return None;
    }
    let pid = world.process(process).pid;
    let id = world.add_socket(Socket { fd, pid, copies: 1, ..socket });
    set(world, process, fd, Held::Socket(id), is_closed_on_exec);
    world.process_mut(process).sockets_made += 1;
    Some(id)
}

/// From now on, this descriptor leads to this file.
pub(super) fn set(
    world: &mut World,
    process: ProcessId,
    fd: i32,
    held: Held,
    is_closed_on_exec: bool,
) {
    // Its close was not seen: the log has a gap, or another thread's line comes later.
    if let Some(old) = world.socket_of(process, fd) {
        let socket = world.socket_mut(old);
        socket.copies = socket.copies.saturating_sub(1);
        if socket.copies == 0 {
            world.free_socket(old);
        }
    }
    if let Some(entry) = world.entry_mut(process, fd) {
        entry.held = held;
        entry.is_closed_on_exec = is_closed_on_exec;
    }
}

/// Adds a socket whose creation the log does not show: a call that only sockets support was made on its descriptor.
pub(super) fn discover(world: &mut World, process: ProcessId, fd: i32, did: &Did<'_>) {
    let making = Making { is_stream: true, ..NOT_A_SOCKET };
    let mut socket = Socket { making, ..Socket::default() };
    if matches!(did, Did::Accepted(..)) {
        socket.file.kind = DescriptorKind::Listener;
    }
    if hold(world, process, fd, socket, CLOSED_ON_EXEC).is_some() {
        world.process_mut(process).sockets_made -= 1;
    }
}
