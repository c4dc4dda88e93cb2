//! A judge that is ended by SIGKILL can clean up nothing. A guard does it then: a shell that waits for the end of a pipe, which
//! comes when judge is no more, however it ended.
//!
//! What belongs to judge the guard knows by the process group of the program that was started last, and, on Linux, by a variable
//! that judge puts into the environment of what it starts, and which children have as well. A process that has thrown away its
//! environment *and* left its group is not found; the guard itself ends with judge where a whole container or machine does.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::os::children::spare;

/// Each round stops what it finds before it ends it, so that nothing is left to start more.
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
while [ $round -lt 200 ]; do
    [ -z "$leader" ] || kill -KILL -- "-$leader"
    leader=
    found=
    for place in $(grep -ls -- "$mark" /proc/[0-9]*/environ); do
        place=${place#/proc/}
        found="$found ${place%/environ}"
    done
    [ -n "$found" ] || break
    kill -STOP $found
    kill -KILL $found
    round=$((round + 1))
done
rm -rf -- "$@"
"#;

/// What everything that judge starts has in its environment: a name, which tells one judge from another, and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeMark {
    /// The name of the variable.
    pub name: String,
    /// Its value.
    pub value: String,
}

static GUARD: Mutex<Option<Child>> = Mutex::new(None);

/// This judge's mark.
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

/// From now on what judge has started is ended, and what it has made is removed, also when judge is ended by SIGKILL.
pub fn start() {
    let JudgeMark { name, value } = mark();
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh", &format!("{name}={value}")]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    // Where no shell can be started no program can be started either, which is told then.
    let Ok(child) = command.spawn() else { return };
    spare(child.id());
    *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
}

/// The guard has nothing more to do: everything is cleaned up.
pub fn dismiss() {
    if let Some(mut child) = GUARD.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // It was there a moment ago, and if it has ended, that is as well.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A group that is to be ended: that of this process.
pub(super) fn started(leader: u32) {
    tell(format!("leader {leader}\n").as_bytes());
}

/// That group has ended. Its number may be another's now.
pub(super) fn ended() {
    tell(b"leader\n");
}

/// A directory that is to be removed.
pub(super) fn made(directory: &Path) {
    let path = directory.as_os_str().as_bytes();
    // One with a line break in its name would be told as two.
    if !path.contains(&b'\n') && directory.is_absolute() {
        tell(&[b"directory ", path, b"\n"].concat());
    }
}

fn tell(line: &[u8]) {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(stdin) = guard.as_mut().and_then(|guard| guard.stdin.as_mut()) {
        // A guard that was ended by another cannot be told; judge cleans up by itself in every other case.
        let _ = stdin.write_all(line);
    }
}

/// Puts the mark into the environment of what is to be started.
pub fn mark_command(command: &mut Command) {
    let JudgeMark { name, value } = mark();
    command.env(OsStr::new(name), value);
}
