//! `lab NAME --step`: the lab's process stops before each call until a key is pressed in this one.

use std::io;

use baresock::labs::run::LabEvent;
use baresock::names::SIGINT;

use super::Failure;
use super::place::end_with;
use crate::commands::step::{Stepper, Whose};

/// The events of a lab that stops before each call.
pub(super) struct Steps {
    stepper: Stepper,
    /// The part of the next call's line that is on the terminal.
    line: Option<String>,
}

impl Steps {
    /// Stops before the first call.
    ///
    /// # Errors
    /// Standard output is not a terminal, or the process has no controlling terminal.
    pub(super) fn new() -> Result<Self, Failure> {
        let stepper = Stepper::new(
            &io::stdout(),
            "standard output",
            Whose::ALabs { end: || end_with(SIGINT) },
        )?;
        Ok(Self { stepper, line: None })
    }

    /// Prints an event, and stops if it is a call that is about to be made.
    pub(super) fn hear(&mut self, event: &LabEvent, text: &str, print: &mut dyn FnMut(&str)) {
        match event {
            LabEvent::Calling { call, .. } if self.stepper.stops_at(call) => {
                let Self { stepper, line } = self;
                stepper.stand(call, |lines| {
                    let cut = line.replace(text.to_string()).map_or("", |_| " <unfinished ...>\n");
                    let lines: String =
                        lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
                    print(&format!("{cut}{lines}{text}"));
                });
            }
            LabEvent::Calling { .. } => {}
            LabEvent::Called { call, .. } => {
                self.stepper.learn(call);
                match self.line.take() {
                    // Nothing has been written about a call that was not stopped at.
                    None => print(text),
                    Some(half) => match text.strip_prefix(&half) {
                        Some(rest) => print(rest),
                        None => print(&format!("\n{text}")),
                    },
                }
            }
            _ => {
                if self.line.take().is_some() {
                    print(" <unfinished ...>\n");
                }
                print(text);
            }
        }
    }
}
