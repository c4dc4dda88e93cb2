//! The world after a call: descriptors closed, copied and inherited, flags, addresses, bytes.

use super::did::{Departure, Did, DidKind, ProcessEnding};
use super::moment::Moment;
use super::reading::Registration;
use super::world::{Held, ProcessId, Socket, SocketId, SocketRole, World};
use crate::names::{Errno, SO_REUSEADDR, SOL_SOCKET, SOL_TCP, TCP_NODELAY};
use crate::trace::Outcome;
use crate::trace::arg::Value;
use crate::trace::descriptors::change::FileChange;

/// Applies the effects of a call, after the advice has seen it.
pub(super) fn learn(world: &mut World, moment: &Moment<'_>) {
    let process = moment.process;
    match moment.did {
        Did::Waited(_) => {
            let is_timeout = moment.count() == Some(0);
            let process = world.process_mut(process);
            process.waits += 1;
            process.timeouts += u64::from(is_timeout);
        }
        Did::Slept => world.process_mut(process).waits += 1,
        Did::CloseOnExec { is_set } => {
            if let (Some(entry), Some(_)) = (world.entry_mut(process, moment.fd), moment.count()) {
                entry.is_closed_on_exec = *is_set;
            }
        }
        Did::RangeClosedOnExec(from, to) if moment.event.value() == Some(0) => {
            let entries = &mut world.process_mut(process).entries;
            let numbers = (*from).max(0) as usize..=(*to).clamp(0, entries.len() as i64) as usize;
            let marked = entries.iter_mut().enumerate().filter(|(fd, _)| numbers.contains(fd));
            marked.for_each(|(_, entry)| entry.is_closed_on_exec = true);
        }
        Did::Registered(registration) if moment.event.value() == Some(0) => {
            register(world, process, *registration);
        }
        _ => {}
    }
    if let Some(id) = moment.socket {
        learn_of_socket(world.socket_mut(id), moment);
    }
    if let (Did::Spliced(to), Some(bytes @ 1..)) = (moment.did, moment.count())
        && let Some(id) = world.socket_of(process, *to)
    {
        let socket = world.socket_mut(id);
        socket.touched = moment.line;
        socket.file.apply(FileChange::Sent(bytes));
        socket.sends += 1;
    }
}

/// From now on a wait gives these data for the descriptor, and no others: those of one that is closed mean another next time.
fn register(world: &mut World, process: ProcessId, registration: Registration) {
    let Registration { fd, data, .. } = registration;
    let is_number = data == fd as u64;
    let Some(entry) = world.entry_mut(process, fd) else { return };
    let old = std::mem::replace(&mut entry.registered_as, if is_number { 0 } else { data });
    let registered = &mut world.process_mut(process).registered;
    if registered.get(&old) == Some(&fd) {
        registered.remove(&old);
    }
    if is_number {
        registered.remove(&data);
    } else {
        registered.insert(data, fd);
    }
}

fn learn_of_socket(socket: &mut Socket, moment: &Moment<'_>) {
    let event = moment.event;
    if let Some(change) = FileChange::of(event) {
        socket.file.apply(change);
    }
    if moment.did.what() != DidKind::Waited {
        socket.touched = moment.line;
    }
    let Outcome::Value(result) = event.outcome else { return learn_of_failure(socket, moment) };
    match moment.did {
        Did::Connected(_) => connected(socket, moment),
        Did::Listened(backlog) => {
            socket.backlog = *backlog;
            socket.named = Some(moment.mark());
        }
        Did::Sent(_) => socket.sends += 1,
        Did::Received(moved) => {
            let is_peek = moved.flags.contains(crate::names::MSG_PEEK);
            if result == 0 && moved.asked != Some(0) && !socket.making.is_datagram {
                socket.peer_finished.get_or_insert_with(|| moment.mark());
            } else if !is_peek {
                socket.receives += 1;
            }
        }
        Did::Spliced(_) if result > 0 => socket.receives += 1,
        Did::Finished { sending: true, .. } => {
            socket.finished.get_or_insert_with(|| moment.mark());
        }
        Did::OptionSet(level, option, value) => {
            let on = matches!(value, Some(Value::Int(number)) if *number != 0);
            match (*level, *option) {
                (SOL_SOCKET, option) if option == SO_REUSEADDR.number() => {
                    socket.reuses_address = on;
                }
                (SOL_TCP, option) if option == TCP_NODELAY.number() => socket.is_undelayed = on,
                _ => {}
            }
        }
        Did::OptionAsked(_, _, Some(Value::Error(number)))
            if moment.did.asks_for_error() && *number != 0 =>
        {
            let errno = Errno::from_number(*number);
            socket.failed.get_or_insert_with(|| (moment.mark(), errno));
        }
        _ => {}
    }
}

fn connected(socket: &mut Socket, moment: &Moment<'_>) {
    socket.named = Some(moment.mark());
    socket.role = SocketRole::Connected;
}

/// The errors after which a connection is over.
pub(super) fn ends_a_connection(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ECONNRESET
            | Errno::EPIPE
            | Errno::ETIMEDOUT
            | Errno::ECONNREFUSED
            | Errno::ECONNABORTED
            | Errno::EHOSTUNREACH
            | Errno::ENETUNREACH
    )
}

fn learn_of_failure(socket: &mut Socket, moment: &Moment<'_>) {
    let Some(errno) = moment.event.errno() else { return };
    match moment.did {
        Did::Connected(_) if errno == Errno::EINPROGRESS => connected(socket, moment),
        Did::Connected(_) | Did::Sent(_) | Did::Received(_)
            if ends_a_connection(errno) && !socket.making.is_datagram =>
        {
            if let Did::Connected(to) = moment.did {
                // A report names the peer that refused.
                socket.file.peer = to.cloned().or(socket.file.peer.take());
                socket.role = SocketRole::Connected;
            }
            socket.failed.get_or_insert_with(|| (moment.mark(), errno));
        }
        _ => {}
    }
}

/// Removes the descriptors that a call has closed. `gone` is called for each socket that has no descriptor left, while
/// the socket still exists.
pub(super) fn close(
    world: &mut World,
    moment: &Moment<'_>,
    mut gone: impl FnMut(&mut World, SocketId, i32, Departure),
) {
    let process = moment.process;
    let mut drop = |world: &mut World, fd: i32, why: Departure| {
        let line = moment.line;
        let Some(entry) = world.entry_mut(process, fd) else { return };
        let held = std::mem::take(&mut entry.held);
        entry.closed = line;
        let registered_as = std::mem::take(&mut entry.registered_as);
        let own = world.process_mut(process);
        own.closes += 1;
        if own.registered.get(&registered_as) == Some(&fd) {
            own.registered.remove(&registered_as);
        }
        let Held::Socket(id) = held else { return };
        let socket = world.socket_mut(id);
        socket.copies = socket.copies.saturating_sub(1);
        if socket.copies == 0 {
            gone(world, id, fd, why);
            world.free_socket(id);
        }
    };
    let result = moment.event.value();
    match moment.did {
        // Whatever close reports, the descriptor is gone, except after EBADF.
        Did::Closed if !moment.failed(Errno::EBADF) && moment.event.outcome != Outcome::Unknown => {
            drop(world, moment.fd, Departure::Closed);
        }
        Did::ClosedRange(from, to) if result == Some(0) => {
            let last = world.process(process).entries.len() as i64 - 1;
            for fd in *from..=(*to).min(last) {
                drop(world, fd as i32, Departure::Closed);
            }
        }
        Did::Executed if result == Some(0) => {
            let entries = world.process(process).entries.iter().enumerate();
            let closed = entries.filter(|(_, entry)| entry.is_closed_on_exec);
            let closed: Vec<_> = closed.map(|(fd, _)| fd as i32).collect();
            for fd in closed {
                drop(world, fd, Departure::Closed);
            }
        }
        Did::Ended(ending) => {
            let why = match ending {
                ProcessEnding::LogOver => Departure::LogOver,
                _ => Departure::Exit,
            };
            for fd in 0..world.process(process).entries.len() {
                if world.process(process).entries[fd].held != Held::Nothing {
                    drop(world, fd as i32, why);
                }
            }
        }
        _ => {}
    }
}

/// Makes a second number for the file of a descriptor.
pub(super) fn copy(
    world: &mut World,
    moment: &Moment<'_>,
    is_closed_on_exec: bool,
    gone: impl FnMut(&mut World, SocketId, i32, Departure),
) {
    let Some(to) = moment.event.value().and_then(|to| i32::try_from(to).ok()) else { return };
    if to == moment.fd {
        return;
    }
    let process = moment.process;
    let held = world.held(process, moment.fd);
    if let Held::Socket(id) = held {
        world.socket_mut(id).copies += 1;
    }
    // A file that the number had before is closed silently.
    let closed = Moment { did: &Did::Closed, fd: to, ..*moment };
    if world.held(process, to) != Held::Nothing {
        close(world, &closed, gone);
    }
    if let Some(entry) = world.entry_mut(process, to) {
        entry.held = held;
        entry.is_closed_on_exec = is_closed_on_exec;
    }
}

/// Adds a new process with a copy of every descriptor, or a new thread.
pub(super) fn fork(world: &mut World, parent: ProcessId, child: u64, shares: bool) {
    if world.is_crowded() {
        return;
    }
    let early = world.knows(child);
    if shares {
        if early.is_none() {
            world.add_caller(child, parent);
        }
        return;
    }
    let process = early.unwrap_or_else(|| {
        let process = world.add_process(child as u32);
        world.add_caller(child, process);
        process
    });
    let entries = world.process(parent).entries.clone();
    for (fd, entry) in entries.into_iter().enumerate() {
        let fd = fd as i32;
        let Some(own) = world.entry_mut(process, fd) else { continue };
        // What the child did before its parent's line appeared stays.
        if own.held != Held::Nothing || own.closed > 0 {
            continue;
        }
        *own = entry;
        own.closed = 0;
        if let Held::Socket(id) = own.held {
            world.socket_mut(id).copies += 1;
        }
    }
}
