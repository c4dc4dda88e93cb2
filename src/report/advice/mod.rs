//! The advice: one file for each thing that goes wrong with sockets, or for a few that are closely related.
//!
//! A file defines an advice (its words are what `baresock explain NAME` shows), what it remembers about a socket, a
//! process or a thread, and how each call changes that: a small state machine whose last state is evidence. Every
//! finding has the lines of the log that prove it.

mod accepting;
mod addresses;
mod blocking;
mod closing;
mod connecting;
mod ending;
mod flags;
pub(super) mod leaking;
mod listening;
mod messages;
mod one_byte;
mod reach;
mod readiness;
mod repeating;
mod resolving;
mod selecting;
mod sending;
mod slowness;
mod timeout;
mod udp;
mod unix;

use super::did::DidKind;
use super::findings::{Findings, Subject};
use super::moment::{Moment, SeenCall};
use super::world::{SocketId, World};

/// One advice.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// Its name, as `baresock explain` knows it.
    pub name: &'static str,
    /// What happens, in a few words.
    pub gist: &'static str,
    /// What it means for a program.
    pub means: &'static str,
    /// What in a log proves it.
    pub shown_by: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The lab about it.
    pub lab: &'static str,
    /// An exercise; empty if none fits.
    pub exercise: &'static str,
    /// The kinds of events that it looks at.
    pub(super) cares_for: &'static [DidKind],
    /// The function that looks at them.
    pub(super) watch: CallWatcher,
}

/// How an advice looks at an event.
pub(super) type CallWatcher = fn(&Moment<'_>, &mut World, &mut Findings);

/// Every advice.
pub const ALL: &[Advice] = &[
    sending::SHORT_SEND_DROPPED,
    messages::SHORT_RECV_AS_MESSAGE,
    readiness::EOF_IGNORED,
    readiness::SPIN,
    repeating::EAGAIN_SPIN,
    readiness::WRITABLE_ALWAYS_ASKED,
    selecting::SETS_NOT_REBUILT,
    timeout::TIMEOUT_NOT_REBUILT,
    selecting::CLOSED_DESCRIPTOR_IN_SET,
    selecting::BEYOND_FD_SETSIZE,
    selecting::NFDS_TOO_SMALL,
    ending::SIGPIPE_DEATH,
    ending::SEND_AFTER_RESET,
    ending::ONE_RESET_ENDS_ALL,
    listening::NO_REUSEADDR,
    addresses::FORGOT_HTONS,
    reach::LOOPBACK_ONLY,
    reach::OPEN_TO_ALL,
    leaking::DESCRIPTOR_LEAK,
    leaking::NEVER_CLOSED,
    accepting::ACCEPT_EMFILE_SPIN,
    repeating::EINTR_NOT_RETRIED,
    connecting::CONNECT_NOT_CHECKED,
    connecting::CONNECT_AGAIN_AFTER_FAILURE,
    slowness::NAGLE_DELAY,
    one_byte::ONE_BYTE_IO,
    blocking::ONE_CLIENT_BLOCKS_ALL,
    accepting::BLOCKING_ACCEPT_AFTER_SELECT,
    flags::NONBLOCKING_FLAG_LOST,
    closing::CLOSE_WITH_UNREAD,
    udp::UDP_TRUNCATED,
    udp::UDP_REFUSED_UNSEEN,
    unix::UNIX_FILE_LEFT,
    listening::BACKLOG_OVERFLOW,
    resolving::GETADDRINFO_FIRST_ONLY,
    resolving::DNS_IN_LOOP,
    leaking::INHERIT_LEAK,
];

/// The advice with this name.
pub fn find(name: &str) -> Option<&'static Advice> {
    ALL.iter().find(|advice| advice.name == name)
}

/// What all advice remembers about a socket.
#[derive(Debug, Default)]
pub struct OfSocket {
    pub(super) sending: sending::SendingMemory,
    pub(super) messages: messages::MessagesMemory,
    pub(super) readiness: readiness::ReadinessMemory,
    pub(super) repeating: repeating::RepeatingMemory,
    pub(super) ending: ending::EndingMemory,
    pub(super) accepting: accepting::AcceptingMemory,
    pub(super) connecting: connecting::ConnectingMemory,
    pub(super) slowness: slowness::SlownessMemory,
    pub(super) one_byte: one_byte::OneByteMemory,
    pub(super) flags: flags::FlagsMemory,
    pub(super) closing: closing::ClosingMemory,
    pub(super) udp: udp::UdpMemory,
    pub(super) listening: listening::ListeningMemory,
    pub(super) leaking: leaking::LeakingMemory,
    pub(super) reach: reach::ReachMemory,
}

/// What all advice remembers about a process.
#[derive(Debug, Default)]
pub struct OfProcess {
    pub(super) owing: u32,
    pub(super) unanswered: u32,
    pub(super) leaks_were_told: bool,
    pub(super) selecting: selecting::SelectingMemory,
    pub(super) timeout: timeout::TimeoutMemory,
    pub(super) ending: ending::EndingOfProcess,
    pub(super) repeating: repeating::RepeatingOfProcess,
    pub(super) resolving: resolving::ResolvingOfProcess,
}

/// What all advice remembers about a thread.
#[derive(Debug, Default)]
pub struct OfCaller {
    pub(super) blocking: blocking::BlockingMemory,
    pub(super) resolving: resolving::ResolvingOfCaller,
}

/// What all of them remember beyond processes.
#[derive(Debug, Default)]
pub struct OfWorld {
    pub(super) closing: closing::ClosingOfWorld,
    pub(super) listening: listening::ListeningOfWorld,
    pub(super) udp: udp::UdpOfWorld,
    pub(super) unix: unix::UnixOfWorld,
}

/// The subject of a finding about this moment.
fn subject(now: &Moment<'_>, world: &World) -> Subject {
    Subject(world.process(now.process).pid, now.fd)
}

/// The subject of a finding about a socket, if the moment is about something else.
fn subject_of(world: &World, id: SocketId) -> Subject {
    let socket = world.socket(id);
    Subject(socket.pid, socket.fd)
}

/// Whether `count` events in a row, of which these are the first and the last, took less than `most_us` each; true if
/// the log has no times.
fn is_quick(first: &SeenCall, last: &SeenCall, count: u64, most_us: u64) -> bool {
    let took_ns = last.begin_ns.saturating_sub(first.begin_ns);
    first.begin_ns == 0 || took_ns / 1_000 / count.max(1) <= most_us
}
