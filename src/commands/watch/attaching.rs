//! What attaching does to a program that waits, reported where strace does not show it.
//!
//! strace begins with the first call that a thread makes after attaching. Its log contains neither the call that the
//! thread was waiting in, nor how that call ended. So the calls of all threads are queried just before; the first line
//! of a thread in the log then shows whether the kernel continued its call.

use std::collections::HashMap;

use baresock::os::waits_of_others::{WaitOfOther, waits_of};
use baresock::trace::arg::Arg;
use baresock::trace::event::{Callee, Event, Mark};

/// The calls that the threads were waiting in.
#[derive(Debug, Default)]
pub(super) struct InterruptedWaits(HashMap<u32, WaitOfOther>);

impl InterruptedWaits {
    /// The calls that the threads of this process wait in now; to be queried before strace attaches.
    pub(super) fn by_attaching_to(pid: u32) -> Self {
        Self(waits_of(pid).into_iter().map(|wait| (wait.tid, wait)).collect())
    }

    /// The call that attaching has ended, if this is the first one of its thread since then.
    pub(super) fn before(&mut self, first: &Event<'_>) -> Option<Event<'static>> {
        let wait = self.0.remove(&u32::try_from(first.tid).ok()?)?;
        // Linux restarts other calls, but not epoll_wait (seen on 6.18).
        let is_again = first.callee.name() == wait.call || is_begun_again(wait.call, first);
        if is_again && !wait.call.starts_with("epoll_") {
            return None;
        }
        let mut event = Event::new(Callee::Other(wait.call.into()));
        event.args.extend(wait.fd.map(Arg::Fd));
        (event.pid, event.tid, event.mark) = (first.pid, first.tid, Mark::Injected);
        (event.begin_ns, event.end_ns) = (first.begin_ns, first.begin_ns);
        Some(event)
    }
}

/// Whether a call is the kernel's call with this name, or continues it.
fn is_begun_again(name: &str, first: &Event<'_>) -> bool {
    let function = first.function();
    first.callee.name() == "restart_syscall"
        || function.is_some_and(|function| function.page().is_called(name))
}

/// The remark on such a call.
pub(super) const WHY: &str = "attaching ended this wait: it failed with EINTR, or returned the part that it had; no signal \
    came, and strace does not show it";
