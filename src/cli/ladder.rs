//! `baresock ladder`.

use std::path::PathBuf;

use clap::Args;

use super::values::output_file;

/// `ladder`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct LadderArgs {
    /// Traces made with --trace=json, or logs of strace: of both ends, of one end, or both in one
    /// file; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write an HTML page to step through with the arrow keys, instead of text
    #[arg(long, value_name = "FILE", value_parser = output_file())]
    pub html: Option<PathBuf>,
    /// Draw without line-drawing characters
    #[arg(long, conflicts_with = "html")]
    pub ascii: bool,
}

const EXAMPLES: &str = "\
Examples:
  baresock serve echo --trace=json --trace-to server.json    the server's trace
  baresock connect 7007 --trace=json --trace-to client.json  the client's trace
  baresock ladder client.json server.json                    side by side
  baresock ladder server.json --ascii                        only one end
  baresock ladder server.json --html ladder.html             as a page
  baresock ladder log                                        a log of strace";
