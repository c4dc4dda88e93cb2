//! The poller over `poll`. Its twin is `by_select.rs`.

use std::time::Duration;

use super::{Evidence, Interest, Poller, Row, Said, Via, emptied};
use crate::names::{POLLIN, POLLOUT, PollEvents, Result};
use crate::sys::{PollFd, poll};
use crate::values::FdNumber;

/// Asks with `poll`.
#[derive(Debug, Default)]
pub struct ByPoll {
    /// The memory of the rows, kept for the next turn; empty, because rows borrow their descriptors.
    rows: Vec<PollFd<'static>>,
}

impl ByPoll {
    /// A poller over `poll`.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Poller for ByPoll {
    fn via(&self) -> Via {
        Via::Poll
    }

    fn can_watch(&self, _: FdNumber) -> bool {
        true
    }

    fn wait(
        &mut self,
        question: &[Row<'_>],
        timeout: Option<Duration>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()> {
        let mut rows: Vec<PollFd<'_>> = std::mem::take(&mut self.rows);
        rows.extend(question.iter().map(|row| PollFd::new(row.fd, events(row.interest))));
        let answered = poll(&mut rows, timeout.map_or(-1, milliseconds));
        if let Ok(ready) = answered {
            let answers = question.iter().zip(&rows);
            let answers = answers.filter(|(_, answer)| answer.revents() != PollEvents::NONE);
            evidence.extend(
                answers
                    .take(ready)
                    .map(|(row, answer)| row.answered(Said::Revents(answer.revents()))),
            );
        }
        self.rows = emptied(rows);
        answered.map(drop)
    }
}

fn events(interest: Interest) -> PollEvents {
    match interest {
        Interest::Read => POLLIN,
        Interest::Write => POLLOUT,
        Interest::Both => POLLIN | POLLOUT,
    }
}

/// Rounded up: half a millisecond would otherwise become 0, and the loop would spin until its deadline.
fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}
