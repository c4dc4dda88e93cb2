//! `baresock book`.

use std::path::PathBuf;

use clap::Args;

/// `book`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct BookArgs {
    /// Where to write it: a new or empty directory, or an earlier book, which is replaced
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// Take only these labs, or groups of labs; the words and the manual are always in it
    #[arg(long, value_name = "LAB,...", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Add a worksheet without answers for each lab, and a page with all answers
    #[arg(long)]
    pub worksheets: bool,
}

const EXAMPLES: &str = "\
Examples:
  baresock book sockets                   all labs, in the directory sockets
  baresock book sockets --worksheets      with sheets for a class
  baresock book lesson --only select,poll   two groups of labs
Then open sockets/index.html in a browser.";
