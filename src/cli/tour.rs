//! `baresock tour`.

use std::path::PathBuf;

use clap::Args;

/// `tour`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TourArgs {
    /// Also write the calls of both sides as an HTML page to step through with the arrow keys
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  baresock                        the same as baresock tour
  baresock tour --via poll        the server waits with poll
  baresock tour --bits            with the sets of select drawn
  baresock tour --html tour.html  also both sides' calls as a page";
