//! The trace: one event for each call, in strace's notation, made by the wrapper that made the call.
//!
//! A call is one value, an [`Event`]. A wrapper tells it in two halves, for that is how a call happens. `call::enter` takes
//! the arguments that are known before the call; they are what a person can see while it waits. `rest` takes what the call
//! filled in, and `returns` what it returned. Nothing else can write a line, so the trace cannot lie. While no [`Tracer`] is
//! installed on the thread, all of this is one branch.
//!
//! From there: [`event`] and [`arg`] are what a call is, `keep.rs` what is left of it when it is over; `notation.rs`,
//! `structures.rs` and `quote.rs` write it as strace does; [`text`] and [`json`] are the two forms, [`json`] is read back,
//! too; [`recording`] keeps calls in memory, [`output`] is the terminal or file they go to. [`descriptors`] learns from
//! events what a descriptor is; [`page`] is what is true of a function. [`tracer`] belongs to one thread, [`inject`] is
//! how it interferes, [`bits`] a drawing below a line.

pub mod arg;
pub mod bits;
mod both;
pub mod call;
pub mod descriptors;
mod ends;
pub mod event;
pub mod facts;
pub mod figures;
pub mod inject;
#[cfg(feature = "program")]
pub mod json;
mod keep;
pub mod lesson;
pub(crate) mod notation;
pub mod output;
pub mod page;
mod quote;
pub mod recording;
mod structures;
pub mod text;
pub mod tracer;

pub use arg::{Arg, Note};
pub use both::Both;
pub use call::{idle_rules, install, intent, suspended, traced_by};
pub use event::{Event, Outcome};
pub use page::{Function, Page};
pub use recording::Recording;
pub use tracer::{Caller, Sink, Tracer};
