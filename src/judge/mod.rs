//! The judge: plays the peers that break servers and clients, watches what happens, and says what broke and why.
//!
//! A [`JudgeCase`] is a value in a file of its own, in the form of a lab: its question, what its failures usually mean, and `run`,
//! which plays the peers. [`cases::ALL`] are those for servers, [`clients::ALL`] those for clients. What a case has in hand is
//! a [`Bench`](bench::Bench): [`JudgePeer`](peer::JudgePeer)s, each one connection that never blocks and whose every wait has an end;
//! [`dialogue`] knows what each kind of service is asked and answers; [`program`] starts and ends what is judged.
//! [`judging`] runs cases one after the other, and [`shown`] writes down what came of it.
//!
//! A case fails on evidence alone. How long nothing may happen is measured against this machine ([`baseline`]), and a program
//! that is at work has more time. What could not be looked at is *not asked*, with the reason.

pub mod baseline;
pub mod bench;
mod case;
pub mod cases;
pub mod client;
pub mod clients;
pub mod datagrams;
pub mod dialogue;
pub mod ending;
mod explaining;
pub mod guard;
pub mod http;
pub mod judging;
pub mod output;
pub mod peer;
pub mod program;
pub mod recipe;
mod role;
pub mod scene;
pub mod shown;
pub mod site;
pub mod steps;
pub mod verdict;
mod watched;

pub use case::{Cause, JudgeCase, Needs};
pub use role::Role;
pub use verdict::{JudgeReport, Verdict};
