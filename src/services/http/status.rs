//! The statuses that this server answers with, and what it says about each to a person.

/// A status of RFC 9110, or (431) of RFC 6585.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named as in the RFC, with its number below")]
pub enum Status {
    Ok,
    NoContent,
    PartialContent,
    MovedPermanently,
    NotModified,
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    PreconditionFailed,
    ContentTooLarge,
    UriTooLong,
    RangeNotSatisfiable,
    ExpectationFailed,
    HeaderFieldsTooLarge,
    InternalServerError,
    NotImplemented,
    ServiceUnavailable,
    VersionNotSupported,
}

impl Status {
    /// The status line's number and reason phrase.
    pub(super) const fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::NoContent => "204 No Content",
            Self::PartialContent => "206 Partial Content",
            Self::MovedPermanently => "301 Moved Permanently",
            Self::NotModified => "304 Not Modified",
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::RequestTimeout => "408 Request Timeout",
            Self::PreconditionFailed => "412 Precondition Failed",
            Self::ContentTooLarge => "413 Content Too Large",
            Self::UriTooLong => "414 URI Too Long",
            Self::RangeNotSatisfiable => "416 Range Not Satisfiable",
            Self::ExpectationFailed => "417 Expectation Failed",
            Self::HeaderFieldsTooLarge => "431 Request Header Fields Too Large",
            Self::InternalServerError => "500 Internal Server Error",
            Self::NotImplemented => "501 Not Implemented",
            Self::ServiceUnavailable => "503 Service Unavailable",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }

    /// One sentence for the client.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Ok | Self::NoContent | Self::PartialContent | Self::NotModified => "",
            Self::MovedPermanently => "The address of a directory ends in a slash.",
            Self::BadRequest => "This is not a valid HTTP request (RFC 9112).",
            Self::Forbidden => "This may not be read.",
            Self::NotFound => "There is no file of this name.",
            Self::MethodNotAllowed => "This server supports only GET and HEAD.",
            Self::RequestTimeout => "The request was not complete in time.",
            Self::PreconditionFailed => "The file does not meet the conditions of the request.",
            Self::ContentTooLarge => "The body of the request is too long.",
            Self::UriTooLong => "The address is too long.",
            Self::RangeNotSatisfiable => "The file ends before the requested range.",
            Self::ExpectationFailed => "This server supports no expectation but 100-continue.",
            Self::HeaderFieldsTooLarge => {
                "The head of the request exceeds the limit of 8192 bytes or 64 fields."
            }
            Self::InternalServerError => "The file could not be read.",
            Self::NotImplemented => "This server does not support a feature of the request.",
            Self::ServiceUnavailable => "Too many files are open. Try again in a moment.",
            Self::VersionNotSupported => "This server supports HTTP/1.0 and HTTP/1.1.",
        }
    }
}
