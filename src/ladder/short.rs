//! A call in a few words, for a column: its function, the distinguishing arguments, and its result.

use crate::names::{POLLIN, PollEvents};
use crate::trace::Event;
use crate::trace::arg::{Arg, Note, Value};
use crate::trace::event::{Mark, Outcome};
use crate::trace::page::{Effect, Returns};
use crate::values::FdNumber;

/// A call in at most `room` characters; `dots` mark where it was cut.
pub(super) fn shortened(call: &Event<'_>, room: usize, dots: &str) -> String {
    let name = call.callee.name();
    let arguments = arguments(call);
    let result = format!(") = {}", result(call));
    let taken = name.len() + 1 + arguments.len() + result.len();
    if taken <= room {
        return format!("{name}({arguments}{result}");
    }
    if only_succeeded(call) && taken - " = 0".len() <= room {
        return format!("{name}({arguments})");
    }
    let dots_len = dots.chars().count();
    let for_arguments = (room + arguments.len()).checked_sub(taken + dots_len);
    match for_arguments {
        Some(left) => format!("{name}({}{dots}{result}", &arguments[..left]),
        None => {
            let whole = format!("{name}({dots}{result}");
            let cut: String = whole.chars().take(room.saturating_sub(dots_len)).collect();
            if whole.chars().count() <= room { whole } else { cut + dots }
        }
    }
}

/// The longest arguments on a page, where a call may take several lines: a set can have a thousand members.
const LONGEST_ARGUMENTS: usize = 400;

/// A call for a place where lines are wrapped: its result is never cut.
pub(super) fn whole(call: &Event<'_>) -> String {
    let name = call.callee.name();
    let arguments = arguments(call);
    let result = result(call);
    let cut = arguments.char_indices().nth(LONGEST_ARGUMENTS).map(|(at, _)| at);
    match cut {
        Some(at) => format!("{name}({}...) = {result}", &arguments[..at]),
        None => format!("{name}({arguments}) = {result}"),
    }
}

/// Whether the result 0 only says that the call did not fail.
fn only_succeeded(call: &Event<'_>) -> bool {
    let returns = call.function().map(|function| function.page().returns);
    returns == Some(Returns::Status) && result(call) == "0"
}

/// The arguments that distinguish this call from others. (Everything that is written is ASCII.)
fn arguments(call: &Event<'_>) -> String {
    let Some(function) = call.function() else { return everything(call) };
    match function.effect() {
        Effect::Selects => return sets(call),
        Effect::Polls => return rows(call),
        _ => {}
    }
    let telling = function.page().telling(call.errno().is_some());
    let written = telling.filter_map(|name| shown(call, name));
    let all = written.collect::<Vec<_>>().join(", ");
    all.replace("l_onoff=", "").replace("l_linger=", "")
}

/// Every argument, for a function without a wrapper.
fn everything(call: &Event<'_>) -> String {
    let all: Vec<_> = call.args.iter().map(Arg::written).collect();
    all.join(", ")
}

/// An argument; an address in the form for people.
fn shown(call: &Event<'_>, parameter: &str) -> Option<String> {
    Some(match call.arg(parameter)? {
        Arg::Address(address) => address.to_string(),
        Arg::Value(Value::Int(number)) => number.to_string(),
        arg => arg.written(),
    })
}

/// `8, [4 6], [7]`: NULL at the end is left out.
fn sets(call: &Event<'_>) -> String {
    let one = |name: &&str| match call.arg(name) {
        Some(Arg::Set(Some(members))) => format!("[{}]", spaced(members)),
        _ => "NULL".into(),
    };
    let mut sets: Vec<_> = ["readfds", "writefds", "exceptfds"].iter().map(one).collect();
    while sets.last().is_some_and(|last| last == "NULL") {
        sets.pop();
    }
    sets.insert(0, shown(call, "nfds").unwrap_or_default());
    sets.join(", ")
}

/// `[4 6 7]`, and after a descriptor the events asked for, unless they are only POLLIN.
fn rows(call: &Event<'_>) -> String {
    let Some(Arg::Rows(rows)) = call.arg("fds") else { return "[]".into() };
    let rows = rows.iter().map(|row| match row.events {
        POLLIN => row.fd.to_string(),
        events => format!("{}:{}", row.fd, bits(events)),
    });
    format!("[{}]", rows.collect::<Vec<_>>().join(" "))
}

fn result(call: &Event<'_>) -> String {
    let number = match (call.outcome, &call.note) {
        (Outcome::Error(errno), _) => match errno.name() {
            Some(name) => format!("-1 {name}"),
            None => format!("-1 {}", errno.number()),
        },
        (Outcome::Value(value), Note::Code(code, _)) => format!("{value} {code}"),
        (Outcome::Value(value), note) => format!("{value}{}", told(note).unwrap_or_default()),
        (Outcome::Unknown, _) => "?".into(),
    };
    match call.mark {
        Mark::Refused => number + " (refused)",
        Mark::Injected => number + " (INJECTED)",
        Mark::None | Mark::Libc => number,
    }
}

/// The result of a wait: ` (in 6)`, ` (6 IN)`.
fn told(note: &Note<'_>) -> Option<String> {
    let parts: Vec<String> = match note {
        Note::Select { sets, .. } => {
            let sets = ["in", "out", "except"].into_iter().zip(sets);
            let sets = sets.filter_map(|(name, set)| Some((name, set.as_deref()?)));
            let sets = sets.filter(|(_, members)| !members.is_empty());
            sets.map(|(name, members)| format!("{name} {}", spaced(members))).collect()
        }
        Note::Poll(rows) => {
            rows.iter().map(|row| format!("{} {}", row.fd, bits(row.revents))).collect()
        }
        _ => return None,
    };
    (!parts.is_empty()).then(|| format!(" ({})", parts.join(", ")))
}

fn spaced(members: &[FdNumber]) -> String {
    members.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// `IN|HUP`, without the common prefix.
fn bits(events: PollEvents) -> String {
    events.to_string().replace("POLL", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(rest: &str) -> Event<'static> {
        let always = r#""schema":2,"pid":1,"tid":1,"clock":"c","seq":0,"begin_ns":1,"end_ns":2"#;
        Event::from_json(&format!("{{{always},{rest}}}")).unwrap()
    }

    #[test]
    fn a_call_is_as_short_as_its_column() {
        let recv = call(
            r#""call":"recv","arguments":{"sockfd":7,"buf":{"text":"hello\\n","cut":true},"len":65536,"flags":[]},"result":6,"errno":null"#,
        );
        assert_eq!(shortened(&recv, 40, "..."), r#"recv(7, "hello\n"...) = 6"#);
        assert_eq!(shortened(&recv, 20, "..."), r#"recv(7, "hel...) = 6"#);
        assert_eq!(shortened(&recv, 20, "…"), r#"recv(7, "hello…) = 6"#);
        assert_eq!(shortened(&recv, 11, "…"), "recv(…) = 6");
        assert_eq!(shortened(&recv, 6, "…"), "recv(…");
        for room in 0..40 {
            assert!(shortened(&recv, room, "...").chars().count() <= room.max(3));
        }
    }

    #[test]
    fn waits_show_their_question_and_the_ready_descriptors() {
        let select = call(
            r#""call":"select","arguments":{"nfds":8,"readfds":[4,6],"writefds":[7],"exceptfds":null,"timeout":null},"result":1,"errno":null,"returned":{"in":[],"out":[7],"except":null,"left":null}"#,
        );
        assert_eq!(shortened(&select, 80, "…"), "select(8, [4 6], [7]) = 1 (out 7)");
        let poll = call(
            r#""call":"poll","arguments":{"fds":[{"fd":4,"events":["POLLIN"]},{"fd":7,"events":["POLLOUT"]}],"nfds":2,"timeout":-1},"result":1,"errno":null,"returned":{"ready":[{"fd":7,"events":["POLLOUT"],"revents":["POLLOUT"]}]}"#,
        );
        assert_eq!(shortened(&poll, 80, "…"), "poll([4 7:OUT]) = 1 (7 OUT)");
    }
}
