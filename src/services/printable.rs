//! Text of one peer, made safe for the terminal of another.
//!
//! A terminal obeys some of the characters that it prints: ESC, and the 8-bit control character CSI, begin commands
//! that move the cursor, rename the window or send an answer as if the reader had typed it; the marks for writing
//! direction make a line look like another one. So every character that does not print is shown as an escape: `\u{1b}`,
//! `\u{202e}`, and `\xff` for bytes that are not UTF-8.

/// Appends text from a stranger. The bytes must not end within a character: half a character would be shown as escaped
/// bytes.
pub fn append_printable(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                // The two joiners do not print, but shape their neighbours: Persian and many emoji need them.
                ' '..='~' | '\u{200c}' | '\u{200d}' => out.push(c),
                // std knows which characters do not print: control and format characters, separators, and unassigned
                // ones. At the beginning of a text it also escapes combining marks, so a letter stands before.
                _ => out.extend(format!("a{c}").escape_debug().skip(1)),
            }
        }
        out.extend(chunk.invalid().escape_ascii().map(char::from));
    }
}

/// Text from a stranger, such as the name of a file or a line of a log.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    append_printable(&mut out, text.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printable(bytes: &[u8]) -> String {
        let mut out = String::new();
        append_printable(&mut out, bytes);
        out
    }

    #[test]
    fn text_stays_as_it_is() {
        for text in [
            "It's \"so\": C:\\>",
            "Grüße, Zoë — 日本語",
            "e\u{301}",
            "नमस्ते",
            "👩\u{200d}🎓",
            "می\u{200c}خواهم",
        ] {
            assert_eq!(printable(text.as_bytes()), text);
        }
    }

    #[test]
    fn control_characters_are_shown_as_escapes() {
        for (bytes, shown) in [
            (&b"\x1b[2J\x1b]0;title\x07"[..], r"\u{1b}[2J\u{1b}]0;title\u{7}"),
            (b"a\rb\tc\0d\x7f\x08", r"a\rb\tc\0d\u{7f}\u{8}"),
            ("\u{9b}31m\u{85}".as_bytes(), r"\u{9b}31m\u{85}"),
            ("\u{202e}\u{2066}\u{200f}\u{61c}".as_bytes(), r"\u{202e}\u{2066}\u{200f}\u{61c}"),
            ("\u{2028}\u{feff}\u{e0041}".as_bytes(), r"\u{2028}\u{feff}\u{e0041}"),
            (b"\x9b31m \xff \xc3 \xed\xa0\x80", r"\x9b31m \xff \xc3 \xed\xa0\x80"),
        ] {
            assert_eq!(printable(bytes), shown);
        }
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let shown = printable(&bytes);
            prop_assert!(!shown.contains(char::is_control), "{shown:?}");
        }

        #[test]
        fn nor_any_mark_of_direction(text in any::<String>(), mark in 0x202au32..0x202f) {
            let marked = format!("{text}{}", char::from_u32(mark).unwrap());
            let shown = printable(marked.as_bytes());
            prop_assert!(!shown.contains(|c| ('\u{202a}'..='\u{202e}').contains(&c)), "{shown:?}");
        }
    }
}
