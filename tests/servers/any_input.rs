//! Whatever text is written or sent, every parser accepts it or refuses it in one clean line: addresses, services,
//! rules, words; and, over real sockets and with the loop itself, requests, chat lines and frames, whose meaning must
//! not depend on how they were cut. (JSON traces are in `ladder.rs`; the promises of single functions are tested beside
//! them.)
//!
//! `PROPTEST_CASES=100000` tries more. Texts that were found to fail once are in `FOUND` and its neighbours.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use baresock::addr::{Address, Host, Written};
use baresock::cli::Cli;
use baresock::conn::Ends;
use baresock::event_loop::{EventLoop, Limits};
use baresock::events::Service;
use baresock::explain::words;
use baresock::framing;
use baresock::poller::Via;
use baresock::services::{Chat, Framed, Http, Spec, Upper, http};
use baresock::sys::Fd;
use baresock::trace::inject::InjectRule;
use clap::Parser;
use proptest::prelude::*;

/// Texts that failed once, or nearly: every parser of texts tries them first.
const FOUND: &[&str] = &[
    "[fe80::1%eth0]:80",
    "[%]:80",
    "a\u{202e}b:80",
    "*:\u{1b}",
    "echo=unix:,",
    "http=80,root=,root=",
    "relay=1,to=2,timeout=1e9",
    "relay=1,to=2,timeout=1e309",
    "recv:delay=4294967296s",
    "recv:delay=99999999s",
    "recv:chunk=18446744073709551616",
    "send:short=1%18446744073709551615:seed=-1",
    "poll:spurious@every:0",
    "fixed:00000000000000000001",
    "select:EINTR@18446744073709551615+",
];

/// Requests whose answers once depended on how they were cut: tried with every cut.
const FOUND_REQUESTS: &[&[u8]] = &[
    b"abc GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/2.0\r\n\r\n",
    b"GET / HTTP/11\r\n\r\n",
    b"GET / HTTQ/1.1\n\n",
];

/// Chat texts at the limits of lines and characters: tried with every cut, and every two.
const FOUND_CHAT: &[&[u8]] = &[
    b"",
    b"\n",
    b"\r\n",
    b"\r\r\n",
    b"a\r\nb\rc\n\rd\n",
    b"no end",
    b"no end\r",
    b"\r",
    // Characters of two, three and four bytes; an incomplete one, before the end of a line and before end of file.
    "\u{e4}\u{20ac}\u{1f600}\n".as_bytes(),
    b"\xe2\x82\n\xac\n",
    b"\xf0\x9f\x98",
    b"\xc3\r\n\xa4\n",
    // Encodings that are too long, of a surrogate, and beyond the last character.
    b"\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\n",
    b"\xc2\x9b2J\n",
    "\u{202e}/quit\n".as_bytes(),
    b"/\n/ \n//\n",
    b"/nick\n/nick \n/nick  ann \r\n",
    b"/nick sixteen-letters-\n/nick seventeen-letters\n",
    b"/quit\nhello\n",
    b"/quit",
    b"/who\0\n",
];

/// Lines of a chat, by length and end, and whether they are passed on: at most 1,024 bytes are. Tried with every cut.
const FOUND_LINES: &[(usize, &[u8], bool)] = &[
    (1_023, b"\n", true),
    (1_023, b"\r\n", true),
    (1_024, b"\n", true),
    (1_024, b"\r\n", true),
    (1_025, b"\n", false),
    (1_025, b"\r\n", false),
    (1_024, b"\r", false),
    (1_024, b"\rx\n", false),
    (1_024, b"", false),
    (1_025, b"", false),
    (2_050, b"\n", false),
];

/// Frames at their edges, short ones: tried under every rule, with every cut, and every two.
const FOUND_FRAMES: &[&[u8]] = &[
    b"",
    b"\0",
    b"\0\0\0",
    b"\0\0\0\0",
    b"\0\0\0\0\0\0\0\0",
    b"\0\0\0\0\0\0\0\x01\n\0\0",
    b"\0\0\0\x01",
    b"\0\0\0\x02\r\n",
    b"\0\0\0\x03ab",
    b"\0\0\0\x03abc\0\0\0\x02de\0",
    b"\0\x01\0\0",
    b"\0\x01\0\0a",
    b"\0\x01\0\x01",
    b"\0\0\0\0\0\x01\0\x01a",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\xff\xff\xff\xff\0\0\0\x01a",
    b"\n",
    b"\r\n\r\n",
    b"\r\r\n\n\r",
    b"abcd",
    b"abcdabcdab",
];

/// A rule, what stands before the bytes, how many they are, what stands behind them, and what is said of it.
type LongFrame = (&'static str, &'static [u8], usize, &'static [u8], &'static str);

/// Frames at the longest: the rule, what stands before and behind so many bytes, and what is said of it. Tried with every
/// cut near their ends.
const FOUND_LONG_FRAMES: &[LongFrame] = &[
    ("length", b"\0\0\xff\xff", 65_535, b"", "message 1: 65535 bytes"),
    ("length", b"\0\x01\0\0", 65_536, b"", "message 1: 65536 bytes"),
    ("length", b"\0\x01\0\0", 65_536, b"\0\0\0\x01a", "message 2: 1 byte"),
    ("length", b"\0\x01\0\0", 65_535, b"", "message 1: unfinished"),
    ("length", b"\0\x01\0\x01", 65_537, b"", "message 1: too long"),
    ("line", b"", 65_536, b"\n", "message 1: 65536 bytes"),
    ("line", b"", 65_536, b"\r\n\n", "message 2: 0 bytes"),
    ("line", b"", 65_536, b"\r", "message 1: unfinished"),
    ("line", b"", 65_537, b"\n", "message 1: too long"),
    ("fixed:65536", b"", 65_535, b"", "message 1: unfinished"),
    ("fixed:65536", b"", 65_536, b"", "message 1: 65536 bytes"),
    ("fixed:65536", b"", 65_537, b"", "message 2: unfinished"),
    ("close", b"", 65_536, b"", "message 1: 65536 bytes"),
    ("close", b"", 65_537, b"", "message 1: too long"),
];

/// Pieces of valid texts, so that nonsense is often nearly valid.
fn nearly(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(ToString::to_string),
        1 => any::<String>(),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => any::<char>().prop_map(|character| character.to_string()),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

const OF_ADDRESSES: &[&str] = &[
    "127.0.0.1",
    "::1",
    "[::1]",
    "[",
    "]",
    ":",
    "::",
    "*",
    "80",
    "0",
    "65535",
    "65536",
    "http",
    "unix:",
    "@",
    "/tmp/x",
    "localhost",
    "%eth0",
    "fe80::1",
    ".",
    "-",
    "\0",
    "\x1b",
    "\\",
    "'",
];

const OF_SERVICES: &[&str] = &[
    "echo",
    "upper",
    "chat",
    "relay",
    "framed",
    "http",
    "time",
    "/udp",
    "/tcp",
    "/",
    "=",
    ",",
    "to=",
    "frame=",
    "root=",
    "timeout=",
    "keep-alive=",
    "header-timeout=",
    "line",
    "fixed:",
    "length",
    "5",
    "0.25",
    "-1",
    "1e400",
    "NaN",
    "inf",
    "127.0.0.1:80",
    "unix:/x",
    "\0",
    "\x1b",
];

const OF_RULES: &[&str] = &[
    "recv",
    "send",
    "select",
    "poll",
    "accept4",
    "close",
    "getaddrinfo",
    ":",
    "EINTR",
    "EAGAIN",
    "short=",
    "chunk=",
    "delay=",
    "spurious",
    "hang",
    "@",
    "@every:",
    "%",
    ":seed=",
    "+",
    "3",
    "0",
    "200ms",
    "us",
    "s",
    "99999999999999999999",
    "-1",
    "\x1b",
];

/// A reason is one line that harms no terminal.
#[track_caller]
fn assert_clean(shown: &str) {
    let harmful = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!shown.is_empty() && !shown.contains(harmful), "{shown:?}");
}

#[track_caller]
fn read_text_every_way(text: &str) {
    match Written::parse(text) {
        Err(bad) => assert_clean(&bad.to_string()),
        Ok(written) => {
            let shown = written.to_string();
            assert_clean(&shown);
            // It prints as it could be written. ("80" is shown with the host that it means, and what is escaped is not
            // read back.)
            let is_short = matches!(written, Written::Internet { host: Host::Loopback, .. });
            if !is_short && !shown.contains('\\') {
                assert_eq!(Written::parse(&shown), Ok(written), "{text:?} is shown as {shown:?}");
            }
        }
    }
    match Spec::parse(text) {
        Ok(spec) => assert_clean(&spec.to_string()),
        Err(why) => assert_clean(&why),
    }
    if let Err(why) = InjectRule::parse(text) {
        assert_clean(&why.to_string());
    }
    match framing::Rule::parse(text) {
        Ok(rule) => assert_eq!(framing::Rule::parse(&rule.to_string()), Ok(rule)),
        Err(why) => assert_clean(&why),
    }
    let _ = (words::find(text), words::near(text));
    // clap prints the refusal; the test is only that it returns.
    let _ = Cli::try_parse_from(["baresock", "serve", text, "--inject", text]);
}

#[test]
fn texts_that_fuzzing_found_are_read() {
    FOUND.iter().for_each(|text| read_text_every_way(text));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(
        text in prop_oneof![nearly(OF_ADDRESSES), nearly(OF_SERVICES), nearly(OF_RULES), any::<String>()],
    ) {
        read_text_every_way(&text);
    }
}

/// Bytes, many of which are pieces of valid texts.
fn nearly_bytes(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (any::<u8>(), 0usize..3_000).prop_map(|(byte, len)| vec![byte; len]),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

const OF_REQUESTS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\n",
    b"GET /file HTTP/1.1\r\n",
    b"HEAD /file HTTP/1.1\r\n",
    b"GET /none HTTP/1.0\r\n",
    b"POST / HTTP/1.1\r\n",
    b"GET /%2e%2e/%00 HTTP/1.1\r\n",
    b"GET http://x/file HTTP/1.1\r\n",
    b"Host: x\r\n",
    b"Host: x\r\n\r\n",
    b"Host: x\r\n\r\n",
    b"\r\n",
    b"Connection: close\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Range: bytes=1-2\r\n",
    b"Range: bytes=-5,1-\r\n",
    b"If-Range: \"x\"\r\n",
    b"If-None-Match: *\r\n",
    b"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    b"Expect: 100-continue\r\n",
    b"abc",
    b"HTTP/9.9\r\n",
    b" ",
    b"\n",
    b"\r",
    b"\0",
];

const OF_CHAT: &[&[u8]] = &[
    b"/nick ann\n",
    b"/nick ",
    b"/who\n",
    b"/help\n",
    b"/quit\n",
    b"/",
    b"hello\n",
    b"\r\n",
    b"\n",
    b"\x1b[2J",
    b"\xe2\x80\xae",
    b"\xff\xfe",
    b"\xc3",
    b"\x9b",
    b"\x7f",
];

const OF_FRAMES: &[&[u8]] = &[
    b"\0\0\0\x03",
    b"\0\0\0\0",
    b"\0\x01\0\0",
    b"\0\x01\0\x01",
    b"\xff\xff\xff\xff",
    b"abc",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
];

/// Serves one connection with a loop of its own, over real sockets. Returns what the peer receives for these pieces,
/// and what another, silent peer receives in the meantime.
fn answers(via: Via, service: Box<dyn Service>, pieces: &[&[u8]]) -> [Vec<u8>; 2] {
    let mut event_loop = EventLoop::new(via, Limits::default());
    let service = event_loop.add_service(service);
    let mut enter = || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        [&ours, &theirs].iter().for_each(|end| end.set_nonblocking(true).unwrap());
        let ends = Ends::Socket(Fd::from(OwnedFd::from(ours)));
        event_loop.add_connection(ends, &Address::unix("peer"), service, None);
        theirs
    };
    let mut peers = [enter(), enter()];
    let mut got = [Vec::new(), Vec::new()];
    let mut served = |peers: &mut [UnixStream; 2]| {
        // More turns than any input needs: a loop that always finds a ready descriptor would not
        // end.
        for _ in 0..2_000 {
            if !event_loop.ready_within(Duration::ZERO).unwrap() {
                return;
            }
            event_loop.turn().unwrap();
            for (peer, got) in peers.iter_mut().zip(&mut got) {
                let mut buffer = [0; 65_536];
                while let Ok(len @ 1..) = peer.read(&mut buffer) {
                    got.extend_from_slice(&buffer[..len]);
                }
            }
        }
        panic!("it has no end");
    };
    for piece in pieces {
        if peers[0].write_all(piece).is_err() {
            break;
        }
        served(&mut peers);
    }
    let _ = peers[0].shutdown(Shutdown::Write);
    served(&mut peers);
    got
}

fn cut<'b>(bytes: &'b [u8], places: &[prop::sample::Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// A directory with a file. It is always the same one, because no test removes it at the end.
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("any-input");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("file"), vec![b'x'; 100_000]).unwrap();
    root
});

fn files() -> Box<dyn Service> {
    let root = ROOT.to_str().unwrap().to_string();
    Box::new(Http::new(&http::SiteOptions::read(&[("root".into(), root)]).unwrap()).unwrap())
}

/// Without the clock.
fn timeless(answer: &[u8]) -> String {
    let text = answer.escape_ascii().to_string();
    let parts: Vec<_> = text.split("Date: ").collect();
    let later = parts[1..].iter().map(|part| part.split_once("\\r").map_or("", |(_, rest)| rest));
    std::iter::once(parts[0]).chain(later).collect()
}

fn a_via() -> impl Strategy<Value = Via> {
    prop_oneof![Just(Via::Select), Just(Via::Poll)]
}

#[test]
fn requests_that_were_found_once_are_the_same_however_they_are_cut() {
    for request in FOUND_REQUESTS {
        let [whole, _] = answers(Via::Poll, files(), &[request]);
        assert!(whole.starts_with(b"HTTP/1.1 "), "{}", request.escape_ascii());
        for at in 1..request.len() {
            let (first, second) = request.split_at(at);
            let [cut, _] = answers(Via::Poll, files(), &[first, second]);
            assert_eq!(timeless(&cut), timeless(&whole), "{} cut at {at}", request.escape_ascii());
        }
    }
}

/// These bytes in two pieces, cut at each of these places; and in three pieces, if there are few places.
fn in_pieces(bytes: &[u8], near_the_ends: usize) -> Vec<Vec<&[u8]>> {
    const FEW: usize = 32;
    let len = bytes.len();
    let places = || (1..len).filter(|at| *at <= near_the_ends || len - at <= near_the_ends);
    let two = places().map(|at| vec![&bytes[..at], &bytes[at..]]);
    let three = places().filter(|_| len <= FEW).flat_map(|first| {
        (first + 1..len)
            .map(move |second| vec![&bytes[..first], &bytes[first..second], &bytes[second..]])
    });
    two.chain(three).collect()
}

/// The answer, which must not depend on how the bytes are cut.
#[track_caller]
fn answered_the_same(
    service: &dyn Fn() -> Box<dyn Service>,
    bytes: &[u8],
    near_the_ends: usize,
) -> [Vec<u8>; 2] {
    let whole = answers(Via::Poll, service(), &[bytes]);
    assert_eq!(answers(Via::Select, service(), &[bytes]), whole);
    for pieces in in_pieces(bytes, near_the_ends) {
        let cut = answers(Via::Poll, service(), &pieces);
        let places: Vec<_> = pieces.iter().map(|piece| piece.len()).collect();
        let start = bytes[..bytes.len().min(80)].escape_ascii();
        assert!(cut == whole, "{start} in pieces of {places:?}");
    }
    whole
}

#[test]
fn chat_lines_at_the_edges_are_the_same_however_they_are_cut() {
    let chat = || -> Box<dyn Service> { Box::new(Chat::default()) };
    for bytes in FOUND_CHAT {
        for read in answered_the_same(&chat, bytes, usize::MAX) {
            let text = String::from_utf8(read).expect("it is UTF-8");
            text.lines().for_each(assert_clean);
        }
    }
    for (len, end, is_passed_on) in FOUND_LINES {
        let line = [&vec![b'x'; *len], *end].concat();
        // Earlier input must not matter.
        for before in [&b""[..], b"\n"] {
            let [told, heard] = answered_the_same(&chat, &[before, &line].concat(), usize::MAX);
            let said = format!("<guest1> {}\n", "x".repeat(*len));
            let passed_on = heard.windows(said.len()).any(|part| part == said.as_bytes());
            assert_eq!(passed_on, *is_passed_on, "{len} bytes and {}", end.escape_ascii());
            let is_too_long = String::from_utf8(told).unwrap().contains("too long");
            let has_no_end = !end.ends_with(b"\n") && *len <= 1_024;
            assert_eq!(is_too_long, !is_passed_on && !has_no_end, "{len}");
        }
    }
}

#[test]
fn frames_at_the_edges_are_the_same_however_they_are_cut() {
    let framed = |rule: &str| -> Box<dyn Service> {
        Box::new(Framed::new(framing::Rule::parse(rule).unwrap()))
    };
    for bytes in FOUND_FRAMES {
        for rule in ["line", "length", "close", "fixed:1", "fixed:4"] {
            answered_the_same(&|| framed(rule), bytes, usize::MAX);
        }
    }
    for (rule, before, len, behind, what) in FOUND_LONG_FRAMES {
        let bytes = [*before, &vec![b'x'; *len], *behind].concat();
        let [said, _] = answered_the_same(&|| framed(rule), &bytes, 8);
        let said = said.escape_ascii().to_string();
        assert!(said.contains(what), "{rule}: {len} bytes: {said}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer_in_http_and_the_same_however_they_were_cut(
        via in a_via(),
        bytes in nearly_bytes(OF_REQUESTS),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let [whole, _] = answers(via, files(), &[&bytes]);
        prop_assert!(whole.is_empty() || whole.starts_with(b"HTTP/1.1 "), "{}", whole.escape_ascii());
        let [pieces, _] = answers(via, files(), &cut(&bytes, &places));
        prop_assert_eq!(timeless(&pieces), timeless(&whole));
    }

    #[test]
    fn any_bytes_are_harmless_in_a_chat_and_the_same_however_they_were_cut(
        via in a_via(),
        bytes in nearly_bytes(OF_CHAT),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let whole = answers(via, Box::new(Chat::default()), &[&bytes]);
        for read in &whole {
            let text = std::str::from_utf8(read).expect("it is UTF-8");
            let lines = text.strip_suffix('\n').expect("whole lines");
            lines.split('\n').for_each(assert_clean);
        }
        // This test does not wait for a member that sends so much at once that it is paused.
        if bytes.len() < 10_000 {
            let pieces = answers(via, Box::new(Chat::default()), &cut(&bytes, &places));
            prop_assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn any_bytes_come_back_in_upper_case_however_they_were_cut(
        via in a_via(),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let [answer, _] = answers(via, Box::new(Upper::default()), &cut(&bytes, &places));
        prop_assert_eq!(answer, bytes.to_ascii_uppercase());
    }

    #[test]
    fn any_bytes_are_messages_or_none_in_framed_and_the_same_however_they_were_cut(
        via in a_via(),
        bytes in nearly_bytes(OF_FRAMES),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        rule in prop::sample::select(&["line", "length", "close", "fixed:4", "fixed:65536"][..]),
    ) {
        let framed = || Box::new(Framed::new(framing::Rule::parse(rule).unwrap()));
        let whole = answers(via, framed(), &[&bytes]);
        prop_assert_eq!(answers(via, framed(), &cut(&bytes, &places)), whole);
    }
}
