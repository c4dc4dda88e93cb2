//! Starts a program for a case, and explains what usually causes a failure.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use super::JudgeCase;
use super::bench::Bench;
use super::case::{BY_SIGPIPE, BY_SIGSEGV, Cause, IN_GENERAL};
use super::program::{NotStarted, Program};
use super::recipe::Recipe;
use super::scene::CaseScene;
use super::verdict::{CaseFailure, CaseOutcome, CaseStop, Explained, Symptom};
use crate::addr::Address;
use crate::os::signals::name_of;

/// How often judge tries to start a program that ends before it listens: another program may have taken its port.
const STARTS: usize = 3;
/// A process may be seen to have ended this much later than its socket.
pub(super) const SEEN_TO_END: Duration = Duration::from_millis(150);

pub(super) fn applies(case: &JudgeCase, address: &Address) -> Result<(), String> {
    match (case.tcp_only, address) {
        (true, Address::Unix(_)) => {
            Err("a Unix-domain socket has neither resets nor urgent bytes".to_string())
        }
        _ => Ok(()),
    }
}

pub(super) fn start(
    recipe: &Recipe,
    descriptors: Option<u64>,
    most: Duration,
) -> Result<Program, NotStarted> {
    let mut last = NotStarted { why: String::new(), output: String::new(), has_ended: false };
    for _ in 0..STARTS {
        let address = recipe.address().map_err(|error| NotStarted {
            why: error.to_string(),
            output: String::new(),
            has_ended: false,
        })?;
        if let Address::Unix(crate::addr::UnixName::Path(path)) = &address {
            // The file that a program left behind because it could not remove it: only the case about this file judges
            // that.
            let _ = std::fs::remove_file(path);
        }
        match recipe.start(&address, descriptors, most) {
            Ok(program) => return Ok(program),
            Err(not_started) if not_started.has_ended => last = not_started,
            Err(not_started) => return Err(not_started),
        }
    }
    Err(last)
}

/// If the program has ended, that is the failure, whatever else was seen.
pub(super) fn died_meanwhile(bench: &mut Bench<'_>, outcome: CaseOutcome) -> CaseOutcome {
    let end = Instant::now() + if outcome.is_err() { SEEN_TO_END } else { Duration::ZERO };
    while !bench.has_ended() {
        if Instant::now() >= end {
            return outcome;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    let words = bench.end_in_words();
    bench.says(words.clone());
    let program = bench.started.as_mut().and_then(|started| started.program.as_mut());
    let signal = program.and_then(Program::ended).and_then(|status| status.signal());
    let failure = match outcome {
        // What was seen before the program ended says more.
        Err(CaseStop::Failed(failure)) if is_of_its_own(failure.symptom) => *failure,
        Err(CaseStop::Failed(failure)) => CaseFailure {
            symptom: Symptom::Died,
            came: if failure.symptom == Symptom::Died {
                failure.came
            } else {
                format!("{}; {words}", failure.came)
            },
            ..*failure
        },
        _ => CaseFailure::new(Symptom::Died, "as the ladder shows", "it goes on running", words),
    };
    Err(CaseFailure { signal: signal.map(name_of), ..failure }.into())
}

/// Whether a symptom is more than a consequence of the program's end.
const fn is_of_its_own(symptom: Symptom) -> bool {
    matches!(
        symptom,
        Symptom::NotAgain | Symptom::Stays | Symptom::Spins | Symptom::Grows | Symptom::Leaks
    )
}

pub(super) fn explain(case: &JudgeCase, failure: CaseFailure, scene: &CaseScene) -> Explained {
    let matching = |cause: &&Cause| cause.when == failure.symptom;
    let general = IN_GENERAL.iter().find(matching);
    let cause = match failure.signal.as_deref() {
        Some("SIGPIPE") => Some(&BY_SIGPIPE),
        Some("SIGSEGV" | "SIGABRT" | "SIGBUS") if case.name != "beyond-fd-setsize" => {
            Some(&BY_SIGSEGV)
        }
        _ => case.causes.iter().find(matching).or(general),
    };
    Explained {
        because: cause.map_or(String::new(), |cause| cause.because.to_string()),
        remedy: cause.map_or(String::new(), |cause| cause.remedy.to_string()),
        ladder: scene.draw("the program"),
        packets: None,
        output: String::new(),
        advice: Vec::new(),
        failure,
    }
}
