//! A process as the system shows it. Only Linux shows it in files; on other systems these checks are left out.

use std::time::{Duration, Instant};

use super::{PATIENCE, Server, skipped, wait_until};

/// Whether a server's memory, time and descriptors can be checked here.
pub(crate) const HAS_PROC: bool = cfg!(target_os = "linux");

fn proc_file(pid: u32, name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap()
}

/// The fields of `/proc/PID/stat` behind the name: the state is the first.
fn stat(pid: u32) -> Vec<String> {
    let text = proc_file(pid, "stat");
    let (_, fields) = text.rsplit_once(')').unwrap();
    fields.split_whitespace().map(ToString::to_string).collect()
}

/// User and system time, in ticks (a hundredth of a second, nearly everywhere).
pub(crate) fn cpu_ticks(pid: u32) -> u64 {
    let fields = stat(pid);
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// R runs, S sleeps, T is stopped.
pub(crate) fn state(pid: u32) -> char {
    stat(pid)[0].chars().next().unwrap()
}

/// Resident memory, not the memory it has reserved.
pub(crate) fn resident_bytes(pid: u32) -> u64 {
    memory_of(pid, "VmRSS:")
}

/// The part of it that the process has filled itself. (The pages of its program come in as it gets to them.)
pub(crate) fn filled_bytes(pid: u32) -> u64 {
    memory_of(pid, "RssAnon:")
}

fn memory_of(pid: u32, kind: &str) -> u64 {
    let status = proc_file(pid, "status");
    let line = status.lines().find(|line| line.starts_with(kind)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// How many descriptors it has.
pub(crate) fn descriptors(pid: u32) -> usize {
    descriptor_numbers(pid).count()
}

/// How many more it can have with numbers below this. (It may have inherited some with higher numbers.)
pub(crate) fn free_below(limit: usize, pid: u32) -> usize {
    limit - descriptor_numbers(pid).filter(|number| *number < limit).count()
}

fn descriptor_numbers(pid: u32) -> impl Iterator<Item = usize> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
}

/// Waits until the server has so many descriptors.
#[track_caller]
pub(crate) fn wait_for_descriptors(server: &Server, count: usize) {
    if HAS_PROC {
        let what = format!("the server has {count} descriptors");
        wait_until(&what, || descriptors(server.pid()) == count);
    }
}

/// Asserts that the process waits without using the processor: at most one tick in two seconds.
#[track_caller]
pub(crate) fn assert_waiting_costs_nothing(server: &Server) {
    assert_waiting_costs_at_most(1, server.pid());
}

/// The same of a program that looks at its sockets now and then: at most so many ticks.
#[track_caller]
pub(crate) fn assert_waiting_costs_at_most(most: u64, pid: u32) {
    if !HAS_PROC {
        return skipped("this system does not show how much time a process has used");
    }
    let before = cpu_ticks(pid);
    std::thread::sleep(Duration::from_secs(2));
    let used = cpu_ticks(pid) - before;
    assert!(used <= most, "{used} ticks in two seconds of waiting");
}

/// How long a test waits for a process. Time passes only while the process and its children sleep: a machine that is busy
/// with other things, or a program such as valgrind that needs long, does not use the patience up.
pub(crate) struct Patience {
    pid: u32,
    /// The processor time that it had when it was last seen at work, in ticks, and when that was.
    ticks: u64,
    last_at_work: Instant,
    /// When it is looked at next.
    next_look: Instant,
    /// For how long it may sleep.
    most: Duration,
    /// No process works longer than this.
    end: Instant,
}

impl Patience {
    pub(crate) fn with(pid: u32, most: Duration) -> Self {
        let now = Instant::now();
        Self { pid, ticks: 0, last_at_work: now, next_look: now, most, end: now + 10 * PATIENCE }
    }

    /// Whether the process has slept for too long.
    pub(crate) fn is_over(&mut self) -> bool {
        /// The kernel writes the files of a process anew for each look. Tests that looked every 2 ms, several at a time, used
        /// a sixth of the processor time of the test of wrong servers.
        const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
        let now = Instant::now();
        if now >= self.next_look {
            self.next_look = now + BETWEEN_LOOKS;
            let (ticks, is_at_work) = work_of(self.pid);
            if is_at_work || ticks != self.ticks {
                (self.ticks, self.last_at_work) = (ticks, now);
            }
        }
        now > self.end || now.duration_since(self.last_at_work) > self.most
    }
}

/// The processor time of a process and its children, and whether one of them has a processor, waits for one, or waits for
/// a disk.
fn work_of(pid: u32) -> (u64, bool) {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let all = children.split_whitespace().filter_map(|pid| pid.parse().ok()).chain([pid]);
    all.fold((0, false), |(ticks, is_at_work), pid: u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> =
            text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse().ok()).unwrap_or(0);
        let works = matches!(fields.first(), Some(&("R" | "D")));
        (ticks + number(11) + number(12), is_at_work || works)
    })
}
