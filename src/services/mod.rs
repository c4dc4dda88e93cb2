//! The services: each a short chapter of events in, actions out. No libc, no descriptor.

mod echo;
mod signals;
mod written;

pub use echo::Echo;
pub use signals::Signals;
pub use written::{Kind, Spec, Transport};
