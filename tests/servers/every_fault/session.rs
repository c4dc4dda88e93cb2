//! The fixed session: clients of echo (over TCP and a Unix-domain socket), chat, http and relay, and what each of them
//! must see.
//!
//! Nothing here panics because of the server's behaviour: it is recorded, and judged by the code that knows the
//! injected fault.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::*;

/// The file that http serves: more than the buffers on the way take at once, and so large that the system sends it.
pub(crate) const FILE: usize = 200_000;

/// What a server is started with besides the session's own.
pub(crate) struct Run<'a> {
    pub(crate) kind: Kind,
    /// Flags, such as `--inject`.
    pub(crate) flags: &'a [String],
    /// A program that runs it, such as `strace`.
    pub(crate) under: &'a [String],
    /// Where relay passes on to.
    pub(crate) target: SocketAddr,
    /// Whether it is expected to end before it is told to.
    pub(crate) ends_by_itself: bool,
    /// A directory of this run's own, with the file that http serves in `www`.
    pub(crate) directory: &'a Path,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// It has said where it listens, for every service.
    pub(crate) started: bool,
    /// The clients whose connections ended early.
    pub(crate) cut: Vec<&'static str>,
    /// Violations that are never allowed, whatever was injected.
    pub(crate) wrong: Vec<String>,
    /// Exit status and standard error.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stderr: String,
    /// It ran until it was told to end.
    pub(crate) was_told_to_end: bool,
    /// Processor time until it was told to end.
    pub(crate) ticks: u64,
    /// The members of the chat that were told that the other member is gone.
    pub(crate) told_gone: Vec<&'static str>,
    /// The owner of each connection: both its addresses, the client's first. (One port of the client may serve for two
    /// connections, to different services.)
    pub(crate) clients: Vec<(&'static str, [String; 2])>,
    /// The server's process.
    pid: u32,
}

/// One client's connection.
struct Talk {
    name: &'static str,
    stream: Option<BufReader<TcpStream>>,
    /// The server told that the other member of the chat is gone.
    saw_other_go: bool,
}

type Done = io::Result<()>;

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.into())
}

impl Run<'_> {
    /// Starts a server, makes the session, and ends the server.
    pub(crate) fn make(&self) -> Report {
        let mut report = Report::default();
        let stderr = self.directory.join("stderr");
        let mut child = KilledAtEnd(self.command(&stderr).spawn().unwrap());
        let lines = lines_of(child.0.stdout.take().unwrap());
        let services = if self.kind.is_bare() { 1 } else { 6 };
        match listening(&lines, services) {
            Some(addresses) => {
                report.started = true;
                let pid = self.server_pid(&child);
                report.pid = pid;
                let own = descriptors_of(pid);
                match &addresses[..] {
                    [at] => session_with_echo(at, &mut report),
                    _ => session(&addresses, &mut report),
                }
                after_the_clients(pid, own, &addresses, &mut report);
                report.ticks = ticks_of(pid);
                if self.ends_by_itself {
                    let _ = ended_within(&mut child.0, Duration::from_secs(3));
                }
                // To bare a signal is the end of the process, and there would be no trace of it.
                report.was_told_to_end = child.0.try_wait().unwrap().is_none();
                let _ = kill(Pid::from_raw(pid as i32), Signal::SIGTERM);
            }
            None if child.0.try_wait().unwrap().is_none() && lines.try_recv().is_ok() => {
                report.wrong.push("it started in part".into());
            }
            None => {}
        }
        report.status = ended_within(&mut child.0, PATIENCE);
        if report.status.is_none() {
            report.wrong.push("it does not end".into());
        }
        if self.directory.join("socket").exists() {
            report.wrong.push("the file of its socket is left".into());
        }
        report.stderr = without_idle_rules(&std::fs::read_to_string(&stderr).unwrap());
        if report.stderr.contains("panicked") {
            report.wrong.push("it panicked".into());
        }
        report
    }

    fn command(&self, stderr: &Path) -> Command {
        let mut words: Vec<String> = self.under.to_vec();
        words.push(BARESOCK.into());
        words.extend([self.kind.command, "--via", self.kind.via].map(Into::into));
        words.extend(self.flags.iter().cloned());
        let root = self.directory.join("www");
        let serve = [
            "--sndbuf".into(),
            "4608".into(),
            "echo=127.0.0.1:0".into(),
            "chat=127.0.0.1:0".into(),
            format!("http=127.0.0.1:0,root={}", root.display()),
            format!("relay=127.0.0.1:0,to={}", self.target),
            "echo/udp=127.0.0.1:0".into(),
            format!("echo=unix:{}", self.directory.join("socket").display()),
        ];
        match self.kind.is_bare() {
            true => words.push("127.0.0.1:0".into()),
            false => words.extend(serve),
        }
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(stderr).unwrap());
        command
    }

    /// The server itself, which may be the child of a program that runs it.
    fn server_pid(&self, child: &KilledAtEnd) -> u32 {
        let pid = child.0.id();
        if self.under.is_empty() {
            return pid;
        }
        let children = format!("/proc/{pid}/task/{pid}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        children.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or(pid)
    }
}

/// Where the services listen; none if the server ends before all of them do.
fn listening(lines: &Receiver<String>, services: usize) -> Option<Vec<String>> {
    let lines = (0..services).map(|_| lines.recv_timeout(PATIENCE).ok());
    lines.map(|line| line?.split(' ').nth(2).map(Into::into)).collect()
}

fn ticks_of(pid: u32) -> u64 {
    if HAS_PROC && Path::new(&format!("/proc/{pid}/stat")).exists() { cpu_ticks(pid) } else { 0 }
}

fn descriptors_of(pid: u32) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd"));
    entries.map_or(0, |entries| entries.count())
}

/// Everything that is said in the session, in one order, so that its calls have numbers.
fn session(at: &[String], report: &mut Report) {
    let [echo_at, chat_at, http_at, relay_at, udp_at, unix_at] = at else {
        return report.wrong.push("it listens elsewhere".into());
    };
    let long = long();

    let mut echo = Talk::begin("echo", echo_at, report);
    echo.does(report, |stream| comes_back(stream, b"hello\n"));
    let mut ann = Talk::begin("ann", chat_at, report);
    ann.does(report, |stream| reads(stream, "* you are guest1; /help tells what can be written"));
    let mut bob = Talk::begin("bob", chat_at, report);
    bob.does(report, |stream| reads(stream, "* you are guest2; /help tells what can be written"));
    ann.hears("* guest2 has come", &bob, report);
    let mut http = Talk::begin("http", http_at, report);
    http.does(report, get_file);
    let mut relay = Talk::begin("relay", relay_at, report);
    relay.does(report, |stream| comes_back(stream, b"through and back\n"));
    let mut unix = Talk::begin("unix", unix_at, report);
    unix.does(report, |stream| comes_back(stream, b"without a network\n"));
    ann.does(report, |stream| stream.get_mut().write_all(b"it is me\n"));
    bob.hears("<guest1> it is me", &ann, report);
    if let Err(error) = datagrams_come_back(udp_at, report.pid) {
        if !matches!(error.kind(), ErrorKind::ConnectionRefused) {
            report.wrong.push(format!("datagrams: {error}"));
        } else {
            report.cut.push("datagrams");
        }
    }
    relay.does(report, |stream| comes_back(stream, &long));
    bob.does(report, |stream| stream.get_mut().write_all(b"hello\r\n"));
    ann.hears("<guest2> hello", &bob, report);
    http.does(report, get_file);
    echo.does(report, |stream| comes_back(stream, &long));
    unix.does(report, |stream| comes_back(stream, &long));

    for talk in [&mut relay, &mut unix, &mut echo, &mut http] {
        talk.does(report, finishes);
    }
    bob.does(report, finishes);
    ann.hears("* guest2 has left", &bob, report);
    ann.does(report, finishes);
    let gone = [(&ann, "bob"), (&bob, "ann")].into_iter().filter(|(talk, _)| talk.saw_other_go);
    report.told_gone = gone.map(|(_, other)| other).collect();
}

/// The same with the loop itself, which only echoes.
fn session_with_echo(at: &str, report: &mut Report) {
    let long = long();
    let mut echo = Talk::begin("echo", at, report);
    echo.does(report, |stream| comes_back(stream, b"hello\n"));
    let mut other = Talk::begin("other", at, report);
    other.does(report, |stream| comes_back(stream, &long));
    echo.does(report, |stream| comes_back(stream, &long));
    let mut third = Talk::begin("third", at, report);
    other.does(report, finishes);
    third.does(report, |stream| comes_back(stream, b"and I?\n"));
    echo.does(report, finishes);
    third.does(report, finishes);
}

/// A rule of chance may meet no call, and a rule for the fifth call a session of four.
fn without_idle_rules(said: &str) -> String {
    let is_idle_rule = |line: &&str| line.starts_with("baresock: --inject ");
    said.lines().filter(|line| !is_idle_rule(line)).map(|line| format!("{line}\n")).collect()
}

fn long() -> Vec<u8> {
    (0..12_000u32).map(|k| (k * 7 % 251) as u8).collect()
}

/// The clients have left: the server has no more descriptors than before they came, and serves the next.
fn after_the_clients(pid: u32, own: usize, at: &[String], report: &mut Report) {
    let end = Instant::now() + PATIENCE;
    while HAS_PROC && descriptors_of(pid) > own {
        if Instant::now() > end {
            let leaked = descriptors_of(pid).saturating_sub(own);
            return report.wrong.push(format!("{leaked} descriptors are left"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut newcomer = Talk::begin("newcomer", &at[0], report);
    newcomer.does(report, |stream| comes_back(stream, b"and I?\n"));
    newcomer.does(report, finishes);
}

impl Talk {
    fn begin(name: &'static str, at: &str, report: &mut Report) -> Self {
        // Another program may have taken a released port by now.
        let is_there = !HAS_PROC || descriptors_of(report.pid) > 0;
        let stream = is_there.then(|| connect_to(at));
        let mut talk = Self { name, stream: None, saw_other_go: false };
        match stream {
            Some(Ok((stream, own))) => {
                report.clients.push((name, [own, at.to_string()]));
                talk.stream = Some(BufReader::new(stream));
            }
            Some(Err(_)) | None => report.cut.push(name),
        }
        talk
    }

    /// The next step; nothing if the connection has ended.
    fn does(&mut self, report: &mut Report, step: impl FnOnce(&mut BufReader<TcpStream>) -> Done) {
        let Some(stream) = &mut self.stream else { return };
        let Err(error) = step(stream) else { return };
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                report.wrong.push(format!("{}: nothing comes", self.name));
            }
            ErrorKind::InvalidData => report.wrong.push(format!("{}: {error}", self.name)),
            _ => report.cut.push(self.name),
        }
        self.stream = None;
    }

    /// A line of the chat, unless the other member is gone.
    fn hears(&mut self, line: &str, other: &Self, report: &mut Report) {
        let mut gone = other.stream.is_none() && !line.ends_with("has left");
        let already = self.saw_other_go;
        self.does(report, |stream| {
            if already {
                return Ok(());
            }
            loop {
                let mut heard = String::new();
                if gone {
                    // What was said before it went may or may not have been passed on.
                    stream.get_ref().set_read_timeout(Some(Duration::from_millis(300)))?;
                }
                let read = stream.read_line(&mut heard);
                stream.get_ref().set_read_timeout(Some(PATIENCE))?;
                match read {
                    Err(_) if gone => return Ok(()),
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    read => read?,
                };
                match heard.trim_end() {
                    heard if heard == line => return Ok(()),
                    heard if heard.contains(" is gone") || heard.ends_with("has left") => {
                        gone = true;
                        return Ok(());
                    }
                    heard if gone && heard.starts_with("* ") => {}
                    heard => return Err(wrong(format!("{heard:?} instead of {line:?}"))),
                }
            }
        });
        self.saw_other_go |= gone;
    }
}

/// A connection, and the client's address as the server's trace has it. What a Unix-domain socket is asked here is the same
/// as a TCP one is asked.
fn connect_to(at: &str) -> io::Result<(TcpStream, String)> {
    let (stream, own) = match at.strip_prefix("unix:") {
        Some(path) => {
            let stream = OwnedFd::from(UnixStream::connect(path)?).into();
            (stream, "unix:(unnamed)".to_string())
        }
        None => {
            let stream = TcpStream::connect(at)?;
            stream.set_nodelay(true)?;
            let own = stream.local_addr()?.to_string();
            (stream, own)
        }
    };
    Ok((impatient(stream), own))
}

fn comes_back(stream: &mut BufReader<TcpStream>, message: &[u8]) -> Done {
    stream.get_mut().write_all(message)?;
    let mut back = vec![0; message.len()];
    stream.read_exact(&mut back)?;
    if back == message { Ok(()) } else { Err(wrong("other bytes came back")) }
}

fn reads(stream: &mut BufReader<TcpStream>, line: &str) -> Done {
    let mut read = String::new();
    match stream.read_line(&mut read)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ if read.trim_end() == line => Ok(()),
        _ => Err(wrong(format!("{read:?} instead of {line:?}"))),
    }
}

fn get_file(stream: &mut BufReader<TcpStream>) -> Done {
    stream.get_mut().write_all(b"GET /file HTTP/1.1\r\nHost: here\r\n\r\n")?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    if !head.starts_with("HTTP/1.1 200 ") || !head.contains(&format!("ontent-Length: {FILE}\r\n")) {
        return Err(wrong(head));
    }
    let mut body = vec![0; FILE];
    stream.read_exact(&mut body)?;
    if body == file() { Ok(()) } else { Err(wrong("another file came")) }
}

/// What the file holds.
pub(crate) fn file() -> Vec<u8> {
    (0..FILE as u32).map(|k| (k * 11 % 241) as u8).collect()
}

/// Ends its half, and reads the end of the other: nothing more may come.
fn finishes(stream: &mut BufReader<TcpStream>) -> Done {
    stream.get_ref().shutdown(Shutdown::Write)?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest)?;
    // The chat goes on telling until it is left.
    let told = rest.is_empty() || rest.starts_with(b"* ");
    if told { Ok(()) } else { Err(wrong("bytes after the last")) }
}

const IS_LATE: [ErrorKind; 3] =
    [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted];

/// Datagrams may be lost: asked again, it is answered.
fn datagrams_come_back(at: &str, pid: u32) -> Done {
    if HAS_PROC && descriptors_of(pid) == 0 {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(at)?;
    socket.set_read_timeout(Some(Duration::from_millis(300)))?;
    let mut buffer = [0; 100];
    for _ in 0..60 {
        socket.send(b"datagram")?;
        match socket.recv(&mut buffer) {
            Ok(len) if buffer[..len] == *b"datagram" => return Ok(()),
            Ok(_) => return Err(wrong("another datagram came back")),
            // Late, or this process was stopped for a moment.
            Err(error) if IS_LATE.contains(&error.kind()) => {}
            Err(error) => return Err(error),
        }
    }
    Err(wrong("no datagram comes back"))
}
