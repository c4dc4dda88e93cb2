//! The command line: its syntax only. The commands act on it.

// The program's help is not Markdown: [::1] is an address in it, not a link.
#![allow(rustdoc::broken_intra_doc_links)]

mod book;
mod common;
mod compare;
mod connect;
mod explain;
mod host;
mod judge;
mod lab;
mod ladder;
mod read;
mod serve;
mod tour;
mod values;
mod watch;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

pub use book::BookArgs;
pub use common::{ColorWhen, Common, TraceForm, ViaName};
pub use compare::CompareArgs;
pub use connect::ConnectArgs;
pub use explain::ExplainArgs;
pub use host::HostArgs;
pub use judge::JudgeArgs;
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
/// Without a command it plays a tour: a server and two clients in this terminal, with every call shown and
/// explained on standard output. --trace-to and --trace=json record the calls as well.
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
    /// What to do; without a command, the tour.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
}

const EXAMPLES: &str = "\
Examples:
  baresock                                   the tour
  baresock tour --html tour.html             also both sides' calls as a page
  baresock serve echo --trace                an echo server that shows its calls
  baresock serve echo --view                 the same in a browser: pause, step
  baresock serve echo=*:7007 --via poll      over poll, open to other machines
  baresock bare 127.0.0.1:7007 --explain     the loop itself, explained
  baresock connect 7007                      talk to it
  baresock serve relay=9000,to=db:5432       a port forwarder
  baresock book sockets                      labs, words, manual as a web site
  baresock explain EAGAIN                    what an error means, what to do
  baresock watch -- python3 server.py        any program, and advice
  baresock read strace.log                   the same from a log
  baresock judge echo -- ./server {port}     attack it, say what broke
  baresock ladder client.json server.json    both ends, side by side
  baresock compare --quick                   select or poll? measured here
  baresock host                              what sockets are like here

The manual, baresock(1), has the rest.";

const BARE_EXAMPLES: &str = "\
Examples:
  baresock bare                     on 127.0.0.1:7007, over select
  baresock bare --via poll --trace  over poll, every call shown
  baresock bare 127.0.0.1:0 --bits  on a free port, the sets drawn
  baresock bare --view              in a browser, call by call
  baresock bare *:7007 --explain    on every interface, explained";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(baresock completions bash)   for this shell, if it is bash
  baresock completions zsh > _baresock  for a directory in zsh's fpath";

/// The version with the details that a bug report needs.
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
    /// Watch a server and two clients at work, call by call (the default)
    Tour(TourArgs),
    /// Run the smallest event loop: an echo server in one short file
    ///
    /// Its source, src/bare_select.rs and src/bare_poll.rs, is meant to be read.
    #[command(after_long_help = BARE_EXAMPLES)]
    Bare {
        /// Where to listen: HOST:PORT, PORT (this machine only), *:PORT, [::1]:PORT or unix:PATH
        #[arg(value_name = "ADDR", default_value = "127.0.0.1:7007", value_parser = values::address)]
        address: Written,
        /// Show the loop live in a browser; pause it, step by call, slow it down
        ///
        /// It prints the address to open. ADDR is one of this machine (default: a free port).
        #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true,
              default_missing_value = "127.0.0.1:0", value_parser = values::address)]
        view: Option<Written>,
    },
    /// Serve one or more services in one event loop
    ///
    /// A service is written as SERVICE or SERVICE=ADDR. Without an address it listens on this machine only.
    Serve(ServeArgs),
    /// Talk to a server: connect standard input and output to a socket
    ///
    /// It sends standard input to the peer, and writes what the peer sends to standard output, byte for byte. At the
    /// end of standard input it closes its half of the connection, and still reads the answer.
    Connect(ConnectArgs),
    /// Run labs: each demonstrates one behaviour of sockets
    ///
    /// A lab predicts a result, makes the calls, and says whether the observation agrees. NAME is a lab, or a group
    /// of labs. Several labs take one line each.
    Lab(LabArgs),
    /// Write labs, words and the manual as a web site, from runs on this machine
    ///
    /// Each lab is a page with its question, predictions to make, its calls to step through, the verdict and the
    /// explanation. The pages need no server and no network. It takes about half a minute.
    Book(BookArgs),
    /// Explain an errno, a flag, an option or a call, and what to do about it
    ///
    /// A word is a name in any case (EAGAIN, so_reuseaddr, accept), the number of an errno on this system, or a
    /// concept: backlog, half-close, short write.
    Explain(ExplainArgs),
    /// Draw the traces or logs of both ends of a connection as one picture
    ///
    /// The connecting side is on the left, the accepting side on the right, and arrows show the bytes that crossed.
    /// Make traces with --trace=json, and with --state to show the buffers; make logs with strace -f -tt.
    Ladder(LadderArgs),
    /// Run any program, show its socket calls, and report what went wrong (Linux, uses strace)
    ///
    /// The program keeps its standard input and output, and watch exits with its exit status. The calls appear on
    /// standard error as they happen; the report follows when the program has ended.
    Watch(WatchArgs),
    /// Read a log of strace, or a trace, and report what happened and what went wrong
    ///
    /// The report has each connection in two lines, a table of the calls, and advice with the lines that prove it. Logs
    /// may be pasted from a forum: quoted, numbered, wrapped, or truncated. --trace, --explain and --bits show the
    /// calls, too.
    Read(ReadArgs),
    /// Attack a server, or a client, and say what broke and why
    ///
    /// judge plays the peers that break such programs: peers that are slow or silent, that reset, leave or never read, and
    /// a thousand peers at once. For each failure it says what was sent, what was expected, what came, the usual cause, and
    /// the lab that explains it.
    Judge(JudgeArgs),
    /// Measure select against poll on this machine: tables and conclusions
    ///
    /// First the bare calls, by the number of watched descriptors, by the highest descriptor and by how many are ready;
    /// then whole echo servers. It takes less than a minute.
    Compare(CompareArgs),
    /// Show this machine's socket properties: byte order, FD_SETSIZE, limits, buffers, addresses,
    /// calls and flags
    Host(HostArgs),
    /// One of the servers that compare measures
    #[command(hide = true)]
    CompareServer {
        /// Which
        #[arg(value_parser = values::server)]
        server: Server,
        /// Count its calls, and report the counts from time to time
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
