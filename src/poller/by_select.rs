//! The poller over `select`. Its twin is `by_poll.rs`.

use std::time::Duration;

use super::{Evidence, Poller, Row, Said, Via};
use crate::names::{Errno, Result};
use crate::sys::{FD_SETSIZE, FdSet, select};
use crate::values::{FdNumber, TimeVal};

/// Asks with `select`.
#[derive(Debug)]
pub struct BySelect {
    /// Which row asked about a descriptor number, because the answer comes by number. Only entries that this turn wrote
    /// are read.
    rows: Vec<usize>,
}

impl BySelect {
    /// A poller over `select`.
    pub fn new() -> Self {
        Self { rows: vec![0; FD_SETSIZE] }
    }
}

impl Default for BySelect {
    fn default() -> Self {
        Self::new()
    }
}

impl Poller for BySelect {
    fn via(&self) -> Via {
        Via::Select
    }

    fn can_watch(&self, number: FdNumber) -> bool {
        (0..FD_SETSIZE as i32).contains(&number.get())
    }

    fn wait(
        &mut self,
        question: &[Row<'_>],
        timeout: Option<Duration>,
        evidence: &mut Vec<Evidence>,
    ) -> Result<()> {
        let (mut read, mut write) = (FdSet::new(), FdSet::new());
        let (mut read_nfds, mut write_nfds) = (0, 0);
        for (at, row) in question.iter().enumerate() {
            // The loop has called can_watch for each connection. A listener's number is too high only if this process
            // was started with a thousand descriptors open.
            let number = FdNumber::from(row.fd).get();
            if row.interest.reads() {
                read.set(row.fd).map_err(|_| Errno::EMFILE)?;
                read_nfds = read_nfds.max(number + 1);
            }
            if row.interest.writes() {
                write.set(row.fd).map_err(|_| Errno::EMFILE)?;
                write_nfds = write_nfds.max(number + 1);
            }
            self.rows[number as usize] = at;
        }
        // A set without members is passed as NULL: the kernel need not look at it.
        let read_set = (read_nfds > 0).then_some(&mut read);
        let write_set = (write_nfds > 0).then_some(&mut write);
        // Set again for each call, because Linux rewrites it.
        let mut timeout = timeout.map(timeval);
        let mut bits =
            select(read_nfds.max(write_nfds), read_set, write_set, None, timeout.as_mut())?;

        let row = |number: FdNumber| question[self.rows[number.get() as usize]];
        // As many bits as select counted: after the last one the search can stop.
        for number in read.numbers().take(bits) {
            let write = write.contains(number);
            bits -= 1;
            evidence.push(row(number).answered(Said::Sets { read: true, write }));
        }
        for number in write.numbers().take(bits).filter(|number| !read.contains(*number)) {
            evidence.push(row(number).answered(Said::Sets { read: false, write: true }));
        }
        Ok(())
    }
}

/// Rounded up: half a microsecond would otherwise become 0, and the loop would spin until its deadline. At most as many
/// seconds as a 32-bit program can ask for, which is 68 years.
fn timeval(timeout: Duration) -> TimeVal {
    let us = timeout.as_nanos().div_ceil(1_000);
    let s = (us / 1_000_000).min(i32::MAX as u128);
    TimeVal { tv_sec: s as i64, tv_usec: (us % 1_000_000) as i64 }
}
