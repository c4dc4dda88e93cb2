//! `--view` of labs, of the tour and of `bare`: what a page is sent, that each call waits for its step, and that neither the page
//! nor its absence keeps a run from ending.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::*;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{setsockopt, sockopt::RcvBuf};
use nix::unistd::Pid;
use serde_json::Value;

/// What a page has been told.
#[derive(Default)]
struct Told {
    calls: Vec<String>,
    said: Vec<(String, String)>,
    /// The kinds of all lines, in their order.
    order: Vec<String>,
}

impl Told {
    /// Takes the lines of a frame, which follow those before.
    #[track_caller]
    fn take(&mut self, frame: &Value) {
        let first = frame["loop"]["first"].as_u64().unwrap();
        assert_eq!(first, self.order.len() as u64, "each line comes once: {frame:#}");
        for line in frame["loop"]["calls"].as_array().unwrap() {
            let text = line["line"].as_str().unwrap().to_string();
            match line["said"].as_str() {
                Some(kind) => self.said.push((kind.to_string(), text)),
                None => self.calls.push(without_duration(&text).to_string()),
            }
            self.order.push(line["said"].as_str().unwrap_or("call").to_string());
        }
    }

    /// Reads on until the run is over.
    #[track_caller]
    fn until_over(&mut self, frames: &mut Frames) -> Value {
        frames.until("it is over", |frame| {
            self.take(frame);
            !frame["loop"]["over"].is_null()
        })
    }
}

fn without_duration(line: &str) -> &str {
    line.rsplit_once(" <").map_or(line, |(line, _)| line)
}

/// The calls in the report of a lab.
fn calls_in(report: &str) -> Vec<String> {
    let lines = report.lines().filter_map(|line| line.strip_prefix("    "));
    lines
        .filter(|line| line.contains(") = ") && !line.starts_with(' '))
        .map(str::to_string)
        .collect()
}

fn is_held(frame: &Value) -> bool {
    frame["loop"]["next"]["held"] == true
}

#[test]
fn a_lab_stands_before_each_call_until_a_step() {
    for via in BOTH {
        let view = viewed_script(&["lab", "half-close", "--via", via]);
        let mut frames = view.watch();
        let mut told = Told::default();
        for made in 0..20 {
            let frame = frames.until("it stands", |frame| {
                told.take(frame);
                is_held(frame) && frame["loop"]["made"] == made
            });
            assert_eq!(told.calls.len(), made, "{frame:#}");
            assert_eq!(frame["loop"]["pace"], "paused");
            if made == 7 {
                assert_waiting_costs_at_most(5, view.server.pid());
            }
            view.order("step");
        }
        view.order("go-on");
        told.until_over(&mut frames);
        assert!(frames.try_next().is_none(), "the end of the stream");
        let (status, report, complaints) = view.server.end();
        assert!(status.success(), "{status}: {complaints}");
        assert_eq!(told.calls, calls_in(&report));
        assert!(
            complaints.contains("lab half-close begins when the page is opened"),
            "{complaints}"
        );
        // The lab's own sentences stand where they belong: a question before the call that answers it.
        let question = told.order.iter().position(|kind| kind == "question").unwrap();
        assert_eq!(told.order[question..question + 3], ["question", "call", "answer"]);
        let said = |kind: &str, words: &str| {
            assert!(
                told.said.iter().any(|(of, text)| of == kind && text.contains(words)),
                "{words}"
            );
        };
        said("chapter", "The broken way: close");
        said("question", "second send of the answer give? (6 / EPIPE");
        said("answer", "EPIPE: as predicted");
        said("answer", "as predicted, 5 of 5");
    }
}

#[test]
fn a_frame_shows_the_descriptors_of_both_ends() {
    let view = viewed_script(&["lab", "half-close"]);
    let mut frames = view.watch();
    // `ordered`: after how many calls the next was ordered last, for two frames may show the same call.
    let stands_at = |frames: &mut Frames, half: &str, mut ordered: Option<u64>| {
        if ordered.is_some() {
            view.order("step");
        }
        frames.until(half, |frame| {
            let made = frame["loop"]["made"].as_u64();
            let stands_there =
                frame["loop"]["next"]["line"].as_str().is_some_and(|line| line.starts_with(half));
            if is_held(frame) && !stands_there && ordered != made {
                view.order("step");
                ordered = made;
            }
            is_held(frame) && stands_there && ordered != made
        })
    };
    let frame = stands_at(&mut frames, "recv(5<server>, ", None);
    let rows = frame["descriptors"]["rows"].as_array().unwrap();
    let roles: Vec<_> =
        rows.iter().map(|row| (&row["fd"], row["role"].as_str().unwrap())).collect();
    // The client has closed its own.
    assert_eq!(roles, [(&Value::from(5), "connection accepted")], "{frame:#}");
    assert_eq!(rows[0]["received"], 0);
    if cfg!(target_os = "linux") {
        assert_eq!(rows[0]["state"], "CLOSE_WAIT");
        assert_eq!(rows[0]["unread"], 9 - 1);
    }
    let frame = stands_at(&mut frames, "send(5<server>, ", frame["loop"]["made"].as_u64());
    let row = &frame["descriptors"]["rows"][0];
    assert_eq!(
        (&row["received"], &row["about"]),
        (&8.into(), &serde_json::json!(["the peer has finished"]))
    );
    view.order("go-on");
    frames.until("it is over", |frame| !frame["loop"]["over"].is_null());
    assert!(view.server.end().0.success());
}

/// It makes some 400 calls, and measures times.
#[test]
fn a_long_lab_at_full_speed_loses_and_reorders_nothing() {
    let view = viewed_script(&["lab", "nagle-40ms"]);
    let mut frames = view.watch();
    view.order("go-on");
    let mut told = Told::default();
    told.until_over(&mut frames);
    // On a busy machine the times may differ; here the calls matter.
    let (_, report, _) = view.server.end();
    assert!(told.calls.len() > 300, "{}", told.calls.len());
    assert_eq!(told.calls, calls_in(&report));
}

#[test]
fn two_pages_see_the_same_and_a_late_one_sees_the_beginning() {
    let view = viewed_script(&["lab", "half-close"]);
    let mut one = view.watch();
    let [mut first, mut second] = [Told::default(), Told::default()];
    for made in 0..5 {
        one.until("it stands", |frame| {
            first.take(frame);
            is_held(frame) && frame["loop"]["made"] == made
        });
        view.order("step");
    }
    let mut other = view.watch();
    other.until("it stands", |frame| {
        second.take(frame);
        is_held(frame) && frame["loop"]["made"] == 5 && frame["loop"]["viewers"] == 2
    });
    // Either page may order.
    view.order("step");
    view.order("go-on");
    first.until_over(&mut one);
    second.until_over(&mut other);
    assert!(view.server.end().0.success());
    assert_eq!(first.calls, second.calls);
    assert_eq!(first.said, second.said);
}

#[test]
fn a_run_whose_page_is_closed_goes_on_to_its_end() {
    for arguments in [&["lab", "half-close"][..], &["tour"]] {
        let view = viewed_script(arguments);
        let mut frames = view.watch();
        frames.until("it stands", is_held);
        view.order("step");
        frames.until("it stands again", |frame| is_held(frame) && frame["loop"]["made"] == 1);
        drop(frames);
        let (status, report, complaints) = view.server.end();
        assert!(status.success(), "{status}: {complaints}");
        assert!(report.contains("shutdown(") || report.contains("That was the tour"), "{report}");
    }
}

#[test]
fn slow_motion_makes_one_call_after_the_other() {
    let view = viewed_script(&["lab", "half-close"]);
    let mut frames = view.watch();
    frames.until("it stands", is_held);
    view.order("slow/100");
    let began = Instant::now();
    let frame = frames.until("five calls are made", |frame| frame["loop"]["made"] == 5);
    assert!(began.elapsed() >= Duration::from_millis(5 * 100), "{:?}", began.elapsed());
    assert_eq!((&frame["loop"]["pace"], &frame["loop"]["slow_ms"]), (&"slow".into(), &100.into()));
    view.order("pause");
    frames.until("it stands", |frame| frame["loop"]["pace"] == "paused" && is_held(frame));
    view.order("go-on");
    frames.until("it is over", |frame| !frame["loop"]["over"].is_null());
    assert!(view.server.end().0.success());
}

#[test]
fn a_page_that_does_not_read_does_not_keep_a_run_from_ending() {
    let view = viewed_script(&["lab", "nagle-40ms"]);
    let stream = TcpStream::connect(view.at).unwrap();
    setsockopt(&stream, RcvBuf, &4096).unwrap();
    (&stream)
        .write_all(
            format!("GET {}events HTTP/1.1\r\nHost: {}\r\n\r\n", view.path, view.at).as_bytes(),
        )
        .unwrap();
    view.order("go-on");
    let began = Instant::now();
    let (_, report, complaints) = view.server.end();
    assert!(report.contains("src/labs/options"), "{complaints}{report}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    drop(stream);
}

/// The processes that a program has started, and that still run.
fn children_of(pid: u32) -> Vec<u32> {
    let tasks = format!("/proc/{pid}/task");
    let tasks = std::fs::read_dir(tasks).into_iter().flatten().flatten();
    let children = tasks.map(|task| std::fs::read_to_string(task.path().join("children")));
    let children = children.map(Result::unwrap_or_default).collect::<String>();
    children.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn ctrl_c_ends_a_run_that_stands_and_leaves_no_process() {
    for arguments in [&["lab", "half-close"][..], &["tour"]] {
        let view = viewed_script(arguments);
        let mut frames = view.watch();
        frames.until("it stands", is_held);
        let pid = view.server.pid();
        let children = children_of(pid);
        kill(Pid::from_raw(pid as i32), Signal::SIGINT).unwrap();
        let (status, _, complaints) = view.server.end();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(Signal::SIGINT as i32)
        );
        assert!(!complaints.contains("panicked"), "{complaints}");
        for child in children {
            let is_gone = || state_if_there(child).is_none_or(|state| state == 'Z');
            wait_until("the lab's process is gone", is_gone);
        }
        while frames.try_next().is_some() {}
    }
    // Also one that waits for its first page.
    let view = viewed_script(&["lab", "half-close"]);
    kill(Pid::from_raw(view.server.pid() as i32), Signal::SIGINT).unwrap();
    assert!(!view.server.end().0.success());
}

fn state_if_there(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn the_tour_shows_both_sides_and_the_numbers_are_those_without_a_view() {
    for via in BOTH {
        let view = viewed_script(&["tour", "--via", via]);
        let mut frames = view.watch();
        frames.until("it stands", is_held);
        view.order("step");
        frames.until("it stands again", |frame| is_held(frame) && frame["loop"]["made"] == 1);
        let mut late = view.watch();
        view.order("go-on");
        let mut lines = Vec::new();
        late.until("it is over", |frame| {
            lines.extend(frame["loop"]["calls"].as_array().unwrap().iter().cloned());
            !frame["loop"]["over"].is_null()
        });
        let (status, report, complaints) = view.server.end();
        assert!(status.success(), "{status}: {complaints}");
        let by = |who: &str| lines.iter().filter(|line| line["who"] == who).count();
        assert!(by("server") > 20 && by("client A") > 5 && by("client B") > 2, "{lines:#?}");
        let chapters = lines.iter().filter(|line| line["said"] == "chapter").count();
        assert_eq!(chapters, 10);
        // Line for line the same tour, with the same descriptors.
        let plain = baresock(&["tour", "--via", via, "--color", "never"]);
        let plain = String::from_utf8(plain.stdout).unwrap();
        assert_eq!(without_ports(&report), without_ports(&plain));
    }
}

/// Without ports and addresses in memory, which differ in each run: without long numbers.
fn without_ports(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == 'x';
    let words = text.split_inclusive(|c: char| !is_part(c));
    words.filter(|word| word.len() < 6 || !word.starts_with(|c: char| c.is_ascii_digit())).collect()
}

#[test]
fn a_bare_loop_is_stepped_call_by_call() {
    for kind in [BARE_SELECT, BARE_POLL] {
        let view = viewed(kind, &[]);
        // It serves also if no page looks.
        assert_echo(connect(&view.server), b"unseen");
        let mut frames = view.watch();
        let mut told = Told::default();
        frames.until("a page is told everything from the beginning", |frame| {
            told.take(frame);
            told.calls.iter().any(|call| call.starts_with("close(4)"))
        });
        assert!(told.calls[0].starts_with("socket("), "{:?}", told.calls);
        view.order("pause");
        let wait = format!("{}(", kind.via);
        frames.until("it waits", |frame| {
            told.take(frame);
            frame["loop"]["pace"] == "paused"
                && frame["loop"]["next"]["line"].as_str().unwrap().starts_with(&wait)
        });
        // The wait has begun: it ends, and then the loop stands before accept.
        let mut client = connect(&view.server);
        client.write_all(b"hello").unwrap();
        let calls = [
            "accept(3, ",
            "fcntl(4, F_GETFL",
            "fcntl(4, F_SETFL",
            "accept(3, ",
            &wait,
            "recv(4, ",
            "send(4, \"hello\"",
            &wait,
        ];
        let made = told.calls.len();
        for (at, call) in calls.iter().enumerate() {
            let frame = frames.until(call, |frame| {
                told.take(frame);
                is_held(frame) && frame["loop"]["made"] == made + 1 + at
            });
            let next = frame["loop"]["next"]["line"].as_str().unwrap();
            assert!(next.starts_with(call), "{next}, not {call}");
            if call.starts_with("send") {
                assert_nothing_came(&client);
                assert_waiting_costs_at_most(5, view.server.pid());
            }
            view.order("step");
        }
        assert_receives(&client, b"hello");
        // Whatever the page has opened, the numbers are those without a view.
        let frame =
            frames.until("it waits", |frame| !frame["loop"]["next"].is_null() && !is_held(frame));
        let numbers = |frame: &Value| {
            let rows = frame["descriptors"]["rows"].as_array().unwrap().clone();
            rows.iter().map(|row| row["fd"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&frame), [3, 4]);
        view.order("go-on");
        assert_echo(&client, b"at full speed");
        view.order("pause");
        view.server.signal(Signal::SIGTERM);
        assert!(!view.server.wait().status.success());
    }
}

#[test]
fn a_busy_bare_loop_is_shown_with_gaps_and_serves_on() {
    for kind in [BARE_SELECT, BARE_POLL] {
        let view = viewed(kind, &[]);
        let clients = connect_many(&view.server, 20);
        let mut frames = view.watch();
        let mut next = 0;
        let mut gaps = 0;
        for round in 0..100 {
            for client in &clients {
                assert_echo(client, format!("round {round:3}").as_bytes());
            }
        }
        frames.until("all is seen", |frame| {
            let first = frame["loop"]["first"].as_u64().unwrap();
            assert!(first >= next, "no line comes twice");
            gaps += u64::from(first > next);
            next = first + frame["loop"]["calls"].as_array().unwrap().len() as u64;
            frame["loop"]["received"] == 20 * 100 * 9
        });
        counted(format_args!("{kind}: {gaps} gaps in {next} lines"));
        // Descriptor by descriptor nothing was lost.
        drop(clients);
        frames.until("the clients are gone", |frame| {
            frame["descriptors"]["rows"].as_array().unwrap().len() == 1
        });
    }
}

#[test]
fn the_trace_of_a_bare_loop_has_no_call_of_the_view() {
    let dir = TempDir::new();
    let file = dir.file("trace");
    let view = viewed(BARE_SELECT, &["--trace-to", text(&file), "--trace-sync"]);
    let mut frames = view.watch();
    frames.next();
    assert_echo(connect(&view.server), b"traced");
    frames.until("it is seen", |frame| frame["loop"]["made"].as_u64() > Some(13));
    view.server.signal(Signal::SIGTERM);
    view.server.wait();
    let trace = std::fs::read_to_string(&file).unwrap();
    assert!(trace.contains("recv(5, \"traced\""), "{trace}");
    assert!(
        !trace.contains("HTTP") && !trace.contains("urandom") && !trace.contains("pipe("),
        "{trace}"
    );
    assert!(!trace.contains("(9") && !trace.contains("= 9"), "a high descriptor: {trace}");
}

#[test]
fn a_run_has_a_view_for_this_machine_and_one_person() {
    for (arguments, words) in [
        (&["lab", "half-close", "--view=*:0"][..], "other machines"),
        (&["tour", "--view=0.0.0.0:0"], "other machines"),
        (&["bare", "127.0.0.1:0", "--view=unix:x"], "Unix-domain"),
        (&["lab", "half-close", "--view", "--step"], "both stop before calls"),
        (&["tour", "--view", "--step"], "both stop before calls"),
        (&["bare", "127.0.0.1:0", "--view", "--step"], "--step"),
        (&["lab", "--all", "--view"], "cannot be used with"),
        (&["lab", "closing", "--view"], "one lab"),
        (&["lab", "--view"], "which one?"),
    ] {
        let run = baresock(arguments);
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    let view = viewed_script(&["lab", "half-close"]);
    let at = view.at;
    let own = format!("Host: {at}\r\nOrigin: http://{at}\r\nContent-Length: 0\r\n");
    for (method, path, fields) in [
        ("GET", view.path.clone(), "Host: evil.example\r\n".to_string()),
        (
            "GET",
            format!("{}events", view.path),
            format!("Host: {at}\r\nOrigin: http://evil.example\r\n"),
        ),
        ("GET", "/events".to_string(), format!("Host: {at}\r\n")),
        ("POST", format!("{}go-on", view.path), format!("Host: {at}\r\nContent-Length: 0\r\n")),
        ("POST", format!("{}go-on", view.path), own.replace("Origin: http://", "Origin: https://")),
    ] {
        let answer = view.asked(method, &path, &fields);
        assert_eq!(answer.status, 403, "{method} {path} {fields}: {answer:?}");
    }
    // None of these has begun the run.
    let mut frames = view.watch();
    let frame = frames.until("it stands", is_held);
    assert_eq!(frame["loop"]["made"], 0);
    view.order("go-on");
    frames.until("it is over", |frame| !frame["loop"]["over"].is_null());
    assert!(view.server.end().0.success());
}

/// On Linux the answer depends on the size of the table of descriptors, which a process inherits.
#[test]
fn a_view_does_not_change_what_a_lab_about_numbers_sees() {
    for lab in ["bad-fd-poisons-select", "fdsetsize-overflow", "emfile-accept-spin"] {
        let view = viewed_script(&["lab", lab]);
        let mut frames = view.watch();
        view.order("go-on");
        frames.until("it is over", |frame| !frame["loop"]["over"].is_null());
        let (status, report, complaints) = view.server.end();
        assert!(status.success(), "{status}: {complaints}{report}");
    }
}
