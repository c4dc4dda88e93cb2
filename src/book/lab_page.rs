//! The page of a lab: its question, what happens with a prediction to make before each deciding call, the verdict, and
//! the explanation.

use std::fmt::Write;

use super::frame::Place;
use super::links::{link, of_lab, of_lab_in, of_word};
use super::systems_table::systems_table;
use super::{Book, BookPage, LabRecord};
use crate::labs::choices::is_right;
use crate::labs::run::LabEvent;
use crate::labs::{group_of, source_of};
use crate::ladder::Ladder;
use crate::ladder::html::{calls, data_element, element, escaped};

/// The page of a lab.
pub(super) fn page(book: &Book, record: &LabRecord) -> BookPage {
    let lab = record.lab;
    let place = Place { path: of_lab(lab.name), title: lab.name.to_string() };
    let mut body = format!("<h1>{}</h1>\n", escaped(lab.name));
    let group = group_of(lab).map_or("", |group| group.title);
    let minutes = if lab.minutes == 1 { "minute" } else { "minutes" };
    let _ = writeln!(
        body,
        "<p class=\"lead\">{}</p>\n<p class=\"faint\">{}; {} {minutes}</p>",
        escaped(lab.question),
        escaped(group),
        lab.minutes
    );
    let verdict = record.verdict();
    if let Some(why) = &verdict.skipped {
        let _ = writeln!(body, "<p class=\"notice\">Skipped here: {}</p>", escaped(why));
    }
    if !verdict.holds() {
        let differs = escaped(&verdict.sentence());
        let _ = writeln!(body, "<p class=\"notice\">On this machine it differs. {differs}</p>");
    }
    if let Some(replaced) = &record.replaced {
        let _ = writeln!(
            body,
            "<p class=\"notice\">This is a second run, by itself. The first ran beside other labs: {}</p>",
            escaped(replaced)
        );
    }
    if let Some(verdict) = &record.without_packets {
        let _ = writeln!(
            body,
            "<p class=\"notice\">Its packets are not shown. They can be seen only in a network of its own, and there the lab has \
             another verdict: {}</p>",
            escaped(verdict)
        );
    }
    let recorded: Vec<_> = record
        .events
        .iter()
        .filter_map(|event| match event {
            LabEvent::Called { call, .. } => Some((**call).clone()),
            _ => None,
        })
        .collect();
    let packets = record.events.iter().filter_map(|event| match event {
        LabEvent::Crossed { packet, .. } => Some((**packet).clone()),
        _ => None,
    });
    let ladder = Ladder::of(vec![recorded]).with_packets(packets.collect());
    let story = LabStory::told(&ladder, &record.events);
    let ladder = match ladder.is_empty() {
        true => {
            body.push_str(&story);
            None
        }
        false => {
            body.push_str(&element(&ladder, &story));
            Some(data_element(&ladder))
        }
    };
    lesson(&mut body, book, record, &place.path);
    BookPage { place, body, ladder }
}

/// Writes what happened, event by event.
struct LabStory<'a> {
    out: String,
    ladder: &'a Ladder,
    /// How many calls have been written.
    written: usize,
    last_ns: u64,
    questions: usize,
    /// Whether a part is open that holds an answer.
    is_asking: bool,
}

impl<'a> LabStory<'a> {
    fn told(ladder: &'a Ladder, events: &[LabEvent]) -> String {
        let out = String::new();
        let mut story =
            Self { out, ladder, written: 0, last_ns: 0, questions: 0, is_asking: false };
        for (at, event) in events.iter().enumerate() {
            story.hear(event, &events[at + 1..]);
        }
        story.write_calls(ladder.len());
        story.close_answer();
        story.out
    }

    fn hear(&mut self, event: &LabEvent, rest: &[LabEvent]) {
        if let LabEvent::Called { call, .. } = event {
            self.last_ns = self.last_ns.max(call.end_ns);
            return;
        }
        self.write_calls(self.ladder.place_after(self.last_ns));
        let out = &mut self.out;
        let said = match event {
            LabEvent::Part { title } => {
                self.close_answer();
                let title = escaped(title);
                return self
                    .out
                    .push_str(&format!("<div class=\"chapter\"><h2>{title}</h2></div>\n"));
            }
            LabEvent::Predicted { asks, choices, expected, .. } => {
                self.close_answer();
                return self.ask(asks, choices, expected, rest);
            }
            LabEvent::Observed { observed, agrees } => {
                let verdict = match agrees {
                    Some(true) => "as predicted",
                    Some(false) => "this differs from what the lab predicts",
                    None => "not checked on this system before",
                };
                let observed = said_text(observed);
                let _ = writeln!(out, "<p class=\"observed\">= <b>{observed}</b>: {verdict}</p>");
                return;
            }
            _ => event.sentence(),
        };
        if let Some(said) = said {
            let _ = writeln!(out, "<p class=\"said\">{}</p>", escaped(&said));
        }
    }

    fn write_calls(&mut self, until: usize) {
        let until = until.max(self.written);
        self.out.push_str(&calls(self.ladder, self.written..until));
        self.written = until;
    }

    /// The question, with its choices; what follows is hidden until it is answered.
    fn ask(&mut self, asks: &str, choices: &[String], expected: &str, rest: &[LabEvent]) {
        self.questions += 1;
        let is_end = |event: &&LabEvent| matches!(event, LabEvent::Predicted { .. });
        let observed =
            rest.iter().take_while(|event| !is_end(event)).find_map(|event| match event {
                LabEvent::Observed { observed, .. } => Some(observed.as_str()),
                _ => None,
            });
        let number = self.questions;
        let _ = writeln!(
            self.out,
            "<section class=\"ask\" id=\"ask-{number}\" aria-label=\"Prediction {number}\">\n\
             <p class=\"asked\">{}</p>\n<ol class=\"choices\" type=\"a\">",
            escaped(asks)
        );
        for choice in choices {
            let is_right =
                observed.is_some_and(|observed| is_right(choice, choices, expected, observed));
            let right = if is_right { " data-right" } else { "" };
            let _ = writeln!(self.out, "<li{right}>{}</li>", said_text(choice));
        }
        self.out.push_str(
            "</ol>\n<p class=\"told\" role=\"status\"></p>\n</section>\n\
             <details class=\"answer\"><summary>Show what happens</summary>\n",
        );
        self.is_asking = true;
    }

    fn close_answer(&mut self) {
        if self.is_asking {
            self.out.push_str("</details>\n");
        }
        self.is_asking = false;
    }
}

/// An answer. That no byte came is one, too.
fn said_text(answer: &str) -> String {
    if answer.is_empty() { "an empty text".to_string() } else { escaped(answer) }
}

/// The verdict, the explanation, and what to read next.
fn lesson(body: &mut String, book: &Book, record: &LabRecord, path: &str) {
    let lab = record.lab;
    let _ = writeln!(
        body,
        "<details class=\"lesson\"><summary>Verdict and explanation</summary>\n\
         <p class=\"verdict\">{}</p>\n<p><b>{}</b></p>\n<p>{}</p>",
        escaped(&record.verdict().sentence()),
        escaped(lab.claim),
        escaped(lab.explanation)
    );
    if !lab.elsewhere.is_empty() {
        let _ = writeln!(body, "<p>Elsewhere: {}</p>", escaped(lab.elsewhere));
    }
    let asked = record.events.iter().filter_map(|event| match event {
        LabEvent::Predicted { asks, on, .. } => Some((asks.as_str(), on)),
        _ => None,
    });
    body.push_str(&systems_table(asked));
    let sources = escaped(&lab.sources.join("; "));
    let _ = writeln!(body, "<p class=\"faint\">Sources: {sources}</p>\n</details>");
    let listed = |names: &[&str], place: &dyn Fn(&str) -> Option<String>| {
        let links = names.iter().map(|name| match place(name) {
            Some(to) => format!("<a href=\"{}\">{}</a>", link(path, &to), escaped(name)),
            None => escaped(name),
        });
        links.collect::<Vec<_>>().join(", ")
    };
    for (what, names) in [
        ("Labs", listed(lab.related, &|name| of_lab_in(book, name))),
        ("Words", listed(lab.words, &of_word)),
    ] {
        if !names.is_empty() {
            let _ = writeln!(body, "<p>{what}: {names}</p>");
        }
    }
    let _ = writeln!(
        body,
        "<p>To run it yourself: <code>baresock lab {}</code>. Its source: <code>{}</code></p>",
        escaped(lab.name),
        escaped(&source_of(lab))
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::book::Sheets;
    use crate::labs::find;
    use crate::labs::run::Stop;
    use crate::trace::Event;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&\u{1b}[2J\u{202e}";

    fn body(events: Vec<LabEvent>) -> String {
        let lab = find("half-close").unwrap();
        let record = LabRecord {
            lab,
            events,
            replaced: Some(HOSTILE.into()),
            without_packets: Some(HOSTILE.into()),
        };
        let book = Book {
            labs: Vec::new(),
            made: String::new(),
            no_packets: None,
            sheets: Sheets::Without,
        };
        let page = page(&book, &record);
        page.body + &page.ladder.unwrap_or_default()
    }

    fn call() -> LabEvent {
        let line = r#"{"schema":2,"pid":1,"tid":1,"clock":"c","seq":0,"begin_ns":1,"end_ns":2,"call":"recv","arguments":{"sockfd":7,"buf":{"text":"</script><b>","cut":false},"len":9,"flags":[]},"result":6,"errno":null}"#;
        LabEvent::Called { line: HOSTILE.into(), call: Box::new(Event::from_json(line).unwrap()) }
    }

    #[test]
    fn whatever_bytes_a_lab_saw_are_text() {
        let text = || HOSTILE.to_string();
        let asks = LabEvent::Predicted {
            asks: text(),
            choices: vec![text(), "b".into()],
            expected: text(),
            on: BTreeMap::from([(
                text(),
                crate::labs::run::SystemAnswer {
                    expected: Some(text()),
                    known: text(),
                    differs: true,
                    why: text(),
                },
            )]),
        };
        let html = body(vec![
            LabEvent::Part { title: text() },
            LabEvent::Said { text: text() },
            asks,
            call(),
            LabEvent::Observed { observed: text(), agrees: Some(true) },
            LabEvent::Overdue { call: text(), seconds: 8 },
            LabEvent::Left { what: text() },
        ]);
        assert!(!html.contains("<img") && !html.contains("<b>\\\""), "{html}");
        assert!(!html.contains(['\u{1b}', '\u{202e}']), "{html}");
        assert_eq!(html.matches("</script>").count(), 1, "{html}");
        assert!(html.contains("&lt;/script&gt;&lt;b&gt;"), "{html}");
        assert_eq!(html.matches("<li data-right>&lt;/script&gt;").count(), 1, "{html}");
    }

    #[test]
    fn a_lab_that_was_skipped_or_differs_says_so_with_the_reason() {
        let skipped = body(vec![LabEvent::Stopped(Stop::skipped("it needs <loopback>"))]);
        assert!(
            skipped.contains("<p class=\"notice\">Skipped here: it needs &lt;loopback&gt;</p>")
        );
        assert!(!skipped.contains("class=\"ladder"), "no call was made: {skipped}");
        let differs = body(vec![
            call(),
            LabEvent::Predicted {
                asks: "what?".into(),
                choices: vec!["0".into(), "1".into()],
                expected: "0".into(),
                on: BTreeMap::new(),
            },
            LabEvent::Observed { observed: "2".into(), agrees: Some(false) },
        ]);
        assert!(differs.contains("On this machine it differs. DIFFERS: 2, not 0"), "{differs}");
        assert!(differs.contains("This is a second run, by itself."), "{differs}");
        // None of the choices is right, and none is marked.
        assert!(!differs.contains("data-right"), "{differs}");
    }
}
