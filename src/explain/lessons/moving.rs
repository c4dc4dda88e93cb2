//! Moving bytes: what a count says, and what it does not say.

use super::Lesson;
use super::See::{Lab, Word};
use crate::explain::facts::Facts;
use crate::explain::figures::{bytes, grouped};
use crate::names::Errno;
use crate::trace::Function as F;
use crate::trace::descriptors::DescriptorKind as Kind;

pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        of: &[F::RECV],
        when: |call| is_stream(call) && call.returned() > 0 && call.returned() < call.number(),
        says: |call| format!("{}; messages have no boundaries here", bytes(call.returned())),
        see: Lab("no-message-boundaries"),
    },
    Lesson {
        of: &[F::RECV, F::READ],
        when: |call| is_stream(call) && call.returned() > 0 && call.returned() == call.number(),
        says: |call| format!("{}, as much as asked for: more may wait", bytes(call.returned())),
        see: Lab("level-and-lowat"),
    },
    Lesson {
        of: &[F::RECV],
        when: is_the_end,
        says: |_| "0 is the end: the peer has finished sending".into(),
        see: Lab("half-close"),
    },
    Lesson {
        of: &[F::RECV],
        when: |call| call.failed(Errno::EAGAIN),
        says: |_| "nothing is here now; readiness is only a hint".into(),
        see: Lab("readiness-is-a-hint"),
    },
    Lesson {
        of: &[F::RECV, F::READ],
        when: |call| call.failed(Errno::ECONNRESET),
        says: |_| "the peer has reset the connection: it is over".into(),
        see: Lab("rst-on-unread"),
    },
    Lesson {
        of: &[F::RECV, F::SEND, F::READ, F::WRITE, F::SENDFILE],
        when: |call| call.failed(Errno::EINTR),
        says: |_| "a signal came before any byte: call again".into(),
        see: Lab("eintr-despite-sa-restart"),
    },
    Lesson {
        of: &[F::SEND],
        when: |call| is_stream(call) && call.returned() > 0 && call.returned() == call.number(),
        says: |call| {
            format!("{} in the send buffer; arrival is not reported", bytes(call.returned()))
        },
        see: Lab("send-is-a-copy"),
    },
    Lesson {
        of: &[F::SEND],
        when: is_short,
        says: |call| {
            let (taken, given) = (grouped(call.returned()), bytes(call.number()));
            format!("took {taken} of {given}: the send buffer is full")
        },
        see: Lab("partial-send"),
    },
    Lesson {
        of: &[F::SEND],
        when: |call| call.failed(Errno::EAGAIN),
        says: |call| format!("took none of {}: the send buffer is full", bytes(call.number())),
        see: Lab("partial-send"),
    },
    Lesson {
        of: &[F::SEND],
        when: |call| call.failed(Errno::EPIPE) && call.says("MSG_NOSIGNAL"),
        says: |_| "this direction is over; MSG_NOSIGNAL: no SIGPIPE".into(),
        see: Lab("sigpipe-or-not"),
    },
    Lesson {
        of: &[F::SEND, F::WRITE],
        when: |call| call.failed(Errno::EPIPE) && !call.says("MSG_NOSIGNAL"),
        says: |_| "this direction is over; SIGPIPE came too".into(),
        see: Lab("sigpipe-or-not"),
    },
    Lesson {
        of: &[F::SEND, F::WRITE],
        when: |call| call.failed(Errno::ECONNRESET),
        says: |_| "the peer has reset the connection: nobody gets this".into(),
        see: Lab("rst-on-unread"),
    },
    Lesson {
        of: &[F::READ],
        when: |call| call.returned() > 0 && call.returned() < call.number(),
        says: |call| format!("{}: as many as were there", bytes(call.returned())),
        see: Lab("no-message-boundaries"),
    },
    Lesson {
        of: &[F::READ],
        when: is_the_end,
        says: |_| "0 is the end: nothing more will come".into(),
        see: Lab("half-close"),
    },
    Lesson {
        of: &[F::READ],
        when: |call| call.failed(Errno::EAGAIN),
        says: |_| "nothing is here now".into(),
        see: Lab("blocking-or-eagain"),
    },
    Lesson {
        of: &[F::WRITE],
        when: |call| call.returned() > 0 && call.returned() == call.number(),
        says: |call| format!("{} taken; arrival is not reported", bytes(call.returned())),
        see: Lab("send-is-a-copy"),
    },
    Lesson {
        of: &[F::WRITE],
        when: is_short,
        says: |call| {
            let (taken, given) = (grouped(call.returned()), bytes(call.number()));
            format!("took {taken} of {given}: there is no more room")
        },
        see: Lab("partial-send"),
    },
    Lesson {
        of: &[F::WRITE],
        when: |call| call.failed(Errno::EAGAIN),
        says: |call| format!("took none of {}: there is no room", bytes(call.number())),
        see: Lab("partial-send"),
    },
    Lesson {
        of: &[F::SENDFILE],
        when: |call| call.returned() > 0 && call.returned() == call.number(),
        says: |call| format!("{} of a file, never in this process", bytes(call.returned())),
        see: Word("sendfile"),
    },
    Lesson {
        of: &[F::SENDFILE],
        when: |call| call.returned() > 0 && is_short(call),
        says: |call| {
            let (taken, given) = (grouped(call.returned()), bytes(call.number()));
            format!("took {taken} of {given}: no more room, or no more file")
        },
        see: Word("sendfile"),
    },
    Lesson {
        of: &[F::SENDFILE],
        when: |call| call.result() == Some(0) && call.number() > 0,
        says: |_| "0: the file ends here; to call again gives 0 again".into(),
        see: Word("sendfile"),
    },
    Lesson {
        of: &[F::SENDFILE],
        when: |call| call.failed(Errno::EAGAIN),
        says: |call| format!("took none of {}: the send buffer is full", bytes(call.number())),
        see: Word("EAGAIN"),
    },
    Lesson {
        of: &[F::SENDFILE],
        when: |call| call.failed(Errno::EINVAL) || call.failed(Errno::ENOSYS),
        says: |_| "not from here in this way: read, then send".into(),
        see: Word("sendfile"),
    },
    Lesson {
        of: &[F::SENDFILE],
        when: |call| call.failed(Errno::EPIPE),
        says: |_| "this direction is over; SIGPIPE came too".into(),
        see: Word("SIGPIPE"),
    },
    Lesson {
        of: &[F::RECVFROM],
        when: |call| call.returned() > 0 && call.returned() < call.number(),
        says: |call| {
            format!("one datagram of {}, whole, and where it is from", bytes(call.returned()))
        },
        see: Lab("datagram-truncation"),
    },
    Lesson {
        of: &[F::RECVFROM],
        when: |call| call.returned() > 0 && call.returned() == call.number(),
        says: |call| {
            format!("{} fill the buffer: what did not fit is lost", bytes(call.returned()))
        },
        see: Lab("datagram-truncation"),
    },
    Lesson {
        of: &[F::RECVFROM],
        when: |call| call.result() == Some(0) && !is_stream(call),
        says: |_| "an empty datagram, which is no end".into(),
        see: Lab("zero-is-three-things"),
    },
    Lesson {
        of: &[F::RECVFROM],
        when: |call| call.failed(Errno::EAGAIN),
        says: |_| "no datagram waits: the queue is empty".into(),
        see: Word("EAGAIN"),
    },
    Lesson {
        of: &[F::SENDTO],
        when: |call| call.succeeded(),
        says: |call| format!("one datagram of {}; arrival is not reported", bytes(call.returned())),
        see: Lab("udp-drops-silently"),
    },
    Lesson {
        of: &[F::RECV, F::RECVFROM],
        when: is_refused_datagram,
        says: |_| "an earlier datagram found nobody".into(),
        see: Lab("udp-refused-later"),
    },
    Lesson {
        of: &[F::SEND, F::SENDTO],
        when: is_refused_datagram,
        says: |_| "an earlier datagram found nobody, or in the Unix domain this one".into(),
        see: Lab("udp-refused-later"),
    },
];

/// A datagram keeps its boundaries, so what is said of streams does not hold for it.
fn is_stream(call: &Facts) -> bool {
    call.known.kind != Kind::Datagram
}

/// 0, though there was room for more. (A datagram may be empty, and that is no end.)
fn is_the_end(call: &Facts) -> bool {
    is_stream(call) && call.result() == Some(0) && call.number() > 0
}

fn is_short(call: &Facts) -> bool {
    call.succeeded() && call.returned() < call.number()
}

/// A stream that was refused is told so by `recv` and `send` too, but it has no earlier datagrams.
fn is_refused_datagram(call: &Facts) -> bool {
    let is_for_datagrams = [F::RECVFROM, F::SENDTO].contains(&call.function);
    call.failed(Errno::ECONNREFUSED) && (is_for_datagrams || !is_stream(call))
}
