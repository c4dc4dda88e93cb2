//! strace's file, made into the calls of one thread: halves joined, signals taken out, what is not of the
//! subject left out by name.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Untold;
use super::call::Call;
use super::fold::UNTOLD;
use super::musl;

/// What is left of strace's file.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A call of the subject, taken apart and as it was.
    Call(Call, String),
    /// The program wrote to its own trace.
    WroteTrace,
}

/// Every kernel call that is not of the subject. One that is neither here nor in our trace is a difference.
const NOT_OF_THE_SUBJECT: &[&str] = &[
    // Memory.
    "brk",
    "madvise",
    "mmap",
    "mmap2",
    "mprotect",
    "mremap",
    "munmap",
    // Threads, locks, time, chance.
    "clock_gettime",
    "clock_nanosleep",
    "futex",
    "getrandom",
    "gettid",
    "sched_yield",
    "setitimer",
    "tgkill",
    "tkill",
    // Limits and identity.
    "getpgid",
    "getpgrp",
    "geteuid",
    "geteuid32",
    "getpid",
    "prlimit64",
    "readlink",
    "setresuid",
    "setresuid32",
    "ugetrlimit",
    "uname",
    // Files by name: the trace's own, and those that the driver makes to have a descriptor.
    "ftruncate",
    "openat",
    "newfstatat",
    "open",
    "stat",
    "statx",
    "unlink",
    "unlinkat",
    // Other processes, and namespaces: what labs do besides.
    "clone",
    "clone3",
    "fork",
    "unshare",
    "vfork",
    "wait4",
    "waitid",
    // The end of a handler (`interrupted` has read it), of a thread, of the process.
    "exit",
    "exit_group",
    "rt_sigreturn",
    "sigaltstack",
    "sigreturn",
];

/// The calls of the thread that opened `trace_file`, from then on.
///
/// # Errors
/// The file was not opened, or strace's text is not understood.
pub(crate) fn seen(
    text: &str,
    trace_file: &Path,
    untold: Untold<'_>,
    left_out: &mut BTreeMap<String, usize>,
) -> Result<Vec<Seen>, String> {
    let (lines, trace_fd) = since_opened(text, trace_file)?;
    let lines = interrupted(&lines)?;
    let mut seen = Vec::new();
    let mut of_std = BTreeSet::new();
    let mut of_tracer = None;
    let mut opened = None;
    for line in lines {
        let call = Call::parse(&line).ok_or_else(|| format!("not understood: {line}"))?;
        if is_of_std(&call, &mut of_std) {
            *left_out.entry(format!("{} (std's pipe to a child)", call.name)).or_default() += 1;
            continue;
        }
        // The tracer looks up the name of an interface, as strace does.
        if call.args.get(1).is_some_and(|request| request == "SIOCGIFNAME") {
            of_tracer = call.args.first().cloned();
            if seen.last().is_some_and(|last| makes(last, of_tracer.as_deref())) {
                seen.pop();
            }
            *left_out.entry("if_indextoname (of the tracer)".into()).or_default() += 1;
            continue;
        }
        if call.name == "close" && of_tracer.is_some() && call.args.first() == of_tracer.as_ref() {
            of_tracer = None;
            continue;
        }
        if call.args.first() == Some(&trace_fd) {
            match call.name.as_str() {
                "write" => seen.push(Seen::WroteTrace),
                "close" => break,
                // Whether it is a terminal; and in debug builds, before it is closed, whether it is open.
                other => {
                    *left_out.entry(format!("{other} (of the trace's file)")).or_default() += 1
                }
            }
        } else if untold.beginnings.iter().any(|beginning| line.starts_with(beginning)) {
            *left_out.entry(format!("{} (untold)", call.name)).or_default() += 1;
        } else if musl::is_here() && musl::is_own(&call, opened.take().as_deref()) {
            *left_out.entry(format!("{} (musl's own)", call.name)).or_default() += 1;
        } else if NOT_OF_THE_SUBJECT.contains(&call.name.as_str()) {
            opened = (call.name == "open").then(|| call.result.clone());
            *left_out.entry(call.name).or_default() += 1;
        } else {
            opened = None;
            seen.push(Seen::Call(call, line));
        }
    }
    Ok(if musl::is_here() { musl::joined(seen) } else { seen })
}

/// Whether a call made this socket.
fn makes(seen: &Seen, fd: Option<&str>) -> bool {
    matches!(seen, Seen::Call(call, _) if call.name == "socket" && Some(&*call.result) == fd)
}

/// Whether a call is about a pipe to or from a child that the standard library has made: `pipe2` with O_CLOEXEC, which no
/// wrapper calls.
fn is_of_std(call: &Call, of_std: &mut BTreeSet<String>) -> bool {
    if call.name == "pipe2" && call.args.get(1).is_some_and(|flags| flags == "O_CLOEXEC") {
        let ends = call.args[0].trim_matches(['[', ']']).split(", ").map(str::to_string);
        of_std.extend(ends);
        return true;
    }
    let Some(first) = call.args.first() else { return false };
    if call.name == "close" { of_std.remove(first) } else { of_std.contains(first) }
}

/// A path as strace writes it: all but ASCII in octal.
fn as_shown(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes().iter();
    bytes
        .map(|byte| match byte {
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\{byte:o}"),
        })
        .collect()
}

/// The lines of the thread that opened the trace's file, after it did, and the file's descriptor.
fn since_opened(text: &str, trace_file: &Path) -> Result<(Vec<String>, String), String> {
    let named = format!("\"{}\"", as_shown(trace_file));
    for lines in joined(text).into_values() {
        // musl calls open, glibc openat.
        let is_open = |line: &str| line.starts_with("openat(") || line.starts_with("open(");
        let opened = |line: &String| is_open(line) && line.contains(&named);
        let Some(at) = lines.iter().position(opened) else { continue };
        let fd = Call::parse(&lines[at]).map(|call| call.result).unwrap_or_default();
        return Ok((lines[at + 1..].to_vec(), fd));
    }
    Err(format!("strace saw no open of {named}"))
}

/// The lines of each thread, without its number; where strace cut a line because another thread wrote, its
/// halves are joined.
fn joined(text: &str) -> BTreeMap<&str, Vec<String>> {
    let mut threads: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut halves: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, line)) = line.split_once(' ') else { continue };
        let line = line.trim_start();
        if let Some(half) = line.strip_suffix("<unfinished ...>") {
            halves.insert(thread, half.strip_suffix(' ').unwrap_or(half).to_string());
            continue;
        }
        let resumed = line.strip_prefix("<... ").and_then(|line| line.split_once(" resumed>"));
        let whole = match resumed {
            Some((_, rest)) => halves.remove(thread).unwrap_or_default() + rest,
            None => line.to_string(),
        };
        threads.entry(thread).or_default().push(whole);
    }
    threads
}

/// A call that a signal interrupts returns `? ERESTART…` in strace, for the kernel has not decided yet. Then come the
/// signal, what its handler does, and `rt_sigreturn`, which returns what the program gets to see: `-1 EINTR`, or
/// anything else if the call is begun again, in which case strace shows it again.
fn interrupted(lines: &[String]) -> Result<Vec<String>, String> {
    let mut kept: Vec<String> = Vec::new();
    // A wait that was interrupted and goes on, as the program began it.
    let mut begun: Option<&str> = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let undecided = line.rfind(" = ? ERESTART");
        let signals = signals_len(&lines[at..]);
        let returned = lines[at..at + signals].iter().rfind(|line| is_end_of_handler(line));
        at += signals;
        let Some(end) = undecided else {
            let is_call = !line.starts_with("--- ") && !line.starts_with("+++ ");
            match begun.take_if(|_| is_call) {
                Some(begun) => kept.push(resumed(begun, line)?),
                None if is_call => kept.push(line.clone()),
                None => {}
            }
            continue;
        };
        // Without a signal (another thread took it), without a handler, or with another result, the call is begun again
        // and seen again.
        let interrupted = " = -1 EINTR (Interrupted system call)";
        let call = line[..end].trim_end();
        if returned.is_some_and(|line| line.ends_with(interrupted)) {
            kept.push(format!("{}{interrupted}", begun.take().unwrap_or(call)));
        } else if is_wait(call) {
            begun = begun.or(Some(call));
        }
    }
    Ok(kept)
}

/// The calls with a time that runs on while they are interrupted. (Others are begun again just as they were.)
fn is_wait(call: &str) -> bool {
    let waits =
        ["poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "_newselect", "select"];
    call.split_once('(').is_some_and(|(name, _)| waits.contains(&name))
}

/// A wait that a signal without a handler interrupted, such as one that stops the process: the program made one call
/// and waited on, as long as it had said. strace shows `poll` going on as `restart_syscall`, without what poll
/// answered, and the others begun again with the time that was left.
fn resumed(begun: &str, ended: &str) -> Result<String, String> {
    let (again, result) = ended.rsplit_once(" = ").unwrap_or((ended, ""));
    if again.starts_with("restart_syscall(<... resuming interrupted ") {
        return Ok(match result {
            "0" => format!("{begun} = 0 (Timeout)"),
            _ if result.parse::<u32>().is_ok() => format!("{begun} = {result}{UNTOLD}"),
            _ => format!("{begun} = {result}"),
        });
    }
    // What is asked is the same but for the time, which is the call's last braces.
    let question = |call: &str| call.rsplit_once("{tv_sec=").map(|(before, _)| before.to_string());
    let all = |call: &str| Call::parse(&format!("{} = 0", call.trim_end()));
    if question(begun) == question(again) && (question(begun).is_some() || all(begun) == all(again))
    {
        return Ok(format!("{begun} = {result}"));
    }
    Err(format!("this was interrupted: {begun}\nand did not go on as this: {ended}"))
}

/// How many of the next lines are signals and what their handlers do.
fn signals_len(lines: &[String]) -> usize {
    let mut len = 0;
    while lines.get(len).is_some_and(|line| line.starts_with("--- ")) {
        len += 1;
        len += handler_len(&lines[len..]);
    }
    len
}

/// A 32-bit program may end its handlers with the older one.
fn is_end_of_handler(line: &str) -> bool {
    line.starts_with("rt_sigreturn(") || line.starts_with("sigreturn(")
}

/// How many of the next lines are a handler's: perhaps another signal's, perhaps a byte into the self-pipe, then the
/// return. 0 if the signal had no handler, so that nothing of the program's own is taken for one.
fn handler_len(lines: &[String]) -> usize {
    let inner = match lines.first() {
        Some(line) if line.starts_with("--- SIG") => 1 + handler_len(&lines[1..]),
        _ => 0,
    };
    let own = &lines[inner..];
    let writes = usize::from(own.first().is_some_and(|line| is_self_pipe(line)));
    match own.get(writes) {
        Some(line) if is_end_of_handler(line) => inner + writes + 1,
        _ => 0,
    }
}

/// The one call that our handlers make.
fn is_self_pipe(line: &str) -> bool {
    Call::parse(line)
        .is_some_and(|call| call.name == "write" && call.args.get(2).is_some_and(|len| len == "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(text: &str) -> Vec<String> {
        let seen = seen(text, Path::new("/t"), Untold::default(), &mut BTreeMap::new()).unwrap();
        let line = |seen| match seen {
            Seen::Call(_, line) => line,
            Seen::WroteTrace => "(trace)".to_string(),
        };
        seen.into_iter().map(line).collect()
    }

    const OPENED: &str = "7 openat(AT_FDCWD, \"/t\", O_WRONLY|O_CREAT, 0666) = 9\n";

    #[test]
    fn only_the_thread_that_traces_counts_and_only_while_it_does() {
        let text = "7 close(3) = 0\n8 close(5) = 0\n".to_string()
            + OPENED
            + "7 close(3) = 0\n8 close(5) = 0\n7 mmap(NULL) = 0\n7 write(9, \"close\", 5) = 5\n7 close(9) = 0\n7 close(4) = 0\n";
        assert_eq!(calls(&text), ["close(3) = 0", "(trace)"]);
    }

    #[test]
    fn halves_are_joined() {
        let text = OPENED.to_string()
            + "7 recvfrom(3,  <unfinished ...>\n8 close(5) = 0\n7 <... recvfrom resumed>\"x\", 9, 0, NULL, NULL) = 1\n"
            + "7 close(3 <unfinished ...>\n8 close(6) = 0\n7 <... close resumed>)        = 0\n";
        assert_eq!(
            calls(&text),
            ["recvfrom(3, \"x\", 9, 0, NULL, NULL) = 1", "close(3)        = 0"]
        );
    }

    #[test]
    fn an_interrupted_call_has_failed_with_eintr() {
        let text = OPENED.to_string()
            + "7 poll([], 0, -1) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)\n"
            + "7 --- SIGUSR1 {si_signo=SIGUSR1} ---\n"
            + "7 write(4, \"\\n\", 1) = 1\n"
            + "7 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)\n";
        assert_eq!(calls(&text), ["poll([], 0, -1) = -1 EINTR (Interrupted system call)"]);
    }

    #[test]
    fn a_call_that_was_begun_again_is_one() {
        let again = "7 recvfrom(3, \"x\", 9, 0, NULL, NULL) = 1\n";
        let interrupted =
            "7 recvfrom(3, 0x7ffc1b2ecfc0, 9, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted)\n";
        let signal = "7 --- SIGUSR1 {si_signo=SIGUSR1} ---\n";
        let handled = "7 rt_sigreturn({mask=[]}) = 45\n";
        // The last is a signal to the process that another thread took, after it had interrupted this one.
        for between in [signal.to_string() + handled, signal.to_string(), String::new()] {
            let text = OPENED.to_string() + interrupted + &between + again;
            assert_eq!(calls(&text), [again[2..].trim_end()]);
        }
    }

    #[test]
    fn a_poll_that_was_stopped_and_went_on_is_one() {
        let stopped = "7 poll([{fd=3, events=POLLIN}], 1, 5000) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)\n\
            7 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER} ---\n\
            7 --- stopped by SIGSTOP ---\n\
            7 --- SIGCONT {si_signo=SIGCONT, si_code=SI_USER} ---\n\
            7 restart_syscall(<... resuming interrupted poll ...>) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)\n\
            7 --- SIGWINCH {si_signo=SIGWINCH} ---\n";
        let poll = "poll([{fd=3, events=POLLIN}], 1, 5000)";
        let on = "7 restart_syscall(<... resuming interrupted restart_syscall ...>) =";
        for (result, told) in
            [("0", "0 (Timeout)"), ("1", "1 (untold)"), ("-1 EIO (x)", "-1 EIO (x)")]
        {
            let text = format!("{OPENED}{stopped}{on} {result}\n");
            assert_eq!(calls(&text), [format!("{poll} = {told}")]);
        }
        let handled = "? ERESTART_RESTARTBLOCK (Interrupted by signal)\n\
            7 --- SIGUSR1 {si_signo=SIGUSR1} ---\n\
            7 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)\n";
        let text = format!("{OPENED}{stopped}{on} {handled}");
        assert_eq!(calls(&text), [format!("{poll} = -1 EINTR (Interrupted system call)")]);
    }

    #[test]
    fn a_select_that_was_stopped_and_went_on_is_one_with_all_its_time() {
        let stopped = "= ? ERESTARTNOHAND (To be restarted if no handler)\n\
            7 --- SIGWINCH {si_signo=SIGWINCH} ---\n";
        for (question, behind) in [
            ("pselect6(4, [3], NULL, NULL", "NULL"),
            ("pselect6_time64(4, [3], NULL, NULL", "NULL"),
            ("ppoll([], 0", "[], 8"),
            ("ppoll_time64([], 0", "[], 8"),
        ] {
            let (all, left) = ("{tv_sec=5, tv_nsec=0}", "{tv_sec=4, tv_nsec=498762660}");
            let ended = format!("= 1 (in [3], left {left})");
            let text = format!(
                "{OPENED}7 {question}, {all}, {behind}) {stopped}7 {question}, {left}, {behind}) {ended}\n"
            );
            assert_eq!(calls(&text), [format!("{question}, {all}, {behind}) {ended}")]);
            let endless = format!(
                "{OPENED}7 {question}, NULL, {behind}) {stopped}7 {question}, NULL, {behind}) = 1\n"
            );
            assert_eq!(calls(&endless), [format!("{question}, NULL, {behind}) = 1")]);
        }
        let another = format!("{OPENED}7 ppoll([], 0, NULL, [], 8) {stopped}7 close(3) = 0\n");
        let seen = seen(&another, Path::new("/t"), Untold::default(), &mut BTreeMap::new());
        assert!(seen.unwrap_err().contains("did not go on"));
    }

    #[test]
    fn a_byte_after_a_signal_without_a_handler_is_the_programs_own() {
        let text = OPENED.to_string()
            + "7 write(4, \"x\", 1) = -1 EPIPE (Broken pipe)\n"
            + "7 --- SIGPIPE {si_signo=SIGPIPE} ---\n"
            + "7 write(5, \"x\", 1) = 1\n";
        assert_eq!(calls(&text).len(), 2);
    }

    #[test]
    fn calls_left_out_on_purpose_are_counted() {
        let mut left_out = BTreeMap::new();
        let text =
            OPENED.to_string() + "7 write(1, \"listening\", 9) = 9\n7 write(1, \"x\", 1) = 1\n";
        let untold = Untold { beginnings: &["write(1, \"listening"] };
        let seen = seen(&text, Path::new("/t"), untold, &mut left_out).unwrap();
        assert_eq!((seen.len(), left_out.get("write (untold)")), (1, Some(&1)));
    }
}
