//! The trace of a server equals strace's of the same session, call for call, over select and over poll.
#![cfg(linux)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::strace::equality::{self, Untold};
use baresock::sys::{SIGTERM, kill};
use socket2::SockRef;

#[test]
fn serve_over_select() {
    compare_session(
        "serve-select",
        &["serve", "echo=127.0.0.1:0", "--sndbuf", "4096", "--via", "select"],
    );
}

#[test]
fn serve_over_poll() {
    compare_session(
        "serve-poll",
        &["serve", "echo=127.0.0.1:0", "--sndbuf", "4096", "--via", "poll"],
    );
}

#[test]
fn bare_over_select() {
    compare_session("bare-select", &["bare", "127.0.0.1:0", "--via", "select"]);
}

#[test]
fn bare_over_poll() {
    compare_session("bare-poll", &["bare", "127.0.0.1:0", "--via", "poll"]);
}

fn compare_session(name: &str, arguments: &[&str]) {
    if !equality::strace_is_usable() {
        return;
    }
    let dir =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let (ours, straces) = (dir.join("ours"), dir.join("straces"));
    let mut strace = equality::strace(&straces, env!("CARGO_BIN_EXE_baresock"))
        .args(arguments)
        .arg("--trace-to")
        .arg(&ours)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(strace.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.split([':', ' ']).nth(3).unwrap().parse().unwrap();
    let still_open = a_session(port);
    let read = |file: &Path| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    // What was done last is in the file when the server is about to wait again; a signal before that would cut it off.
    while !read(&ours).contains("\"bye\", 3, MSG_NOSIGNAL) = 3") {
        std::thread::sleep(Duration::from_millis(5));
    }
    end(&mut strace);
    drop(still_open);

    let untold = Untold { beginnings: &["write(1, \"listening", "write(2, \"baresock: "] };
    let report = equality::compare(&read(&straces), &read(&ours), &ours, untold)
        .unwrap_or_else(|difference| panic!("{difference}\nboth traces are in {}", dir.display()));
    crate::support::counted(format_args!(
        "{name}: {} calls equal strace's, {} distinct",
        report.calls,
        report.distinct.len()
    ));
    assert!(report.calls > 40, "{} calls are no session", report.calls);
    fs::remove_dir_all(&dir).unwrap();
}

/// Messages, one that is longer than the buffers, a half-close, a reset. The last client is still there.
fn a_session(port: u16) -> TcpStream {
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    };
    let mut first = connect();
    let mut second = connect();
    for message in ["hello\n", "with \"quotes\" and \0 and \x1b[2J"] {
        for client in [&mut first, &mut second] {
            client.write_all(message.as_bytes()).unwrap();
            let mut echo = vec![0; message.len()];
            client.read_exact(&mut echo).unwrap();
            assert_eq!(echo, message.as_bytes());
        }
    }
    let long = vec![b'x'; 1_000_000];
    let mut writer = first.try_clone().unwrap();
    let copy = long.clone();
    let sending = std::thread::spawn(move || {
        writer.write_all(&copy).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut echo = Vec::new();
    first.read_to_end(&mut echo).unwrap();
    sending.join().unwrap();
    assert_eq!(echo, long);
    SockRef::from(&second).set_linger(Some(Duration::ZERO)).unwrap();
    drop(second);
    // Once this one is served, the reset has been seen too.
    let mut third = connect();
    third.write_all(b"bye").unwrap();
    third.read_exact(&mut [0; 3]).unwrap();
    third
}

/// Ends the program that strace runs, and waits for both.
fn end(strace: &mut Child) {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", strace.id())).unwrap();
    let program = children.split_whitespace().next().unwrap().parse().unwrap();
    kill(program, SIGTERM).unwrap();
    strace.wait().unwrap();
}
