//! The ladder of a lab: its calls, and between them its parts, sentences, questions and answers.

use super::html::{LadderNote, LadderNoteKind, page};
use super::{Ladder, LadderTrace};
use crate::labs::Lab;
use crate::labs::run::LabEvent;
use crate::packets::Packet;
use crate::trace::Event;

/// Takes note of what happens in a lab.
#[derive(Debug, Default)]
pub struct LabLadder {
    calls: Vec<Event<'static>>,
    packets: Vec<Packet>,
    notes: Vec<LadderNote>,
    last_ns: u64,
}

impl LabLadder {
    /// Takes note of an event.
    pub fn hear(&mut self, event: &LabEvent) {
        use LadderNoteKind::{Asked, Chapter, Said};
        let (kind, text) = match event {
            LabEvent::Called { call, .. } => {
                self.last_ns = self.last_ns.max(call.end_ns);
                return self.calls.push((**call).clone());
            }
            LabEvent::Part { title } => (Chapter, title.clone()),
            LabEvent::Predicted { asks, expected, .. } => {
                (Asked, format!("{asks} Prediction: {expected}"))
            }
            LabEvent::Observed { observed, agrees } => {
                let verdict = match agrees {
                    Some(true) => "as predicted",
                    Some(false) => "this differs from the prediction",
                    None => "not checked on this system",
                };
                (Asked, format!("= {observed}: {verdict}"))
            }
            LabEvent::Crossed { packet, .. } => return self.packets.push((**packet).clone()),
            _ => match event.sentence() {
                Some(text) => (Said, text),
                None => return,
            },
        };
        self.notes.push(LadderNote { after_ns: self.last_ns, kind, text });
    }

    /// The page of this lab.
    pub fn page(self, lab: &Lab) -> String {
        let trace = LadderTrace { name: None, calls: self.calls };
        let ladder = Ladder::of_named(vec![trace]).with_packets(self.packets);
        page(&ladder, lab.name, &self.notes)
    }
}
