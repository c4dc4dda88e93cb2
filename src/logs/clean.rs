//! Undoes what a forum, a mailer, an editor or a terminal did to a line of a log.

/// What the beginning of a log shows about all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Whether each line begins with a line number, in the place where strace writes a process id.
    pub numbered: bool,
}

impl Habits {
    /// Examines the beginning of a log. Lines are numbered if each number is one more than the one before: process ids
    /// do not grow like that.
    pub fn of(sample: &[u8]) -> Self {
        const ENOUGH: usize = 40;
        let text = String::from_utf8_lossy(&sample[..sample.len().min(64 << 10)]);
        let numbers = text.lines().filter_map(|line| {
            let line = without_quotes(line);
            let (number, rest) = super::number::digits(line)?;
            rest.starts_with(' ').then_some(number)
        });
        let numbers: Vec<_> = numbers.take(ENOUGH).collect();
        let goes_up = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
        Self { numbered: numbers.len() > 2 && goes_up }
    }
}

/// A line without additions: colours, quotation marks, line numbers, indentation. Bytes that are not UTF-8 are
/// replaced; strace writes ASCII. `scratch` holds the line if it must be rewritten.
pub fn clean<'a>(bytes: &'a [u8], habits: Habits, scratch: &'a mut String) -> &'a str {
    let has_colours = memchr::memchr(ESCAPE, bytes).is_some();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if !has_colours => text,
        _ => {
            scratch.clear();
            copy_without_colours(bytes, scratch);
            scratch
        }
    };
    let text = without_quotes(text);
    without_number(text, habits).trim_ascii()
}

const ESCAPE: u8 = 0x1b;

/// What some editors of Windows put before a text; also in the middle, if files were joined.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Why a file cannot be read as a log: it is UTF-16, which PowerShell's `>` writes, or one of the kinds of files that lie
/// beside logs. `None` if it can be read.
pub fn unreadable(sample: &[u8]) -> Option<&'static str> {
    const COMPRESSED: &str =
        "this is compressed; decompress it, as in `zcat FILE | baresock read -`";
    const PACKETS: &str =
        "these are packets, as --pcap and tcpdump write them; Wireshark and tshark read them";
    let beginnings: [(&[u8], &str); 9] = [
        (b"\x1f\x8b", COMPRESSED),
        (b"BZh", COMPRESSED),
        (b"\xfd7zXZ\0", COMPRESSED),
        (b"\x28\xb5\x2f\xfd", COMPRESSED),
        // pcapng, and pcap in both byte orders and of both resolutions.
        (b"\x0a\x0d\x0d\x0a", PACKETS),
        (b"\xd4\xc3\xb2\xa1", PACKETS),
        (b"\xa1\xb2\xc3\xd4", PACKETS),
        (b"\x4d\x3c\xb2\xa1", PACKETS),
        (b"\xa1\xb2\x3c\x4d", PACKETS),
    ];
    if let Some((_, what)) = beginnings.iter().find(|(bytes, _)| sample.starts_with(bytes)) {
        return Some(what);
    }
    let is_marked = [[0xff, 0xfe], [0xfe, 0xff]].iter().any(|mark| sample.starts_with(mark));
    let has_wide_letters = sample.iter().take(100).any(|byte| *byte == 0);
    (is_marked && has_wide_letters)
        .then_some("this is UTF-16, as PowerShell's > writes it; save it as UTF-8")
}

/// Copies a line without the sequences that colour it on a terminal: `ESC [ … m` and the like.
fn copy_without_colours(bytes: &[u8], to: &mut String) {
    let mut pieces = bytes.split(|byte| *byte == ESCAPE);
    to.push_str(&String::from_utf8_lossy(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let sequence_len = match piece.first() {
            Some(b'[') => {
                piece.iter().position(|byte| (b'@'..=b'~').contains(byte) && *byte != b'[')
            }
            _ => None,
        };
        let rest = sequence_len.map_or(piece, |len| &piece[len + 1..]);
        to.push_str(&String::from_utf8_lossy(rest));
    }
}

/// Without indentation and quotation marks: `> > `, and what Markdown puts before a list item or around a line of code.
fn without_quotes(text: &str) -> &str {
    let mut text = text.trim_start_matches(BYTE_ORDER_MARK).trim_ascii_start();
    loop {
        text = match text.as_bytes() {
            // An arrow of strace is in the middle of a line; a stack of strace begins with a mark and a path.
            [b'>', b' ' | b'\t' | b'>', ..] => text[1..].trim_ascii_start(),
            [b'>', b'a'..=b'z' | b'[', ..] => &text[1..],
            [b'*' | b'-', b' ', ..] => text[2..].trim_ascii_start(),
            [b'`', inside @ ..] if !inside.starts_with(b"``") => {
                let inside = &text[1..];
                inside.strip_suffix('`').unwrap_or(inside)
            }
            _ => return text,
        }
    }
}

/// Without the line number: `12:`, `12.`, `12|`, `12)`, or `12` and a tab; or a space, if the whole log is numbered
/// like that.
fn without_number(text: &str, habits: Habits) -> &str {
    let Some((_, rest)) = super::number::digits(text) else { return text };
    let is_number = match rest.as_bytes() {
        [b'\t' | b'|' | b')', ..] | [b'.', b' ' | b'\t', ..] => true,
        // But not the time of day.
        [b':', after @ ..] => !matches!(after, [b'0'..=b'5', b'0'..=b'9', b':', ..]),
        [b' ', ..] => habits.numbered,
        _ => false,
    };
    if is_number { rest[1..].trim_ascii_start() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(line: &str) -> String {
        clean(line.as_bytes(), Habits::default(), &mut String::new()).to_string()
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (sample, said) in [
            (&b"\xff\xfes\0o\0c\0"[..], "UTF-16"),
            (b"\x1f\x8b\x08\0", "compressed"),
            (b"\x28\xb5\x2f\xfd\x24", "compressed"),
            (b"BZh91AY", "compressed"),
            (b"\xfd7zXZ\0\0", "compressed"),
            (b"\x0a\x0d\x0d\x0a\x1c\0", "packets"),
            (b"\xd4\xc3\xb2\xa1\x02\0", "packets"),
        ] {
            assert!(unreadable(sample).unwrap().contains(said), "{}", sample.escape_ascii());
        }
        for log in [&b""[..], b"\n\r\n", b"socket(AF_INET", b"BZ", b"\xef\xbb\xbfclose(3) = 0"] {
            assert_eq!(unreadable(log), None, "{}", log.escape_ascii());
        }
    }

    #[test]
    fn what_was_put_around_a_line_is_taken_off() {
        let line = "recv(6, \"> x\", 9, 0) = 3";
        for around in [
            line.to_string(),
            format!("{line}\r"),
            format!("    {line}  "),
            format!("> {line}"),
            format!(">{line}"),
            format!("> > \t{line}"),
            format!("  12: {line}"),
            format!("12. {line}"),
            format!("     1\t{line}"),
            format!("7| {line}"),
            format!("* {line}"),
            format!("`{line}`"),
            format!("\x1b[1mrecv\x1b[0m({}", &line["recv(".len()..]),
            format!("\x1b[38;5;12m{line}\x1b[K"),
        ] {
            assert_eq!(cleaned(&around), line, "{around:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_line_stays() {
        for line in [
            "12 close(3) = 0",
            "12:30:01 close(3) = 0",
            "12:30:01.000001 close(3) = 0",
            "0.000123 close(3) = 0",
            "[pid 7] close(3) = 0",
            "--- SIGPIPE {si_signo=SIGPIPE} ---",
            "<... recv resumed>\"\", 9, 0) = 0",
        ] {
            assert_eq!(cleaned(line), line);
        }
    }

    #[test]
    fn numbers_of_lines_go_up_by_one_and_those_of_processes_do_not() {
        let numbered = Habits::of(b" 8 a(1) = 0\n 9 b(2) = 0\n10 c(3) = 0\n");
        assert!(numbered.numbered);
        assert_eq!(clean(b" 9 close(2) = 0", numbered, &mut String::new()), "close(2) = 0");
        assert_eq!(clean(b"9 77 close(2) = 0", numbered, &mut String::new()), "77 close(2) = 0");
        for text in ["7 a(1) = 0\n7 b(2) = 0\n8 c(3) = 0\n", "1 a(1) = 0\n", ""] {
            assert!(!Habits::of(text.as_bytes()).numbered, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut scratch = String::new();
        assert_eq!(clean(b"a\xff\x1b[", Habits::default(), &mut scratch), "a\u{fffd}[");
        assert_eq!(clean(b"\x1b", Habits::default(), &mut scratch), "");
    }
}
