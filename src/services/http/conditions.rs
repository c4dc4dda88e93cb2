//! Whether a file is sent, and which part: the conditions of a request, evaluated in the order of RFC 9110 (section
//! 13.2.2).
//!
//! This server has no entity tags, so no tag from a client can match.

use super::file::{Described, HttpTime};
use super::range::{Wanted, wanted};
use super::request::{Conditions, Method, Request};

/// The result of a request's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PreconditionResult {
    Send(Wanted),
    /// The client has this version already.
    NotModified,
    /// The file is not in the state that the client requires.
    Failed,
}

/// Evaluates the conditions of a request for a file.
pub(super) fn judge(request: &Request<'_>, file: &Described) -> PreconditionResult {
    let conditions = &request.conditions;
    let modified = file.modified.as_ref().map(|moment| moment.seconds);
    // Without a date on both sides there is nothing to compare.
    let changed_since = |date: &str| Some(modified? > HttpTime::seconds_of(date)?);
    let has_failed = match (conditions.if_match, conditions.if_unmodified_since) {
        (Some(tags), _) => tags != "*",
        (None, Some(date)) => changed_since(date) == Some(true),
        (None, None) => false,
    };
    if has_failed {
        return PreconditionResult::Failed;
    }
    let is_known = match (conditions.if_none_match, conditions.if_modified_since) {
        (Some(tags), _) => tags == "*",
        (None, Some(date)) => changed_since(date) == Some(false),
        (None, None) => false,
    };
    if is_known {
        return PreconditionResult::NotModified;
    }
    match conditions.range {
        Some(range) if request.method == Method::Get && is_still(conditions, file) => {
            PreconditionResult::Send(wanted(range, file.len))
        }
        _ => PreconditionResult::Send(Wanted::Whole),
    }
}

/// Whether a part of this file fits the part that the client has.
fn is_still(conditions: &Conditions<'_>, file: &Described) -> bool {
    conditions.if_range.is_none_or(|date| {
        let modified = file.modified.as_ref().map(|moment| moment.seconds);
        modified.is_some() && modified == HttpTime::seconds_of(date)
    })
}

#[cfg(test)]
mod tests {
    use super::super::request::OF_TWO;
    use super::*;

    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sunday, 06-Nov-94 08:49:38 GMT";

    fn verdict(method: Method, conditions: Conditions<'_>) -> PreconditionResult {
        let modified = HttpTime::at(784_111_777);
        let file = Described { len: 100, fields: String::new(), modified };
        let (host, origin, fetch_site) = (None, None, None);
        let (target, keep_alive) = ("/", true);
        judge(&Request { method, target, keep_alive, host, origin, fetch_site, conditions }, &file)
    }

    #[test]
    fn each_condition_decides_in_its_turn() {
        let none = Conditions::default;
        let whole = PreconditionResult::Send(Wanted::Whole);
        let part = PreconditionResult::Send(Wanted::Part(0, 10));
        let range = Some("bytes=0-9");
        for (conditions, expected) in [
            (none(), whole),
            (
                Conditions { if_modified_since: Some(THEN), ..none() },
                PreconditionResult::NotModified,
            ),
            (
                Conditions { if_modified_since: Some(LATER), ..none() },
                PreconditionResult::NotModified,
            ),
            (Conditions { if_modified_since: Some(BEFORE), ..none() }, whole),
            (Conditions { if_modified_since: Some("yesterday"), ..none() }, whole),
            (Conditions { if_none_match: Some("*"), ..none() }, PreconditionResult::NotModified),
            (
                Conditions {
                    if_none_match: Some("\"a\""),
                    if_modified_since: Some(THEN),
                    ..none()
                },
                whole,
            ),
            (
                Conditions { if_unmodified_since: Some(BEFORE), ..none() },
                PreconditionResult::Failed,
            ),
            (Conditions { if_unmodified_since: Some(THEN), ..none() }, whole),
            (Conditions { if_match: Some("\"a\""), ..none() }, PreconditionResult::Failed),
            (
                Conditions { if_match: Some("*"), if_unmodified_since: Some(BEFORE), ..none() },
                whole,
            ),
            (Conditions { range, ..none() }, part),
            (Conditions { range, if_range: Some(THEN), ..none() }, part),
            (Conditions { range, if_range: Some(BEFORE), ..none() }, whole),
            (Conditions { range, if_range: Some(LATER), ..none() }, whole),
            (Conditions { range, if_range: Some("\"a\""), ..none() }, whole),
            (Conditions { range: Some(OF_TWO), ..none() }, whole),
            (Conditions { range, if_range: Some(OF_TWO), ..none() }, whole),
            (Conditions { if_modified_since: Some(OF_TWO), ..none() }, whole),
            (Conditions { if_none_match: Some(OF_TWO), ..none() }, whole),
            (Conditions { if_match: Some(OF_TWO), ..none() }, PreconditionResult::Failed),
            (
                Conditions { range, if_modified_since: Some(THEN), ..none() },
                PreconditionResult::NotModified,
            ),
        ] {
            let shown = format!("{conditions:?}");
            assert_eq!(verdict(Method::Get, conditions), expected, "{shown}");
        }
        // A range is for GET only.
        assert_eq!(verdict(Method::Head, Conditions { range, ..none() }), whole);
    }
}
