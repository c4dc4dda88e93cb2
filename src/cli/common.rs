//! The flags of every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::items;
use crate::poller::Via;
use crate::trace::inject::InjectRule;

/// Flags of every command.
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
    /// Show every call on standard error, as text or as json
    #[arg(long, global = true, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", hide_possible_values = true, help_heading = "Trace")]
    pub trace: Option<TraceForm>,
    /// Write the trace to a file
    #[arg(long, global = true, value_name = "FILE", help_heading = "Trace")]
    pub trace_to: Option<PathBuf>,
    /// Explain calls when they first happen (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub explain: bool,
    /// Show state and queues of each call's TCP socket (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub state: bool,
    /// Draw the sets of select and the rows of poll (implies --trace)
    #[arg(long, global = true, help_heading = "Trace")]
    pub bits: bool,
    /// Stand before each call until a key is pressed (implies --trace)
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
    /// End each line with how long the call took
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_duration: bool,
    /// Write every line at once, also to a file
    #[arg(long, global = true, help_heading = "Trace")]
    pub trace_sync: bool,
    /// Make a call misbehave: CALL:FAULT, as in recv:EINTR@3, send:short=5,
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
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Every command")]
    pub quiet: bool,
    /// Say more: limits, who comes and goes
    #[arg(short, long, global = true, help_heading = "Every command")]
    pub verbose: bool,
}

impl Common {
    /// What to wait with.
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
