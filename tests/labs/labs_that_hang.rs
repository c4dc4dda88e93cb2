//! No lab hangs: each ends by itself, and reports which call did not return, whichever of its calls waits
//! forever.

use std::collections::{BTreeSet, VecDeque};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use crate::support::BARESOCK;
use baresock::labs::{Lab, all};
use baresock::trace::Function;
use baresock::trace::page::{Effect, Waits};
use serde_json::Value;

/// How many labs run at a time. They wait, all of them.
const SIDE_BY_SIDE: usize = 48;

/// What a lab told, as JSON: everything that happened in it, and the verdict at the end.
fn told(lab: &Lab, rule: Option<&str>) -> Vec<Value> {
    let mut command = Command::new(BARESOCK);
    command.args(["lab", lab.name, "--json"]).stdin(Stdio::null());
    command.args(rule.iter().flat_map(|rule| ["--inject", rule]));
    let output = command.output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The functions that a lab calls and that may wait; `close` may, with `SO_LINGER`.
fn waiting_functions(lab: &Lab) -> BTreeSet<&'static str> {
    let calls = told(lab, None)
        .into_iter()
        .filter_map(|one| Function::from_name(one["happened"]["json"]["call"].as_str()?));
    calls.filter(|one| may_wait(*one)).map(|one| one.page().name).collect()
}

fn may_wait(function: Function) -> bool {
    let page = function.page();
    // What the library does inside cannot be replaced.
    !page.is_library && (page.waits != Waits::Never || page.effect == Effect::Closes)
}

/// What is wrong with the end of a lab in which all calls of a function wait forever.
fn fault(lab: &Lab, function: &str) -> Option<String> {
    let told = told(lab, Some(&format!("{function}:hang")));
    let verdict = told.last().unwrap();
    let differed: Vec<&str> =
        verdict["differed"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let begins = format!("{function}(");
    let says_which = differed
        .iter()
        .any(|one| one.starts_with(&begins) && one.contains(" had not returned after "));
    // A lab that sends itself signals ends the wait by them.
    let was_interrupted = || {
        told.iter().any(|one| {
            let line = one["happened"]["line"].as_str().unwrap_or_default();
            line.starts_with(&begins) && line.contains(" EINTR ") && line.ends_with("(INJECTED)")
        })
    };
    let by_itself = !differed.iter().any(|one| one.contains("not done after"));
    let leaves_nobody = !differed.contains(&"left behind: a process");
    let is_fine = by_itself && leaves_nobody && (says_which || was_interrupted());
    (!is_fine).then(|| format!("{} with {function}:hang: {verdict}", lab.name))
}

#[test]
fn each_lab_ends_whichever_call_waits_for_ever() {
    let labs: Mutex<VecDeque<&Lab>> = Mutex::new(all().collect());
    let jobs = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(lab) = { labs.lock().unwrap().pop_front() } {
                    let functions = waiting_functions(lab);
                    jobs.lock().unwrap().extend(functions.into_iter().map(|one| (lab, one)));
                }
            });
        }
    });
    let asked = jobs.lock().unwrap().len();
    assert!(asked > all().count(), "{asked} calls that wait");
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some((lab, function)) = { jobs.lock().unwrap().pop() } {
                    // First the lab, and then the lock, or they would run one after the other.
                    let found = fault(lab, function);
                    faults.lock().unwrap().extend(found);
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} of {asked}:\n{}", faults.len(), faults.join("\n"));
}
