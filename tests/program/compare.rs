//! `baresock compare` and `baresock host` from the user's view. Whether the figures are reliable is tested in
//! tests/rates.rs, in a build with optimisation.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::*;
use serde_json::Value;

const SCHEMA: &str = include_str!("../compare.schema.json");

#[track_caller]
fn stdout(arguments: &str) -> String {
    let output = baresock(&arguments.split(' ').collect::<Vec<_>>());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &said[..]), (Some(0), ""), "{arguments}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn report(arguments: &str) -> Value {
    serde_json::from_str(&stdout(arguments)).unwrap()
}

/// Every number in a JSON value.
fn numbers(value: &Value, found: &mut Vec<f64>) {
    match value {
        Value::Number(number) => found.push(number.as_f64().unwrap()),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| numbers(field, found)),
        _ => {}
    }
}

#[test]
fn the_servers_end_with_a_compare_that_is_killed() {
    if !HAS_PROC {
        return skipped("this system does not show the processes of others in files");
    }
    let mark = format!("BARESOCK_TEST_COMPARES_IN={}", std::process::id());
    let (name, value) = mark.split_once('=').unwrap();
    let marked = || {
        let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let all = all.filter_map(|entry| std::fs::read(entry.path().join("environ")).ok());
        all.filter(|environ| environ.split(|byte| *byte == 0).any(|one| one == mark.as_bytes()))
            .count()
    };
    // Killed at the beginning and later, while a server starts and while all wait.
    for servers in 1..=4 {
        let mut compare = Command::new(BARESOCK);
        compare.args(["compare", "--quick", "--only", "servers"]).env(name, value);
        compare.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut compare = KilledAtEnd(compare.spawn().unwrap());
        wait_until("the servers run", || marked() > servers);
        compare.0.kill().unwrap();
        compare.0.wait().unwrap();
        wait_until("they have ended", || marked() == 0);
    }
}

#[test]
fn the_json_is_as_the_schema_has_it_and_has_every_figure_of_the_sentences() {
    let report = report("compare --quick --bare --wide --json");
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(violations(&schema, &report), [""; 0]);
    if report["noise"]["too_noisy"] == false {
        let seconds = report["method"]["seconds"].as_f64().unwrap();
        assert!(seconds < 20.0, "{seconds} seconds are not quick, also beside other tests");
    }

    let mut known = Vec::new();
    numbers(&report, &mut known);
    let findings = report["findings"].as_array().unwrap();
    let mut figures = 0;
    for finding in findings.iter().map(|finding| finding.as_str().unwrap()) {
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let words = finding.split(|c| !is_part(c)).map(|word| word.trim_matches('.'));
        for written in words.filter(|word| !word.is_empty()) {
            let decimals = written.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let is_known = known.iter().any(|number| format!("{number:.decimals$}") == written);
            assert!(is_known, "{written} of {finding:?} is not in the JSON");
            figures += 1;
        }
    }
    assert!(figures >= 10, "{findings:#?}");
    let measured = report["calls"]["measured"].as_array().unwrap();
    let wide = measured.iter().filter(|one| one["call"] == "wide_select").count();
    let refused = report["not_reached"].to_string().contains("refuses");
    let reaches = report["machine"]["descriptor_limit"].as_u64() > Some(4096);
    assert!(wide > 0 || refused || !reaches, "{}", report["not_reached"]);
    for server in
        ["select", "poll", "tiers", "bare_select", "bare_poll", "one_at_a_time", "thread_each"]
    {
        let servers = report["servers"]["measured"].as_array().unwrap();
        assert!(servers.iter().any(|one| one["server"] == server), "{server} is missing");
    }
}

#[test]
fn the_schema_can_be_violated() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(violations(&schema, &serde_json::json!({})).len() >= 8);
    let wrong = serde_json::json!({"noise": {"taken_percent": -1, "too_noisy": "no", "more": 1}});
    let found = violations(&schema, &wrong).join("\n");
    for part in ["-1 is less", "\"no\" is not of type", "more is not in the schema"] {
        assert!(found.contains(part), "{found}");
    }
}

/// What a server without `select` and `poll` is for: the lesson is in the figures.
#[test]
fn one_at_a_time_serves_one_and_a_thread_each_serves_all() {
    let report = report("compare --quick --only servers --json");
    assert!(report["calls"].is_null());
    for served in report["servers"]["measured"].as_array().unwrap() {
        let (active, idle) = (served["active"].as_u64().unwrap(), served["idle"].as_u64().unwrap());
        let answered = served["answered_connections"].as_u64().unwrap();
        let expected = match served["server"].as_str().unwrap() {
            "one_at_a_time" if idle > 0 => 0,
            "one_at_a_time" => 1,
            _ => active,
        };
        let is_late = report["noise"]["too_noisy"] == true && answered < expected;
        assert!(answered == expected || is_late, "{served}");
        let calls = served["calls_per_request"].as_f64();
        match served["server"].as_str().unwrap() {
            // recv and send, and nothing else.
            "thread_each" if calls.is_some() => {
                assert!((calls.unwrap() - 2.0).abs() < 0.2, "{served}")
            }
            // In tiers a look besides, now and then.
            "tiers" if active == 1 && calls.is_some() => {
                assert!(calls.unwrap() > 2.8, "{served}")
            }
            // And the wait, where there is one request at a time.
            "select" | "poll" if active == 1 && calls.is_some() => {
                assert!((calls.unwrap() - 3.0).abs() < 0.2, "{served}")
            }
            _ => {}
        }
    }
}

#[test]
fn eighty_columns_are_enough_and_so_is_ascii() {
    let mut command = Command::new(BARESOCK);
    command.args(["compare", "--quick"]).env("LC_ALL", "C.UTF-8");
    let output = output_of(&mut command);
    let shown = String::from_utf8(output.stdout).unwrap();
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
    }
    for part in [
        "poll/select",
        "requests/s",
        "for each",
        "───",
        "±",
        "A call that looks at N descriptors",
        "h is the highest number",
        " ready\n",
    ] {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
    command.env("LC_ALL", "C").args(["--only", "calls"]);
    let plain = String::from_utf8(output_of(&mut command).stdout).unwrap();
    assert!(plain.is_ascii(), "{plain}");
    assert!(plain.contains("select us") && plain.contains("---"), "{plain}");
}

#[test]
fn the_values_for_other_programs_have_a_column_for_each_head() {
    let csv = stdout("compare --quick --only calls --csv");
    let columns = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().count() > 20, "{csv}");
    assert!(csv.lines().all(|line| line.split(',').count() == columns), "{csv}");
}

#[test]
fn the_picture_is_one_that_others_can_draw() {
    let place = TempDir::new();
    let file = place.file("picture.svg");
    stdout(&format!("compare --quick --only calls --svg {}", text(&file)));
    let svg = std::fs::read_to_string(&file).unwrap();
    for part in ["<title>", "prefers-color-scheme: dark", "µs for a call", "descriptors watched"] {
        assert!(svg.contains(part), "{part} is missing");
    }
    if has_program("rsvg-convert") {
        let png = place.file("picture.png");
        let mut command = Command::new("rsvg-convert");
        let drawn = output_of(command.args([text(&file), "-o", text(&png)]));
        assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
        assert!(std::fs::metadata(&png).unwrap().len() > 10_000);
    }
}

/// Three programs that keep each processor busy all the time.
#[test]
fn a_busy_machine_is_said_to_be_too_busy() {
    static END: AtomicBool = AtomicBool::new(false);
    let processors = std::thread::available_parallelism().unwrap().get();
    let spin = || {
        while !END.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    };
    let spinning: Vec<_> = (0..processors * 3).map(|_| std::thread::spawn(spin)).collect();
    let report = report("compare --quick --only calls --json");
    END.store(true, Ordering::Relaxed);
    spinning.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(report["noise"]["too_noisy"], true, "{}", report["noise"]);
    let first = report["findings"][0].as_str().unwrap();
    assert!(first.contains("too busy to say"), "{first}");
    let all = report["findings"].to_string();
    assert!(!all.contains("cheaper there"), "{all}");
}

#[test]
fn what_a_small_limit_does_not_allow_is_named() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 256 && exec \"$0\" compare --quick --json", BARESOCK]);
    let output = output_of(&mut command);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let missing = report["not_reached"].to_string();
    assert!(missing.contains("hard limit on descriptors is 256"), "{missing}");
    assert!(missing.contains("900 idle"), "{missing}");
    assert!(report["calls"]["measured"].as_array().unwrap().len() > 10);
}

#[test]
fn a_short_queue_of_a_listener_costs_no_more_than_the_server_that_needs_a_long_one() {
    // As on NetBSD, and by default on FreeBSD and macOS.
    let place = "/proc/sys/net/core/somaxconn";
    let script = format!(
        "ip link set lo up && echo 128 >{place} && exec \"$0\" compare --quick --only servers --json"
    );
    let mut command = Command::new("unshare");
    let may = command.args(["-rn", "sh", "-c", &format!("ip link set lo up && echo 128 >{place}")]);
    if !may.output().is_ok_and(|output| output.status.success()) {
        return skipped("a network of its own, with a setting of its own, is not to be had here");
    }
    let output = output_of(Command::new("unshare").args(["-rn", "sh", "-c", &script, BARESOCK]));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let missing = report["not_reached"].to_string();
    assert!(missing.contains("'one-at-a-time' with 1 active and 900 idle"), "{missing}");
    let measured = report["servers"]["measured"].as_array().unwrap();
    let has = |server: &str, idle: u64| {
        measured.iter().any(|one| one["server"] == server && one["idle"] == idle)
    };
    assert!(
        has("poll", 900) && has("one_at_a_time", 0) && !has("one_at_a_time", 900),
        "{measured:?}"
    );
}

/// And a soft limit is raised.
#[test]
fn the_own_limit_is_raised() {
    if !can_have_descriptors(2_000) {
        return;
    }
    let mut command = Command::new("sh");
    let run = "ulimit -Sn 512 && exec \"$0\" compare --quick --only calls --json";
    let output = output_of(command.args(["-c", run, BARESOCK]));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let machine = &report["machine"];
    assert_eq!(machine["descriptor_limit_before"], 512);
    assert!(machine["descriptor_limit"].as_u64() >= Some(2_000), "{machine}");
}

#[test]
fn a_trace_would_be_what_is_measured() {
    for flag in ["--trace", "--explain", "--bits", "--inject=poll:EINTR"] {
        let output = baresock(&["compare", "--quick", flag]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        assert!(
            said.contains("compare would measure the tracing as well") && said.lines().count() == 1,
            "{said}"
        );
    }
}

/// It waits with both.
#[test]
fn which_call_to_wait_with_is_not_for_compare() {
    let output = baresock(&["compare", "--quick", "--via", "poll"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    assert_eq!(said, "baresock: --via cannot be used here: compare measures both; see --help\n");
}

#[test]
fn the_host_is_shown_as_it_is() {
    let host = report("host --json");
    let port = if cfg!(target_endian = "big") { ("1b 5f", 7007) } else { ("5f 1b", 24347) };
    let order = &host["byte_order"];
    assert_eq!(
        (&order["in_host_order"], &order["without_htons"]),
        (&port.0.into(), &port.1.into())
    );
    assert_eq!(order["in_network_order"], "1b 5f");
    let set_size = baresock::sys::FD_SETSIZE;
    assert_eq!(
        (&host["fd_setsize"], &host["fd_set_bytes"]),
        (&set_size.into(), &(set_size / 8).into())
    );
    let loopback = host["bindable"].as_array().unwrap();
    let reach = |address: &str| {
        let found = loopback.iter().find(|one| one["address"] == address).unwrap();
        found["reached_by"].as_str().unwrap().to_string()
    };
    assert_eq!(reach("127.0.0.1"), "this machine only");
    assert_eq!(reach("0.0.0.0"), "every machine that can reach this one");
    assert_eq!(host["buffers"].as_array().unwrap().len(), 6);
    for buffer in host["buffers"].as_array().unwrap() {
        assert!(buffer["most_bytes"].as_i64() >= buffer["default_bytes"].as_i64(), "{buffer}");
    }
    let ports = host["ephemeral_ports"].as_array().unwrap();
    assert!(ports[0].as_u64() < ports[1].as_u64(), "{ports:?}");
    // The kernel gave the listener what its setting allows.
    let backlog = &host["backlog"];
    if !backlog["setting"].is_null() && !backlog["in_force"].is_null() {
        assert_eq!(backlog["setting"], backlog["in_force"]);
    }
    let calls = host["calls"].as_array().unwrap();
    assert!(calls.iter().any(|call| call["name"] == "select" && call["here"] == true));
    let interfaces = host["interfaces"].as_array().unwrap();
    let has_loopback = |interface: &Value| interface.to_string().contains("\"127.0.0.1\"");
    assert!(interfaces.iter().any(has_loopback), "{interfaces:?}");

    let shown = stdout("host");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    for part in
        ["Byte order", "1b 5f", "FD_SETSIZE", "SOMAXCONN", "SO_RCVBUF", "struct sockaddr_in6"]
    {
        assert!(shown.contains(part), "{part} is missing in\n{shown}");
    }
}

#[test]
fn a_picture_that_cannot_be_drawn_costs_no_measuring() {
    let place = TempDir::new();
    let file = place.file("missing/picture.svg");
    let began = std::time::Instant::now();
    let output = baresock(&["compare", "--svg", text(&file)]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("baresock: open {}: ENOENT (", text(&file))), "{said}");
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
    assert!(began.elapsed().as_secs() < 5, "it measured first");
}

#[test]
fn what_was_found_is_shown_also_if_it_cannot_be_drawn() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let output = baresock(&["compare", "--quick", "--only", "calls", "--svg", "/dev/full"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("baresock: /dev/full: ENOSPC ("), "{said}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("poll/select") && shown.contains("\n- "), "{shown}");
}

/// The old picture stays until there is a new one.
#[test]
fn a_picture_is_replaced_when_the_new_one_is_there() {
    let place = TempDir::new();
    let file = place.file("picture.svg");
    let old = "old ".repeat(100_000);
    std::fs::write(&file, &old).unwrap();
    let mut measuring = Command::new(BARESOCK);
    measuring.args(["compare", "--quick", "--only", "calls", "--svg", text(&file)]);
    let measuring = measuring.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old);
    let output = measuring.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let new = std::fs::read_to_string(&file).unwrap();
    assert!(new.contains("<svg") && new.trim_end().ends_with("</svg>"), "{new:.100}");
}
