//! The two traces, read as logs: strace's line of a call and our own are the same event.

use baresock::logs::reader::{LogEvent, LogReader};
use baresock::trace::Event;

/// What the reader does not undo, for a log has not what it takes: the event has strace's number where ours has a name, or
/// the other way round.
const NOT_UNDONE: &[&str] = &[
    "an_address_is_a_token",
    "an_interface_is_a_number",
    "getown_is_getown_ex",
    "select_keeps_what_is_left",
    "files_may_be_long",
];

/// Where libc asks the kernel otherwise than it is asked, and the log has no sign of it.
fn libc_asks_otherwise(straces: &str, ours: &str) -> bool {
    let is_accept_of_musl = ours.starts_with("accept4(") && straces.starts_with("accept(");
    // Where the caller passes an int, musl passes a long.
    let has_a_long = straces.contains(", 18446744073709551615)");
    // A log does not say that the program's long has 32 bits.
    let has_narrow_nanoseconds = size_of::<usize>() == 4 && ours.contains("tv_nsec=-");
    ours.starts_with("sockatmark(")
        || has_narrow_nanoseconds
        || ours.ends_with(" (libc)")
        || straces.ends_with(" (untold)")
        || is_accept_of_musl
        || has_a_long
}

/// Compares the events of each pair of lines, and says how many were compared.
///
/// # Errors
/// Those that differ.
pub(crate) fn compare(pairs: &[(String, String, Vec<&'static str>)]) -> Result<String, String> {
    let mut differ = Vec::new();
    let mut equal = 0;
    for (straces, ours, rules) in pairs {
        let (theirs, own) = (event(straces), event(ours));
        let is_same = theirs == own;
        if is_same {
            equal += 1;
        } else if !rules.iter().any(|rule| NOT_UNDONE.contains(rule))
            && !libc_asks_otherwise(straces, ours)
        {
            differ.push(format!("{straces}\n{ours}\n{theirs:#?}\n{own:#?}\nrules: {rules:?}\n"));
        }
    }
    match differ.len() {
        0 => Ok(format!("{equal} events of strace's log are those of ours, of {}", pairs.len())),
        count => Err(format!("{count} events differ, {equal} do not:\n{}", differ.join("\n"))),
    }
}

/// The call that a line is.
fn event(line: &str) -> Option<Event<'static>> {
    let mut found = None;
    let mut reader = LogReader::new([(line.as_bytes(), 0)]);
    let mut take = |told: &LogEvent<'_>| {
        if let LogEvent::Call(event) = told {
            found = Some((*event).clone().into_owned());
        }
    };
    reader.read_all(|told, _| take(told)).unwrap();
    found
}
