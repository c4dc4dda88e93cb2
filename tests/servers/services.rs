//! The small services and framed, as their clients know them: over TCP, UDP and Unix-domain sockets, with both calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::*;

/// All that is printable, twice.
fn ring() -> Vec<u8> {
    (b' '..=b'~').chain(b' '..=b'~').collect()
}

#[test]
fn echo_answers_each_datagram_with_the_same() {
    for via in BOTH {
        let server = serve(via, &["echo/udp=127.0.0.1:0"]);
        let client = datagrams("127.0.0.1:0");
        for bytes in [&b"hello\n"[..], b"", &[0; 20_000]] {
            assert_eq!(answer(&client, server.at(0), bytes), bytes, "{via}");
        }
    }
}

#[test]
fn echo_answers_datagrams_of_the_unix_domain() {
    let dir = TempDir::new();
    let (server_path, client_path) = (dir.file("server"), dir.file("client"));
    let _server = serve("poll", &[&format!("echo/udp=unix:{}", server_path.display())]);
    // A sender without an address cannot be answered, and does no harm.
    UnixDatagram::unbound().unwrap().send_to(b"nobody", &server_path).unwrap();
    let client = UnixDatagram::bind(client_path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(b"hello", server_path).unwrap();
    let mut buffer = [0; 10];
    assert_eq!(client.recv(&mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"hello");
}

#[test]
fn upper_answers_each_byte_with_its_upper_case() {
    let all: Vec<u8> = (0..=255).collect();
    for via in BOTH {
        let server = serve(via, &["upper=127.0.0.1:0", "upper/udp=127.0.0.1:0"]);
        let mut client = server.connect(0);
        // More than one receive takes, and the client reads only when it has finished sending.
        let asked = all.repeat(400);
        client.write_all(&asked).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert!(read_all(client) == asked.to_ascii_uppercase(), "{via}");

        let client = datagrams("127.0.0.1:0");
        for bytes in [&all[..], b"", &[b'a'; 20_000], b"short again"] {
            let answered = answer(&client, server.at(1), bytes);
            assert_eq!(answered, bytes.to_ascii_uppercase(), "{via}");
        }
    }
}

#[test]
fn discard_takes_everything_and_answers_nothing() {
    for via in BOTH {
        let server =
            serve(via, &["discard=127.0.0.1:0", "discard/udp=127.0.0.1:0", "echo/udp=127.0.0.1:0"]);
        let mut client = server.connect(0);
        client.write_all(&vec![b'x'; 3_000_000]).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(client), b"", "{via}");

        let (client, other) = (datagrams("127.0.0.1:0"), datagrams("127.0.0.1:0"));
        client.send_to(b"hello", server.at(1)).unwrap();
        // When echo has answered twice, a turn has passed that served both.
        answer(&other, server.at(2), b"1");
        answer(&other, server.at(2), b"2");
        assert!(!has_come(&client), "{via}");
    }
}

#[test]
fn chargen_sends_lines_that_rotate_for_as_long_as_they_are_read() {
    for via in BOTH {
        let server = serve(via, &["chargen=127.0.0.1:0"]);
        let client = server.connect(0);
        // The service discards what it receives, and ignores the end of file, too.
        (&client).write_all(b"nonsense\n").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let (ring, mut lines) = (ring(), BufReader::new(client));
        // More than all buffers on the way hold.
        for number in 0..200_000 {
            let mut line = Vec::new();
            lines.read_until(b'\n', &mut line).unwrap();
            let expected = &ring[number % 95..][..72];
            assert_eq!(line.strip_suffix(b"\r\n"), Some(expected), "line {number}, {via}");
        }
    }
}

#[test]
fn chargen_answers_a_datagram_with_up_to_512_characters() {
    for via in BOTH {
        let server = serve(via, &["chargen/udp=127.0.0.1:0"]);
        let client = datagrams("127.0.0.1:0");
        let answers: Vec<_> = (0..20).map(|_| answer(&client, server.at(0), b"")).collect();
        let mut expected: Vec<u8> = Vec::new();
        for first in 0..7 {
            expected.extend_from_slice(&ring()[first..first + 72]);
            expected.extend_from_slice(b"\r\n");
        }
        assert!(answers.iter().all(|answer| expected[..512].starts_with(answer)), "{via}");
        assert!(answers.iter().any(|answer| answer.len() != answers[0].len()), "all of one length");
    }
}

#[test]
fn an_endless_answer_does_not_starve_other_connections() {
    for via in BOTH {
        let server = serve(via, &["chargen=127.0.0.1:0", "echo=127.0.0.1:0"]);
        let (_reads_nothing, mut reads_all) = (server.connect(0), server.connect(0));
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut buffer = vec![0; 1 << 20];
                while !is_over.load(Ordering::Relaxed) {
                    assert!(reads_all.read(&mut buffer).unwrap() > 0);
                }
            });
            let mut echo = server.connect(1);
            for number in 0..200u8 {
                echo.write_all(&[number]).unwrap();
                let mut back = [0];
                let result = echo.read_exact(&mut back);
                is_over.store(number == 199 || result.is_err(), Ordering::Relaxed);
                result.unwrap();
                assert_eq!(back, [number], "{via}");
            }
        });
    }
}

/// A moment between the two that enclose an answer, give or take the second that its form cuts off.
#[track_caller]
fn assert_now(told: SystemTime, asked: SystemTime) {
    let second = Duration::from_secs(1);
    let earliest = asked - second;
    assert!(told >= earliest && told <= SystemTime::now() + second, "{told:?}, asked {asked:?}");
}

#[test]
fn daytime_tells_the_time_in_one_line() {
    let dir = TempDir::new();
    for via in BOTH {
        let path = dir.file(via);
        let unix = format!("daytime=unix:{}", path.display());
        let server = serve(via, &["daytime=127.0.0.1:0", "daytime/udp=127.0.0.1:0", &unix]);
        let asked = SystemTime::now();
        let client = datagrams("127.0.0.1:0");
        for answer in [
            read_all(server.connect(0)),
            answer(&client, server.at(1), b""),
            read_all(UnixStream::connect(&path).unwrap()),
        ] {
            let text = String::from_utf8(answer).unwrap();
            let line = text.strip_suffix("\r\n").unwrap();
            assert_now(httpdate::parse_http_date(line).unwrap(), asked);
        }
    }
}

#[test]
fn time_tells_the_seconds_since_1900() {
    for via in BOTH {
        let server = serve(via, &["time=127.0.0.1:0", "time/udp=127.0.0.1:0"]);
        let asked = SystemTime::now();
        let client = datagrams("127.0.0.1:0");
        for answer in [read_all(server.connect(0)), answer(&client, server.at(1), b"")] {
            let since_1900 = u32::from_be_bytes(answer.try_into().unwrap());
            let since_1970 = since_1900.wrapping_sub(2_208_988_800);
            assert_now(UNIX_EPOCH + Duration::from_secs(since_1970.into()), asked);
        }
    }
}

#[test]
fn rdate_believes_the_time() {
    if !has_program("rdate") {
        return;
    }
    let server = serve("select", &["time=127.0.0.1:0", "time/udp=127.0.0.1:0"]);
    for (service, flags) in [(0, &["-p"][..]), (1, &["-p", "-u"])] {
        let asked = SystemTime::now();
        let run = Command::new("rdate")
            .args(flags)
            .args(["-o", &server.at(service).port().to_string(), "127.0.0.1"])
            .env("TZ", "UTC0")
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let told = String::from_utf8(run.stdout).unwrap().replace(" UTC", "");
        assert_now(httpdate::parse_http_date(told.trim_end()).expect(&told), asked);
    }
}

#[test]
fn one_loop_serves_them_all() {
    for via in BOTH {
        let all = ["echo", "discard", "chargen", "daytime", "time", "chat", "framed", "upper"];
        let services = all.map(|name| format!("{name}=127.0.0.1:0"));
        let server = serve(via, &services.each_ref().map(|service| &service[..]));
        let mut clients = [0, 1, 2, 3, 4, 5, 6, 7].map(|service| server.connect(service));
        let mut first = |service: usize, says: &[u8], len: usize| {
            let client: &mut TcpStream = &mut clients[service];
            client.write_all(says).unwrap();
            let mut bytes = vec![0; len];
            client.read_exact(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        assert_eq!(first(7, b"hello\n", 6), "HELLO\n");
        assert_eq!(first(6, b"hello\n", 19), "message 1: 5 bytes\n");
        assert_eq!(first(5, b"", 16), "* you are guest1");
        assert_eq!(first(3, b"", 31)[26..], *"GMT\r\n");
        assert_eq!(first(2, b"", 4), " !\"#");
        assert_eq!(first(0, b"hello\n", 6), "hello\n");
        let [_, discard, _, _, time, ..] = clients;
        assert_eq!(read_all(time).len(), 4);
        discard.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_all(discard), b"");
    }
}

#[test]
fn a_datagram_from_a_servers_port_is_not_answered() {
    if !cfg!(target_os = "linux") {
        return skipped("this system has no second loopback address");
    }
    for via in BOTH {
        let services = ["echo/udp=127.0.0.1:0", "chargen/udp=127.0.0.1:0", "upper/udp=127.0.0.1:0"];
        let server = serve(via, &services);
        // As if from a like server on another machine: its own port, that of a neighbour, and one of the known ones.
        let same_port = datagrams(("127.0.0.2", server.at(0).port()));
        let neighbours = datagrams(("127.0.0.2", server.at(1).port()));
        let ordinary = datagrams("127.0.0.2:0");
        for service in [0, 1, 2] {
            for client in [&same_port, &neighbours] {
                client.send_to(b"round and round", server.at(service)).unwrap();
            }
            // Each of their datagrams was taken before this one was.
            answer(&ordinary, server.at(service), b"hello");
            assert!(!has_come(&same_port) && !has_come(&neighbours), "{via}");
        }
    }
}

/// Sends each byte by itself and then finishes; what is answered to it.
fn answers_to_single_bytes(
    mut client: impl Read + Write,
    bytes: &[u8],
    finish: impl Fn(),
) -> Vec<u8> {
    for byte in bytes {
        client.write_all(&[*byte]).unwrap();
    }
    finish();
    read_all(client)
}

#[test]
fn framed_finds_the_messages_however_they_were_cut() {
    let unfinished = "message 3: unfinished: the end came after 2 bytes\n";
    let two = "message 1: 3 bytes\nmessage 2: 3 bytes\n";
    let prefixed = |text: &str| [&[0, 0, 0, text.len() as u8], text.as_bytes()].concat();
    let cases: [(&str, &[u8], Vec<u8>); 4] = [
        ("fixed:3", b"abcabcab", [two, unfinished].concat().into()),
        ("line", b"abc\nabc\r\nab", [two, unfinished].concat().into()),
        (
            "length",
            b"\0\0\0\x03abc\0\0\0\x03abc\0\0",
            [
                prefixed("message 1: 3 bytes"),
                prefixed("message 2: 3 bytes"),
                prefixed(unfinished.trim_end()),
            ]
            .concat(),
        ),
        ("close", b"abc\nab", b"message 1: 6 bytes\n".to_vec()),
    ];
    let dir = TempDir::new();
    for via in BOTH {
        for (frame, bytes, expected) in &cases {
            let path = dir.file(&format!("{via}-{frame}"));
            let tcp = format!("framed=127.0.0.1:0,frame={frame}");
            let unix = format!("framed=unix:{},frame={frame}", path.display());
            let server = serve(via, &[&tcp, &unix]);
            let client = server.connect(0);
            let finish = || client.shutdown(Shutdown::Write).unwrap();
            let answers = answers_to_single_bytes(&client, bytes, finish);
            assert_eq!(answers.escape_ascii().to_string(), expected.escape_ascii().to_string());

            let client = UnixStream::connect(&path).unwrap();
            let finish = || client.shutdown(Shutdown::Write).unwrap();
            let at_once = answers_to_single_bytes(&client, bytes, finish);
            assert_eq!(at_once, *expected, "{frame}, {via}");
        }
    }
}

#[test]
fn framed_refuses_too_long_a_message_and_closes() {
    for via in BOTH {
        for (frame, sent, prefix) in [
            ("line", vec![b'x'; 65_537], ""),
            ("close", vec![b'x'; 65_537], ""),
            ("length", b"GET / HTTP/1.1\r\n\r\n".to_vec(), "\0\0\0\x32"),
        ] {
            let server = serve(via, &[&format!("framed=127.0.0.1:0,frame={frame}")]);
            let mut client = server.connect(0);
            client.write_all(&sent).unwrap();
            let answer = String::from_utf8(read_all(client)).unwrap();
            let expected = format!("{prefix}message 1: too long: at most 65536 bytes are taken");
            assert_eq!(answer.trim_end(), expected, "{frame}, {via}");
        }
    }
}

#[test]
fn framed_answers_more_messages_than_its_queue_may_hold() {
    const MESSAGES: usize = 200_000;
    for via in BOTH {
        // The answers are twenty times as long as what they answer.
        let limits = ["--owed-limit", "50000", "--sndbuf", "4096"];
        let server = serve_with(via, &["framed=127.0.0.1:0"], &limits);
        let client = server.connect(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (&client).write_all(&[b'\n'; MESSAGES]).unwrap();
                client.shutdown(Shutdown::Write).unwrap();
            });
            let mut lines = BufReader::new(&client).lines();
            for number in 1..=MESSAGES {
                let expected = format!("message {number}: 0 bytes");
                assert_eq!(lines.next().unwrap().unwrap(), expected, "{via}");
            }
            assert!(lines.next().is_none());
        });
    }
}

#[test]
fn what_cannot_be_served_is_refused_with_what_can() {
    for (service, reason) in [
        ("framed=0,frame=word", "write fixed:N, line, length or close"),
        ("framed=0,frame=fixed:0", "write fixed:1 to fixed:65536"),
        ("framed=0,color=red", "it has: frame="),
        ("chat/udp", "needs connections"),
        ("gopher", "services: echo, discard, chargen, "),
    ] {
        let run = Command::new(env!("CARGO_BIN_EXE_baresock")).args(["serve", service]).output();
        let run = run.unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(reason), "{service} gave {said}");
    }
}

/// Sends a byte every few milliseconds, until the server takes no more, and meanwhile reads slowly. Returns what came.
fn talk_and_read_slowly(mut client: TcpStream, question: &[u8], piece: usize) -> Vec<u8> {
    client.write_all(question).unwrap();
    let mut talking = client.try_clone().unwrap();
    std::thread::spawn(move || {
        while talking.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let (mut came, mut buffer) = (Vec::new(), vec![0; piece]);
    // The end may be a reset, for a client that never ends is not waited for without limit; but nothing before it is lost.
    while let Ok(len @ 1..) = client.read(&mut buffer) {
        came.extend_from_slice(&buffer[..len]);
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = client.shutdown(Shutdown::Both);
    came
}

/// A connection that takes in little at a time.
fn narrow(to: std::net::SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// RFC 9112, 9.6: closed while unread bytes come, a connection is reset, and that takes away what is on its way. Each
/// service that closes first sends more than fits at once, or is read for longer than its two seconds.
#[test]
fn the_last_bytes_reach_a_client_that_still_talks() {
    const LONG: usize = 3_000_000;
    let dir = TempDir::new();
    std::fs::write(dir.file("file"), vec![b'f'; LONG]).unwrap();
    let target = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = target.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in target.incoming() {
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                stream.write_all(&vec![b'r'; LONG]).unwrap();
                // It has closed its half, and reads what the client still sends.
                stream.shutdown(Shutdown::Write).unwrap();
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            });
        }
    });
    let (http, relay) = (
        format!("http=127.0.0.1:0,root={}", text(&dir.file(""))),
        format!("relay=127.0.0.1:0,to={to}"),
    );
    let long_line = vec![b'l'; 70_000];
    for via in BOTH {
        let listed = [
            "daytime=127.0.0.1:0",
            "time=127.0.0.1:0",
            "framed=127.0.0.1:0",
            "chat=127.0.0.1:0",
            &http,
            &relay,
        ];
        let server = serve(via, &listed);
        let at: Vec<_> = (0..listed.len()).map(|number| server.at(number)).collect();
        let get = b"GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let bad = b"BAD\r\n\r\n";
        std::thread::scope(|scope| {
            let ask = |number: usize, question: &'static [u8], piece: usize| {
                let to = at[number];
                scope.spawn(move || talk_and_read_slowly(narrow(to), question, piece))
            };
            let [daytime, time] = [ask(0, b"now?", 1), ask(1, b"now?", 1)];
            let [file, refused, passed_on] =
                [ask(4, get, 100_000), ask(4, bad, 10), ask(5, b"hello", 100_000)];
            let left = ask(3, b"/nick talker\n/quit\n", 2);
            let framed = {
                let (to, line) = (at[2], &long_line);
                scope.spawn(move || talk_and_read_slowly(narrow(to), line, 2))
            };
            let [daytime, time, file, refused, passed_on, left, framed] =
                [daytime, time, file, refused, passed_on, left, framed]
                    .map(|all| all.join().unwrap());
            assert!(daytime.ends_with(b"\r\n"), "{daytime:?}, {via}");
            assert_eq!(time.len(), 4, "{via}");
            assert!(file.ends_with(&[b'f'; 100]), "{via}");
            assert_eq!(
                file.iter().filter(|byte| **byte == b'f').count(),
                LONG + count_of_f(&file),
                "{via}"
            );
            assert_eq!(passed_on.len(), LONG, "{via}");
            let refused = String::from_utf8(refused).unwrap();
            assert!(
                refused.starts_with("HTTP/1.1 400") && refused.ends_with('\n'),
                "{refused}, {via}"
            );
            for (said, what) in [(left, "chat"), (framed, "framed")] {
                let said = String::from_utf8(said).unwrap();
                assert!(said.ends_with('\n'), "{what}: {said:?}, {via}");
            }
        });
    }
}

/// How many there are in the head of an answer.
fn count_of_f(answer: &[u8]) -> usize {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    answer[..end].iter().filter(|byte| **byte == b'f').count()
}
