//! `pipe` makes two descriptors: bytes written to one are read from the other.

use std::os::fd::RawFd;

use super::{Fd, status};
use crate::names::Result;
use crate::trace::arg::Arg;
use crate::trace::call::enter;
use crate::trace::lesson::{Lesson, See};
use crate::trace::page::{Effect, Function, Page};
use crate::values::FdNumber;

/// How many bytes a pipe takes completely or not at all. A pipe that `poll` reports writable takes this many without
/// waiting.
pub const PIPE_BUF: usize = libc::PIPE_BUF;

static PIPE: Page = Page {
    name: "pipe",
    prototype: "int pipe(int pipefd[2])",
    parameters: &["pipefd"],
    fills: &["pipefd"],
    short: &["pipefd"],
    effect: Effect::MakesPipe,
    kernel: &["pipe2"],
    gist: "a one-way channel inside the machine",
    result: "0; pipefd[0] is for reading, pipefd[1] for writing.",
    trap: "A process that keeps its own copy of the writing end never gets the end of file.",
    errnos: "EMFILE ENFILE",
    systems: "FreeBSD's pipes carry bytes both ways (pipe(2)); do not rely on it elsewhere.",
    man: "pipe(2)",
    posix: "pipe",
    lab: "readiness-matrix",
    lessons: &[
        &super::socket::NO_DESCRIPTOR_LEFT,
        &Lesson {
            when: |call| call.pair.is_some(),
            says: |call| {
                let [read_end, write_end] = call.pair.unwrap_or([-1; 2]);
                format!("what is written to {write_end} comes out of {read_end}")
            },
            see: See::Lab("signal-race"),
        },
    ],
    ..Page::blank()
};

impl Function {
    /// `int pipe(int pipefd[2])`
    pub const PIPE: Self = Self::on(&PIPE);
}

/// `int pipe(int pipefd[2]);` makes a pipe: bytes written to the second descriptor are read from the first.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EMFILE` | this process has no descriptor left |
/// | `ENFILE` | the whole system has no descriptor left |
///
/// References: [`pipe(2)`](https://man7.org/linux/man-pages/man2/pipe.2.html),
/// [`pipe(7)`](https://man7.org/linux/man-pages/man7/pipe.7.html);
/// POSIX [`pipe`](https://pubs.opengroup.org/onlinepubs/9799919799/functions/pipe.html).
pub fn pipe() -> Result<[Fd; 2]> {
    let call = enter(Function::PIPE, || []);
    let mut raw: [RawFd; 2] = [-1; 2];
    let result = call.make(|| {
        // SAFETY: `raw` has room for the two numbers that the call writes.
        status(unsafe { libc::pipe(raw.as_mut_ptr()) })
    });
    call.rest(|| [pair(raw, result.is_ok())]).returns(result)?;
    // SAFETY: the call succeeded and has just made both descriptors for us.
    Ok(raw.map(|raw| unsafe { Fd::own(raw) }))
}

/// Two descriptors as an argument; after a failure, the array into which they would have been written.
pub(super) fn pair(raw: [RawFd; 2], made: bool) -> Arg<'static> {
    if made { Arg::Fds(raw.map(FdNumber::new)) } else { Arg::Pointer(raw.as_ptr() as usize) }
}
