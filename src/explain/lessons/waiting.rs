//! Waiting for whoever is ready, and taking in those who wait at a listener.

use super::Lesson;
use super::See::{Lab, Word};
use crate::explain::facts::Facts;
use crate::explain::figures::{counted, grouped};
use crate::names::{Errno, POLLERR, POLLHUP, POLLNVAL, POLLOUT, PollEvents};
use crate::trace::Function as F;
use crate::values::FdNumber;

const SELECTS: &[F] = &[F::Select, F::Pselect];
const POLLS: &[F] = &[F::Poll, F::Ppoll];
const ACCEPTS: &[F] = &[F::Accept, F::Accept4];

pub(super) const LESSONS: &[Lesson] = &[
    Lesson {
        of: SELECTS,
        when: |call| call.number() > 0 && call.asked[1] == 0,
        says: |call| {
            let (asked, nfds) = (counted(call.asked[0] as i64, "descriptor"), call.number());
            format!("can {asked} be read? nfds {nfds} is the highest number plus one")
        },
        see: Lab("nfds-and-count"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.asked[1] > 0,
        says: |call| {
            let [read, write, _] = call.asked.map(|asked| grouped(asked as i64));
            format!("two questions: can {read} be read, and is there room to send on {write}?")
        },
        see: Lab("writable-hysteresis"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.returned() > 0 && call.left_in_sets() == asked(call),
        says: |call| {
            format!("{} ready: its bit stays in the set, others would be cleared", ready(call))
        },
        see: Lab("select-eats-its-sets"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.returned() > 0 && call.left_in_sets() < asked(call),
        says: |call| {
            let (ready, asked) = (grouped(call.returned()), grouped(asked(call) as i64));
            format!(
                "{ready} of {asked} ready: the other bits are cleared, set them for the next call"
            )
        },
        see: Lab("select-eats-its-sets"),
    },
    Lesson {
        of: SELECTS,
        when: |call| !call.found[1].is_empty(),
        says: |call| format!("out: there is room to send on {} again", first(&call.found[1])),
        see: Lab("writable-hysteresis"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.result() == Some(0),
        says: |call| {
            format!("nothing was ready for {}: all the sets are empty now", call.patience())
        },
        see: Lab("select-eats-its-sets"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.left.is_some(),
        says: |call| {
            format!(
                "Linux wrote what is left, {}, into the timeout: set it anew",
                call.patience_left()
            )
        },
        see: Lab("timeout-mutates"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.failed(Errno::EINTR),
        says: |_| "a signal came, and SA_RESTART does not help here: the sets say nothing".into(),
        see: Lab("eintr-despite-sa-restart"),
    },
    Lesson {
        of: SELECTS,
        when: |call| call.failed(Errno::EBADF),
        says: |_| "one of the descriptors is not open; which one is not said".into(),
        see: Lab("bad-fd-poisons-select"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.number() > 0,
        says: |call| {
            format!("{} of questions; poll leaves events as it is", counted(call.number(), "row"))
        },
        see: Lab("poll-array-rules"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.returned() > 0,
        says: |call| {
            let (ready, rows) = (grouped(call.returned()), grouped(call.number()));
            format!("{ready} of {rows} answered in revents; the others have 0 there")
        },
        see: Lab("poll-array-rules"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.row_with(POLLOUT).is_some(),
        says: |call| format!("POLLOUT: there is room to send on {} again", row(call, POLLOUT)),
        see: Lab("writable-hysteresis"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.row_with(POLLHUP).is_some(),
        says: |call| {
            format!("POLLHUP, unasked: both directions of {} are over", row(call, POLLHUP))
        },
        see: Lab("readiness-matrix"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.row_with(POLLERR).is_some(),
        says: |call| {
            format!("POLLERR, unasked: the next call on {} tells the error", row(call, POLLERR))
        },
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
        says: |call| {
            format!("POLLNVAL: {} is not open; the other rows are answered", row(call, POLLNVAL))
        },
        see: Lab("bad-fd-poisons-select"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.result() == Some(0),
        says: |call| format!("nothing was ready for {}: every revents is 0", call.patience()),
        see: Lab("poll-array-rules"),
    },
    Lesson {
        of: POLLS,
        when: |call| call.failed(Errno::EINTR),
        says: |_| "a signal came, and SA_RESTART does not help here: ask again".into(),
        see: Lab("eintr-despite-sa-restart"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.succeeded(),
        says: |call| {
            format!(
                "{} is a new socket, for this client; {} goes on listening",
                call.returned(),
                call.fd
            )
        },
        see: Lab("listener-cannot-talk"),
    },
    Lesson {
        of: &[F::Accept4],
        when: |call| call.succeeded() && call.says("SOCK_NONBLOCK"),
        says: |_| "O_NONBLOCK is not inherited on Linux: this flag saves two calls of fcntl".into(),
        see: Lab("accept-inherits"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.failed(Errno::EAGAIN),
        says: |_| "the queue is empty: nobody else waits".into(),
        see: Word("EAGAIN"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.failed(Errno::EMFILE) || call.failed(Errno::ENFILE),
        says: |call| {
            format!("no descriptor is left: the client stays in the queue, {} stays ready", call.fd)
        },
        see: Lab("emfile-accept-spin"),
    },
    Lesson {
        of: ACCEPTS,
        when: |call| call.failed(Errno::ECONNABORTED),
        says: |_| "this client had gone before it was accepted; the next is not to blame".into(),
        see: Lab("accept-after-rst"),
    },
];

fn asked(call: &Facts) -> usize {
    call.asked.iter().sum()
}

/// Who is ready, where there is only one.
fn ready(call: &Facts) -> String {
    match call.returned() {
        1 => format!("{} is", call.found.iter().map(|set| first(set)).max().unwrap_or(-1)),
        several => format!("all {} are", grouped(several)),
    }
}

fn first(set: &[FdNumber]) -> i32 {
    set.first().map_or(-1, |number| number.get())
}

fn row(call: &Facts, bits: PollEvents) -> i32 {
    call.row_with(bits).unwrap_or(-1)
}

/// The row whose peer has finished, where the system has a bit for it. (By its name: not every system has it.)
fn rdhup(call: &Facts) -> Option<i32> {
    let known = PollEvents::CONSTANTS.iter().find(|bit| bit.name == "POLLRDHUP")?;
    call.row_with(PollEvents::from_bits(known.value as i32))
}
