//! A process as the system shows it. Only Linux shows it in files; elsewhere these tests do without.

use std::time::Duration;

use super::{Server, skipped, wait_until};

/// What is expected of a server's memory, time and descriptors can be looked at here.
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

/// The memory that it has, not what it has asked for.
pub(crate) fn resident_bytes(pid: u32) -> u64 {
    let status = proc_file(pid, "status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
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

/// It waits, and waiting costs nothing: at most one tick in two seconds.
#[track_caller]
pub(crate) fn assert_waiting_costs_nothing(server: &Server) {
    if !HAS_PROC {
        return skipped("this system does not show how much time a process has used");
    }
    let before = cpu_ticks(server.pid());
    std::thread::sleep(Duration::from_secs(2));
    let used = cpu_ticks(server.pid()) - before;
    assert!(used <= 1, "{used} ticks in two seconds of waiting");
}
