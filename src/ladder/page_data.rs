//! The data of a page for its script: each step in full, and the arrows.

use serde::Serialize;

use super::details::DetailsTeller;
use super::rows::class;
use super::text::{Zeros, in_words};
use super::under_way::BytesUnderWay;
use super::{Ladder, LadderStep, Side};

#[derive(Debug, Serialize)]
struct PageData<'a> {
    connections: Vec<&'a str>,
    steps: Vec<StepData>,
    arrows: Vec<ArrowData>,
}

#[derive(Debug, Serialize)]
struct ArrowData {
    from: Option<usize>,
    to: Option<usize>,
    what: &'static str,
    side: &'static str,
}

#[derive(Debug, Serialize)]
struct StepData {
    side: &'static str,
    who: String,
    call: String,
    when: String,
    about: Vec<String>,
    drawing: Vec<String>,
    /// The changes of descriptors: number, and what it is now; null if it was closed.
    fds: Vec<(i32, Option<String>)>,
    /// The source that the descriptors belong to.
    source: usize,
    connection: Option<usize>,
    /// What the kernel reported about this end of the connection.
    kernel: Option<String>,
    /// What is on its way on the connection.
    under_way: Option<Vec<String>>,
}

/// All of it, as JSON.
pub(super) fn data(ladder: &Ladder) -> String {
    let connections = ladder.connections.iter().map(|connection| &*connection.name).collect();
    let arrows = ladder.drawn_arrows().map(|arrow| ArrowData {
        from: arrow.from,
        to: arrow.to,
        what: class(arrow.what),
        side: if arrow.side == Side::Left { "left" } else { "right" },
    });
    let data = PageData { connections, steps: steps(ladder), arrows: arrows.collect() };
    serde_json::to_string(&data).unwrap_or_default()
}

fn steps(ladder: &Ladder) -> Vec<StepData> {
    let mut teller = DetailsTeller::default();
    let mut moved = BytesUnderWay::new(ladder);
    let mut first: Vec<Option<u64>> = vec![None; ladder.clocks];
    let step = |(number, step): (usize, &LadderStep)| {
        let details = teller.details(step);
        let source = &ladder.sources[step.source];
        let begin = *first[source.clock].get_or_insert(step.call.begin_ns);
        let since_us = i128::from(step.call.begin_ns) / 1_000 - i128::from(begin) / 1_000;
        StepData {
            side: step.side.name(),
            who: source.to_string(),
            call: details.in_full,
            when: format!(
                "began at {}{}.{:06} s",
                if since_us < 0 { "-" } else { "+" },
                since_us.abs() / 1_000_000,
                since_us.abs() % 1_000_000
            ),
            about: [details.about, ladder.about_packets(number)].concat(),
            drawing: details.drawing,
            fds: step.descriptors.clone(),
            source: step.source,
            connection: step.connection,
            kernel: kernel(step),
            under_way: moved.after(number, step),
        }
    };
    ladder.steps.iter().enumerate().map(step).collect()
}

/// What the kernel reported after the call, if the trace was made with `--state`.
fn kernel(step: &LadderStep) -> Option<String> {
    let states = &step.call.states;
    let closed = || states.before.is_some().then(|| "closed".to_string());
    let told = || states.after.as_ref().map(|state| in_words(state, Zeros::Told)).or_else(closed);
    step.is_on_connection().then(told).flatten()
}
