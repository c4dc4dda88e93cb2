//! Lines that fit a terminal: how wide it is, and text broken to fit. (clap breaks its help only with its feature
//! `wrap_help`, which takes more packages.)

use console::Term;

/// How wide prose is if no terminal says how wide it is: remarks are broken to fit, or their lines would run together with calls'.
pub(crate) const COLUMNS: usize = 80;

/// Narrower than this no terminal is taken for: nothing would fit.
const FEWEST_COLUMNS: usize = 20;

/// Prose in longer lines is hard to read.
const MOST_COLUMNS_OF_PROSE: usize = 100;

/// How wide what stands between calls is: as ever, or less on a terminal that is narrower.
pub(crate) fn columns() -> usize {
    width(&Term::stdout())
        .or_else(|| width(&Term::stderr()))
        .map_or(COLUMNS, |width| width.min(COLUMNS))
}

/// How wide standard output is, if it is a terminal.
pub(crate) fn width_of_output() -> Option<usize> {
    width(&Term::stdout())
}

/// How wide prose on standard output is.
pub(crate) fn columns_of_prose() -> usize {
    width_of_output().map_or(COLUMNS, |width| width.min(MOST_COLUMNS_OF_PROSE))
}

/// The width of a terminal that tells it. (Terminals on a serial line say 0.)
fn width(terminal: &Term) -> Option<usize> {
    let (_, width) = terminal.size_checked().filter(|(_, width)| *width > 0)?;
    Some(usize::from(width).max(FEWEST_COLUMNS))
}

/// Text for standard output, broken where that is a terminal too narrow for it; elsewhere as it is.
pub(crate) fn fitted_to_output(text: String) -> String {
    match width_of_output() {
        Some(width) => fitted(&text, width),
        None => text,
    }
}

/// What would be hard to read in two lines.
const TOGETHER: &[&str] = &["[default: ", "(implies --"];

/// Breaks lines that are longer than so many columns between words. What goes on stands below the beginning: below the
/// help of a flag, where that stands beside it.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    /// Stands for a blank within what is to stay together.
    const BLANK: char = '\u{a0}';
    let mut out = String::new();
    for line in text.lines() {
        let line = TOGETHER.iter().fold(line.to_string(), |line, part| {
            line.replace(part, &part.replace(' ', &BLANK.to_string()))
        });
        let line = line.as_str();
        // Further right too little would be left of a line.
        let indent = indent(line, columns / 2);
        let (mut used, mut is_first) = (0, true);
        for word in line.trim_end().split_inclusive(' ') {
            let (with_blank, alone) = (length(word), length(word.trim_end()));
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

/// Where the rest of a line goes: below what follows the first gap in it.
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

/// Without what sets colours: an escape, and everything up to its `m`.
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
