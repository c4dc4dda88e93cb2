//! The trace: one event for each call, in strace's notation, made by the wrapper that made the call.
//!
//! A wrapper tells its call in two halves, for that is how a call happens. `call::enter` takes the
//! arguments that are known before the call; they are what a person can see while it waits. `rest`
//! takes what the call filled in, and `returns` what it returned. Nobody else can write a line, so the
//! trace cannot lie. While no [`Tracer`] is installed on the thread, all of this is one branch.
//!
//! From there: [`arg`] is what can be shown; `notation.rs`, `structures.rs` and `quote.rs` are how; [`text`] and [`json`] the
//! two forms, [`recorded`] the second read again, [`recording`] a place to keep it in memory, [`output`] the terminal or
//! file they go to, [`tracer`] what belongs to one thread, [`inject`] how it interferes, [`bits`] a drawing below a line.

pub mod arg;
pub mod bits;
mod both;
pub mod call;
pub mod event;
pub mod inject;
pub mod json;
pub(crate) mod notation;
pub mod output;
pub mod page;
mod quote;
pub mod recorded;
pub mod recording;
mod structures;
pub mod text;
pub mod tracer;
mod waiting;

pub use arg::{Arg, Note};
pub use both::Both;
pub use call::{idle_rules, install, intent, suspended, traced_by};
pub use event::{Event, Outcome};
pub use page::{Function, Page};
pub use recorded::Recorded;
pub use recording::Recording;
pub use tracer::{Call, Sink, Tracer};
