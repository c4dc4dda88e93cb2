//! A client may be gone before accept returns.

use super::many::ConnectPace;
use crate::judge::JudgeCase;

const TIMES: usize = 500;

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "leave-at-once",
    question: "Does it survive 500 clients that connect and leave at once?",
    lab: "accept-after-rst",
    run: |bench| {
        let mut pace = ConnectPace::default();
        for number in 0..TIMES {
            pace.connect(bench, &format!("client {number}"))?.leave();
        }
        bench.serves("another client")
    },
    ..JudgeCase::ORDINARY
};
