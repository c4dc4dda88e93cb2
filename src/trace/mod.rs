//! The trace: one event for each call, in strace's notation, made by the wrapper that makes the call.
//!
//! A call is one value, an [`Event`]. A wrapper reports its call in two halves, because the call happens in between.
//! `call::enter` takes the arguments that are known before the call, which a person can see while the call waits.
//! `rest` takes the arguments that the call filled in, and `returns` the result. No other code can write a line, so the
//! trace cannot lie. If no [`Tracer`] is installed on the thread, all of this costs one branch.
//!
//! The files: [`event`] and [`arg`] define a call, `keep.rs` a call that is kept after it is over; `notation.rs`,
//! `structures.rs` and `quote.rs` write it as strace does, into a `line.rs`; [`text`] and [`json`] are the two forms, and [`json`] also
//! reads its form back; [`recording`] keeps calls in memory, [`output`] is the terminal or file that they are written
//! to. [`descriptors`] learns from events what a descriptor is; [`page`] has the facts about a function. [`tracer`]
//! belongs to one thread, [`inject`] changes calls by rules, [`bits`] draws below a line, [`wrapping`] breaks prose into lines.

pub mod arg;
pub mod bits;
mod both;
pub mod call;
pub mod descriptors;
pub mod ends;
pub mod event;
pub mod facts;
pub mod figures;
pub mod inject;
#[cfg(feature = "program")]
pub mod json;
mod keep;
pub mod lesson;
pub(crate) mod line;
pub(crate) mod notation;
pub mod output;
pub mod page;
mod quote;
pub mod recording;
mod structures;
pub mod text;
pub mod tracer;
pub mod wrapping;

pub use arg::{Arg, Note};
pub use both::Both;
pub(crate) use call::{Suspended, suspend};
pub use call::{add_sink, idle_rules, install, intent, remark, suspended, traced_by};
pub use event::{Event, Outcome};
pub use page::{Function, Page};
pub use recording::Recording;
pub use tracer::{Caller, PacketWords, Sink, Tracer};
