//! `baresock explain`.

use clap::Args;

/// `explain`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ExplainArgs {
    /// What to explain: a name, a number, the text of an error, a pasted message or line of a trace
    #[arg(value_name = "WORD", required_unless_present = "list", allow_negative_numbers = true)]
    pub words: Vec<String>,
    /// List every word, one per line
    #[arg(long, conflicts_with = "words")]
    pub list: bool,
    /// Print JSON, one object per line
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  baresock explain EAGAIN               an errno: what it means, what to do
  baresock explain so_reuseaddr accept  an option and a call
  baresock explain half-close           a concept
  baresock explain Broken pipe          the text of an error
  baresock explain 104                  an errno's number on this system
  baresock explain --list --json        every word, for another program";
