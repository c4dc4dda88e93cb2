//! A call in a few words, for a column: its function, the arguments that matter, its result.

use serde_json::Value as Json;

use crate::trace::Recorded;
use crate::trace::page::{Effect, Returns};

/// A call in at most `room` characters, the rest left out where `dots` stand.
pub(super) fn shortened(call: &Recorded, room: usize, dots: &str) -> String {
    let name = call.function.name();
    let (arguments, result) = (arguments(call), format!(") = {}", result(call)));
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

/// Whether its 0 says nothing but that it did not fail.
fn only_succeeded(call: &Recorded) -> bool {
    call.function.page().returns == Returns::Status && result(call) == "0"
}

/// The arguments that tell this call from others like it. (Everything that is written is ASCII.)
fn arguments(call: &Recorded) -> String {
    let page = call.function.page();
    match page.effect {
        Effect::Selects => return sets(call),
        Effect::Polls => return rows(call),
        _ => {}
    }
    let telling = page.telling(call.errno.is_some());
    let written = telling.filter_map(|name| call.written(name));
    let all = written.collect::<Vec<_>>().join(", ");
    all.replace("l_onoff=", "").replace("l_linger=", "")
}

/// `8, [4 6], [7]`: what is NULL at the end is left out.
fn sets(call: &Recorded) -> String {
    let one = |name: &&str| match call.arguments.get(*name).and_then(Json::as_array) {
        Some(members) => format!("[{}]", spaced(members)),
        None => "NULL".into(),
    };
    let mut sets: Vec<_> = ["readfds", "writefds", "exceptfds"].iter().map(one).collect();
    while sets.last().is_some_and(|last| last == "NULL") {
        sets.pop();
    }
    sets.insert(0, call.written("nfds").unwrap_or_default());
    sets.join(", ")
}

/// `[4 6 7]`, and behind a descriptor what is asked of it, unless that is only POLLIN.
fn rows(call: &Recorded) -> String {
    let rows = call.arguments.get("fds").and_then(Json::as_array);
    let row = |row: &Json| {
        let fd = row.get("fd").and_then(Json::as_i64).unwrap_or(-1);
        match row.get("events").and_then(Json::as_str) {
            Some("POLLIN") | None => fd.to_string(),
            Some(events) => format!("{fd}:{}", bits(events)),
        }
    };
    format!("[{}]", rows.into_iter().flatten().map(row).collect::<Vec<_>>().join(" "))
}

fn result(call: &Recorded) -> String {
    let number = match call.errno.as_deref() {
        Some(name) => format!("{} {}", call.result, plain(name)),
        None => format!("{}{}", call.result, told(call).unwrap_or_default()),
    };
    match call {
        Recorded { refused: true, .. } => number + " (refused)",
        Recorded { injected: true, .. } => number + " (INJECTED)",
        _ => number,
    }
}

/// What a wait has told: ` (in 6)`, ` (6 IN)`.
fn told(call: &Recorded) -> Option<String> {
    let list = |name| call.returned.get(name).and_then(Json::as_array);
    let parts: Vec<String> = match call.function.effect() {
        Effect::Selects => {
            let sets =
                ["in", "out", "except"].into_iter().filter_map(|name| Some((name, list(name)?)));
            let sets = sets.filter(|(_, members)| !members.is_empty());
            sets.map(|(name, members)| format!("{name} {}", spaced(members))).collect()
        }
        Effect::Polls => {
            let row = |row: &Json| {
                Some(format!(
                    "{} {}",
                    row.get("fd")?.as_i64()?,
                    bits(row.get("revents")?.as_str()?)
                ))
            };
            list("ready")?.iter().filter_map(row).collect()
        }
        _ => return None,
    };
    (!parts.is_empty()).then(|| format!(" ({})", parts.join(", ")))
}

fn spaced(members: &[Json]) -> String {
    let numbers = members.iter().filter_map(Json::as_i64).map(|fd| fd.to_string());
    numbers.collect::<Vec<_>>().join(" ")
}

/// `IN|HUP`: all of them begin alike.
fn bits(names: &str) -> String {
    plain(names).replace("POLL", "")
}

/// A name from a trace, unless it is none.
fn plain(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '|' | ' ');
    name.chars().filter(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(rest: &str) -> Recorded {
        let always = r#""schema":1,"pid":1,"tid":1,"clock":"c","seq":0,"begin_ns":1,"end_ns":2"#;
        Recorded::parse(&format!("{{{always},\"refused\":false,\"injected\":false,{rest}}}"))
            .unwrap()
    }

    #[test]
    fn a_call_is_as_short_as_its_column() {
        let recv = call(
            r#""call":"recv","arguments":{"sockfd":7,"buf":{"text":"hello\\n","cut":true},"len":65536,"flags":"0"},"result":6,"errno":null"#,
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
    fn waits_show_whom_they_ask_and_who_is_ready() {
        let select = call(
            r#""call":"select","arguments":{"nfds":8,"readfds":[4,6],"writefds":[7],"exceptfds":null,"timeout":null},"result":1,"errno":null,"returned":{"in":[],"out":[7],"except":null,"left":null}"#,
        );
        assert_eq!(shortened(&select, 80, "…"), "select(8, [4 6], [7]) = 1 (out 7)");
        let poll = call(
            r#""call":"poll","arguments":{"fds":[{"fd":4,"events":"POLLIN"},{"fd":7,"events":"POLLOUT"}],"nfds":2,"timeout":-1},"result":1,"errno":null,"returned":{"ready":[{"fd":7,"revents":"POLLOUT"}]}"#,
        );
        assert_eq!(shortened(&poll, 80, "…"), "poll([4 7:OUT]) = 1 (7 OUT)");
    }
}
