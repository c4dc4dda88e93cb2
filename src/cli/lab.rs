//! `baresock lab`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::values::{address, output_file};
use crate::addr::Written;
use crate::os::system::System;

/// `lab`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct LabArgs {
    /// Labs, or groups of labs
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// List the labs by group, with their claims
    #[arg(long, conflicts_with_all = ["names", "all", "why", "progress"], help_heading = "Which labs")]
    pub list: bool,
    /// Run every lab; the exit status is 1 if a lab differed from its prediction
    #[arg(long, conflicts_with_all = ["names", "why", "progress"], help_heading = "Which labs")]
    pub all: bool,
    /// List the questions that people ask most, and the labs that answer them
    #[arg(long, conflicts_with_all = ["names", "progress"], help_heading = "Which labs")]
    pub why: bool,
    /// Ask for your prediction before the deciding call (skipped if standard input is not a terminal)
    #[arg(long, conflicts_with_all = ["list", "all", "why", "progress", "json", "readme"], help_heading = "How they are shown")]
    pub ask: bool,
    /// Show your answers so far, and how many were right
    #[arg(long, conflicts_with_all = ["names"], help_heading = "Which labs")]
    pub progress: bool,
    /// Show how other systems answer each lab: like Linux, differently, or unknown; and how that is
    /// known
    #[arg(long, conflicts_with_all = ["list", "all", "why", "progress", "ask", "html", "readme"], help_heading = "Other systems")]
    pub systems: bool,
    /// Show a lab as SYSTEM answers it, without running it
    #[arg(long, value_name = "SYSTEM", value_parser = system(), conflicts_with_all = ["systems", "list", "why", "progress", "ask", "html", "readme"], help_heading = "Other systems")]
    pub on: Option<System>,
    /// Print what differs or was never checked on this system, as a short text to send to the
    /// maintainers
    #[arg(long, conflicts_with_all = ["list", "why", "progress", "systems", "on", "ask", "html", "readme", "json"], help_heading = "How they are shown")]
    pub report: bool,
    /// Print JSON, one object per line
    #[arg(long, conflicts_with = "readme", help_heading = "How they are shown")]
    pub json: bool,
    /// Write the calls as an HTML page to step through (one lab)
    #[arg(long, value_name = "FILE", value_parser = output_file(), conflicts_with_all = ["list", "all", "why", "progress"], help_heading = "How they are shown")]
    pub html: Option<PathBuf>,
    /// Show the calls in a browser, one by one (one lab)
    ///
    /// From the page the lab can be paused, stepped call by call, and slowed down.
    ///
    /// The lab prints the address to open, and begins when a page is opened, or when you press Enter. ADDR is one of this
    /// machine (default: a free port).
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:0",
          value_parser = address, conflicts_with_all = ["list", "all", "why", "progress", "systems", "on", "report"],
          help_heading = "How they are shown")]
    pub view: Option<Written>,
    /// Show the packets between the calls (Linux, one lab)
    ///
    /// Below a call are the packets that it caused. The lab runs in a network of its own.
    #[arg(long, conflicts_with_all = ["list", "all", "why", "progress", "systems", "on", "report"], help_heading = "How they are shown")]
    pub packets: bool,
    /// Write the packets to FILE for Wireshark (Linux, one lab)
    ///
    /// The calls are comments of the packets that they caused.
    #[arg(long, value_name = "FILE", value_parser = output_file(), conflicts_with_all = ["list", "all", "why", "progress", "systems", "on", "report"], help_heading = "How they are shown")]
    pub pcap: Option<PathBuf>,
    /// Print Markdown, for a handout
    #[arg(long, conflicts_with_all = ["list", "all", "why", "progress"], help_heading = "How they are shown")]
    pub readme: bool,
    /// With --readme: leave the answers out, for a class
    #[arg(long, requires = "readme", help_heading = "How they are shown")]
    pub worksheet: bool,
    /// Make the calls in this process, and report events as JSON
    #[arg(long, hide = true)]
    pub stage: bool,
    /// Report the connection of each call
    #[arg(long, hide = true)]
    pub connections: bool,
    /// Play a role of a lab
    #[arg(long, value_name = "ROLE", hide = true)]
    pub role: Option<String>,
    /// The arguments of the role
    #[arg(long = "argument", value_name = "ARGUMENT", num_args = 0.., hide = true)]
    pub arguments: Vec<String>,
}

/// A system, by its name on a command line.
fn system() -> impl TypedValueParser<Value = System> {
    let names = System::ALL.map(System::argument);
    PossibleValuesParser::new(names).map(|given| {
        let is_it = |system: &System| system.argument() == given;
        System::ALL.into_iter().find(is_it).unwrap_or(System::LinuxGlibc)
    })
}

const EXAMPLES: &str = "\
Examples:
  baresock lab --list              all labs
  baresock lab half-close          one lab, every call shown
  baresock lab half-close --ask    predict before you see
  baresock lab half-close --packets   what goes over the wire
  baresock lab half-close --view   in a browser, call by call
  baresock lab select              a group of labs, one line each
  baresock lab --all               every lab
  baresock lab --all --report      what differs on your system, to send in
  baresock lab --why               frequent questions, and labs that answer
  baresock lab --systems           how other systems answer
  baresock lab half-close --on freebsd   a lab as FreeBSD answers it";
