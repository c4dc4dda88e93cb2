//! A judge that is killed with SIGKILL cannot clean up. Its guard does so instead: a shell that waits for the end of a
//! pipe, which comes when judge has ended, in whatever way.
//!
//! The guard recognises the processes of judge by the process group of the program that was started last and, on Linux,
//! by a variable that judge puts into the environment of what it starts, and which children inherit. It does not find a
//! process that has replaced its environment *and* left its group; and it ends together with judge if a whole container
//! or machine ends.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::os::children::spare;

/// Each round stops the processes that it finds before it kills them, so that none is left to start more. One round without
/// any does not suffice: while a process runs `execve`, the kernel shows it without an environment.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
mark=$1
shift
leader=
while read -r what said; do
    case $what in
        leader) leader=$said ;;
        directory) set -- "$@" "$said" ;;
    esac
done
round=0
quiet=0
while [ $round -lt 200 ] && [ $quiet -lt 2 ]; do
    [ -z "$leader" ] || kill -KILL -- "-$leader"
    leader=
    found=
    for place in $(grep -ls -- "$mark" /proc/[0-9]*/environ); do
        place=${place#/proc/}
        found="$found ${place%/environ}"
    done
    if [ -n "$found" ]; then
        kill -STOP $found
        kill -KILL $found
        quiet=0
    else
        quiet=$((quiet + 1))
        [ $quiet -ge 2 ] || sleep 1
    fi
    round=$((round + 1))
done
rm -rf -- "$@"
"#;

/// The variable in the environment of everything that judge starts: its name distinguishes one judge from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeMark {
    /// The name of the variable.
    pub name: String,
    /// Its value.
    pub value: String,
}

static GUARD: Mutex<Option<Child>> = Mutex::new(None);

/// The mark of this judge.
pub fn mark() -> &'static JudgeMark {
    static MARK: OnceLock<JudgeMark> = OnceLock::new();
    MARK.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        JudgeMark {
            name: format!("BARESOCK_JUDGED_BY_{}", std::process::id()),
            value: since.as_nanos().to_string(),
        }
    })
}

/// From now on, even if SIGKILL ends judge, the programs that judge has started are killed, and its files removed.
pub fn start() {
    let JudgeMark { name, value } = mark();
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh", &format!("{name}={value}")]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    // If no shell can be started, no other program can be either, and that is reported then.
    let Ok(child) = command.spawn() else { return };
    spare(child.id());
    *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
}

/// Everything is cleaned up, so the guard may end.
pub fn dismiss() {
    if let Some(mut child) = GUARD.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // It existed a moment ago; if it has ended, that is fine too.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A process group to kill: that of this process.
pub(super) fn started(leader: u32) {
    tell(format!("leader {leader}\n").as_bytes());
}

/// That group has ended. Its number may belong to another one now.
pub(super) fn ended() {
    tell(b"leader\n");
}

/// A directory to remove.
pub(super) fn made(directory: &Path) {
    let path = directory.as_os_str().as_bytes();
    // A name with a line break would count as two.
    if !path.contains(&b'\n') && directory.is_absolute() {
        tell(&[b"directory ", path, b"\n"].concat());
    }
}

fn tell(line: &[u8]) {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stdin) = guard.as_mut().and_then(|guard| guard.stdin.as_mut()) {
        // If another process has ended the guard, it cannot be told; in every other case judge cleans up by itself.
        let _ = stdin.write_all(line);
    }
}

/// Puts the mark into the environment of a program to start.
pub fn mark_command(command: &mut Command) {
    let JudgeMark { name, value } = mark();
    command.env(OsStr::new(name), value);
}
