//! A file as HTTP describes it, and its bytes.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the head of a response says about a file.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) len: u64,
    /// When the file was last changed, if that can be expressed in whole seconds.
    pub(super) modified: Option<HttpTime>,
    /// The header fields of a response, whichever part of the file is sent.
    pub(super) fields: String,
}

/// A moment in HTTP: whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTime {
    /// Seconds since 1970.
    pub(crate) seconds: u64,
    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    pub text: String,
}

/// The first moment that has no date in HTTP: the year has four digits.
const YEAR_10000: u64 = 253_402_300_800;

impl HttpTime {
    /// A moment as a date; `None` before 1970 and after 9999.
    pub fn at(seconds: i64) -> Option<Self> {
        let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds < YEAR_10000)?;
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        Some(Self { seconds, text: httpdate::fmt_http_date(time) })
    }

    /// The seconds of a client's date, in any of HTTP's three forms.
    pub(super) fn seconds_of(text: &str) -> Option<u64> {
        let time = httpdate::parse_http_date(text).ok()?;
        time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }
}

/// The seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Described {
    pub(super) fn new(name: &Path, metadata: &Metadata, now: u64) -> Self {
        let now = now as i64;
        let modified = match metadata.mtime() {
            // The file can change again within this second, and its date would stay the same: a client that asks later
            // whether its copy is still right would be told so (RFC 9110, 8.8.2.2).
            seconds if seconds == now => None,
            // A date in the future is replaced by the date of the response (RFC 9110, 8.8.2.1).
            seconds => HttpTime::at(seconds.min(now)),
        };
        let media_type = media_type(name);
        let mut fields = format!("Content-Type: {media_type}\r\nAccept-Ranges: bytes\r\n");
        if let Some(moment) = &modified {
            fields.push_str(&format!("Last-Modified: {}\r\n", moment.text));
        }
        Self { len: metadata.len(), modified, fields }
    }
}

/// The media type, judged by the file's name.
fn media_type(name: &Path) -> String {
    let media_type = mime_guess::from_path(name).first_or_octet_stream();
    let charset = if media_type.type_() == "text" { "; charset=utf-8" } else { "" };
    format!("{media_type}{charset}")
}

/// Reads exactly these bytes of a file. (A file on a disk is always ready, so all clients wait for the disk.)
///
/// # Errors
/// Also if the file has become shorter.
pub(super) fn read(file: &File, at: u64, into: &mut [u8]) -> io::Result<()> {
    file.read_exact_at(into, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_in_one_form_and_read_in_three() {
        let moment = HttpTime::at(784_111_777).unwrap();
        assert_eq!(moment.text, "Sun, 06 Nov 1994 08:49:37 GMT");
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(HttpTime::seconds_of(text), Some(moment.seconds), "{text}");
        }
        for text in ["", "now", "Sun, 99 Nov 1994 08:49:37 GMT", "784111777", "\u{fffd}"] {
            assert_eq!(HttpTime::seconds_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_from_the_future_was_changed_when_it_is_served() {
        let path = std::env::temp_dir().join(format!("baresock-future-{}", std::process::id()));
        std::fs::write(&path, "x").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(4_000_000_000)).unwrap();
        let described = Described::new(Path::new("x"), &file.metadata().unwrap(), 784_111_777);
        std::fs::remove_file(&path).unwrap();
        let date = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        assert!(described.fields.ends_with(date), "{}", described.fields);
    }

    #[test]
    fn a_file_that_can_change_again_within_the_second_has_no_date() {
        let path = std::env::temp_dir().join(format!("baresock-second-{}", std::process::id()));
        std::fs::write(&path, "x").unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(784_111_777_900)).unwrap();
        let metadata = file.metadata().unwrap();
        std::fs::remove_file(&path).unwrap();
        let at = |now| Described::new(Path::new("x"), &metadata, now).modified;
        assert_eq!(at(784_111_777), None);
        assert_eq!(at(784_111_778).unwrap().text, "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_moment_without_a_date_is_none() {
        assert_eq!(HttpTime::at(-1), None);
        assert_eq!(HttpTime::at(i64::MIN), None);
        assert_eq!(HttpTime::at(i64::MAX), None);
        assert_eq!(HttpTime::at(YEAR_10000 as i64), None);
        assert_eq!(
            HttpTime::at(YEAR_10000 as i64 - 1).unwrap().text,
            "Fri, 31 Dec 9999 23:59:59 GMT"
        );
    }

    #[test]
    fn a_name_says_what_kind_of_file_it_is() {
        for (name, expected) in [
            ("a.html", "text/html; charset=utf-8"),
            ("A.TXT", "text/plain; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.png", "image/png"),
            ("a.svg", "image/svg+xml"),
            ("a.json", "application/json"),
            ("a.tar.gz", "application/gzip"),
            ("README", "application/octet-stream"),
            (".profile", "application/octet-stream"),
        ] {
            assert_eq!(media_type(Path::new(name)), expected, "{name}");
        }
    }
}
