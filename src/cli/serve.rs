//! `baresock serve`.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use super::values::{backlog, buffer, count, descriptors, mode, system_buffer};
use crate::services::{Spec, seconds, time_limit};

/// `serve`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ServeArgs {
    /// What to serve, where and how: echo, echo=HOST:PORT, echo=PORT, echo=*:PORT, echo=unix:PATH, echo/udp
    ///
    /// Services: echo, discard, chargen, daytime, time (each also with /udp), chat,
    /// framed[=ADDR][,frame=line|fixed:N|length|close], relay=ADDR,to=ADDR[,timeout=SECONDS], and
    /// http[=ADDR][,root=DIR][,header-timeout=SECONDS][,keep-alive=SECONDS].
    #[arg(value_name = "SERVICE[=ADDR[,OPTION=VALUE]...]", required = true, value_parser = Spec::parse)]
    pub services: Vec<Spec>,
    /// Accept at most N clients at a time; more wait in the queue
    #[arg(long, value_name = "N", value_parser = count, help_heading = "Limits")]
    pub max_clients: Option<NonZeroUsize>,
    /// Close a connection after so many seconds of silence
    #[arg(long, value_name = "SECONDS", value_parser = time_limit, help_heading = "Limits")]
    pub idle_timeout: Option<Duration>,
    /// How many connections may wait to be accepted
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = backlog, help_heading = "Limits")]
    pub backlog: i32,
    /// Receive at most so many bytes at once
    #[arg(long, value_name = "BYTES", default_value_t = 65536, value_parser = buffer, help_heading = "Limits")]
    pub receive_buffer: usize,
    /// Drop a peer to which more than this is owed
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = buffer, help_heading = "Limits")]
    pub owed_limit: usize,
    /// The system's buffer for sending on each connection (SO_SNDBUF), to make short sends frequent
    #[arg(long, value_name = "BYTES", value_parser = system_buffer, help_heading = "Limits")]
    pub sndbuf: Option<i32>,
    /// The limit on descriptors; raised as far as it goes if not given
    #[arg(long, value_name = "N", value_parser = descriptors, help_heading = "Limits")]
    pub nofile: Option<u64>,
    /// After the first SIGINT or SIGTERM, send what is owed for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds, help_heading = "Limits")]
    pub drain: Duration,
    /// When everything is bound, go on as this user, with its groups and no other; only root can
    #[arg(long, value_name = "NAME", help_heading = "Privileges")]
    pub user: Option<String>,
    /// Who may connect to the Unix-domain sockets, as chmod has it: 600, 660, 666
    #[arg(long, value_name = "OCTAL", value_parser = mode, help_heading = "Privileges")]
    pub mode: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  baresock serve echo --trace                an echo server that shows its calls
  baresock serve echo=*:7007 --via poll      over poll, for every machine
  baresock serve echo time chat=*:9034       three services in one loop
  baresock serve http=8080,root=public       the files below a directory
  baresock serve relay=9000,to=db:5432       a port forwarder
  baresock serve echo --inject send:short=1  send takes a byte at a time";
