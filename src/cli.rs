//! The command line: what can be said, and nothing of what is done about it.

// The program's help is no Markdown: [::1] is an address in it, not a link.
#![allow(rustdoc::broken_intra_doc_links)]

mod common;
mod compare;
mod connect;
mod explain;
mod host;
mod lab;
mod ladder;
mod read;
mod serve;
mod tour;
mod values;
mod watch;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

pub use common::{ColorWhen, Common, TraceForm, ViaName};
pub use compare::CompareArgs;
pub use connect::ConnectArgs;
pub use explain::ExplainArgs;
pub use host::HostArgs;
pub use lab::LabArgs;
pub use ladder::LadderArgs;
pub use read::{Choice, ReadArgs};
pub use serve::ServeArgs;
pub use tour::TourArgs;
pub use watch::WatchArgs;

use crate::addr::Written;
use crate::compare::Server;

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
  baresock tour --html tour.html             and both sides' calls as a page
  baresock serve echo --trace                an echo server that shows its calls
  baresock serve echo=*:7007 --via poll      the same over poll, for everybody
  baresock bare 127.0.0.1:7007 --explain     the loop itself, explained
  baresock connect 7007                      talk to it
  baresock serve relay=9000,to=db:5432       a port forwarder
  baresock explain EAGAIN                    what it means, and what to do
  baresock watch -- python3 server.py         any program, and advice
  baresock read strace.log                   the same from a log
  baresock ladder client.json server.json    what both did, side by side
  baresock compare --quick                   select or poll? measured here
  baresock host                              what sockets are like here

The manual, baresock(1), has the rest.";

const BARE_EXAMPLES: &str = "\
Examples:
  baresock bare                     on 127.0.0.1:7007, over select
  baresock bare --via poll --trace  over poll, every call shown
  baresock bare 127.0.0.1:0 --bits  on a free port, the sets drawn
  baresock bare *:7007 --explain    for every machine, explained";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(baresock completions bash)   for this shell, if it is bash
  baresock completions zsh > _baresock  a file for zsh; see its fpath";

/// The version with what a bug report needs.
fn long_version() -> String {
    format!(
        "{VERSION}\ntarget: {}\nFD_SETSIZE: {}",
        env!("BARESOCK_TARGET"),
        crate::sys::FD_SETSIZE
    )
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The tour, which is also what there is without a command
    Tour(TourArgs),
    /// The loop itself, nothing else: an echo server in one short file
    ///
    /// Its source, src/bare_select.rs and src/bare_poll.rs, is meant to be read.
    #[command(after_long_help = BARE_EXAMPLES)]
    Bare {
        /// Where to listen: HOST:PORT, PORT (this machine only), *:PORT, [::1]:PORT or unix:PATH
        #[arg(value_name = "ADDR", default_value = "127.0.0.1:7007", value_parser = values::address)]
        address: Written,
    },
    /// Serve one or more services in one loop
    ///
    /// A service is written as SERVICE or SERVICE=ADDR. Without an address it listens on this machine only.
    Serve(ServeArgs),
    /// Talk to a server: standard input and output, and a socket
    ///
    /// What comes on standard input is sent, what the peer sends goes to standard output, byte for byte. At the end of
    /// standard input our half of the connection is closed and the answer still read.
    Connect(ConnectArgs),
    /// Run labs: what sockets do, each shown by doing it
    ///
    /// A lab predicts, makes its calls, and says whether what was observed agrees. NAME is a lab, or a group of labs.
    /// With more than one a line is written for each.
    Lab(LabArgs),
    /// What an errno, a flag, an option or a call means, and what to do about it
    ///
    /// A word is a name in any case (EAGAIN, so_reuseaddr, accept), the number of an errno on this system, or an idea: backlog,
    /// half-close, short send.
    Explain(ExplainArgs),
    /// Draw traces or logs of both ends of a connection as one picture
    ///
    /// The side that connects stands left, the one that accepts right, and arrows show what crossed. Traces are made
    /// with --trace=json, and with --state if the buffers are to be shown; logs with strace -f -tt.
    Ladder(LadderArgs),
    /// Run any program, show its socket calls, and say what went wrong (Linux, over strace)
    ///
    /// The program has its own standard input and output, and its exit status is passed on. Its calls are shown as they
    /// happen on standard error, the report follows when it has ended.
    Watch(WatchArgs),
    /// Read a log of strace, or a trace: what happened, and what went wrong
    ///
    /// Each connection in two lines, a table of the calls, and advice with the lines that show it. Logs are read as they
    /// are posted: quoted, numbered, wrapped, or cut. --trace, --explain and --bits show the calls, too.
    Read(ReadArgs),
    /// select against poll, measured on this machine: tables, charts, and what they say
    ///
    /// First the bare calls, over how many descriptors are watched, how high the highest number is and how many are ready;
    /// then whole echo servers. It takes less than a minute.
    Compare(CompareArgs),
    /// What sockets are like here: byte order, FD_SETSIZE, limits, buffers, addresses, calls and flags
    Host(HostArgs),
    /// One of the servers that compare measures
    #[command(hide = true)]
    CompareServer {
        /// Which
        #[arg(value_parser = values::server)]
        server: Server,
        /// Count its calls, and tell now and then how many there were
        #[arg(long)]
        count: bool,
    },
    /// Print a completion script for a shell
    #[command(after_long_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}
