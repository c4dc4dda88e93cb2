//! Lines that fit a terminal: its width, and text wrapped to it. (clap wraps its help only with its feature
//! `wrap_help`, which takes more packages.)

use console::Term;

/// The width of prose if no terminal tells its own: remarks are wrapped, or they could not be told from the lines of
/// calls.
pub(crate) const COLUMNS: usize = 80;

/// No terminal is taken to be narrower: nothing would fit.
const FEWEST_COLUMNS: usize = 20;

/// Prose in longer lines is hard to read.
const MOST_COLUMNS_OF_PROSE: usize = 100;

/// The width for text between calls: the usual one, or that of a narrower terminal.
pub(crate) fn columns() -> usize {
    width(&Term::stdout())
        .or_else(|| width(&Term::stderr()))
        .map_or(COLUMNS, |width| width.min(COLUMNS))
}

/// The width of standard output, if it is a terminal.
pub(crate) fn width_of_output() -> Option<usize> {
    width(&Term::stdout())
}

/// The width of prose on standard output.
pub(crate) fn columns_of_prose() -> usize {
    width_of_output().map_or(COLUMNS, |width| width.min(MOST_COLUMNS_OF_PROSE))
}

/// The width of a terminal, if it tells one. (Terminals on a serial line say 0.)
fn width(terminal: &Term) -> Option<usize> {
    let (_, width) = terminal.size_checked().filter(|(_, width)| *width > 0)?;
    Some(usize::from(width).max(FEWEST_COLUMNS))
}

/// Text for standard output, wrapped if that is a terminal too narrow for it; otherwise unchanged.
pub(crate) fn fitted_to_output(text: String) -> String {
    match width_of_output() {
        Some(width) => fitted(&text, width),
        None => text,
    }
}

/// Phrases that are hard to read in two lines.
const TOGETHER: &[&str] = &["[default: ", "(implies --"];

/// Wraps longer lines between words. Continued lines are aligned with the text in the first: for a flag's help beside
/// the flag, below the help.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    /// Stands for a blank inside a phrase that stays together.
    const BLANK: char = '\u{a0}';
    let mut out = String::new();
    for line in text.lines() {
        let line = TOGETHER.iter().fold(line.to_string(), |line, part| {
            line.replace(part, &part.replace(' ', &BLANK.to_string()))
        });
        let line = line.as_str();
        // Further to the right, too little would be left of a line.
        let indent = indent(line, columns / 2);
        let mut used = 0;
        let mut is_first = true;
        for word in line.trim_end().split_inclusive(' ') {
            let with_blank = length(word);
            let alone = length(word.trim_end());
            if !is_first && used + alone > columns {
                out.truncate(out.trim_end().len());
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                used = indent;
            }
            is_first &= alone == 0;
            out.push_str(word);
            used += with_blank;
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out.replace(BLANK, " ")
}

/// Where to continue a line: below the text after its first gap.
fn indent(line: &str, most: usize) -> usize {
    let line = without_style(line);
    let margin = line.len() - line.trim_start().len();
    let gap = line[margin..].find("  ").map(|at| margin + at);
    let beside = gap.map(|gap| gap + line[gap..].len() - line[gap..].trim_start().len());
    beside.filter(|column| *column <= most).unwrap_or(margin)
}

fn length(text: &str) -> usize {
    without_style(text).chars().count()
}

/// The text without colours: without each escape and everything up to its `m`.
fn without_style(text: &str) -> String {
    let mut plain = String::new();
    for (number, part) in text.split('\u{1b}').enumerate() {
        plain.push_str(if number == 0 { part } else { part.split_once('m').unwrap_or(("", "")).1 });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_below_its_beginning() {
        assert_eq!(fitted("one two three\n", 7), "one two\nthree\n");
        assert_eq!(fitted("  one two three", 9), "  one two\n  three\n");
        assert_eq!(
            fitted("  -f, --flag  one two three four five", 28),
            "  -f, --flag  one two three\n              four five\n"
        );
        assert_eq!(fitted("  -f, --flag  one two three", 21), "  -f, --flag  one two\n  three\n");
        assert_eq!(fitted("fits\n\n   \nfits", 4), "fits\n\n\nfits\n");
        assert_eq!(fitted("one [default: 2]", 12), "one\n[default: 2]\n");
        assert_eq!(fitted("extraordinary one", 4), "extraordinary\none\n");
    }

    #[test]
    fn colours_take_no_columns() {
        let coloured = "\u{1b}[1mone\u{1b}[0m \u{1b}[1mtwo\u{1b}[0m three";
        assert_eq!(fitted(coloured, 7), format!("{}\nthree\n", &coloured[..coloured.len() - 6]));
    }
}
