//! strace: where it is, and its command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use baresock::cli::{self, Common};
use baresock::trace::Function;
use baresock::trace::page::Effect;

use super::super::failure::Failure;
use super::super::messages::say;
use super::instead;

/// Calls that have no wrapper and say something about descriptors, processes and signals.
const FURTHER_CALLS: &str = "open,openat,unlink,unlinkat,epoll_create,epoll_create1,epoll_ctl,epoll_wait,\
    epoll_pwait,epoll_pwait2,io_uring_setup,io_uring_enter,eventfd,eventfd2,clone,clone3,fork,vfork,execve,execveat,\
    kill,rt_sigaction,rt_sigreturn,sigreturn,restart_syscall,prlimit64,setrlimit";

/// What strace is to look at: these, and every call that does something to sockets and descriptors.
fn calls() -> String {
    let pages = Function::all().map(Function::page);
    let known = pages.filter(|page| page.effect != Effect::None && !page.is_library);
    let names = known.flat_map(|page| std::iter::once(&page.name).chain(page.kernel));
    let mut names: Vec<_> = names.copied().chain(FURTHER_CALLS.split(',')).collect();
    names.sort_unstable();
    names.dedup();
    // strace skips a name with a question mark that the kernel of this architecture does not have.
    let names: Vec<_> = names.iter().map(|name| format!("?{name}")).collect();
    format!("trace={}", names.join(","))
}

/// Printed when strace was started and saw nothing.
const WHY_NOT: &str = "strace saw no call: tracing is not permitted here (a container needs --cap-add=SYS_PTRACE, \
    --pid the same user and kernel.yama.ptrace_scope 0), or the program could not be started";

/// Why strace saw nothing.
pub(super) fn why_not(watch: &cli::WatchArgs) -> String {
    let program = watch.command.first();
    match (watch.pid, program) {
        (Some(pid), _) if !Path::new("/proc").join(pid.to_string()).exists() => {
            format!("process {pid} was not found")
        }
        (None, Some(program)) if !is_there(program) => {
            let shown = program.to_string_lossy().escape_debug().to_string();
            let is_path = shown.contains('/');
            format!("{shown}: {}", if is_path { "no such file" } else { "not found in PATH" })
        }
        _ => WHY_NOT.to_string(),
    }
}

/// Whether a program is found as strace finds it.
fn is_there(program: &OsStr) -> bool {
    if program.as_bytes().contains(&b'/') {
        return Path::new(program).exists();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|place| place.join(program).exists())
}

/// The path of strace.
///
/// # Errors
/// It is not in PATH, or this system has none.
pub(crate) fn find() -> Result<PathBuf, Failure> {
    if instead() != "strace" {
        return Err(Failure::new(format_args!(
            "watch needs strace, which runs only on Linux. This system has: {}. `baresock read` reads logs of strace",
            instead()
        )));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found =
        env::split_paths(&path).map(|place| place.join("strace")).find(|file| file.is_file());
    found.ok_or_else(|| {
        Failure::new(
            "watch needs strace, which is not in PATH; get it with `apt install strace`, `dnf install strace` or \
             `apk add strace`",
        )
    })
}

/// What attaching does to a program that waits (seen on Linux 6.18).
pub(super) fn warn_of_attaching() {
    say(
        "attaching interrupts the program's waiting call: epoll_wait, and recv and accept with SO_RCVTIMEO, fail with \
         EINTR; recv with MSG_WAITALL returns the bytes so far. Such calls are marked. Ctrl-C detaches",
    );
}

/// strace and its flags, for a log of a program that is started after `-o LOG --`.
///
/// # Errors
/// As [`find`].
pub(crate) fn words() -> Result<Vec<OsString>, Failure> {
    let strace = find()?;
    let mut words = vec![strace.clone().into_os_string()];
    let calls = calls();
    let flags = ["-f", "-q", "-ttt", "-T", "-e", &calls, "-e", "signal=!SIGWINCH", "-s", "64"];
    words.extend(flags.map(OsString::from));
    if knows_seccomp(&strace) {
        words.push("--seccomp-bpf".into());
    }
    Ok(words)
}

/// The command line of strace: it follows children, writes microseconds and durations, and as many bytes as are shown.
pub(super) fn command(
    strace: &Path,
    watch: &cli::WatchArgs,
    common: &Common,
    log: &Path,
) -> Command {
    let mut command = Command::new(strace);
    command.args(["-f", "-q", "-ttt", "-T", "-e", &calls(), "-e", "signal=!SIGWINCH", "-s"]);
    command.arg(common.trace_bytes.max(64).to_string()).arg("-o").arg(log);
    match watch.pid {
        Some(pid) => {
            command.arg("-p").arg(pid.to_string());
        }
        None => {
            if knows_seccomp(strace) {
                command.arg("--seccomp-bpf");
            }
            command.arg("--").args(&watch.command);
        }
    }
    command
}

/// Whether this strace can leave unwanted calls untraced (from version 5.3 on), which makes the program faster.
fn knows_seccomp(strace: &Path) -> bool {
    let mut command = Command::new(strace);
    command.args(["--seccomp-bpf", "-V"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
