//! Explanations: the meaning of a call that was just made, in one sentence with the call's own numbers.
//!
//! The sentences are on the pages of the calls ([`Lesson`](crate::trace::lesson::Lesson)). [`Facts`] is what a sentence
//! may use. [`Explainer`] stands in front of a sink of the trace and adds remarks to the calls that pass. [`words`]
//! explains the names that a user asks for.

mod explainer;
pub mod words;

pub use crate::trace::facts::Facts;
pub use crate::trace::figures::grouped;
pub use explainer::{Explainer, is_due};

/// Whether the program has a lab with this name.
pub fn has_lab(name: &str) -> bool {
    crate::labs::find(name).is_some()
}
