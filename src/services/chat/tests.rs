use super::*;
use crate::addr::Address;
use crate::events::testing::{answers, token};
use crate::names::Errno;

const ANN: u32 = 1;
const BOB: u32 = 2;
const EVE: u32 = 3;

/// A chat of Ann, Bob and Eve.
fn chat() -> Chat {
    let mut chat = Chat::default();
    for (who, name) in [(ANN, "ann"), (BOB, "bob"), (EVE, "eve")] {
        enter(&mut chat, who);
        told(&mut chat, who, LoopEvent::Bytes(format!("/nick {name}\n").as_bytes()));
    }
    chat
}

fn enter(chat: &mut Chat, who: u32) -> Vec<(u32, String)> {
    told(chat, who, LoopEvent::Opened { peer: &Address::unix("peer"), asked_by: None })
}

fn told(chat: &mut Chat, who: u32, event: LoopEvent<'_>) -> Vec<(u32, String)> {
    let actions = answers(chat, token(who), event);
    let sends = actions.iter().filter_map(|action| match action {
        Action::Send { to, bytes } => Some((to.place, String::from_utf8(bytes.to_vec()).unwrap())),
        _ => None,
    });
    sends.collect()
}

fn says(chat: &mut Chat, who: u32, text: &[u8]) -> Vec<(u32, String)> {
    told(chat, who, LoopEvent::Bytes(text))
}

/// What another member reads when Ann sends these bytes.
fn read_of(bytes: &[u8]) -> String {
    let told = says(&mut chat(), ANN, bytes);
    told.into_iter().find(|(to, _)| *to == BOB).map(|(_, text)| text).unwrap_or_default()
}

/// What Ann herself reads.
fn replied(chat: &mut Chat, bytes: &[u8]) -> String {
    let told = says(chat, ANN, bytes);
    told.into_iter().find(|(to, _)| *to == ANN).map(|(_, text)| text).unwrap_or_default()
}

fn kept(chat: &mut Chat, who: u32, bytes: &[u8]) -> Option<usize> {
    let actions = answers(chat, token(who), LoopEvent::Bytes(bytes));
    actions.iter().find_map(|action| match action {
        Action::Keep(kept) => Some(*kept),
        _ => None,
    })
}

#[test]
fn a_line_goes_to_all_others_without_copies_of_its_bytes() {
    let mut chat = chat();
    let actions = answers(&mut chat, token(BOB), LoopEvent::Bytes(b"hello\r\nall\n"));
    let sends: Vec<_> = actions
        .iter()
        .filter_map(|action| match action {
            Action::Send { to, bytes } => Some((to.place, *bytes)),
            _ => None,
        })
        .collect();
    let [(ANN, to_ann), (EVE, to_eve)] = sends[..] else { panic!("{actions:?}") };
    assert_eq!(to_ann, b"<bob> hello\n<bob> all\n");
    assert!(std::ptr::eq(to_ann, to_eve), "one was copied");
}

#[test]
fn members_that_join_and_leave_are_announced() {
    let mut chat = chat();
    let came = enter(&mut chat, 9);
    assert!(came[0].0 == 9 && came[0].1.contains("you are guest4"), "{came:?}");
    assert_eq!(came[1..].iter().map(|(to, _)| *to).collect::<Vec<_>>(), [ANN, BOB, EVE]);
    assert_eq!(came[1].1, "* guest4 has come\n");
    for (who, event, expected) in [
        (9, LoopEvent::PeerFinished, "* guest4 has left\n"),
        (9, LoopEvent::Closed(Ending::Finished), ""),
        (BOB, LoopEvent::Closed(Ending::TooSlow), "* bob did not read, and was disconnected\n"),
        (EVE, LoopEvent::Closed(Ending::Failed(Errno::ECONNRESET)), "* eve is gone: ECONNRESET"),
    ] {
        let told = told(&mut chat, who, event);
        assert_eq!(told.is_empty(), expected.is_empty(), "{told:?}");
        assert!(told.iter().all(|(to, text)| *to != who && text.starts_with(expected)));
    }
}

#[test]
fn a_line_is_handled_whole() {
    let mut chat = chat();
    assert_eq!(kept(&mut chat, ANN, b"Gr\xc3"), Some(3));
    assert_eq!(
        says(&mut chat, ANN, "Gr\u{fc}\u{df}e\n".as_bytes())[0].1,
        "<ann> Gr\u{fc}\u{df}e\n"
    );
    assert_eq!(kept(&mut chat, ANN, b"a\nbc"), Some(2));
}

#[test]
fn control_characters_are_shown_as_escapes() {
    assert_eq!(read_of(b"\x1b[2J\r\n"), "<ann> \\u{1b}[2J\n");
    assert_eq!(read_of("\u{202e}gnp\u{9b}A\n".as_bytes()), "<ann> \\u{202e}gnp\\u{9b}A\n");
    assert_eq!(read_of(b"\xff\r<bob> I?\n"), "<ann> \\xff\\r<bob> I?\n");
    let reply = replied(&mut chat(), b"/\x1b[2J\n");
    assert_eq!(reply, "* there is no /\\u{1b}[2J; /help tells what there is\n");
}

#[test]
fn too_long_a_line_is_refused_and_the_next_one_is_read() {
    let mut chat = chat();
    let fits = [&[b'x'; LINE_LIMIT][..], b"\r\n"].concat();
    assert_eq!(says(&mut chat, ANN, &fits).len(), 2);
    for pieces in [
        &[&[b'x'; LINE_LIMIT + 1][..], b"xxx", b"xx\nok\n"][..],
        &[&[&[b'x'; 2000][..], b"\nok\n"].concat()],
    ] {
        let told: Vec<_> = pieces.iter().flat_map(|piece| says(&mut chat, ANN, piece)).collect();
        let to = |who| told.iter().filter(move |(to, _)| *to == who).map(|(_, text)| &text[..]);
        assert_eq!(to(ANN).count(), 1, "{told:?}");
        assert!(to(ANN).all(|text| text.contains("too long") && text.contains("1024")));
        assert_eq!(to(BOB).collect::<Vec<_>>(), ["<ann> ok\n"]);
    }
}

#[test]
fn a_name_is_valid_and_unique() {
    let mut chat = chat();
    for (name, expected) in [
        ("Bob", "* Bob is taken\n"),
        ("ANN", "* you are ANN\n"),
        ("seventeen-letters", "* a name has"),
        ("", "* a name has"),
        ("a b", "* a name has"),
        ("\u{430}nn", "* a name has"),
        ("\x1b[2J", "* a name has"),
        ("guest5", "* you are guest5\n"),
    ] {
        let reply = replied(&mut chat, format!("/nick {name}\n").as_bytes());
        assert!(reply.starts_with(expected) && reply.ends_with('\n'), "{name:?} gave {reply:?}");
    }
    enter(&mut chat, 8);
    let reply = &enter(&mut chat, 9)[0].1;
    assert!(reply.contains("you are guest6"), "{reply}");
    assert_eq!(replied(&mut chat, b"/who\n"), "* here are: guest5 bob eve guest4 guest6\n");
}

#[test]
fn a_member_that_quits_leaves_before_its_connection_closes() {
    let mut chat = chat();
    let actions = answers(&mut chat, token(ANN), LoopEvent::Bytes(b"/quit\nstill here?\n"));
    assert!(matches!(actions.last(), Some(Action::Close(_))), "{actions:?}");
    assert_eq!(replied(&mut chat, b"still here?\n"), "");
    assert_eq!(says(&mut chat, BOB, b"/who\n")[0].1, "* here are: bob eve\n");
}

#[test]
fn a_member_that_sends_much_at_once_is_paused_and_loses_nothing() {
    let mut chat = chat();
    let sent: String = (0..5000).map(|k| format!("{k}\n")).collect();
    let mut rest = sent.len();
    let mut heard = String::new();
    let mut pauses = 0;
    while rest > 0 {
        let actions =
            answers(&mut chat, token(ANN), LoopEvent::Bytes(&sent.as_bytes()[sent.len() - rest..]));
        for action in &actions {
            match action {
                Action::Keep(kept) => rest = *kept,
                Action::Hold(_) => pauses += 1,
                Action::Send { to, bytes } if to.place == BOB => {
                    assert!(bytes.len() < SAID_AT_ONCE + 2 * LINE_LIMIT);
                    heard.push_str(std::str::from_utf8(bytes).unwrap());
                }
                _ => {}
            }
        }
        let actions = answers(&mut chat, token(ANN), LoopEvent::Deadline);
        assert!(matches!(actions[..], [Action::Release(_), Action::WantRoom(_)]));
    }
    assert_eq!(heard, (0..5000).map(|k| format!("<ann> {k}\n")).collect::<String>());
    assert!(pauses > 1);
}
