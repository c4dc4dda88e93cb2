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
fn the_fields_that_matter_are_parsed() {
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
fn of_two_conditions_of_a_kind_neither_holds() {
    let (read, _) = request(
        b"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\nIf-Range: a\r\n\r\n",
    );
    let conditions =
        Conditions { range: Some(OF_TWO), if_range: Some("a"), ..Conditions::default() };
    assert_eq!(read.conditions, conditions);
}

#[test]
fn the_host_and_the_page_that_asks_are_parsed() {
    let (read, _) = request(
        b"POST /pause HTTP/1.1\r\nHost: 127.0.0.1:8585\r\nOrigin:  http://evil.example \r\n\r\n",
    );
    assert_eq!((read.method, read.host), (Method::Post, Some("127.0.0.1:8585")));
    assert_eq!(read.origin, Some("http://evil.example"));
    // Bytes that are not text are not the same as no field.
    let (read, _) = request(b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: \xff\r\n\r\n");
    assert_eq!(read.origin, Some(""));
    let (read, _) = request(b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!((read.host, read.origin), (None, None));
}

#[test]
fn a_later_minor_version_is_answered_as_the_highest_known() {
    let head = b"GET /a HTTP/1.2\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n";
    let known = b"GET /a HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n";
    assert_eq!(request(head), request(known));
    for cut in 0..head.len() {
        assert_eq!(parse(&head[..cut]), Parsed::Incomplete, "cut at {cut}");
    }
    assert_eq!(status(b"GET / HTTP/1.9\r\n\r\n"), Status::BadRequest, "no Host");
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
        ("GET / HTTP/1.1\r\nHost: a:b:c\r\n", Status::BadRequest),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n", Status::BadRequest),
        ("GET / HTTP/1.1\r\nHost: %zz\r\n", Status::BadRequest),
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
