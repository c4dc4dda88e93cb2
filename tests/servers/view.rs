//! `serve --view`: what a page is sent, who may look and steer, and that looking changes nothing for the clients.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::*;
use nix::sys::signal::Signal;
use serde_json::Value;

tests! {
    both {}
    serve {
        only_the_view_s_own_page_is_answered,
        the_page_says_what_a_browser_must_not_do,
        a_frame_shows_descriptors_calls_and_sets,
        two_pages_see_the_same,
        a_page_that_does_not_read_misses_frames,
        the_trace_has_no_call_of_the_view,
        a_trace_as_json_has_calls_alone,
        a_paused_loop_serves_no_client_until_a_step,
        slow_motion_makes_one_turn_after_the_other,
        a_deserted_loop_goes_on,
        the_limits_for_clients_are_not_for_the_view,
        a_view_can_be_opened_when_all_descriptors_are_taken,
        a_signal_ends_a_paused_server,
        without_a_page_nothing_is_sent_or_recorded,
        a_client_s_bytes_stay_text,
    }
    tiers {
        a_frame_shows_descriptors_calls_and_sets,
        a_paused_loop_serves_no_client_until_a_step,
        a_deserted_loop_goes_on,
        a_view_can_be_opened_when_all_descriptors_are_taken,
        a_signal_ends_a_paused_server,
    }
}

fn only_the_view_s_own_page_is_answered(kind: Kind) {
    let view = viewed(kind, &[]);
    let (at, path, port) = (view.at, &view.path, view.at.port());
    let host = format!("Host: {at}\r\n");
    let own = format!("{host}Origin: http://{at}\r\nContent-Length: 0\r\n");
    let key = path.trim_matches('/');
    assert_eq!(key.len(), 32, "128 bits: {key}");
    let wrong = key.chars().rev().collect::<String>();
    let one_wrong = format!("{}{}", &key[..31], if key.ends_with('0') { '1' } else { '0' });

    for (method, target, fields, status) in [
        ("GET", path.clone(), host.clone(), 200),
        ("HEAD", path.clone(), host.clone(), 200),
        ("GET", path.clone(), format!("Host: localhost:{port}\r\n"), 200),
        ("GET", format!("/{key}"), host.clone(), 301),
        ("POST", format!("{path}pause"), own.clone(), 204),
        ("POST", format!("{path}go-on"), own.clone(), 204),
        // Another name for this machine, as a page has that rebinds its own name to 127.0.0.1.
        ("GET", path.clone(), "Host: evil.example\r\n".into(), 403),
        ("GET", path.clone(), format!("Host: evil.example:{port}\r\n"), 403),
        ("GET", path.clone(), "Host: 127.0.0.1\r\n".into(), 403),
        ("GET", format!("{path}events"), format!("Host: evil.example:{port}\r\n"), 403),
        // Without the key, or with a wrong one.
        ("GET", "/".into(), host.clone(), 403),
        ("GET", "/events".into(), host.clone(), 403),
        ("GET", format!("/{wrong}/"), host.clone(), 403),
        ("GET", format!("/{one_wrong}/"), host.clone(), 403),
        ("GET", format!("/{}/", &key[..31]), host.clone(), 403),
        ("GET", format!("/{key}0/"), host.clone(), 403),
        ("POST", format!("/{wrong}/pause"), own.clone(), 403),
        // From a page of another site, or from nowhere.
        ("GET", path.clone(), format!("{host}Origin: http://evil.example\r\n"), 403),
        ("GET", format!("{path}events"), format!("{host}Origin: null\r\n"), 403),
        ("POST", format!("{path}pause"), format!("{host}Content-Length: 0\r\n"), 403),
        ("POST", format!("{path}pause"), format!("{host}Origin: null\r\n"), 403),
        ("POST", format!("{path}pause"), format!("{host}Origin: https://{at}\r\n"), 403),
        ("POST", format!("{path}pause"), format!("{host}Origin: http://127.0.0.1\r\n"), 403),
        ("POST", format!("{path}pause"), format!("{host}Origin: http://{at}.evil\r\n"), 403),
        // As a script of such a page is requested.
        ("GET", format!("{path}events"), format!("{host}Sec-Fetch-Site: cross-site\r\n"), 403),
        ("GET", format!("{path}events"), format!("{host}Sec-Fetch-Site: same-site\r\n"), 403),
        // A link on it may lead to the view.
        ("GET", path.clone(), format!("{host}Sec-Fetch-Site: cross-site\r\n"), 200),
        // Orders are posted, and known.
        ("GET", format!("{path}pause"), host.clone(), 405),
        ("PUT", format!("{path}pause"), own.clone(), 405),
        ("POST", path.clone(), own.clone(), 404),
        ("POST", format!("{path}slow/0"), own.clone(), 404),
        ("POST", format!("{path}slow/60001"), own.clone(), 404),
        ("POST", format!("{path}halt"), own.clone(), 404),
        ("GET", format!("{path}nothing"), host.clone(), 404),
        ("DELETE", path.clone(), host.clone(), 405),
    ] {
        let answer = view.asked(method, &target, &fields);
        assert_eq!(answer.status, status, "{method} {target} {fields:?}: {answer:?}");
        assert!(status == 200 || !answer.body.contains("<script"), "{answer:?}");
        // A refusal does not repeat the key.
        assert!(status != 403 || !format!("{answer:?}").contains(key), "{answer:?}");
        assert!(answer.head.contains("Cache-Control: no-store"), "{answer:?}");
        // RFC 9110: an answer 405 names the methods that are allowed.
        assert_eq!(status == 405, answer.head.contains("\r\nAllow: "), "{answer:?}");
    }
    // Without a host, as in HTTP/1.0.
    let mut stream = impatient(TcpStream::connect(at).unwrap());
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
    let answer = String::from_utf8(read_all(stream)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    // Nothing that was refused has paused the loop.
    assert_echo(connect(&view.server), b"still there");
}

fn the_page_says_what_a_browser_must_not_do(kind: Kind) {
    let view = viewed(kind, &[]);
    let host = format!("Host: {}\r\n", view.at);
    let [one, other] = [(); 2].map(|()| view.asked("GET", &view.path, &host));
    let nonce = |answer: &Answer| {
        let (_, behind) = answer.head.split_once("script-src 'nonce-").unwrap();
        behind.split('\'').next().unwrap().to_string()
    };
    assert_ne!(nonce(&one), nonce(&other), "the nonce is new each time");
    for field in [
        "Content-Security-Policy: default-src 'none'; script-src 'nonce-",
        "frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Cross-Origin-Resource-Policy: same-origin",
        "Content-Type: text/html; charset=utf-8",
    ] {
        assert!(one.head.contains(field), "{field}: {}", one.head);
    }
    assert!(one.body.contains(&format!("<script nonce=\"{}\">", nonce(&one))), "{}", one.body);
    assert!(!one.body.contains("NONCE"));
    for never in ["http:", "https:", "src=", "@import", "innerHTML", "insertAdjacentHTML", "eval("]
    {
        assert!(!one.body.contains(never), "{never} in the page");
    }
    let watching = view.watch();
    assert!(watching.head.contains("Content-Type: text/event-stream"), "{}", watching.head);
    assert!(!watching.head.contains("Access-Control"), "{}", watching.head);
}

fn a_frame_shows_descriptors_calls_and_sets(kind: Kind) {
    let view = viewed(kind, &[]);
    let mut early = connect(&view.server);
    assert_echo(&early, b"before");
    let mut frames = view.watch();
    // What was there before the page came.
    let frame = frames.next();
    let row = rows_of(&frame, "client").next().unwrap();
    assert_eq!((&row["received"], &row["sent"]), (&6.into(), &6.into()), "{frame:#}");
    assert_eq!(row["service"], "echo");
    let [ours, theirs] = [early.local_addr(), early.peer_addr()].map(|at| at.unwrap().to_string());
    assert_eq!((row["peer"].as_str(), row["local"].as_str()), (Some(&*ours), Some(&*theirs)));
    assert_eq!(row["asked"], "read");
    let fd = row["fd"].as_i64().unwrap();
    let listener = rows_of(&frame, "listener").next().unwrap();
    assert_eq!(listener["local"].as_str(), Some(&*theirs));
    if cfg!(target_os = "linux") {
        assert_eq!(
            (row["state"].as_str(), listener["state"].as_str()),
            (Some("ESTABLISHED"), Some("LISTEN"))
        );
        assert_eq!(listener["waiting"][0], 0);
    }
    assert!(rows_of(&frame, "self-pipe").next().is_some(), "{frame:#}");
    // What happens while it looks: the wait with its sets, the calls with their lessons.
    early.write_all(b"hello\n").unwrap();
    assert_receives(&early, b"hello\n");
    let called = format!("recv({fd}, \"hello\\n\", 65536, 0) = 6");
    let has_it = |frame: &Value| call_lines(frame).iter().any(|line| line.starts_with(&called));
    let frame = frames.until(&called, has_it);
    let calls = frame["loop"]["calls"].as_array().unwrap();
    let kinds: Vec<_> = calls.iter().map(|call| call["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["wait", "receive", "send"], "{frame:#}");
    assert!(calls[1]["about"].as_array().is_some_and(|about| !about.is_empty()), "{frame:#}");
    let wait = &calls[0]["wait"];
    let own = frame["descriptors"]["own"].as_array().unwrap();
    if kind.via == "select" {
        let [before, after] = [0, 1].map(|at| wait["sets"][0][at].as_array().unwrap());
        assert!(before.contains(&fd.into()) && before.contains(&listener["fd"]), "{wait:#}");
        assert!(own.iter().any(|own| before.contains(own)), "{wait:#}");
        assert_eq!(after, &[Value::from(fd)]);
    } else {
        let rows = wait["rows"].as_array().unwrap();
        let ready: Vec<_> = rows.iter().filter(|row| row[2] != "").collect();
        assert!(rows.len() > 3, "{wait:#}");
        assert_eq!(ready, [&serde_json::json!([fd, "POLLIN", "POLLIN"])], "{wait:#}");
    }
    // The clock of the calls is that of the frame.
    let [at, took, now] = [&calls[1]["at_us"], &calls[1]["took_us"], &frame["loop"]["at_us"]]
        .map(|us| us.as_u64().unwrap());
    assert!(at + took <= now, "{at} {took} {now}");
    // The end of a client.
    drop(early);
    let frame = frames.until("the client is gone", |frame| rows_of(frame, "client").count() == 0);
    assert_eq!(frame["loop"]["clients"], 0);
    assert_eq!(frame["loop"]["received"], 12);
}

fn two_pages_see_the_same(kind: Kind) {
    let view = viewed(kind, &[]);
    let [mut one, mut other] = [view.watch(), view.watch()];
    assert_echo(connect(&view.server), b"seen twice");
    let sees = |frame: &Value| call_lines(frame).iter().any(|line| line.contains("seen twice"));
    let [one, other] = [&mut one, &mut other].map(|frames| frames.until("it is seen", sees));
    assert_eq!(one["loop"]["calls"], other["loop"]["calls"]);
    assert_eq!(other["loop"]["viewers"], 2);
}

fn a_page_that_does_not_read_misses_frames(kind: Kind) {
    let view = viewed(kind, &[]);
    let clients = connect_many(&view.server, 100);
    let idle = view.stream();
    let mut frames = view.watch();
    let before = HAS_PROC.then(|| resident_bytes(view.server.pid()));
    // After each round there is a frame of about 60 KB; the kernel has room for a few of them.
    let mut received = 0;
    for round in 0..40 {
        for client in &clients {
            assert_echo(client, format!("round {round:2}").as_bytes());
        }
        received += 800;
        frames.until("all is seen", |frame| frame["loop"]["received"] == received);
    }
    assert_eq!(frames.missed, 0, "the page that reads misses nothing");
    if let Some(before) = before {
        let grown = resident_bytes(view.server.pid()).saturating_sub(before);
        assert!(grown < 4_000_000, "{grown} bytes for a page that does not read");
    }
    let mut late = Frames::of(idle);
    while late.missed == 0 {
        assert_echo(&clients[0], b"more");
        late.next();
    }
    assert!(late.missed > 5, "{} missed", late.missed);
}

fn the_trace_has_no_call_of_the_view(kind: Kind) {
    let dir = TempDir::new();
    let file = dir.file("trace");
    let view = viewed(kind, &["--trace-to", text(&file)]);
    let mut frames = view.watch();
    let own = frames.next()["descriptors"]["own"].clone();
    view.order("pause");
    frames.until_pace("paused");
    view.order("go-on");
    frames.until_pace("runs");
    let client = connect(&view.server);
    assert_echo(&client, b"traced");
    frames.until("it is seen", |frame| {
        call_lines(frame).iter().any(|line| line.contains("\"traced\""))
    });
    view.server.end();
    let trace = std::fs::read_to_string(&file).unwrap();
    let remark = "--view: left out of this trace are the calls on its listener, ";
    assert_eq!(trace.matches(remark).count(), 1, "{trace}");
    assert!(trace.contains("recv(") && trace.contains("\"traced\""), "{trace}");
    let numbers: Vec<_> = own.as_array().unwrap().iter().map(|fd| fd.as_i64().unwrap()).collect();
    assert!(numbers.len() >= 2, "{own}");
    // Its listener is in the waits, and in no other call.
    let listener = numbers[0];
    assert!(trace.contains(&format!("{remark}{listener},")), "{trace}");
    for line in trace.lines().filter(|line| !line.starts_with(kind.via)) {
        assert!(!line.starts_with(&format!("accept4({listener}")), "{line}");
        assert!(!line.contains("GET /") && !line.contains("POST /"), "{line}");
        assert!(!line.contains("HTTP/1.1") && !line.contains("data: "), "{line}");
    }
    let accepted =
        trace.lines().filter(|line| line.starts_with("accept") && !line.contains("= -1"));
    assert_eq!(accepted.count(), 1, "{trace}");
    assert_eq!(trace.matches("\nrecv(").count(), 1 + trace.matches("\", 65536, 0) = 0").count());
}

fn a_trace_as_json_has_calls_alone(kind: Kind) {
    let dir = TempDir::new();
    let file = dir.file("trace");
    let view = viewed(kind, &["--trace=json", "--trace-to", text(&file)]);
    view.server
        .wait_until_it_says("--view: left out of this trace are the calls on its listener, ");
    let mut frames = view.watch();
    frames.next();
    assert_echo(connect(&view.server), b"traced");
    // The trace's own tracer also tells the view.
    frames.until("it is seen", |frame| {
        call_lines(frame).iter().any(|line| line.contains("\"traced\""))
    });
    view.server.end();
    let calls = std::fs::read_to_string(&file).unwrap();
    let calls = calls.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let seqs: Vec<_> = calls.map(|call| call["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (0..seqs.len() as u64).collect::<Vec<_>>(), "without gaps");
}

fn a_paused_loop_serves_no_client_until_a_step(kind: Kind) {
    let view = viewed(kind, &[]);
    let mut client = connect(&view.server);
    assert_echo(&client, b"first");
    let mut frames = view.watch();
    let turns = frames.next()["loop"]["made"].as_u64().unwrap();
    view.order("pause");
    frames.until_pace("paused");
    client.write_all(b"hello").unwrap();
    let waiting = connect(&view.server);
    if cfg!(target_os = "linux") {
        // The kernel has taken the bytes and the connection; the program serves neither.
        let frame = frames.until("they wait", |frame| {
            let unread = rows_of(frame, "client").any(|row| row["unread"] == 5);
            unread && rows_of(frame, "listener").any(|row| row["waiting"][0] == 1)
        });
        assert_eq!(frame["loop"]["made"], turns, "{frame:#}");
        assert_eq!(frame["loop"]["clients"], 1);
    }
    assert_nothing_came(&client);
    assert_waiting_costs_nothing(&view.server);
    view.order("step");
    assert_receives(&client, b"hello");
    let frame = frames.until("a turn is made", |frame| frame["loop"]["made"] == turns + 1);
    assert_eq!(frame["loop"]["pace"], "paused");
    assert_eq!(frame["loop"]["clients"], 2, "{frame:#}");
    let kinds: Vec<_> =
        frame["loop"]["calls"].as_array().unwrap().iter().map(|call| &call["kind"]).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "wait").count(), 1, "{frame:#}");
    // A step without anything to do waits, and still answers the pages.
    view.order("step");
    frames.until_pace("steps");
    assert_waiting_costs_nothing(&view.server);
    client.write_all(b"again").unwrap();
    assert_receives(&client, b"again");
    let frame = frames.until_pace("paused");
    assert_eq!(frame["loop"]["made"], turns + 2);
    client.write_all(b"more").unwrap();
    view.order("go-on");
    assert_receives(&client, b"more");
    assert_echo(&waiting, b"served");
    frames.until_pace("runs");
}

fn slow_motion_makes_one_turn_after_the_other(kind: Kind) {
    let view = viewed(kind, &[]);
    let mut client = connect(&view.server);
    assert_echo(&client, b"fast");
    let mut frames = view.watch();
    frames.next();
    view.order("slow/300");
    frames.until_pace("slow");
    let began = Instant::now();
    for _ in 0..4 {
        client.write_all(b"x").unwrap();
        assert_receives(&mut client, b"x");
    }
    // The first turn may follow at once.
    assert!(began.elapsed() >= Duration::from_millis(3 * 300), "{:?}", began.elapsed());
    view.order("go-on");
    frames.until_pace("runs");
}

fn a_deserted_loop_goes_on(kind: Kind) {
    let view = viewed(kind, &[]);
    let mut client = connect(&view.server);
    assert_echo(&client, b"first");
    let mut frames = view.watch();
    view.order("pause");
    frames.until_pace("paused");
    client.write_all(b"hello").unwrap();
    drop(frames);
    assert_receives(&client, b"hello");
    // Without a page there is nothing to pause for.
    view.order("pause");
    assert_echo(&client, b"served");
    // Then it has been quiet for longer than that.
    assert_waiting_costs_nothing(&view.server);
    assert_echo(&client, b"served");
}

fn the_limits_for_clients_are_not_for_the_view(kind: Kind) {
    let flags = ["--max-clients", "1", "--idle-timeout", "1", "--owed-limit", "100"];
    let view = viewed(kind, &flags);
    let client = connect(&view.server);
    assert_echo(&client, b"first");
    let mut frames = view.watch();
    assert_eq!(frames.next()["loop"]["clients"], 1);
    // The client is silent for too long; the page, to which nothing is sent either, stays.
    let frame = frames.until("the client is gone", |frame| frame["loop"]["clients"] == 0);
    assert_eq!(frame["loop"]["viewers"], 1);
    // So does it for as long as another client is silent.
    let silent = connect(&view.server);
    frames.until("it came", |frame| frame["loop"]["clients"] == 1);
    frames.until("it is gone, too", |frame| frame["loop"]["clients"] == 0);
    drop(silent);
    assert_echo(connect(&view.server), b"next");
    frames.until("it is seen", |frame| call_lines(frame).iter().any(|line| line.contains("next")));
}

/// Under select the clients have all descriptors with a bit, under poll all that the process may have.
fn a_view_can_be_opened_when_all_descriptors_are_taken(kind: Kind) {
    let nofile = if kind.via == "select" { "1100" } else { "64" };
    let view = viewed(kind, &["--nofile", nofile]);
    if kind.via == "select" && !can_have_descriptors(1200) {
        return;
    }
    let most = if kind.via == "select" { 1024 } else { 64 };
    // As many as there are descriptors, so that some clients are one too many.
    let clients = connect_many(&view.server, most);
    let said = if kind.via == "select" { "no bit in an fd_set" } else { "EMFILE" };
    view.server.wait_until_it_says(said);
    for _ in 0..3 {
        let mut frames = view.watch();
        let frame = frames.next();
        assert!(frame["loop"]["clients"].as_u64().unwrap() > 30, "{}", frame["loop"]);
        view.order("pause");
        frames.until_pace("paused");
        view.order("go-on");
        let frame = frames.until_pace("runs");
        if kind.via == "select" {
            let rows = frame["descriptors"]["rows"].as_array().unwrap().len() as u64;
            let beyond = frame["descriptors"]["left_out"].as_u64().unwrap();
            assert!(rows == 256 && beyond > 700, "{rows} {beyond}");
            let own = frame["descriptors"]["own"].as_array().unwrap();
            assert!(own.iter().all(|fd| fd.as_u64() < Some(1024)), "{own:?}");
        }
    }
    assert_echo(&clients[0], b"served as before");
}

fn a_signal_ends_a_paused_server(kind: Kind) {
    let view = viewed(kind, &[]);
    let client = connect(&view.server);
    assert_echo(&client, b"first");
    let mut frames = view.watch();
    view.order("pause");
    frames.until_pace("paused");
    view.server.signal(Signal::SIGTERM);
    let ended = view.server.wait_without_sleeping_for(Duration::from_secs(4));
    assert!(ended.status.success(), "{ended:?}");
    assert_finished(&client);
    assert_eq!(ended.stderr, "");
}

fn without_a_page_nothing_is_sent_or_recorded(kind: Kind) {
    let view = viewed(kind, &[]);
    let client = connect(&view.server);
    // A page that has looked and is gone leaves nothing behind.
    let mut frames = view.watch();
    frames.next();
    drop(frames);
    assert_echo(&client, b"seen by none");
    assert_waiting_costs_nothing(&view.server);
    let frame = view.watch().next();
    assert_eq!(frame["loop"]["calls"].as_array().unwrap().len(), 0, "{frame:#}");
    assert_eq!(frame["loop"]["received"], 12);
}

fn a_client_s_bytes_stay_text(kind: Kind) {
    let view = viewed(kind, &[]);
    let mut frames = view.watch();
    let mut client = connect(&view.server);
    let hostile = b"</script>\n\ndata: {}\n\n\xff\x00\x1b[2J\xe2\x80\xa8\"'";
    client.write_all(hostile).unwrap();
    assert_receives(&client, hostile);
    let sees = |frame: &Value| call_lines(frame).iter().any(|line| line.contains("</script>"));
    let frame = frames.until("it is seen", sees);
    let lines = call_lines(&frame);
    let line = lines.iter().find(|line| line.contains("</script>")).unwrap();
    assert!(line.contains("\\n\\ndata: {}"), "{line}");
    assert!(line.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{line}");
}

#[test]
fn only_this_machine_may_look() {
    let dir = TempDir::new();
    let path = format!("unix:{}", text(&dir.file("view")));
    for (address, word) in [
        ("*:0", "other machines"),
        ("0.0.0.0:0", "other machines"),
        ("[::]:0", "other machines"),
        (&path, "Unix-domain"),
    ] {
        let run = baresock(&["serve", "echo=127.0.0.1:0", &format!("--view={address}")]);
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{address}: {said}");
        assert!(said.contains("--view") && said.contains(word), "{said}");
    }
    assert!(!dir.file("view").exists());
    let run = baresock(&["serve", "echo=127.0.0.1:0", "--view=http://localhost/"]);
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn a_view_listens_where_it_is_told() {
    let kind = SERVE_POLL;
    if has_ipv6() {
        let server = starting(kind).with(&["--view=[::1]:0"]).start();
        let line = server.next_line();
        assert!(line.starts_with("view http://[::1]:"), "{line}");
    }
    let quiet = starting(kind).with(&["--view=0", "--quiet"]).start();
    assert!(quiet.listening.starts_with("view http://127.0.0.1:"), "{}", quiet.listening);
}

#[test]
fn requests_that_come_slowly_or_badly_end() {
    let view = viewed(SERVE_SELECT, &[]);
    for request in [&b"\xff\xfe\r\n\r\n"[..], b"GET / HTTP/3.0\r\n\r\n", b"GET\r\n\r\n"] {
        let mut stream = impatient(TcpStream::connect(view.at).unwrap());
        stream.write_all(request).unwrap();
        let answer = String::from_utf8_lossy(&read_all(stream)).into_owned();
        assert!(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5"), "{answer}");
    }
    // More connections than a browser opens: the last are closed at once, perhaps before connect has returned, and later
    // ones are served again.
    let mut many: Vec<_> = (0..80).map(|_| TcpStream::connect(view.at)).collect();
    assert!(many[..60].iter().all(Result::is_ok), "{many:?}");
    match many.pop().unwrap() {
        Ok(last) => {
            let ended = impatient(last).read(&mut [0]);
            assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    drop(many);
    wait_until("it answers again", || {
        let mut stream = impatient(TcpStream::connect(view.at).unwrap());
        let _ = stream.write_all(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", view.at).as_bytes());
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).is_ok() && answer == *b"HTTP/1.1 403"
    });
}
