//! `baresock explain`.

use clap::Args;

/// `explain`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ExplainArgs {
    /// What to explain: a name, a number, a text of an error, a pasted message or line of a trace
    #[arg(value_name = "WORD", required_unless_present = "list", allow_negative_numbers = true)]
    pub words: Vec<String>,
    /// List every word, a line each
    #[arg(long, conflicts_with = "words")]
    pub list: bool,
    /// As JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  baresock explain EAGAIN               an errno: what it means, what to do
  baresock explain so_reuseaddr accept  an option and a call
  baresock explain half-close           an idea
  baresock explain Broken pipe          what an error says of itself
  baresock explain 104                  the number of an errno here
  baresock explain --list --json        every word, for another program";
