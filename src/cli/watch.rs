//! `baresock watch`.

use std::ffi::OsString;

use clap::Args;

use super::read::Choice;

/// `watch`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct WatchArgs {
    /// Attach to a running process
    #[arg(long, value_name = "PID", conflicts_with = "command", help_heading = "Choice")]
    pub pid: Option<u32>,
    /// Print the report as JSON
    #[arg(long, help_heading = "Report")]
    pub json: bool,
    /// Show the packets between the calls of a program that plays both ends (Linux)
    ///
    /// The program runs in a network of its own, which has loopback and nothing else: what needs another machine, or a server that
    /// runs already, fails there.
    #[arg(long, help_heading = "Report")]
    pub packets: bool,
    /// Which of the calls are shown and reported
    #[command(flatten)]
    pub choice: Choice,
    /// The program to run, and its arguments
    #[arg(
        value_name = "COMMAND",
        required_unless_present = "pid",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  baresock watch -- python3 server.py            its calls, then the report
  baresock watch --explain -- ./server 8080      with each call explained
  baresock watch -q -- ./server                  only the report
  baresock watch --only accept,recv -- ./server  only these calls
  baresock watch --trace-to log -- ./server      the calls to a file
  baresock watch --packets -- python3 test.py    with what goes over the wire
  baresock watch --pid 4711                      a running program";
