//! Ending: one half, both, or the right to the number.

use super::Lesson;
use super::See::Lab;
use crate::explain::facts::Facts;
use crate::trace::Function as F;
use crate::trace::descriptors::DescriptorKind as Kind;

pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        of: &[F::SHUTDOWN],
        when: |call| call.succeeded() && call.says("SHUT_WR"),
        says: |_| "the peer will read 0; it may still send".into(),
        see: Lab("half-close"),
    },
    Lesson {
        of: &[F::SHUTDOWN],
        when: |call| call.succeeded() && call.says("SHUT_RD"),
        says: |_| "here only: the peer is not told, and may go on sending".into(),
        see: Lab("shut-rd-is-local"),
    },
    Lesson {
        of: &[F::SHUTDOWN],
        when: |call| call.succeeded() && call.says("SHUT_RDWR"),
        says: |call| format!("both halves end, for every copy of {}", call.fd),
        see: Lab("close-is-refcount"),
    },
    Lesson {
        of: &[F::CLOSE],
        when: |call| closes(call, Kind::Listener),
        says: |_| "no new clients from now on; connections would go on".into(),
        see: Lab("close-is-refcount"),
    },
    Lesson {
        of: &[F::CLOSE],
        when: |call| call.succeeded() && call.known.copies > 0,
        says: |call| format!("{} is free again; what it led to ends with its last copy", call.fd),
        see: Lab("close-is-refcount"),
    },
    Lesson {
        of: &[F::CLOSE],
        when: |call| closes(call, Kind::Connection) && call.known.broken,
        says: |call| format!("it was over already; the number {} is free again", call.fd),
        see: Lab("drop-closes"),
    },
    Lesson {
        of: &[F::CLOSE],
        when: |call| {
            let known = &call.known;
            closes(call, Kind::Connection) && known.abrupt && !known.broken
        },
        says: |_| "SO_LINGER with 0: what is unsent is lost, and the peer gets a reset".into(),
        see: Lab("linger-zero"),
    },
    Lesson {
        of: &[F::CLOSE],
        when: |call| {
            let known = &call.known;
            closes(call, Kind::Connection) && known.peer_finished && !known.broken && !known.abrupt
        },
        says: |_| "both have finished; in TCP the first keeps TIME_WAIT".into(),
        see: Lab("time-wait-bind"),
    },
    Lesson {
        of: &[F::CLOSE],
        when: |call| {
            let known = &call.known;
            closes(call, Kind::Connection) && !known.peer_finished && !known.broken && !known.abrupt
        },
        says: |_| "the peer will read 0, or a reset if we left bytes unread".into(),
        see: Lab("rst-on-unread"),
    },
];

/// Whether it closes the only descriptor of something of this kind, as far as its copies were seen.
fn closes(call: &Facts, kind: Kind) -> bool {
    call.succeeded() && call.known.kind == kind && call.known.copies == 0
}
