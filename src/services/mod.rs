//! The services: each is a short chapter that turns events into actions, without libc and without a descriptor.

mod chargen;
mod chat;
mod daytime;
mod discard;
mod echo;
mod framed;
mod guard;
pub mod http;
mod printable;
mod relay;
mod signals;
mod spec;
mod time;
mod upper;

pub use chargen::Chargen;
pub use chat::Chat;
pub use daytime::Daytime;
pub use discard::Discard;
pub use echo::Echo;
pub use framed::Framed;
pub use guard::Guarded;
pub use http::Http;
pub use printable::append_printable;
pub use printable::printable;
pub use relay::{Moving, Relay};
pub use signals::Signals;
pub use spec::{ServiceKind, Spec, Transport, seconds, time_limit};
pub use time::Time;
pub use upper::Upper;
