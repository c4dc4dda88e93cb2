//! `baresock watch`.

use std::ffi::OsString;

use clap::Args;

use super::read::Choice;

/// `watch`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct WatchArgs {
    /// Watch a process that runs already
    #[arg(long, value_name = "PID", conflicts_with = "command", help_heading = "Choice")]
    pub pid: Option<u32>,
    /// The report as JSON
    #[arg(long, help_heading = "Report")]
    pub json: bool,
    /// Which of the calls are shown and reported
    #[command(flatten)]
    pub choice: Choice,
    /// The program and its arguments
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
  baresock watch --explain -- ./server 8080      each call explained, too
  baresock watch -q -- ./server                  the report alone
  baresock watch --only accept,recv -- ./server  these calls alone
  baresock watch --trace-to log -- ./server      the calls to a file
  baresock watch --pid 4711                      a program that runs already";
