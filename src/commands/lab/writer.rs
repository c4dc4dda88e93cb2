//! Writes one lab as it happens.

use std::io::{self, Write};

use baresock::cli;
use baresock::labs::Lab;
use baresock::labs::run::LabEvent;
use baresock::labs::show::{EventWriter, Form};
use baresock::labs::verdict::LabVerdict;
use baresock::ladder::of_lab::LabLadder;
use baresock::os::output::Patient;
use baresock::packets::Packet;

use super::super::columns::columns_of_prose;
use super::super::messages::print;
use super::super::result_file::ResultFile;
use super::shown::ShownLab;
use super::steps::Steps;
use super::{Failure, answers, listing};

/// Writes one lab as it happens, and keeps what is needed at its end.
pub(super) struct LabWriter {
    lab: &'static Lab,
    writer: EventWriter,
    as_json: bool,
    /// Whether the calls are also written to standard error, as JSON.
    pub(super) traces_as_json: bool,
    verdict: LabVerdict,
    ladder: LabLadder,
    pub(super) packets: Vec<Packet>,
    /// Whether packets are shown; otherwise they only go to files.
    pub(super) shows_packets: bool,
    answers: Option<answers::Answers>,
    pub(super) steps: Option<Steps>,
    pub(super) shown: Option<ShownLab>,
    failure: Option<Failure>,
}

impl LabWriter {
    pub(super) fn new(lab: &'static Lab, asked: &cli::LabArgs, form: Form, asks: bool) -> Self {
        Self {
            lab,
            writer: EventWriter::new(form, columns_of_prose()),
            as_json: asked.json,
            traces_as_json: false,
            verdict: LabVerdict::default(),
            ladder: LabLadder::default(),
            packets: Vec::new(),
            shows_packets: false,
            answers: asks.then(|| answers::Answers::of(lab)),
            steps: None,
            shown: None,
            failure: None,
        }
    }

    pub(super) fn tell(&mut self, part: &dyn Fn(&mut EventWriter, &Lab) -> String, lab: &Lab) {
        if !self.as_json {
            let text = part(&mut self.writer, lab);
            self.print(&text);
        }
    }

    pub(super) fn hear(&mut self, event: &LabEvent) {
        if let Some(shown) = &self.shown {
            shown.hear(event);
            if matches!(event, LabEvent::Calling { .. }) {
                return;
            }
        }
        self.verdict.hear(event);
        if let LabEvent::Called { call, .. } = event
            && self.traces_as_json
        {
            // In one write; a closed pipe does not stop the lab.
            let _ = Patient(io::stderr()).write_all((call.to_json() + "\n").as_bytes());
        }
        if let LabEvent::Crossed { packet, .. } = event {
            if !self.shows_packets {
                return;
            }
            if self.traces_as_json {
                let _ = Patient(io::stderr()).write_all((packet.to_json() + "\n").as_bytes());
            }
            self.packets.push((**packet).clone());
        }
        self.ladder.hear(event);
        if self.as_json {
            let object = serde_json::json!({ "lab": self.lab.name, "happened": event });
            return self.print(&format!("{object}\n"));
        }
        if let Some(answers) = &mut self.answers
            && let Some(text) = answers.hear(event, &mut self.writer)
        {
            // The question instead of the prediction, and after the observation the answer.
            return self.print(&text);
        }
        let text = self.writer.event(event);
        match self.steps.take() {
            Some(mut steps) => {
                steps.hear(event, &text, &mut |text| self.print(text));
                self.steps = Some(steps);
            }
            None => self.print(&text),
        }
    }

    /// If standard output is closed or full, nothing more is written, but the lab runs to its end.
    fn print(&mut self, text: &str) {
        if self.failure.is_none() {
            self.failure = print(text.as_bytes()).err();
        }
    }

    /// The lab has ended.
    pub(super) fn end(mut self, html: Option<ResultFile>) -> Result<(), Failure> {
        let lab = self.lab;
        let verdict = self.verdict.clone();
        if let Some(shown) = self.shown.take() {
            shown.end(&verdict);
        }
        if self.as_json {
            self.print(&listing::summary(lab, &verdict, None));
        } else {
            if let Some(score) = self.answers.as_ref().and_then(answers::Answers::score) {
                self.print(&score);
            }
            let tail = self.writer.tail(lab, &verdict);
            self.print(&tail);
        }
        if let Some(file) = html {
            file.write(std::mem::take(&mut self.ladder).page(lab).as_bytes())?;
        }
        if let Some(answers) = &self.answers {
            answers.keep()?;
        }
        match self.failure {
            Some(failure) => Err(failure),
            None if verdict.holds() => Ok(()),
            None => Err(Failure::new(format_args!("lab {}: {}", lab.name, verdict.sentence()))),
        }
    }
}
