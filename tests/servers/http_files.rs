//! Large files over http: the system sends them where it can, and they arrive as they are where it cannot.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::*;

const MIB: usize = 1 << 20;

/// How the system can treat the server: it sends files, or leaves that to it, or does so in fits and starts.
const WAYS: [&[&str]; 6] = [
    &[],
    &["sendfile:EINVAL"],
    &["sendfile:ENOSYS@2+"],
    &["sendfile:short=5000%50:seed=1", "sendfile:EAGAIN%20:seed=2"],
    &["sendfile:EINTR%30:seed=3"],
    &["sendfile:EINVAL%50:seed=4", "send:short=999%30:seed=5", "send:EAGAIN%20:seed=6"],
];

/// A directory with `large`, in which every byte tells its place.
struct Site {
    dir: TempDir,
    content: Vec<u8>,
}

impl Site {
    fn new(len: usize) -> Self {
        let site = Self { dir: TempDir::new(), content: Message::of(len).at(0, len).to_vec() };
        assert_eq!(site.content.len(), len, "the block of a message is longer");
        fs::create_dir(site.dir.file("root")).unwrap();
        fs::write(site.dir.file("root/large"), &site.content).unwrap();
        fs::write(site.dir.file("root/small"), "small").unwrap();
        site
    }

    #[track_caller]
    fn serve(&self, via: &str, flags: &[&str]) -> Services {
        let service = format!("http=127.0.0.1:0,root={}", text(&self.dir.file("root")));
        serve_with(via, &[&service], flags)
    }
}

fn injected(way: &[&'static str]) -> Vec<&'static str> {
    way.iter().flat_map(|rule| ["--inject", *rule]).collect()
}

fn request(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}\r\n")
}

/// The next response's body.
#[track_caller]
fn body(from: &mut impl BufRead) -> Vec<u8> {
    let mut body = vec![0; length(from)];
    from.read_exact(&mut body).unwrap();
    body
}

/// The length of the next response's body.
#[track_caller]
fn length(from: &mut impl BufRead) -> usize {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(from.read_line(&mut head).unwrap() > 0, "the end, after {head:?}");
    }
    let line = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    line.unwrap_or_else(|| panic!("no length: {head}")).parse().unwrap()
}

#[test]
fn a_file_arrives_as_it_is_in_whichever_way_it_is_sent() {
    let site = Site::new(900_000);
    for (via, way) in BOTH.iter().flat_map(|via| WAYS.map(|way| (via, way))) {
        let server = site.serve(via, &injected(way));
        let mut client = BufReader::new(server.connect(0));
        let ask = |text: String| client.get_ref().write_all(text.as_bytes()).unwrap();
        ask([
            request("/large", ""),
            request("/small", ""),
            request("/large", "Range: bytes=70001-800000\r\n"),
            request("/large", "").replace("GET", "HEAD"),
            request("/large", "Range: bytes=-5\r\n"),
            request("/small", ""),
            request("/large", "Connection: close\r\n"),
        ]
        .concat());
        // A client that has closed its half still gets everything.
        client.get_ref().shutdown(Shutdown::Write).unwrap();
        assert!(body(&mut client) == site.content, "{way:?}, {via}");
        assert_eq!(body(&mut client), b"small");
        assert!(body(&mut client) == site.content[70_001..=800_000], "{way:?}, {via}");
        assert_eq!(length(&mut client), site.content.len());
        assert_eq!(body(&mut client), &site.content[site.content.len() - 5..]);
        assert_eq!(body(&mut client), b"small");
        assert!(body(&mut client) == site.content, "{way:?}, {via}");
        assert_finished(client);
    }
}

#[test]
fn a_file_that_becomes_shorter_ends_the_connection_in_whichever_way_it_is_sent() {
    let site = Site::new(100);
    for (via, way) in BOTH.iter().flat_map(|via| WAYS.map(|way| (via, way))) {
        let file = File::create(site.dir.file("root/shrinks")).unwrap();
        let len = 100 * MIB;
        file.set_len(len as u64).unwrap();
        let server = site.serve(via, &injected(way));
        let mut client = BufReader::new(server.connect(0));
        client.get_ref().write_all(request("/shrinks", "").as_bytes()).unwrap();
        assert_eq!(length(&mut client), len);
        file.set_len(10).unwrap();
        let error = client.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{way:?}, {via}");

        let mut client = BufReader::new(server.connect(0));
        client.get_ref().write_all(request("/small", "").as_bytes()).unwrap();
        assert_eq!(body(&mut client), b"small", "{way:?}, {via}");
    }
}

/// The unsent part of a file costs no memory, so it does not count towards the limit.
#[test]
fn a_slow_reader_of_a_file_is_not_dropped_for_what_stays_in_the_file() {
    let site = Site::new(900_000);
    for (via, way) in BOTH.iter().flat_map(|via| WAYS.map(|way| (via, way))) {
        let mut flags = vec!["--owed-limit", "1024", "--sndbuf", "4096"];
        flags.extend(injected(way));
        let server = site.serve(via, &flags);
        let mut client = BufReader::new(server.connect(0));
        client.get_ref().write_all(request("/large", "").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert!(body(&mut client) == site.content, "{way:?}, {via}");
    }
}

#[test]
fn clients_of_one_large_file_share_its_descriptor_and_each_gets_its_own_bytes() {
    let site = Site::new(900_000);
    let path = site.dir.file("root/large");
    age(&path);
    // A file that was changed just now could change again without a trace, and is opened for each.
    wait_until("the file has not changed for a while", || {
        let changed = fs::metadata(&path).unwrap().ctime();
        SystemTime::now() > UNIX_EPOCH + Duration::from_secs(changed as u64 + 4)
    });
    for (via, way) in BOTH.iter().flat_map(|via| WAYS.map(|way| (via, way))) {
        let server = site.serve(via, &[&["--sndbuf", "4096"], &injected(way)[..]].concat());
        let mut clients = [(); 3].map(|()| BufReader::new(server.connect(0)));
        let ranges = ["", "Range: bytes=70001-800000\r\n", ""];
        for (client, range) in clients.iter_mut().zip(ranges) {
            client.get_ref().write_all(request("/large", range).as_bytes()).unwrap();
            // Its first bytes are here, and the last ones are not sent while it reads no more.
            assert!(!client.fill_buf().unwrap().is_empty());
        }
        if HAS_PROC {
            assert_eq!(times_open(&path, server.pid()), 1, "{way:?}, {via}");
        }
        let [one, part, other] = &mut clients;
        assert!(body(other) == site.content, "{way:?}, {via}");
        assert!(body(part) == site.content[70_001..=800_000], "{way:?}, {via}");
        assert!(body(one) == site.content, "{way:?}, {via}");
        if HAS_PROC {
            wait_until("the file is closed", || times_open(&path, server.pid()) == 0);
        }
    }
}

/// How many descriptors of a process are open on a file.
fn times_open(path: &Path, pid: u32) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let files = descriptors.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    files.filter(|file| file == path).count()
}

#[test]
fn many_who_do_not_read_cost_little_in_whichever_way_files_are_sent() {
    if !HAS_PROC {
        return skipped("this system does not show how much memory a process has");
    }
    let site = Site::new(100);
    File::create(site.dir.file("root/sparse")).unwrap().set_len(1 << 30).unwrap();
    for (via, way) in BOTH.iter().flat_map(|via| [WAYS[0], WAYS[1]].map(|way| (via, way))) {
        let server = site.serve(via, &injected(way));
        let get = |target| {
            let stream: TcpStream = server.connect(0);
            (&stream).write_all(request(target, "").as_bytes()).unwrap();
            BufReader::new(stream)
        };
        assert_eq!(body(&mut get("/small")), b"small");
        let before = resident_bytes(server.pid());
        let mut clients: Vec<_> = (0..100).map(|_| get("/sparse")).collect();
        for client in &mut clients {
            assert_eq!(length(client), 1 << 30);
        }
        // Connections are served in turn, so by now each has got as much as it takes.
        assert_eq!(body(&mut get("/small")), b"small", "{way:?}, {via}");
        let more = resident_bytes(server.pid()).saturating_sub(before);
        assert!(more < MIB as u64, "{more} bytes more, {way:?}, {via}");
    }
}

/// The trace shows which way it was.
#[test]
fn the_system_sends_the_file_where_it_can() {
    let site = Site::new(900_000);
    for (via, way) in BOTH.iter().flat_map(|via| [WAYS[0], WAYS[1]].map(|way| (via, way))) {
        let trace = site.dir.file("trace");
        let mut flags = vec!["--trace-sync", "--trace-to", text(&trace)];
        flags.extend(injected(way));
        let server = site.serve(via, &flags);
        let mut client = BufReader::new(server.connect(0));
        for target in ["/large", "/small"] {
            client.get_ref().write_all(request(target, "").as_bytes()).unwrap();
            let all = body(&mut client);
            assert!(target == "/small" || all == site.content);
        }
        // The second is answered, so the lines of the first are written.
        let trace = fs::read_to_string(&trace).unwrap();
        let bytes_of = |call: &str| {
            let lines = trace.lines().filter(|line| line.starts_with(call));
            let results = lines.filter_map(|line| line.rsplit_once(" = "));
            results.filter_map(|(_, result)| result.parse::<usize>().ok()).sum::<usize>()
        };
        let (by_the_system, by_us) = (bytes_of("sendfile("), bytes_of("send("));
        assert!(by_the_system + by_us > site.content.len(), "{trace}");
        let is_sent_by_the_system = cfg!(target_os = "linux") && way.is_empty();
        assert_eq!(by_the_system, if is_sent_by_the_system { site.content.len() } else { 0 });
    }
}
