//! A silent client must not delay another client.

use crate::judge::JudgeCase;

pub(super) const CASE: JudgeCase = JudgeCase {
    name: "silence",
    question: "Does it serve a client while another one is connected and silent?",
    points: 2,
    lab: "one-slow-client",
    run: |bench| {
        let mut silent = bench.connect("a silent client")?;
        bench.pause(100);
        bench.serves_while("a client is connected and says nothing", "client")?;
        bench.ask(&mut silent)
    },
    ..JudgeCase::ORDINARY
};
