//! `baresock ladder`: traces of both ends as one picture.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use baresock::cli;
use baresock::ladder::html::{self, LadderNote};
use baresock::ladder::{Ladder, read, text};

use super::columns::{COLUMNS, width_of_output};
use super::failure::Failure;
use super::messages::{Loudness, print, say};

/// Draws the files' contents, as text or as a page.
pub(crate) fn run(ladder: &cli::LadderArgs, loudness: Loudness) -> Result<(), Failure> {
    if let Some(page) = &ladder.html
        && let Some(file) = ladder.files.iter().find(|file| is_same(file, page))
    {
        return Err(Failure::usage(format_args!(
            "--html {}: this file is the trace {}, and would be overwritten",
            shown(page),
            shown(file)
        )));
    }
    let mut traces = Vec::new();
    let mut packets = Vec::new();
    for (number, file) in ladder.files.iter().enumerate() {
        let trace = contents(file).map_err(|error| Failure::from_std(shown(file), &error))?;
        let trace = read(&trace, number);
        let trace = trace.map_err(|bad| Failure::new(format_args!("{}: {bad}", shown(file))))?;
        if loudness >= Loudness::Ordinary {
            trace.remarks.iter().for_each(|remark| say(format_args!("{}: {remark}", shown(file))));
        }
        traces.push(trace.calls);
        packets.extend(trace.packets);
    }
    let drawn = Ladder::of(traces).with_packets(packets);
    if drawn.repeated() > 0 && loudness >= Loudness::Ordinary {
        say(format_args!("duplicate calls, drawn once: {}", drawn.repeated()));
    }
    match &ladder.html {
        None => {
            let pens = if ladder.ascii { &text::ASCII } else { &text::UNICODE };
            print(text::draw(&drawn, pens, width_of_output().unwrap_or(COLUMNS)).as_bytes())
        }
        Some(file) => write(&html::page(&drawn, "baresock ladder", &[]), file),
    }
}

/// The whole content of a file, or of standard input.
fn contents(file: &Path) -> io::Result<Vec<u8>> {
    if file != Path::new(STANDARD_INPUT) {
        return fs::read(file);
    }
    let mut all = Vec::new();
    io::stdin().read_to_end(&mut all)?;
    Ok(all)
}

/// The name for standard input among files.
const STANDARD_INPUT: &str = "-";

/// Whether both names belong to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).map(|file: fs::Metadata| (file.dev(), file.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

/// Draws named recordings, and what was told between their calls, as a page in a file.
pub(crate) fn write_page(
    ladder: &Ladder,
    title: &str,
    notes: &[LadderNote],
    file: &Path,
) -> Result<(), Failure> {
    write(&html::page(ladder, title, notes), file)
}

fn write(page: &str, file: &Path) -> Result<(), Failure> {
    fs::write(file, page).map_err(|error| Failure::from_std(shown(file), &error))
}

fn shown(file: &Path) -> String {
    if file == Path::new(STANDARD_INPUT) {
        return "standard input".to_string();
    }
    file.display().to_string().escape_debug().to_string()
}
