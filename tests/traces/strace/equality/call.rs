//! A line of either trace, taken apart: name, arguments, result.

use std::fmt;

/// `name(arguments) = result`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Before the parenthesis.
    pub(crate) name: String,
    /// Between the parentheses, cut at the commas that stand in no string and no bracket.
    pub(crate) args: Vec<String>,
    /// Behind the equals sign, with what stands in parentheses behind the number.
    pub(crate) result: String,
}

impl Call {
    /// Takes a line apart; none if it is not a call, or one that did not return.
    ///
    /// The white space before `=` goes here: strace fills up to column 40 with it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return None;
        }
        let mut args = vec![String::new()];
        let mut depth = 0;
        for piece in pieces(rest) {
            let last = args.last_mut()?;
            match piece {
                Piece::Other(')', after) if depth == 0 => {
                    let result = after.trim_start().strip_prefix("= ")?.to_string();
                    let args = if args == [""] { Vec::new() } else { args };
                    return Some(Self { name: name.to_string(), args, result });
                }
                Piece::Other(',', _) if depth == 0 => args.push(String::new()),
                Piece::Other(' ', _) if depth == 0 && last.is_empty() => {}
                Piece::Other(mark, _) => {
                    depth += i32::from("([{".contains(mark)) - i32::from(")]}".contains(mark));
                    last.push(mark);
                }
                Piece::Whole(text) => last.push_str(text),
            }
        }
        None
    }

    /// The call without its figures: what makes two lines the same lesson. Numbers become `#`, strings `""`
    /// or `"…"`, and repetitions are told once.
    pub(crate) fn form(&self) -> String {
        let mut form = String::new();
        let text = self.to_string();
        let mut in_word = false;
        for piece in pieces(&text) {
            match piece {
                Piece::Whole(text) if text.starts_with('"') => {
                    form.push_str(if text == "\"\"" { "\"\"" } else { "\"…\"" });
                }
                Piece::Whole(_) => {}
                Piece::Other(mark, _) => {
                    let digit = mark.is_ascii_digit() && !in_word;
                    in_word = !digit && (mark.is_ascii_alphanumeric() || mark == '_');
                    let zero_alone = form.ends_with("= ") && text.ends_with("= 0");
                    if !digit || zero_alone {
                        form.push(mark);
                    } else if !form.ends_with('#') {
                        form.push('#');
                    }
                }
            }
        }
        for (many, one) in [("# #", "#"), ("#, #", "#"), ("= -#", "= -1")] {
            while form.contains(many) {
                form = form.replace(many, one);
            }
        }
        rows_once(&form)
    }
}

/// Rows that repeat the one before are left out.
fn rows_once(form: &str) -> String {
    let mut once = String::new();
    let mut before = "";
    for row in form.split("}, {") {
        let inside = row.rsplit('{').next().unwrap_or(row);
        let repeats = row == before;
        if !repeats && !once.is_empty() {
            once.push_str("}, {");
        }
        if !repeats {
            once.push_str(row);
        }
        before = inside;
    }
    once
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}) = {}", self.name, self.args.join(", "), self.result)
    }
}

/// A piece of a line.
pub(crate) enum Piece<'a> {
    /// A string with its quotes, or a comment: nothing in it counts.
    Whole(&'a str),
    /// Any other character, and what follows it.
    Other(char, &'a str),
}

/// The pieces of a line, in order.
pub(crate) fn pieces(line: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if first == '"' || rest.starts_with("/*") {
            let (whole, after) =
                rest.split_at(if first == '"' { string_len(rest) } else { comment_len(rest) });
            rest = after;
            return Some(Piece::Whole(whole));
        }
        rest = &rest[first.len_utf8()..];
        Some(Piece::Other(first, rest))
    })
}

fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn comment_len(text: &str) -> usize {
    text.find("*/").map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_before_the_equals_sign_does_not_count() {
        let call = Call::parse("close(3)                                = 0").unwrap();
        assert_eq!(call.to_string(), "close(3) = 0");
    }

    #[test]
    fn a_string_may_hold_anything() {
        let call = Call::parse(r#"send(3, ") = 5, \" \\", 9, 0) = 9"#).unwrap();
        assert_eq!(call.args, ["3", r#"") = 5, \" \\""#, "9", "0"]);
        assert_eq!(call.result, "9");
    }

    #[test]
    fn brackets_hold_their_commas() {
        let call = Call::parse(
            "poll([{fd=3, events=POLLIN}, {fd=-1}], 2, -1) = 1 ([{fd=3, revents=POLLIN}])",
        );
        let call = call.unwrap();
        assert_eq!(call.args, ["[{fd=3, events=POLLIN}, {fd=-1}]", "2", "-1"]);
        assert_eq!(call.result, "1 ([{fd=3, revents=POLLIN}])");
    }

    #[test]
    fn exits_and_signals_are_not_calls() {
        assert_eq!(
            Call::parse("exit_group(0)                           = ?").map(|call| call.result),
            Some("?".into())
        );
        assert_eq!(Call::parse("+++ exited with 0 +++"), None);
        assert_eq!(Call::parse("--- SIGUSR1 {si_signo=SIGUSR1} ---"), None);
    }

    #[test]
    fn a_form_has_no_figures() {
        let form = |line| Call::parse(line).unwrap().form();
        assert_eq!(
            form("send(3, \"hello\", 5, MSG_OOB) = 5"),
            form("send(12, \"bye\", 3, MSG_OOB) = 3")
        );
        assert_eq!(
            form("select(8, [3 5 6], NULL, NULL, NULL) = 2 (in [3 5])"),
            "select(#, [#], NULL, NULL, NULL) = # (in [#])"
        );
        assert_eq!(
            form(
                "poll([{fd=3, events=0}, {fd=4, events=0}, {fd=5, events=POLLIN}], 3, 0) = 0 (Timeout)"
            ),
            "poll([{fd=#, events=#}, {fd=#, events=POLLIN}], #) = # (Timeout)"
        );
        assert_ne!(form("recv(3, \"\", 9, 0) = 0"), form("recv(3, \"x\", 9, 0) = 1"));
        assert_eq!(
            form("accept4(3, ADDRESS, [128], 0) = -1 EAGAIN (Resource)"),
            "accept4(#, ADDRESS, [#], #) = -1 EAGAIN (Resource)"
        );
    }
}
