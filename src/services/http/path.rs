//! From the target of a request to the name of a file below the root, and back.
//!
//! A target is split at its slashes first, and then each part is decoded once. So an encoded slash does not separate,
//! and what was encoded twice is still encoded once afterwards.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::status::Status;

/// Characters that need no encoding in a part of a path (RFC 3986: `unreserved`).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path below the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SitePath {
    /// Consists of ordinary names only; empty for the root itself.
    pub(super) relative: PathBuf,
    /// Whether the target ended with a slash.
    pub(super) is_directory: bool,
}

/// The path of a target as written: without scheme and host, and without the query.
pub(super) fn path_of(target: &str) -> Result<&str, Status> {
    let path = match target.starts_with('/') {
        true => target,
        false => behind_host(target).ok_or(Status::BadRequest)?,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Ok(if path.is_empty() { "/" } else { path })
}

/// The path of a target in absolute form. That form is meant for proxies, but a server has to understand it as well.
fn behind_host(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let is_http = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // A URI of HTTP without a host is invalid (RFC 9110, 4.2.1).
    (is_http && !host.is_empty() && is_host(host.as_bytes())).then_some(path)
}

/// Whether this is a host, perhaps with a port (RFC 3986, 3.2.2): a name, an IPv4 address, or an IPv6 address in
/// brackets. The Host field may also be empty.
pub(super) fn is_host(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = match host.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) => {
            if !is_ip_literal(address) {
                return false;
            }
            ("", port)
        }
        Some(None) => return false,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte);
    is_port && name.bytes().all(may_stand) && can_be_decoded(name)
}

/// Whether this may stand in brackets: an IPv6 address, or an address of a future version.
fn is_ip_literal(address: &str) -> bool {
    let is_future = |rest: &str| {
        rest.split_once('.').is_some_and(|(version, address)| {
            let may_stand =
                |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(&byte);
            !version.is_empty()
                && version.bytes().all(|byte| byte.is_ascii_hexdigit())
                && !address.is_empty()
                && address.bytes().all(may_stand)
        })
    };
    address.parse::<std::net::Ipv6Addr>().is_ok()
        || address.strip_prefix(['v', 'V']).is_some_and(is_future)
}

impl SitePath {
    /// Decodes a path.
    ///
    /// `..` is refused, not followed: an honest client resolves it itself, as every browser does.
    pub(super) fn parse(path: &str) -> Result<Self, Status> {
        let mut relative = PathBuf::new();
        let mut is_directory = true;
        for part in path.split('/') {
            let name = decoded(part)?;
            is_directory = matches!(name.as_slice(), b"" | b".");
            match name.as_slice() {
                b"" | b"." => {}
                b".." => return Err(Status::NotFound),
                name if name.contains(&b'/') => return Err(Status::NotFound),
                name if name.contains(&0) => return Err(Status::BadRequest),
                name => relative.push(OsStr::from_bytes(name)),
            }
        }
        Ok(Self { relative, is_directory })
    }

    /// The encoded path. (It begins with exactly one slash: two would begin the name of a host.)
    pub(super) fn encoded(&self) -> String {
        let mut path = String::from("/");
        for name in &self.relative {
            let _ = write!(path, "{}/", encoded(name));
        }
        if !self.is_directory && path.len() > 1 {
            path.pop();
        }
        path
    }

    /// The path for a person.
    pub(super) fn shown(&self) -> String {
        let slash = if self.relative == Path::new("") { "" } else { "/" };
        format!("/{}{slash}", self.relative.display())
    }
}

/// A name, encoded as a part of a path.
pub(super) fn encoded(name: &OsStr) -> impl std::fmt::Display {
    percent_encode(name.as_bytes(), ENCODED)
}

/// Whether two hexadecimal digits follow each `%`.
fn can_be_decoded(part: &str) -> bool {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    part.match_indices('%').all(|(at, _)| {
        let digits = &part.as_bytes()[at + 1..];
        is_hex(digits.first()) && is_hex(digits.get(1))
    })
}

fn decoded(part: &str) -> Result<Vec<u8>, Status> {
    if !can_be_decoded(part) {
        return Err(Status::BadRequest);
    }
    Ok(percent_decode_str(part).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

    use super::*;

    fn parse(target: &str) -> Result<SitePath, Status> {
        SitePath::parse(path_of(target)?)
    }

    fn place(relative: &str, is_directory: bool) -> Result<SitePath, Status> {
        Ok(SitePath { relative: relative.into(), is_directory })
    }

    #[test]
    fn a_target_names_a_place_below_the_root() {
        assert_eq!(parse("/"), place("", true));
        assert_eq!(parse("/a/b.txt"), place("a/b.txt", false));
        assert_eq!(parse("/a/b/"), place("a/b", true));
        assert_eq!(parse("/a%20b%C3%A4?query=/../x#part"), place("a bä", false));
        assert_eq!(parse("//a///b"), place("a/b", false));
        assert_eq!(parse("/./a/."), place("a", true));
        assert_eq!(parse("/..."), place("...", false));
        assert_eq!(parse("/..a"), place("..a", false));
        assert_eq!(parse("http://host:80/a?b"), place("a", false));
        assert_eq!(parse("HTTPS://host"), place("", true));
        assert_eq!(parse("http://host?q"), place("", true));
        // Decoded once, it is a strange name and does not lead upwards.
        assert_eq!(parse("/%252e%252e/x"), place("%2e%2e/x", false));
        assert_eq!(parse("/..%255c"), place("..%5c", false));
        assert_eq!(parse("/..\\..\\x"), place("..\\..\\x", false));
    }

    #[test]
    fn a_host_is_a_name_or_an_address_perhaps_with_a_port() {
        for host in
            ["", "x", "x:80", "x:", "127.0.0.1:1", "[::1]", "[::1]:80", "a%20b", "[v1.a:b]", ":80"]
        {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "a:b:c", "a:b", "[::1", "::1", "[x]", "[::1]x", "%zz", "%4", "a b", "u@h", "\u{e9}",
            "[v1]", "a/b",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn no_target_leaves_the_root() {
        for (target, status) in [
            ("/..", Status::NotFound),
            ("/../etc/passwd", Status::NotFound),
            ("/a/../../etc/passwd", Status::NotFound),
            ("/%2e%2e/etc/passwd", Status::NotFound),
            ("/%2E./etc/passwd", Status::NotFound),
            ("/a%2f..%2f..%2fetc", Status::NotFound),
            ("/%2fetc/passwd", Status::NotFound),
            ("/%2e%2e%2fetc%2fpasswd", Status::NotFound),
            ("http://host/../etc/passwd", Status::NotFound),
            ("http:///../etc/passwd", Status::BadRequest),
            ("http:///a", Status::BadRequest),
            ("http://a:b:c/", Status::BadRequest),
            ("http://[::1/", Status::BadRequest),
            ("/a%00b", Status::BadRequest),
            ("/%", Status::BadRequest),
            ("/%4", Status::BadRequest),
            ("/%zz", Status::BadRequest),
            ("/%%34%31", Status::BadRequest),
            ("etc/passwd", Status::BadRequest),
            ("../etc/passwd", Status::BadRequest),
            ("*", Status::BadRequest),
            ("", Status::BadRequest),
            ("host:80", Status::BadRequest),
            ("file:///etc/passwd", Status::BadRequest),
        ] {
            assert_eq!(parse(target), Err(status), "{target}");
        }
    }

    #[test]
    fn a_redirect_stays_on_this_host() {
        let place = parse("//other.example/%2561?x").unwrap();
        assert_eq!(SitePath { is_directory: true, ..place }.encoded(), "/other.example/%2561/");
    }

    proptest! {
        #[test]
        fn every_served_file_is_below_the_root(path in "(/|%2[fF]|%2e|\\.|[a-c]|%|%00|\\\\){0,12}") {
            if let Ok(place) = parse(&format!("/{path}")) {
                let is_name = |part| matches!(part, Component::Normal(_));
                prop_assert!(place.relative.components().all(is_name));
                prop_assert_eq!(parse(&place.encoded()), Ok(place));
            }
        }

        #[test]
        fn every_name_can_be_asked_for(name in prop::collection::vec(1u8..=255, 1..20)) {
            let name: Vec<u8> = name.into_iter().filter(|byte| *byte != b'/').collect();
            prop_assume!(!matches!(name.as_slice(), b"" | b"." | b".."));
            let name = OsStr::from_bytes(&name);
            let place = parse(&format!("/{}", encoded(name))).unwrap();
            prop_assert_eq!(place.relative.as_os_str(), name);
        }
    }
}
