//! The report on a few events; that each advice is right is shown with real programs (`tests/traces/advice.rs`).

use std::collections::BTreeSet;

use super::*;
use crate::logs::reader::{LogEvent, LogPlace, LogReader};
use crate::names::{AF_INET, MsgFlags, SOCK_STREAM};
use crate::os::output::Colors;
use crate::trace::Arg;
use crate::trace::descriptors::{DescriptorTables, OpenFile};
use crate::values::FdNumber;

fn call<'a>(function: &'static str, args: Vec<Arg<'a>>, outcome: Outcome) -> Event<'a> {
    let mut event = Event::new(Callee::of(function));
    event.args.extend(args);
    (event.pid, event.tid, event.outcome) = (1, 1, outcome);
    event
}

fn report_on(events: &[Event<'_>]) -> Reported {
    let mut report = Report::new();
    for (at, event) in events.iter().enumerate() {
        report.take(event, At { line: at as u64 + 1, ..At::default() });
    }
    report.finish(At { line: events.len() as u64, ..At::default() })
}

fn accepted() -> Vec<Event<'static>> {
    let fd = |number| Arg::Fd(FdNumber::new(number));
    let kind = vec![Arg::Named(AF_INET.named()), Arg::Type(SOCK_STREAM), Arg::Int(0)];
    vec![
        call("socket", kind, Outcome::Value(3)),
        call("listen", vec![fd(3), Arg::Int(8)], Outcome::Value(0)),
        call("accept", vec![fd(3)], Outcome::Value(4)),
    ]
}

fn moves(function: &'static str, fd: i32, asked: i64, moved: i64) -> Event<'static> {
    let flags = Arg::Named(MsgFlags::NONE.named());
    let args = vec![Arg::Fd(FdNumber::new(fd)), Arg::bytes(b"hello"), Arg::Int(asked), flags];
    call(function, args, Outcome::Value(moved))
}

#[test]
fn the_story_says_who_finished_first() {
    let mut events = accepted();
    events.push(moves("recv", 4, 512, 5));
    events.push(moves("recv", 4, 512, 0));
    events.push(call("close", vec![Arg::Fd(FdNumber::new(4))], Outcome::Value(0)));
    let reported = report_on(&events);
    let [connection] = &reported.story.connections[..] else { panic!("{:?}", reported.story) };
    assert_eq!((connection.bytes_in, connection.receives), (5, 1));
    assert_eq!((connection.end, connection.ended_by), ("finished", Some("peer")));
    assert_eq!((connection.opened_line, connection.closed_line), (Some(3), Some(6)));
    assert_eq!(reported.story.listeners[0].clients, 1);
    assert!(reported.advice.is_empty(), "{:?}", reported.advice);
}

#[test]
fn an_advice_has_the_lines_that_show_it() {
    let mut events = accepted();
    events.push(moves("send", 4, 100, 60));
    events.push(call("close", vec![Arg::Fd(FdNumber::new(4))], Outcome::Value(0)));
    let reported = report_on(&events);
    let [finding] = &reported.advice[..] else { panic!("{:?}", reported.advice) };
    assert_eq!((finding.advice, finding.fd), ("short-send-dropped", Some(4)));
    assert_eq!(finding.certainty, Certainty::Certain);
    let lines: Vec<_> = finding.evidence.iter().map(|evidence| evidence.line).collect();
    assert_eq!(lines, [4, 5]);
    assert!(reported.text(Colors::Plain, 80).contains("40 bytes of a short write were never sent"));
}

#[test]
fn the_table_counts_calls_errors_and_bytes() {
    let mut events = accepted();
    events.push(moves("send", 4, 5, 5));
    let mut failed = moves("send", 4, 5, 0);
    failed.outcome = Outcome::Error(crate::names::Errno::EPIPE);
    events.push(failed);
    let summary = report_on(&events).summary;
    assert_eq!(summary.total, 5);
    let send = summary.calls.iter().find(|row| row.call == "send").unwrap();
    assert_eq!((send.calls, send.bytes), (2, 5));
    assert_eq!(send.errors, [("EPIPE".to_string(), 1)]);
}

#[test]
fn lines_fit_a_terminal_of_80_columns() {
    let mut events = accepted();
    events.push(moves("send", 4, 100, 60));
    events.push(call("close", vec![Arg::Fd(FdNumber::new(4))], Outcome::Value(0)));
    for line in report_on(&events).text(Colors::Plain, 80).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn every_advice_has_its_own_words() {
    let mut seen = BTreeSet::new();
    for advice in advice::ALL {
        assert!(!advice.cares_for.is_empty(), "{}", advice.name);
        let texts = [advice.name, advice.gist, advice.means, advice.shown_by, advice.remedy];
        for text in texts {
            assert!(seen.insert(text), "{}: {text}", advice.name);
        }
        for text in [advice.means, advice.shown_by, advice.remedy] {
            assert!(text.ends_with('.') && text.is_ascii(), "{}: {text}", advice.name);
        }
    }
}

#[test]
fn a_hostile_log_does_not_fill_the_memory() {
    assert!(size_of::<Socket>() <= 2_560, "{}", size_of::<Socket>());
    let mut report = Report::new();
    for number in 0..200_000 {
        let mut event = accepted().remove(0);
        (event.pid, event.tid) = (number as u32, number);
        event.outcome = Outcome::Value(1_000_000 + number as i64);
        report.take(&event, At::default());
    }
    for fd in 0..200_000 {
        let mut event = accepted().remove(0);
        event.outcome = Outcome::Value(fd);
        report.take(&event, At::default());
    }
    assert!(report.world.is_full());
    let summary = report.finish(At::default()).summary;
    assert_eq!(summary.total, 400_000);
}

/// A program may give its epoll a new number for each client (mio does it): what is remembered is what is open.
#[test]
fn what_epoll_gives_for_a_closed_descriptor_is_forgotten() {
    let fd = |number| Arg::Fd(FdNumber::new(number));
    let mut report = Report::new();
    let take = |report: &mut Report, event: Event<'_>| report.take(&event, At::default());
    for event in accepted() {
        take(&mut report, event);
    }
    for token in 100..200 {
        let told = format!("{{events=EPOLLIN, data={{u32={token}, u64={token}}}}}");
        let args = vec![fd(9), Arg::Word("EPOLL_CTL_ADD".into()), fd(4), Arg::Text(told.into())];
        take(&mut report, call("epoll_ctl", args, Outcome::Value(0)));
        let registered = &report.world.process(ProcessId(0)).registered;
        assert_eq!(registered.iter().collect::<Vec<_>>(), [(&token, &4)]);
        if token % 2 == 0 {
            take(&mut report, call("close", vec![fd(4)], Outcome::Value(0)));
            assert!(report.world.process(ProcessId(0)).registered.is_empty());
            take(&mut report, call("accept", vec![fd(3)], Outcome::Value(4)));
        }
    }
}

/// The world keeps its own facts about sockets (see its documentation). They must be those of the table of descriptors, which the
/// tracer, the explanations and the ladder ask: here both learn from the same logs, and are compared after each call.
#[test]
fn the_world_agrees_with_the_table_of_descriptors() {
    let logs = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/logs/strace");
    let mut compared = 0;
    for log in std::fs::read_dir(logs).unwrap().map(|entry| entry.unwrap().path()) {
        let mut report = Report::new();
        let mut tables = DescriptorTables::default();
        let mut reader = LogReader::new([(std::fs::File::open(&log).unwrap(), 0)]);
        let after_each = |told: &LogEvent<'_>, place: &LogPlace<'_>| {
            let LogEvent::Call(event) = told else { return };
            report.take(event, At::default());
            tables.learn(event);
            let Some(process) = report.world.knows(event.tid) else { return };
            for (fd, id) in report.world.sockets_of(process) {
                let Some(file) = tables.of(event).known(FdNumber::new(fd)) else { continue };
                let line = format!("{}:{}: {fd}: {}", log.display(), place.line, place.text);
                compare(report.world.socket(id), &file, &line);
                compared += 1;
            }
        };
        reader.read_all(after_each).unwrap();
    }
    assert!(compared > 10_000, "{compared}");
}

#[track_caller]
fn compare(socket: &Socket, file: &OpenFile, line: &str) {
    let mut own = socket.file.clone();
    // A report names the peer that refused a connection, which the socket does not have.
    if socket.failed.is_some() {
        own.peer.clone_from(&file.peer);
    }
    // These are known only if the log shows the whole life of the socket.
    if !socket.is_known {
        own.bytes_in = file.bytes_in;
        own.bytes_out = file.bytes_out;
        own.kind = file.kind;
        own.nonblocking = file.nonblocking;
    }
    // The table numbers files and connections, and counts copies; the report has its own numbers and counts.
    let OpenFile { id, connection, accepted, copies, passed, .. } = *file;
    assert_eq!(OpenFile { id, connection, accepted, copies, passed, ..own }, *file, "{line}");
    assert_eq!(socket.finished.is_some(), file.finished, "{line}");
    assert!(socket.peer_finished.is_none() || file.peer_finished, "{line}");
}
