//! Guesses which name was meant by a misspelled word.

/// The form in which words are compared: without differences of case, and of the characters between their parts.
/// `Half-close` is `half close`, and `so-reuseaddr` is `SO_REUSEADDR`.
pub fn plain(word: &str) -> String {
    word.to_lowercase().replace(['-', '_'], " ")
}

/// The known names that differ from this word by one or two slips, the nearest first.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = plain(word.trim());
    // In a short word, two slips leave too little of it.
    let most_slips = if word.chars().count() <= 5 { 1 } else { 2 };
    let slips = known.into_iter().map(|name| (count_slips(&word, &plain(name)), name));
    let mut nearest: Vec<_> = slips.filter(|(slips, _)| *slips <= most_slips).collect();
    nearest.sort_by_key(|(slips, _)| *slips);
    nearest.into_iter().map(|(_, name)| name).collect()
}

/// How many letters are wrong, missing, additional, or swapped with a neighbour.
#[cfg(feature = "program")]
fn count_slips(word: &str, name: &str) -> usize {
    strsim::osa_distance(word, name)
}

/// The library without the program does not guess.
#[cfg(not(feature = "program"))]
fn count_slips(word: &str, name: &str) -> usize {
    if word == name { 0 } else { usize::MAX }
}

#[cfg(all(test, feature = "program"))]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let known = ["recv", "recvmsg", "send", "sendto", "recvfrom"];
        assert_eq!(near("recvform", known), ["recvfrom"]);
        assert_eq!(near("sned", known), ["send"]);
        assert_eq!(near("Send-to", known), ["sendto"]);
        assert_eq!(near("quaff", known), [""; 0]);
        assert_eq!(near("", known), [""; 0]);
    }
}
