//! Settings of the kernel that apply to every process. Linux has them as files below /proc/sys, the others behind
//! sysctl(8).

use std::fs::OpenOptions;
use std::io::{self, Write};

/// The largest backlog that `listen` can set.
pub fn listen_backlog() -> Option<u64> {
    setting(BACKLOG)
}

/// How many connections may wait at a listener that asks for as many as possible.
pub fn most_waiting() -> u64 {
    listen_backlog().unwrap_or(libc::SOMAXCONN.unsigned_abs().into())
}

/// The range of ephemeral ports: first and last.
pub fn ephemeral_ports() -> Option<[u64; 2]> {
    let [first, last] = PORTS;
    Some([setting(first)?, setting(last)?])
}

/// How many open files the whole system may have.
pub fn open_files() -> Option<u64> {
    setting(OPEN_FILES)
}

/// Changes, in this process's own network, how many waits for the answer to a SYN last one second before the waits
/// begin to double (`net.ipv4.tcp_syn_linear_timeouts`). It runs on a thread of its own, so that these calls do not
/// appear between those of a lab.
///
/// # Errors
/// `ENOENT`: there is no such setting (Linux before 6.5, and other systems). `EACCES`, `EROFS`: this process may not
/// change it.
pub fn set_linear_syn_timeouts(waits: u8) -> io::Result<()> {
    const SETTING: &str = "/proc/sys/net/ipv4/tcp_syn_linear_timeouts";
    let write = move || {
        OpenOptions::new().write(true).open(SETTING)?.write_all(waits.to_string().as_bytes())
    };
    std::thread::spawn(write).join().unwrap_or(Err(io::ErrorKind::Other.into()))
}

/// The name of a setting, and which of its numbers is meant.
type SettingPlace = (&'static str, usize);

#[cfg(linux)]
const BACKLOG: SettingPlace = ("net/core/somaxconn", 0);
#[cfg(linux)]
const PORTS: [SettingPlace; 2] =
    [("net/ipv4/ip_local_port_range", 0), ("net/ipv4/ip_local_port_range", 1)];
#[cfg(linux)]
const OPEN_FILES: SettingPlace = ("fs/file-max", 0);

#[cfg(apple)]
const BACKLOG: SettingPlace = ("kern.ipc.somaxconn", 0);
#[cfg(freebsd)]
const BACKLOG: SettingPlace = ("kern.ipc.soacceptqueue", 0);
#[cfg(openbsd)]
const BACKLOG: SettingPlace = ("kern.somaxconn", 0);
// NetBSD has no such setting, so sysctl finds nothing: SOMAXCONN is compiled into its kernel.
#[cfg(netbsd)]
const BACKLOG: SettingPlace = ("kern.somaxconn", 0);
#[cfg(any(apple, freebsd))]
const PORTS: [SettingPlace; 2] =
    [("net.inet.ip.portrange.first", 0), ("net.inet.ip.portrange.last", 0)];
#[cfg(openbsd)]
const PORTS: [SettingPlace; 2] = [("net.inet.ip.portfirst", 0), ("net.inet.ip.portlast", 0)];
#[cfg(netbsd)]
const PORTS: [SettingPlace; 2] = [("net.inet.ip.anonportmin", 0), ("net.inet.ip.anonportmax", 0)];
#[cfg(not(linux))]
const OPEN_FILES: SettingPlace = ("kern.maxfiles", 0);

fn setting((name, which): SettingPlace) -> Option<u64> {
    text(name)?.split_whitespace().nth(which)?.parse().ok()
}

#[cfg(linux)]
fn text(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("/proc/sys/{name}")).ok()
}

#[cfg(apple)]
const SYSCTL: &str = "/usr/sbin/sysctl";
#[cfg(bsd)]
const SYSCTL: &str = "/sbin/sysctl";

#[cfg(not(linux))]
fn text(name: &str) -> Option<String> {
    let output = std::process::Command::new(SYSCTL).args(["-n", name]).output().ok()?;
    String::from_utf8(output.stdout).ok()
}
