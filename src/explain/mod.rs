//! The words: what a call that was just made means, said in one sentence with its own figures.
//!
//! The sentences stand on the pages of the calls ([`Lesson`](crate::trace::lesson::Lesson)). [`Facts`] is what a sentence may
//! speak of.
//! [`Explainer`] stands before a sink of the trace and remarks on the calls that pass. [`words`] explains what can be
//! asked for by name.

mod explainer;
pub mod words;

pub use crate::trace::facts::Facts;
pub use crate::trace::figures::grouped;
pub use explainer::{Explainer, is_due};

/// Whether the program has a lab of this name.
pub fn has_lab(name: &str) -> bool {
    crate::labs::find(name).is_some()
}
