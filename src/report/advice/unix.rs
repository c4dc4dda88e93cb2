//! The file of a Unix-domain socket, which no program removes.

use std::path::{Path, PathBuf};

use super::subject;
use crate::addr::{Address, UnixName};
use crate::names::Errno;
use crate::report::advice::Advice;
use crate::report::did::{Did, DidKind, ProcessEnding};
use crate::report::findings::{Certainty, Findings, Subject};
use crate::report::moment::{Moment, SeenCall};
use crate::report::world::World;

pub(super) const UNIX_FILE_LEFT: Advice = Advice {
    name: "unix-file-left",
    gist: "the file of a Unix domain socket is left behind",
    means: "bind creates a file, and neither close nor the end of the process removes it. The next bind of that path \
        fails with EADDRINUSE, and connect with ECONNREFUSED.",
    shown_by: "bind makes a path, and the process ends without an unlink of it; or bind of a path fails with EADDRINUSE. It is \
        certain where the log shows calls on files.",
    remedy: "Call unlink when the server ends, and before bind if no server answers at that path.",
    lab: "stale-socket-file",
    exercise: "End the server with SIGKILL, and start it again: it must come up.",
    cares_for: &[DidKind::Bound, DidKind::Removed, DidKind::LookedUp, DidKind::Ended],
    watch,
};

/// What this advice remembers beyond processes.
#[derive(Debug, Default)]
pub(in crate::report) struct UnixOfWorld {
    /// Existing files, and the processes that created them.
    files: Vec<(PathBuf, u32, SeenCall)>,
    /// Whether the log shows that files are removed.
    shows_files: bool,
}

const MOST: usize = 256;

fn watch(now: &Moment<'_>, world: &mut World, found: &mut Findings) {
    match now.did {
        Did::Removed(path) => {
            world.seen.unix.shows_files = true;
            if now.count().is_some() {
                let name = Path::new(path).file_name();
                world.seen.unix.files.retain(|(file, ..)| file.file_name() != name);
            }
        }
        Did::Bound(Some(Address::Unix(UnixName::Path(path)))) => {
            let subject = subject(now, world);
            if now.count().is_some() && world.seen.unix.files.len() < MOST {
                world.seen.unix.files.push((path.clone(), subject.0, now.quote()));
            } else if now.failed(Errno::EADDRINUSE) {
                let says =
                    || format!("{} already exists, perhaps from an earlier run", path.display());
                let evidence = [(&now.quote(), "the file exists")];
                found.add(&UNIX_FILE_LEFT, Certainty::Likely, subject, says, &evidence);
            }
        }
        Did::Ended(ProcessEnding::Exited(_) | ProcessEnding::Killed(_)) => {
            let pid = world.process(now.process).pid;
            let seen = &mut world.seen.unix;
            let shows_files = seen.shows_files;
            let Some(at) = seen.files.iter().position(|(_, of, _)| *of == pid) else { return };
            let (path, _, bound) = seen.files.remove(at);
            let certainty = if shows_files { Certainty::Certain } else { Certainty::Perhaps };
            let says = || format!("{} was created, and not removed", path.display());
            let evidence = [(&bound, "bind creates the file"), (&now.quote(), "it still exists")];
            found.add(&UNIX_FILE_LEFT, certainty, Subject(pid, -1), says, &evidence);
        }
        _ => {}
    }
}
