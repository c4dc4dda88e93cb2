//! The labs, as a student runs them: each as predicted, none by accident, nothing left behind.

// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use baresock::explain::words;
use baresock::labs::{Expected, GROUPS, Lab, Prediction, all, find, source_of, why};
use baresock::os::system::System;
use nix::pty::openpty;
use serde_json::Value;
use support::{BARESOCK, baresock, has_program, output_of};

/// Labs without a rule for `--inject` that changes what they observe, and how it is known that they look.
const NOT_SPOILED: &[(&str, &str)] = &[];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The lines of JSON that a command wrote.
fn objects(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
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
        // Also where an assertion ends this early.
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

/// The output of a command that takes long and says much.
fn long_output_of(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
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

#[test]
fn with_few_descriptors_those_that_need_more_say_so() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" lab --all --json", BARESOCK]);
    let told = verdicts(&long_output_of(&mut command));
    for (name, verdict) in told {
        let needs_more = find(&name).unwrap().descriptors > 64;
        // Others may be skipped for reasons of their own.
        assert!(!needs_more || verdict == "skipped", "{name}: {verdict}");
    }
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

/// A prediction has an expectation that somebody checked on one system at least, and the right answer among its choices.
fn is_whole(name: &str, prediction: &Prediction) {
    let asks = prediction.asks;
    let expected = System::ALL.map(|system| prediction.expect.on(system, false));
    assert!(expected.iter().any(|one| *one != Expected::NotChecked), "{name}: {asks}");
    for one in expected {
        let right: &[&str] = match &one {
            Expected::Is(right) => &[right],
            Expected::OneOf(right) => right,
            _ => &[],
        };
        let is_choice = |right: &&&str| prediction.choices.contains(right);
        let offered = prediction.choices.is_empty()
            || right.is_empty()
            || right.iter().any(|right| is_choice(&right));
        assert!(offered, "{name}: {asks} {right:?} is not among {:?}", prediction.choices);
    }
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
    for lab in all() {
        let told =
            objects(&long_output_of(Command::new(BARESOCK).args(["lab", lab.name, "--json"])));
        if told.last().unwrap()["verdict"] == "skipped" {
            continue;
        }
        let happened = |kind: &'static str| {
            told.iter().map(|one| &one["happened"]).filter(move |event| event["event"] == kind)
        };
        let asked: BTreeSet<&str> =
            happened("predicted").map(|event| event["asks"].as_str().unwrap()).collect();
        let stated: BTreeSet<&str> = lab.predictions.iter().map(|one| one.asks).collect();
        // Some depend on who asks: what an ordinary user may not do, the administrator may.
        let is_whole = asked == stated || lab.name == "wildcard-vs-loopback";
        assert!(is_whole && asked.is_subset(&stated), "{}: {asked:?}", lab.name);
        assert_eq!(happened("predicted").count(), happened("observed").count(), "{}", lab.name);
    }
}

#[test]
fn every_question_has_labs_that_answer() {
    assert_eq!(why::QUESTIONS.len(), 15);
    for (question, labs) in why::QUESTIONS {
        assert!(!labs.is_empty(), "{question}");
        labs.iter().for_each(|name| assert!(find(name).is_some(), "{question}: no lab {name}"));
    }
    let told = text(&baresock(&["lab", "--why"]).stdout);
    let answers: usize = why::QUESTIONS.iter().map(|(_, labs)| labs.len()).sum();
    let shown = told.lines().filter(|line| line.starts_with("   baresock lab "));
    assert_eq!(shown.count(), answers, "{told}");
}

#[test]
fn the_list_has_every_lab_in_eighty_columns() {
    let told = text(&baresock(&["lab", "--list"]).stdout);
    for lab in all() {
        let line = told.lines().find(|line| line.starts_with(&format!("  {} ", lab.name)));
        assert!(line.is_some_and(|line| line.ends_with(lab.claim)), "{}", lab.name);
    }
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
    assert!(told.contains("\nas predicted, 3 of 3\n"), "{told}");
}

#[test]
fn a_lab_as_markdown_closes_its_blocks() {
    let told = text(&baresock(&["lab", "half-close", "--readme"]).stdout);
    assert!(told.starts_with("# half-close\n\n**"), "{told}");
    let fences = told.lines().filter(|line| *line == "```").count();
    assert!(fences >= 4 && fences % 2 == 0, "{told}");
    assert!(!told.contains('\x1b'));
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
    assert!(said.ends_with("there is no such lab; did you mean half-close?\n"), "{said}");
    let output = baresock(&["lab", "half-close", "--stage"]);
    assert_eq!(output.status.code(), Some(1), "a stage without its director");
}

#[test]
fn whoever_is_asked_predicts_before_seeing_and_is_told_afterwards() {
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
    // The first is answered rightly, by its letter; the second wrongly, in words; the third not at all.
    for answer in ["b\n", "EAGAIN\n", "\n"] {
        read_until(&mut stdout, &mut told, "(Enter to see): ");
        assert!(!told.ends_with("as predicted"));
        told.push('\n');
        typist.write_all(answer.as_bytes()).unwrap();
    }
    stdout.read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success(), "{told}");
    assert!(!told.contains("prediction:"), "the answer stands before the question: {told}");
    assert!(told.contains("= EPIPE: you were right"), "{told}");
    assert!(told.contains("= 0: you said EAGAIN"), "{told}");

    let kept = fs::read_to_string(state.join("baresock/answers")).unwrap();
    let marks: Vec<&str> = kept.lines().map(|line| line.split('\t').nth(2).unwrap()).collect();
    assert_eq!(marks, ["right", "wrong"]);
    let mut command = Command::new(BARESOCK);
    let progress = output_of(command.args(["lab", "--progress"]).env("XDG_STATE_HOME", &state));
    let progress = text(&progress.stdout);
    assert!(progress.contains("half-close") && progress.contains("1 of 2 right"), "{progress}");
    fs::remove_dir_all(&state).unwrap();
}

fn read_until(from: &mut impl Read, text: &mut String, end: &str) {
    let mut byte = [0];
    while !text.ends_with(end) {
        assert_eq!(from.read(&mut byte).unwrap(), 1, "it ended: {text}");
        text.push(char::from(byte[0]));
    }
}
