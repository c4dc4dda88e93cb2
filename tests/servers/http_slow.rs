//! Hundreds of slow clients, played by slowhttptest: the server's deadline ends them, and other clients are answered at
//! once in the meantime.

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;

const SLOW: usize = 300;
/// Long enough for all of them to be there at once.
const DEADLINE: Duration = Duration::from_secs(3);
/// When slowhttptest would end by itself: long after the server should have ended it.
const GIVES_UP_SECONDS: &str = "25";

#[test]
fn slow_heads_and_bodies_are_ended_and_harm_nobody_over_select() {
    slow_heads_and_bodies_are_ended_and_harm_nobody("select");
}

#[test]
fn slow_heads_and_bodies_are_ended_and_harm_nobody_over_poll() {
    slow_heads_and_bodies_are_ended_and_harm_nobody("poll");
}

fn slow_heads_and_bodies_are_ended_and_harm_nobody(via: &str) {
    if !has_program("slowhttptest") {
        return;
    }
    if !HAS_PROC {
        return skipped("this system does not show which descriptors a process has");
    }
    let dir = TempDir::new();
    fs::write(dir.file("file"), "content").unwrap();
    let options = format!("root={},header-timeout={}", text(&dir.file("")), DEADLINE.as_secs());
    let server = serve(via, &[&format!("http=127.0.0.1:0,{options}")]);
    for (slow, flag) in [("heads", "-H"), ("bodies", "-B")] {
        let before = descriptors(server.pid());
        let begun = Instant::now();
        let mut command = Command::new("slowhttptest");
        command.args([flag, "-c", &SLOW.to_string(), "-r", "1000", "-i", "1"]);
        command.args(["-l", GIVES_UP_SECONDS, "-u", &format!("http://{}/file", server.at(0))]);
        command.current_dir(dir.file("")).stdin(Stdio::null());
        let mut child =
            KilledAtEnd(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        wait_until("all the slow ones are there", || descriptors(server.pid()) >= before + SLOW);

        let mut answers: Vec<_> = (0..21).map(|_| answer(&server)).collect();
        answers.sort();
        let median = answers[answers.len() / 2];
        assert!(median < Duration::from_millis(100), "{answers:?}, slow {slow}, {via}");
        let there = descriptors(server.pid());
        assert!(there >= before + SLOW / 2, "too few left to slow anything: {there}, {via}");

        wait_until("the slow ones are ended", || descriptors(server.pid()) <= before);
        assert!(begun.elapsed() >= DEADLINE, "slow {slow}, {via}");
        assert!(wait_for(&mut child.0).success(), "slow {slow}, {via}");
        let mut said = String::new();
        child.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("No open connections left"), "slow {slow}, {via}: {said}");
    }
    answer(&server);
}

/// How long an ordinary request takes, on a connection of its own.
#[track_caller]
fn answer(server: &Services) -> Duration {
    let begun = Instant::now();
    let mut client = server.connect(0);
    client.write_all(b"GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let response = String::from_utf8(read_all(&client)).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(response.ends_with("\r\n\r\ncontent"), "{response}");
    begun.elapsed()
}
