//! HTTP responses, read as a careful client reads them.

use super::peer::{End, JudgePeer};
use super::verdict::{CaseStop, Symptom};

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Whether the version is 1.1 or later.
    pub is_1_1: bool,
    /// The fields, with names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Where a message ends.
enum Extent {
    Bytes(usize),
    Chunks,
    ToTheEnd,
}

/// What some bytes begin with.
enum ParsedResponse {
    Whole(Response, usize),
    Part,
    Wrong(&'static str),
}

impl Response {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the response says that the connection stays open.
    pub fn claims_to_go_on(&self) -> bool {
        let connection = self.field("connection").unwrap_or("").to_ascii_lowercase();
        match self.is_1_1 {
            true => !connection.contains("close"),
            false => connection.contains("keep-alive"),
        }
    }

    fn extent(&self, method: &str) -> Extent {
        let is_bodiless = method == "HEAD" || matches!(self.status, 100..=199 | 204 | 304);
        let is_chunked =
            self.field("transfer-encoding").is_some_and(|coding| coding.contains("chunked"));
        let length = self.field("content-length").and_then(|length| length.trim().parse().ok());
        match length {
            _ if is_bodiless => Extent::Bytes(0),
            _ if is_chunked => Extent::Chunks,
            Some(length) => Extent::Bytes(length),
            None => Extent::ToTheEnd,
        }
    }
}

/// Receives the next response on this connection, to a request with this method.
///
/// # Errors
/// There is none, or it is not a response.
pub fn receive(peer: &mut JudgePeer, method: &str) -> Result<Response, CaseStop> {
    loop {
        let end = peer.end();
        let has_ended = end == Some(End::Finished);
        match parse(peer.received(), method, end) {
            ParsedResponse::Whole(response, len) => {
                peer.take_first(len);
                // Interim responses are skipped.
                if matches!(response.status, 100..=199) {
                    continue;
                }
                return Ok(response);
            }
            ParsedResponse::Wrong(why) => {
                return Err(peer.failed(
                    Symptom::Wrong,
                    format!("an answer of HTTP; this is none: {why}"),
                    None,
                ));
            }
            ParsedResponse::Part => {}
        }
        if !peer.receive(peer.received().len() + 1)? && peer.end() != Some(End::Finished) {
            return Err(peer.failed(peer.symptom(), "a whole answer of HTTP", None));
        }
        if peer.end() == Some(End::Finished) && has_ended {
            return Err(peer.failed(Symptom::Ended, "a whole answer of HTTP", None));
        }
    }
}

fn parse(bytes: &[u8], method: &str, end: Option<End>) -> ParsedResponse {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut head = httparse::Response::new(&mut fields);
    let len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return ParsedResponse::Part,
        Err(_) => return ParsedResponse::Wrong("its head cannot be read"),
    };
    let field = |field: &httparse::Header<'_>| {
        (field.name.to_ascii_lowercase(), String::from_utf8_lossy(field.value).into_owned())
    };
    let mut response = Response {
        status: head.code.unwrap_or(0),
        is_1_1: head.version == Some(1),
        fields: head.headers.iter().map(field).collect(),
        body: Vec::new(),
    };
    let rest = &bytes[len..];
    match response.extent(method) {
        Extent::Bytes(count) if rest.len() >= count => {
            response.body = rest[..count].to_vec();
            ParsedResponse::Whole(response, len + count)
        }
        Extent::ToTheEnd if end == Some(End::Finished) => {
            response.body = rest.to_vec();
            ParsedResponse::Whole(response, bytes.len())
        }
        Extent::Bytes(_) | Extent::ToTheEnd => ParsedResponse::Part,
        Extent::Chunks => match chunks(rest) {
            Ok(Some((body, count))) => {
                response.body = body;
                ParsedResponse::Whole(response, len + count)
            }
            Ok(None) => ParsedResponse::Part,
            Err(why) => ParsedResponse::Wrong(why),
        },
    }
}

/// The bytes of all chunks, and where they end.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        match httparse::parse_chunk_size(&bytes[at..]) {
            Ok(httparse::Status::Complete((len, size))) => {
                let begin = at + len;
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                let Some(end) = begin.checked_add(size).filter(|end| end + 2 <= bytes.len()) else {
                    return Ok(None);
                };
                body.extend_from_slice(&bytes[begin..end]);
                at = end + 2;
                if size == 0 {
                    return Ok(Some((body, at)));
                }
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err("the size of a chunk cannot be read"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8], method: &str, end: Option<End>) -> Option<(u16, Vec<u8>, usize)> {
        match parse(bytes, method, end) {
            ParsedResponse::Whole(response, len) => Some((response.status, response.body, len)),
            _ => None,
        }
    }

    #[test]
    fn an_answer_ends_where_it_says() {
        let sized = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc";
        assert_eq!(whole(sized, "GET", None), Some((200, b"ab".to_vec(), sized.len() - 1)));
        assert_eq!(whole(sized, "HEAD", None).map(|(_, body, _)| body), Some(Vec::new()));
        assert_eq!(whole(&sized[..sized.len() - 2], "GET", None), None);
        let open = b"HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(whole(open, "GET", None), None);
        assert_eq!(
            whole(open, "GET", Some(End::Finished)).map(|(_, body, _)| body),
            Some(b"abc".to_vec())
        );
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert_eq!(whole(chunked, "GET", None), Some((200, b"abc".to_vec(), chunked.len())));
        assert!(matches!(parse(b"hello\r\n\r\n", "GET", None), ParsedResponse::Wrong(_)));
    }
}
