//! Finds the words to explain in a pasted message or line of a trace.

use super::entry::Entry;
use super::lookup::{find, text_of};
use super::said::SAID;
use crate::names::slips::plain;
use crate::names::{Errno, ResolveError};

/// How many words of a message are explained: its error first.
const MOST: usize = 6;

/// The text before the number of an error: in Python, Rust, C and Windows.
const BEFORE_A_NUMBER: &[&str] =
    &["errno", "os error", "error code", "error number", "winerror", "error"];

/// The entries for a message: its error, its call, and its constants.
pub fn find_in_message(message: &str) -> Vec<&'static Entry> {
    let mut found: Vec<&'static Entry> = Vec::new();
    let mut add = |entries: Vec<&'static Entry>| {
        for entry in entries {
            if !found.iter().any(|known| known.name == entry.name) {
                found.push(entry);
            }
        }
    };
    let tokens: Vec<&str> =
        message.split(|c: char| !is_of_name(c)).filter(|t| !t.is_empty()).collect();
    let errors = tokens.iter().filter(|token| is_name_of_error(token));
    errors.for_each(|token| add(find(token)));
    if let Some(number) = number_of_error(message) {
        add(find(&number));
    }
    add(texts_in(message));
    let calls = tokens.iter().filter(|token| find(token).iter().any(|entry| entry.is_call()));
    let is_called = |token: &&&str| message.contains(&format!("{token}("));
    let is_before_colon = |token: &&&str| message.contains(&format!("{token}: "));
    calls
        .filter(|token| is_called(token) || is_before_colon(token))
        .for_each(|token| add(find(token)));
    let constants = tokens.iter().filter(|token| is_constant(token));
    constants.for_each(|token| add(find(token)));
    // In ConnectionResetError and java.net.ConnectException the name says it all.
    let names = tokens.iter().map(|token| plain(token));
    names.for_each(|name| add(said(|text| *text == name)));
    found.truncate(MOST);
    found
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `ECONNRESET`, `WSAECONNRESET`, `EAI_AGAIN`.
fn is_name_of_error(token: &str) -> bool {
    let is_upper = token.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_upper && token.trim_start_matches("WSA").starts_with('E') && !find(token).is_empty()
}

/// A name in capitals: `SO_REUSEADDR`, `POLLIN`, `O_NONBLOCK`. (A single word such as `IN` is not taken for one.)
fn is_constant(token: &str) -> bool {
    let is_upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    token.len() > 3
        && token.bytes().all(is_upper)
        && token.starts_with(|c: char| c.is_ascii_uppercase())
        && find(token).iter().any(|entry| entry.name == token)
}

/// The number behind `errno` or its like: `[Errno 111]`, `(os error 111)`, `errno=111`.
fn number_of_error(message: &str) -> Option<String> {
    let message = message.to_lowercase();
    BEFORE_A_NUMBER.iter().find_map(|word| {
        let (_, behind) = message.split_once(word)?;
        let behind = behind.trim_start_matches([' ', '=', ':', '#']);
        let sign = if behind.starts_with('-') { "errno -" } else { "" };
        let digits: String =
            behind.trim_start_matches('-').chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then(|| format!("{sign}{digits}"))
    })
}

/// The errors whose texts occur in the message; the longer one of two that overlap.
fn texts_in(message: &str) -> Vec<&'static Entry> {
    let message = format!(" {} ", words_of(message));
    let is_in = |text: &str| message.contains(&format!(" {} ", words_of(text)));
    let own = Errno::CONSTANTS.iter().chain(ResolveError::CONSTANTS);
    let texts = own.map(|known| (text_of(known), vec![known.name]));
    let others = SAID.iter().map(|(text, names)| ((*text).to_string(), names.to_vec()));
    // A single word, such as "interrupted", says too little within a message.
    let mut texts: Vec<_> =
        texts.chain(others).filter(|(text, _)| text.contains(' ') && is_in(text)).collect();
    texts.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let Some((longest, names)) = texts.first() else { return Vec::new() };
    let same = texts.iter().filter(|(text, _)| text.eq_ignore_ascii_case(longest)).skip(1);
    let names = names.iter().chain(same.flat_map(|(_, names)| names));
    names.flat_map(|name| find(name)).collect()
}

fn said(is_it: impl Fn(&&str) -> bool) -> Vec<&'static Entry> {
    let names = SAID.iter().filter(|(text, _)| is_it(text)).flat_map(|(_, names)| *names);
    names.flat_map(|name| find(name)).collect()
}

/// The words of a text in lower case, with one blank between them.
fn words_of(text: &str) -> String {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(message: &str) -> Vec<&'static str> {
        find_in_message(message).iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn a_pasted_message_leads_to_its_error_first() {
        let refused = Errno::ECONNREFUSED.number();
        for (message, expected) in [
            (format!("[Errno {refused}] Connection refused"), &["ECONNREFUSED"][..]),
            (format!("Connection refused (os error {refused})"), &["ECONNREFUSED"]),
            ("bind: Address already in use".into(), &["EADDRINUSE", "bind"]),
            ("java.net.SocketException: Broken pipe".into(), &["EPIPE"]),
            ("ConnectionResetError: [Errno 104]".into(), &["ECONNRESET"]),
            ("curl: (6) Could not resolve host: example.org".into(), &["EAI_NONAME"]),
            (
                "connect(5, {sa_family=AF_INET}, 16) = -1 EINPROGRESS (Operation now in progress)"
                    .into(),
                &["EINPROGRESS", "connect", "AF_INET"],
            ),
            (
                "setsockopt(5, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0".into(),
                &["setsockopt", "SOL_SOCKET", "SO_REUSEADDR"],
            ),
            ("nothing of the kind".into(), &[]),
        ] {
            let found = names(&message);
            assert!(found.starts_with(expected), "{message}: {found:?}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{message}: {found:?}");
        }
    }
}
