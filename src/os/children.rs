//! The processes that this process has started, and their descendants: what they use, and how to end them.
//!
//! A program that forks twice and calls `setsid` is neither a child nor in a known process group. On Linux such an
//! orphan becomes a child of this process once [`adopt_orphans`] was called, so all descendants are found below this
//! process. On other systems only the process group is known.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::process_group::kill_group;

/// The resources of a process and its descendants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Open descriptors.
    pub descriptors: usize,
    /// Resident memory, not the memory it has reserved.
    pub resident_bytes: u64,
    /// Processor time of the living processes, and of those that ended and were waited for.
    pub processor_time: Duration,
    /// Whether one of them is running, ready to run, or waiting for a disk.
    pub is_at_work: bool,
    /// How many processes there are.
    pub processes: usize,
}

/// From now on, orphans among the descendants become children of this process. Does nothing on other systems than
/// Linux.
pub fn adopt_orphans() {
    #[cfg(linux)]
    // It fails only on kernels before 3.4; then only the group can be ended, as on other systems.
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

/// From now on the kernel kills this process when its parent ends, in whatever way. Does nothing on other systems than
/// Linux.
pub fn end_with_parent() {
    #[cfg(linux)]
    // It fails only for an invalid signal number, and SIGKILL is valid.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
}

/// A child that must outlive all others: [`end_all`] does not kill it.
static SPARED: AtomicU32 = AtomicU32::new(0);

/// From now on [`end_all`] does not kill this child; its owner must.
pub fn spare(pid: u32) {
    SPARED.store(pid, Ordering::Relaxed);
}

/// All descendants of this process, except the spared child.
pub fn to_be_ended() -> Vec<u32> {
    let mut below = descendants(std::process::id());
    below.retain(|pid| *pid != SPARED.load(Ordering::Relaxed));
    below
}

/// Ends a process that this one has started, its process group and, on Linux, all its descendants; waits for those that
/// end. Takes at most about three seconds, even against programs that start new processes as fast as they can.
pub fn end_all(leader: u32) {
    /// Each round stops the newest processes before it ends any, so that none is left to start others.
    const ROUNDS: usize = 300;
    for _ in 0..ROUNDS {
        kill_group(leader);
        let below = to_be_ended();
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            below.iter().for_each(|pid| signal_to(*pid, signal));
        }
        let is_leader_gone = reap(leader);
        for pid in &below {
            let _ = reap(*pid);
        }
        if is_leader_gone && below.iter().all(|pid| *pid == leader || reap(*pid)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal_to(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        // The process may have ended in between.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Collects the status of an ended child; true if there is no child left to wait for.
fn reap(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return true };
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) => false,
        Ok(_) | Err(Errno::ECHILD) => true,
        Err(_) => false,
    }
}

/// The resources of a process and its descendants; `None` where the system does not tell, or where this process may not
/// look.
#[cfg(linux)]
pub fn use_of(pid: u32) -> Option<Use> {
    let mut all = descendants(pid);
    all.push(pid);
    let mut used = Use { processes: all.len(), ..Use::default() };
    for one in all {
        let Some(stat) = Stat::of(one) else {
            // A process that ended in between uses nothing, but the first one must exist.
            if one == pid {
                return None;
            }
            continue;
        };
        used.resident_bytes += stat.resident_bytes;
        used.processor_time += stat.processor_time;
        used.is_at_work |= matches!(stat.state, 'R' | 'D');
        match std::fs::read_dir(format!("/proc/{one}/fd")) {
            Ok(entries) => used.descriptors += entries.count(),
            Err(_) if one == pid && stat.state != 'Z' => return None,
            Err(_) => {}
        }
    }
    Some(used)
}

/// This system has no files that tell what a process uses.
#[cfg(not(linux))]
pub fn use_of(_pid: u32) -> Option<Use> {
    None
}

/// Whether a process is stopped.
#[cfg(linux)]
pub fn is_stopped(pid: u32) -> bool {
    Stat::of(pid).is_some_and(|stat| matches!(stat.state, 'T' | 't'))
}

/// This system does not tell.
#[cfg(not(linux))]
pub fn is_stopped(_pid: u32) -> bool {
    false
}

/// Whether a process has ended; one that was not waited for yet counts as ended.
#[cfg(linux)]
pub fn has_ended(pid: u32) -> bool {
    Stat::of(pid).is_none_or(|stat| matches!(stat.state, 'Z' | 'X'))
}

/// Whether a process has ended. (Here, one that was not waited for yet counts as living.)
#[cfg(not(linux))]
pub fn has_ended(pid: u32) -> bool {
    i32::try_from(pid).is_ok_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

/// The descendants of a process, parents before their children.
#[cfg(linux)]
pub fn descendants(pid: u32) -> Vec<u32> {
    // On kernels without this file every process is asked for its parent, which takes long if there are many.
    let has_lists = std::path::Path::new("/proc/thread-self/children").exists();
    let parents: Vec<(u32, u32)> = if has_lists { Vec::new() } else { every_parent() };
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        match has_lists {
            true => found.extend(children_of(parent)),
            false => {
                found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(one, _)| *one));
            }
        }
        at += 1;
    }
    found.remove(0);
    found
}

/// Each process with its parent.
#[cfg(linux)]
fn every_parent() -> Vec<(u32, u32)> {
    let all = numbers_in("/proc");
    all.filter_map(|one| Some((one, Stat::of(one)?.parent))).collect()
}

/// The children of all threads of a process.
#[cfg(linux)]
fn children_of(pid: u32) -> Vec<u32> {
    let threads = numbers_in(&format!("/proc/{pid}/task"));
    let lists = threads.filter_map(|thread| {
        std::fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")).ok()
    });
    let mut children = Vec::new();
    for list in lists {
        children.extend(list.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
    }
    children
}

/// The entries of a directory whose names are numbers.
#[cfg(linux)]
fn numbers_in(directory: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok())
}

/// This system does not tell.
#[cfg(not(linux))]
pub fn descendants(_pid: u32) -> Vec<u32> {
    Vec::new()
}

/// A part of `/proc/PID/stat`.
#[cfg(linux)]
struct Stat {
    state: char,
    parent: u32,
    processor_time: Duration,
    resident_bytes: u64,
}

#[cfg(linux)]
impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name is in parentheses, and may itself contain parentheses.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let ticks = number(11)? + number(12)? + number(13)? + number(14)?;
        let per_second = ticks_per_second();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: u32::try_from(number(1)?).ok()?,
            processor_time: Duration::from_micros(ticks * 1_000_000 / per_second),
            resident_bytes: number(21)? * page_bytes(),
        })
    }
}

#[cfg(linux)]
fn ticks_per_second() -> u64 {
    let known = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
    known.and_then(|known| u64::try_from(known).ok()).filter(|known| *known > 0).unwrap_or(100)
}

#[cfg(linux)]
fn page_bytes() -> u64 {
    let known = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    known.and_then(|known| u64::try_from(known).ok()).unwrap_or(4096)
}
