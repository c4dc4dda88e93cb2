//! The tour, as a user sees it after typing just `baresock`.

use std::io::Read;
use std::process::{Command, Output, Stdio};

use crate::support::{
    BARESOCK, TempDir, has_program, missing, skipped, text, with_three_descriptors,
};
use serde_json::Value;

const POLLERS: [&str; 2] = ["select", "poll"];

const HEADLINES: [&str; 10] = [
    "1. The server creates a listener",
    "2. A client connects",
    "3. A message arrives in two pieces",
    "4. Two messages arrive as one",
    "5. A short write: send takes only a part",
    "6. Meanwhile, another client connects",
    "7. The server sends the rest",
    "8. A client aborts its connection",
    "9. A client finishes",
    "10. The server exits",
];

fn baresock() -> Command {
    let mut command = with_three_descriptors(BARESOCK);
    command.stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

fn tour(flags: &[&str]) -> Output {
    baresock().args(flags).output().unwrap()
}

/// What it wrote, if all went well.
fn shown(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    assert_eq!(errors, "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The lines that are calls. (Others begin with a space, a digit, a capital or a dash.)
fn calls(text: &str) -> Vec<&str> {
    let is_call = |line: &&str| {
        line.starts_with(|first: char| first.is_ascii_lowercase()) && line.contains(") = ")
    };
    text.lines().filter(is_call).collect()
}

fn names(text: &str) -> Vec<&str> {
    calls(text).iter().map(|call| &call[..call.find('(').unwrap()]).collect()
}

/// What stands between two headlines.
fn step(text: &str, number: usize) -> &str {
    let from = text.find(HEADLINES[number - 1]).unwrap();
    let to = HEADLINES.get(number).map_or(text.len(), |next| text.find(next).unwrap());
    &text[from..to]
}

/// The result of a call's line.
fn result(call: &str) -> i64 {
    let after = call.rsplit_once(") = ").unwrap().1;
    after.split(' ').next().unwrap().parse().unwrap()
}

/// The one call of this name that a step shows.
fn the<'a>(text: &'a str, name: &str) -> &'a str {
    let found: Vec<_> =
        calls(text).into_iter().filter(|call| call.starts_with(&format!("{name}("))).collect();
    assert_eq!(found.len(), 1, "{name} in {text}");
    found[0]
}

#[test]
fn the_steps_come_in_order() {
    for via in POLLERS {
        let text = shown(&tour(&["--via", via]));
        let headlines: Vec<_> = text
            .lines()
            .filter(|line| line.split('.').next().unwrap().parse::<u32>().is_ok())
            .collect();
        assert_eq!(headlines, HEADLINES, "{via}");
        assert!(text.contains("baresock serve echo"), "what to try next, {via}");
    }
}

#[test]
fn each_step_shows_the_call_that_decides() {
    for via in POLLERS {
        let text = shown(&tour(&["--via", via]));
        let accepts: Vec<_> =
            calls(step(&text, 2)).into_iter().filter(|call| call.starts_with("accept")).collect();
        assert_eq!(accepts.len(), 2, "{via}");
        assert!(accepts[1].contains("-1 EAGAIN"), "{via}: {}", accepts[1]);

        let pieces: Vec<_> =
            calls(step(&text, 3)).into_iter().filter(|call| call.starts_with("recv")).collect();
        assert_eq!(pieces.len(), 2, "{via}");
        assert!(pieces[0].contains("\"hel\"") && pieces[1].contains("\"lo\\n\""), "{pieces:?}");
        assert!(the(step(&text, 4), "recv").contains("\"one\\ntwo\\n\""), "{via}");

        let (received, sent) = (the(step(&text, 5), "recv"), the(step(&text, 5), "send"));
        assert_eq!(result(received), 32_768, "{via}");
        assert!((1..32_768).contains(&result(sent)), "{via}: {sent}");
        assert!(step(&text, 5).contains("of 32,768 bytes: the send buffer is full"), "{via}");

        assert_eq!(result(the(step(&text, 6), "send")), 8, "B is served, {via}");
        let rest = the(step(&text, 7), "send");
        assert_eq!(result(rest) + result(sent), 32_768, "{via}: {rest}");
        assert!(step(&text, 7).contains("gets all 32,768 bytes back"), "{via}");

        let reset = calls(step(&text, 8));
        assert!(reset[1].starts_with("recv(") && reset[1].contains("ECONNRESET"), "{reset:?}");
        assert!(reset[2].starts_with("close("), "{reset:?}");
        assert!(reset.last().unwrap().starts_with("send("), "A is served, {reset:?}");

        let end = the(step(&text, 9), "recv");
        assert!(end.ends_with(", \"\", 65536, 0) = 0"), "{via}: {end}");
        assert_eq!(names(step(&text, 10)), ["close"], "{via}");
    }
}

#[test]
fn the_server_watches_for_writability_while_bytes_are_queued() {
    // The listener is in the first set, client A in the second.
    let by_select = shown(&tour(&["--via", "select"]));
    let select = calls(step(&by_select, 6))[0];
    let sets: Vec<_> = select.split(", ").skip(1).take(2).collect();
    assert!(sets.iter().all(|set| set.starts_with('[') && !set.contains(' ')), "{select}");
    let by_poll = shown(&tour(&["--via", "poll"]));
    let poll = calls(step(&by_poll, 6))[0];
    let question = poll.split_once(']').unwrap().0;
    assert_eq!(question.matches("events=POLLIN}").count(), 1, "{poll}");
    assert_eq!(question.matches("events=POLLOUT}").count(), 1, "{poll}");
}

#[test]
fn the_calls_are_the_same_each_time() {
    for via in POLLERS {
        let first = shown(&tour(&["--via", via]));
        assert!(calls(&first).len() > 30, "{via}");
        for _ in 0..4 {
            assert_eq!(names(&shown(&tour(&["--via", via]))), names(&first), "{via}");
        }
    }
}

#[test]
fn lessons_stand_under_their_calls_and_fit_the_terminal() {
    for via in POLLERS {
        let text = shown(&tour(&["--via", via]));
        // A call and the program's path are one line, however long.
        let is_prose = |line: &&str| {
            !calls(&text).contains(line) && line.trim().trim_matches('\'') != BARESOCK
        };
        for line in text.lines().filter(is_prose) {
            assert!(line.len() <= 80, "{line}");
        }
        let lines: Vec<_> = text.lines().collect();
        let send = lines.iter().position(|line| line.starts_with("send(")).unwrap();
        assert!(lines[send + 1].starts_with("    3 bytes in the send buffer"), "{via}");
    }
}

#[test]
fn colour_is_used_on_terminals_or_on_request() {
    assert!(!shown(&tour(&[])).contains('\x1b'));
    assert!(shown(&tour(&["--color", "always"])).contains("\x1b["));
    assert!(!shown(&tour(&["--color", "never"])).contains('\x1b'));
}

#[test]
fn a_closed_standard_output_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = baresock().stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(shown(&output), "");

    let mut head = baresock().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    head.stdout.take().unwrap().read_exact(&mut [0; 1]).unwrap();
    assert_eq!(shown(&head.wait_with_output().unwrap()), "");
}

#[test]
fn a_full_disk_is_told() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        assert!(std::env::var_os("CI").is_none(), "there is no /dev/full");
        return skipped("this system has no /dev/full");
    };
    let output = baresock().stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "baresock: standard output: ENOSPC (No space left on device)\n");
}

#[test]
fn sixty_four_descriptors_are_enough() {
    for via in POLLERS {
        let limited = Command::new("sh")
            .args(["-c", "ulimit -n 64; exec \"$0\" --via \"$1\""])
            .args([BARESOCK, via])
            .output()
            .unwrap();
        assert_eq!(names(&shown(&limited)), names(&shown(&tour(&["--via", via]))), "{via}");
    }
}

#[test]
fn with_too_few_descriptors_it_says_so_and_ends() {
    let limited = with_three_descriptors("sh")
        .args(["-c", "ulimit -n 4; exec \"$0\"", BARESOCK])
        .output()
        .unwrap();
    assert_eq!(limited.status.code(), Some(1));
    let errors = String::from_utf8(limited.stderr).unwrap();
    assert!(errors.starts_with("baresock: ") && errors.contains("EMFILE"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn a_trace_to_a_file_has_the_calls_alone() {
    let path = std::env::temp_dir().join(format!("baresock-tour-{}", std::process::id()));
    let output = baresock().arg("--trace-to").arg(&path).output().unwrap();
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let text = shown(&output);
    assert_eq!(file.lines().collect::<Vec<_>>(), calls(&text));
}

#[test]
fn a_json_trace_goes_to_standard_error_beside_the_tour() {
    let output = tour(&["--trace=json"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let json = String::from_utf8(output.stderr).unwrap();
    let called: Vec<_> = json
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["call"].as_str().unwrap().to_string())
        .collect();
    assert_eq!(called, names(&text));
}

#[test]
fn nothing_interferes_with_the_tour() {
    let output = tour(&["--inject", "send:short=5"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--inject needs a command"));
}

/// A text without what differs from run to run: ports, and addresses in memory with their digits from a to f.
fn without_figures(text: &str) -> String {
    text.chars().filter(|char| !char.is_ascii_hexdigit()).collect()
}

#[test]
fn a_page_has_what_both_sides_did_in_this_run() {
    for via in POLLERS {
        let name = format!("baresock-tour-{}-{via}.html", std::process::id());
        let path = std::env::temp_dir().join(name);
        let page = path.to_str().unwrap();
        let text = shown(&tour(&["tour", "--html", page, "--via", via]));
        assert_eq!(
            without_figures(&text),
            without_figures(&shown(&tour(&["--via", via]))),
            "{via}"
        );
        // A short result is kept in one piece.
        let html = std::fs::read_to_string(&path).unwrap().replace("<span>", "");
        std::fs::remove_file(&path).unwrap();

        let rows: Vec<_> =
            html.lines().filter_map(|line| line.strip_prefix("<li class=\"row ")).collect();
        let (left, right): (Vec<&str>, Vec<&str>) =
            rows.iter().partition(|row| row.starts_with("left"));
        // The server's are those that the text shows.
        assert_eq!(right.len(), calls(&text).len(), "{via}");
        let has = |side: &[&str], call: &str| side.iter().any(|row| row.contains(call));
        for call in ["listen(", "accept4(3, 127.0.0.1:", "recv(4, &quot;hel&quot;) = 3", "close("] {
            assert!(has(&right, call), "{via}: {call}");
        }
        for call in
            ["connect(", "send(32, &quot;hel&quot;) = 3", "recv(32, &quot;hello", "close(33)"]
        {
            assert!(has(&left, call), "{via}: {call}");
        }
        let name = calls(&text).into_iter().find(|call| call.starts_with("getsockname("));
        let port = name.unwrap().split_once("htons(").unwrap().1.split_once(')').unwrap().0;
        assert!(has(&left, &format!("connect(32, 127.0.0.1:{port})")), "{via}: another run");

        for what in ["#1 SYN", "#2 SYN", "#1 3 bytes", "#2 8 bytes", "#1 FIN", "#2 RST"] {
            assert!(rows.iter().any(|row| row.contains(what)), "{via}: {what}");
        }
        let data = html.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
        let data: Value = serde_json::from_str(data).unwrap();
        for side in ["left", "right"] {
            let goes = |arrow: &&Value| arrow["side"] == side && arrow["what"] == "bytes";
            let sent = data["arrows"].as_array().unwrap().iter().find(goes).unwrap();
            let step = |end: &str| &rows[sent[end].as_u64().unwrap() as usize];
            assert!(step("from").starts_with(side) && step("from").contains("send("), "{sent}");
            assert!(!step("to").starts_with(side) && step("to").contains("recv("), "{sent}");
        }
        assert!(!html.contains("src=") && !html.contains("http://") && !html.contains("https://"));
    }
}

#[test]
fn a_page_that_cannot_be_written_is_told() {
    let output = tour(&["tour", "--html", "/nowhere/page.html"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "baresock: /nowhere/page.html: ENOENT (No such file or directory)\n");
}

/// A network of its own is not allowed everywhere.
fn with_packets(flags: &[&str]) -> Option<Output> {
    let output = tour(&[&["tour", "--packets"][..], flags].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("a network of its own") {
        missing(&format!("a network for the tour: {said}"));
        return None;
    }
    Some(output)
}

#[test]
fn packets_stand_below_the_calls_and_below_what_the_clients_do() {
    for via in POLLERS {
        let Some(output) = with_packets(&["--via", via]) else { return };
        let text = shown(&output);
        let lines = |number: usize| -> Vec<&str> { step(&text, number).lines().collect() };
        let after = |number: usize, line: &str| -> Vec<String> {
            let told = lines(number);
            let at = told.iter().position(|told| told.starts_with(line)).expect(&text);
            let packets = told[at + 1..].iter().take_while(|line| line.starts_with("    "));
            let packets = packets.filter(|line| line.contains("--> ") || line.contains("<-- "));
            packets.map(|line| line.trim().to_string()).collect()
        };
        let handshake = after(2, "-- client A connects");
        let wanted = ["--> server  SYN, ", "<-- server  SYN ACK, ", "--> server  ACK, "];
        assert_eq!(handshake.len(), 3, "{text}");
        assert!(handshake.iter().zip(wanted).all(|(line, part)| line.contains(part)), "{text}");
        let sent = after(3, "-- client A sends \"hel\"");
        assert!(sent[0].starts_with("client --> server  PSH ACK 3 bytes, seq 1, ack 1"), "{text}");
        let echoed = after(3, "send(4, \"hel\"");
        assert!(echoed[0].starts_with("client <-- server  PSH ACK 3 bytes, "), "{text}");
        let reset = after(8, "-- client B aborts");
        assert!(reset[0].starts_with("client --> server #2  RST ACK, "), "{text}");
        // accept sends nothing, and neither does a wait.
        assert_eq!(after(2, "accept4(3, "), [""; 0], "{text}");
        // Descriptors have the same numbers as without a capture.
        assert!(text.contains("socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3\n"), "{text}");
        assert_eq!(names(&text), names(&shown(&tour(&["tour", "--via", via]))));
    }
}

#[test]
fn the_packets_of_the_tour_go_to_files_too() {
    let place = TempDir::new();
    let [trace, pcap, page] = ["trace.json", "tour.pcapng", "tour.html"].map(|at| place.file(at));
    let files = ["--pcap", text(&pcap), "--html", text(&page), "--trace-to", text(&trace)];
    let Some(output) = with_packets(&[&files[..], &["--trace=json"]].concat()) else { return };
    let told = shown(&output);
    let is_packet = |line: &&str| line.contains("client --> ") || line.contains("client <-- ");
    let packets = told.lines().filter(is_packet).count();
    assert!(packets > 30, "{told}");
    let traced = std::fs::read_to_string(&trace).unwrap();
    assert_eq!(traced.lines().filter(|line| line.contains("\"packet\":\"TCP\"")).count(), packets);
    let page = std::fs::read_to_string(&page).unwrap();
    assert_eq!(page.matches("<li class=\"packet ").count(), packets);
    if has_program("tshark") {
        let mut tshark = Command::new("tshark");
        let read = tshark.args(["-n", "-r", text(&pcap)]).output().unwrap();
        assert!(read.status.success());
        assert_eq!(String::from_utf8_lossy(&read.stdout).lines().count(), packets);
    }
}
