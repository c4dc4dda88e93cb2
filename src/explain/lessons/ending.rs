//! Ending: one half, both, or the right to the number.

use super::Lesson;
use super::See::Lab;
use crate::explain::facts::Kind;
use crate::trace::Function as F;

pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        of: &[F::Shutdown],
        when: |call| call.succeeded() && call.says("SHUT_WR"),
        says: |_| "our half is over: the peer will read 0, and may go on sending".into(),
        see: Lab("half-close"),
    },
    Lesson {
        of: &[F::Shutdown],
        when: |call| call.succeeded() && call.says("SHUT_RD"),
        says: |_| "we read no more; the peer is not told".into(),
        see: Lab("shut-rd-is-local"),
    },
    Lesson {
        of: &[F::Shutdown],
        when: |call| call.succeeded() && call.says("SHUT_RDWR"),
        says: |call| {
            format!("both halves are over, for every copy of {}; it is still open", call.fd)
        },
        see: Lab("close-is-refcount"),
    },
    Lesson {
        of: &[F::Close],
        when: |call| call.succeeded() && call.known.kind == Kind::Listener,
        says: |_| "the listener is gone: new clients are refused, connections go on".into(),
        see: Lab("close-is-refcount"),
    },
    Lesson {
        of: &[F::Close],
        when: |call| call.succeeded() && call.known.kind == Kind::Connection && call.known.broken,
        says: |call| {
            format!("the connection was gone already; this gives the number {} back", call.fd)
        },
        see: Lab("drop-closes"),
    },
    Lesson {
        of: &[F::Close],
        when: |call| {
            let known = call.known;
            call.succeeded()
                && known.kind == Kind::Connection
                && known.peer_finished
                && !known.broken
        },
        says: |_| "both ends have finished; whoever was first keeps a TIME_WAIT".into(),
        see: Lab("time-wait-bind"),
    },
    Lesson {
        of: &[F::Close],
        when: |call| {
            let known = call.known;
            call.succeeded()
                && known.kind == Kind::Connection
                && !known.peer_finished
                && !known.broken
        },
        says: |_| "the peer will read 0; or ECONNRESET, if something from it was never read".into(),
        see: Lab("rst-on-unread"),
    },
];
