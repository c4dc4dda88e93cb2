//! Everything else that touches the system: limits, users, interfaces, settings of the kernel. And everything that has
//! another name on each system, or is missing on some, so that later chapters need not ask which system this is. The
//! calls are those of [`sys`](crate::sys) and of nix, so the compiler checks the safety of all of it.

pub mod accepting;
#[cfg(feature = "program")]
pub mod bound;
#[cfg(feature = "program")]
pub mod children;
pub mod corking;
pub mod credentials;
pub mod descriptors;
pub mod errors_of_datagrams;
#[cfg(feature = "program")]
pub mod fifo;
#[cfg(feature = "program")]
pub mod host;
pub mod identity;
#[cfg(feature = "program")]
pub mod interfaces;
pub mod keepalive;
#[cfg(feature = "program")]
pub mod keyboard;
#[cfg(feature = "program")]
pub mod layouts;
pub mod limits;
pub mod machine;
pub mod multipath;
pub mod naming;
pub mod output;
pub mod privileges;
pub mod process_group;
pub mod queues;
pub mod receiving;
pub mod sending;
pub mod settings;
pub mod signals;
pub mod sigpipe;
pub mod socket_file;
pub mod splicing;
pub mod standard_output;
#[cfg(feature = "program")]
pub mod states_of_others;
pub mod system;
#[cfg(feature = "program")]
pub mod waits_of_others;
pub mod watching;
