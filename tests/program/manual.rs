//! The manual pages say what the program takes, does and shows, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{self, BARESOCK, baresock, has_program, output_of, with_three_descriptors};
use baresock::cli::Cli;
use baresock::labs::systems::{Answer, AnswerCount, answer};
use baresock::labs::why::QUESTIONS;
use baresock::labs::{GROUPS, Lab, all, find};
use baresock::os::system::{System, this_system};
use clap::CommandFactory;
use serde_json::Value;

const BARESOCK_1: &str = include_str!("../../man/baresock.1");
const LABS_7: &str = include_str!("../../man/baresock-labs.7");
const SELECT_7: &str = include_str!("../../man/baresock-select.7");
const SYSTEMS_7: &str = include_str!("../../man/baresock-systems.7");

/// The lines of a section (`.Sh`), or of a subsection (`.Ss`) with its macro.
fn section<'a>(page: &'a str, headline: &str) -> Vec<&'a str> {
    let ends = |line: &&str| {
        line.starts_with(".Sh ") || (headline.starts_with(".Ss ") && line.starts_with(".Ss "))
    };
    let mut lines = page.lines().skip_while(|line| *line != headline);
    assert_eq!(lines.next(), Some(headline), "there is no such section");
    lines.take_while(|line| !ends(line)).collect()
}

/// The text of lines, without their macros, quotes as they are shown.
fn words(lines: &[&str]) -> String {
    const MACROS: [&str; 6] = ["Fn", "Cm", "No", "Ns", "Pq", "Li"];
    let text = lines.join(" ").replace("\\(dq", "\"");
    let shown =
        text.split_whitespace().filter(|word| !word.starts_with('.') && !MACROS.contains(word));
    shown.collect::<Vec<_>>().join(" ")
}

fn output(arguments: &[&str]) -> String {
    String::from_utf8(baresock(arguments).stdout).unwrap()
}

/// Those commands that people type. (A hidden one is this program's own: it runs itself again.)
fn commands(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    let all = command.get_subcommands();
    all.filter(|below| below.get_name() != "help" && !below.is_hide_set())
}

/// The flags of a command: `--name`, and `-n` where there is one. Those of every command are the first's, and its help
/// and version.
fn flags(command: &clap::Command, of_all: bool) -> BTreeSet<String> {
    let is_of_all = |argument: &clap::Arg| {
        argument.is_global_set() || ["help", "version"].contains(&argument.get_id().as_str())
    };
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let mut found = BTreeSet::new();
    for argument in shown.filter(|argument| is_of_all(argument) == of_all) {
        found.extend(argument.get_long().map(|long| format!("--{long}")));
        found.extend(argument.get_short().map(|short| format!("-{short}")));
    }
    found
}

/// The flags that have an entry: `.It Fl -via …`, `.It Fl q , -quiet`.
fn flags_in(lines: &[&str]) -> BTreeSet<String> {
    let entries = lines.iter().filter_map(|line| line.strip_prefix(".It Fl "));
    let mut found = BTreeSet::new();
    for entry in entries {
        let words: Vec<&str> = entry.split_whitespace().collect();
        let is_pair = words.get(1) == Some(&",");
        let names = if is_pair { vec![words[0], words[2]] } else { vec![words[0]] };
        found.extend(names.iter().map(|name| format!("-{name}")));
    }
    found
}

#[test]
fn the_manual_has_an_entry_for_every_flag_of_every_command_and_for_no_other() {
    let mut command = Cli::command();
    command.build();
    let of_all = flags(&command, true);
    assert!(of_all.contains("--trace-to") && of_all.contains("-V"), "{of_all:?}");
    assert_eq!(flags_in(&section(BARESOCK_1, ".Sh FLAGS OF EVERY COMMAND")), of_all);
    let mut entries = of_all.len();
    for below in commands(&command) {
        let of_command = flags(below, false);
        let name = below.get_name();
        assert_eq!(flags_in(&section(BARESOCK_1, &format!(".Ss {name}"))), of_command, "{name}");
        entries += of_command.len();
    }
    // An entry for a lab that is never skipped would be wrong.
    let all_lines: Vec<&str> =
        BARESOCK_1.lines().filter(|line| line.starts_with(".It Fl ")).collect();
    let in_page: usize = all_lines.iter().map(|line| flags_in(&[line]).len()).sum();
    assert_eq!(in_page, entries);
}

#[test]
fn the_synopsis_has_every_flag_of_a_command() {
    let mut command = Cli::command();
    command.build();
    let synopsis = section(BARESOCK_1, ".Sh SYNOPSIS");
    let uses: Vec<&[&str]> = synopsis.split(|line| *line == ".Nm").collect();
    for below in commands(&command) {
        let entry = format!(".Cm {}", below.get_name());
        let of_command =
            uses.iter().filter(|lines| lines.iter().any(|line| line.starts_with(&entry)));
        let mut found = BTreeSet::new();
        for line in of_command.flat_map(|lines| lines.iter()) {
            let words = line.split_whitespace();
            found.extend(words.filter(|word| word.starts_with('-')).map(|word| format!("-{word}")));
        }
        assert_eq!(found, flags(below, false), "{entry}");
    }
}

#[test]
fn the_manual_names_every_command() {
    for command in commands(&Cli::command()) {
        let entry = format!(".It Cm {}", command.get_name());
        assert!(BARESOCK_1.lines().any(|line| line == entry), "{entry} is missing");
    }
}

#[test]
fn the_manual_and_the_help_have_every_service() {
    let services = section(BARESOCK_1, ".Sh SERVICES");
    let help = output(&["serve", "--help"]);
    let (_, listed) = help.split_once("Services: ").expect("the help lists the services");
    let (listed, _) = listed.split_once("Options:").expect("options follow");
    let listed: Vec<_> = listed.split(|c: char| !c.is_alphanumeric()).collect();
    for kind in baresock::services::ServiceKind::all() {
        let entry = |line: &&str| {
            line.strip_prefix(".It Cm ").is_some_and(|names| {
                names.split(|c: char| !c.is_alphanumeric()).any(|name| name == kind.to_string())
            })
        };
        assert!(services.iter().any(entry), "{kind} is not in the manual");
        assert!(listed.contains(&&*kind.to_string()), "{kind} is not in the help: {listed:?}");
    }
}

#[test]
fn the_manual_names_every_variable_that_is_read_and_no_other() {
    let mut read = BTreeSet::new();
    for file in sources(Path::new("src/commands")) {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.contains("env::var")) {
            let quoted = line.split('"').skip(1).step_by(2);
            let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            read.extend(quoted.filter(is_name).map(str::to_string));
        }
        if text.contains("env::temp_dir") {
            read.insert("TMPDIR".to_string());
        }
    }
    let entries = section(BARESOCK_1, ".Sh ENVIRONMENT");
    let entries = entries.iter().filter_map(|line| line.strip_prefix(".It Ev "));
    let named: BTreeSet<String> =
        entries.flat_map(|entry| entry.split(" , ")).map(str::to_string).collect();
    assert_eq!(named, read);
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn the_manual_has_every_field_of_the_json_trace() {
    let fields = section(BARESOCK_1, ".Ss JSON");
    let table = fields.iter().skip_while(|line| **line != "The fields are:");
    let table =
        table.take_while(|line| **line != ".El").filter_map(|line| line.strip_prefix(".It "));
    let documented: BTreeSet<&str> = table.flat_map(|entry| entry.split(", ")).collect();
    let mut seen = BTreeSet::new();
    for lab in ["half-close", "select-as-sleep"] {
        for line in output(&["lab", lab, "--json", "--state"]).lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            let call = object["happened"]["json"].as_object();
            seen.extend(call.into_iter().flat_map(|call| call.keys().cloned()));
        }
    }
    let seen: BTreeSet<&str> = seen.iter().map(String::as_str).collect();
    assert!(seen.is_subset(&documented), "{:?}", seen.difference(&documented));
    if this_system() == System::LinuxGlibc {
        assert_eq!(documented, seen);
    }
}

#[test]
fn mandoc_finds_no_mistake_in_the_pages() {
    if !has_program("mandoc") {
        return;
    }
    for page in ["baresock.1", "baresock-labs.7", "baresock-select.7", "baresock-systems.7"] {
        let path = format!("man/{page}");
        let lint = Command::new("mandoc").args(["-Tlint", "-Wstyle", &path]).output().unwrap();
        let said = String::from_utf8(lint.stdout).unwrap();
        // Which pages are installed is this machine's affair; whether ours exist is another test's.
        let said: Vec<&str> =
            said.lines().filter(|line| !line.contains("referenced manual not found")).collect();
        assert!(said.is_empty(), "{said:#?}");
        assert_fits(&path);
    }
}

/// At 80 columns nothing stands beyond them.
fn assert_fits(page: &str) {
    let shown = Command::new("mandoc").args(["-Tascii", "-Owidth=80", page]).output().unwrap();
    // A letter that is bold or underlined is written twice, with a step back between.
    let text = String::from_utf8(shown.stdout).unwrap();
    for line in text.lines() {
        let columns = line.chars().count() - 2 * line.matches('\u{8}').count();
        assert!(columns <= 80, "{page}: {columns} columns: {line}");
    }
}

#[test]
fn the_pages_refer_to_pages_that_are_here() {
    for page in [BARESOCK_1, LABS_7, SELECT_7, SYSTEMS_7] {
        for line in page.lines().filter_map(|line| line.strip_prefix(".Xr baresock")) {
            let mut words = line.split_whitespace();
            let file =
                format!("man/baresock{}.{}", name_after(line, &mut words), words.next().unwrap());
            assert!(Path::new(&file).is_file(), "{file}");
        }
        for other in ["baresock 1", "baresock-labs 7", "baresock-select 7", "baresock-systems 7"] {
            let is_itself = page.contains(&format!(".Dt {}", other.to_uppercase()));
            assert!(
                is_itself || page.contains(&format!(".Xr {other}")),
                "{other} is not referred to"
            );
        }
    }
}

/// What is left of a name: nothing for `baresock` itself.
fn name_after<'a>(line: &str, words: &mut impl Iterator<Item = &'a str>) -> &'a str {
    if line.starts_with(' ') { "" } else { words.next().unwrap() }
}

#[test]
fn the_page_of_labs_has_them_all_in_order_with_claims_and_minutes() {
    let minutes =
        |count: u32| if count == 1 { "1 minute".to_string() } else { format!("{count} minutes") };
    let of = |lab: &Lab| minutes(lab.minutes.into());
    let mut expected = Vec::new();
    for group in GROUPS {
        let total = group.labs.iter().map(|lab| u32::from(lab.minutes)).sum();
        expected.push(format!(".Ss {} ({}, {})", group.title, group.name, minutes(total)));
        for lab in group.labs {
            expected.push(format!(".It Cm {} Pq {}", lab.name, of(lab)));
            expected.push(lab.claim.to_string());
        }
    }
    let listed = section(LABS_7, ".Sh THE LABS").into_iter();
    let listed = listed.skip_while(|line| !line.starts_with(".Ss "));
    let listed: Vec<&str> =
        listed.filter(|line| !line.starts_with(".Bl ") && !line.starts_with(".El")).collect();
    assert_eq!(listed, expected);

    let total: u32 = all().map(|lab| u32::from(lab.minutes)).sum();
    let told = format!("There are {} of them, for {total} minutes", all().count());
    assert!(LABS_7.contains(&told), "{told}");
}

#[test]
fn the_page_of_labs_has_the_questions_and_their_answers() {
    let mut expected = Vec::new();
    for (number, (question, labs)) in (1..).zip(QUESTIONS) {
        expected.push(format!("{number}. {question} {}", labs.join(" , ")));
    }
    let asked = section(LABS_7, ".Sh WHAT PEOPLE ASK");
    let from_the_first = asked.iter().skip_while(|line| !line.starts_with(".It "));
    let mut told: Vec<String> = Vec::new();
    for line in from_the_first.take_while(|line| **line != ".El") {
        match told.last_mut() {
            Some(entry) if !line.starts_with(".It ") => {
                entry.push(' ');
                entry.push_str(&words(&[line]));
            }
            _ => told.push(question(line)),
        }
    }
    assert_eq!(told, expected);
}

/// A question as it is read: functions with their parentheses.
fn question(entry: &str) -> String {
    let text = words(&[entry]).replace("close not", "close() not");
    text.replace("recv ?", "recv?").replace("select \"?", "select()\"?")
}

#[test]
fn the_page_of_labs_says_what_a_lab_needs() {
    let skipped = words(&section(LABS_7, ".Sh SKIPPED LABS"));
    for lab in all().filter(|lab| lab.descriptors != Lab::ORDINARY.descriptors) {
        let needs = format!("{} for {}", lab.descriptors, lab.name);
        assert!(skipped.contains(&needs), "{needs}: {skipped}");
    }
    assert!(skipped.contains(&format!("{} for the others", Lab::ORDINARY.descriptors)));
    for name in skipped_by_themselves() {
        assert!(LABS_7.contains(&format!(".It Cm {name}\nwhere")), "{name} can be skipped");
    }
}

/// The labs whose source says that they cannot run somewhere.
fn skipped_by_themselves() -> Vec<&'static str> {
    let says = |lab: &&Lab| {
        let source = fs::read_to_string(baresock::labs::source_of(lab)).unwrap();
        source.contains("Stop::skipped(")
    };
    all().filter(says).map(|lab| lab.name).collect()
}

#[test]
fn the_lab_that_is_read_aloud_says_just_that() {
    let mut lines = section(LABS_7, ".Sh READING A LAB").into_iter();
    assert!(lines.any(|line| line.starts_with(".Bd -literal")));
    let shown: Vec<&str> = lines.take_while(|line| *line != ".Ed").collect();
    assert!(shown.len() > 10, "{shown:?}");
    let told = output_of(with_three_descriptors(BARESOCK).args(["lab", "half-close"]));
    let told = String::from_utf8(told.stdout).unwrap();
    // What it closes at its end is left out of the page.
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with("    close(")).collect();
    assert!(told.windows(shown.len()).any(|window| window == shown), "{told:#?}");
}

#[test]
fn the_readiness_matrix_is_that_of_the_lab() {
    let is_linux = this_system().runs_linux_programs() && this_system() != System::GVisor;
    if !is_linux {
        support::skipped("the page has what Linux says");
        return;
    }
    let page = section(SELECT_7, ".Ss The readiness matrix");
    let rows = page.iter().filter_map(|line| line.strip_prefix(".It "));
    // The first row names the columns; the second table has rows of other labs.
    let rows = rows.skip(1).take_while(|row| !row.starts_with(".Em") && !row.starts_with("Em "));
    let in_page: Vec<Vec<&str>> = rows.map(|row| row.split(" Ta ").collect()).collect();

    let told = output(&["lab", "readiness-matrix"]);
    let table = told.lines().skip_while(|line| !line.starts_with("This system's table")).skip(1);
    let table: Vec<&str> = table.take_while(|line| !line.is_empty()).map(str::trim).collect();
    let in_lab: Vec<Vec<&str>> = table.iter().map(|line| cells(line)).collect();
    assert_eq!(in_page, in_lab);
}

/// State, sets and flags: between them are two blanks at least, unless the sets fill their column.
fn cells(line: &str) -> Vec<&str> {
    let (state, rest) = line.split_once("  ").unwrap();
    let (sets, flags) = rest.trim().split_once(' ').unwrap();
    vec![state, sets, flags.trim()]
}

#[test]
fn the_page_of_select_names_labs_that_exist_and_all_about_the_two_calls() {
    let mut named = BTreeMap::new();
    let mut in_list = false;
    for line in SELECT_7.lines() {
        let name = line.strip_prefix(".Cm ").and_then(|rest| rest.split_whitespace().next());
        in_list = line == "Labs:" || line == "Lab:" || (in_list && name.is_some());
        if let (true, Some(name)) = (in_list, name) {
            assert!(find(name).is_some(), "there is no lab {name}");
            *named.entry(name).or_insert(0) += 1;
        }
    }
    let about =
        GROUPS.iter().filter(|group| ["select", "poll", "select-and-poll"].contains(&group.name));
    for lab in about.flat_map(|group| group.labs) {
        assert!(named.contains_key(lab.name), "{} is not named", lab.name);
    }
}

/// The systems in the readiness matrix of the page of systems, in its order.
const IN_MATRIX: [System; 6] = [
    System::LinuxGlibc,
    System::FreeBsd,
    System::NetBsd,
    System::OpenBsd,
    System::MacOs,
    System::GVisor,
];

#[test]
fn the_matrix_of_the_page_of_systems_is_what_the_lab_expects_there() {
    let lab = find("readiness-matrix").unwrap();
    let page = section(SYSTEMS_7, ".Sh THE READINESS MATRIX");
    let rows = page.iter().filter_map(|line| line.strip_prefix(".It ")).skip(1);
    let in_page: Vec<Vec<&str>> =
        rows.map(|row| row.split(" Ta ").skip(1).map(str::trim).collect()).collect();
    // Some of its questions are about one flag.
    let states = lab
        .predictions
        .iter()
        .filter(|one| one.expect.on_little_endian().to_string().contains("; "));
    let expected: Vec<Vec<String>> = states
        .map(|one| IN_MATRIX.map(|system| in_letters(&answer(lab.name, one, system))).to_vec())
        .collect();
    assert_eq!(in_page, expected);
}

/// `POLLIN|POLLOUT; rw` as the page has it: `IO rw`.
fn in_letters(answer: &Answer) -> String {
    const LETTERS: [(&str, &str); 6] = [
        ("POLLIN", "I"),
        ("POLLPRI", "P"),
        ("POLLOUT", "O"),
        ("POLLERR", "E"),
        ("POLLHUP", "H"),
        ("POLLRDHUP", "R"),
    ];
    let answered = answer.words();
    let Some((flags, sets)) = answered.split_once("; ") else { return "?".to_string() };
    let letter = |flag| LETTERS.iter().find(|(name, _)| *name == flag).map_or("\\-", |(_, it)| it);
    let flags: String = flags.split('|').map(letter).collect();
    format!("{flags} {}", if sets == "none" { "\\-" } else { sets })
}

#[test]
fn the_page_of_systems_has_twenty_differences_each_with_a_lab_that_differs() {
    let bites = section(SYSTEMS_7, ".Sh WHAT BITES A PORTABLE PROGRAM");
    let entries: Vec<&[&str]> = bites.split(|line| *line == ".It").skip(1).collect();
    assert_eq!(entries.len(), 20);
    for entry in entries {
        let labs = entry.iter().skip_while(|line| !line.starts_with("Lab")).skip(1);
        let labs = labs.filter_map(|line| line.strip_prefix(".Cm "));
        let labs: Vec<&str> = labs.filter_map(|line| line.split_whitespace().next()).collect();
        assert!(!labs.is_empty(), "{entry:?}");
        let differs = |name: &&str| {
            let lab = find(name).unwrap();
            System::ALL.iter().any(|system| AnswerCount::of([lab], *system).differ > 0)
        };
        assert!(labs.iter().any(differs), "{entry:?}");
    }
}
