//! `baresock compare`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::values::{count, half, kind, output_file};
use crate::compare::{MeasuredPart, WatchedKind};

/// `compare`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CompareArgs {
    /// Take less than 10 seconds; the figures vary more
    #[arg(long, help_heading = "What is measured")]
    pub quick: bool,
    /// Measure only one half: calls or servers
    #[arg(long, value_name = "HALF", value_parser = half, help_heading = "What is measured")]
    pub only: Option<MeasuredPart>,
    /// The kind of descriptor that the bare calls watch: udp, tcp, unix or pipe
    #[arg(long, value_name = "KIND", default_value = "udp", value_parser = kind, help_heading = "What is measured")]
    pub watch: WatchedKind,
    /// Watch at most N descriptors
    #[arg(long, value_name = "N", default_value = "30000", value_parser = count, help_heading = "What is measured")]
    pub most: NonZeroUsize,
    /// Also measure select with sets longer than fd_set, if the system accepts them
    #[arg(long, help_heading = "What is measured")]
    pub wide: bool,
    /// Also measure the loops of 'baresock bare', to see the cost of the event loop
    #[arg(long, help_heading = "What is measured")]
    pub bare: bool,
    /// Print the figures as one JSON object
    #[arg(long, conflicts_with = "csv", help_heading = "How it is shown")]
    pub json: bool,
    /// Print the figures as comma-separated values
    #[arg(long, help_heading = "How it is shown")]
    pub csv: bool,
    /// Also write the figures to FILE as a picture (SVG)
    #[arg(long, value_name = "FILE", value_parser = output_file(), help_heading = "How it is shown")]
    pub svg: Option<PathBuf>,
    /// Use only ASCII characters
    #[arg(long, help_heading = "How it is shown")]
    pub ascii: bool,
}

const EXAMPLES: &str = "\
Examples:
  baresock compare --quick                an answer in a few seconds
  baresock compare --svg select-poll.svg  and a picture of it
  baresock compare --only calls --wide    select without FD_SETSIZE
  baresock compare --json > figures.json  for another program";
