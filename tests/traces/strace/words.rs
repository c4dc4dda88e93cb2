//! A reader of a trace can ask what a word in it means.

use std::collections::BTreeSet;

use baresock::explain::words::find;
use baresock::names::Errno;

/// The words of a trace that `explain` does not know. What programs sent and what they call their files is no word of
/// ours, nor are places in memory.
pub(crate) fn unexplained(trace: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for line in trace.lines() {
        words.extend(words_of(line));
    }
    assert!(words.len() > 200, "there are few words: {words:?}");
    words.retain(|word| find(word).is_empty());
    words
}

fn words_of(line: &str) -> Vec<String> {
    let line = without_sentences(&without_strings(line));
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '?';
    let words = line.split(|c: char| !is_of_word(c));
    words
        .filter(|word| word.starts_with(|c: char| !c.is_ascii_digit()))
        .map(str::to_string)
        .collect()
}

/// Quotes within are escaped.
fn without_strings(line: &str) -> String {
    let line = line.replace("\\\\", "").replace("\\\"", "");
    line.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Behind the name of an error stands a sentence of the C library.
fn without_sentences(line: &str) -> String {
    let Some((call, outcome)) = line.rsplit_once(" = ") else { return line.to_string() };
    let Some(name) = outcome.split(' ').find(|word| word.starts_with('E')) else {
        return line.to_string();
    };
    // That of an errno may itself have parentheses; those of the resolver's errors have none.
    let text = match Errno::from_name(name) {
        Some(errno) => errno.text(),
        None => outcome.split(['(', ')']).nth(1).unwrap_or_default().to_string(),
    };
    let sentence = format!("({text})");
    format!("{call} {}", outcome.replacen(&sentence, "", 1))
}

#[test]
fn words_are_found_in_a_line() {
    let line = r#"sendto(3, "a \"word\"", 1, MSG_DONTWAIT, {sin_port=htons(1)}) = -1 EAGAIN (Try again) (INJECTED)"#;
    let text = Errno::EAGAIN.text();
    let line = line.replace("Try again", &text);
    assert_eq!(
        words_of(&line),
        ["sendto", "MSG_DONTWAIT", "sin_port", "htons", "EAGAIN", "INJECTED"]
    );
}
