//! The labs: each shows one behaviour of sockets by running it.
//!
//! A lab is one file: its claim, its predictions for each system, and `run`, which makes the calls. Run a lab first,
//! then read it. The groups are folders; [`GROUPS`] lists them. [`prediction`] defines what a lab asks, [`expect`] what
//! it expects on each system, [`systems`] how that is known, [`wire`] what it expects of packets, [`choices`] which answer is
//! right, [`run`] the tools for a lab's code, [`show`] the output, [`why`] the questions that people ask most.
//!
//! Each lab runs in its own process, so that its limits, its signals and its descriptor numbers are its own. A peer
//! whose calls are not the subject is a thread with `std::net` or `socket2`; a second process is this program again, in
//! a role of the lab.

mod buffers;
mod byte_order;
pub mod choices;
mod closing;
mod connecting;
mod errors;
pub mod expect;
mod framing;
mod naming;
mod options;
mod out_of_band;
mod peers;
mod poll;
pub mod prediction;
pub mod run;
mod scene;
mod select;
mod select_and_poll;
pub mod show;
mod stopper;
pub mod systems;
mod udp;
mod unix;
pub mod verdict;
pub mod why;
pub mod wire;

use run::{LabResult, Run};

pub use expect::{Expect, Expected};
pub use prediction::Prediction;
pub use wire::WirePrediction;

/// One lab.
#[derive(Clone, Copy, Debug)]
pub struct Lab {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it claims, in a line of at most 78 characters.
    pub claim: &'static str,
    /// The question of a student.
    pub question: &'static str,
    /// A few sentences, shown at the end.
    pub explanation: &'static str,
    /// How other systems differ, and the source; empty if no difference is known.
    pub elsewhere: &'static str,
    /// Man pages, POSIX, RFCs, books.
    pub sources: &'static [&'static str],
    /// Other labs.
    pub related: &'static [&'static str],
    /// Words for `baresock explain`.
    pub words: &'static [&'static str],
    /// How long a student needs.
    pub minutes: u8,
    /// Its predictions, in order.
    pub predictions: &'static [&'static Prediction],
    /// Its predictions about packets, which are asked where packets are captured.
    pub on_wire: &'static [&'static WirePrediction],
    /// A rule for `--inject` that changes a deciding call, so that the lab's observation must differ: this proves to a
    /// test that the lab really checks.
    pub spoiled_by: &'static str,
    /// How many descriptors it needs.
    pub descriptors: u64,
    /// Whether it needs loopback. (Nearly all do, except those of the Unix domain and of pipes.)
    pub loopback: bool,
    /// Whether it changes a network, and therefore makes one of its own.
    pub own_network: bool,
    /// Whether its measurements of time are so fine that no other process should run beside it.
    pub alone: bool,
    /// The roles that a second process can play for this lab.
    pub roles: &'static [LabProcess],
    /// The calls.
    pub run: fn(&mut Run<'_>) -> LabResult,
}

/// A second process of a lab. Its standard input and output are connected to the first.
#[derive(Clone, Copy, Debug)]
pub struct LabProcess {
    /// Its name.
    pub name: &'static str,
    /// What it does with its arguments.
    pub run: fn(&[String]) -> LabResult,
}

impl Lab {
    /// What most labs need: `..Lab::ORDINARY` at the end of a lab's data.
    pub const ORDINARY: Self = Self {
        name: "",
        claim: "",
        question: "",
        explanation: "",
        elsewhere: "",
        sources: &[],
        related: &[],
        words: &[],
        minutes: 2,
        predictions: &[],
        on_wire: &[],
        spoiled_by: "",
        descriptors: 32,
        loopback: true,
        own_network: false,
        alone: false,
        roles: &[],
        run: |_| Ok(()),
    };
}

/// The labs about one subject: a folder.
#[derive(Clone, Copy, Debug)]
pub struct LabGroup {
    /// Its name on the command line; its folder has the same name, with `_` for `-`.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// Its labs, in the order of reading.
    pub labs: &'static [Lab],
}

/// All groups, in the order of reading.
pub const GROUPS: &[LabGroup] = &[
    naming::GROUP,
    byte_order::GROUP,
    buffers::GROUP,
    framing::GROUP,
    select::GROUP,
    poll::GROUP,
    select_and_poll::GROUP,
    connecting::GROUP,
    closing::GROUP,
    errors::GROUP,
    out_of_band::GROUP,
    udp::GROUP,
    unix::GROUP,
    options::GROUP,
];

/// All labs.
pub fn all() -> impl Iterator<Item = &'static Lab> {
    GROUPS.iter().flat_map(|group| group.labs)
}

/// The lab of a name.
pub fn find(name: &str) -> Option<&'static Lab> {
    all().find(|lab| lab.name == name)
}

/// The group that a lab belongs to.
pub fn group_of(lab: &Lab) -> Option<&'static LabGroup> {
    GROUPS.iter().find(|group| group.labs.iter().any(|one| one.name == lab.name))
}

/// The path of a lab's source, from the root of this repository.
pub fn source_of(lab: &Lab) -> String {
    let folder = group_of(lab).map_or("", |group| group.name).replace('-', "_");
    format!("src/labs/{folder}/{}.rs", lab.name.replace('-', "_"))
}
