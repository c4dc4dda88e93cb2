//! From what a student types to entries.

use super::aliases::ALIASES;
use super::entry::Entry;
use super::table::GROUPS;
use crate::names::Errno;
use crate::names::slips::{near as near_names, plain};

/// How names of a kind begin: a word that is the rest of such a name is understood (`NODELAY`, and `INT` as the trace
/// writes a signal in a mask).
const BEGINNINGS: &[&str] = &[
    "E", "SIG", "POLL", "SO_", "TCP_", "MSG_", "SOCK_", "O_", "F_", "FD_", "AF_", "SHUT_", "SA_",
    "IP_", "IPV6_", "UDP_", "SOL_", "IPPROTO_", "AI_", "NI_", "EAI_",
];

/// How many names are proposed for a word that nobody knows.
const MOST_PROPOSED: usize = 3;

fn entries() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().flat_map(|group| &*group.entries)
}

fn entry(name: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.name == name)
}

/// The entries that a word leads to: a name; an alias; a name in another case; an errno's number; or the rest of a name
/// after its usual beginning. Empty if it leads nowhere.
pub fn find(word: &str) -> Vec<&'static Entry> {
    let word = word.trim();
    let call = word.strip_suffix("()").unwrap_or(word);
    if let Some(exact) = entry(call) {
        return vec![exact];
    }
    // As the trace writes a number without a name: `0x800000 /* MSG_??? */`.
    let idea = if call.ends_with("??") { "???".to_string() } else { plain(call) };
    if let Some((_, names)) = ALIASES.iter().find(|(alias, _)| *alias == idea) {
        return names.iter().filter_map(|name| entry(name)).collect();
    }
    // `CLOSE` is a state and `close` a call: in another case it is both.
    // And people write so-reuseaddr, or time wait.
    let in_any_case: Vec<_> = entries().filter(|entry| plain(entry.name) == idea).collect();
    if !in_any_case.is_empty() {
        return in_any_case;
    }
    if let Ok(number) = word.parse() {
        return Errno::from_number(number).name().and_then(entry).into_iter().collect();
    }
    let upper = word.to_uppercase();
    BEGINNINGS.iter().filter_map(|beginning| entry(&format!("{beginning}{upper}"))).collect()
}

/// Names and ideas that look like a word that nobody knows, the nearest first.
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
        ] {
            assert_eq!(names(typed).first(), Some(&expected), "{typed}");
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
            assert!(entry(alias).is_none(), "{alias} is a name itself");
        }
    }
}
