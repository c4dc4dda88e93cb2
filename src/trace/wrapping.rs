//! Text in lines: where a reader's line is full, it goes on in the next.

/// Breaks a text between words into lines of at most `columns` characters; where it can be, not within parentheses. A
/// longer word has a line of its own.
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

/// A place to break a line: this space, or the one before the parenthesis that it stands in.
fn before_parenthesis(text: &str, space: usize) -> usize {
    let open = text[..space].rfind(" (").filter(|open| !text[*open..space].contains(')'));
    open.filter(|open| *open > 0).unwrap_or(space)
}

/// The same as one text with its last line ended, of lines of at most `width` characters: it begins in this column, goes on
/// in lines that are indented by so much, and breaks at every space, also within parentheses.
pub fn hanging(text: &str, width: usize, column: usize, indent: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = column;
    for (number, word) in text.split(' ').enumerate() {
        let len = word.chars().count();
        if number > 0 && at + 1 + len > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            at = indent;
        } else if number > 0 {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += len;
    }
    out.push('\n');
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
    fn a_paragraph_hangs() {
        assert_eq!(hanging("one two three", 7, 0, 2), "one two\n  three\n");
        assert_eq!(hanging("one two three", 9, 2, 4), "one two\n    three\n");
        assert_eq!(hanging("a extraordinary", 4, 0, 1), "a\n extraordinary\n");
        assert_eq!(hanging("größer größer", 6, 0, 0), "größer\ngrößer\n");
        assert_eq!(hanging("(one two)", 5, 0, 0), "(one\ntwo)\n");
        assert_eq!(hanging("", 5, 0, 0), "\n");
    }
}
