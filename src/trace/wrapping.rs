//! Prose in lines of a certain width, broken between words.

use std::fmt::Write as _;

/// Wraps a text between words into lines of at most `columns` characters, if possible not within parentheses. A longer
/// word gets a line of its own.
pub fn wrapped(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let fits = match rest.char_indices().nth(columns) {
            None => rest.len(),
            Some((end, _)) => {
                let next = &rest[end..];
                let space = if next.starts_with(' ') { Some(end) } else { rest[..end].rfind(' ') };
                let before = space.map(|space| before_parenthesis(rest, space));
                before.or_else(|| rest[end..].find(' ').map(|at| end + at)).unwrap_or(rest.len())
            }
        };
        lines.push(rest[..fits].trim_end());
        rest = rest[fits..].trim_start();
    }
    lines
}

/// Where to break a line: at this space, or before the parenthesis that contains it.
fn before_parenthesis(text: &str, space: usize) -> usize {
    let open = text[..space].rfind(" (").filter(|open| !text[*open..space].contains(')'));
    open.filter(|open| *open > 0).unwrap_or(space)
}

/// A paragraph of this width, without a newline at its end: its first line begins at `column`, where other text may stand
/// before it, and all others are indented.
pub fn paragraph(text: &str, columns: usize, column: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut at = column;
    for (number, word) in text.split(' ').enumerate() {
        let blank = usize::from(number > 0);
        let width = word.chars().count();
        if at + blank + width > columns && (number > 0 || at > indent) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\n{:indent$}", "");
            at = indent;
        } else if number > 0 {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 100), ["one two three"]);
        assert_eq!(wrapped("extraordinary one", 4), ["extraordinary", "one"]);
        assert_eq!(wrapped("a extraordinary", 4), ["a", "extraordinary"]);
        assert_eq!(wrapped("", 4), [""; 0]);
        assert_eq!(wrapped("one two (three four)", 14), ["one two", "(three four)"]);
        assert_eq!(wrapped("one (two) three", 14), ["one (two)", "three"]);
        assert_eq!(wrapped("(one two) three", 5), ["(one", "two)", "three"]);
        assert_eq!(wrapped("größer größer", 6), ["größer", "größer"]);
    }

    #[test]
    fn a_paragraph_goes_on_below_its_beginning() {
        assert_eq!(paragraph("one two three", 13, 0, 4), "one two three");
        assert_eq!(paragraph("one two three", 12, 0, 4), "one two\n    three");
        assert_eq!(paragraph("one two three", 12, 6, 4), "one\n    two\n    three");
        // Where nothing of it fits beside what stands before it, it begins below.
        assert_eq!(paragraph("one two", 12, 10, 4), "\n    one two");
        assert_eq!(paragraph("extraordinary", 5, 0, 4), "extraordinary");
        assert_eq!(paragraph("", 5, 0, 4), "");
    }
}
