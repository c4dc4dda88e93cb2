//! `baresock compare`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::values::{count, half, kind};
use crate::compare::{MeasuredPart, WatchedKind};

/// `compare`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CompareArgs {
    /// Take less than 10 seconds; the figures spread more
    #[arg(long, help_heading = "What is measured")]
    pub quick: bool,
    /// One half only: calls or servers
    #[arg(long, value_name = "HALF", value_parser = half, help_heading = "What is measured")]
    pub only: Option<MeasuredPart>,
    /// What the bare calls watch: udp, tcp, unix or pipe
    #[arg(long, value_name = "KIND", default_value = "udp", value_parser = kind, help_heading = "What is measured")]
    pub watch: WatchedKind,
    /// Watch at most N descriptors
    #[arg(long, value_name = "N", default_value = "30000", value_parser = count, help_heading = "What is measured")]
    pub most: NonZeroUsize,
    /// Also select with sets longer than fd_set, where the system takes them
    #[arg(long, help_heading = "What is measured")]
    pub wide: bool,
    /// Also the bare loops of 'baresock bare', to see what the event loop costs
    #[arg(long, help_heading = "What is measured")]
    pub bare: bool,
    /// The figures as one JSON object
    #[arg(long, conflicts_with = "csv", help_heading = "How it is shown")]
    pub json: bool,
    /// The figures as comma-separated values
    #[arg(long, help_heading = "How it is shown")]
    pub csv: bool,
    /// Also draw a picture into this file
    #[arg(long, value_name = "FILE", help_heading = "How it is shown")]
    pub svg: Option<PathBuf>,
    /// Write without characters beyond ASCII
    #[arg(long, help_heading = "How it is shown")]
    pub ascii: bool,
}

const EXAMPLES: &str = "\
Examples:
  baresock compare --quick                an answer in a few seconds
  baresock compare --svg select-poll.svg  and a picture of it
  baresock compare --only calls --wide    select without FD_SETSIZE
  baresock compare --json > figures.json  for another program";
