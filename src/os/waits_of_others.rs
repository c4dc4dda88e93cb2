//! What the threads of another process wait for, as the kernel shows it to users who may trace that process.

use std::fs;
use std::io::Read;

use crate::trace::Function;
use crate::values::FdNumber;

/// A thread that is in a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitOfOther {
    /// The thread id.
    pub tid: u32,
    /// The kernel's name of the call.
    pub call: &'static str,
    /// Its first argument, if that is a descriptor.
    pub fd: Option<FdNumber>,
}

/// The call that each thread of a process waits in, if it is one that waits for sockets; empty where the system does
/// not tell, and for a 32-bit program if this is a 64-bit one, or the other way round.
pub fn waits_of(pid: u32) -> Vec<WaitOfOther> {
    if class_of(&format!("/proc/{pid}/exe")) != class_of("/proc/self/exe") {
        return Vec::new();
    }
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_thread = |thread: fs::DirEntry| {
        let tid = thread.file_name().to_str()?.parse().ok()?;
        wait(tid, &fs::read_to_string(thread.path().join("syscall")).ok()?)
    };
    threads.filter_map(of_thread).collect()
}

/// The class of a program: with 32 bits its calls have other numbers than with 64.
fn class_of(program: &str) -> Option<u8> {
    let mut head = [0; 5];
    fs::File::open(program).ok()?.read_exact(&mut head).ok()?;
    Some(head[4])
}

/// A line of `/proc/PID/syscall`: `232 0x5 0x7ffc… …`, or `running`.
fn wait(tid: u32, line: &str) -> Option<WaitOfOther> {
    let mut words = line.split_ascii_whitespace();
    let number: i64 = words.next()?.parse().ok()?;
    let (_, call) = waiting_calls().iter().find(|(known, _)| *known == number)?;
    let first = words.next().and_then(|word| word.strip_prefix("0x"));
    let first = first.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let mut pages = Function::all().map(Function::page);
    let is_of_descriptor = !pages.any(|page| page.waits_for_many() && page.is_called(call));
    let fd = first.and_then(|first| i32::try_from(first).ok()).filter(|_| is_of_descriptor);
    Some(WaitOfOther { tid, call, fd: fd.map(FdNumber::new) })
}

/// The calls, by their numbers on this processor architecture.
#[cfg(linux)]
fn waiting_calls() -> &'static [(i64, &'static str)] {
    &[
        (libc::SYS_recvfrom as i64, "recvfrom"),
        (libc::SYS_recvmsg as i64, "recvmsg"),
        (libc::SYS_recvmmsg as i64, "recvmmsg"),
        (libc::SYS_sendto as i64, "sendto"),
        (libc::SYS_sendmsg as i64, "sendmsg"),
        (libc::SYS_read as i64, "read"),
        (libc::SYS_write as i64, "write"),
        (libc::SYS_readv as i64, "readv"),
        (libc::SYS_writev as i64, "writev"),
        (libc::SYS_connect as i64, "connect"),
        (libc::SYS_accept4 as i64, "accept4"),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_accept as i64, "accept"),
        #[cfg(target_arch = "aarch64")]
        (libc::SYS_accept as i64, "accept"),
        (libc::SYS_epoll_pwait as i64, "epoll_pwait"),
        (libc::SYS_epoll_pwait2 as i64, "epoll_pwait2"),
        #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
        (libc::SYS_epoll_wait as i64, "epoll_wait"),
        #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
        (libc::SYS_poll as i64, "poll"),
        #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
        (libc::SYS_select as i64, "select"),
        (libc::SYS_ppoll as i64, "ppoll"),
        (libc::SYS_pselect6 as i64, "pselect6"),
    ]
}

/// On other systems the numbers would mean something else, and there is no strace.
#[cfg(not(linux))]
fn waiting_calls() -> &'static [(i64, &'static str)] {
    &[]
}

#[cfg(all(test, linux))]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_of_the_class_that_its_file_says() {
        let own = if cfg!(target_pointer_width = "32") { 1 } else { 2 };
        assert_eq!(class_of("/proc/self/exe"), Some(own));
        assert_eq!(class_of("/nonexistent"), None);
    }

    #[test]
    fn a_line_says_the_call_and_its_descriptor() {
        let line = format!("{} 0x7 0x7ffd0 0x40 0x0 0x0 0x0 0x7ffc 0x7f12", libc::SYS_recvfrom);
        let found = wait(9, &line).unwrap();
        assert_eq!((found.tid, found.call), (9, "recvfrom"));
        assert_eq!(found.fd, Some(FdNumber::new(7)));
        let line = format!("{} 0x7 0x0", libc::SYS_pselect6);
        assert_eq!(wait(9, &line).unwrap().fd, None);
        for line in ["running", "", "-1 0x7f 0x3", "99999 0x1"] {
            assert_eq!(wait(9, line), None, "{line}");
        }
    }
}
