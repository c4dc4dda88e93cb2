//! The tables and the labs say the same.

use std::collections::HashSet;
use std::fmt::Write;
use std::{env, fs};

use super::*;
use crate::labs::{Expect, all, find};

/// How many rows each table has: a row that is lost, or comes without a look at this list, is noticed.
const ROWS: [(System, usize); 7] = [
    (System::LinuxMusl, 8),
    (System::Linux32, 1),
    (System::GVisor, 480),
    (System::FreeBsd, 395),
    (System::NetBsd, 415),
    (System::OpenBsd, 354),
    (System::MacOs, 406),
];

/// What ran: the version, and how, if it was not the lab.
const RAN: [(System, &[&str]); 5] = [
    (System::LinuxMusl, &["1.2.3"]),
    (System::Linux32, &["i686"]),
    (System::GVisor, &["20240729", "20240729, as predicted"]),
    (
        System::FreeBsd,
        &["13.0", "13.0, a dup in place of the child", "13.0, asked for seven: \"abcabca\""],
    ),
    (
        System::NetBsd,
        &[
            "10.99.12",
            "10.99.12, a port on which no socket listens",
            "10.99.12, in exceptfds-is-not-errors",
            "10.99.12, the same call in forgot-htons",
            "7.99.34",
            "7.99.34, its libc",
        ],
    ),
];

/// Which source was read.
const READ: [(System, &str); 5] = [
    (System::GVisor, "commit 05bb72d7"),
    (System::FreeBsd, "13.0"),
    (System::NetBsd, "10.99.12"),
    (System::OpenBsd, "of 2025"),
    (System::MacOs, "xnu-11417.101.15"),
];

/// Other sources: how a place in a library, in this program or in another version of a system is written.
fn is_in_another_source(place: &str) -> bool {
    const LIBRARIES: [&str; 4] = ["std", "socket2", "nix", "libsyscall"];
    const OTHERS: [&str; 5] = ["of this program", "of 2012", "of 9", "of 14", "of 15"];
    // What is written behind a colon is what was found there.
    let source = place.split_once(": ").map_or(place, |(source, _)| source);
    let is_library = |name: &&str| source.split(' ').next() == Some(name);
    LIBRARIES.iter().any(is_library) || OTHERS.iter().any(|of| source.ends_with(&format!(" {of}")))
}

/// The differences that only the tables mention, as they were recorded: no lab states them.
const DIFFERENCES: &str = include_str!("differences.txt");

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
fn no_row_is_lost_and_each_names_a_version_that_ran_or_was_read() {
    let mut wrong = Vec::new();
    for (system, rows) in ROWS {
        let here = table(system).rows.len();
        if here != rows {
            wrong.push(format!("{system:?}: {here} rows, not {rows}"));
        }
        let ran = RAN.iter().find(|(of, _)| *of == system).map_or(&[][..], |(_, ran)| ran);
        let read = READ.iter().find(|(of, _)| *of == system).map(|(_, read)| *read);
        for row in rows_of(system) {
            let is_known = match row.known {
                Provenance::Ran(version) => ran.contains(&version),
                Provenance::ReadIn(place) => is_in_another_source(place),
                Provenance::Read(version, _) | Provenance::WalkedThrough(version) => {
                    read == Some(version)
                }
                Provenance::Documented | Provenance::NotLookedAt => false,
            };
            if !is_known {
                wrong.push(format!("{system:?}: {}: {}: {}", row.lab, row.asks, row.known));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn how_an_answer_is_known_is_ran_or_read_or_walked_through() {
    let versions = Versions { ran: "1", read: "2" };
    assert_eq!(versions.known("ran"), Some(Provenance::Ran("1")));
    assert_eq!(versions.known("read a.c: f"), Some(Provenance::Read("2", "a.c: f")));
    assert_eq!(versions.known("read in std"), Some(Provenance::ReadIn("std")));
    assert_eq!(versions.known("walked through"), Some(Provenance::WalkedThrough("2")));
    for (place, is_known) in [
        ("std: fcntl", true),
        ("os/backlog.rs of this program: only Linux tells", true),
        ("sys/kern/kern_exit.c of 9: exit1", true),
        ("unix_socket.c: nix", false),
        ("sys/kern/kern_exit.c of 99: exit1", false),
        ("stdio.c", false),
    ] {
        assert_eq!(is_in_another_source(place), is_known, "{place}");
    }
    for not_enough in [
        "read",
        "read ",
        "read in",
        "read in ",
        "walked",
        "walked through a.c",
        "documented",
        "",
        "seen",
    ] {
        assert_eq!(versions.known(not_enough), None, "{not_enough}");
    }
}

#[test]
fn what_a_lab_states_of_a_system_comes_before_what_is_required_of_all() {
    let asked = Prediction {
        asks: "What does a call give that no table has?",
        choices: &[],
        expect: Expect::everywhere(Expected::Is("5")).but(
            &[System::GVisor],
            Expected::Is("EINTR"),
            "it does not restart",
        ),
    };
    let there = answer("no-such-lab", &asked, System::GVisor);
    assert_eq!(there.expected, Expected::Is("EINTR"));
    assert_eq!((there.known, there.differs), (Provenance::NotLookedAt, true));
    let elsewhere = answer("no-such-lab", &asked, System::NetBsd);
    assert_eq!((elsewhere.expected, elsewhere.known), (Expected::Is("5"), Provenance::Documented));
}

/// `SNAPSHOTS=overwrite` writes the file again from the tables; look at what changed before you commit it.
#[test]
fn a_difference_that_only_a_table_mentions_changes_in_the_record_too() {
    let mut lines: Vec<String> = Vec::new();
    for (system, _) in TABLES {
        for row in rows_of(*system).filter(|row| row.differs.is_some()) {
            let known = row.known.word();
            let name = system.argument();
            lines.push(format!("{name} | {} | {} | {} | {known}", row.lab, row.asks, row.answered));
        }
    }
    lines.sort();
    let mut record = String::new();
    for line in lines {
        let _ = writeln!(record, "{line}");
    }
    if env::var_os("SNAPSHOTS").is_some_and(|how| how == "overwrite") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/labs/systems/differences.txt");
        fs::write(path, &record).unwrap();
        return;
    }
    let recorded: HashSet<&str> = DIFFERENCES.lines().collect();
    let in_tables: HashSet<&str> = record.lines().collect();
    let new: Vec<_> = in_tables.difference(&recorded).copied().collect();
    let gone: Vec<_> = recorded.difference(&in_tables).copied().collect();
    assert_eq!((new, gone), (vec![], vec![]));
}

#[test]
fn a_program_for_musl_has_musl_s_answers_in_gvisor_too() {
    let asked = |lab: &str, asks: &str| {
        let lab = find(lab).unwrap();
        lab.predictions.iter().copied().find(|one| one.asks.starts_with(asks)).unwrap()
    };
    let junk = asked("inet-aton-traps", "And of \"127.0.0.1 junk\"");
    let reset = asked("readiness-matrix", "The peer has reset the connection");
    let (gvisor, musl, free_bsd) = (System::GVisor, System::LinuxMusl, System::FreeBsd);
    let program = |libc| BuiltFor { libc, width: libc };
    assert_eq!(who_answers(junk, gvisor, program(musl)), musl);
    assert_eq!(who_answers(junk, gvisor, program(System::LinuxGlibc)), gvisor);
    assert_eq!(who_answers(reset, gvisor, program(musl)), gvisor);
    assert_eq!(who_answers(junk, free_bsd, program(free_bsd)), free_bsd);

    // musl's select leaves the timeval alone, however wide the program's words are, which decide what lies in one word of a set.
    let timeout = asked("timeout-mutates", "The timeout is 2000 ms");
    let word = asked("nfds-and-count", "nfds is 65");
    let narrow = System::Linux32;
    let narrow_program = |libc| BuiltFor { libc, width: narrow };
    assert_eq!(who_answers(timeout, narrow, narrow_program(musl)), musl);
    assert_eq!(who_answers(timeout, narrow, narrow_program(System::LinuxGlibc)), narrow);
    assert_eq!(who_answers(word, narrow, narrow_program(musl)), narrow);
    assert_eq!(who_answers(word, gvisor, narrow_program(musl)), narrow);
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
                let is_known = matches!(
                    answer(lab.name, one, system).known,
                    Provenance::Ran(_)
                        | Provenance::Read(..)
                        | Provenance::ReadIn(_)
                        | Provenance::WalkedThrough(_)
                );
                if !is_known {
                    unknown.push(format!("{system:?}: {}: {}", lab.name, one.asks));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// With and without a note of the place: how many are of each kind, `lab --systems` tells.
#[test]
fn most_predictions_were_run_or_read_on_each_system() {
    let count = |system| AnswerCount::of(all(), system);
    let most = [
        (System::FreeBsd, 380),
        (System::NetBsd, 380),
        (System::MacOs, 380),
        (System::OpenBsd, 300),
    ];
    for (system, least) in most {
        let AnswerCount { ran, read, walked_through, .. } = count(system);
        let known = ran + read + walked_through;
        assert!(known >= least, "{system:?}: {ran} ran, {read} read, {walked_through} followed");
    }
    for system in [System::LinuxGlibc, System::LinuxMusl, System::Linux32] {
        assert_eq!(count(system).ran, count(system).all(), "{system:?}");
    }
}
