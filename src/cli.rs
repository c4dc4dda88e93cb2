//! The command line: what can be said, and nothing of what is done about it.

// The program's help is no Markdown: [::1] is an address in it, not a link.
#![allow(rustdoc::broken_intra_doc_links)]

mod lab;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
pub use lab::Lab;

use crate::addr::Written;
use crate::compare::{Half, Kind, Server};
use crate::framing;
use crate::poller::Via;
use crate::services::{Spec, seconds};
use crate::trace::inject::Rule;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Bare sockets: serve, connect, and see every call as it is made.
///
/// Without a command: a tour. A server and two clients in this terminal, every call shown and explained. It goes to
/// standard output; --trace-to and --trace=json take its calls as well.
#[derive(Debug, Parser)]
#[command(
    name = "baresock",
    version = VERSION,
    long_version = long_version(),
    styles = STYLES,
    max_term_width = 80,
    after_long_help = EXAMPLES,
    args_conflicts_with_subcommands = false
)]
pub struct Cli {
    /// What to do; a tour if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
}

const EXAMPLES: &str = "\
Examples:
  baresock                                   the tour
  baresock tour --html tour.html             the same, and both sides' calls as a page
  baresock serve echo --trace                an echo server that shows its calls
  baresock serve echo=*:7007 --via poll      the same over poll, for everybody
  baresock bare 127.0.0.1:7007 --explain     the loop itself, explained
  baresock connect 7007                      talk to it
  baresock serve relay=9000,to=db:5432       a port forwarder
  baresock explain EAGAIN                    what it means, and what to do
  baresock ladder client.json server.json    what both did, side by side
  baresock compare --quick                   select or poll? measured here
  baresock host                              what sockets are like here

The manual, baresock(1), has the rest.";

/// The version with what a bug report needs.
fn long_version() -> String {
    format!(
        "{VERSION}\ntarget: {}\nFD_SETSIZE: {}",
        env!("BARESOCK_TARGET"),
        crate::sys::FD_SETSIZE
    )
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Wait with select(2) or with poll(2)
    #[arg(
        long,
        global = true,
        value_name = "CALL",
        default_value = "select",
        hide_possible_values = false
    )]
    pub via: ViaName,
    /// Show every call on standard error, as text or as JSON
    #[arg(long, global = true, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", help_heading = "Trace")]
    pub trace: Option<TraceForm>,
    /// Write the trace to a file
    #[arg(long, global = true, value_name = "FILE", help_heading = "Trace")]
    pub trace_to: Option<PathBuf>,
    /// Explain calls when they first happen (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub explain: bool,
    /// Show the state and the queues of each call's TCP socket (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub state: bool,
    /// Draw the sets of select and the rows of poll (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub bits: bool,
    /// Show at most N bytes of a string
    #[arg(long, global = true, value_name = "N", default_value_t = 32, help_heading = "Trace")]
    pub trace_bytes: usize,
    /// Show at most N rows of an array
    #[arg(long, global = true, value_name = "N", default_value_t = 32, help_heading = "Trace")]
    pub trace_items: usize,
    /// Begin each line with the time, in seconds since 1970
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_time: bool,
    /// End each line with how long the call took
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_duration: bool,
    /// Write every line at once, also to a file
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_sync: bool,
    /// Make a call misbehave: CALL:FAULT, as in recv:EINTR@3, send:short=5,
    /// poll:spurious@every:5, connect:delay=200ms
    #[arg(long, global = true, value_name = "RULE", value_parser = Rule::parse, help_heading = "Trace")]
    pub inject: Vec<Rule>,
    /// Colour on a terminal, always, or never (also NO_COLOR)
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: limits, who comes and goes
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// `--via`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ViaName {
    /// select(2)
    Select,
    /// poll(2)
    Poll,
}

impl From<ViaName> for Via {
    fn from(name: ViaName) -> Self {
        match name {
            ViaName::Select => Self::Select,
            ViaName::Poll => Self::Poll,
        }
    }
}

/// `--trace`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TraceForm {
    /// lines in strace's notation
    Text,
    /// one JSON object a line
    Json,
}

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// on a terminal
    Auto,
    /// always
    Always,
    /// never
    Never,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The tour, which is also what there is without a command
    Tour(Tour),
    /// The loop itself, nothing else: an echo server in one short file
    ///
    /// Its source, src/bare_select.rs and src/bare_poll.rs, is meant to be read.
    Bare {
        /// Where to listen: HOST:PORT, PORT (this machine only), *:PORT, [::1]:PORT or unix:PATH
        #[arg(value_name = "ADDR", default_value = "127.0.0.1:7007", value_parser = parse_address)]
        address: Written,
    },
    /// Serve one or more services in one loop
    ///
    /// A service is written as SERVICE or SERVICE=ADDR. Without an address it listens on this machine only.
    Serve(Serve),
    /// Talk to a server: standard input and output, and a socket
    ///
    /// What comes on standard input is sent, what the peer sends goes to standard output, byte for byte. At the end of
    /// standard input our half of the connection is closed and the answer still read.
    Connect(Connect),
    /// Run labs: what sockets do, each shown by doing it
    ///
    /// A lab predicts, makes its calls, and says whether what was observed agrees. NAME is a lab, or a group of labs.
    /// With more than one a line is written for each.
    Lab(Lab),
    /// What an errno, a flag, an option or a call means, and what to do about it
    ///
    /// A word is a name in any case (EAGAIN, so_reuseaddr, accept), the number of an errno on this system, or an idea: backlog,
    /// half-close, short send.
    Explain(Explain),
    /// Draw JSON traces of both ends of a connection as one picture
    ///
    /// The side that connects stands left, the one that accepts right, and arrows show what crossed. Traces are made
    /// with --trace=json, and with --state if the buffers are to be shown.
    Ladder(Ladder),
    /// select against poll, measured on this machine: tables, charts, and what they say
    ///
    /// First the bare calls, over how many descriptors are watched, how high the highest number is and how many are ready;
    /// then whole echo servers. It takes less than a minute.
    Compare(Compare),
    /// What sockets are like here: byte order, FD_SETSIZE, limits, buffers, addresses, calls and flags
    Host(Host),
    /// One of the servers that compare measures
    #[command(hide = true)]
    CompareServer {
        /// Which
        #[arg(value_parser = parse_server)]
        server: Server,
        /// Count its calls, and tell now and then how many there were
        #[arg(long)]
        count: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// `tour`.
#[derive(Clone, Debug, Default, Args)]
pub struct Tour {
    /// Also write what both sides did as a page to step through with the arrow keys
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// What to serve, where and how: echo, echo=HOST:PORT, echo=PORT, echo=*:PORT, echo=unix:PATH, echo/udp
    ///
    /// Services: echo, discard, chargen, daytime, time (each also with /udp), chat,
    /// framed[=ADDR][,frame=line|fixed:N|length|close], relay=ADDR,to=ADDR[,timeout=SECONDS], and
    /// http[=ADDR][,root=DIR][,header-timeout=SECONDS][,keep-alive=SECONDS].
    #[arg(value_name = "SERVICE[=ADDR[,OPTION=VALUE]...]", required = true, value_parser = Spec::parse)]
    pub services: Vec<Spec>,
    /// Accept at most N clients at a time; more wait in the queue
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub max_clients: Option<NonZeroUsize>,
    /// Close a connection after so many seconds of silence
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Limits")]
    pub idle_timeout: Option<Duration>,
    /// How many connections may wait to be accepted
    #[arg(long, value_name = "N", default_value_t = 4096, help_heading = "Limits")]
    pub backlog: i32,
    /// Receive at most so many bytes at once
    #[arg(long, value_name = "BYTES", default_value_t = 65536, value_parser = parse_buffer, help_heading = "Limits")]
    pub receive_buffer: usize,
    /// Drop a peer to which more than this is owed
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = parse_buffer, help_heading = "Limits")]
    pub owed_limit: usize,
    /// The system's buffer for sending on each connection (SO_SNDBUF), to make short sends frequent
    #[arg(long, value_name = "BYTES", help_heading = "Limits")]
    pub sndbuf: Option<i32>,
    /// The limit on descriptors; raised as far as it goes if not given
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub nofile: Option<u64>,
    /// After the first SIGINT or SIGTERM, send what is owed for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds, help_heading = "Limits")]
    pub drain: Duration,
    /// When everything is bound, go on as this user, with its groups and no other; only root can
    #[arg(long, value_name = "NAME", help_heading = "Privileges")]
    pub user: Option<String>,
    /// Who may connect to the Unix-domain sockets, as chmod has it: 600, 660, 666
    #[arg(long, value_name = "OCTAL", value_parser = parse_mode, help_heading = "Privileges")]
    pub mode: Option<u32>,
}

/// `connect`.
#[derive(Clone, Debug, Args)]
pub struct Connect {
    /// Whom to talk to: HOST:PORT, PORT (this machine), [::1]:PORT or unix:PATH
    #[arg(value_name = "ADDR", value_parser = parse_address)]
    pub address: Written,
    /// How long each address may take to answer
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, conflicts_with_all = ["udp", "listen"])]
    pub timeout: Duration,
    /// Send datagrams and receive those of this peer
    ///
    /// Each read of standard input becomes a datagram, or several if it is long. Nobody says that a datagram was the
    /// last: after the end of standard input it ends when none has come for a second, or as --idle-timeout says.
    #[arg(long, conflicts_with = "listen")]
    pub udp: bool,
    /// Listen, and talk to the first who comes
    #[arg(long)]
    pub listen: bool,
    /// At the end of standard input, keep our half open
    #[arg(long)]
    pub no_half_close: bool,
    /// Send \r\n for each \n
    #[arg(long)]
    pub crlf: bool,
    /// Show the messages that come, one a line with number and length: fixed:N, line, length or close
    #[arg(long, value_name = "RULE", value_parser = framing::Rule::parse, conflicts_with = "udp")]
    pub frame: Option<framing::Rule>,
    /// End when nothing came or went for so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub idle_timeout: Option<Duration>,
}

/// `explain`.
#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// What to explain
    #[arg(value_name = "WORD", required_unless_present = "list")]
    pub words: Vec<String>,
    /// List every word, a line each
    #[arg(long, conflicts_with = "words")]
    pub list: bool,
    /// As JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// `ladder`.
#[derive(Clone, Debug, Args)]
pub struct Ladder {
    /// Traces made with --trace=json: of both ends, of one, or both in one file
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write a page to step through with the arrow keys, instead of text
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Draw without line-drawing characters
    #[arg(long, conflicts_with = "html")]
    pub ascii: bool,
}

/// `compare`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = COMPARE_EXAMPLES)]
pub struct Compare {
    /// Take less than 10 seconds; the figures spread more
    #[arg(long)]
    pub quick: bool,
    /// One half only: calls or servers
    #[arg(long, value_name = "HALF", value_parser = parse_half)]
    pub only: Option<Half>,
    /// What the bare calls watch: udp, tcp, unix or pipe
    #[arg(long, value_name = "KIND", default_value = "udp", value_parser = parse_kind)]
    pub watch: Kind,
    /// Watch at most N descriptors
    #[arg(long, value_name = "N", default_value = "30000")]
    pub most: NonZeroUsize,
    /// Also select with sets longer than fd_set, where the system takes them
    #[arg(long)]
    pub wide: bool,
    /// Also the bare loops of 'baresock bare', to see what the event loop costs
    #[arg(long)]
    pub bare: bool,
    /// The figures as one JSON object
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// The figures as comma-separated values
    #[arg(long)]
    pub csv: bool,
    /// Also draw a picture into this file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write without characters beyond ASCII
    #[arg(long)]
    pub ascii: bool,
}

const COMPARE_EXAMPLES: &str = "\
Examples:
  baresock compare --quick                  an answer in a few seconds
  baresock compare --svg select-poll.svg    and a picture of it
  baresock compare --only calls --wide      how select would fare without FD_SETSIZE
  baresock compare --json > figures.json    for another program";

/// `host`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = HOST_EXAMPLES)]
pub struct Host {
    /// As one JSON object
    #[arg(long)]
    pub json: bool,
}

const HOST_EXAMPLES: &str = "\
Examples:
  baresock host                             everything, as text
  baresock host --json                      for another program";

fn parse_server(text: &str) -> Result<Server, String> {
    let known = Server::NAMES.iter().find(|(name, _)| *name == text);
    known.map(|(_, server)| *server).ok_or_else(|| "there is no such server".to_string())
}

fn parse_half(text: &str) -> Result<Half, String> {
    match text {
        "calls" => Ok(Half::Calls),
        "servers" => Ok(Half::Servers),
        _ => Err("write calls or servers".to_string()),
    }
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    let known = [Kind::Udp, Kind::Tcp, Kind::Unix, Kind::Pipe];
    let known = known.into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| "write udp, tcp, unix or pipe".to_string())
}

fn parse_address(text: &str) -> Result<Written, String> {
    Written::parse(text).map_err(|bad| bad.why)
}

fn parse_mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode @ 0..=0o777) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(mode),
        _ => Err("write an octal number from 0 to 777, as chmod has it".to_string()),
    }
}

fn parse_buffer(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 1..=0x4000_0000) => Ok(bytes),
        _ => Err("write a number of bytes from 1 to 1073741824".to_string()),
    }
}
