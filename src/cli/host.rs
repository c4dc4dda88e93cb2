//! `baresock host`.

use clap::Args;

/// `host`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct HostArgs {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  baresock host         everything, as text
  baresock host --json  for another program";
