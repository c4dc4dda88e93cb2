//! A directory as a page.
//!
//! Names are untrusted: they are escaped in text, and encoded in links.

use std::fmt::{self, Write};
use std::os::unix::fs::MetadataExt;

use super::super::append_printable;
use super::file::HttpTime;
use super::path::{SitePath, encoded};
use super::root::{DirectoryEntry, Entries};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font-family:sans-serif;margin:2em}\
td,th{padding:.1em 1.5em .1em 0;text-align:left}\
td.size,th.size{text-align:right;font-variant-numeric:tabular-nums}";

/// The page of a directory: first its directories, then its files, each by name.
pub(super) fn page(place: &SitePath, mut found: Entries) -> String {
    found.entries.sort_by(|one, other| {
        let key = |entry: &DirectoryEntry| !entry.metadata.is_dir();
        key(one).cmp(&key(other)).then_with(|| one.name.cmp(&other.name))
    });
    let mut page = String::with_capacity(1024 + 200 * found.entries.len());
    // Writing to memory cannot fail.
    let _ = write_page(&mut page, place, &found);
    page
}

fn write_page(page: &mut String, place: &SitePath, found: &Entries) -> fmt::Result {
    let shown = place.shown();
    let path = Escaped(&shown);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{path}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{path}</h1>\n<table>\n\
         <tr><th>Name</th><th class=\"size\">Size</th><th>Changed</th></tr>\n"
    )?;
    if !place.relative.as_os_str().is_empty() {
        page.push_str("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    }
    for entry in &found.entries {
        write_entry(page, entry)?;
    }
    page.push_str("</table>\n");
    if found.there_is_more {
        page.push_str("<p>There is more than is shown here.</p>\n");
    }
    page.push_str("</body>\n</html>\n");
    Ok(())
}

fn write_entry(page: &mut String, entry: &DirectoryEntry) -> fmt::Result {
    let slash = if entry.metadata.is_dir() { "/" } else { "" };
    let href = encoded(&entry.name);
    let name = entry.name.to_string_lossy();
    write!(page, "<tr><td><a href=\"{href}{slash}\">{}{slash}</a></td>", Escaped(&name))?;
    let size = entry.metadata.is_file().then(|| Size(entry.metadata.len()).to_string());
    let changed = HttpTime::at(entry.metadata.mtime()).map(|moment| moment.text);
    writeln!(
        page,
        "<td class=\"size\">{}</td><td>{}</td></tr>",
        size.unwrap_or_default(),
        changed.unwrap_or_default()
    )
}

/// Text escaped for a page, or for an attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printable = String::with_capacity(self.0.len());
        append_printable(&mut printable, self.0.as_bytes());
        for c in printable.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A number of bytes for a person.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        if bytes < 1024 {
            return write!(f, "{bytes} B");
        }
        let mut tenths = u128::from(bytes) * 10 / 1024;
        let mut unit = 0;
        while tenths >= 10240 {
            tenths /= 1024;
            unit += 1;
        }
        let unit = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][unit];
        write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn entry(name: &[u8], of: &str) -> DirectoryEntry {
        DirectoryEntry { name: OsStr::from_bytes(name).into(), metadata: fs::metadata(of).unwrap() }
    }

    fn page_of(entries: Vec<DirectoryEntry>) -> String {
        let place = SitePath { relative: "a<b".into(), is_directory: true };
        page(&place, Entries { entries, there_is_more: false })
    }

    #[test]
    fn a_name_is_text_in_the_page_and_encoded_in_the_link() {
        for (name, shown) in [
            (
                &b"<script>alert(1)</script>"[..],
                r#"<a href="%3Cscript%3Ealert%281%29%3C">&lt;script&gt;alert(1)&lt;</a>"#,
            ),
            (
                b"a\" onclick='x'&",
                r#"<a href="a%22%20onclick%3D%27x%27%26">a&quot; onclick=&#39;x&#39;&amp;</a>"#,
            ),
            (b"javascript:x", r#"<a href="javascript%3Ax">javascript:x</a>"#),
            ("bä%?#".as_bytes(), r#"<a href="b%C3%A4%25%3F%23">bä%?#</a>"#),
            ("\u{202e}gpj.exe".as_bytes(), "<a href=\"%E2%80%AEgpj.exe\">\\u{202e}gpj.exe</a>"),
            (b"\xff\x1b[2J\n", "<a href=\"%FF%1B%5B2J%0A\">\u{fffd}\\u{1b}[2J\\n</a>"),
        ] {
            let name: Vec<_> = name.iter().copied().filter(|byte| *byte != b'/').collect();
            let page = page_of(vec![entry(&name, "Cargo.toml")]);
            let shown =
                shown.replace("%3C\"", "%3Cscript%3E\"").replace("&lt;</a>", "&lt;script&gt;</a>");
            assert!(page.contains(&shown), "{shown}\n{page}");
            assert!(page.contains("<h1>/a&lt;b/</h1>"), "{page}");
        }
    }

    #[test]
    fn directories_come_first_and_only_the_root_has_no_way_up() {
        let page =
            page_of(vec![entry(b"b", "Cargo.toml"), entry(b"c", "src"), entry(b"a", "Cargo.toml")]);
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text} in\n{page}"));
        let order = [at("\"../\""), at("\"c/\">c/<"), at("\"a\">a<"), at("\"b\">b<")];
        assert!(order.is_sorted(), "{page}");
        let root =
            super::page(&SitePath { relative: "".into(), is_directory: true }, Entries::default());
        assert!(root.contains("<h1>/</h1>") && !root.contains("../"), "{root}");
    }

    #[test]
    fn a_directory_without_end_has_a_page_with_one() {
        let place = SitePath { relative: "".into(), is_directory: true };
        let page = page(&place, Entries { there_is_more: true, ..Entries::default() });
        assert!(page.contains("There is more"));
    }

    #[test]
    fn sizes_are_written_for_people() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (1024 * 1024, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), expected);
        }
    }
}
