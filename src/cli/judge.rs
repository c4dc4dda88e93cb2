//! `baresock judge`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{address, count, output_file};
use crate::addr::Written;
use crate::services::seconds;

/// `judge`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES, override_usage = USAGE)]
pub struct JudgeArgs {
    /// The role, such as echo, and the address of a running server
    ///
    /// AS is echo, line-echo, discard, chargen, daytime, time, chat, http, relay or echo/udp. Write 'client' before it to judge a
    /// client.
    #[arg(value_name = "AS", num_args = 1..=2, required_unless_present = "list")]
    pub role: Vec<String>,
    /// The program to start; {port} is replaced by its port
    ///
    /// {path} is replaced by the path for a Unix-domain socket, {dir} by the directory for http, {to} by the address of the server
    /// behind a relay, {url} by the URL for an http client. All but the last are also in the environment: PORT, SOCKET, DIR, TO.
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<OsString>,
    /// List the cases: name, points, question
    #[arg(long, help_heading = "Which cases")]
    pub list: bool,
    /// Run only these cases
    #[arg(long, value_name = "CASE,...", value_delimiter = ',', help_heading = "Which cases")]
    pub only: Vec<String>,
    /// Run all cases but these
    #[arg(long, value_name = "CASE,...", value_delimiter = ',', help_heading = "Which cases")]
    pub skip: Vec<String>,
    /// Take the points from FILE: lines with 'CASE POINTS'
    #[arg(long, value_name = "FILE", help_heading = "Which cases")]
    pub points: Option<PathBuf>,
    /// Fail a case after SECONDS without any progress
    ///
    /// It replaces each case's own limit. On a busy machine the limit is longer.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "How it is judged")]
    pub timeout: Option<Duration>,
    /// Run each case N times
    ///
    /// A failure that does not come each time is called flaky.
    #[arg(long, value_name = "N", default_value = "1", value_parser = count, help_heading = "How it is judged")]
    pub repeat: NonZeroUsize,
    /// Add the advice of watch to each failed case
    ///
    /// judge runs the case again, with the program under strace.
    #[arg(long, help_heading = "How it is judged")]
    pub watch: bool,
    /// The process id of a running server
    ///
    /// With it, judge also checks descriptors, memory and processor time.
    #[arg(long, value_name = "PID", help_heading = "How it is judged")]
    pub pid: Option<u32>,
    /// Where COMMAND listens, if not at {port}
    #[arg(long, value_name = "ADDR", value_parser = address, requires = "command", hide_short_help = true, help_heading = "How it is judged")]
    pub at: Option<Written>,
    /// The directory that a running http server serves
    ///
    /// judge makes a directory of its own in it, and removes that afterwards.
    #[arg(long, value_name = "DIR", hide_short_help = true, help_heading = "How it is judged")]
    pub root: Option<PathBuf>,
    /// The target of a running relay
    ///
    /// judge listens there, and plays the server behind the relay.
    #[arg(
        long,
        value_name = "HOST:PORT",
        hide_short_help = true,
        help_heading = "How it is judged"
    )]
    pub to: Option<String>,
    /// Allow a server on another machine, too
    #[arg(long, help_heading = "How it is judged")]
    pub anywhere: bool,
    /// Judge every DIR/*/run; print a table and CSV
    #[arg(long, value_name = "DIR", conflicts_with_all = ["command", "json", "markdown", "junit", "list"], help_heading = "A class at once")]
    pub each: Option<PathBuf>,
    /// Judge N programs at a time
    ///
    /// The cases of one program run one after the other, because they observe what the program uses.
    #[arg(long, value_name = "N", default_value = "1", value_parser = count, requires = "each", hide_short_help = true, help_heading = "A class at once")]
    pub jobs: NonZeroUsize,
    /// Print the report as one JSON object
    #[arg(long, help_heading = "How it is shown")]
    pub json: bool,
    /// Print the report as Markdown, to hand back to a student
    #[arg(long, conflicts_with = "json", help_heading = "How it is shown")]
    pub markdown: bool,
    /// Also write JUnit's XML, for CI systems
    #[arg(long, value_name = "FILE", value_parser = output_file(), help_heading = "How it is shown")]
    pub junit: Option<PathBuf>,
    /// Show the packets in the ladders of failed cases (Linux)
    ///
    /// They stand between the steps of judge's peers. judge and COMMAND run in a network of their own, which has loopback alone: a
    /// server that runs already (ADDR) is not in it.
    #[arg(long, conflicts_with = "each", help_heading = "How it is shown")]
    pub packets: bool,
    /// Write the packets of all cases to FILE for Wireshark (Linux)
    ///
    /// The names of the cases and the steps of judge's peers are comments of the packets. A case has room for 4 MiB.
    #[arg(
        long,
        value_name = "FILE", value_parser = output_file(),
        conflicts_with = "each",
        hide_short_help = true,
        help_heading = "How it is shown"
    )]
    pub pcap: Option<PathBuf>,
}

const USAGE: &str = "\
baresock judge [OPTIONS] AS ADDR
       baresock judge [OPTIONS] AS -- COMMAND [ARG]...
       baresock judge [OPTIONS] client AS -- COMMAND [ARG]...
       baresock judge [OPTIONS] AS --each DIR
       baresock judge --list [AS]";

const EXAMPLES: &str = "\
Exit status: 0 all passed, 1 some failed, 2 usage, 3 no case could be run.

Examples:
  baresock judge echo 7007                         a running server
  baresock judge echo -- ./server {port}           a server that judge starts
  baresock judge echo --only half-close -- ./server {port}
  baresock judge http -- python3 -m http.server -d {dir} {port}
  baresock judge client echo -- ./client 127.0.0.1 {port}
  baresock judge echo --watch -- ./server {port}   and what its calls show
  baresock judge echo --packets -- ./server {port} and what went over the wire
  baresock judge echo --each class                 class/*/run, a table
  baresock judge --list http                       the cases for http";
