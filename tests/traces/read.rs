//! `baresock read`: logs as people make and post them.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{BARESOCK, TempDir, baresock, text, violations};
use baresock::logs::reader::{LogEvent, LogReader};
use baresock::sys::{
    AF_UNIX, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, MsgFlags, POLLIN, POLLOUT, PollFd, Protocol,
    SHUT_WR, SO_ERROR, SO_RCVTIMEO, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, TimeSpec, TimeVal,
};
use baresock::trace::event::Outcome;
use baresock::trace::{Arg, Event, Note};
use proptest::prelude::*;

/// The calls of a log, without what only the place of a line in a log says.
fn calls(log: &str) -> Vec<Event<'static>> {
    let mut calls = Vec::new();
    let mut reader = LogReader::new([(log.as_bytes(), 0)]);
    let mut take = |told: &LogEvent<'_>| {
        if let LogEvent::Call(event) = told {
            calls.push((*event).clone().into_owned());
        }
    };
    reader.read_all(|told, _| take(told)).unwrap();
    calls
}

/// The same, without who and when.
fn told(log: &str) -> Vec<Event<'static>> {
    calls(log).into_iter().map(alone).collect()
}

fn alone(mut call: Event<'static>) -> Event<'static> {
    (call.pid, call.tid, call.seq, call.begin_ns, call.end_ns) = (0, 0, 0, 0, 0);
    (call.clock, call.connection) = (None, None);
    call
}

const SERVER: &str = "\
socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
bind(3, {sa_family=AF_INET, sin_port=htons(7007), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0
listen(3, 5)                            = 0
accept(3, {sa_family=AF_INET, sin_port=htons(51344), sin_addr=inet_addr(\"127.0.0.1\")}, [128 => 16]) = 4
recvfrom(4, \"hello, \\\"server\\\"\\n\", 65536, 0, NULL, NULL) = 16
sendto(4, \"> hello\\n\", 8, MSG_NOSIGNAL, NULL, 0) = 8
pselect6(5, [3 4], [], NULL, {tv_sec=1, tv_nsec=500}, NULL) = 1 (in [4], left {tv_sec=0, tv_nsec=999996000})
poll([{fd=3, events=POLLIN}, {fd=4, events=POLLIN|POLLOUT}], 2, -1) = 1 ([{fd=4, revents=POLLOUT}])
recvfrom(4, 0x7ffc1b2ecfc0, 65536, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
close(4)                                = 0
";

/// Puts something around each line.
fn each(line: impl Fn(usize, &str) -> String) -> String {
    SERVER.lines().enumerate().map(|(at, text)| line(at, text)).collect()
}

#[test]
fn a_log_is_the_same_wherever_it_was_posted() {
    let plain = told(SERVER);
    assert_eq!(plain.len(), SERVER.lines().count());
    for (how, posted) in [
        ("quoted", each(|_, line| format!("> {line}\n"))),
        ("quoted twice, with CRLF", each(|_, line| format!("> > {line}\r\n"))),
        ("indented", each(|_, line| format!("    {line}\n"))),
        ("numbered", each(|at, line| format!("{:>4} {line}\n", at + 7))),
        ("numbered by cat", each(|at, line| format!("{:>6}\t{line}\n", at + 1))),
        ("numbered by grep", each(|at, line| format!("{}:{line}\n", at + 1))),
        ("coloured", each(|_, line| format!("\x1b[1;32m{line}\x1b[0m\n"))),
        (
            "in a fence",
            format!("Hello!\n```\n$ strace ./server\n{SERVER}^C\n```\nWhat is wrong?\n"),
        ),
        ("with code marks", each(|_, line| format!("* `{line}`\n"))),
        ("with a prompt", format!("user@host:~$ strace -o log ./server\n{SERVER}user@host:~$ ")),
        ("as of a process", each(|_, line| format!("[pid  4711] {line}\n"))),
        ("as of a thread, to a file", each(|_, line| format!("4711  12:30:01.000123 {line}\n"))),
        ("without a newline at its end", SERVER.trim_end().to_string()),
    ] {
        assert_eq!(told(&posted), plain, "{how}:\n{posted}");
    }
}

#[test]
fn lines_that_were_wrapped_are_joined() {
    let plain = told(SERVER);
    // (At 60 a number would be cut in two, and its first half is a number, too.)
    for width in [40, 62, 79] {
        let wrap = |line: &str| {
            let mut text = String::new();
            let mut rest = line;
            while rest.len() > width {
                let (head, tail) = rest.split_at(width);
                text += &format!("{head}\n");
                rest = tail;
            }
            text + rest + "\n"
        };
        // A space at the edge of the paper is gone in a forum, and so it is here: not within a string.
        let wrapped: String = SERVER.lines().map(wrap).collect();
        let found = told(&wrapped);
        assert_eq!(found.len(), plain.len(), "{wrapped}\n{found:#?}");
        for (found, plain) in found.iter().zip(&plain) {
            assert_eq!((&found.callee, found.outcome), (&plain.callee, plain.outcome), "{wrapped}");
        }
    }
}

#[test]
fn an_older_strace_says_the_same_otherwise() {
    for (older, newer) in [
        (
            "socket(PF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
            "socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
        ),
        (
            "accept(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr(\"1.2.3.4\")}, [128->16]) = 4",
            "accept(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr(\"1.2.3.4\")}, [128 => 16]) = 4",
        ),
        (
            "connect(3, {sa_family=AF_FILE, path=\"/run/x\"}, 110) = 0",
            "connect(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 110) = 0",
        ),
        ("shutdown(3, 1 /* send */) = 0", "shutdown(3, SHUT_WR) = 0"),
        (
            "select(4, [3], NULL, NULL, {1, 20}) = 0 (Timeout)",
            "select(4, [3], NULL, NULL, {tv_sec=1, tv_usec=20}) = 0 (Timeout)",
        ),
        (
            "sendmsg(3, {msg_name(0)=NULL, msg_iov(1)=[{\"hi\", 2}], msg_controllen=0, msg_flags=0}, 0) = 2",
            "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"hi\", iov_len=2}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 2",
        ),
        (
            "12 recvfrom(3,  <unfinished ...>\n13 close(4) = 0\n12 <... recvfrom resumed> \"x\", 9, 0, NULL, NULL) = 1",
            "13 close(4) = 0\n12 recvfrom(3, \"x\", 9, 0, NULL, NULL) = 1",
        ),
        (
            "poll([{fd=3, events=POLLIN, revents=POLLIN}, {fd=4, events=POLLIN}], 2, -1) = 1",
            "poll([{fd=3, events=POLLIN, revents=POLLIN}, {fd=4, events=POLLIN}], 2, -1) = 1 ([{fd=3, revents=POLLIN}])",
        ),
        (
            "setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
            "setsockopt(3, SOL_SOCKET, SO_LINGER, {l_onoff=1, l_linger=0}, 8) = 0",
        ),
        (
            "sendmsg(3, {msg_name(0)=NULL, msg_iov(1)=[{\"f\", 1}], msg_controllen=20, {cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, {7}}, msg_flags=0}, 0) = 1",
            "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"f\", iov_len=1}], msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[7]}], msg_controllen=20, msg_flags=0}, 0) = 1",
        ),
        (
            "recvmsg(3, {msg_name(0)=NULL, msg_iov(1)=[{\"f\", 9}], msg_controllen=28, {cmsg_len=28, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS{pid=5, uid=6, gid=7}}, msg_flags=0}, 0) = 1",
            "recvmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"f\", iov_len=9}], msg_iovlen=1, msg_control=[{cmsg_len=28, cmsg_level=SOL_SOCKET, cmsg_type=SCM_CREDENTIALS, cmsg_data={pid=5, uid=6, gid=7}}], msg_controllen=28, msg_flags=0}, 0) = 1",
        ),
        (
            "rt_sigaction(SIGPIPE, {SIG_IGN, [PIPE], SA_RESTORER|SA_RESTART, 0x7f8600001000}, {SIG_DFL, [], 0}, 8) = 0",
            "rt_sigaction(SIGPIPE, {sa_handler=SIG_IGN, sa_mask=[PIPE], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x7f8600001000}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0",
        ),
        (
            "writev(3, [{\"ab\", 2}, {\"c\", 1}], 2) = 3",
            "writev(3, [{iov_base=\"ab\", iov_len=2}, {iov_base=\"c\", iov_len=1}], 2) = 3",
        ),
        (
            "pselect6(4, [3], NULL, NULL, {0, 3000}, 0) = 0 (Timeout)",
            "pselect6(4, [3], NULL, NULL, {tv_sec=0, tv_nsec=3000}, NULL) = 0 (Timeout)",
        ),
        (
            "socket(PF_FILE, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
            "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3",
        ),
        ("accept(3, 0, NULL) = 4", "accept(3, NULL, NULL) = 4"),
        (
            "recvfrom(3, 0xbff0, 9, 0, 0, 0) = -1 EAGAIN (Resource temporarily unavailable)",
            "recvfrom(3, 0xbff0, 9, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)",
        ),
        (
            "connect(3, {sa_family=AF_FILE, path=@/com/ubuntu/upstart}, 22) = 0",
            "connect(3, {sa_family=AF_UNIX, sun_path=@\"/com/ubuntu/upstart\"}, 22) = 0",
        ),
        (
            "connect(3, {sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_flowinfo=0, sin6_scope_id=0}, 28) = 0",
            "connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, \"::1\", &sin6_addr), sin6_scope_id=0}, 28) = 0",
        ),
        (
            "setsockopt(3, SOL_TCP, 0x1 /* TCP_??? */, [1], 4) = 0",
            "setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 0",
        ),
        (
            "getsockopt(3, SOL_SOCKET, SO_ERROR, [111], [4]) = 0",
            "getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
        ),
        ("fcntl64(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0", "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0"),
        ("0x7f accept(3", "0x7f accept(3"),
    ] {
        assert_eq!(told(older), told(newer), "{older}");
    }
}

/// What strace 4 wrote between the calls: of processes, of signals, of a wait that goes on.
#[test]
fn an_older_strace_tells_of_processes_and_signals_otherwise() {
    let log = "\
clone(child_stack=0, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f7c8d0) = 1234
Process 1234 attached (waiting for parent)
Process 1234 resumed (parent 1233 ready)
Process 1233 suspended
[pid  1234] recv(3, \"hello\", 100, 0)    = 5
Process 1233 resumed
Process 1234 detached
poll([{fd=3, events=POLLIN}], 1, 4294967295) = ? ERESTART_RESTARTBLOCK (To be restarted)
--- SIGCHLD (Child exited) @ 0 (0) ---
restart_syscall(<... resuming interrupted call ...>) = 1
--- SIGPIPE (Broken pipe) @ 0 (0) ---
+++ killed by SIGPIPE (core dumped) +++
";
    let (mut said, mut reader) = (Vec::new(), LogReader::new([(log.as_bytes(), 0)]));
    reader
        .read_all(|told, _| {
            said.push(match told {
                LogEvent::Call(call) => format!("{} {:?}", call.callee.name(), call.value()),
                LogEvent::Signal { name, .. } => name.to_string(),
                LogEvent::Ended { end, .. } => format!("{end:?}"),
                LogEvent::Text(text) => panic!("{text} is not understood"),
                _ => return,
            });
        })
        .unwrap();
    let expected = [
        "clone Some(1234)",
        "recv Some(5)",
        "SIGCHLD",
        "poll Some(1)",
        "SIGPIPE",
        "Killed(\"SIGPIPE\")",
    ];
    assert_eq!(said, expected);
}

/// The errors that no name is known of here.
#[test]
fn an_error_has_its_name_or_its_number_and_is_none_of_another_name() {
    let failed = |error: &str| {
        let log = format!("close(3) = -1 {error}\n");
        told(&log)[0].errno().unwrap()
    };
    assert_eq!(failed("ENOTEMPTY (Directory not empty)").name(), Some("ENOTEMPTY"));
    assert_eq!(failed("EREMOTEIO (Remote I/O error)").name(), Some("EREMOTEIO"));
    assert_eq!(failed("ENOTSUPP (errno 524)").name(), Some("ENOTSUPP"));
    assert_eq!(failed("(errno 530)").number(), 530);
    let unheard = failed("ENEVERHEARD (Never heard of)");
    assert!(unheard.name().is_none() && !unheard.to_string().contains("Success"), "{unheard}");
}

#[test]
fn an_interrupted_call_is_one() {
    let again = "recvfrom(3, \"x\", 9, 0, NULL, NULL) = 1\n";
    let interrupted = "recvfrom(3, 0x7ffc1b2ecfc0, 9, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)\n--- SIGALRM {si_signo=SIGALRM} ---\n";
    let names = |log: &str| -> Vec<String> {
        told(log).iter().map(|call| format!("{} {:?}", call.callee.name(), call.outcome)).collect()
    };
    let restarted = format!("{interrupted}rt_sigreturn({{mask=[]}}) = 45\n{again}");
    assert_eq!(names(&restarted), ["rt_sigreturn Value(45)", "recv Value(1)"]);
    let failed = format!(
        "{interrupted}rt_sigreturn({{mask=[]}}) = -1 EINTR (Interrupted system call)\nclose(3) = 0\n"
    );
    assert_eq!(names(&failed)[0], "recv Error(EINTR (Interrupted system call))");
    // With -e trace=network the log does not have the decision, but what the program did next.
    assert_eq!(names(&format!("{interrupted}{again}")), ["recv Value(1)"]);
    assert_eq!(names(&format!("{interrupted}close(3) = 0\n")).len(), 2);
    let killed = format!("{interrupted}+++ killed by SIGALRM +++\n");
    assert_eq!(names(&killed), ["recv Unknown"]);
    let poll = "poll([{fd=3, events=POLLIN}], 1, 9000) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)\n--- SIGCONT {si_signo=SIGCONT} ---\nrestart_syscall(<... resuming interrupted poll ...>) = 1\n";
    assert_eq!(names(poll), ["poll Value(1)"]);
}

#[test]
fn a_log_that_begins_in_the_middle_or_is_cut_says_what_it_can() {
    let names = |log: &str| -> Vec<(String, bool)> {
        let named = |call: &Event<'_>| (call.callee.name().to_string(), call.value().is_some());
        told(log).iter().map(named).collect()
    };
    let middle =
        "<... accept resumed>NULL, NULL) = 4\nrecvfrom(4, \"x\", 1, 0, NULL, NULL) = 1\naccept(3, ";
    let expected = [("accept", true), ("recv", true), ("accept", false)];
    assert_eq!(names(middle), expected.map(|(name, known)| (name.to_string(), known)));
}

#[test]
fn a_log_of_a_32_bit_program_is_read_like_that_of_another() {
    let newer = "getsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=5, tv_usec=1}, [8]) = 0";
    let older = r#"getsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, "\5\0\0\0\1\0\0\0", [8]) = 0"#;
    assert_eq!(told(older), told(newer));
    let newer = r#"recvmmsg(3, [], 0, 0, NULL) = 0 (Timeout)"#;
    let older = r#"recvmmsg_time64(3, [], 0, 0, NULL) = 0 (Timeout)"#;
    assert_eq!(told(older), told(newer));
    // strace's log of a 32-bit program that waited for more than 68 years: once for a signal with a handler, then stopped and
    // continued. Above the nanoseconds lay other bytes.
    let long = "7 pselect6_time64(4, [3], NULL, NULL, {tv_sec=5000000000, tv_nsec=18412022150280080528}, NULL) = ? \
        ERESTARTNOHAND (To be restarted if no handler)\n\
        7 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---\n\
        7 sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)\n\
        7 pselect6_time64(4, [3], NULL, NULL, {tv_sec=5000000000, tv_nsec=18412022150280080528}, NULL <unfinished ...>\n\
        9 kill(7, SIGSTOP) = 0\n\
        7 <... pselect6_time64 resumed>)    = ? ERESTARTNOHAND (To be restarted if no handler)\n\
        7 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER, si_pid=9, si_uid=0} ---\n\
        7 --- stopped by SIGSTOP ---\n\
        7 --- SIGCONT {si_signo=SIGCONT, si_code=SI_USER, si_pid=9, si_uid=0} ---\n\
        7 pselect6_time64(4, [3], NULL, NULL, {tv_sec=5000000000, tv_nsec=734715221}, NULL <unfinished ...>\n\
        7 <... pselect6_time64 resumed>)    = 1 (in [3], left {tv_sec=5000000000, tv_nsec=710795990})\n\
        7 ppoll_time64([{fd=3, events=POLLIN}], 1, {tv_sec=5000000000, tv_nsec=0}, [], 8 <unfinished ...>\n\
        7 <... ppoll_time64 resumed>)       = ? ERESTARTNOHAND (To be restarted if no handler)\n\
        7 --- SIGSTOP {si_signo=SIGSTOP, si_code=SI_USER, si_pid=9, si_uid=0} ---\n\
        7 ppoll_time64([{fd=3, events=POLLIN}], 1, {tv_sec=4999999999, tv_nsec=909779629}, [], 8) = 1 ([{fd=3, revents=POLLIN}])";
    let asked = "select(4, [3], NULL, NULL, {tv_sec=5000000000, tv_usec=940666})";
    let short = format!(
        "{asked} = -1 EINTR (Interrupted system call)\n\
         {asked} = 1 (in [3], left {{tv_sec=5000000000, tv_usec=710795}})\n\
         ppoll([{{fd=3, events=POLLIN}}], 1, {{tv_sec=5000000000, tv_nsec=0}}, []) = 1 ([{{fd=3, revents=POLLIN}}])"
    );
    let waits = |log| {
        told(log).into_iter().filter(|call| {
            call.callee.name() != "kill" && !call.callee.name().ends_with("sigreturn")
        })
    };
    assert_eq!(waits(long).collect::<Vec<_>>(), waits(&short).collect::<Vec<_>>());
    // The kernel wrote no address.
    let [call] = &told(r#"recvfrom(3, "x", 9, 0, 0xf7b7d718, [128 => 0]) = 1"#)[..] else {
        panic!("it is one call")
    };
    assert_eq!(call.args[4], Arg::Pointer(0xf7b7_d718));
}

/// A session that has every kind of argument and of answer.
fn session() {
    use baresock::sys;
    let [one, other] = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    sys::setsockopt(&one, SOL_SOCKET, SO_REUSEADDR, &1).unwrap();
    sys::setsockopt(&one, SOL_SOCKET, SO_RCVTIMEO, &TimeVal { tv_sec: 5, tv_usec: 1 }).unwrap();
    sys::getsockopt(&one, SOL_SOCKET, SO_ERROR).unwrap();
    sys::send(&one, b"bytes \0\xff\"\\\n, more than thirty-two of them", MSG_NOSIGNAL).unwrap();
    let _ = sys::recv(&other, &mut [0; 7], MSG_PEEK).unwrap();
    sys::recv(&other, &mut [0; 99], MsgFlags::NONE).unwrap();
    assert!(sys::recv(&other, &mut [0; 99], MSG_DONTWAIT).is_err());
    let mut readable = sys::FdSet::new();
    readable.set(&other).unwrap();
    let mut timeout = TimeVal::default();
    sys::select(readable.nfds(), Some(&mut readable), None, None, Some(&mut timeout)).unwrap();
    sys::sendmsg(&one, None, &[b"a", b"b"], &[std::os::fd::AsFd::as_fd(&other)], MSG_NOSIGNAL)
        .unwrap();
    readable.set(&other).unwrap();
    let wait = TimeSpec { tv_sec: 1, tv_nsec: 0 };
    sys::pselect(readable.nfds(), Some(&mut readable), None, None, Some(&wait), None).unwrap();
    let mut rows = [
        PollFd::new(std::os::fd::AsFd::as_fd(&one), POLLIN | POLLOUT),
        PollFd::skipped(),
        PollFd::new(std::os::fd::AsFd::as_fd(&other), POLLIN),
    ];
    sys::poll(&mut rows, 100).unwrap();
    let flags = sys::fcntl_getfl(&one).unwrap();
    sys::fcntl_setfl(&one, flags | sys::O_NONBLOCK).unwrap();
    sys::shutdown(&one, SHUT_WR).unwrap();
    let listener = sys::socket(sys::AF_INET, SOCK_STREAM, Protocol::default()).unwrap();
    sys::bind(
        &listener,
        &"127.0.0.1:0".parse::<std::net::SocketAddrV4>().map(sys::Address::V4).unwrap(),
    )
    .unwrap();
    sys::listen(&listener, 3).unwrap();
    sys::getsockname(&listener).unwrap();
    let _ = sys::dup(&listener).unwrap();
}

#[test]
fn our_text_read_again_is_the_same_events() {
    use baresock::trace::arg::ValueLimits;
    use baresock::trace::output::{Output, Pace};
    use baresock::trace::text::{TextOptions, TextSink};
    use baresock::trace::{Both, Recording, Tracer, install};
    let place = TempDir::new();
    let file = place.file("text");
    let output = Output::new(fs::File::create(&file).unwrap(), "a file", Pace::Collected);
    let limits = ValueLimits::default();
    let recording = Recording::default();
    let text = TextSink::new(output, TextOptions { limits, ..TextOptions::default() });
    let traced = install(Tracer::new(Both::new(text, recording.sink(limits))));
    session();
    drop(traced);
    let (read, made) = (told(&fs::read_to_string(&file).unwrap()), recording.events());
    assert!(made.len() > 20, "{}", made.len());
    for (read, made) in read.iter().zip(&made) {
        assert_eq!(*read, as_text_tells(alone(made.clone())));
    }
    assert_eq!(read.len(), made.len());
}

/// The text of a timeout is the same whether select writes down that no time is left (Linux with glibc) or leaves its
/// timeval alone (elsewhere); it is read as the former.
fn as_text_tells(mut call: Event<'static>) -> Event<'static> {
    let has_timeval = matches!(call.args.get(4), Some(Arg::TimeVal(Some(_))));
    match (&call.outcome, &mut call.note) {
        (Outcome::Value(0), Note::Select { left, .. }) if has_timeval => {
            *left = left.or(Some(TimeVal::default()));
        }
        _ => {}
    }
    call
}

/// What `read` says of what it is given on standard input.
fn read_input(input: &[u8], flags: &[&str]) -> std::process::Output {
    let mut command = Command::new(BARESOCK);
    command.arg("read").arg("-").args(flags);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = to.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[test]
fn a_report_stands_on_standard_output_and_calls_on_standard_error() {
    let output = read_input(SERVER.as_bytes(), &["--trace"]);
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    assert!(out.contains("127.0.0.1:7007") && out.contains("accept"), "{out}");
    assert_eq!(err.lines().count(), SERVER.lines().count(), "{err}");
    assert!(err.contains("recv(4, \"hello, \\\"server\\\"\\n\", 65536, 0) = 16\n"), "{err}");
    let only = read_input(SERVER.as_bytes(), &["--trace", "--only", "recv,send"]);
    assert_eq!(String::from_utf8(only.stderr).unwrap().lines().count(), 3);
    let one = read_input(SERVER.as_bytes(), &["--trace", "--fd", "4"]);
    assert_eq!(String::from_utf8(one.stderr).unwrap().lines().count(), 5);
    let peer = read_input(SERVER.as_bytes(), &["--trace", "--peer", "51344"]);
    assert_eq!(String::from_utf8(peer.stderr).unwrap().lines().count(), 5);
}

#[test]
fn json_has_the_calls_and_then_the_report() {
    let output = read_input(SERVER.as_bytes(), &["--json"]);
    let out = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (report, calls) = lines.split_last().unwrap();
    assert_eq!(calls.len(), SERVER.lines().count());
    assert!(
        calls.iter().all(|call| call["call"].is_string() && call["schema"].is_number()),
        "{out}"
    );
    assert!(report["advice"].is_array() && report["story"].is_object(), "{report}");
    // What was read can be read again.
    assert_eq!(told(&out), told(SERVER));
}

const SCHEMA: &str = include_str!("../read.schema.json");

#[test]
fn the_json_is_as_the_schema_has_it() {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let logs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs/strace");
    let mut advice = 0;
    for log in ["f-yy-ttt-T.log", "terminal-6.1.log", "f-r.log", "network-only.log"] {
        let output = baresock(&["read", "--json", text(&logs.join(log))]);
        let out = String::from_utf8(output.stdout).unwrap();
        let mut last = serde_json::Value::Null;
        for line in out.lines() {
            last = serde_json::from_str(line).unwrap();
            let kind = if line.starts_with("{\"report\"") { "report" } else { "call" };
            // The one that is meant says more of what is wrong than that it is none of them.
            let meant =
                serde_json::json!({"$defs": schema["$defs"], "$ref": format!("#/$defs/{kind}")});
            assert_eq!(violations(&meant, &last), [""; 0], "{log}: {line}");
            assert_eq!(violations(&schema, &last), [""; 0], "{log}: {line}");
        }
        assert_eq!(last["report"], baresock::report::JSON_VERSION, "{log}");
        advice += last["advice"].as_array().unwrap().len();
        assert!(last["story"]["connections"].as_array().is_some_and(|all| !all.is_empty()));
    }
    assert!(advice > 0);
    for wrong in [
        "{}",
        r#"{"report": 1, "story": {}, "summary": {"calls": [], "total": 0}, "advice": [], "more": {}}"#,
        r#"{"report": 1, "advice": [{"advice": 5}]}"#,
    ] {
        assert!(!violations(&schema, &serde_json::from_str(wrong).unwrap()).is_empty(), "{wrong}");
    }
}

#[test]
fn what_is_no_log_is_an_error_and_what_is_not_there_too() {
    let nothing = read_input(b"hello\nworld\n", &[]);
    assert_eq!(nothing.status.code(), Some(1));
    let said = String::from_utf8(nothing.stderr).unwrap();
    assert!(said.starts_with("baresock: ") && said.lines().count() == 1, "{said}");
    let missing = baresock(&["read", "/nonexistent/log"]);
    let said = String::from_utf8(missing.stderr).unwrap();
    assert!(said.contains("ENOENT") && missing.status.code() == Some(1), "{said}");
    assert!(read_input(b"", &[]).status.success());
}

#[test]
fn hostile_logs_are_survived() {
    let mut log = Vec::new();
    for _ in 0..2 {
        log.extend_from_slice(b"recvfrom(3, \"");
        log.extend_from_slice(&b"A".repeat(10 << 20));
        log.extend_from_slice(b"\", 9, 0, NULL, NULL) = 1\n");
    }
    log.extend_from_slice(b"\0\0\0\xff\xfe\x1b]0;title\x07\x1b[2J\nclose(3) = 0\n");
    log.extend((0..100_000u32).flat_map(|at| (at.wrapping_mul(2_654_435_761) as u8).to_ne_bytes()));
    for pid in 0..3_000 {
        log.extend_from_slice(format!("{pid} recvfrom({pid}, <unfinished ...>\n").as_bytes());
    }
    let output = read_input(&log, &["--trace"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr[..500]));
    let shown = [output.stdout, output.stderr].concat();
    assert!(!shown.contains(&0x1b), "what a terminal obeys was shown");
}

#[test]
fn several_logs_are_read_in_the_order_of_time() {
    let place = TempDir::new();
    let (one, other) = (place.file("log.11"), place.file("log.12"));
    fs::write(&one, "12:00:00.1 close(3) = 0\n12:00:00.3 close(5) = 0\n").unwrap();
    fs::write(&other, "12:00:00.2 close(4) = 0\n").unwrap();
    let output = baresock(&["read", "--trace", text(&one), text(&other)]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(err, "close(3) = 0\nclose(4) = 0\nclose(5) = 0\n");
}

/// strace looks up the addresses of a socket once: after `bind` it shows no peer, and after a second `connect` the first one.
#[test]
fn a_peer_is_that_of_connect_and_not_what_yy_shows() {
    let at = |port| {
        format!("{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"127.0.0.1\")}}")
    };
    let log = [
        "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3<TCP:[77]>".to_string(),
        format!("bind(3<TCP:[77]>, {}, 16) = 0", at(4001)),
        format!("connect(3<TCP:[127.0.0.1:4001]>, {}, 16) = 0", at(5001)),
        "sendto(3<TCP:[127.0.0.1:4001]>, \"bound\", 5, 0, NULL, 0) = 5".to_string(),
        "socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) = 4<UDP:[78]>".to_string(),
        format!("connect(4<UDP:[78]>, {}, 16) = 0", at(5002)),
        "sendto(4<UDP:[127.0.0.1:4002->127.0.0.1:5002]>, \"1\", 1, 0, NULL, 0) = 1".to_string(),
        format!("connect(4<UDP:[127.0.0.1:4002->127.0.0.1:5002]>, {}, 16) = 0", at(5003)),
        "sendto(4<UDP:[127.0.0.1:4002->127.0.0.1:5002]>, \"2\", 1, 0, NULL, 0) = 1".to_string(),
    ];
    let output = read_input(log.join("\n").as_bytes(), &["--json"]);
    let out = String::from_utf8(output.stdout).unwrap();
    let report: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let connection = &report["story"]["connections"][0];
    assert_eq!(
        (&connection["local"], &connection["peer"]),
        (&"127.0.0.1:4001".into(), &"127.0.0.1:5001".into()),
        "{out}"
    );
    assert_eq!(report["story"]["datagrams"][0]["peer"], "127.0.0.1:5003", "{out}");
}

/// Where a log may be cut, and what may be put between its parts.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let log = include_bytes!("../logs/strace/f-yy-ttt-T.log");
    let line = prop_oneof![
        8 => (0..180usize).prop_map(|at| log.split(|byte| *byte == b'\n').nth(at).unwrap_or_default().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..60),
        1 => Just(b"> ".to_vec()),
    ];
    let cut = (line, 0..200usize, any::<bool>()).prop_map(|(mut line, at, whole)| {
        if !whole {
            line.truncate(at);
        }
        line.push(b'\n');
        line
    });
    proptest::collection::vec(cut, 0..60).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn a_log_that_was_cut_and_shuffled_is_read_to_its_end(log in mangled()) {
        let mut reader = LogReader::new([(&log[..], 0)]);
        let mut lines = 0;
        let mut report = baresock::report::Report::new();
        reader.read_all(|told, place| {
            lines = lines.max(place.line);
            if let LogEvent::Call(event) = told {
                report.take(event, baresock::report::At { begun: place.begun, line: place.line, text: place.text });
                // Whatever is in it can be shown.
                let _ = event.to_json();
            }
        }).unwrap();
        prop_assert_eq!(reader.counts().lines, log.split_inclusive(|byte| *byte == b'\n').count() as u64);
        prop_assert!(lines <= reader.counts().lines);
        let _ = report.finish(baresock::report::At::default()).text(baresock::os::output::Colors::Plain, 80);
    }
}

/// A log that was cut in the middle of a line: the result of the last call lacks its error, and is no count of bytes.
#[test]
fn a_result_that_was_cut_is_not_added_up() {
    let log = "\
socket(AF_UNIX, SOCK_STREAM, 0) = 7
connect(7, {sa_family=AF_UNIX, sun_path=\"s\"}, 4) = 0
recvfrom(7, \"abc\", 64, 0, NULL, NULL) = 3
sendto(7, \"x\", 1, MSG_NOSIGNAL, NULL, 0) = -1 EPIPE (Broken pipe)
sendto(7, \"x\", 1, MSG_NOSIGNAL, NULL, 0) = -1
";
    let output = read_input(log.as_bytes(), &[]);
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("in 3 bytes (1), out 0 (1);"), "{out}");
    let call = |name: &str| out.lines().find(|line| line.starts_with(name)).unwrap_or(&out);
    assert_eq!(call("  send ").split_whitespace().collect::<Vec<_>>(), ["send", "2", "1", "EPIPE"]);
}

/// The lines of one client after the other, each with a port, a number for epoll and a process of its own.
#[cfg(linux)]
fn clients(numbers: std::ops::Range<u32>) -> String {
    let mut log = String::new();
    for number in numbers {
        let (port, child) = (1_024 + number % 60_000, 100_000 + number);
        log += &format!(
            "7 accept4(3, {{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"127.0.0.1\")}}, [16], 0) = 4
7 epoll_ctl(5, EPOLL_CTL_ADD, 4, {{events=EPOLLIN, data={{u32={child}, u64={child}}}}}) = 0
7 epoll_wait(5, [{{events=EPOLLIN, data={{u32={child}, u64={child}}}}}], 8, -1) = 1
7 recvfrom(4,  <unfinished ...>
{child} recvfrom(4, \"hello\", 99, 0, NULL, NULL) = 5
{child} +++ exited with 0 +++
7 <... recvfrom resumed>\"\", 99, 0, NULL, NULL) = 0
7 close(4) = 0
"
        );
    }
    log
}

/// What is over takes no memory: a log that is ten times as long needs no more. (One of 1 GB needs 11 MiB.)
#[cfg(linux)]
#[test]
fn memory_does_not_grow_with_the_log() {
    use crate::support::{KilledAtEnd, wait_for};
    let mut command = Command::new(BARESOCK);
    command.args(["read", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = KilledAtEnd(command.spawn().unwrap());
    let mut to = child.0.stdin.take().unwrap();
    let mut peak_kib = |numbers| {
        // What has been written has been read, but for the last that is in the pipe.
        to.write_all(clients(numbers).as_bytes()).unwrap();
        let status = fs::read_to_string(format!("/proc/{}/status", child.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let (early, late) = (peak_kib(0..4_000), peak_kib(4_000..40_000));
    assert!(late < early + 512, "{early} KiB after 4,000 clients, {late} KiB after 40,000");
    drop(to);
    assert!(wait_for(&mut child.0).success());
}
