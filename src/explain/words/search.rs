//! Full-text search, for words that have no page of their own: the pages that mention them, the
//! best first.

use std::cmp::Ordering;

use super::entry::Entry;
use super::table::GROUPS;
use crate::names::slips::plain;

/// How many pages are listed.
const MOST_FOUND: usize = 5;

/// The weight of a word by its place. A page that has the word in its name is about it.
const IN_NAME: f64 = 8.0;
const IN_GIST: f64 = 4.0;
const IN_TEXT: f64 = 1.0;

/// Pages that mention these words, the best first: those with the most words, and among these those with the
/// rarest.
pub fn search(phrase: &str) -> Vec<&'static Entry> {
    let words = words_of(phrase);
    let pages: Vec<_> = GROUPS.iter().flat_map(|group| &*group.entries).collect();
    let texts: Vec<_> = pages.iter().map(|entry| fields(entry)).collect();
    let mut scores = vec![(0.0, 0); pages.len()];
    for word in &words {
        let counts: Vec<f64> = texts.iter().map(|fields| count(fields, word)).collect();
        let having = counts.iter().filter(|count| **count > 0.0).count();
        // A word that is on every page does not help.
        let rarity = (pages.len() as f64 / (having as f64 + 1.0)).ln().max(0.0);
        for ((score, words), count) in scores.iter_mut().zip(counts).filter(|(_, c)| *c > 0.0) {
            *score += count * rarity;
            *words += 1;
        }
    }
    // Of several words a page must have half.
    let enough = words.len().div_ceil(2);
    let mut found: Vec<_> = scores
        .into_iter()
        .zip(pages)
        .filter(|((score, words), _)| *words >= enough && *score > 0.0)
        .collect();
    found.sort_by(|((a, _), _), ((b, _), _)| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    found.truncate(MOST_FOUND);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Words that are in every question.
const IN_QUESTIONS: &[&str] = &[
    "a", "an", "and", "are", "can", "do", "does", "for", "from", "how", "i", "in", "is", "it",
    "my", "no", "not", "of", "on", "or", "the", "to", "what", "when", "why", "with",
];

fn words_of(phrase: &str) -> Vec<String> {
    let plain = plain(phrase);
    let words = plain.split(|c: char| !c.is_alphanumeric()).map(stem).filter(|word| word.len() > 1);
    words.filter(|word| !IN_QUESTIONS.contains(&word.as_str())).collect()
}

/// A word without the ending of a plural: `sockets` is found where `socket` stands.
fn stem(word: &str) -> String {
    let stem = word.strip_suffix('s').filter(|stem| stem.len() > 3 && !stem.ends_with('s'));
    stem.unwrap_or(word).to_string()
}

/// Name, few words, and all else that a page says, each as words.
fn fields(entry: &Entry) -> [Vec<String>; 3] {
    let gist = super::known::known(entry.name).map_or(entry.gist, |known| known.gist);
    let texts =
        [entry.means, entry.result, entry.trap, entry.when, entry.advice, entry.systems].join(" ");
    [entry.name, gist, &texts].map(words_of)
}

fn count(fields: &[Vec<String>; 3], word: &str) -> f64 {
    let weights = [IN_NAME, IN_GIST, IN_TEXT];
    let counts = fields.iter().zip(weights).map(|(field, weight)| {
        let times = field.iter().filter(|other| *other == word).count();
        // Said often is said well, up to a point.
        weight * (1.0 + times as f64).ln()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(phrase: &str) -> Vec<&'static str> {
        search(phrase).iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn the_best_page_comes_first() {
        for (phrase, expected) in
            [("network order", "htonl"), ("core dump", "SIGQUIT"), ("accept queue full", "accept")]
        {
            assert!(
                names(phrase).iter().take(3).any(|name| *name == expected),
                "{phrase}: {:?}",
                names(phrase)
            );
        }
        assert_eq!(names("xyzzy plugh"), [""; 0]);
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("the"), [""; 0]);
    }
}
