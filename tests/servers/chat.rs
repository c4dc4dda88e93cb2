//! chat, as its members know it: two hundred of them, slow ones, rude ones, and ones that write nonsense.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::support::*;
use socket2::{Domain, Socket, Type};

/// A member that has read the welcome.
struct Member {
    lines: BufReader<TcpStream>,
    name: String,
}

/// A member joins.
#[track_caller]
fn enter(server: &Services) -> Member {
    member(server.connect(0))
}

#[track_caller]
fn member(stream: TcpStream) -> Member {
    let mut member = Member { lines: BufReader::new(stream), name: String::new() };
    let welcome = member.reads();
    let name = welcome.strip_prefix("* you are ").and_then(|rest| rest.split(';').next());
    member.name = name.expect(&welcome).to_string();
    member
}

/// A member with a small receive buffer, so that the server soon has queued bytes for it.
fn enter_with_little_room(server: &Services) -> Member {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // Set before the connection is made, because the window is negotiated in the handshake.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.at(0).into()).unwrap();
    member(impatient(socket.into()))
}

impl Member {
    /// Sends as it stands.
    #[track_caller]
    fn sends(&self, bytes: impl AsRef<[u8]>) {
        self.lines.get_ref().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a line.
    #[track_caller]
    fn says(&self, text: &str) {
        self.sends(format!("{text}\n"));
    }

    /// The next line.
    #[track_caller]
    fn reads(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert_eq!(line.pop(), Some('\n'), "the end instead of a line");
        line
    }

    /// Reads up to this line.
    #[track_caller]
    fn reads_up_to(&mut self, last: &str) {
        while self.reads() != last {}
    }

    /// The line that a member writes after a change of name reaches the others with the new name.
    #[track_caller]
    fn is_named(&mut self, name: &str, others: &mut [&mut Self]) {
        self.says(&format!("/nick {name}"));
        assert_eq!(self.reads(), format!("* you are {name}"));
        for other in others {
            assert_eq!(other.reads(), format!("* {} is now {name}", self.name));
        }
        self.name = name.to_string();
    }
}

/// Ann and Bob, each of whom has seen the other join.
fn ann_and_bob(server: &Services) -> (Member, Member) {
    let (mut ann, mut bob) = (enter(server), enter(server));
    assert_eq!(ann.reads(), "* guest2 has come");
    ann.is_named("ann", &mut [&mut bob]);
    bob.is_named("bob", &mut [&mut ann]);
    (ann, bob)
}

#[test]
fn a_line_of_one_member_reaches_all_others() {
    for via in BOTH {
        let server = serve(via, &["chat=127.0.0.1:0"]);
        let (mut ann, mut bob) = ann_and_bob(&server);
        let mut eve = enter(&server);
        assert_eq!(
            (ann.reads(), bob.reads()),
            ("* guest3 has come".into(), "* guest3 has come".into())
        );
        ann.sends("hello\r\nit's me\n");
        for reader in [&mut bob, &mut eve] {
            assert_eq!(
                (reader.reads(), reader.reads()),
                ("<ann> hello".into(), "<ann> it's me".into())
            );
        }
        eve.says("/who");
        assert_eq!(eve.reads(), "* here are: ann bob guest3");
        eve.says("/quit");
        assert_eq!(eve.reads(), "* good-bye");
        assert_eq!(eve.lines.read(&mut [0]).unwrap(), 0, "{via}");
        // A member that closes its half leaves the chat. An incomplete line is not passed on.
        bob.sends("and");
        bob.lines.get_ref().shutdown(Shutdown::Write).unwrap();
        assert_eq!(
            (ann.reads(), ann.reads()),
            ("* guest3 has left".into(), "* bob has left".into())
        );
        ann.says("/who");
        assert_eq!(ann.reads(), "* here are: ann");
    }
}

#[test]
fn a_character_that_comes_in_two_pieces_is_whole() {
    for via in BOTH {
        let server = serve(via, &["chat=127.0.0.1:0"]);
        let (mut ann, mut bob) = ann_and_bob(&server);
        for byte in "Grüße 日本 🎓".as_bytes() {
            ann.sends([*byte]);
            // A turn has passed in which the server has received that byte.
            bob.says("1");
            assert_eq!(ann.reads(), "<bob> 1");
            bob.says("2");
            assert_eq!(ann.reads(), "<bob> 2");
        }
        ann.sends("\n");
        assert_eq!(bob.reads(), "<ann> Grüße 日本 🎓", "{via}");
    }
}

#[test]
fn control_characters_reach_no_terminal() {
    for via in BOTH {
        let server = serve(via, &["chat=127.0.0.1:0"]);
        let (mut ann, mut bob) = ann_and_bob(&server);
        for (sent, read) in [
            (&b"\x1b[2J\x1b]0;pwned\x07"[..], r"<ann> \u{1b}[2J\u{1b}]0;pwned\u{7}"),
            (b"\r<bob> it was me\x08\0", r"<ann> \r<bob> it was me\u{8}\0"),
            (
                "\u{9b}31m\u{202e}txt.exe\u{2028}".as_bytes(),
                r"<ann> \u{9b}31m\u{202e}txt.exe\u{2028}",
            ),
            (b"\xff\xfe\xc3 \x9b", r"<ann> \xff\xfe\xc3 \x9b"),
        ] {
            ann.sends([sent, b"\n"].concat());
            assert_eq!(bob.reads(), read, "{via}");
        }
        // Nor is the line returned to its writer.
        ann.sends("/\x1b[2J\n/nick \x1b[2J\n");
        assert_eq!(ann.reads(), r"* there is no /\u{1b}[2J; /help tells what there is");
        assert!(ann.reads().starts_with("* a name has"), "{via}");
    }
}

#[test]
fn two_members_cannot_have_one_name() {
    for via in BOTH {
        let server = serve(via, &["chat=127.0.0.1:0"]);
        let (mut ann, mut bob) = ann_and_bob(&server);
        ann.sends("/nick BOB\n/nick guest3\n/nick a b\n/nick seventeen-letters\n/nick\n");
        assert_eq!(ann.reads(), "* BOB is taken");
        assert_eq!(ann.reads(), "* you are guest3");
        for _ in 0..3 {
            let reply = ann.reads();
            assert!(reply.starts_with("* a name has letters"), "{reply}");
        }
        assert_eq!(bob.reads(), "* ann is now guest3");
        assert_eq!(enter(&server).name, "guest4", "{via}");
    }
}

#[test]
fn too_long_a_line_is_not_passed_on_and_its_writer_is_told() {
    for via in BOTH {
        let server = serve(via, &["chat=127.0.0.1:0"]);
        let (mut ann, mut bob) = ann_and_bob(&server);
        ann.sends([b'x'; 200_000]);
        assert_eq!(ann.reads(), "* this line is too long and was not sent: at most 1024 bytes");
        ann.sends("and its end\nshort\n");
        assert_eq!(bob.reads(), "<ann> short", "{via}");
    }
}

#[test]
fn two_hundred_read_every_line_although_one_does_not_read_and_one_resets() {
    const MEMBERS: usize = 200;
    const SPEAKERS: usize = 5;
    const LINES: usize = 200;
    for via in BOTH {
        let server = serve(via, &["chat=127.0.0.1:0"]);
        let reads_nothing = enter_with_little_room(&server);
        let mut resets = enter(&server);
        let mut members: Vec<_> = (2..MEMBERS).map(|_| enter(&server)).collect();
        let names: Vec<_> = members[..SPEAKERS].iter().map(|member| member.name.clone()).collect();
        let gone = format!("* {} is gone: ECONNRESET (Connection reset by peer)", resets.name);
        let last = format!("* guest{MEMBERS} has come");
        members[..MEMBERS - 3].iter_mut().for_each(|member| member.reads_up_to(&last));
        resets.reads_up_to(&last);

        std::thread::scope(|scope| {
            for member in &members[..SPEAKERS] {
                let sender = member.lines.get_ref().try_clone().unwrap();
                scope.spawn(move || {
                    for number in 0..LINES {
                        (&sender)
                            .write_all(format!("{number} {}\n", "x".repeat(100)).as_bytes())
                            .unwrap();
                    }
                });
            }
            // One member in the middle leaves with a reset.
            resets.reads();
            reset(resets.lines.into_inner());
            for member in members {
                let (names, gone) = (&names, &gone);
                scope.spawn(move || reads_all_lines(member, names, LINES, gone));
            }
        });
        // The member that read nothing had less than the limit queued: it is still connected, and
        // reads everything now.
        reads_all_lines(reads_nothing, &names, LINES, &gone);
    }
}

/// Every line of all other members, each speaker's in order, and one message when a member has
/// left.
fn reads_all_lines(mut member: Member, speakers: &[String], lines: usize, gone: &str) {
    let others: Vec<_> = speakers.iter().filter(|name| **name != member.name).collect();
    let mut heard = vec![0; others.len()];
    let mut is_told = false;
    while !is_told || heard.iter().any(|heard| *heard < lines) {
        let line = member.reads();
        if line == gone {
            assert!(!is_told, "told twice");
            is_told = true;
        } else if let Some((name, text)) = line.strip_prefix('<').and_then(|l| l.split_once("> ")) {
            let speaker = others.iter().position(|other| *other == name).expect(&line);
            let number = heard[speaker].to_string();
            assert_eq!(text, format!("{number} {}", "x".repeat(100)), "from {name}");
            heard[speaker] += 1;
        } else {
            assert!(line.ends_with(" has come"), "{line}");
        }
    }
}

#[test]
fn a_slow_reader_is_disconnected_and_the_others_are_told() {
    for via in BOTH {
        let limits = ["--owed-limit", "30000", "--sndbuf", "4096"];
        let server = serve_with(via, &["chat=127.0.0.1:0"], &limits);
        let (ann, mut bob) = ann_and_bob(&server);
        let mut slow = enter_with_little_room(&server);
        assert_eq!(bob.reads(), "* guest3 has come");
        let said = format!("<ann> {}", "x".repeat(900));
        let mut told = 0;
        for _ in 0..10_000 {
            ann.says(&"x".repeat(900));
            // Bob reads as fast as lines arrive, so nothing is queued for him.
            let line = bob.reads();
            if line == "* guest3 did not read, and was disconnected" {
                told += 1;
                assert_eq!(bob.reads(), said, "the next line comes all the same");
                break;
            }
            assert_eq!(line, said);
        }
        assert_eq!(told, 1, "no member was disconnected, {via}");
        // The bytes that had reached his kernel are his; then comes the end of file, or a reset.
        let mut rest = Vec::new();
        let _ = slow.lines.read_to_end(&mut rest);
        assert!(rest.len() < 1_000_000);
        ann.says("still here?");
        assert_eq!(bob.reads(), "<ann> still here?");
    }
}

#[test]
fn a_flood_from_one_member_disconnects_no_reader() {
    const LINES: usize = 10_000;
    for via in BOTH {
        let limits = ["--owed-limit", "40000", "--sndbuf", "4096"];
        let server = serve_with(via, &["chat=127.0.0.1:0"], &limits);
        let (ann, mut bob) = (enter(&server), enter_with_little_room(&server));
        let flood: String = (0..LINES).map(|number| format!("{number}\n")).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| ann.sends(&flood));
            for number in 0..LINES {
                assert_eq!(bob.reads(), format!("<guest1> {number}"), "{via}");
            }
        });
    }
}
