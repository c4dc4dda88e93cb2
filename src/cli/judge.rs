//! `baresock judge`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{address, count};
use crate::addr::Written;
use crate::services::seconds;

/// `judge`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES, override_usage = USAGE)]
pub struct JudgeArgs {
    /// What it is to be, such as echo, and where it is (ADDR)
    ///
    /// AS is echo, line-echo, discard, chargen, daytime, time, chat, http, relay or echo/udp. 'client' before it judges a client.
    #[arg(value_name = "AS", num_args = 1..=2, required_unless_present = "list")]
    pub role: Vec<String>,
    /// What judge starts; {port} stands for its port
    ///
    /// {path} stands for a socket's file, {dir} for what http serves, {to} for the server behind a relay, {url} for what an http
    /// client fetches. All but the last are in its environment, too: PORT, SOCKET, DIR, TO.
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<OsString>,
    /// List the cases: name, points, question
    #[arg(long, help_heading = "Which cases")]
    pub list: bool,
    /// These cases alone
    #[arg(long, value_name = "CASE,...", value_delimiter = ',', help_heading = "Which cases")]
    pub only: Vec<String>,
    /// All cases but these
    #[arg(long, value_name = "CASE,...", value_delimiter = ',', help_heading = "Which cases")]
    pub skip: Vec<String>,
    /// A file with lines 'CASE POINTS'
    #[arg(long, value_name = "FILE", help_heading = "Which cases")]
    pub points: Option<PathBuf>,
    /// How long nothing may happen
    ///
    /// It stands for each case's own limit. A busy machine has more.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "How it is judged")]
    pub timeout: Option<Duration>,
    /// Run each case so often
    #[arg(long, value_name = "N", default_value = "1", value_parser = count, help_heading = "How it is judged")]
    pub repeat: NonZeroUsize,
    /// Add the advice of watch on what failed
    ///
    /// The case is run once more, with the program under strace.
    #[arg(long, help_heading = "How it is judged")]
    pub watch: bool,
    /// The process of a server that runs
    ///
    /// judge looks at its descriptors, memory and processor time.
    #[arg(long, value_name = "PID", help_heading = "How it is judged")]
    pub pid: Option<u32>,
    /// Where COMMAND listens, if not at {port}
    #[arg(long, value_name = "ADDR", value_parser = address, requires = "command", hide_short_help = true, help_heading = "How it is judged")]
    pub at: Option<Written>,
    /// What a running http server serves
    ///
    /// judge makes a directory of its own in it, and removes it afterwards.
    #[arg(long, value_name = "DIR", help_heading = "How it is judged")]
    pub root: Option<PathBuf>,
    /// Where a running relay leads
    ///
    /// judge listens there.
    #[arg(
        long,
        value_name = "HOST:PORT",
        hide_short_help = true,
        help_heading = "How it is judged"
    )]
    pub to: Option<String>,
    /// Judge a server on another machine, too
    #[arg(long, help_heading = "How it is judged")]
    pub anywhere: bool,
    /// Judge DIR/*/run: a table, and the same as CSV
    #[arg(long, value_name = "DIR", conflicts_with_all = ["command", "json", "markdown", "junit", "list"], help_heading = "A class at once")]
    pub each: Option<PathBuf>,
    /// So many programs at a time
    ///
    /// The cases of one program are asked one after the other, for they look at what the program uses.
    #[arg(long, value_name = "N", default_value = "1", value_parser = count, requires = "each", help_heading = "A class at once")]
    pub jobs: NonZeroUsize,
    /// As one JSON object
    #[arg(long, help_heading = "How it is shown")]
    pub json: bool,
    /// As Markdown, to hand back
    #[arg(long, conflicts_with = "json", help_heading = "How it is shown")]
    pub markdown: bool,
    /// Also write JUnit's XML, for CI systems
    #[arg(long, value_name = "FILE", help_heading = "How it is shown")]
    pub junit: Option<PathBuf>,
}

const USAGE: &str = "\
baresock judge [OPTIONS] AS ADDR
       baresock judge [OPTIONS] AS -- COMMAND [ARG]...
       baresock judge [OPTIONS] client AS -- COMMAND [ARG]...
       baresock judge [OPTIONS] AS --each DIR
       baresock judge --list [AS]";

const EXAMPLES: &str = "\
Exit status: 0 all passed, 1 some failed, 2 usage, 3 it could not be judged.

Examples:
  baresock judge echo 7007                         a server that runs
  baresock judge echo -- ./server {port}           one that judge starts
  baresock judge echo --only half-close -- ./server {port}
  baresock judge http -- python3 -m http.server -d {dir} {port}
  baresock judge client echo -- ./client 127.0.0.1 {port}
  baresock judge echo --watch -- ./server {port}   and what its calls show
  baresock judge echo --each class                 class/*/run, a table
  baresock judge --list http                       what is asked";
