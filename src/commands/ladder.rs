//! `baresock ladder`: traces of both ends as one picture.

use std::fs;
use std::path::Path;

use baresock::cli;
use baresock::ladder::{Ladder, html, read, text};
use baresock::trace::Recording;

use super::failure::Failure;
use super::messages::print;

/// Draws what the files have, as text or as a page.
pub(crate) fn run(ladder: &cli::Ladder) -> Result<(), Failure> {
    let mut traces = Vec::new();
    for file in &ladder.files {
        let trace = fs::read(file).map_err(|error| Failure::from_std(shown(file), &error))?;
        let calls = read(&trace);
        traces.push(calls.map_err(|bad| Failure::new(format_args!("{}: {bad}", shown(file))))?);
    }
    let drawn = Ladder::of(traces);
    match &ladder.html {
        None => print(text::draw(&drawn, ladder.ascii).as_bytes()),
        Some(file) => write(&drawn, file),
    }
}

/// Draws what was recorded, each recording by one of those who spoke, as a page in a file.
pub(crate) fn write_page(recordings: &[Recording], file: &Path) -> Result<(), Failure> {
    let traces = recordings.iter().map(Recording::trace).filter(|trace| !trace.is_empty());
    let traces = traces.map(|trace| read(&trace)).collect::<Result<_, _>>();
    let bad = |bad| Failure::new(format_args!("{}: {bad}", shown(file)));
    write(&Ladder::of(traces.map_err(bad)?), file)
}

fn write(drawn: &Ladder, file: &Path) -> Result<(), Failure> {
    fs::write(file, html::page(drawn)).map_err(|error| Failure::from_std(shown(file), &error))
}

fn shown(file: &Path) -> String {
    file.display().to_string().escape_debug().to_string()
}
