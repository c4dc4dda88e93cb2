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
    /// Show the packets that the calls of both sides cause (Linux)
    ///
    /// Below a call are the packets that it caused. The tour runs in a network of its own.
    #[arg(long)]
    pub packets: bool,
    /// Write the packets to FILE for Wireshark (Linux)
    ///
    /// The calls are comments of the packets that they caused.
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  baresock                        the same as baresock tour
  baresock tour --via poll        the server waits with poll
  baresock tour --bits            with the sets of select drawn
  baresock tour --packets         with what goes over the wire
  baresock tour --html tour.html  also both sides' calls as a page";
