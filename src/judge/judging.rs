//! Runs cases one after the other, and explains the failures.

use std::ffi::OsString;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::baseline::slowness;
use super::bench::{Bench, Started};
use super::explaining::{applies, died_meanwhile, explain, start};
use super::program::{NotStarted, Program};
use super::recipe::Recipe;
use super::scene::CaseScene;
use super::site::JudgeSite;
use super::verdict::{CaseOutcome, CaseStop, JudgeReport, Judged, Symptom, Verdict};
use super::wire::{CaseWire, JudgeWire, WireShows};
use super::{JudgeCase, Needs, Role};
use crate::addr::Address;
use crate::os::aborts::aborted_for_lack_of_memory;

/// How long a program may take until it listens, on an idle machine.
pub(super) const START_LIMIT: Duration = Duration::from_secs(10);

/// What is judged.
#[derive(Debug)]
pub enum JudgedProgram {
    /// A running server, and its process, if it is known.
    Running(Address, Option<u32>),
    /// A program that judge starts.
    Started(Recipe),
    /// A client, which judge starts for each case.
    Client(Recipe),
}

/// How to judge.
#[derive(Clone, Debug)]
pub struct JudgeOptions {
    /// The role.
    pub role: Role,
    /// The time limit; `None`: each case has its own.
    pub timeout: Option<Duration>,
    /// How often each case is run.
    pub repeat: u32,
    /// strace with its flags, if failed cases are to be run again under it.
    pub watch: Option<Vec<OsString>>,
    /// The packets of all cases, if they are to be shown or written.
    pub wire: Option<Rc<JudgeWire>>,
}

/// A judge at work.
#[derive(Debug)]
pub struct Judge {
    pub(super) options: JudgeOptions,
    pub(super) subject: JudgedProgram,
    pub(super) site: JudgeSite,
    pub(super) program: Option<Program>,
    slowness: f64,
    /// Why nothing more can be asked.
    gone: Option<String>,
    said: u32,
}

/// Reports progress: the number of the case, the number of cases, and the case.
pub type CaseProgress<'a> = dyn FnMut(usize, usize, &JudgeCase) + 'a;

impl Judge {
    /// A judge of this program.
    pub fn new(options: JudgeOptions, subject: JudgedProgram, site: JudgeSite) -> Self {
        let slowness = slowness();
        Self { options, subject, site, program: None, slowness, gone: None, said: 0 }
    }

    /// Runs these cases, each with its points.
    pub fn judge(
        &mut self,
        cases: &[(&'static JudgeCase, u32)],
        progress: &mut CaseProgress<'_>,
    ) -> JudgeReport {
        let mut report = JudgeReport {
            judged_as: self.options.role.to_string(),
            subject: self.subject_in_words(),
            cases: Vec::new(),
            not_judged: None,
            slowness: self.slowness,
        };
        if let Err(not_started) = self.has_begun() {
            let output = not_started.output.trim_end();
            let output =
                if output.is_empty() { String::new() } else { format!("\nIts output:\n{output}") };
            report.not_judged = Some(format!("{}{output}", not_started.why));
            return report;
        }
        for (at, (case, points)) in cases.iter().enumerate() {
            progress(at, cases.len(), case);
            report.cases.push(self.repeated(case, *points));
        }
        self.program = None;
        report.slowness = self.slowness;
        report
    }

    /// Starts the program for the first case, or connects once to a running server: a program that does not run at all
    /// is not judged.
    fn has_begun(&mut self) -> Result<(), NotStarted> {
        match &self.subject {
            JudgedProgram::Started(recipe) => {
                self.program = Some(start(recipe, None, self.start_limit())?);
            }
            JudgedProgram::Client(_) => {}
            JudgedProgram::Running(address, pid) => {
                let scene = Rc::new(CaseScene::new(
                    address.clone(),
                    *pid,
                    Duration::from_secs(5),
                    self.slowness,
                ));
                if self.options.role != Role::EchoUdp
                    && let Err(CaseStop::Failed(failure)) =
                        super::peer::JudgePeer::connect(&scene, "client")
                {
                    let why = format!("connect {address}: {}", failure.came);
                    return Err(NotStarted { why, output: String::new(), has_ended: false });
                }
            }
        }
        Ok(())
    }

    fn subject_in_words(&self) -> String {
        match &self.subject {
            JudgedProgram::Running(address, _) => address.to_string(),
            JudgedProgram::Started(recipe) | JudgedProgram::Client(recipe) => {
                let words = recipe.words.iter().map(|word| word.to_string_lossy().into_owned());
                words.collect::<Vec<_>>().join(" ").escape_debug().to_string()
            }
        }
    }

    pub(super) fn start_limit(&self) -> Duration {
        START_LIMIT.mul_f64(self.slowness)
    }

    fn repeated(&mut self, case: &'static JudgeCase, points: u32) -> Judged {
        let began = Instant::now();
        let mut worst = Verdict::NotAsked(String::new());
        let (mut runs, mut failed_runs) = (0, 0);
        for _ in 0..self.options.repeat {
            let verdict = self.once(case);
            match (&verdict, &worst) {
                (Verdict::NotAsked(_), _) if runs > 0 => break,
                (Verdict::NotAsked(_), _) => {
                    worst = verdict;
                    break;
                }
                (Verdict::Failed(_), Verdict::Failed(_)) => failed_runs += 1,
                (Verdict::Failed(_), _) => {
                    failed_runs += 1;
                    worst = verdict;
                }
                (Verdict::Passed, Verdict::Failed(_)) => {}
                (Verdict::Passed, _) => worst = verdict,
            }
            runs += 1;
        }
        if case.name == "answers" && matches!(worst, Verdict::Failed(_)) && failed_runs == runs {
            self.gone = Some("it does not answer at all: see the case 'answers'".to_string());
        }
        Judged { case, points, verdict: worst, runs, failed_runs, took: began.elapsed() }
    }

    fn once(&mut self, case: &'static JudgeCase) -> Verdict {
        if let Some(why) = &self.gone {
            return Verdict::NotAsked(why.clone());
        }
        if let Err(why) = self.prepare(case) {
            return Verdict::NotAsked(why);
        }
        let (outcome, scene) = self.run(case);
        let verdict = match outcome {
            Ok(()) => Verdict::Passed,
            Err(CaseStop::NotAsked(why)) => Verdict::NotAsked(why),
            Err(CaseStop::Failed(failure)) => {
                let output = self.program.as_mut().map_or(String::new(), Program::output);
                let mut explained = explain(case, *failure, &scene);
                explained.output = output;
                explained.packets = self.shows_packets().then(|| scene.packets());
                Verdict::Failed(Box::new(explained))
            }
        };
        if !case.leaves_it_running
            || case.needs != Needs::Nothing
            || matches!(verdict, Verdict::Failed(_))
        {
            self.program = None;
        }
        self.after(case, verdict)
    }

    fn shows_packets(&self) -> bool {
        self.options.wire.as_ref().is_some_and(|wire| wire.shows() == WireShows::Packets)
    }

    /// After a failure: runs the case again under strace if that was asked for, and checks whether a running server still
    /// answers.
    fn after(&mut self, case: &'static JudgeCase, mut verdict: Verdict) -> Verdict {
        let Verdict::Failed(explained) = &mut verdict else { return verdict };
        if self.options.watch.is_some() {
            explained.advice = self.watched(case).unwrap_or_else(|why| vec![why]);
        }
        if let JudgedProgram::Running(address, pid) = &self.subject {
            let scene = Rc::new(CaseScene::new(
                address.clone(),
                *pid,
                Duration::from_secs(5),
                self.slowness,
            ));
            let site = &self.site;
            let mut bench = Bench {
                role: self.options.role,
                scene,
                site,
                started: None,
                client: None,
                said: self.said,
            };
            if bench.serves("client").is_err() {
                self.gone = Some(format!("it answers no more since the case '{}'", case.name));
            }
        }
        verdict
    }

    /// Starts the program in the way the case needs it.
    fn prepare(&mut self, case: &JudgeCase) -> Result<(), String> {
        let most = self.start_limit();
        let recipe = match &self.subject {
            JudgedProgram::Started(recipe) => recipe,
            JudgedProgram::Client(_) => return Ok(()),
            JudgedProgram::Running(address, _) => {
                return match case.needs {
                    Needs::Descriptors(number) => Err(format!(
                        "it has to be started with {number} descriptors, by judge (-- COMMAND)"
                    )),
                    _ => applies(case, address),
                };
            }
        };
        let address = recipe.address().map_err(|error| error.to_string())?;
        applies(case, &address)?;
        let descriptors = match case.needs {
            Needs::Descriptors(number) | Needs::ManyDescriptors(number) => Some(number),
            _ => None,
        };
        if let Needs::ManyDescriptors(number) = case.needs
            && crate::os::limits::descriptor_limits().is_ok_and(|limits| limits.hard < number)
        {
            return Err(format!("a program may not have {number} descriptors here (ulimit -Hn)"));
        }
        let is_running = self.program.as_mut().is_some_and(|program| program.ended().is_none());
        if !is_running || case.needs != Needs::Nothing {
            self.program = None;
            let started = start(recipe, descriptors, most);
            self.program = Some(started.map_err(|not_started| {
                format!("it could not be started for this case: {}", not_started.why)
            })?);
        }
        Ok(())
    }

    /// Runs a case, and checks whether the program still runs as before.
    pub(super) fn run(&mut self, case: &'static JudgeCase) -> (CaseOutcome, Rc<CaseScene>) {
        let (address, pid) = match (&self.subject, &self.program) {
            (JudgedProgram::Running(address, pid), _) => (address.clone(), *pid),
            (_, Some(program)) => (program.address.clone(), Some(program.pid())),
            // A client has no address: it is told where judge is.
            (_, None) => (Address::v4(std::net::Ipv4Addr::LOCALHOST, 0), None),
        };
        let limit = self.options.timeout.unwrap_or(Duration::from_secs(case.timeout_s.into()));
        let wire = self.options.wire.as_ref().map(|wire| {
            let mut wire = CaseWire::begin(wire, case.name, &address);
            self.site.to.iter().for_each(|target| wire.listens_at(target));
            wire
        });
        let scene = CaseScene::new(address, pid, limit, self.slowness).with_wire(wire);
        let scene = Rc::new(scene);
        let started = match &self.subject {
            JudgedProgram::Started(recipe) => Some(Started { recipe, program: &mut self.program }),
            JudgedProgram::Running(..) | JudgedProgram::Client(_) => None,
        };
        let client = match &self.subject {
            JudgedProgram::Client(recipe) => Some(recipe),
            _ => None,
        };
        let mut bench = Bench {
            role: self.options.role,
            scene: scene.clone(),
            site: &self.site,
            started,
            client,
            said: self.said,
        };
        let aborted = aborted_for_lack_of_memory();
        let mut outcome = (case.run)(&mut bench);
        if outcome.is_ok() && case.leaves_it_running {
            outcome = bench.serves("another client, afterwards");
        }
        if case.leaves_it_running {
            outcome = died_meanwhile(&mut bench, outcome);
        }
        outcome = unless_aborted_since(aborted, outcome);
        scene.end_wire();
        self.said = bench.said;
        self.slowness = scene.slowness();
        (outcome, scene)
    }
}

/// A reset may be the kernel's own: it aborts connections when it has no memory for them, and tells neither side why.
fn unless_aborted_since(before: Option<u64>, outcome: CaseOutcome) -> CaseOutcome {
    match outcome {
        Err(CaseStop::Failed(failure))
            if failure.symptom == Symptom::Reset && aborted_for_lack_of_memory() > before =>
        {
            Err(CaseStop::not_asked(
                "the kernel had no memory for TCP and aborted a connection: run it again when the machine has less to do",
            ))
        }
        outcome => outcome,
    }
}
