//! The report's story of logs: which descriptor leads to which socket, in which process, whatever copied or passed it.

use baresock::logs::body::ProcessExit;
use baresock::logs::reader::{LogEvent, LogReader};
use baresock::report::story::ConnectionStory;
use baresock::report::{At, ProcessEnding, Report, Reported};

fn report_on(log: &str) -> Reported {
    let mut reader = LogReader::new([(log.as_bytes(), 0)]);
    let mut report = Report::new();
    let mut last = 0;
    let told = reader.read_all(|told, place| {
        let at = At { begun: place.begun, line: place.line, text: place.text };
        last = place.line;
        match told {
            LogEvent::Call(event) => report.take(event, at),
            LogEvent::Signal { pid, name, .. } => report.take_signal(*pid, name, at),
            LogEvent::Ended { pid, tid, end: ProcessExit::Exited(status) } => {
                report.take_end(*pid, *tid, ProcessEnding::Exited((*status).into()), at);
            }
            LogEvent::Text(text) => panic!("not understood: {text}"),
            _ => {}
        }
    });
    told.unwrap();
    assert_eq!(reader.counts().not_understood, 0, "{log}");
    report.finish(At { line: last, ..At::default() })
}

fn advice(reported: &Reported) -> Vec<&str> {
    reported.advice.iter().map(|found| found.advice).collect()
}

/// The connections with a peer: bytes in and out, the line that ended each, and how.
fn connections(reported: &Reported) -> Vec<(u64, u64, Option<u64>, &str)> {
    let of = |one: &ConnectionStory| (one.bytes_in, one.bytes_out, one.closed_line, one.end);
    reported.story.connections.iter().filter(|one| one.role != "paired").map(of).collect()
}

const LISTENER: &str = r#"10 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3
10 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
10 bind(3, {sa_family=AF_INET, sin_port=htons(7007), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
10 listen(3, 128) = 0
"#;

const ACCEPTED: &str = r#"10 accept4(3, {sa_family=AF_INET, sin_port=htons(40000), sin_addr=inet_addr("127.0.0.1")}, [128 => 16], SOCK_NONBLOCK) = 5
"#;

#[test]
fn epoll_names_descriptors_by_what_was_registered() {
    // A server that registers a pointer, as most in C do, and never serves what is ready.
    let ready = "10 epoll_wait(4, [{events=EPOLLIN, data={u32=1431655765, u64=93824992231765}}], 64, -1) = 1\n";
    let log = [
        LISTENER,
        "10 epoll_create1(EPOLL_CLOEXEC) = 4\n",
        ACCEPTED,
        "10 epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN, data={u32=1431655765, u64=93824992231765}}) = 0\n",
        &ready.repeat(400),
    ]
    .concat();
    let reported = report_on(&log);
    let [found] = &reported.advice[..] else { panic!("{:?}", reported.advice) };
    assert_eq!((found.advice, found.fd), ("spin", Some(5)), "{found:?}");
    assert!(found.evidence.iter().all(|one| one.text.contains("epoll_wait")), "{found:?}");
    // As an older strace writes it.
    for (older, newer) in
        [("{{EPOLLIN, {u32", "[{events=EPOLLIN, data={u32"), ("}}}, 64", "}}], 64")]
    {
        assert!(log.contains(newer));
        let older = log.replace(newer, older);
        assert_eq!(advice(&report_on(&older)), ["spin"], "{older}");
    }
    // The same server, which serves it.
    let served = format!(
        "{ready}10 recvfrom(5, \"hello\", 512, 0, NULL, NULL) = 5\n10 recvfrom(5, 0x7ffc00001000, 512, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)\n"
    );
    let log = log.replace(&ready.repeat(400), &served.repeat(400));
    let reported = report_on(&log);
    assert_eq!(advice(&reported), [""; 0], "{:?}", reported.advice);
    assert_eq!(connections(&reported), [(2_000, 0, None, "open")]);
}

#[test]
fn close_range_closes_every_descriptor_in_it() {
    let log = [
        LISTENER,
        ACCEPTED,
        "10 recvfrom(5, \"hello\", 512, 0, NULL, NULL) = 5\n",
        "10 close_range(4, 4294967295, 0) = 0\n",
        "10 close(3) = 0\n",
        "10 +++ exited with 0 +++\n",
    ]
    .concat();
    let reported = report_on(&log);
    let closed = log.lines().position(|line| line.contains("close_range")).unwrap() as u64 + 1;
    assert_eq!(connections(&reported), [(5, 0, Some(closed), "finished")]);
    assert_eq!(advice(&reported), [""; 0], "{:?}", reported.advice);
    // With this flag the descriptors stay, and are closed by execve.
    let marked = log.replace("4294967295, 0)", "4294967295, CLOSE_RANGE_CLOEXEC)");
    let reported = report_on(&marked);
    let exited = log.lines().count() as u64;
    assert_eq!(connections(&reported)[0].2, Some(exited), "{:?}", reported.story);
}

#[test]
fn a_copy_keeps_a_connection_open_and_what_it_replaces_is_closed() {
    let log = [
        LISTENER,
        ACCEPTED,
        &ACCEPTED.replace("40000", "40001").replace("= 5", "= 6"),
        "10 recvfrom(6, \"to be lost\", 512, 0, NULL, NULL) = 10\n",
        // What 6 led to is closed here.
        "10 dup3(5, 6, O_CLOEXEC) = 6\n",
        "10 close(5) = 0\n",
        "10 recvfrom(6, \"through the copy\", 512, 0, NULL, NULL) = 16\n",
        "10 execve(\"/bin/true\", [\"true\"], 0x7ffd8 /* 9 vars */) = 0\n",
        "10 +++ exited with 0 +++\n",
    ]
    .concat();
    let reported = report_on(&log);
    let line =
        |call: &str| log.lines().position(|line| line.contains(call)).map(|at| at as u64 + 1);
    assert_eq!(
        connections(&reported),
        [(10, 0, line("dup3"), "finished"), (16, 0, line("execve"), "finished")]
    );
}

#[test]
fn threads_share_descriptors_and_processes_have_copies() {
    let threads = "10 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS, exit_signal=0, stack=0x7f12, stack_size=0x7fff80} => {parent_tid=[11]}, 88) = 11\n";
    let log = [
        LISTENER,
        threads,
        ACCEPTED,
        "11 recvfrom(5, \"hello\", 512, 0, NULL, NULL) = 5\n",
        "11 sendto(5, \"hello\", 5, MSG_NOSIGNAL, NULL, 0) = 5\n",
        "11 close(5) = 0\n",
        "11 +++ exited with 0 +++\n",
    ]
    .concat();
    let reported = report_on(&log);
    let closed = log.lines().position(|line| line.contains("close(5)")).unwrap() as u64 + 1;
    assert_eq!(connections(&reported), [(5, 5, Some(closed), "finished")]);
    assert_eq!(advice(&reported), [""; 0], "{:?}", reported.advice);
    // A process that shares the table without being a thread.
    let sharing =
        log.replace(threads, "10 clone(child_stack=NULL, flags=CLONE_FILES|SIGCHLD) = 11\n");
    assert_eq!(connections(&report_on(&sharing)), connections(&reported));
    // A process with copies: the parent has to close its own.
    let fork = "10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f1) = 11\n";
    let log = [
        LISTENER,
        ACCEPTED,
        fork,
        "11 recvfrom(5, \"hello\", 512, 0, NULL, NULL) = 5\n",
        "11 close(5) = 0\n",
        "11 +++ exited with 0 +++\n",
        "10 close(5) = 0\n",
    ]
    .concat();
    let last = log.lines().count() as u64;
    assert_eq!(connections(&report_on(&log)), [(5, 0, Some(last), "finished")]);
}

#[test]
fn a_connection_that_was_passed_to_another_process_is_the_same_there() {
    let pair = "10 socketpair(AF_UNIX, SOCK_STREAM, 0, [8, 9]) = 0\n";
    let fork =
        "10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f1) = 11\n";
    let passed = "msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[5]}], msg_controllen=24, msg_flags=0}, 0) = 1\n";
    let arrived = passed.replace("[5]", "[7]");
    let message =
        "{msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"f\", iov_len=1}], msg_iovlen=1, ";
    let log = [
        LISTENER,
        pair,
        fork,
        "10 close(9) = 0\n",
        "11 close(8) = 0\n",
        "11 close(3) = 0\n",
        ACCEPTED,
        &format!("10 sendmsg(8, {message}{passed}"),
        "10 close(5) = 0\n",
        &format!("11 recvmsg(9, {message}{arrived}"),
        "11 recvfrom(7, \"hello\", 512, 0, NULL, NULL) = 5\n",
        "11 sendto(7, \"hello\", 5, MSG_NOSIGNAL, NULL, 0) = 5\n",
        "11 recvfrom(7, \"\", 512, 0, NULL, NULL) = 0\n",
        "11 close(7) = 0\n",
    ]
    .concat();
    let reported = report_on(&log);
    let closed = log.lines().count() as u64;
    assert_eq!(connections(&reported), [(5, 5, Some(closed), "finished")]);
    assert_eq!(
        reported
            .story
            .connections
            .iter()
            .find(|one| one.role == "accepted")
            .unwrap()
            .peer
            .as_deref(),
        Some("127.0.0.1:40000")
    );
    // One that never arrives is open as long as the log goes on.
    let lost: String = log
        .lines()
        .take_while(|line| !line.contains("recvmsg"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(connections(&report_on(&lost)), [(0, 0, None, "open")]);
}
