//! `baresock connect`.

// The program's help is not Markdown: [::1] is an address in it, not a link.
#![allow(rustdoc::broken_intra_doc_links)]

use std::time::Duration;

use clap::Args;

use super::values::address;
use crate::addr::Written;
use crate::framing;
use crate::services::time_limit;

/// `connect`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ConnectArgs {
    /// The server's address (with --listen, our own): HOST:PORT, PORT (this machine), [::1]:PORT or unix:PATH
    #[arg(value_name = "ADDR", value_parser = address)]
    pub address: Written,
    /// Accepted only for the error message that says how to write an address.
    #[arg(hide = true)]
    pub port: Option<String>,
    /// Give up on an address that has not answered after SECONDS
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = time_limit, conflicts_with_all = ["udp", "listen"], help_heading = "Connection")]
    pub timeout: Duration,
    /// End after SECONDS without traffic, or without a client, so that a script cannot hang
    #[arg(long, value_name = "SECONDS", value_parser = time_limit, help_heading = "Connection")]
    pub idle_timeout: Option<Duration>,
    /// Use UDP: send datagrams, and receive only those from this peer
    ///
    /// Each read of standard input becomes a datagram, or several if it is long. UDP has no end of file: after the
    /// end of standard input the program ends when no datagram has arrived for a second, or for the time of
    /// --idle-timeout.
    #[arg(long, conflicts_with = "listen", help_heading = "Connection")]
    pub udp: bool,
    /// Listen, and talk to the first client that connects
    #[arg(long, help_heading = "Connection")]
    pub listen: bool,
    /// At the end of standard input do not half-close, for peers that take a half-close for the end of the connection
    #[arg(long, help_heading = "Bytes and messages")]
    pub no_half_close: bool,
    /// When the peer has finished sending, keep sending until the end of standard input
    #[arg(long, conflicts_with = "udp", help_heading = "Bytes and messages")]
    pub keep_sending: bool,
    /// Send \r\n for each \n, as text protocols such as HTTP require
    #[arg(long, help_heading = "Bytes and messages")]
    pub crlf: bool,
    /// Show received messages instead of bytes, one per line with number and length: fixed:N, line,
    /// length or close
    #[arg(long, value_name = "RULE", value_parser = framing::Rule::parse, conflicts_with = "udp", help_heading = "Bytes and messages")]
    pub frame: Option<framing::Rule>,
}

const EXAMPLES: &str = "\
Examples:
  baresock connect 7007                       talk to a server on this machine
  echo hello | baresock connect 7007 --trace  send a line, and see every call
  baresock connect example.org:80 --crlf      lines as HTTP wants them
  baresock connect --listen 7007              wait for a client
  baresock connect --udp 7007                 datagrams
  baresock connect unix:/tmp/echo.sock        a Unix-domain socket";
