//! `baresock read`.

use std::path::PathBuf;

use clap::Args;

/// `read`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ReadArgs {
    /// Logs of strace, or traces of baresock as text or JSON; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print the calls and the report as JSON, one object per line
    #[arg(long, help_heading = "Report")]
    pub json: bool,
    /// Which of the calls are shown and reported
    #[command(flatten)]
    pub choice: Choice,
}

/// Which calls are shown and reported.
#[derive(Clone, Debug, Default, Args)]
pub struct Choice {
    /// Show and report only these calls, by name: accept,recv
    #[arg(long, value_name = "CALLS", value_delimiter = ',', help_heading = "Choice")]
    pub only: Vec<String>,
    /// Show and report only calls on this file descriptor
    #[arg(long, value_name = "N", help_heading = "Choice")]
    pub fd: Option<i32>,
    /// Show and report only connections with this peer: an address, or a part of one
    #[arg(long, value_name = "ADDR", help_heading = "Choice")]
    pub peer: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  baresock read log                    what happened, and what went wrong
  baresock read log --explain          every call shown and explained, too
  baresock read log --only recv,send   only these calls
  baresock read client.log server.log  both sides
  xclip -o | baresock read -           a log that was posted somewhere
  baresock read log --json             for another program";
