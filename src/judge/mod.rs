//! The judge: plays the peers that break servers and clients, watches what happens, and says what broke and why.
//!
//! A [`JudgeCase`] is a value in a file of its own, in the form of a lab: its question, what its failures usually mean,
//! and `run`, which plays the peers. [`cases::ALL`] are those for servers, [`clients::ALL`] those for clients. A case
//! works with a [`Bench`](bench::Bench): its [`JudgePeer`](peer::JudgePeer)s are connections that never block, and
//! every wait has a time limit; [`dialogue`] knows the questions and answers of each kind of service; [`program`]
//! starts and ends the judged program. [`judging`] runs cases one after the other, and [`shown`] writes the report; with
//! [`wire`], the packets stand between the steps of a ladder.
//!
//! A case fails on evidence alone. Time limits are scaled by the measured speed of this machine ([`baseline`]), and a
//! program that is at work has more time. What could not be observed is *not asked*, with the reason.

pub mod baseline;
pub mod bench;
mod case;
pub mod cases;
pub mod client;
pub mod clients;
pub mod crossed;
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
pub mod wire;

pub use case::{Cause, JudgeCase, Needs};
pub use role::Role;
pub use verdict::{JudgeReport, Verdict};
