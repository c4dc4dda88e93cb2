//! `baresock tour`.

use std::path::PathBuf;

use clap::Args;

use super::values::{address, output_file};
use crate::addr::Written;

/// `tour`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct TourArgs {
    /// Also write the calls of both sides as an HTML page to step through with the arrow keys
    #[arg(long, value_name = "FILE", value_parser = output_file(), help_heading = "How it is shown")]
    pub html: Option<PathBuf>,
    /// Show the calls of both sides in a browser, one by one
    ///
    /// From the page the tour can be paused, stepped call by call, and slowed down.
    ///
    /// The tour prints the address to open, and begins when a page is opened, or when you press Enter. ADDR is one of this
    /// machine (default: a free port).
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:0",
          value_parser = address, help_heading = "How it is shown")]
    pub view: Option<Written>,
    /// Show the packets that the calls of both sides cause (Linux)
    ///
    /// Below a call are the packets that it caused. The tour runs in a network of its own.
    #[arg(long, help_heading = "How it is shown")]
    pub packets: bool,
    /// Write the packets to FILE for Wireshark (Linux)
    ///
    /// The calls are comments of the packets that they caused.
    #[arg(long, value_name = "FILE", value_parser = output_file(), help_heading = "How it is shown")]
    pub pcap: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  baresock                        the same as baresock tour
  baresock tour --via poll        the server waits with poll
  baresock tour --bits            with the sets of select drawn
  baresock tour --packets         with what goes over the wire
  baresock tour --view            in a browser, call by call
  baresock tour --html tour.html  also both sides' calls as a page";
