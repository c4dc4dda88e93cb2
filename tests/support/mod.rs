//! What the tests of the program share: starting it as its user does, talking to it, and looking at it from outside.

// Each file of tests is a crate of its own and uses its own part of this.
#![allow(dead_code, unused_imports, unused_macros)]
// In a test a panic is the message.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod browser;
mod clients;
mod documented;
mod process;
mod program;
mod schema;
mod server;
mod services;
mod terminal;
mod view;

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) use browser::*;
pub(crate) use clients::*;
pub(crate) use documented::*;
pub(crate) use process::*;
pub(crate) use program::*;
pub(crate) use schema::*;
pub(crate) use server::*;
pub(crate) use services::*;
pub(crate) use terminal::*;
pub(crate) use view::*;

/// How long anything may take that must happen. It is long enough for a busy machine: only a failing test waits that
/// long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Which of the program's two servers, over which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) command: &'static str,
    pub(crate) via: &'static str,
    /// Whether it waits in tiers.
    pub(crate) in_tiers: bool,
}

pub(crate) const SERVE_SELECT: Kind = Kind { command: "serve", via: "select", in_tiers: false };
pub(crate) const SERVE_POLL: Kind = Kind { via: "poll", ..SERVE_SELECT };
pub(crate) const TIERS_SELECT: Kind = Kind { in_tiers: true, ..SERVE_SELECT };
pub(crate) const TIERS_POLL: Kind = Kind { in_tiers: true, ..SERVE_POLL };
pub(crate) const BARE_SELECT: Kind = Kind { command: "bare", ..SERVE_SELECT };
pub(crate) const BARE_POLL: Kind = Kind { command: "bare", ..SERVE_POLL };

/// A connection is cold after some milliseconds, and one cold connection is enough for tiers.
const FLAGS_OF_TIERS: [&str; 4] =
    ["--tiers", "--tiers-from=1", "--tiers-wait=5", "--tiers-share=50"];

impl Kind {
    pub(crate) fn is_bare(self) -> bool {
        self.command == "bare"
    }

    /// The flags that it needs besides `--via`.
    pub(crate) fn flags(self) -> &'static [&'static str] {
        if self.in_tiers { &FLAGS_OF_TIERS } else { &[] }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} --via {}{}",
            self.command,
            self.via,
            if self.in_tiers { " --tiers" } else { "" }
        )
    }
}

/// Makes tests of functions: those of the first group are for both servers, those of the second for `serve` alone,
/// and each is made over `select` and over `poll`; those of the third group are tried with tiers, too.
macro_rules! tests {
    (both { $($both:ident),* $(,)? } serve { $($serve:ident),* $(,)? } tiers { $($tiers:ident),* $(,)? }) => {
        $crate::support::tests!(both { $($both),* } serve { $($serve),* });
        $crate::support::tests!(@ tiers_select TIERS_SELECT $($tiers)*);
        $crate::support::tests!(@ tiers_poll TIERS_POLL $($tiers)*);
    };
    (both { $($both:ident),* $(,)? } serve { $($serve:ident),* $(,)? }) => {
        $crate::support::tests!(@ serve_select SERVE_SELECT $($both)* $($serve)*);
        $crate::support::tests!(@ serve_poll SERVE_POLL $($both)* $($serve)*);
        $crate::support::tests!(@ bare_select BARE_SELECT $($both)*);
        $crate::support::tests!(@ bare_poll BARE_POLL $($both)*);
    };
    (@ $name:ident $kind:ident $($test:ident)*) => {
        mod $name {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::support::$kind);
                }
            )*
        }
    };
}
pub(crate) use tests;

/// Waits until something is so; fails if it does not become so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        let waited = begun.elapsed();
        assert!(waited < PATIENCE, "waited in vain until {what}");
        // What has not come for long is looked at less often: many looks read files of the kernel.
        std::thread::sleep(
            (waited / 50).clamp(Duration::from_millis(2), Duration::from_millis(50)),
        );
    }
}

/// Prints what a test has counted, past the test harness, which hides the output of a passing test.
pub(crate) fn counted(what: fmt::Arguments<'_>) {
    say(&format!("counted: {what}"));
}

/// Says that a test, or a part of it, cannot run here: past the harness, and for the last of the test programs, which
/// counts what was skipped.
pub(crate) fn skipped(why: &str) {
    let thread = std::thread::current();
    say(&format!("skipped: {}: {why}", thread.name().unwrap_or("a test")));
    let mut list = std::fs::File::options();
    let list = list.create(true).append(true).open(list_of_what_is_skipped());
    list.unwrap().write_all(format!("{why}\n").as_bytes()).unwrap();
}

/// What this run of `cargo test` has skipped: a file that is named after the process of cargo.
pub(crate) fn list_of_what_is_skipped() -> PathBuf {
    let run = std::os::unix::process::parent_id();
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("skipped-{run}"))
}

fn say(line: &str) {
    // As one write, so that lines of tests that run side by side do not mix.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// A directory that is removed at the end of the test.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("baresock-test-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a file that was changed a while ago of one that was just written: http says of such a file when that was.
pub(crate) fn age(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
