//! `baresock lab`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::os::system::System;

/// `lab`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct LabArgs {
    /// Labs, or groups of labs
    #[arg(value_name = "NAME", required_unless_present_any = ["list", "all", "why", "progress", "systems"])]
    pub names: Vec<String>,
    /// List the labs: name, claim, minutes
    #[arg(long, conflicts_with_all = ["names", "all", "why", "progress"], help_heading = "Which labs")]
    pub list: bool,
    /// Run every lab; the exit status is 1 if one differed
    #[arg(long, conflicts_with_all = ["names", "why", "progress"], help_heading = "Which labs")]
    pub all: bool,
    /// What people ask, and the labs that answer
    #[arg(long, conflicts_with_all = ["names", "progress"], help_heading = "Which labs")]
    pub why: bool,
    /// Ask for your prediction before the call that decides (skipped where standard input is no terminal)
    #[arg(long, conflicts_with_all = ["list", "all", "why", "progress", "json", "readme"], help_heading = "How they are shown")]
    pub ask: bool,
    /// What you answered so far
    #[arg(long, conflicts_with_all = ["names"], help_heading = "Which labs")]
    pub progress: bool,
    /// What other systems answer, lab by lab: as Linux, otherwise, or not known; and how it is known
    #[arg(long, conflicts_with_all = ["list", "all", "why", "progress", "ask", "html", "readme"], help_heading = "Other systems")]
    pub systems: bool,
    /// Tell a lab as this system answers it; nothing is run
    #[arg(long, value_name = "SYSTEM", value_parser = system(), conflicts_with_all = ["systems", "list", "why", "progress", "ask", "html", "readme"], help_heading = "Other systems")]
    pub on: Option<System>,
    /// Write what differs here, or was never checked here, as a short text to be sent in
    #[arg(long, conflicts_with_all = ["list", "why", "progress", "systems", "on", "ask", "html", "readme", "json"], help_heading = "How they are shown")]
    pub report: bool,
    /// As JSON, one object a line
    #[arg(long, conflicts_with = "readme", help_heading = "How they are shown")]
    pub json: bool,
    /// Write what both ends did side by side, as a page to step through; of one lab
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "all", "why", "progress"], help_heading = "How they are shown")]
    pub html: Option<PathBuf>,
    /// As Markdown, for a handout
    #[arg(long, conflicts_with_all = ["list", "all", "why", "progress"], help_heading = "How they are shown")]
    pub readme: bool,
    /// Make the calls in this process, and tell what happens as JSON
    #[arg(long, hide = true)]
    pub stage: bool,
    /// Tell of each call which connection it belongs to
    #[arg(long, hide = true)]
    pub connections: bool,
    /// Play a part of a lab
    #[arg(long, value_name = "ROLE", hide = true)]
    pub role: Option<String>,
    /// What the part is told
    #[arg(long = "argument", value_name = "ARGUMENT", num_args = 0.., hide = true)]
    pub arguments: Vec<String>,
}

/// A system by the name that it has in a command line.
fn system() -> impl TypedValueParser<Value = System> {
    let names = System::ALL.map(System::argument);
    PossibleValuesParser::new(names).map(|given| {
        let is_it = |system: &System| system.argument() == given;
        System::ALL.into_iter().find(is_it).unwrap_or(System::LinuxGlibc)
    })
}

const EXAMPLES: &str = "\
Examples:
  baresock lab --list              what there is
  baresock lab half-close          one lab, every call shown
  baresock lab half-close --ask    predict before you see
  baresock lab select              a group of labs, a line each
  baresock lab --all               every lab
  baresock lab --all --report      what differs on your system, to be sent in
  baresock lab --why               what people ask, and the labs that answer
  baresock lab --systems           what other systems answer otherwise
  baresock lab half-close --on freebsd   a lab as FreeBSD answers it";
