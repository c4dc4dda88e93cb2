//! The driver: it calls every wrapper, with success and with every failure that an ordinary process can
//! bring about by itself. It decides nothing; what it did is compared afterwards, line by line.
//!
//! It runs on one thread, so that there is one order. A second thread does nothing but send that one a
//! signal when it sleeps in a call that should be interrupted.

mod descriptors;
mod errnos;
mod library;
mod messages;
mod moving;
mod options;
mod signals;
mod sockets;
mod splicing;
mod waiting;

use std::ffi::c_long;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use baresock::os::limits::{descriptor_limits, set_descriptor_limit};
use baresock::os::system::{System, this_system};
use baresock::sys::*;
use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
use nix::sys::signal::Signal as TestSignal;
use nix::unistd::Uid;

use crate::support::skipped;

pub(crate) use errnos::Ready;

/// As many descriptors as one message passes: libc of musl 1.2.3 has room for fewer than Linux, 1,024 bytes of control data.
fn most_fds() -> usize {
    if this_system() == System::LinuxMusl { 252 } else { MAX_PASSED }
}

/// Calls everything. The current directory is an empty one that may be filled.
pub(crate) fn drive(interrupter: &Interrupter, ready: &Ready) {
    sockets::drive(interrupter);
    moving::drive(interrupter);
    splicing::drive(interrupter);
    messages::drive(interrupter);
    options::drive();
    waiting::drive(interrupter);
    descriptors::drive();
    signals::drive();
    errnos::drive(interrupter, ready);
    library::drive();
}

/// What the second thread does to the first.
enum Disturbance {
    Signal(TestSignal),
    /// Closes this, so that a thread that waits for the other end wakes up.
    Close(OwnedFd),
}

/// Sends signals to the thread that made it, whenever that thread sleeps in a call which is to be interrupted.
pub(crate) struct Interrupter {
    to_do: Arc<Mutex<Vec<Disturbance>>>,
    end: Arc<AtomicBool>,
    helper: Option<JoinHandle<()>>,
}

impl Interrupter {
    /// For this thread.
    pub(crate) fn new() -> Self {
        let (to_do, end) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (theirs, their_end) = (to_do.clone(), end.clone());
        // With musl a thread's name is a pointer, which may not go to another thread; its number may.
        let (target, tid) = (pthread_self() as usize, nix::unistd::gettid().as_raw());
        let helper = thread::spawn(move || {
            while !their_end.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
                disturb_if_asleep(&theirs, target as Pthread, tid);
            }
        });
        Self { to_do, end, helper: Some(helper) }
    }

    /// Makes a call that sleeps, and sends SIGUSR1 as soon as it does.
    fn during<T>(&self, call: impl FnOnce() -> T) -> T {
        self.during_each(vec![TestSignal::SIGUSR1], call)
    }

    /// The same with several signals: the next one when it sleeps again.
    fn during_each<T>(&self, signals: Vec<TestSignal>, call: impl FnOnce() -> T) -> T {
        self.disturb(signals.into_iter().map(Disturbance::Signal).collect(), call)
    }

    /// The same, and at last this is closed.
    fn during_each_and_close<T>(
        &self,
        signals: Vec<TestSignal>,
        fd: Fd,
        call: impl FnOnce() -> T,
    ) -> T {
        let signals = signals.into_iter().map(Disturbance::Signal);
        self.disturb(signals.chain([Disturbance::Close(fd.into())]).collect(), call)
    }

    fn disturb<T>(&self, mut disturbances: Vec<Disturbance>, call: impl FnOnce() -> T) -> T {
        disturbances.reverse();
        *self.to_do.lock().unwrap() = disturbances;
        let result = call();
        assert!(self.to_do.lock().unwrap().is_empty(), "the call did not wait to be disturbed");
        result
    }
}

impl Drop for Interrupter {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        if let Some(helper) = self.helper.take() {
            let _ = helper.join();
        }
    }
}

/// A thread that strace holds is in state t, one that waits for the lock here holds up no other, so S is the
/// call.
fn disturb_if_asleep(to_do: &Mutex<Vec<Disturbance>>, target: Pthread, tid: i32) {
    let mut to_do = to_do.lock().unwrap();
    if to_do.is_empty() {
        return;
    }
    // "1234 (name) S …": the state stands behind the last parenthesis.
    let text = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")).unwrap_or_default();
    let asleep = text.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S'));
    match to_do.pop_if(|_| asleep) {
        None => {}
        Some(Disturbance::Signal(signal)) => pthread_kill(target, signal).unwrap(),
        Some(Disturbance::Close(fd)) => drop(fd),
    }
}

const ANY: Protocol = IPPROTO_IP;

/// As many seconds as C's `time_t` can say.
pub(super) const LONGEST_SEC: i64 = c_long::MAX as i64;

fn loopback() -> Address {
    Address::v4(Ipv4Addr::LOCALHOST, 0)
}

fn loopback6() -> Address {
    Address::v6(Ipv6Addr::LOCALHOST, 0)
}

fn abstract_name(name: &[u8]) -> Address {
    Address::Unix(UnixName::Abstract(name.to_vec()))
}

/// A socket of this kind that listens.
fn listener(at: &Address) -> (Fd, Address) {
    let fd = socket(at.domain(), SOCK_STREAM, ANY).unwrap();
    bind(&fd, at).unwrap();
    listen(&fd, 16).unwrap();
    let at = getsockname(&fd).unwrap();
    (fd, at)
}

/// Two ends of a TCP connection.
fn tcp_pair() -> [Fd; 2] {
    let (listener, at) = listener(&loopback());
    let client = socket(AF_INET, SOCK_STREAM, ANY).unwrap();
    connect(&client, &at).unwrap();
    let (server, _) = accept(&listener).unwrap();
    [client, server]
}

fn unix_pair(kind: SocketType) -> [Fd; 2] {
    socketpair(AF_UNIX, kind, ANY).unwrap()
}

/// A UDP socket with a name.
fn udp(at: &Address) -> (Fd, Address) {
    let fd = socket(at.domain(), SOCK_DGRAM, ANY).unwrap();
    bind(&fd, at).unwrap();
    let at = getsockname(&fd).unwrap();
    (fd, at)
}

/// A TCP socket that does not wait.
fn nonblocking() -> Fd {
    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, ANY).unwrap()
}

/// Waits, with a call that is compared too, until something can be read.
fn until_readable(fd: &Fd) {
    assert_eq!(poll(&mut [PollFd::new(fd.as_fd(), POLLIN)], 10_000), Ok(1));
}

/// Runs `what` while this process may not have one descriptor more than it has.
fn without_a_free_descriptor(what: impl FnOnce()) {
    let [out, into] = pipe().unwrap();
    let lowest_free = out.number().get().min(into.number().get());
    drop((out, into));
    with_descriptor_limit(lowest_free as u64, what);
}

/// Runs `what` while descriptors are numbered below this.
fn with_descriptor_limit(limit: u64, what: impl FnOnce()) {
    let before = descriptor_limits().unwrap().soft;
    set_descriptor_limit(limit).unwrap();
    what();
    set_descriptor_limit(before).unwrap();
}

/// Whether process 1 is one's own, as it may be in a container: then there is none that may not be sent a signal.
pub(crate) fn has_first_process() -> bool {
    let own = Uid::effective();
    let owner = std::fs::metadata("/proc/1").map(|first| first.uid());
    !own.is_root() && owner.is_ok_and(|uid| uid == own.as_raw())
}

/// IPv6 can be switched off; what needs it is left out then.
pub(crate) fn has_ipv6() -> bool {
    let usable = socket(AF_INET6, SOCK_STREAM, ANY).and_then(|fd| bind(fd, &loopback6())).is_ok();
    if !usable {
        skipped("the IPv6 calls: this machine has no IPv6");
    }
    usable
}
