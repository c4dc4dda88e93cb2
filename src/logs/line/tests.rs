use super::*;
use crate::logs::answer::RawCall;
use crate::logs::body::ProcessExit;

fn call(text: &str) -> RawCall<'_> {
    match LogLine::parse(text).body {
        LineBody::Call(call) => call,
        other => panic!("{text} is {other:?}"),
    }
}

#[test]
fn what_stands_before_a_call_is_who_and_when() {
    const SECOND: u64 = 1_000_000_000;
    let noon = Stamp::OfDay(12 * 3_600 * SECOND + 5_000);
    for (before, pid, time) in [
        ("", None, None),
        ("[pid 12] ", Some(12), None),
        ("[pid    12] ", Some(12), None),
        ("[pid 12<sh>] ", Some(12), None),
        ("12 ", Some(12), None),
        ("12    ", Some(12), None),
        ("12<nginx: worker> ", Some(12), None),
        ("12:00:00.000005 ", None, Some(noon)),
        ("7 12:00:00.000005 ", Some(7), Some(noon)),
        ("[pid 7] 12:00:00.000005 ", Some(7), Some(noon)),
        ("12:00:00.000005 (+     0.000009) ", None, Some(noon)),
        ("1700000000.25 ", None, Some(Stamp::SinceEpoch(1_700_000_000 * SECOND + SECOND / 4))),
        ("1700000000 ", None, Some(Stamp::SinceEpoch(1_700_000_000 * SECOND))),
        ("     0.000021 ", None, Some(Stamp::SincePrevious(21_000))),
        ("[00007f3a2b1c4d5e] ", None, None),
        ("[  41] [00007f3a2b1c4d5e] ", None, None),
        ("12 [????????????????] ", Some(12), None),
    ] {
        let text = format!("{before}close(3) = 0");
        let line = LogLine::parse(text.trim_ascii_start());
        assert_eq!((line.pid, line.time), (pid, time), "{text}");
        assert!(matches!(line.body, LineBody::Call(call) if call.arguments == "3"), "{text}");
    }
}

#[test]
fn an_answer_is_found_behind_whatever_was_sent() {
    let found = call("sendto(4, \") = 5\", 5, 0, NULL, 0)      = 5");
    assert_eq!(found.arguments, "4, \") = 5\", 5, 0, NULL, 0");
    assert_eq!(found.answer.value, Some(5));
    let found =
        call("poll([{fd=3, events=POLLIN}], 1, 9) = 1 ([{fd=3, revents=POLLIN}]) <0.000012>");
    assert_eq!((found.answer.value, found.took_ns), (Some(1), Some(12_000)));
    assert_eq!(found.answer.rest, "([{fd=3, revents=POLLIN}])");
    let found = call("accept(3, NULL, NULL) = 4<TCP:[127.0.0.1:80->127.0.0.1:5000]>");
    assert_eq!(found.answer.value, Some(4));
    let found = call("recvfrom(3, 0x7ffe, 9, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted)");
    assert_eq!((found.answer.value, found.answer.error), (None, Some("ERESTARTSYS")));
    let found = call("recv(3, 0x7ffe, 9, 0) = -1 EAGAIN (Resource temporarily unavailable)");
    assert_eq!((found.answer.value, found.answer.error), (Some(-1), Some("EAGAIN")));
    assert_eq!(call("mmap(NULL, 8) = 0x7f0000001000").answer.value, Some(0x7f00_0000_1000));
    assert_eq!(call("exit_group(0) = ?").answer.value, None);
}

#[test]
fn what_is_no_whole_call_is_told_apart() {
    let body = |text| LogLine::parse(text).body;
    assert_eq!(body("7 accept(3,  <unfinished ...>"), LineBody::Begun("accept(3,  "));
    let resumed = LineBody::Resumed { name: "accept", rest: "NULL, NULL) = 4" };
    assert_eq!(body("7 <... accept resumed>NULL, NULL) = 4"), resumed);
    let signal = LineBody::Signal { name: "SIGPIPE", stopped: false };
    assert_eq!(body("--- SIGPIPE {si_signo=SIGPIPE} ---"), signal);
    assert_eq!(body("--- SIGPIPE (Broken pipe) @ 0 (0) ---"), signal);
    let stopped = LineBody::Signal { name: "SIGSTOP", stopped: true };
    assert_eq!(body("--- stopped by SIGSTOP ---"), stopped);
    assert_eq!(body("+++ exited with 3 +++"), LineBody::Ended(ProcessExit::Exited(3)));
    let killed = LineBody::Ended(ProcessExit::Killed("SIGPIPE"));
    assert_eq!(body("[pid 7] +++ killed by SIGPIPE (core dumped) +++"), killed);
    assert_eq!(body("strace: Process 12 attached"), LineBody::Attached(12));
    assert_eq!(body("Process 12 attached (waiting for parent)"), LineBody::Attached(12));
    let open = |text, attached| LineBody::Open { text, attached };
    assert_eq!(body("recvfrom(3, "), open("recvfrom(3, ", None));
    assert_eq!(body("recvfrom(3strace: Process 7 attached"), open("recvfrom(3", Some(7)));
    assert_eq!(body("recvfrom(3/bin/strace: Process 7 attached"), open("recvfrom(3", Some(7)));
    assert_eq!(body("/usr/bin/strace: Process 7 attached"), LineBody::Attached(7));
    for text in ["htons(80), 16) = 0", "$ strace ./a", "hello", "12", "", "= 0", "[pid x] a(1) = 0"]
    {
        assert_eq!(body(text), LineBody::Text, "{text}");
    }
}
