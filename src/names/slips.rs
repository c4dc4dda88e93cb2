//! Names that were nearly written right.

/// Two words are one to a reader if they differ in case, or in what stands between their parts: `Half-close` is
/// `half close`, and `so-reuseaddr` is `SO_REUSEADDR`.
pub fn plain(word: &str) -> String {
    word.to_lowercase().replace(['-', '_'], " ")
}

/// Those of the known names that are a slip or two away from this word, the nearest first.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = plain(word.trim());
    // Of a short word two slips leave too little.
    let most_slips = if word.chars().count() <= 5 { 1 } else { 2 };
    let slips = known.into_iter().map(|name| (count_slips(&word, &plain(name)), name));
    let mut nearest: Vec<_> = slips.filter(|(slips, _)| *slips <= most_slips).collect();
    nearest.sort_by_key(|(slips, _)| *slips);
    nearest.into_iter().map(|(_, name)| name).collect()
}

/// How many letters are wrong, missing, too many or exchanged with their neighbour.
#[cfg(feature = "program")]
fn count_slips(word: &str, name: &str) -> usize {
    strsim::osa_distance(word, name)
}

/// The library alone does not guess: it knows a name that is written right.
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
