//! A class at once: each program is judged by a process of its own, so that all descendants of a program are below one
//! judge.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use baresock::cli;
use baresock::judge::ending::clean_up_at_signals;
use baresock::judge::guard;
use baresock::judge::shown::{ClassRow, csv, row_of, table};
use baresock::os::own_program::own_program;

use super::super::failure::Failure;
use super::super::messages::{Loudness, print};
use super::chosen::Who;
use super::progress_bar;

/// Judges `DIR/*/run`, ordered by name.
pub(super) fn run(
    directory: &Path,
    asked: &cli::JudgeArgs,
    who: Who<'_>,
    loudness: Loudness,
) -> Result<(), Failure> {
    let programs = programs(directory)?;
    let program = own_program()
        .map_err(|error| Failure::from_std("judge: this program cannot be found", &error))?;
    baresock::os::children::adopt_orphans();
    guard::start();
    clean_up_at_signals().map_err(|errno| Failure::of("pipe", errno))?;
    let bar = progress_bar(programs.len(), loudness);
    let flags = flags(asked, who)?;
    let waiting = Arc::new(Mutex::new((0..programs.len()).rev().collect::<Vec<usize>>()));
    let (tell, told) = channel();
    for _ in 0..asked.jobs.get().min(programs.len()) {
        let waiting = waiting.clone();
        let tell = tell.clone();
        let program = program.clone();
        let flags = flags.clone();
        let programs = programs.clone();
        thread::spawn(move || {
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(at) = next else { return };
                if tell.send((at, one(&program, &flags, &programs[at]))).is_err() {
                    return;
                }
            }
        });
    }
    drop(tell);
    let mut rows: Vec<(usize, ClassRow)> = Vec::new();
    for (at, row) in told {
        bar.set_position(rows.len() as u64 + 1);
        bar.set_message(row.name.clone());
        rows.push((at, row));
    }
    bar.finish_and_clear();
    guard::dismiss();
    rows.sort_by_key(|(at, _)| *at);
    let rows: Vec<ClassRow> = rows.into_iter().map(|(_, row)| row).collect();
    print(format!("{}\n{}", table(&rows), csv(&rows)).as_bytes())?;
    let is_whole = |row: &ClassRow| {
        row.not_judged.is_none() && row.verdicts.iter().all(|(_, verdict)| verdict != "fail")
    };
    let wanting = rows.iter().filter(|row| !is_whole(row)).count();
    match wanting {
        0 => Ok(()),
        _ => Err(Failure::new(format_args!("{wanting} of {} programs failed", rows.len()))),
    }
}

fn programs(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = directory.display().to_string().escape_debug().to_string();
    let failed = |error: io::Error| Failure::from_std(format_args!("open {shown}"), &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let run = entry.map_err(failed)?.path().join("run");
        if run.is_file() {
            found.push(run);
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(Failure::usage(format_args!("there is no {shown}/*/run"))),
        false => Ok(found),
    }
}

/// The flags for the judge of one program.
fn flags(asked: &cli::JudgeArgs, who: Who<'_>) -> Result<Vec<String>, Failure> {
    let mut flags = vec!["judge".to_string(), "--json".to_string(), "--quiet".to_string()];
    let joined = |names: &[String]| names.join(",");
    for (flag, names) in [("--only", &asked.only), ("--skip", &asked.skip)] {
        if !names.is_empty() {
            flags.extend([flag.to_string(), joined(names)]);
        }
    }
    if let Some(file) = &asked.points {
        let file = fs::canonicalize(file).map_err(|error| Failure::from_std("--points", &error))?;
        flags.extend(["--points".to_string(), file.to_string_lossy().into_owned()]);
    }
    if let Some(timeout) = asked.timeout {
        flags.extend(["--timeout".to_string(), timeout.as_secs_f64().to_string()]);
    }
    flags.extend(["--repeat".to_string(), asked.repeat.to_string()]);
    if who.is_client {
        flags.push("client".to_string());
    }
    flags.push(who.role.to_string());
    flags.push("--".to_string());
    Ok(flags)
}

/// Judges one program in its own directory; its argument is its port.
fn one(program: &Path, flags: &[String], run: &Path) -> ClassRow {
    let place = run.parent().unwrap_or(Path::new("."));
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let name = baresock::services::printable(&name);
    let not_judged =
        |why: String| ClassRow { name: name.clone(), not_judged: Some(why), ..ClassRow::default() };
    let run = match fs::canonicalize(run) {
        Ok(run) => run,
        Err(error) => return not_judged(error.to_string()),
    };
    let mut command = Command::new(program);
    command.args(flags).arg(run).arg("{port}").current_dir(place);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    guard::mark_command(&mut command);
    match command.output() {
        Ok(output) => row_of(&name, &String::from_utf8_lossy(&output.stdout))
            .unwrap_or_else(|| not_judged("judge itself failed".to_string())),
        Err(error) => not_judged(error.to_string()),
    }
}
