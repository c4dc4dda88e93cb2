//! Descriptors that one process passes to another (`SCM_RIGHTS`): on their way they have no number in any process, and
//! their sockets stay open.

use std::collections::VecDeque;

use super::did::{Departure, Did, Moved};
use super::making;
use super::moment::Moment;
use super::world::{Held, SocketId, World};
use crate::names::{Constant, MSG_PEEK, MsgFlags};

/// How many may be on their way at a time; further ones are not followed.
const MOST: usize = 256;

/// The descriptors on their way.
#[derive(Debug, Default)]
pub(super) struct OnTheWay(VecDeque<Passed>);

/// One descriptor.
#[derive(Clone, Copy, Debug)]
struct Passed {
    /// The socket at which it will arrive, if the two ends were made as a pair.
    to: Option<SocketId>,
    /// What it leads to.
    held: Held,
}

/// Takes the descriptors of a message that was sent, or delivers those of a received one.
pub(super) fn pass(world: &mut World, now: &Moment<'_>) {
    if now.count().is_none() {
        return;
    }
    match now.did {
        Did::Sent(moved) => send(world, now, moved),
        // With MSG_PEEK they stay where they are.
        Did::Received(moved) if !moved.flags.contains(MSG_PEEK) => receive(world, now, moved),
        _ => {}
    }
}

fn send(world: &mut World, now: &Moment<'_>, moved: &Moved<'_>) {
    let to = now.socket.and_then(|id| world.socket(id).other_end);
    for fd in moved.message.iter().flat_map(|message| message.passed()) {
        if world.on_the_way.0.len() >= MOST {
            return;
        }
        let held = world.held(now.process, fd.get());
        if let Held::Socket(id) = held {
            world.socket_mut(id).copies += 1;
        }
        world.on_the_way.0.push_back(Passed { to, held });
    }
}

fn receive(world: &mut World, now: &Moment<'_>, moved: &Moved<'_>) {
    for fd in moved.message.iter().flat_map(|message| message.passed()) {
        let passed = &mut world.on_the_way.0;
        let own = passed.iter().position(|one| one.to.is_some() && one.to == now.socket);
        // If it is unknown whether the ends are a pair, the first descriptor that was sent.
        let at = own.or_else(|| passed.iter().position(|one| one.to.is_none()));
        let held = at.and_then(|at| passed.remove(at)).map_or(Held::Other, |one| one.held);
        making::set(world, now.process, fd.get(), held, closes_on_exec(moved.flags));
    }
}

/// Not every system on which a log is read has `MSG_CMSG_CLOEXEC`.
fn closes_on_exec(flags: MsgFlags) -> bool {
    let is_it = |known: &&Constant| known.name == "MSG_CMSG_CLOEXEC";
    let known = MsgFlags::CONSTANTS.iter().find(is_it);
    known.is_some_and(|known| i64::from(flags.bits()) & known.value != 0)
}

/// At the end of a log: the descriptors that have not arrived. `gone` is called for each socket that has no descriptor
/// left.
pub(super) fn give_up(world: &mut World, mut gone: impl FnMut(&mut World, SocketId, Departure)) {
    while let Some(passed) = world.on_the_way.0.pop_front() {
        let Held::Socket(id) = passed.held else { continue };
        let socket = world.socket_mut(id);
        socket.copies = socket.copies.saturating_sub(1);
        if socket.copies == 0 {
            gone(world, id, Departure::LogOver);
            world.free_socket(id);
        }
    }
}
