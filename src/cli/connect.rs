//! `baresock connect`.

// The program's help is no Markdown: [::1] is an address in it, not a link.
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
    /// Whom to talk to: HOST:PORT, PORT (this machine), [::1]:PORT or unix:PATH
    #[arg(value_name = "ADDR", value_parser = address)]
    pub address: Written,
    /// Not a form of ours: it is there for the sentence that says how to write it.
    #[arg(hide = true)]
    pub port: Option<String>,
    /// How long each address may take to answer
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = time_limit, conflicts_with_all = ["udp", "listen"], help_heading = "Connection")]
    pub timeout: Duration,
    /// End when nothing came or went, or nobody came, for so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = time_limit, help_heading = "Connection")]
    pub idle_timeout: Option<Duration>,
    /// Send datagrams and receive those of this peer
    ///
    /// Each read of standard input becomes a datagram, or several if it is long. Nobody says that a datagram was the
    /// last: after the end of standard input it ends when none has come for a second, or as --idle-timeout says.
    #[arg(long, conflicts_with = "listen", help_heading = "Connection")]
    pub udp: bool,
    /// Listen, and talk to the first who comes
    #[arg(long, help_heading = "Connection")]
    pub listen: bool,
    /// At the end of standard input, keep our half open
    #[arg(long, help_heading = "Bytes and messages")]
    pub no_half_close: bool,
    /// When the peer has finished, go on sending until the end of standard input
    #[arg(long, conflicts_with = "udp", help_heading = "Bytes and messages")]
    pub keep_sending: bool,
    /// Send \r\n for each \n
    #[arg(long, help_heading = "Bytes and messages")]
    pub crlf: bool,
    /// Show the messages that come, one a line with number and length: fixed:N, line, length or close
    #[arg(long, value_name = "RULE", value_parser = framing::Rule::parse, conflicts_with = "udp", help_heading = "Bytes and messages")]
    pub frame: Option<framing::Rule>,
}

const EXAMPLES: &str = "\
Examples:
  baresock connect 7007                       talk to a server on this machine
  echo hello | baresock connect 7007 --trace  send a line, and see every call
  baresock connect example.org:80 --crlf      as HTTP wants its lines
  baresock connect --listen 7007              wait for somebody to connect
  baresock connect --udp 7007                 datagrams
  baresock connect unix:/tmp/echo.sock        a Unix-domain socket";
