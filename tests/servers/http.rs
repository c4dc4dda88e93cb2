//! http from the clients' view, byte by byte: over plain sockets, with both calls.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::{FileExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::*;

const MIB: u64 = 1024 * 1024;

/// A directory that is served, beside a file that must not be.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(TempDir::new());
        fs::create_dir_all(site.file("sub/deep")).unwrap();
        fs::write(site.0.file("secret"), "SECRET").unwrap();
        fs::write(site.file("hello.txt"), "hello\n").unwrap();
        age(&site.file("hello.txt"));
        fs::write(site.file("empty"), "").unwrap();
        fs::write(site.file("sub/a&b <i>.txt"), "odd name").unwrap();
        fs::write(site.file("sub/deep/index.html"), "<h1>the index</h1>").unwrap();
        site
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.file("root").join(name)
    }

    /// A file of this length, of which the disk holds nothing.
    fn sparse(&self, name: &str, len: u64) -> File {
        let file = File::create_new(self.file(name)).unwrap();
        file.set_len(len).unwrap();
        file
    }

    #[track_caller]
    fn serve(&self, via: &str, options: &str) -> Services {
        let root = self.file("");
        serve(via, &[&format!("http=127.0.0.1:0,root={}{options}", root.display())])
    }
}

/// A connection, and bytes that arrived on it and were not parsed yet.
struct Client(BufReader<TcpStream>);

#[derive(Debug)]
struct Response {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    #[track_caller]
    fn new(server: &Services) -> Self {
        Self(BufReader::new(server.connect(0)))
    }

    fn send(&self, bytes: impl AsRef<[u8]>) {
        self.0.get_ref().write_all(bytes.as_ref()).unwrap();
    }

    #[track_caller]
    fn head(&mut self) -> (u16, String, u64) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let len = self.0.read_line(&mut head).unwrap();
            assert!(len > 0, "the end, after {head:?}");
        }
        let status = head.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap();
        let len = field(&head, "Content-Length").map_or(0, |len| len.parse().unwrap());
        (status, head, len)
    }

    #[track_caller]
    fn response(&mut self) -> Response {
        let (status, head, len) = self.head();
        let mut body = vec![0; len as usize];
        self.0.read_exact(&mut body).unwrap();
        Response { status, head, body }
    }

    #[track_caller]
    fn get(&mut self, target: &str) -> Response {
        self.get_with(target, "")
    }

    #[track_caller]
    fn get_with(&mut self, target: &str, fields: &str) -> Response {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"));
        self.response()
    }

    #[track_caller]
    fn assert_finished(&mut self) {
        assert_finished(&mut self.0);
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let value = values.next().map(|(_, value)| value);
    assert!(values.next().is_none(), "{name} stands twice in {head:?}");
    value
}

#[test]
fn a_file_is_described_and_sent() {
    let site = Site::new();
    for via in BOTH {
        let server = site.serve(via, "");
        let mut client = Client::new(&server);
        let full = client.get("/hello.txt");
        assert_eq!((full.status, &*full.body), (200, &b"hello\n"[..]), "{via}");
        assert_eq!(field(&full.head, "Content-Type"), Some("text/plain; charset=utf-8"));
        assert_eq!(field(&full.head, "Server"), Some("baresock"));
        assert_eq!(field(&full.head, "Connection"), Some("keep-alive"));
        assert_eq!(field(&full.head, "Accept-Ranges"), Some("bytes"));
        assert!(field(&full.head, "Date").unwrap().ends_with(" GMT"));
        let modified = field(&full.head, "Last-Modified").unwrap().to_string();

        // HEAD says the same and sends nothing: the next response follows at once.
        client.send("HEAD /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n");
        let (status, head, len) = client.head();
        assert_eq!((status, len), (200, 6), "{head}");
        assert_eq!(client.get("/empty").body, b"");

        let known = client.get_with("/hello.txt", &format!("If-Modified-Since: {modified}\r\n"));
        assert_eq!((known.status, known.body.len()), (304, 0), "{}", known.head);
        let part = client.get_with("/hello.txt", "Range: bytes=1-2\r\n");
        assert_eq!((part.status, &*part.body), (206, &b"el"[..]), "{via}");
        assert_eq!(field(&part.head, "Content-Range"), Some("bytes 1-2/6"));
        let beyond = client.get_with("/hello.txt", "Range: bytes=6-\r\n");
        assert_eq!(field(&beyond.head, "Content-Range"), Some("bytes */6"), "{}", beyond.head);
        assert_eq!(beyond.status, 416);

        // The file changes: so does what is sent, be it remembered or not.
        for text in ["other", "again"] {
            fs::write(site.file("hello.txt"), text).unwrap();
            assert_eq!(client.get("/hello.txt").body, text.as_bytes(), "{via}");
        }
        fs::write(site.file("hello.txt"), "hello\n").unwrap();
        age(&site.file("hello.txt"));
    }
}

#[test]
fn each_request_gets_the_status_that_it_deserves() {
    let site = Site::new();
    let made = Command::new("mkfifo").arg(site.file("pipe")).status().unwrap();
    assert!(made.success());
    symlink("/dev/zero", site.file("zero")).unwrap();
    symlink("loop", site.file("loop")).unwrap();
    symlink("../secret", site.file("out")).unwrap();
    symlink("..", site.file("sub/up")).unwrap();
    symlink("../hello.txt", site.file("sub/in")).unwrap();
    let host = "HTTP/1.1\r\nHost: x\r\n";
    let long = "a".repeat(10_000);
    // The status, and whether the connection goes on.
    let table = [
        (format!("GET /hello.txt {host}"), 200, true),
        (format!("GET http://x/hello.txt?q {host}"), 200, true),
        ("GET /hello.txt HTTP/1.0\r\n".to_string(), 200, false),
        ("GET /hello.txt HTTP/1.0\r\nConnection: keep-alive\r\n".to_string(), 200, true),
        (format!("GET /hello.txt {host}Connection: close\r\n"), 200, false),
        (format!("GET /sub/in {host}"), 200, true),
        (format!("GET /sub/up/hello.txt {host}"), 200, true),
        (format!("GET /sub {host}"), 301, true),
        (format!("GET /nothing {host}"), 404, true),
        (format!("GET /hello.txt/ {host}"), 404, true),
        (format!("GET /hello.txt/x {host}"), 404, true),
        (format!("GET /{} {host}", "a".repeat(300)), 404, true),
        (format!("GET /loop {host}"), 404, true),
        (format!("GET /out {host}"), 404, true),
        (format!("GET /zero {host}"), 404, true),
        (format!("GET /pipe {host}"), 403, true),
        (format!("GET /../secret {host}"), 404, true),
        (format!("GET /sub/../../secret {host}"), 404, true),
        (format!("GET /%2e%2e/secret {host}"), 404, true),
        (format!("GET /..%2fsecret {host}"), 404, true),
        (format!("GET /%252e%252e/secret {host}"), 404, true),
        (format!("GET //../secret {host}"), 404, true),
        (format!("GET http://x/../secret {host}"), 404, true),
        (format!("GET {} {host}", site.0.file("secret").display()), 404, true),
        (format!("GET /hello.txt%00 {host}"), 400, true),
        (format!("GET file:///etc/passwd {host}"), 400, true),
        (format!("GET * {host}"), 400, true),
        (format!("DELETE /hello.txt {host}"), 405, true),
        (format!("BREW /pot {host}"), 501, true),
        (format!("get /hello.txt {host}"), 501, true),
        ("GET / HTTP/1.1\r\n".to_string(), 400, false),
        ("rubbish\r\n".to_string(), 400, false),
        (format!("GET /{long} {host}"), 414, false),
        (format!("GET / {host}X: {long}\r\n"), 431, false),
        (format!("GET / {host}Content-Length: 1000000\r\n"), 413, false),
        (format!("POST / {host}Content-Length: 1000000\r\n"), 405, false),
        (format!("POST / {host}Content-Length: 9\r\nExpect: 100-continue\r\n"), 405, false),
        (format!("GET / {host}Transfer-Encoding: chunked\r\n"), 501, false),
        (format!("GET / {host}Expect: more\r\n"), 417, false),
        ("GET / HTTP/2.0\r\n".to_string(), 505, false),
    ];
    for via in BOTH {
        let server = site.serve(via, "");
        for (request, status, goes_on) in &table {
            let mut client = Client::new(&server);
            client.send(format!("{request}\r\n"));
            let response = client.response();
            let shown = &request[..request.len().min(80)];
            assert_eq!(response.status, *status, "{shown:?}, {via}");
            assert!(!response.body.windows(6).any(|part| part == b"SECRET"), "{shown:?}");
            let allowed = field(&response.head, "Allow");
            assert_eq!(allowed, (*status == 405).then_some("GET, HEAD"), "{shown:?}");
            let connection = if *goes_on { "keep-alive" } else { "close" };
            assert_eq!(field(&response.head, "Connection"), Some(connection), "{shown:?}");
            if *goes_on {
                assert_eq!(client.get("/hello.txt").body, b"hello\n", "after {shown:?}");
            } else {
                client.assert_finished();
            }
        }
    }
}

#[test]
fn a_directory_is_its_index_or_a_list() {
    let site = Site::new();
    symlink("../../secret", site.file("sub/out")).unwrap();
    symlink("../hello.txt", site.file("sub/in")).unwrap();
    let server = site.serve("select", "");
    let mut client = Client::new(&server);
    assert_eq!(client.get("/sub/deep/").body, b"<h1>the index</h1>");
    let moved = client.get("/sub/deep?query");
    assert_eq!(field(&moved.head, "Location"), Some("/sub/deep/?query"));
    // Two slashes at its beginning would send the browser to another host.
    assert_eq!(field(&client.get("//sub").head, "Location"), Some("/sub/"));
    let asked = client.get("/sub/deep?x=1&y=%2F#z");
    assert_eq!(field(&asked.head, "Location"), Some("/sub/deep/?x=1&y=%2F"));

    let list = String::from_utf8(client.get("/sub/").body).unwrap();
    for part in [
        "<h1>/sub/</h1>",
        r#"<a href="../">../</a>"#,
        r#"<a href="deep/">deep/</a>"#,
        r#"<a href="a%26b%20%3Ci%3E.txt">a&amp;b &lt;i&gt;.txt</a>"#,
        r#"<a href="in">in</a>"#,
        "8 B",
    ] {
        assert!(list.contains(part), "{part} is not in\n{list}");
    }
    assert!(!list.contains("out"), "{list}");
    assert_eq!(client.get("/sub/a%26b%20%3Ci%3E.txt").body, b"odd name");
}

#[test]
fn requests_sent_together_are_answered_in_their_order() {
    let site = Site::new();
    site.sparse("middle", 300_000);
    site.sparse("large", 3 * MIB);
    for via in BOTH {
        let server = site.serve(via, "");
        let mut client = Client::new(&server);
        let targets = ["/hello.txt", "/large", "/nothing", "/middle", "/sub/", "/empty"];
        let requests = targets.map(|target| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let rounds = 30;
        client.send(requests.concat().repeat(rounds));
        // A client that has closed its half still gets everything.
        client.0.get_ref().shutdown(Shutdown::Write).unwrap();
        for round in 0..rounds {
            let answers = targets.map(|_| client.response());
            let statuses = answers.each_ref().map(|answer| answer.status);
            assert_eq!(statuses, [200, 200, 404, 200, 200, 200], "round {round}, {via}");
            assert_eq!(answers[0].body, b"hello\n");
            assert_eq!(answers[1].body.len() as u64, 3 * MIB);
            assert_eq!(answers[3].body.len(), 300_000);
        }
        client.assert_finished();
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let site = Site::new();
    for via in BOTH {
        let server = site.serve(via, "");
        let mut client = Client::new(&server);
        for _ in 0..2 {
            for byte in b"POST /hello.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" {
                client.send([*byte]);
            }
            assert_eq!(client.response().status, 405, "{via}");
        }
        for byte in b"GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n" {
            client.send([*byte]);
        }
        assert_eq!(client.response().body, b"hello\n", "{via}");
    }
}

#[test]
fn a_slow_request_gets_a_408_response() {
    let site = Site::new();
    for via in BOTH {
        let server = site.serve(via, ",header-timeout=0.4,keep-alive=20");
        for beginning in [
            "G",
            "GET / HTTP/1.1\r\nHo",
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        ] {
            let begun = Instant::now();
            let mut client = Client::new(&server);
            client.send(beginning);
            let response = client.response();
            assert_eq!(response.status, 408, "{beginning:?}, {via}");
            assert!(begun.elapsed() >= Duration::from_millis(400));
            client.assert_finished();
        }
        // A byte now and then does not extend the time limit.
        let mut client = Client::new(&server);
        let begun = Instant::now();
        client.send("GET / HTTP/1.1\r\nX: ");
        client.0.get_ref().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        while client.0.fill_buf().is_err() {
            assert!(begun.elapsed() < PATIENCE, "no answer, {via}");
            client.send("x");
        }
        client.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(client.response().status, 408, "{via}");
    }
}

#[test]
fn a_silent_connection_is_closed_without_a_response() {
    let site = Site::new();
    for via in BOTH {
        let server = site.serve(via, ",keep-alive=0.4,header-timeout=3600");
        let mut client = Client::new(&server);
        client.assert_finished();
        let mut client = Client::new(&server);
        assert_eq!(client.get("/hello.txt").status, 200);
        let begun = Instant::now();
        client.assert_finished();
        assert!(begun.elapsed() >= Duration::from_millis(300), "{via}");
    }
}

#[test]
fn a_file_of_many_gib_needs_little_memory() {
    let site = Site::new();
    let len = 6 * 1024 * MIB;
    let file = site.sparse("large", len);
    file.write_all_at(b"middle", 400 * MIB).unwrap();
    file.write_all_at(b"the end", len - 7).unwrap();
    for via in BOTH {
        let server = site.serve(via, "");
        let mut client = Client::new(&server);
        let end = client.get_with("/large", "Range: bytes=-7\r\n");
        assert_eq!((end.status, &*end.body), (206, &b"the end"[..]));
        let range = format!("bytes {}-{}/{len}", len - 7, len - 1);
        assert_eq!(field(&end.head, "Content-Range"), Some(&*range));
        client.send("HEAD /large HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.head().2, len);

        let range = format!("bytes={}-{}", 300 * MIB, 600 * MIB - 1);
        client.send(format!("GET /large HTTP/1.1\r\nHost: x\r\nRange: {range}\r\n\r\n"));
        let (_, head, len) = client.head();
        assert_eq!(len, 300 * MIB, "{head}");
        let mut buffer = vec![0; 1_000_000];
        let mut received = 0;
        let mut found = None;
        while received < len {
            let count = client.0.read(&mut buffer).unwrap() as u64;
            assert!(count > 0, "the end after {received} bytes");
            if let Some(at) = buffer[..count as usize].iter().position(|byte| *byte == b'm') {
                found = Some(received + at as u64);
            }
            received += count;
        }
        assert_eq!((received, found), (len, Some(100 * MIB)), "{via}");
        assert_eq!(client.get("/hello.txt").body, b"hello\n");
        if HAS_PROC {
            let memory = resident_bytes(server.pid());
            assert!(memory < 30 * MIB, "{memory} bytes");
        }
    }
}

#[test]
fn a_file_that_becomes_shorter_ends_the_connection_and_no_other() {
    let site = Site::new();
    let len = 200 * MIB;
    for via in BOTH {
        let file = site.sparse(via, len);
        let server = site.serve(via, "");
        let mut client = Client::new(&server);
        client.send(format!("GET /{via} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_eq!(client.head().2, len);
        file.set_len(10).unwrap();
        let mut received = 0;
        let mut buffer = vec![0; 1_000_000];
        let end = loop {
            match client.0.read(&mut buffer) {
                Ok(0) => break None,
                Ok(count) => received += count as u64,
                Err(error) => break Some(error.kind()),
            }
        };
        assert!(received < len, "{via}: all {received} bytes came");
        assert_eq!(end, Some(std::io::ErrorKind::ConnectionReset), "{via}");
        assert_eq!(Client::new(&server).get("/hello.txt").body, b"hello\n", "{via}");
    }
}

#[test]
fn a_peer_that_does_not_read_costs_little_and_harms_no_other() {
    let site = Site::new();
    site.sparse("large", 1024 * MIB);
    for via in BOTH {
        let server = site.serve(via, "");
        let clients: Vec<_> = (0..20).map(|_| Client::new(&server)).collect();
        for client in &clients {
            client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500));
        }
        let mut client = Client::new(&server);
        for _ in 0..50 {
            assert_eq!(client.get("/hello.txt").body, b"hello\n", "{via}");
        }
        if HAS_PROC {
            let memory = resident_bytes(server.pid());
            assert!(memory < 40 * MIB, "{memory} bytes");
        }
    }
}

#[test]
fn idle_connections_cost_no_buffer_and_delay_no_client() {
    let site = Site::new();
    for via in BOTH {
        // A busy machine needs longer for all of them than the server usually keeps an idle one.
        let server = site.serve(via, ",keep-alive=60");
        let mut clients: Vec<_> = (0..300).map(|_| Client::new(&server)).collect();
        for client in &mut clients {
            assert_eq!(client.get("/hello.txt").status, 200, "{via}");
        }
        let before = HAS_PROC.then(|| resident_bytes(server.pid()));
        for client in &mut clients {
            assert_eq!(client.get("/hello.txt").status, 200, "{via}");
        }
        if let Some(before) = before {
            let more = resident_bytes(server.pid()).saturating_sub(before);
            assert!(more < 300 * 4096, "{more} bytes more, {via}");
        }
        assert_eq!(Client::new(&server).get("/hello.txt").body, b"hello\n", "{via}");
    }
}

#[test]
fn ten_thousand_requests_leave_no_descriptor_behind() {
    if !HAS_PROC {
        return skipped("this system does not show which descriptors a process has");
    }
    let site = Site::new();
    site.sparse("large", 2 * MIB);
    for via in BOTH {
        let server = site.serve(via, "");
        let before = descriptors(server.pid());
        let targets = ["/hello.txt", "/sub/", "/nothing", "/sub/deep/", "/hello.txt", "/empty"];
        for round in 0..100 {
            let mut client = Client::new(&server);
            let requests = targets.iter().cycle().take(100);
            let requests =
                requests.map(|target| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
            client.send(requests.collect::<String>());
            for _ in 0..100 {
                client.response();
            }
            if round % 10 == 0 {
                // The file disappears in the middle.
                client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
                client.head();
            }
        }
        wait_until("all are closed", || descriptors(server.pid()) == before);
    }
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let missing = baresock(&["serve", "http=127.0.0.1:0,root=/nowhere/at/all"]);
    let said = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(1), "{said}");
    assert!(said.contains("http: root=/nowhere/at/all: ENOENT"), "{said}");
    let file = baresock(&["serve", "http=127.0.0.1:0,root=Cargo.toml"]);
    let said = String::from_utf8(file.stderr).unwrap();
    assert_eq!(file.status.code(), Some(1), "{said}");
    assert!(said.contains("ENOTDIR"), "{said}");
    let wrong = baresock(&["serve", "http=127.0.0.1:0,keep-alive=soon"]);
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{said}");
    assert!(said.contains("a number of seconds"), "{said}");
}
