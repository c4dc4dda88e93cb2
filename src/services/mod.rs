//! The services: each a short chapter of events in, actions out. No libc, no descriptor.

mod echo;
mod signals;

pub use echo::Echo;
pub use signals::Signals;
