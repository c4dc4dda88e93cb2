//! From bytes to a request: where its head ends, where its body ends, and which of its fields matter here.
//!
//! A request is parsed only as a whole: no state is kept about a part of one, and the bytes are presented again when
//! more have arrived. A client that sends one byte at a time costs little, because head and body are short.

#[cfg(test)]
mod tests;

use super::path::is_host;
use super::status::Status;

/// The most bytes of a request's head.
pub(super) const MOST_OF_HEAD: usize = 8 * 1024;
/// The most bytes of an unwanted body that are read and discarded.
const MOST_OF_BODY: u64 = 16 * 1024;
const MOST_FIELDS: usize = 64;
/// The value of a condition that a request has twice: which one is meant is unknown. An empty value is neither a date nor a
/// range nor a tag of ours, so the server ignores a date or range, and sends the whole file (RFC 9110, 13.1.3 and 14.2).
pub(super) const OF_TWO: &str = "";

/// What some bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// The beginning of a request.
    Incomplete,
    /// A request, and how many of the bytes it takes.
    Request(Request<'a>, usize),
    /// Something that is refused. It is unknown where the next request would begin.
    Refused(Refused),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The status of the answer.
    pub status: Status,
    /// Its method, as far as it was read.
    pub method: Method,
}

/// The parts of a request that matter here.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What is to be done with the target.
    pub method: Method,
    /// As written, not decoded.
    pub target: &'a str,
    /// Whether another request may follow.
    pub keep_alive: bool,
    /// The host that the client means, with its port.
    pub host: Option<&'a str>,
    /// The site whose page asks, as a browser reports it.
    pub origin: Option<&'a str>,
    /// Whether that site is the one that is asked (`Sec-Fetch-Site`), as a browser reports it also where it reports no origin.
    pub fetch_site: Option<&'a str>,
    /// What decides whether a file is sent.
    pub conditions: Conditions<'a>,
}

/// The fields that decide whether and what to send, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Conditions<'a> {
    pub(super) if_match: Option<&'a str>,
    pub(super) if_none_match: Option<&'a str>,
    pub(super) if_modified_since: Option<&'a str>,
    pub(super) if_unmodified_since: Option<&'a str>,
    pub(super) if_range: Option<&'a str>,
    pub(super) range: Option<&'a str>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// What the target holds.
    Get,
    /// The same without its body.
    Head,
    /// That the target takes the request's body.
    Post,
    /// Another method that RFC 9110 (or 5789) knows, and files do not support.
    Other,
    /// One that no RFC knows, or none.
    Unknown,
}

impl Method {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("GET") => Self::Get,
            Some("HEAD") => Self::Head,
            Some("POST") => Self::Post,
            Some("PUT" | "DELETE" | "CONNECT" | "OPTIONS" | "TRACE" | "PATCH") => Self::Other,
            _ => Self::Unknown,
        }
    }
}

/// Reads the first request.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut read = httparse::Request::new(&mut fields);
    let head = &bytes[..bytes.len().min(MOST_OF_HEAD)];
    let parsed = read.parse(head);
    let method = Method::of(read.method);
    if parsed == Err(httparse::Error::Version) {
        return parse_another_version(bytes, head, method);
    }
    let target = read.path.unwrap_or_default();
    match whole_head(parsed, head) {
        Ok(len) => {
            let version = if read.version == Some(1) { Version::Http11 } else { Version::Http10 };
            let fields = HeadFields::read(read.headers, version);
            request_of(bytes, len, (method, target), fields)
        }
        Err(None) => Parsed::Incomplete,
        Err(Some(status)) => Parsed::Refused(Refused { status, method }),
    }
}

/// The length of the head, or the status that refuses it (`None`: the rest has not arrived yet).
fn whole_head(
    parsed: Result<httparse::Status<usize>, httparse::Error>,
    head: &[u8],
) -> Result<usize, Option<Status>> {
    let status = match parsed {
        Ok(httparse::Status::Complete(len)) => return Ok(len),
        Ok(httparse::Status::Partial) if head.len() < MOST_OF_HEAD => {
            return Err(None);
        }
        Ok(httparse::Status::Partial) if !head.contains(&b'\n') => Status::UriTooLong,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            Status::HeaderFieldsTooLarge
        }
        Err(_) => Status::BadRequest,
    };
    Err(Some(status))
}

/// A request of a version other than HTTP/1.0 and HTTP/1.1. A later minor version is answered as HTTP/1.1 (RFC 9110,
/// 2.5); another major version is refused.
fn parse_another_version<'a>(bytes: &'a [u8], head: &'a [u8], method: Method) -> Parsed<'a> {
    let refused = |status| Parsed::Refused(Refused { status, method });
    let begin = head.len() - head.trim_ascii_start().len();
    let Some(len) = head[begin..].iter().position(|byte| *byte == b'\n') else {
        // The result must not depend on where the bytes were cut: the text after `HTTP/2` decides what is wrong.
        let is_cut = head.len() < MOST_OF_HEAD;
        return if is_cut { Parsed::Incomplete } else { refused(Status::BadRequest) };
    };
    let line = head[begin..][..len].trim_ascii_end();
    let words: Vec<_> = line.split(|byte| *byte == b' ').collect();
    let (target, minor) = match words[..] {
        [_, target, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor]] => (target, minor),
        [_, _, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            return refused(Status::VersionNotSupported);
        }
        _ => return refused(Status::BadRequest),
    };
    let (b'2'..=b'9', Ok(target)) = (minor, std::str::from_utf8(target)) else {
        return refused(Status::BadRequest);
    };
    let behind = begin + len + 1;
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let (parsed, read) = match httparse::parse_headers(&head[behind..], &mut fields) {
        Ok(httparse::Status::Complete((len, read))) => {
            (Ok(httparse::Status::Complete(behind + len)), Some(read))
        }
        Ok(httparse::Status::Partial) => (Ok(httparse::Status::Partial), None),
        Err(error) => (Err(error), None),
    };
    match whole_head(parsed, head) {
        Ok(len) => {
            let fields = HeadFields::read(read.unwrap_or_default(), Version::Http11);
            request_of(bytes, len, (method, target), fields)
        }
        Err(None) => Parsed::Incomplete,
        Err(Some(status)) => Parsed::Refused(Refused { status, method }),
    }
}

/// The request with this head, if its body has arrived or is not needed.
fn request_of<'a>(
    bytes: &'a [u8],
    head_len: usize,
    (method, target): (Method, &'a str),
    fields: Result<HeadFields<'a>, Status>,
) -> Parsed<'a> {
    let refused = |status| Parsed::Refused(Refused { status, method });
    let fields = match fields {
        Ok(fields) => fields,
        Err(status) => return refused(status),
    };
    let keep_alive = fields.keep_alive();
    let HeadFields { host, origin, fetch_site, conditions, .. } = fields;
    let request = Request { method, target, keep_alive, host, origin, fetch_site, conditions };
    let rest = &bytes[head_len..];
    let body_len = fields.content_length.unwrap_or(0);
    if rest.len() as u64 >= body_len {
        return Parsed::Request(request, head_len + body_len as usize);
    }
    // Answered without reading the body, which may or may not follow: the next request could not be found.
    let unread = Parsed::Request(Request { keep_alive: false, ..request }, bytes.len());
    match method {
        _ if fields.expects_continue => unread,
        _ if body_len <= MOST_OF_BODY => Parsed::Incomplete,
        Method::Get | Method::Head => refused(Status::ContentTooLarge),
        Method::Post | Method::Other | Method::Unknown => unread,
    }
}

/// The two versions that this server speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    /// Also stands for a later 1.x.
    Http11,
}

/// The fields of a head that matter.
#[derive(Default)]
struct HeadFields<'a> {
    is_http_1_1: bool,
    hosts: usize,
    host: Option<&'a str>,
    origin: Option<&'a str>,
    fetch_site: Option<&'a str>,
    content_length: Option<u64>,
    expects_continue: bool,
    says_close: bool,
    says_keep_alive: bool,
    conditions: Conditions<'a>,
}

impl<'a> HeadFields<'a> {
    fn read(fields: &[httparse::Header<'a>], version: Version) -> Result<Self, Status> {
        let is_http_1_1 = version == Version::Http11;
        let mut read = Self { is_http_1_1, ..Self::default() };
        for field in fields {
            read.take(field.name, field.value)?;
        }
        // Since HTTP/1.1 a request must name the host exactly once.
        if read.hosts > 1 || (is_http_1_1 && read.hosts == 0) {
            return Err(Status::BadRequest);
        }
        Ok(read)
    }

    fn take(&mut self, name: &str, value: &'a [u8]) -> Result<(), Status> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        // A condition that is not text is ignored.
        let text = std::str::from_utf8(value).ok().map(str::trim_ascii);
        if is("host") {
            self.hosts += 1;
            if !is_host(value.trim_ascii()) {
                return Err(Status::BadRequest);
            }
            self.host = text;
        } else if is("origin") {
            // Bytes that are not text are no site that is known.
            self.origin = Some(text.unwrap_or_default());
        } else if is("sec-fetch-site") {
            self.fetch_site = Some(text.unwrap_or_default());
        } else if is("connection") {
            for option in text.unwrap_or_default().split(',').map(str::trim_ascii) {
                self.says_close |= option.eq_ignore_ascii_case("close");
                self.says_keep_alive |= option.eq_ignore_ascii_case("keep-alive");
            }
        } else if is("content-length") {
            let len = text.and_then(number).ok_or(Status::BadRequest)?;
            // Two different lengths are two opinions about where the next request begins.
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
        } else if let Some(condition) = self.condition_named(name) {
            *condition = if condition.is_some() { Some(OF_TWO) } else { text };
        }
        Ok(())
    }

    fn condition_named(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        let conditions = &mut self.conditions;
        let named = [
            ("if-match", &mut conditions.if_match),
            ("if-none-match", &mut conditions.if_none_match),
            ("if-modified-since", &mut conditions.if_modified_since),
            ("if-unmodified-since", &mut conditions.if_unmodified_since),
            ("if-range", &mut conditions.if_range),
            ("range", &mut conditions.range),
        ];
        named.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, at)| at)
    }

    /// By default HTTP/1.1 keeps the connection open, and HTTP/1.0 closes it.
    fn keep_alive(&self) -> bool {
        !self.says_close && (self.is_http_1_1 || self.says_keep_alive)
    }
}

/// Digits only: `u64::from_str` would accept a `+`.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}
