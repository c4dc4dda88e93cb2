//! Finds the entries for the words that a student types.

use super::aliases::ALIASES;
use super::entry::Entry;
use super::said::{SAID, named_by_winsock};
use super::table::GROUPS;
use crate::names::slips::{near as near_names, plain};
use crate::names::{Constant, Errno, MsgFlags, OpenFlags, PollEvents, ResolveError};
use crate::sys::gai_strerror;

/// Prefixes of names: a word is also found without its prefix (`NODELAY`, or `INT` as the trace writes a signal in a
/// mask).
const BEGINNINGS: &[&str] = &[
    "E", "SIG", "POLL", "SO_", "TCP_", "MSG_", "SOCK_", "O_", "F_", "FD_", "AF_", "SHUT_", "SA_",
    "IP_", "IPV6_", "UDP_", "SOL_", "IPPROTO_", "AI_", "NI_", "EAI_",
];

/// No system has an errno as high as this.
const HIGHEST_ERRNO: i32 = 1_000;

/// How many names are suggested for an unknown word.
const MOST_PROPOSED: usize = 3;

fn entries() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|group| &*group.entries)
}

fn entry(name: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.name == name)
}

/// The entries for a word, which may be: a name; an alias; a name in another case; the text of an error or the name of
/// an exception; a number; a name without its prefix; or several flags in one word. Empty if nothing matches.
pub fn find(word: &str) -> Vec<&'static Entry> {
    let word = word.trim().trim_matches(['"', '\'', '`']).trim_end_matches([',', ';', ':', '.']);
    let call = without_section(word);
    // The trace writes a number without a name as `0x800000 /* MSG_??? */`.
    let idea = if call.ends_with("??") { "???".to_string() } else { plain(call) };
    let alias = ALIASES.iter().find(|(alias, _)| *alias == idea);
    let by_alias = || alias.iter().flat_map(|(_, names)| *names).filter_map(|name| entry(name));
    if let Some(exact) = entry(call) {
        // `refused` is a mark in the trace, and also the end of "connection refused".
        let is_among = |(_, names): &&(&str, &[&str])| names.contains(&exact.name);
        return if alias.is_some_and(|alias| is_among(&alias)) {
            by_alias().collect()
        } else {
            vec![exact]
        };
    }
    if alias.is_some() {
        return by_alias().collect();
    }
    // `CLOSE` is a state and `close` a call: `Close` finds both. And people write so-reuseaddr, or time wait.
    let in_any_case: Vec<_> = entries().filter(|entry| plain(entry.name) == idea).collect();
    if !in_any_case.is_empty() {
        return in_any_case;
    }
    let ways = [by_text, by_number, by_windows_name, by_ending, all_of_several, by_what_is_called];
    ways.iter().map(|way| way(word)).find(|found| !found.is_empty()).unwrap_or_default()
}

/// `select(2)` and `select()` are `select`.
fn without_section(word: &str) -> &str {
    let Some((name, section)) = word.strip_suffix(')').and_then(|word| word.rsplit_once('('))
    else {
        return word;
    };
    let is_section = section.len() <= 2 && section.starts_with(|c: char| c.is_ascii_digit());
    if section.is_empty() || is_section && entry(name).is_some_and(Entry::is_call) {
        name
    } else {
        word
    }
}

/// This system's text for an error.
pub(super) fn text_of(constant: &Constant) -> String {
    match constant.name.starts_with("EAI_") {
        true => gai_strerror(ResolveError::from_bits(constant.value as i32)),
        false => Errno::from_number(constant.value as i32).text(),
    }
}

/// The text without case and punctuation, which do not matter.
fn in_words(text: &str) -> String {
    plain(text).replace(['`', '\'', '"', '.', '!'], "")
}

/// Searches the texts of `strerror` and `gai_strerror`, here and on other systems.
fn by_text(text: &str) -> Vec<&'static Entry> {
    let asked = in_words(text);
    let own = Errno::CONSTANTS.iter().chain(ResolveError::CONSTANTS);
    let own = own.filter(|constant| in_words(&text_of(constant)) == asked);
    let mut names: Vec<_> = own.map(|constant| constant.name).collect();
    if names.is_empty() {
        let others = SAID.iter().filter(|(text, _)| in_words(text) == asked);
        names.extend(others.flat_map(|(_, names)| *names));
    }
    let found: Vec<_> = names.into_iter().filter_map(entry).collect();
    match found.is_empty() {
        // All other errnos share one page.
        true => other_errno(text).and_then(|_| entry("errno")).into_iter().collect(),
        false => found,
    }
}

/// The text or number of an errno without a page of its own, such as `ENOANO (No anode)`; the number is this system's.
pub fn other_errno(asked: &str) -> Option<(String, i32)> {
    let asked = in_words(asked.trim());
    let number = asked.strip_prefix("errno ").unwrap_or(&asked).parse().ok();
    let is_it = |errno: &Errno| number == Some(errno.number()) || in_words(&errno.text()) == asked;
    let mut all = (1..HIGHEST_ERRNO).map(Errno::from_number);
    let errno = all.find(|errno| errno.is_known_here() && is_it(errno))?;
    (!errno.is_of_this_book()).then(|| (errno.to_string(), errno.number()))
}

fn name_in_this_book(errno: Errno) -> Option<&'static str> {
    errno.name().filter(|_| errno.is_of_this_book())
}

/// Numbers: `111`, `errno 111`, `0x6f`, and Winsock's 10054.
fn by_number(word: &str) -> Vec<&'static Entry> {
    let lower = word.to_lowercase();
    let digits =
        lower.trim_matches(['[', ']']).trim_start_matches("errno").trim_start_matches([' ', '=']);
    if let Some(hexadecimal) = digits.strip_prefix("0x") {
        return i64::from_str_radix(hexadecimal, 16).map(by_bits).unwrap_or_default();
    }
    let Ok(number) = digits.parse::<i64>() else { return Vec::new() };
    let is_resolvers = number < 0 && digits.len() < lower.len();
    let here = match is_resolvers {
        true => ResolveError::CONSTANTS
            .iter()
            .find(|known| known.value == number)
            .map(|known| known.name),
        false => i32::try_from(number).ok().map(Errno::from_number).and_then(name_in_this_book),
    };
    let name = here.or_else(|| named_by_winsock(number));
    let other = || other_errno(digits).map(|_| "errno");
    name.or_else(other).and_then(entry).into_iter().collect()
}

/// Flags are usually written in hexadecimal, so they come first if few bits are set; the number may still be an errno.
fn by_bits(value: i64) -> Vec<&'static Entry> {
    let mut found = Vec::new();
    for table in [PollEvents::CONSTANTS, MsgFlags::CONSTANTS, OpenFlags::CONSTANTS] {
        let is_part =
            |known: &&Constant| known.value.count_ones() == 1 && value & known.value == known.value;
        let parts: Vec<_> = table.iter().filter(is_part).collect();
        let whole = parts.iter().fold(0, |bits, known| bits | known.value);
        if whole == value && value.count_ones() <= 3 {
            found.extend(parts.iter().filter_map(|known| entry(known.name)));
        }
    }
    let errno = i32::try_from(value).ok().map(Errno::from_number).and_then(name_in_this_book);
    found.extend(errno.and_then(entry));
    found
}

/// Windows names: `WSAECONNRESET`.
fn by_windows_name(word: &str) -> Vec<&'static Entry> {
    let upper = word.to_uppercase();
    let name = upper.strip_prefix("WSA").filter(|name| name.starts_with('E'));
    name.map(find).unwrap_or_default()
}

fn by_ending(word: &str) -> Vec<&'static Entry> {
    let upper = word.to_uppercase();
    BEGINNINGS.iter().filter_map(|beginning| entry(&format!("{beginning}{upper}"))).collect()
}

/// Several names in one word, `POLLIN|POLLHUP` or `FD_ZERO/FD_SET`, if all are known.
fn all_of_several(word: &str) -> Vec<&'static Entry> {
    let parts = || word.split(['|', '/']);
    if parts().count() < 2 || parts().any(|part| find(part).is_empty()) {
        return Vec::new();
    }
    let mut found: Vec<&'static Entry> = Vec::new();
    for entry in parts().flat_map(find) {
        if !found.iter().any(|known| known.name == entry.name) {
            found.push(entry);
        }
    }
    found
}

/// The name inside `htons(7007)`, or at the end of `std::io::ErrorKind::WouldBlock`.
fn by_what_is_called(word: &str) -> Vec<&'static Entry> {
    let is_argument = |c: char| c.is_ascii_alphanumeric() || "_|&,. ".contains(c);
    if let Some((name, argument)) = word.strip_suffix(')').and_then(|word| word.split_once('('))
        && argument.chars().all(is_argument)
        && !name.contains(' ')
    {
        return find(name);
    }
    match word.rsplit_once("::").or_else(|| word.rsplit_once('.')) {
        Some((path, name)) if !path.contains(' ') && !name.is_empty() => find(name),
        _ => Vec::new(),
    }
}

/// Names and ideas similar to an unknown word, the closest first.
pub fn near(word: &str) -> Vec<&'static str> {
    let names = entries().map(|entry| entry.name);
    let mut proposed = near_names(word, names.chain(ALIASES.iter().map(|(alias, _)| *alias)));
    let idea = plain(word.trim());
    if proposed.is_empty() && idea.chars().count() >= 4 {
        let inside = entries().map(|entry| entry.name);
        proposed = inside.filter(|name| plain(name).contains(&idea)).collect();
    }
    proposed.truncate(MOST_PROPOSED);
    proposed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(word: &str) -> Vec<&'static str> {
        find(word).iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn a_word_is_found_as_it_is_typed() {
        for (typed, expected) in [
            ("EAGAIN", "EAGAIN"),
            ("eagain", "EAGAIN"),
            ("accept()", "accept"),
            ("Half-close", "shutdown"),
            ("short send", "send"),
            ("HUP", "POLLHUP"),
            ("INT", "SIGINT"),
            ("nodelay", "TCP_NODELAY"),
            ("EWOULDBLOCK", "EAGAIN"),
            ("MSG_???", "nameless"),
            ("SOL_??", "nameless"),
            ("in", "in"),
            ("so-reuseaddr", "SO_REUSEADDR"),
            ("SO reuseaddr", "SO_REUSEADDR"),
            ("time-wait", "TIME_WAIT"),
            ("time wait", "TIME_WAIT"),
            ("half_close", "shutdown"),
            ("refused", "ECONNREFUSED"),
            ("tcp keepalive", "SO_KEEPALIVE"),
            ("select(2)", "select"),
            ("htons(7007)", "htons"),
            ("FD_ZERO/FD_CLR/FD_ISSET", "select"),
            ("SOMAXCONN", "listen"),
            ("INFTIM", "poll"),
            ("ESTAB", "ESTABLISHED"),
            ("FIN-WAIT-1", "FIN_WAIT1"),
            ("SYN_RCVD", "SYN_RECV"),
            ("WSAECONNRESET", "ECONNRESET"),
            ("10054", "ECONNRESET"),
            ("ConnectionResetError", "ECONNRESET"),
            ("WouldBlock", "EAGAIN"),
            ("std::io::ErrorKind::WouldBlock", "EAGAIN"),
            ("errno -2", "EAI_NONAME"),
            ("bad file descriptor", "EBADF"),
            ("OPERATION NOW IN PROGRESS", "EINPROGRESS"),
            ("Socket is not connected", "ENOTCONN"),
            ("Name does not resolve", "EAI_NONAME"),
            // The texts of three C libraries, independent of the one here.
            ("Transport endpoint is not connected", "ENOTCONN"),
            ("Temporary failure in name resolution", "EAI_AGAIN"),
            ("Not a tty", "ENOTTY"),
            ("Address in use", "EADDRINUSE"),
            ("Device not configured", "ENXIO"),
            ("Can't assign requested address", "EADDRNOTAVAIL"),
        ] {
            assert_eq!(names(typed).first(), Some(&expected), "{typed}");
        }
    }

    #[test]
    fn every_text_of_this_system_is_found_in_any_case() {
        for constant in Errno::CONSTANTS.iter().chain(ResolveError::CONSTANTS) {
            let text = text_of(constant);
            // Two errors may share a text, and EAGAIN has two names.
            for text in [text.to_uppercase(), text.to_lowercase(), text] {
                let found = names(&text);
                let is_it = |name: &&str| entry_text(name) == entry_text(constant.name);
                assert!(found.iter().any(is_it), "{text}: {found:?}");
            }
        }
        let mut others = 0;
        for errno in (1..HIGHEST_ERRNO).map(Errno::from_number).filter(Errno::is_known_here) {
            assert!(!names(&errno.text()).is_empty(), "{errno}");
            assert!(!names(&errno.number().to_string()).is_empty(), "{errno}");
            assert!(!names(&format!("errno {}", errno.number())).is_empty(), "{errno}");
            others += usize::from(other_errno(&errno.text()).is_some());
        }
        assert!(others > 10, "{others}");
        // Also of calls that are not in this book, such as glibc's getaddrinfo_a.
        let resolvers = |number: i32| gai_strerror(ResolveError::from_bits(number));
        let unknown = resolvers(-9_999);
        for text in (-200..200).filter(|number| *number != 0).map(resolvers) {
            for text in [text.to_uppercase(), text.to_lowercase(), text.clone()] {
                let is_known = !text.eq_ignore_ascii_case(&unknown);
                assert!(!is_known || !names(&text).is_empty(), "{text}");
            }
        }
    }

    fn entry_text(name: &str) -> String {
        let mut known = Errno::CONSTANTS.iter().chain(ResolveError::CONSTANTS);
        text_of(known.find(|known| known.name == name).unwrap())
    }

    #[test]
    fn flags_in_one_word_are_each_explained() {
        assert_eq!(names("POLLIN|POLLHUP"), ["POLLIN", "POLLHUP"]);
        assert_eq!(names("POLLIN|nonsense"), [""; 0]);
        let value =
            PollEvents::CONSTANTS.iter().find(|known| known.name == "POLLHUP").unwrap().value;
        let hexadecimal = format!("{:#x}", value | 1);
        assert_eq!(names(&hexadecimal)[..2], ["POLLIN", "POLLHUP"]);
        assert_eq!(names(&format!("{:#x}", Errno::ECONNREFUSED.number())), ["ECONNREFUSED"]);
    }

    #[test]
    fn what_others_say_leads_to_entries() {
        for (text, targets) in SAID {
            assert_eq!(plain(text), *text, "it is written so that it can be found");
            for target in *targets {
                assert!(entry(target).is_some(), "{text}: {target}");
            }
            assert!(!names(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_number_is_an_errno() {
        let number = Errno::EAGAIN.number().to_string();
        assert_eq!(names(&number), ["EAGAIN"]);
        assert_eq!(names("4242"), [""; 0]);
        assert_eq!(names("-1"), [""; 0]);
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        assert_eq!(near("EGAIN").first(), Some(&"EAGAIN"));
        assert_eq!(near("ECONREFUSED").first(), Some(&"ECONNREFUSED"));
        assert_eq!(near("slect").first(), Some(&"select"));
        assert_eq!(near("reuse").first(), Some(&"SO_REUSEADDR"));
        assert_eq!(near("quite another thing"), [""; 0]);
        assert_eq!(near(""), [""; 0]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn every_alias_leads_to_entries() {
        for (alias, targets) in ALIASES {
            assert_eq!(plain(alias), *alias, "it is written so that it can be found");
            assert_eq!(names(alias), *targets, "{alias}");
            assert!(entry(alias).is_none() || targets.contains(alias), "{alias} is a name itself");
        }
    }
}
