//! Misuse on purpose: calls that the safe wrappers refuse because they do harm, for labs that show the harm.
//!
//! Each function is one misuse and requires a [`Wild`]: proof that the process has nothing to lose. Only the process of
//! a lab gets one, so no other part of the program can come to harm.

pub mod addresses;
pub mod alarm;
pub mod network;
pub mod ownership;
pub mod passing;
pub mod selecting;
pub mod stdio;

use std::env;

/// The environment variable by which a lab's process knows that it is one: the path of its empty directory.
pub const LAB_DIRECTORY: &str = "BARESOCK_LAB_DIRECTORY";

/// The environment variable by which a program that captures packets tells the programs it starts that they are in a network
/// of their own already. It has no effect in a network with an interface that is up besides loopback, such as the machine's.
pub const OWN_NETWORK: &str = "BARESOCK_OWN_NETWORK";

/// The right to misuse.
#[derive(Clone, Copy, Debug)]
pub struct Wild(());

impl Wild {
    /// Returned in the process of a lab only.
    pub fn in_a_lab() -> Option<Self> {
        env::var_os(LAB_DIRECTORY).map(|_| Self(()))
    }
}
