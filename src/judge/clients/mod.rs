//! The cases for clients: judge plays the server, and not a friendly one.

mod kind;
mod play;
mod unkind;

use super::JudgeCase;

/// Every case for a client.
pub const ALL: &[&JudgeCase] = &[
    &kind::ANSWERED,
    &kind::DRIBBLED,
    &kind::WITH_THE_ACCEPT,
    &kind::FINISHED_FIRST,
    &kind::LARGE,
    &unkind::TOO_MUCH,
    &unkind::RESET,
    &unkind::REFUSED,
    &unkind::NEVER_ANSWERED,
];
