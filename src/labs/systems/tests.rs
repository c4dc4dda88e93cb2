//! The tables and the labs say the same.

use std::collections::HashSet;

use super::*;
use crate::labs::{all, find};

fn prediction(row: &ReportRow) -> Option<&'static Prediction> {
    find(row.lab)?.predictions.iter().copied().find(|one| one.asks == row.asks)
}

#[test]
fn a_lab_asks_no_two_questions_in_the_same_words() {
    for lab in all() {
        let asked: HashSet<_> = lab.predictions.iter().map(|one| one.asks).collect();
        assert_eq!(asked.len(), lab.predictions.len(), "{}", lab.name);
    }
}

#[test]
fn each_line_of_a_table_is_a_row_that_answers_a_question_of_a_lab() {
    for (system, text) in TABLES {
        let mut lab = "";
        let mut seen = HashSet::new();
        let mut rows = 0;
        for line in lines(text).filter(|line| !line.contains(": ") || line.contains(" | ")) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                lab = name;
                assert!(find(lab).is_some(), "{system:?}: no lab {lab}");
                continue;
            }
            let versions = Versions { ran: "1", read: "1" };
            let row = row(lab, line, versions);
            let row = row.unwrap_or_else(|| panic!("{system:?}, {lab}: no row: {line}"));
            assert!(prediction(&row).is_some(), "{system:?}, {lab} does not ask: {}", row.asks);
            assert!(seen.insert((lab, row.asks)), "{system:?}, {lab}, twice: {}", row.asks);
            rows += 1;
        }
        assert_eq!(rows, table(*system).rows.len(), "{system:?}");
    }
}

#[test]
fn a_program_for_musl_has_musl_s_answers_in_gvisor_too() {
    let asked = |lab: &str, asks: &str| {
        let lab = find(lab).unwrap();
        lab.predictions.iter().copied().find(|one| one.asks.starts_with(asks)).unwrap()
    };
    let junk = asked("inet-aton-traps", "And of \"127.0.0.1 junk\"");
    let reset = asked("readiness-matrix", "The peer has reset the connection");
    let (gvisor, musl, glibc) = (System::GVisor, System::LinuxMusl, System::LinuxGlibc);
    assert_eq!(who_answers(junk, gvisor, musl), musl);
    assert_eq!(who_answers(junk, gvisor, glibc), gvisor);
    assert_eq!(who_answers(reset, gvisor, musl), gvisor);
    assert_eq!(who_answers(junk, System::FreeBsd, System::FreeBsd), System::FreeBsd);
}

/// An answer that was seen agrees; a row that was read states the whole expectation itself.
fn is_it(expected: Expected, answered: &str) -> bool {
    expected.agrees(answered) == Some(true) || expected.to_string() == answered
}

#[test]
fn what_a_system_answered_is_what_the_lab_expects_there() {
    let is_big_endian = crate::byteorder::htons(1) == 1;
    let mut wrong = Vec::new();
    for (system, _) in TABLES {
        for row in table(*system).rows.values() {
            let Some(prediction) = prediction(row) else { continue };
            // The systems ran on little-endian machines: on a big-endian one other bytes lie in memory.
            if is_big_endian && row.lab == "sockaddr-layout" {
                continue;
            }
            let linux = prediction.expect.on_little_endian();
            let as_on_linux = is_it(linux, row.answered);
            let difference = prediction.expect.difference(*system);
            let expected = difference.map_or(linux, |one| one.expected);
            let agrees = is_it(expected, row.answered);
            let told = match (difference, row.differs) {
                // The table says it alone, and it is so.
                (None, Some(_)) => !as_on_linux,
                (_, None) => agrees,
                (Some(_), Some(_)) => false,
            };
            if !told {
                let lab = row.lab;
                let asks = row.asks;
                let answered = row.answered;
                wrong.push(format!("{system:?}: {lab}: {asks} {answered}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_a_lab_says_of_a_system_was_run_or_read_there() {
    let mut unknown = Vec::new();
    for lab in all() {
        for one in lab.predictions {
            for system in System::ALL {
                let Some(difference) = one.expect.difference(system) else { continue };
                assert!(!difference.why.is_empty(), "{}: {}", lab.name, one.asks);
                if answer(lab.name, one, system).known == Provenance::NotLookedAt {
                    unknown.push(format!("{system:?}: {}: {}", lab.name, one.asks));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn most_predictions_were_run_or_read_on_each_system() {
    let count = |system| AnswerCount::of(all(), system);
    for (system, least) in [(System::FreeBsd, 380), (System::NetBsd, 380), (System::MacOs, 380)] {
        let AnswerCount { ran, read, .. } = count(system);
        assert!(ran + read >= least, "{system:?}: {ran} ran, {read} read");
    }
    assert!(count(System::OpenBsd).read >= 300, "{:?}", count(System::OpenBsd));
    for system in [System::LinuxGlibc, System::LinuxMusl, System::Linux32] {
        assert_eq!(count(system).ran, count(system).all(), "{system:?}");
    }
}
