use super::*;
use proptest::prelude::*;

/// All that a receiver sees: the messages, and how the stream ended.
#[derive(Debug, PartialEq)]
struct Seen {
    messages: Vec<Vec<u8>>,
    end: StreamEnd,
}

#[derive(Debug, PartialEq)]
enum StreamEnd {
    Clean,
    TooLong,
    Unfinished(usize),
}

/// Receives a stream in pieces, as the loop does: the bytes left from one piece stand before the next.
fn receive<'p>(framing: Framing, pieces: impl IntoIterator<Item = &'p [u8]>) -> Seen {
    let mut messages = Vec::new();
    let mut left = Vec::new();
    for piece in pieces {
        left.extend_from_slice(piece);
        let mut rest = &left[..];
        loop {
            match framing.take(rest) {
                Ok(Some((message, after))) => {
                    messages.push(message.to_vec());
                    rest = after;
                }
                Ok(None) => break,
                Err(TooLong { limit }) => {
                    assert_eq!(limit, framing.limit);
                    return Seen { messages, end: StreamEnd::TooLong };
                }
            }
        }
        left = rest.to_vec();
    }
    let end = match framing.take_last(&left) {
        Ok(last) => {
            messages.extend(last.map(<[u8]>::to_vec));
            StreamEnd::Clean
        }
        Err(Unfinished { len }) => StreamEnd::Unfinished(len),
    };
    Seen { messages, end }
}

fn fixed(len: usize) -> Rule {
    Rule::Fixed(NonZeroUsize::new(len).unwrap())
}

fn a_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (1usize..6).prop_map(fixed),
        Just(Rule::Line),
        Just(Rule::Length),
        Just(Rule::Close)
    ]
}

/// Bytes of which many mean something to one rule or another.
fn a_byte() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0u8), 2 => 1u8..9, 2 => Just(b'\n'), 2 => Just(b'\r'), 1 => any::<u8>()]
}

fn cut<'s>(stream: &'s [u8], places: &[prop::sample::Index]) -> Vec<&'s [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &stream[ends[0]..ends[1]]).collect()
}

proptest! {
    #[test]
    fn what_was_sent_is_received_however_it_was_cut(
        rule in a_rule(),
        messages in prop::collection::vec(prop::collection::vec(a_byte(), 0..20), 1..8),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let framing = Framing::new(rule);
        let mut stream = Vec::new();
        let mut sent = messages;
        if rule == Rule::Close {
            sent.truncate(1);
        }
        sent.retain(|message| framing.encode(message, &mut stream).is_ok());
        let seen = receive(framing, cut(&stream, &places));
        prop_assert_eq!(seen, Seen { messages: sent, end: StreamEnd::Clean });
    }

    #[test]
    fn any_stream_means_the_same_however_it_was_cut(
        rule in a_rule(),
        limit in 1usize..12,
        stream in prop::collection::vec(a_byte(), 0..60),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let framing = Framing { rule, limit };
        prop_assert_eq!(receive(framing, cut(&stream, &places)), receive(framing, [&stream[..]]));
    }

    #[test]
    fn what_cannot_be_sent_leaves_nothing_behind(
        rule in a_rule(),
        message in prop::collection::vec(a_byte(), 0..10),
    ) {
        let mut out = b"before".to_vec();
        let encoded = Framing { rule, limit: 5 }.encode(&message, &mut out);
        prop_assert!(encoded.is_ok() || out == b"before");
        prop_assert!(encoded.is_err() || message.len() <= 5);
    }
}

#[test]
fn every_way_to_cut_a_stream_gives_the_same() {
    for (rule, stream) in [
        (fixed(4), &b"abcdefghijkl"[..]),
        (Rule::Line, b"ab\r\n\n\rcd\nef\r\r\n"),
        (Rule::Length, b"\0\0\0\x03abc\0\0\0\0\0\0\0\x01"),
        (Rule::Close, b"ab\n\0\0\0\x01cd"),
    ] {
        let framing = Framing { rule, limit: 8 };
        let whole = receive(framing, [stream]);
        for cuts in 0..1u32 << (stream.len() - 1) {
            let mut pieces = Vec::new();
            let mut from = 0;
            for at in 1..=stream.len() {
                if at == stream.len() || cuts & (1 << (at - 1)) != 0 {
                    pieces.push(&stream[from..at]);
                    from = at;
                }
            }
            assert_eq!(receive(framing, pieces), whole, "{rule}, cut by {cuts:b}");
        }
    }
}

fn seen(rule: Rule, limit: usize, stream: &[u8]) -> (Vec<String>, StreamEnd) {
    let Seen { messages, end } = receive(Framing { rule, limit }, [stream]);
    (messages.iter().map(|message| message.escape_ascii().to_string()).collect(), end)
}

#[test]
fn each_rule_has_its_own_end_of_a_message() {
    let all = |messages: &[&str]| messages.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(seen(fixed(2), 9, b"abcde"), (all(&["ab", "cd"]), StreamEnd::Unfinished(1)));
    assert_eq!(seen(Rule::Line, 9, b"a\r\n\n\rb\n"), (all(&["a", "", "\\rb"]), StreamEnd::Clean));
    assert_eq!(
        seen(Rule::Length, 9, b"\0\0\0\x02ab\0\0\0\0\0\0"),
        (all(&["ab", ""]), StreamEnd::Unfinished(2))
    );
    assert_eq!(seen(Rule::Close, 9, b"a\nb"), (all(&["a\\nb"]), StreamEnd::Clean));
    assert_eq!(seen(Rule::Close, 9, b""), (all(&[""]), StreamEnd::Clean));
}

#[test]
fn the_limit_holds_before_the_end_has_come() {
    for (rule, fits, too_long) in [
        (Rule::Line, &b"abc\r"[..], &b"abcd"[..]),
        (Rule::Line, b"abc\r\n", b"abc\r\r\n"),
        (Rule::Length, b"\0\0\0\x03", b"\0\0\0\x04"),
        (Rule::Close, b"abc", b"abcd"),
    ] {
        assert_ne!(seen(rule, 3, fits).1, StreamEnd::TooLong, "{rule}");
        assert_eq!(seen(rule, 3, too_long).1, StreamEnd::TooLong, "{rule}");
    }
    // A client that speaks HTTP announces a gigabyte by accident; the server does not wait for it.
    assert_eq!(seen(Rule::Length, MESSAGE_LIMIT, b"GET / HTTP/1.1").1, StreamEnd::TooLong);
}

#[test]
fn a_rule_is_read_as_it_is_printed() {
    for rule in [fixed(1), fixed(MESSAGE_LIMIT), Rule::Line, Rule::Length, Rule::Close] {
        assert_eq!(Rule::parse(&rule.to_string()), Ok(rule));
    }
    for (text, reason) in [
        ("fixed", "fixed:N, line, length or close"),
        ("fixed:0", "fixed:1 to fixed:65536"),
        ("fixed:65537", "fixed:1 to fixed:65536"),
        ("fixed:-1", "fixed:1 to"),
        ("\x1b", "\\u{1b}"),
    ] {
        let why = Rule::parse(text).unwrap_err();
        assert!(why.contains(reason), "{text:?} gave {why:?}");
    }
}
