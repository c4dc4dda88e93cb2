//! What the code of a case works with: clients of the program, a look into its process, and the program itself if judge
//! has started it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::dialogue;
use super::judging::START_LIMIT;
use super::peer::JudgePeer;
use super::program::{Program, ending};
use super::recipe::Recipe;
use super::role::Role;
use super::scene::CaseScene;
use super::site::JudgeSite;
use super::steps::Way;
use super::verdict::{CaseFailure, CaseOutcome, CaseStop, Symptom};
use crate::addr::Address;
use crate::names::Signal;
use crate::os::bound::is_held;
use crate::os::children::{Use, is_stopped, use_of};
use crate::os::process_group::{Stops, stop_group};

/// The tools of a case.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The role that the program is judged as.
    pub role: Role,
    /// The steps so far, and the time limit.
    pub scene: Rc<CaseScene>,
    /// What the program was given: files, or a server behind it.
    pub site: &'a JudgeSite,
    pub(super) started: Option<Started<'a>>,
    /// How to start a client, if a client is judged.
    pub(super) client: Option<&'a Recipe>,
    /// How many tokens were sent.
    pub(super) said: u32,
}

/// A program that judge has started, and how.
#[derive(Debug)]
pub struct Started<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) program: &'a mut Option<Program>,
}

impl Bench<'_> {
    /// Connects a client.
    ///
    /// # Errors
    /// As [`JudgePeer::connect`].
    pub fn connect(&self, who: &str) -> Result<JudgePeer, CaseStop> {
        JudgePeer::connect(&self.scene, who)
    }

    /// A word that was not sent before.
    pub fn token(&mut self) -> String {
        self.said += 1;
        format!("judge-{}", self.said)
    }

    /// Connects a new client, which asks and must be answered.
    ///
    /// # Errors
    /// The client is not answered.
    pub fn serves(&mut self, who: &str) -> CaseOutcome {
        if self.role == Role::EchoUdp {
            return super::datagrams::ask(self, who);
        }
        let peer = self.connect(who)?;
        dialogue::whole(self, peer, who)
    }

    /// Asserts that new clients are served again after the end of what kept clients out. The program may notice that end
    /// late: for one time limit it may still close new clients.
    ///
    /// # Errors
    /// No client is served.
    pub fn serves_again(&mut self, who: &str) -> CaseOutcome {
        let end = Instant::now() + self.scene.limit();
        loop {
            match self.serves(who) {
                Err(CaseStop::Failed(failure))
                    if matches!(failure.symptom, Symptom::Ended | Symptom::Reset)
                        && Instant::now() < end =>
                {
                    self.pause(30);
                }
                outcome => return outcome,
            }
        }
    }

    /// Asserts that a new client is served during something that must not delay other clients.
    ///
    /// # Errors
    /// The new client is not served.
    pub fn serves_while(&mut self, what: &str, who: &str) -> CaseOutcome {
        self.serves(who).map_err(|stop| match stop {
            CaseStop::Failed(failure) if failure.symptom == Symptom::Silent => CaseFailure {
                symptom: Symptom::HoldsUp,
                sent: format!("{} from another client, while {what}", failure.sent),
                ..*failure
            }
            .into(),
            CaseStop::Failed(failure) => CaseFailure {
                sent: format!("{} from another client, while {what}", failure.sent),
                ..*failure
            }
            .into(),
            other => other,
        })
    }

    /// One exchange on an open connection, which stays open if this kind of service allows it.
    ///
    /// # Errors
    /// The exchange fails.
    pub fn ask(&mut self, peer: &mut JudgePeer) -> CaseOutcome {
        dialogue::ask(self, peer)
    }

    /// Waits a moment, longer on a slow machine.
    pub fn pause(&self, ms: u64) {
        self.scene.pause(ms);
    }

    /// Adds a line to the ladder that is not a message.
    pub fn says(&self, what: impl Into<String>) {
        self.scene.step("", Way::Beside, what);
    }

    /// The resources that the program uses now.
    ///
    /// # Errors
    /// judge may not look into the process: the case is not asked.
    pub fn used(&mut self) -> Result<Use, CaseStop> {
        let Some(pid) = self.scene.pid.get() else {
            return Err(CaseStop::not_asked(
                "the number of its process is not known (--pid PID, or have judge start it)",
            ));
        };
        if self.has_ended() {
            return Err(self.died("it goes on running"));
        }
        use_of(pid).ok_or_else(|| {
            CaseStop::not_asked(
                "its process cannot be looked into: another user's, or no /proc here",
            )
        })
    }

    /// Watches the program for this time. Returns, in words, how much the program works if it uses more than a tenth of
    /// a processor, or if it is ready to run most of the time (a busy machine may not give it a processor); otherwise
    /// `None`.
    ///
    /// # Errors
    /// As [`Bench::used`].
    pub fn works_for(&mut self, time: Duration) -> Result<Option<String>, CaseStop> {
        const LOOKS: u32 = 40;
        let before = self.used()?;
        let began = Instant::now();
        let mut at_work = 0;
        for _ in 0..LOOKS {
            std::thread::sleep(time / LOOKS);
            at_work += u32::from(self.used()?.is_at_work);
        }
        let used = self.used()?.processor_time.saturating_sub(before.processor_time);
        let share = used.as_secs_f64() / began.elapsed().as_secs_f64();
        let wants = f64::from(at_work) / f64::from(LOOKS);
        let words = format!(
            "it used {:.0} % of a processor, and wanted it {:.0} % of the time",
            share * 100.0,
            wants * 100.0
        );
        self.says(words.clone());
        let works = share > 0.1 || (wants > 0.6 && !used.is_zero());
        Ok(works.then_some(words))
    }

    /// Stops the program if judge has started it, so that it finds everything that clients do now when it continues.
    /// Returns whether the signal was sent.
    pub fn stop(&mut self) -> bool {
        let Ok(pid) = self.program().map(|program| program.pid()) else { return false };
        if self.has_ended() || !stop_group(pid, Stops::Stop) {
            return false;
        }
        self.says("the program is stopped (SIGSTOP)");
        for _ in 0..30 {
            if is_stopped(pid) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Continues the program.
    pub fn go_on(&mut self) {
        if let Ok(pid) = self.program().map(|program| program.pid()) {
            stop_group(pid, Stops::GoOn);
            self.says("the program goes on (SIGCONT)");
        }
    }

    /// Waits until the program seems to have handled everything: its number of descriptors stays the same, and it is not
    /// at work. If that number is unknown, waits a moment.
    pub fn settle(&mut self) {
        let mut last = 0;
        let mut same = 0;
        for _ in 0..60 {
            let Ok(used) = self.used() else { return self.pause(500) };
            same = if used.descriptors == last && !used.is_at_work { same + 1 } else { 0 };
            last = used.descriptors;
            if same == 4 {
                return;
            }
            self.pause(20);
        }
    }

    /// Asserts that the program does not use the processor while there is nothing to do. It may take some time to
    /// finish.
    ///
    /// # Errors
    /// It keeps working.
    pub fn expect_idle(&mut self, what: &str) -> CaseOutcome {
        let mut came = String::new();
        for _ in 0..4 {
            match self.works_for(Duration::from_millis(400))? {
                Some(words) => came = words,
                None => return Ok(()),
            }
        }
        let expected = "waiting uses no processor time";
        Err(CaseFailure::new(Symptom::Spins, what, expected, came).into())
    }

    /// Whether the program has ended, as far as judge can tell: judge has started the program, or knows its process id.
    pub fn has_ended(&mut self) -> bool {
        match &mut self.started {
            Some(started) => {
                started.program.as_mut().is_none_or(|program| program.ended().is_some())
            }
            None if self.client.is_some() => false,
            None => self.scene.pid.get().is_some_and(crate::os::children::has_ended),
        }
    }

    /// The failure "the program has ended".
    pub fn died(&mut self, expected: &str) -> CaseStop {
        CaseFailure::new(Symptom::Died, "as the ladder shows", expected, self.end_in_words()).into()
    }

    pub(super) fn end_in_words(&mut self) -> String {
        let program = self.started.as_mut().and_then(|started| started.program.as_mut());
        let status = program.and_then(Program::ended);
        status.map_or_else(
            || "the program has ended".to_string(),
            |status| format!("the program has ended: {}", ending(status)),
        )
    }

    /// The program that judge has started.
    ///
    /// # Errors
    /// judge has not started it: the case is not asked.
    pub fn program(&mut self) -> Result<&mut Program, CaseStop> {
        let program = self.started.as_mut().and_then(|started| started.program.as_mut());
        program.ok_or_else(|| {
            CaseStop::not_asked("only a program that judge starts can be asked (-- COMMAND)")
        })
    }

    /// Sends the program a signal and waits for its end, for one time limit; returns whether it has ended.
    ///
    /// # Errors
    /// judge has not started it.
    pub fn end_with(&mut self, signal: Signal) -> Result<bool, CaseStop> {
        let limit = self.scene.limit();
        self.says(format!("{signal} to the program"));
        let program = self.program()?;
        program.signal(signal);
        let ended = program.wait(limit).is_some();
        if let (true, Some(status)) = (ended, program.ended()) {
            self.says(ending(status));
        }
        Ok(ended)
    }

    /// Starts the program again at the same address.
    ///
    /// # Errors
    /// judge has not started it; or the program does not start listening.
    pub fn start_again(&mut self) -> CaseOutcome {
        let address: Address = self.scene.address.clone();
        let most = START_LIMIT.mul_f64(self.scene.slowness());
        self.program()?;
        let Some(started) = &mut self.started else { return Ok(()) };
        *started.program = None;
        let again = started.recipe.start(&address, None, most);
        let kind = started.recipe.kind;
        self.says(format!("the program is started again at {address}"));
        match again {
            Ok(program) => {
                self.scene.pid.set(Some(program.pid()));
                if let Some(started) = &mut self.started {
                    *started.program = Some(program);
                }
                Ok(())
            }
            // It may only be slow. A program that has ended is evidence.
            Err(not_started) if !not_started.has_ended => Err(CaseStop::not_asked(not_started.why)),
            // All processes of the program have ended. The program that has the port now got it from the kernel since.
            Err(_) if is_held(&address, kind) == Some(true) => Err(CaseStop::not_asked(
                format_args!("another process has taken {address} meanwhile"),
            )),
            Err(not_started) => {
                let said = not_started.output.lines().last().unwrap_or("").to_string();
                let came = format!("{}; it said: {said}", not_started.why);
                let expected = "it listens at the same address again";
                Err(CaseFailure::new(
                    Symptom::NotAgain,
                    "the program was ended and started again",
                    expected,
                    came,
                )
                .into())
            }
        }
    }
}
