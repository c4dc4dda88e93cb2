//! From bytes to a request: where its head ends, where its body ends, and what of it matters here.
//!
//! A request is whole or it is not: nothing is remembered of a part of one, and the bytes are presented again when
//! more have come. Whoever sends a byte at a time is asked for little: head and body are short.

use super::status::Status;

/// The most that the head of a request may have.
pub(super) const MOST_OF_HEAD: usize = 8 * 1024;
/// The most that is read, and thrown away, of a body that nobody asked for.
const MOST_OF_BODY: u64 = 16 * 1024;
const MOST_FIELDS: usize = 64;

/// What some bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    /// A part of a request.
    Incomplete,
    /// A request, which takes so many of the bytes.
    Request(Request<'a>, usize),
    /// Something that is refused. Where the next request would begin is not known.
    Refused(Refused),
}

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: Status,
    pub(super) method: Method,
}

/// What of a request matters here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) method: Method,
    /// As it was written: nothing is decoded.
    pub(super) target: &'a str,
    /// Whether another request may follow.
    pub(super) keep_alive: bool,
    pub(super) conditions: Conditions<'a>,
}

/// The fields that say what is to be sent, and whether. As they were written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions<'a> {
    pub(super) if_match: Option<&'a str>,
    pub(super) if_none_match: Option<&'a str>,
    pub(super) if_modified_since: Option<&'a str>,
    pub(super) if_unmodified_since: Option<&'a str>,
    pub(super) if_range: Option<&'a str>,
    pub(super) range: Option<&'a str>,
}

/// What is to be done with what is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    /// One that RFC 9110 (or 5789) knows, and files do not.
    Other,
    Unknown,
}

impl Method {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("GET") => Self::Get,
            Some("HEAD") => Self::Head,
            Some("POST" | "PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH") => {
                Self::Other
            }
            _ => Self::Unknown,
        }
    }
}

/// Reads the first request.
pub(super) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut read = httparse::Request::new(&mut fields);
    let head = &bytes[..bytes.len().min(MOST_OF_HEAD)];
    let parsed = read.parse(head);
    let method = Method::of(read.method);
    let refused = |status| Parsed::Refused(Refused { status, method });
    let head_len = match parsed {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) if head.len() < MOST_OF_HEAD => return Parsed::Incomplete,
        Ok(httparse::Status::Partial) if !head.contains(&b'\n') => {
            return refused(Status::UriTooLong);
        }
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return refused(Status::HeaderFieldsTooLarge);
        }
        Err(httparse::Error::Version) => match first_line(head) {
            // Where it was cut must not matter: what stands after `HTTP/2` decides what is wrong with it.
            None if head.len() < MOST_OF_HEAD => return Parsed::Incomplete,
            Some(line) if names_another_version(line) => {
                return refused(Status::VersionNotSupported);
            }
            _ => return refused(Status::BadRequest),
        },
        Err(_) => return refused(Status::BadRequest),
    };
    let fields = match Fields::read(read.headers, read.version == Some(1)) {
        Ok(fields) => fields,
        Err(status) => return refused(status),
    };
    let request = Request {
        method,
        target: read.path.unwrap_or_default(),
        keep_alive: fields.keep_alive(),
        conditions: fields.conditions,
    };
    let rest = &bytes[head_len..];
    let body_len = fields.content_length.unwrap_or(0);
    if rest.len() as u64 >= body_len {
        return Parsed::Request(request, head_len + body_len as usize);
    }
    // Answered without the body, which may come or not: the next request would not be found.
    let unread = Parsed::Request(Request { keep_alive: false, ..request }, bytes.len());
    match method {
        _ if fields.expects_continue => unread,
        _ if body_len <= MOST_OF_BODY => Parsed::Incomplete,
        Method::Get | Method::Head => refused(Status::ContentTooLarge),
        Method::Other | Method::Unknown => unread,
    }
}

/// The first line that is not empty, if its end has come.
fn first_line(head: &[u8]) -> Option<&[u8]> {
    let head = head.trim_ascii_start();
    let end = head.iter().position(|byte| *byte == b'\n')?;
    Some(head[..end].trim_ascii_end())
}

/// Whether it is a request of HTTP, of a version that is not known here.
fn names_another_version(line: &[u8]) -> bool {
    let words: Vec<_> = line.split(|byte| *byte == b' ').collect();
    matches!(words[..], [_, _, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// The fields of a head that matter.
#[derive(Default)]
struct Fields<'a> {
    is_http_1_1: bool,
    hosts: usize,
    content_length: Option<u64>,
    expects_continue: bool,
    says_close: bool,
    says_keep_alive: bool,
    conditions: Conditions<'a>,
}

impl<'a> Fields<'a> {
    fn read(fields: &[httparse::Header<'a>], is_http_1_1: bool) -> Result<Self, Status> {
        let mut read = Self { is_http_1_1, ..Self::default() };
        for field in fields {
            read.take(field.name, field.value)?;
        }
        // Since HTTP/1.1 a request names the host, once.
        if read.hosts > 1 || (is_http_1_1 && read.hosts == 0) {
            return Err(Status::BadRequest);
        }
        Ok(read)
    }

    fn take(&mut self, name: &str, value: &'a [u8]) -> Result<(), Status> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        // A condition in which there is something else than text is none.
        let text = std::str::from_utf8(value).ok().map(str::trim_ascii);
        if is("host") {
            self.hosts += 1;
            if !value.iter().all(|byte| may_stand_in_host(*byte)) {
                return Err(Status::BadRequest);
            }
        } else if is("connection") {
            for option in text.unwrap_or_default().split(',').map(str::trim_ascii) {
                self.says_close |= option.eq_ignore_ascii_case("close");
                self.says_keep_alive |= option.eq_ignore_ascii_case("keep-alive");
            }
        } else if is("content-length") {
            let len = text.and_then(number).ok_or(Status::BadRequest)?;
            // Two lengths are two opinions about where the next request begins.
            if self.content_length.replace(len).is_some_and(|before| before != len) {
                return Err(Status::BadRequest);
            }
        } else if is("transfer-encoding") {
            return Err(Status::NotImplemented);
        } else if is("expect") && self.is_http_1_1 {
            self.expects_continue = text.is_some_and(|it| it.eq_ignore_ascii_case("100-continue"));
            if !self.expects_continue {
                return Err(Status::ExpectationFailed);
            }
        } else if is("if-match") {
            self.conditions.if_match = text;
        } else if is("if-none-match") {
            self.conditions.if_none_match = text;
        } else if is("if-modified-since") {
            self.conditions.if_modified_since = text;
        } else if is("if-unmodified-since") {
            self.conditions.if_unmodified_since = text;
        } else if is("if-range") {
            self.conditions.if_range = text;
        } else if is("range") {
            self.conditions.range = text;
        }
        Ok(())
    }

    /// HTTP/1.1 goes on unless somebody says otherwise; HTTP/1.0 ends unless somebody says otherwise.
    fn keep_alive(&self) -> bool {
        !self.says_close && (self.is_http_1_1 || self.says_keep_alive)
    }
}

/// Digits and nothing else: `u64::from_str` would take a `+`.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn may_stand_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(bytes: &[u8]) -> (Request<'_>, usize) {
        match parse(bytes) {
            Parsed::Request(request, len) => (request, len),
            other => panic!("{}: {other:?}", bytes.escape_ascii()),
        }
    }

    fn status(bytes: &[u8]) -> Status {
        match parse(bytes) {
            Parsed::Refused(refused) => refused.status,
            other => panic!("{}: {other:?}", bytes.escape_ascii()),
        }
    }

    #[test]
    fn a_request_is_whole_or_not_wherever_it_is_cut() {
        for whole in [
            &b"GET /a HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n"[..],
            b"GET / HTTP/1.0\n\n",
            b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
        ] {
            for cut in 0..whole.len() {
                assert_eq!(parse(&whole[..cut]), Parsed::Incomplete, "cut at {cut}");
            }
            let (expected, len) = request(whole);
            assert_eq!(len, whole.len());
            let followed = [whole, b"GET /next"].concat();
            assert_eq!(request(&followed), (expected, whole.len()));
        }
    }

    #[test]
    fn what_matters_is_read() {
        let (read, _) = request(
            b"HEAD /a%20b?q HTTP/1.1\r\nhOsT: [::1]:80\r\nif-modified-since: \t then \r\n\
              If-Range: d\r\nrange: bytes=1-\r\nX-Other: \xff\r\n\r\n",
        );
        assert_eq!((read.method, read.target), (Method::Head, "/a%20b?q"));
        assert!(read.keep_alive);
        let conditions = Conditions {
            if_modified_since: Some("then"),
            if_range: Some("d"),
            range: Some("bytes=1-"),
            ..Conditions::default()
        };
        assert_eq!(read.conditions, conditions);
    }

    #[test]
    fn a_connection_goes_on_as_version_and_field_say() {
        for (version, field, goes_on) in [
            ("1.1", "", true),
            ("1.1", "Connection: close\r\n", false),
            ("1.1", "Connection: Upgrade, CLOSE\r\n", false),
            ("1.0", "", false),
            ("1.0", "Connection: Keep-Alive\r\n", true),
            ("1.0", "Connection: keep-alive, close\r\n", false),
        ] {
            let text = format!("GET / HTTP/{version}\r\nHost: x\r\n{field}\r\n");
            assert_eq!(request(text.as_bytes()).0.keep_alive, goes_on, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(MOST_OF_HEAD));
        assert_eq!(status(long.as_bytes()), Status::UriTooLong);
        let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(MOST_OF_HEAD));
        assert_eq!(status(long.as_bytes()), Status::HeaderFieldsTooLarge);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MOST_FIELDS + 1));
        assert_eq!(status(many.as_bytes()), Status::HeaderFieldsTooLarge);
        for (head, expected) in [
            ("GET / HTTP/1.1\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: a b\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n", Status::BadRequest),
            ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n", Status::BadRequest),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
                Status::BadRequest,
            ),
            ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n", Status::ContentTooLarge),
            ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n", Status::NotImplemented),
            ("GET / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n", Status::ExpectationFailed),
            ("GET / HTTP/3.7\r\nHost: x\r\n", Status::VersionNotSupported),
            ("PRI * HTTP/2.0\r\n", Status::VersionNotSupported),
            ("GET /\r\n", Status::BadRequest),
            ("GET / FTP/1.1\r\n", Status::BadRequest),
            ("G\x1bT / HTTP/1.1\r\n", Status::BadRequest),
            ("\x16\x03\x01\x02", Status::BadRequest), // what a TLS client says first
        ] {
            assert_eq!(status(format!("{head}\r\n").as_bytes()), expected, "{head:?}");
        }
    }

    #[test]
    fn a_body_that_is_not_waited_for_is_the_last_of_its_connection() {
        let expects =
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
        let (read, len) = request(expects);
        assert_eq!((read.keep_alive, len), (false, expects.len()));
        let large = b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\nthe beginning";
        let (read, len) = request(large);
        assert_eq!((read.method, read.keep_alive, len), (Method::Other, false, large.len()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Parsed::Request(_, len) = parse(&bytes) {
                prop_assert!(len > 0 && len <= bytes.len());
            }
        }

        #[test]
        fn no_change_of_a_request_makes_it_panic(at in 0usize..60, byte: u8) {
            let mut bytes = b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nRange: bytes=0-\r\n\r\nabc".to_vec();
            bytes[at] = byte;
            if let Parsed::Request(_, len) = parse(&bytes) {
                prop_assert!(len > 0 && len <= bytes.len());
            }
        }
    }
}
