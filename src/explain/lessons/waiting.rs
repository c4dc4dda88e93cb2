//! Waiting for whoever is ready, and taking in those who wait at a listener.

use super::Lesson;
use super::See::{Lab, Word};
use crate::explain::facts::Facts;
use crate::explain::figures::{counted, grouped};
use crate::names::{Errno, POLLERR, POLLHUP, POLLNVAL, POLLOUT, PollEvents};
use crate::trace::Function as F;

const SELECTS: &[F] = &[F::SELECT, F::PSELECT];
const POLLS: &[F] = &[F::POLL, F::PPOLL];
const ACCEPTS: &[F] = &[F::ACCEPT, F::ACCEPT4];

pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        of: SELECTS,
        when: |call| call.asked[0].count > 0 && call.asked[1].count == 0,
        says: |call| {
            let nfds = call.number();
            format!("can {} be read? nfds {nfds} is the highest number + 1", call.asked[0])
        },
        see: Lab("nfds-and-count"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.asked[1].count > 0,
        says: |call| {
            let [read, write, _] = call.asked;
            match read.count {
                0 => format!("is there room to send on {write}?"),
                _ => format!("can {read} be read? Is there room to send on {write}?"),
            }
        },
        see: Lab("writable-hysteresis"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.returned() > 0 && call.bits_left() == call.bits_asked(),
        says: |call| format!("{}: what is ready stays in its set", ready(call)),
        see: Lab("select-eats-its-sets"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.returned() > 0 && call.bits_left() < call.bits_asked(),
        says: |call| {
            let (ready, asked) = (grouped(call.returned()), grouped(call.bits_asked() as i64));
            format!("{ready} of {asked} ready: the other bits are cleared; set them anew")
        },
        see: Lab("select-eats-its-sets"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.found[1].count > 0,
        says: |call| format!("out: to send on {} would not wait: room, or an error", call.found[1]),
        see: Lab("writable-hysteresis"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.result() == Some(0),
        says: |call| format!("nothing ready in {}: the sets are empty now", call.patience()),
        see: Lab("select-eats-its-sets"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.left.is_some(),
        says: |call| format!("Linux leaves {} in the timeout: set it anew", call.patience_left()),
        see: Lab("timeout-mutates"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.failed(Errno::EINTR),
        says: |_| "a signal came: the sets say nothing".into(),
        see: Lab("eintr-despite-sa-restart"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.failed(Errno::EBADF),
        says: |_| "one descriptor is not open; which is not said".into(),
        see: Lab("bad-fd-poisons-select"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.number() > 0,
        says: |call| {
            format!("{} of questions; events stays as it is", counted(call.number(), "row"))
        },
        see: Lab("poll-array-rules"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.returned() > 0 && call.returned() < call.number(),
        says: |call| {
            let (ready, rows) = (grouped(call.returned()), grouped(call.number()));
            format!("{ready} of {rows} answered; the others have revents 0")
        },
        see: Lab("poll-array-rules"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.row_with(POLLOUT).is_some(),
        says: |call| {
            format!("POLLOUT: to send on {} would not wait: room, or an error", row(call, POLLOUT))
        },
        see: Lab("writable-hysteresis"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.row_with(POLLHUP).is_some(),
        says: |call| {
            format!("POLLHUP, unasked: {} is over, or was never connected", row(call, POLLHUP))
        },
        see: Lab("readiness-matrix"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.row_with(POLLERR).is_some(),
        says: |call| format!("POLLERR, unasked: the next call on {} tells why", row(call, POLLERR)),
        see: Lab("readiness-matrix"),
    },
    Lesson {
        of: POLLS,
        when: |call| rdhup(call).is_some(),
        says: |call| {
            format!("POLLRDHUP: the peer of {} has finished sending", rdhup(call).unwrap_or(-1))
        },
        see: Lab("readiness-matrix"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.row_with(POLLNVAL).is_some(),
        says: |call| format!("POLLNVAL: {} is not open", row(call, POLLNVAL)),
        see: Lab("bad-fd-poisons-select"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.result() == Some(0),
        says: |call| format!("nothing ready in {}: every revents is 0", call.patience()),
        see: Lab("poll-array-rules"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.failed(Errno::EINTR),
        says: |_| "a signal came before anything was ready".into(),
        see: Lab("eintr-despite-sa-restart"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.succeeded(),
        says: |call| {
            format!("{} is a new socket, for this client; {} listens on", call.returned(), call.fd)
        },
        see: Lab("listener-cannot-talk"),
    },
    Lesson {
        of: &[F::ACCEPT4],
        when: |call| call.succeeded() && call.says("SOCK_NONBLOCK"),
        says: |_| "SOCK_NONBLOCK saves two calls of fcntl".into(),
        see: Lab("accept-inherits"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.failed(Errno::EAGAIN),
        says: |_| "nobody waits any more: the queue is empty".into(),
        see: Word("EAGAIN"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.failed(Errno::EMFILE) || call.failed(Errno::ENFILE),
        says: |call| format!("no descriptor is left: the client waits on, {} stays ready", call.fd),
        see: Lab("emfile-accept-spin"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.failed(Errno::ECONNABORTED),
        says: |_| "this one went before it was accepted; the next is fine".into(),
        see: Lab("accept-after-rst"),
    },
];

/// Who is ready, where all are.
fn ready(call: &Facts) -> String {
    match call.found.iter().find(|set| set.count == 1) {
        Some(only) if call.returned() == 1 => format!("{only} is ready"),
        _ => format!("all {} are ready", grouped(call.returned())),
    }
}

fn row(call: &Facts, bits: PollEvents) -> i32 {
    call.row_with(bits).unwrap_or(-1)
}

/// The row whose peer has finished, where the system has a bit for it. (By its name: not every system has it.)
fn rdhup(call: &Facts) -> Option<i32> {
    let known = PollEvents::CONSTANTS.iter().find(|bit| bit.name == "POLLRDHUP")?;
    call.row_with(PollEvents::from_bits(known.value as i32))
}
