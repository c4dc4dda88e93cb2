//! `baresock serve`.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::values::{
    address, backlog, buffer, count, descriptors, milliseconds, mode, percent, system_buffer,
};
use crate::addr::Written;
use crate::services::{Spec, seconds, time_limit};

/// `serve`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ServeArgs {
    /// What to serve, where and how: echo, echo=HOST:PORT, echo=PORT, echo=*:PORT, echo=unix:PATH, echo/udp
    ///
    /// Services: echo, discard, chargen, daytime, time, upper (each also with /udp), chat,
    /// framed[=ADDR][,frame=line|fixed:N|length|close], relay=ADDR,to=ADDR[,timeout=SECONDS][,move=copy|splice], and
    /// http[=ADDR][,root=DIR][,header-timeout=SECONDS][,keep-alive=SECONDS].
    #[arg(value_name = "SERVICE[=ADDR[,OPTION=VALUE]...]", required = true, value_parser = Spec::parse)]
    pub services: Vec<Spec>,
    /// Show the running loop in a browser: its descriptors, waits and calls; pause it, step, slow it down
    ///
    /// The server prints the address to open. ADDR is one of this machine (default: a free port). The view's own calls
    /// are not in the trace.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:0",
          value_parser = address, help_heading = "View")]
    pub view: Option<Written>,
    /// Serve at most N clients at once; others wait
    ///
    /// They wait in the listen queue.
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Limits")]
    pub max_clients: Option<NonZeroUsize>,
    /// Close a connection after SECONDS without traffic: frees descriptors of idle clients
    #[arg(long, value_name = "SECONDS", value_parser = time_limit, help_heading = "Limits")]
    pub idle_timeout: Option<Duration>,
    /// Let N connections wait to be accepted (the backlog of listen)
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = backlog, help_heading = "Limits")]
    pub backlog: i32,
    /// Receive at most BYTES a call
    #[arg(long, value_name = "BYTES", default_value_t = 65536, value_parser = buffer, help_heading = "Limits")]
    pub receive_buffer: usize,
    /// Disconnect a client when more than BYTES of unsent data are queued for it: protects memory
    /// from slow readers
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = buffer, help_heading = "Limits")]
    pub owed_limit: usize,
    /// Set each connection's send buffer (SO_SNDBUF)
    ///
    /// A small buffer makes short writes frequent.
    #[arg(long, value_name = "BYTES", value_parser = system_buffer, help_heading = "Limits")]
    pub sndbuf: Option<i32>,
    /// Limit on descriptors (default: the hard limit)
    #[arg(long, value_name = "N", value_parser = descriptors, help_heading = "Limits")]
    pub nofile: Option<u64>,
    /// After SIGINT or SIGTERM, send queued data for SECONDS at most (graceful shutdown)
    ///
    /// A second signal ends the server at once.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds, help_heading = "Limits")]
    pub drain: Duration,
    /// Wait for busy connections, look at idle ones
    ///
    /// Connections that were busy lately are the hot tier: every wait asks about them, and about the listeners. The cold
    /// tier has all others; looks at it, without waiting, find those that became ready. So many idle connections cost
    /// little.
    #[arg(long, help_heading = "Limits")]
    pub tiers: bool,
    /// Spend at most PERCENT of the time on looks at the cold tier [default: 2]
    #[arg(long, value_name = "PERCENT", value_parser = percent, hide_short_help = true, help_heading = "Limits")]
    pub tiers_share: Option<u32>,
    /// Look at each cold connection at least every MILLISECONDS, even if that takes a larger share [default: 100]
    ///
    /// A connection becomes cold after a silence of half to all of that time.
    #[arg(long, value_name = "MILLISECONDS", value_parser = milliseconds, hide_short_help = true, help_heading = "Limits")]
    pub tiers_wait: Option<Duration>,
    /// Use tiers while at least N connections are cold [default: 64]
    ///
    /// With fewer, every wait asks about all of them, which is faster.
    #[arg(long, value_name = "N", value_parser = count, hide_short_help = true, help_heading = "Limits")]
    pub tiers_from: Option<NonZeroUsize>,
    /// After binding every address, switch to this user for good; only root can
    ///
    /// So a server can bind port 80 without serving as root. The user's groups replace those of root.
    #[arg(long, value_name = "NAME", help_heading = "Privileges")]
    pub user: Option<String>,
    /// Permissions of the Unix-domain sockets, which decide which users may connect: 600, 660, 666
    #[arg(long, value_name = "OCTAL", value_parser = mode, help_heading = "Privileges")]
    pub mode: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  baresock serve echo --trace                an echo server that shows its calls
  baresock serve echo --view                 the same, live in a browser
  baresock serve echo=*:7007 --via poll      over poll, open to other machines
  baresock serve echo --via poll --tiers     thousands of connections, few busy
  baresock serve echo time chat=*:9034       three services in one loop
  baresock serve http=8080,root=public       the files below a directory
  baresock serve relay=9000,to=db:5432       a port forwarder
  baresock serve echo --inject send:short=1  send takes a byte at a time";
