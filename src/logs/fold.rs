//! From the kernel's call to the function that the program called: libc's `send` is the kernel's `sendto` without an
//! address.
//!
//! A log of strace shows the kernel's calls, one of our traces those of libc. Here the former are converted, so that
//! all later code knows one name for each.

use super::answer::RawCall;
use super::arguments::Arguments;

/// The name of the function that was called, and how many of the arguments belong to it.
pub(super) fn name_in_c<'a>(call: &RawCall<'a>, arguments: &Arguments<'a>) -> (&'a str, usize) {
    let all = arguments.count();
    match call.name {
        "sendto" if arguments[4] == "NULL" && arguments[5] == "0" => ("send", 4),
        // Older versions of strace write 0 for a call that failed.
        "recvfrom" if matches!((arguments[4], arguments[5]), ("NULL", "NULL") | ("0", "0")) => {
            ("recv", 4)
        }
        // Older versions of strace write no NULL there.
        "pselect6" | "pselect6_time64" if matches!(arguments[5], "NULL" | "0" | "") => {
            ("select", 5)
        }
        "pselect6" | "pselect6_time64" => ("pselect", all),
        "_newselect" => ("select", all),
        // If the kernel has no `poll`, libc calls `ppoll` without a mask and its size.
        "ppoll" | "ppoll_time64" if arguments[3] == "NULL" && arguments[4] == "0" => ("poll", 3),
        "ppoll" | "ppoll_time64" => ("ppoll", all.min(4)),
        "pipe2" if arguments[1] == "0" => ("pipe", 1),
        "recvmmsg_time64" => ("recvmmsg", all),
        "fcntl64" => ("fcntl", all),
        "sendfile64" => ("sendfile", all),
        "rt_sigaction" => ("sigaction", all.min(3)),
        "rt_sigprocmask" => ("sigprocmask", all.min(3)),
        name => (name, all),
    }
}
