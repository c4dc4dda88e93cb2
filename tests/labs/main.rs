//! The labs, as a student runs them: each as predicted, none by accident, nothing left behind.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::unwrap_used)]

mod labs_that_hang;
mod packets;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use baresock::explain::words;
use baresock::labs::choices::speaks_of;
use baresock::labs::systems::answer;
use baresock::labs::{Expected, GROUPS, Lab, Prediction, all, find, source_of, why};
use baresock::os::system::{System, this_system};
use baresock::sys::{Handler, SIGINT, SigAction, sigaction};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use support::{
    BARESOCK, TempDir, baresock, has_program, output_of, skipped, wait_until,
    with_three_descriptors,
};

/// Labs without a rule for `--inject` that changes their observation, and how it is known that they check.
const NOT_SPOILED: &[(&str, &str)] = &[];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The lines of JSON that a command wrote.
fn objects(output: &Output) -> Vec<Value> {
    objects_in(&output.stdout)
}

fn objects_in(bytes: &[u8]) -> Vec<Value> {
    let lines = text(bytes);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What each lab came to, and the whole output if one differed.
fn verdicts(output: &Output) -> Vec<(String, String)> {
    let told = objects(output);
    let differed: Vec<&Value> = told.iter().filter(|one| one["verdict"] == "differs").collect();
    assert!(differed.is_empty(), "{differed:#?}");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let word = |one: &Value, field: &str| one[field].as_str().unwrap().to_string();
    told.iter().map(|one| (word(one, "lab"), word(one, "verdict"))).collect()
}

#[test]
fn every_advice_leads_to_a_lab() {
    for advice in baresock::report::advice::ALL {
        assert!(find(advice.lab).is_some(), "{}: no lab {}", advice.name, advice.lab);
    }
}

#[test]
fn every_lab_is_as_predicted_also_while_the_processors_are_busy() {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    std::hint::spin_loop()
                }
            });
        }
        // This runs even if an assertion fails.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&ended);
        for _ in 0..3 {
            let told =
                verdicts(&long_output_of(Command::new(BARESOCK).args(["lab", "--all", "--json"])));
            assert_eq!(told.len(), all().count());
            let names: BTreeSet<_> = told.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, all().map(|lab| lab.name).collect());
        }
    });
}

#[test]
fn each_descriptor_says_which_end_it_is_where_both_play() {
    let lines = |flags: &[&str], name: &str| {
        let mut command = with_three_descriptors(BARESOCK);
        let output = output_of(command.args(["lab", name]).args(flags));
        text(&output.stdout).lines().map(|line| line.trim().to_string()).collect::<Vec<_>>()
    };
    let both = lines(&[], "half-close");
    for line in [
        "send(4<client>, \"question\", 8, MSG_NOSIGNAL) = 8",
        "recv(6<server>, \"question\", 64, 0) = 8",
        "shutdown(4<client>, SHUT_WR) = 0",
        "close(3<listener>) = 0",
    ] {
        assert!(both.iter().any(|shown| shown == line), "{line}: {both:#?}");
    }
    let accepts = |line: &&String| line.starts_with("accept(3") && line.ends_with(") = 5<server>");
    assert_eq!(both.iter().filter(accepts).count(), 1, "{both:#?}");
    // Before the first connection there is one end; and no figure is in it that another run would not have.
    assert!(both.iter().any(|line| line == "listen(3, 5) = 0"), "{both:#?}");
    assert!(!both.iter().any(|line| line.contains("<server of")), "{both:#?}");

    // Only clients; only servers; pairs, of which neither end is the server.
    for one_end in ["nb-connect-ok", "send-is-a-copy", "socketpair-talks", "udp-connect-filters"] {
        let shown = lines(&[], one_end);
        let named: Vec<_> = shown.iter().filter(|line| line.contains('<')).collect();
        assert!(named.is_empty(), "{one_end}: {named:#?}");
    }

    let on_paper = lines(&["--readme", "--worksheet"], "half-close");
    let asked = "recv(6<server>, ...) = ________";
    assert!(on_paper.iter().any(|line| line == asked), "{on_paper:#?}");
    let with_addresses = lines(&["--trace-ends"], "half-close");
    let told = "shutdown(4<client of 127.0.0.1:";
    assert!(with_addresses.iter().any(|line| line.starts_with(told)), "{with_addresses:#?}");
}

/// The output of a command that takes long and says much.
fn long_output_of(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Where `TIOCOUTQ` is for terminals only, as on the BSDs and macOS, and the system reports unacknowledged bytes in no other
/// way, as OpenBSD: the labs on urgent data wait a moment instead, and see the same.
#[test]
fn labs_on_urgent_data_need_no_count_of_unacknowledged_bytes() {
    for lab in ["oob-one-byte", "oob-except-clears", "urgent-byte-stops-splice"] {
        let output = baresock(&["lab", lab, "--json", "--inject", "ioctl:ENOTTY"]);
        let told = String::from_utf8(output.stdout).unwrap();
        let was_refused = told.lines().any(|line| {
            line.contains("TIOCOUTQ") && line.contains("ENOTTY") && line.contains("INJECTED")
        });
        assert!(was_refused, "{lab}: {told}");
        let verdict: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        // SIOCATMARK is a request of ioctl, too.
        let differed = verdict["differed"].as_array().unwrap();
        let others = differed.iter().filter(|one| *one != "ENOTTY, not yes").count();
        assert_eq!((others, &verdict["skipped"]), (0, &Value::Null), "{verdict}");
        assert!(verdict["agreed"].as_u64() > Some(0), "{verdict}");
    }
}

#[test]
fn another_process_of_a_lab_says_in_words_why_it_ended() {
    // Its standard output is a pipe instead of a socket.
    let output = baresock(&["lab", "readiness-is-a-hint", "--role", "rival"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("a call failed that should have succeeded: ENOTSOCK"), "{said}");
    assert!(!said.contains("Failed("), "{said}");
}

#[test]
fn an_ordinary_user_sees_the_same() {
    if !nix::unistd::geteuid().is_root() {
        println!("the other tests are an ordinary user's already");
        return;
    }
    if !has_program("setpriv") {
        return;
    }
    // A copy where that user may reach it.
    let place = std::env::temp_dir().join(format!("baresock-labs-{}", std::process::id()));
    fs::create_dir_all(&place).unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = place.join("baresock");
    let copied = Command::new("cp").arg(BARESOCK).arg(&copy).status().unwrap();
    assert!(copied.success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    let told = verdicts(&long_output_of(command.arg(&copy).args(["lab", "--all", "--json"])));
    assert_eq!(told.len(), all().count());
    fs::remove_dir_all(&place).unwrap();
}

/// What starts a program may ignore SIGCHLD, or block signals, and a process inherits both.
#[test]
fn the_signals_that_the_parent_ignores_and_blocks_change_no_lab() {
    if !cfg!(target_os = "linux") {
        return skipped("env of this system sets no signals");
    }
    let mut command = Command::new("env");
    command.args(["--ignore-signal=CHLD", "--block-signal=CHLD,PIPE,USR1,ALRM,TERM", BARESOCK]);
    let output = output_of(command.args(["lab", "half-close", "sigpipe-or-not", "signal-race"]));
    assert!(output.status.success(), "{}", text(&output.stdout));
}

/// The file of a program that runs may be replaced: by an installation, or by `cargo build`.
#[test]
fn a_program_whose_file_is_gone_still_starts_its_labs() {
    if !cfg!(target_os = "linux") {
        return skipped("only Linux starts a program that has no name any more");
    }
    let directory = TempDir::new();
    let copy = directory.file("baresock");
    fs::copy(BARESOCK, &copy).unwrap();
    let script = "exec 3<\"$0\"; rm \"$0\"; exec /proc/self/fd/3 lab half-close sigpipe-or-not close-is-refcount";
    let output = output_of(Command::new("sh").args(["-c", script]).arg(&copy));
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("3 as predicted"), "{}", text(&output.stdout));
}

#[test]
fn with_few_descriptors_those_that_need_more_say_so() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" lab --all --json", BARESOCK]);
    let told = verdicts(&long_output_of(&mut command));
    for (name, verdict) in told {
        let needs_more = find(&name).unwrap().descriptors > 64;
        // Other labs may be skipped for reasons of their own.
        assert!(!needs_more || verdict == "skipped", "{name}: {verdict}");
    }
}

#[test]
fn a_report_says_which_system_it_is_of_and_what_was_observed_there() {
    let rule = ["--inject", "recv:chunk=2@1", "--inject", "shutdown:ENOSYS"];
    let labs = ["lab", "--report", "no-message-boundaries", "half-close", "sockbuf-doubling"];
    let output = baresock(&[&labs[..], &rule].concat());
    let told = text(&output.stdout);
    assert!(output.status.success(), "{told}");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("baresock ") && lines[0].ends_with(" lab --report"), "{told}");
    let system = format!("({})", this_system().name());
    assert!(lines[1].starts_with("system: ") && lines[1].ends_with(&system), "{told}");
    assert!(lines[2].starts_with("built for: ") && lines[3].starts_with("3 labs in "), "{told}");
    // A prediction that does not hold, with what was observed; a lab that ended early; and nothing of one that holds.
    let row = "\"abc\" and \"defg\" were sent by two calls, and both have arrived. What does recv give? | 2 | differs, not 7";
    let at = lines.iter().position(|line| *line == "[no-message-boundaries]").unwrap();
    assert_eq!(lines[at + 1], row, "{told}");
    let at = lines.iter().position(|line| *line == "[half-close]").unwrap();
    assert!(
        lines[at + 1].starts_with("ended early: ") && lines[at + 1].contains("ENOSYS"),
        "{told}"
    );
    assert!(!told.contains("[sockbuf-doubling]"), "{told}");
}

#[test]
fn a_lab_looks_at_what_it_claims() {
    for (name, why) in NOT_SPOILED {
        assert!(find(name).is_some_and(|lab| lab.spoiled_by.is_empty()), "{name}: {why}");
    }
    let spoiled = all().filter(|lab| !NOT_SPOILED.iter().any(|(name, _)| *name == lab.name));
    let waiting = Mutex::new(spoiled.collect::<Vec<_>>());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(lab) = { waiting.lock().unwrap().pop() } {
                    if !is_spoiled(lab) {
                        wrong.lock().unwrap().push((lab.name, lab.spoiled_by));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "as predicted in spite of a changed call: {wrong:?}");
}

/// Whether an observation of the lab differs when its rule interferes.
fn is_spoiled(lab: &Lab) -> bool {
    let mut command = Command::new(BARESOCK);
    command.args(["lab", lab.name, "--json", "--inject", lab.spoiled_by]);
    let output = long_output_of(&mut command);
    let told = objects(&output);
    let skipped = told.last().unwrap()["verdict"] == "skipped";
    let differs = told.iter().any(|one| one["happened"]["agrees"] == false);
    skipped || (differs && output.status.code() == Some(1))
}

#[test]
fn every_lab_says_everything_about_itself() {
    for lab in all() {
        let name = lab.name;
        assert!(lab.claim.len() <= 78 && lab.claim.ends_with('.'), "{name}: {}", lab.claim);
        assert!(lab.question.ends_with('?'), "{name}: {}", lab.question);
        assert!(lab.explanation.len() > 80, "{name}: {}", lab.explanation);
        assert!(!lab.sources.is_empty(), "{name} has no source");
        assert!((1..=5).contains(&lab.minutes), "{name}: {} minutes", lab.minutes);
        assert!(Path::new(&source_of(lab)).is_file(), "{name}: {}", source_of(lab));
        assert!(!lab.predictions.is_empty(), "{name} predicts nothing");
        for related in lab.related {
            assert!(find(related).is_some() && *related != name, "{name}: no lab {related}");
        }
        for word in lab.words {
            assert!(!words::find(word).is_empty(), "{name}: no word {word}");
        }
        lab.predictions.iter().for_each(|prediction| is_whole(name, prediction));
    }
}

/// A prediction has an expectation, and whatever agrees with it is what exactly one of its choices speaks of; on other
/// systems, too, one choice is right.
fn is_whole(name: &str, prediction: &Prediction) {
    if prediction.choices.is_empty() {
        return;
    }
    let asks = prediction.asks;
    let samples: Vec<String> = match prediction.expect.on_little_endian() {
        Expected::Is(right) => vec![right.to_string()],
        Expected::OneOf(right) => {
            // The choices need not contain each of them.
            let is_offered = |right: &&&str| prediction.choices.contains(*right);
            let offered: Vec<_> = right.iter().filter(is_offered).collect();
            assert!(!offered.is_empty(), "{name}: {asks} {right:?}");
            offered.into_iter().map(ToString::to_string).collect()
        }
        Expected::Between(least, most, unit) => {
            [least, most].map(|number| format!("{number} {unit}")).to_vec()
        }
        Expected::AtLeast(least, unit) => {
            [least, least + 1_000_000].map(|number| format!("{number} {unit}")).to_vec()
        }
        Expected::NotChecked => Vec::new(),
    };
    assert!(!samples.is_empty(), "{name}: {asks} nothing is expected on Linux");
    let right: Vec<&&str> =
        samples.iter().map(|sample| the_choice(name, prediction, sample.trim())).collect();
    let is_range = !matches!(prediction.expect.on_little_endian(), Expected::OneOf(_));
    assert!(!is_range || right.iter().all(|choice| *choice == right[0]), "{name}: {asks}");
    for system in System::ALL {
        let expected = answer(name, prediction, system).expected;
        let Some(right) = expected.example() else { continue };
        let choices = prediction.choices_for(expected);
        let is_right =
            |choice: &&String| speaks_of(choice, &right) || expected.agrees(choice) == Some(true);
        assert!(choices.iter().any(|choice| is_right(&choice)), "{name}: {asks} {system:?}");
    }
}

/// The one choice that speaks of what was observed.
fn the_choice<'a>(name: &str, prediction: &'a Prediction, observed: &str) -> &'a &'static str {
    let of_it = |choice: &&&str| speaks_of(choice, observed);
    let right: Vec<_> = prediction.choices.iter().filter(of_it).collect();
    let (asks, choices) = (prediction.asks, prediction.choices);
    assert_eq!(right.len(), 1, "{name}: {asks} {observed}: {right:?} of {choices:?}");
    right[0]
}

#[test]
fn names_are_names_of_one_thing() {
    let mut names: Vec<&str> = all().map(|lab| lab.name).collect();
    names.extend(GROUPS.iter().map(|group| group.name));
    let once: BTreeSet<_> = names.iter().collect();
    assert_eq!(once.len(), names.len());
    for name in names {
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{name}"
        );
    }
}

#[test]
fn a_lab_predicts_what_its_data_say() {
    let waiting = Mutex::new(all().collect::<Vec<_>>());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(lab) = { waiting.lock().unwrap().pop() } {
                    predicts_what_its_data_say(lab);
                }
            });
        }
    });
}

fn predicts_what_its_data_say(lab: &Lab) {
    let told = objects(&long_output_of(Command::new(BARESOCK).args(["lab", lab.name, "--json"])));
    if told.last().unwrap()["verdict"] == "skipped" {
        return;
    }
    let happened = |kind: &'static str| {
        told.iter().map(|one| &one["happened"]).filter(move |event| event["event"] == kind)
    };
    let asked: BTreeSet<&str> =
        happened("predicted").map(|event| event["asks"].as_str().unwrap()).collect();
    let stated: BTreeSet<&str> = lab.predictions.iter().map(|one| one.asks).collect();
    // Some depend on the user: root may do what an ordinary user may not.
    let is_whole = asked == stated || lab.name == "wildcard-vs-loopback";
    assert!(is_whole && asked.is_subset(&stated), "{}: {asked:?}", lab.name);
    assert_eq!(happened("predicted").count(), happened("observed").count(), "{}", lab.name);
    for (predicted, observed) in happened("predicted").zip(happened("observed")) {
        let observed = observed["observed"].as_str().unwrap();
        let of_it = |one: &&&Prediction| predicted["asks"] == one.asks;
        let prediction = lab.predictions.iter().find(of_it).unwrap();
        let here = answer(lab.name, prediction, this_system()).expected;
        assert_eq!(predicted["choices"], json!(prediction.choices_for(here)), "{}", lab.name);
        if !prediction.choices.is_empty() {
            the_choice(lab.name, prediction, observed);
        }
        // All systems that are known are told of, and this one as it is expected.
        let on = predicted["on"].as_object().unwrap();
        assert!(System::ALL.iter().all(|system| on.contains_key(system.name())), "{on:?}");
        let here = on[this_system().name()]["expected"].as_str().unwrap_or("not checked here");
        assert_eq!(predicted["expected"], here, "{}", lab.name);
    }
}

#[test]
fn every_question_has_labs_that_answer() {
    assert_eq!(why::QUESTIONS.len(), 27);
    for (question, labs) in why::QUESTIONS {
        assert!(!labs.is_empty(), "{question}");
        labs.iter().for_each(|name| assert!(find(name).is_some(), "{question}: no lab {name}"));
    }
    let told = text(&baresock(&["lab", "--why"]).stdout);
    let as_json = objects(&baresock(&["lab", "--why", "--json"]));
    for (told, (question, labs)) in as_json.iter().zip(why::QUESTIONS) {
        assert_eq!(told, &json!({ "question": question, "labs": labs }));
    }
    assert_eq!(as_json.len(), why::QUESTIONS.len());
    let answers: usize = why::QUESTIONS.iter().map(|(_, labs)| labs.len()).sum();
    let shown = told.lines().filter(|line| line.starts_with("   baresock lab "));
    assert_eq!(shown.count(), answers, "{told}");
}

#[test]
fn the_list_has_every_lab_in_eighty_columns() {
    let told = text(&baresock(&["lab", "--list"]).stdout);
    assert_fits(&told);
    for lab in all() {
        // If there is no name beside it, the claim continues below itself.
        let from_name =
            told.lines().skip_while(|line| !line.starts_with(&format!("  {} ", lab.name)));
        let words: Vec<&str> = from_name.take(3).flat_map(|line| line.split_whitespace()).collect();
        let claim: Vec<&str> = lab.claim.split_whitespace().collect();
        assert!(words[1..].starts_with(&claim), "{}: {words:?}", lab.name);
    }
    assert_fits(&text(&baresock(&["lab", "--why"]).stdout));
    let as_json = objects(&baresock(&["lab", "--list", "--json"]));
    assert_eq!(as_json.len(), all().count());
}

#[test]
fn the_prediction_stands_before_its_call_and_the_verdict_after() {
    let output = baresock(&["lab", "half-close"]);
    assert!(output.status.success());
    let told = text(&output.stdout);
    let lines: Vec<&str> = told.lines().collect();
    let at =
        lines.iter().position(|line| line.contains("What does the server's recv give?")).unwrap();
    assert_eq!(lines[at + 1], "    prediction: 0");
    assert!(
        lines[at + 2].contains("recv(") && lines[at + 2].ends_with(" = 0"),
        "{}",
        lines[at + 2]
    );
    assert_eq!(lines[at + 3], "  = 0: as predicted");
    assert!(told.contains("\nas predicted, 5 of 5\n"), "{told}");
}

#[test]
fn a_lab_as_markdown_closes_its_blocks() {
    let told = text(&baresock(&["lab", "half-close", "--readme"]).stdout);
    assert!(told.starts_with("# half-close\n\n**"), "{told}");
    let fences = told.lines().filter(|line| *line == "```").count();
    assert!(fences >= 4 && fences % 2 == 0, "{told}");
    assert!(!told.contains('\x1b'));
}

/// Before the lab runs: its result would be lost.
#[test]
fn a_page_that_cannot_be_written_is_reported_first() {
    let directory = TempDir::new();
    let page = directory.file("missing/page.html");
    let output = baresock(&["lab", "half-close", "--html", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("page.html: ENOENT (No such file or directory)"), "{said}");
}

#[test]
fn a_lab_draws_its_ladder() {
    let page =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lab-{}.html", std::process::id()));
    let output = baresock(&["lab", "half-close", "--html", page.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let drawn = fs::read_to_string(&page).unwrap();
    for piece in ["<html", "SHUT_WR", "FIN"] {
        assert!(drawn.contains(piece), "{piece} is missing");
    }
    fs::remove_file(&page).unwrap();
}

#[test]
fn a_name_that_is_none_is_answered_with_what_was_meant() {
    let output = baresock(&["lab", "half-clsoe"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.ends_with("unknown lab; did you mean half-close?\n"), "{said}");
    let output = baresock(&["lab", "half-close", "--stage"]);
    assert_eq!(output.status.code(), Some(1), "a stage without its director");
}

#[test]
fn with_ask_the_prediction_comes_before_the_result() {
    let state =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("state-{}", std::process::id()));
    let pty = openpty(None, None).unwrap();
    let mut child = Command::new(BARESOCK)
        .args(["lab", "half-close", "--ask"])
        .env("XDG_STATE_HOME", &state)
        .stdin(Stdio::from(pty.slave))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typist = fs::File::from(pty.master);
    let mut stdout = child.stdout.take().unwrap();
    let mut told = String::new();
    // The first question is answered correctly, by its letter, after a word that is not a choice; the second wrongly,
    // in words; the others not at all.
    let mut answers = ["EXDEV\n", "B)\n", "EPIPE\n"].into_iter();
    while read_until(&mut stdout, &mut told, "(Enter to see): ") {
        told.push('\n');
        typist.write_all(answers.next().unwrap_or("\n").as_bytes()).unwrap();
    }
    assert!(child.wait().unwrap().success(), "{told}");
    assert!(!told.contains("prediction:"), "the answer stands before the question: {told}");
    assert!(told.contains("= EPIPE: you were right"), "{told}");
    assert!(told.contains("= success: you answered EPIPE"), "{told}");
    assert_eq!(told.matches("That is none of the choices").count(), 1, "{told}");
    assert!(told.contains("\nOf your predictions, 1 of 2 were right.\n"), "{told}");

    let kept = fs::read_to_string(state.join("baresock/answers")).unwrap();
    let marks: Vec<&str> = kept.lines().map(|line| line.split('\t').nth(2).unwrap()).collect();
    assert_eq!(marks, ["right", "wrong"]);
    let mut command = Command::new(BARESOCK);
    let progress = output_of(command.args(["lab", "--progress"]).env("XDG_STATE_HOME", &state));
    let progress = text(&progress.stdout);
    assert!(progress.contains("half-close") && progress.contains("1 of 2 right"), "{progress}");
    let mut command = Command::new(BARESOCK);
    command.args(["lab", "--progress", "--json"]).env("XDG_STATE_HOME", &state);
    let told = objects(&output_of(&mut command));
    assert_eq!(told[0], json!({ "lab": "half-close", "answered": 2, "right": 1 }));
    assert_eq!((&told[1]["labs"], &told[1]["of"]), (&json!(1), &json!(all().count())));
    assert_eq!(told.len(), 2);
    fs::remove_dir_all(&state).unwrap();
}

#[test]
fn a_worksheet_has_the_questions_and_no_answer() {
    let readme = text(&baresock(&["lab", "half-close", "--readme"]).stdout);
    let sheet = text(&baresock(&["lab", "half-close", "--readme", "--worksheet"]).stdout);
    let questions = |told: &str| told.lines().filter(|line| line.starts_with("  ? ")).count();
    assert!(questions(&sheet) > 2 && questions(&sheet) == questions(&readme), "{sheet}");
    assert!(readme.contains("= EPIPE: as predicted") && readme.contains("EPIPE (Broken pipe)"));
    for answer in
        ["prediction: EPIPE", "= EPIPE", "EPIPE (", "elsewhere", "as predicted", "Sources:"]
    {
        assert!(!sheet.contains(answer), "{answer} stands in {sheet}");
    }
    assert_eq!(sheet.matches("  = ____").count(), questions(&sheet), "{sheet}");
    assert_eq!(baresock(&["lab", "half-close", "--worksheet"]).status.code(), Some(2));
}

#[test]
fn without_a_name_the_labs_are_listed() {
    assert_eq!(baresock(&["lab"]).stdout, baresock(&["lab", "--list"]).stdout);
    assert_eq!(baresock(&["lab", "--json"]).stdout, baresock(&["lab", "--list", "--json"]).stdout);
    for what in ["--ask", "--readme", "--report", "--html=x"] {
        let output = baresock(&["lab", what]);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("which one?"), "{what}: {said}");
    }
}

/// On a line nothing stands beyond column 80.
fn assert_fits(told: &str) {
    for line in told.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn the_lines_of_several_labs_fit_into_eighty_columns() {
    // One that holds, one that differs in many words, one that is skipped where there is one.
    let labs = ["half-close", "stale-socket-file", "dual-stack", "--inject", "close:EIO@1"];
    let told = text(&baresock(&[&["lab"][..], &labs].concat()).stdout);
    assert!(told.contains("\n  DIFFERS: "), "{told}");
    assert_fits(&told);
    let told = text(&baresock(&["lab", "select"]).stdout);
    assert!(told.contains(&format!("\n  {}\n", find("timeout-mutates").unwrap().claim)), "{told}");
    assert_fits(&told);
}

/// Runs a lab with --ask, and presses Enter this long after each question.
fn ask_slowly(lab: &str, pause: impl Fn(usize) -> Duration) -> (bool, String) {
    let pty = openpty(None, None).unwrap();
    let mut child = Command::new(BARESOCK)
        .args(["lab", lab, "--ask"])
        .stdin(Stdio::from(pty.slave))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut typist = fs::File::from(pty.master);
    let mut stdout = child.stdout.take().unwrap();
    let (mut told, mut byte, mut asked) = (Vec::new(), [0], 0);
    while stdout.read(&mut byte).unwrap() == 1 {
        told.push(byte[0]);
        if told.ends_with(b"(Enter to see): ") {
            thread::sleep(pause(asked));
            asked += 1;
            typist.write_all(b"\n").unwrap();
        }
    }
    (child.wait().unwrap().success(), text(&told))
}

/// Labs with a time limit somewhere: the test thinks longer about these questions.
const WITH_A_CLOCK: &[&str] = &[
    "eintr-despite-sa-restart",
    "silent-death",
    "pending-and-eintr",
    "close-is-refcount",
    "time-wait-bind",
];

#[test]
fn a_person_may_think_for_long_before_an_answer() {
    let waiting: Mutex<Vec<_>> = Mutex::new(all().collect());
    // The longest are taken first.
    waiting.lock().unwrap().sort_by_key(|lab| WITH_A_CLOCK.contains(&lab.name));
    let differed = Mutex::new(Vec::new());
    let ask = |name: &'static str, pause: &dyn Fn(usize) -> Duration| {
        let (holds, told) = ask_slowly(name, pause);
        if !holds {
            differed.lock().unwrap().push((name, told));
        }
    };
    thread::scope(|scope| {
        // For the first question, longer than a lab may take.
        scope.spawn(|| {
            let first = |asked| Duration::from_secs(if asked == 0 { 31 } else { 0 });
            ask("half-close", &first);
        });
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(lab) = { waiting.lock().unwrap().pop() } {
                    let long = WITH_A_CLOCK.contains(&lab.name);
                    let pause = Duration::from_millis(if long { 4000 } else { 300 });
                    ask(lab.name, &|_| pause);
                }
            });
        }
    });
    let differed = differed.into_inner().unwrap();
    assert!(differed.is_empty(), "{differed:#?}");
}

#[test]
fn an_answer_need_not_be_exact_where_the_observation_is_never_the_same() {
    // A number within the range, the letter of a range, and a range that is another.
    let state = TempDir::new();
    let pty = openpty(None, None).unwrap();
    let mut child = Command::new(BARESOCK)
        .args(["lab", "nagle-40ms", "--ask"])
        .env("XDG_STATE_HOME", state.file(""))
        .stdin(Stdio::from(pty.slave))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typist = fs::File::from(pty.master);
    let mut stdout = child.stdout.take().unwrap();
    let mut told = String::new();
    let mut answers = ["40\n", "a\n", "b\n", "200 ms\n", "EAGAIN\n", "c\n"].into_iter();
    while read_until(&mut stdout, &mut told, "(Enter to see): ") {
        told.push('\n');
        typist.write_all(answers.next().expect(&told).as_bytes()).unwrap();
    }
    child.wait().unwrap();
    let marks: Vec<bool> = told
        .lines()
        .filter(|line| line.starts_with("  = "))
        .map(|line| line.contains(": you were right"))
        .collect();
    assert_eq!(marks, [true, true, false, true, false], "{told}");
}

#[test]
fn what_other_systems_do_is_told_where_it_differs() {
    let told = text(&baresock(&["lab", "timeout-mutates"]).stdout);
    if this_system() == System::LinuxGlibc {
        let line = "    elsewhere: no on FreeBSD (ran 13.0), Linux (musl) (ran 1.2.3), NetBSD";
        assert!(told.lines().any(|told| told == line), "{told}");
    }
    let told = objects(&baresock(&["lab", "forgot-htons", "--json"]));
    let on = told.iter().map(|one| &one["happened"]["on"]).find(|on| on.is_object());
    assert!(on.is_none_or(|on| on["big-endian machines"]["expected"] == "8080"), "{told:?}");
    let told = text(&baresock(&["lab", "no-message-boundaries"]).stdout);
    assert!(!told.contains("elsewhere:"), "{told}");
}

#[test]
fn a_lab_is_told_as_another_system_answers_it_and_nothing_is_run() {
    for system in System::ALL {
        let told = text(&baresock(&["lab", "half-close", "--on", system.argument()]).stdout);
        assert!(told.contains(&format!("half-close, as {} answers", system.name())), "{told}");
        assert!(told.contains("This does not run the lab."), "{told}");
        assert!(!told.contains("socket("), "{told}");
        assert_fits(&told);
    }
    let told = text(&baresock(&["lab", "readiness-matrix", "--on", "freebsd"]).stdout);
    let lines: Vec<&str> = told.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| *line == "? The peer has reset the connection.").unwrap();
    assert!(lines[at + 1].starts_with("= POLLIN|POLLHUP; rw (ran 13.0): "), "{}", lines[at + 1]);
    // The reason is FreeBSD's, so the line of Linux has the value alone.
    let linux = lines[at + 1..].iter().find(|line| line.starts_with("Linux: "));
    assert_eq!(linux, Some(&"Linux: POLLIN|POLLOUT|POLLERR|POLLHUP|POLLRDHUP; rw"));
    // Linux may give either; FreeBSD was seen to give this, and musl 1.2.3 that.
    for (lab, system, line) in [
        ("half-close", "freebsd", "  = EPIPE (ran 13.0)"),
        ("fd-passing", "musl", "  = ENOMEM (ran 1.2.3): "),
        ("cost-is-the-highest-fd", "netbsd", "  = cannot be asked (ran 10.99.12): "),
    ] {
        let told = text(&baresock(&["lab", lab, "--on", system]).stdout);
        assert!(told.lines().any(|told| told.starts_with(line)), "{told}");
    }
    let as_json = objects(&baresock(&["lab", "readiness-matrix", "--on", "macos", "--json"]));
    assert_eq!(as_json.len(), find("readiness-matrix").unwrap().predictions.len());
    assert!(as_json.iter().any(|one| one["known"] == "read" && one["differs"] == true));
    let output = baresock(&["lab", "half-close", "--on", "solaris"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("netbsd"), "{}", text(&output.stderr));
}

#[test]
fn the_matrix_of_systems_counts_every_prediction_once() {
    let told = text(&baresock(&["lab", "--systems"]).stdout);
    assert_fits(&told);
    let as_json = objects(&baresock(&["lab", "--systems", "--json"]));
    assert_eq!(as_json.len(), all().count() + 1);
    let (sums, labs) = as_json.split_last().unwrap();
    let predictions: usize = all().map(|lab| lab.predictions.len()).sum();
    assert_eq!((&sums["labs"], &sums["predictions"]), (&json!(all().count()), &json!(predictions)));
    let count = |of: &Value, part: &str| of[part].as_u64().unwrap();
    for (system, sum) in sums["systems"].as_object().unwrap() {
        for part in ["same", "differ", "not_known", "ran", "read", "walked_through", "documented"] {
            let of_labs: u64 = labs.iter().map(|lab| count(&lab["systems"][system], part)).sum();
            assert_eq!(of_labs, count(sum, part), "{system} {part}");
        }
        let known = ["ran", "read", "walked_through", "documented", "not_known"];
        let known = known.map(|part| count(sum, part));
        assert_eq!(known.iter().sum::<u64>(), predictions as u64, "{system}");
        let answered = ["same", "differ", "not_known"].map(|part| count(sum, part));
        assert_eq!(answered.iter().sum::<u64>(), predictions as u64, "{system}");
        assert!(told.contains(&count(sum, "differ").to_string()), "{told}");
    }
    for lab in all() {
        assert!(
            told.lines().any(|line| line.starts_with(&format!("{} ", lab.name))),
            "{}",
            lab.name
        );
    }
    let one = text(&baresock(&["lab", "--systems", "poll"]).stdout);
    assert!(one.contains("readiness-matrix") && !one.contains("half-close"), "{one}");
}

#[test]
fn what_a_lab_leaves_behind_is_told() {
    // A call that fails ends the lab before it has removed its file, and another before it has closed a descriptor.
    let output = baresock(&["lab", "stale-socket-file", "--inject", "close:EIO@1"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    assert!(told.contains("Left behind: the file server\n"), "{told}");
    let output = baresock(&["lab", "what-std-hides", "--json", "--inject", "socket:EMFILE@1"]);
    let told = objects(&output);
    let left = told.iter().find(|one| one["happened"]["event"] == "left").unwrap();
    assert!(left["happened"]["what"].as_str().unwrap().starts_with("descriptor "), "{left}");
}

#[test]
fn a_lab_s_calls_go_to_standard_error_as_json_too() {
    let output = baresock(&["lab", "half-close", "--trace=json"]);
    let calls = objects_in(&output.stderr);
    let shown = text(&output.stdout);
    assert_eq!(shown.lines().filter(|line| line.contains(") = ")).count(), calls.len());
    let receives: Vec<_> = calls.iter().filter(|call| call["call"] == "recv").collect();
    assert!(!receives.is_empty() && receives.iter().all(|call| call["connection"].is_object()));
}

/// As on OpenBSD, whose queues are longer, and on macOS for a backlog of 0: poll says of each client that it is connected.
#[test]
fn a_queue_that_takes_all_clients_of_a_lab_is_no_failure() {
    let output = baresock(&["lab", "backlog-n-plus-1", "--json", "--inject", "poll:spurious"]);
    let told = objects(&output);
    let differed = told.last().unwrap()["differed"].as_array().unwrap();
    let expected = [1, 2, 3, 6].map(|of_linux| format!("all that it tries, not {of_linux}"));
    assert_eq!(differed, &expected);
    let told = text(&output.stdout);
    assert!(told.contains("All 16 clients fit here"), "{told}");
    // The last part follows.
    assert!(told.contains("And of 21 rows?"), "{told}");
}

#[test]
fn a_rule_that_never_interfered_with_a_lab_is_told() {
    let rules = ["--inject", "recvfrom:EINTR", "--inject", "recv:EINTR@900"];
    let output = baresock(&[&["lab", "half-close"][..], &rules].concat());
    let said = text(&output.stderr);
    assert!(said.contains("--inject recvfrom:EINTR: recvfrom was never called; recv was\n"));
    assert!(
        said.contains("--inject recv:EINTR@900: recv was called ") && said.lines().count() == 2
    );
    let output = baresock(&[&["lab", "half-close", "--quiet"][..], &rules].concat());
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_signal_ends_the_lab_and_removes_its_directory() {
    // In the background of a shell the tests run with SIGINT ignored; the program would inherit that.
    sigaction(SIGINT, Some(&SigAction::new(Handler::Default)), None).unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let tmp = TempDir::new();
        let mut child = Command::new(BARESOCK)
            // It takes three seconds, and has a second process besides.
            .args(["lab", "silent-death", "socketpair-talks", "close-under-wait"])
            .env("TMPDIR", tmp.file(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let directories = || fs::read_dir(tmp.file("")).unwrap().count();
        wait_until("the labs run", || directories() > 0);
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal as i32), "{status}");
        assert_eq!(directories(), 0);
        let name = format!("baresock-{}-", child.id());
        wait_until("the labs' processes have ended", || !has_process_with(&name));
    }
}

/// Whether a process has this in its environment. Only Linux shows that in files; elsewhere none is found.
fn has_process_with(words: &str) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let environments = processes.filter_map(|entry| fs::read(entry.path().join("environ")).ok());
    environments.into_iter().any(|bytes| String::from_utf8_lossy(&bytes).contains(words))
}

#[test]
fn the_directory_for_temporary_files_may_have_a_long_name_but_must_be_there() {
    let tmp = TempDir::new();
    let long = tmp.file(&"x".repeat(90));
    fs::create_dir(&long).unwrap();
    let mut command = Command::new(BARESOCK);
    command.args(["lab", "--json", "stale-socket-file", "backlog-n-plus-1", "sockaddr-layout"]);
    let told = verdicts(&output_of(command.env("TMPDIR", &long)));
    assert!(told.iter().all(|(_, verdict)| verdict == "as predicted"), "{told:?}");

    let mut command = Command::new(BARESOCK);
    let output = output_of(command.args(["lab", "half-close"]).env("TMPDIR", "/nowhere"));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.starts_with("baresock: lab half-close: mkdir /nowhere/baresock-"), "{said}");
    assert!(said.contains(": ENOENT (") && said.contains("TMPDIR"), "{said}");
}

#[test]
fn an_empty_home_is_none() {
    let mut command = Command::new(BARESOCK);
    command.args(["lab", "--progress"]).env("HOME", "").env("XDG_STATE_HOME", "");
    let output = output_of(&mut command);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("set XDG_STATE_HOME or HOME"));
}

#[test]
fn descriptors_that_were_inherited_do_no_harm() {
    let inherited: Vec<String> = (3..40).map(|number| format!("{number}</dev/null")).collect();
    let redirections = inherited.join(" ");
    let labs = "emfile-accept-spin backlog-n-plus-1 nfds-and-count";
    let script = format!("exec \"$0\" lab {labs} --json {redirections}");
    // Not every shell takes a number of two digits.
    if !has_program("bash") {
        return;
    }
    let told = verdicts(&output_of(Command::new("bash").args(["-c", &script, BARESOCK])));
    assert!(told.iter().all(|(_, verdict)| verdict == "as predicted"), "{told:?}");
}

/// Ready bits stand under the bits that were asked for, and each answer under its headline.
#[test]
fn what_is_drawn_below_a_call_stands_under_itself() {
    let shown = |lab: &str| text(&baresock(&["lab", lab, "--bits", "--color", "never"]).stdout);
    let sets = shown("select-eats-its-sets");
    let lines: Vec<&str> = sets.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[0].ends_with("  asked"));
    let bits = |line: &str| line.find(['.', '1']).unwrap();
    assert!(pairs.clone().count() >= 4, "{sets}");
    for pair in pairs {
        assert!(pair[1].ends_with("  ready"), "{sets}");
        assert_eq!(bits(pair[0]), bits(pair[1]), "{sets}");
        assert_eq!(pair[0].len(), pair[1].len(), "{sets}");
    }
    let rows = shown("poll-array-rules");
    let lines: Vec<&str> = rows.lines().collect();
    let is_head = |line: &&&str| line.ends_with(" revents");
    assert!(lines.iter().filter(is_head).count() > 3, "{rows}");
    for pair in lines.windows(2).filter(|pair| is_head(&&pair[0])) {
        let [events, fd_end] = [pair[0].find("events").unwrap(), pair[0].find("fd").unwrap() + 2];
        assert!(pair[1][..events].ends_with("  ") && !pair[1][events..].starts_with(' '), "{rows}");
        assert!(pair[1][..fd_end].ends_with(|c: char| c.is_ascii_digit()), "{rows}");
    }
}

#[test]
fn without_loopback_a_lab_that_needs_it_says_so() {
    let mut command = Command::new("unshare");
    let may = command.args(["-rn", "true"]).output().is_ok_and(|output| output.status.success());
    if !may {
        return skipped("a network without loopback is not to be had here");
    }
    let mut command = Command::new("unshare");
    let output = long_output_of(command.args(["-rn", BARESOCK, "lab", "--all", "--json"]));
    for (name, verdict) in verdicts(&output) {
        let lab = find(&name).unwrap();
        // Other labs may be skipped for reasons of their own.
        assert!(!lab.loopback || verdict == "skipped", "{name}: {verdict}");
    }
}

/// Reads on until these words; false if all is read before they come.
fn read_until(from: &mut impl Read, text: &mut String, words: &str) -> bool {
    let mut byte = [0];
    while !text.ends_with(words) {
        if from.read(&mut byte).unwrap() == 0 {
            return false;
        }
        text.push(char::from(byte[0]));
    }
    true
}
