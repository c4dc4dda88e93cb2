//! The advice of the report, by name. The texts are those of [`crate::report::advice`].

use super::Entry;
use crate::report::advice::ALL;

/// An entry for each piece of advice.
pub(super) const ADVICE: &[Entry] = &ENTRIES;

const ENTRIES: [Entry; ALL.len()] = {
    let mut entries = [Entry::named(""); ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        let advice = &ALL[at];
        entries[at] = Entry {
            gist: advice.gist,
            means: advice.means,
            when: advice.shown_by,
            advice: advice.remedy,
            lab: advice.lab,
            ..Entry::named(advice.name)
        };
        at += 1;
    }
    entries
};
