//! The flags of every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{items, output_file};
use crate::poller::Via;
use crate::trace::inject::InjectRule;

/// The flags of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Wait with select(2), the default, or with poll(2)
    #[arg(
        long,
        global = true,
        value_name = "CALL",
        hide_possible_values = true,
        help_heading = "Every command"
    )]
    pub via: Option<ViaName>,
    /// Show every call on standard error, as text or json
    #[arg(long, global = true, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", hide_possible_values = true, help_heading = "Trace")]
    pub trace: Option<TraceForm>,
    /// Write the trace to FILE instead, to read it later or to draw a ladder
    #[arg(long, global = true, value_name = "FILE", value_parser = output_file(), help_heading = "Trace")]
    pub trace_to: Option<PathBuf>,
    /// Explain in a sentence what a call means, the first time it occurs (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub explain: bool,
    /// After each call show the socket's TCP state, and how many bytes wait in its buffers (implies
    /// --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub state: bool,
    /// Draw the sets of select and the rows of poll before and after each call (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub bits: bool,
    /// Stop before each call until a key is pressed (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub step: bool,
    /// Show at most N bytes of a string
    #[arg(long, global = true, value_name = "N", default_value_t = 32, value_parser = items, help_heading = "Trace")]
    pub trace_bytes: usize,
    /// Show at most N rows of an array
    #[arg(long, global = true, value_name = "N", default_value_t = 32, value_parser = items, help_heading = "Trace")]
    pub trace_items: usize,
    /// Begin each line with the time, in seconds since 1970
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_time: bool,
    /// End each line with the duration of the call
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_duration: bool,
    /// Write after each descriptor which end of which connection it is: client or server
    #[arg(long, global = true, hide_short_help = true, help_heading = "Trace")]
    pub trace_ends: bool,
    /// Write each line at once: a crash loses none (slower)
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_sync: bool,
    /// Make a call misbehave, to test rare cases: CALL:FAULT, as in recv:EINTR@3, send:short=5,
    /// poll:spurious@every:5, connect:delay=200ms, accept:hang
    #[arg(long, global = true, value_name = "RULE", value_parser = InjectRule::parse, help_heading = "Trace")]
    pub inject: Vec<InjectRule>,
    /// Colour on a terminal (auto), always or never; see NO_COLOR
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Every command"
    )]
    pub color: ColorWhen,
    /// Print only errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Every command")]
    pub quiet: bool,
    /// Print more: limits, each connect and disconnect
    #[arg(short, long, global = true, help_heading = "Every command")]
    pub verbose: bool,
}

impl Common {
    /// The call to wait with.
    pub fn via(&self) -> Via {
        self.via.map_or(Via::default(), Via::from)
    }
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
