//! `lab NAME --view`: the lab's process stops before each call, and this one, which serves the pages, lets it go on.

use baresock::labs::Lab;
use baresock::labs::run::LabEvent;
use baresock::labs::verdict::LabVerdict;
use baresock::view::{RunTeller, RunView, SaidKind};

/// Passes the events of a lab to its view.
pub(super) struct ShownLab {
    view: RunView,
}

impl ShownLab {
    /// The lab has not begun.
    pub(super) fn new(view: RunView, lab: &Lab) -> Self {
        view.teller().say(SaidKind::Chapter, lab.name);
        view.teller().say(SaidKind::Said, lab.question);
        Self { view }
    }

    /// Returns when the lab may go on.
    pub(super) fn hear(&self, event: &LabEvent) {
        let teller = self.view.teller();
        match event {
            LabEvent::Calling { call, states, .. } => {
                let states = states.iter().map(|socket| (socket.fd(), socket.state()));
                teller.calling((**call).clone(), "", states.collect());
            }
            LabEvent::Called { call, .. } => teller.called((**call).clone(), ""),
            _ => say(teller, event),
        }
    }

    /// The lab has ended. Returns when the pages know it.
    pub(super) fn end(self, verdict: &LabVerdict) {
        self.view.teller().say(SaidKind::Answer, verdict.sentence());
        self.view
            .end("The lab is over. This page stays to be read, but it cannot be loaded again.");
    }
}

fn say(teller: &RunTeller, event: &LabEvent) {
    match event {
        LabEvent::Part { title } => teller.say(SaidKind::Chapter, title),
        LabEvent::Predicted { asks, choices, .. } => {
            teller.say(SaidKind::Question, format!("{asks} ({})", choices.join(" / ")));
        }
        LabEvent::Observed { observed, agrees } => {
            let verdict = match agrees {
                Some(true) => "as predicted",
                Some(false) => "this DIFFERS from the prediction",
                None => "not checked on this system",
            };
            teller.say(SaidKind::Answer, format!("{observed}: {verdict}"));
        }
        LabEvent::Crossed { line, .. } => teller.say(SaidKind::Packet, line),
        _ => {
            if let Some(sentence) = event.sentence() {
                teller.say(SaidKind::Said, sentence);
            }
        }
    }
}
