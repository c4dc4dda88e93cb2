//! `baresock book`: runs the labs, and writes what happened as a web site.

mod directory;

use std::path::Path;
use std::time::{Instant, SystemTime};

use baresock::book::{Book, LabRecord, Sheets, files};
use baresock::cli::{BookArgs, Common};
use baresock::labs::{Lab, all};
use baresock::os::machine::system;
use baresock::os::system::this_system;
use baresock::sys::FD_SETSIZE;

use super::failure::Failure;
use super::lab::{LabRecords, clean_up_at_signals, labs_named, record_all};
use super::messages::{Loudness, print, say};
use super::tracing::refuse;
use directory::BookDirectory;

/// Carries out the command.
pub(crate) fn run(asked: &BookArgs, common: &Common, loudness: Loudness) -> Result<(), Failure> {
    refuse(common, "the pages show every call anyway")?;
    // In the order of reading, in whatever order they were named.
    let mut labs: Vec<&'static Lab> = all().collect();
    if !asked.only.is_empty() {
        let named = labs_named(&asked.only)?;
        labs.retain(|lab| named.iter().any(|one| one.name == lab.name));
    }
    clean_up_at_signals()?;
    // Before the labs run, so that a user learns at once that a directory cannot be taken.
    let directory = BookDirectory::prepare(&asked.directory)?;
    let began = Instant::now();
    let LabRecords { labs, no_packets } = record_all(&labs, common);
    let differing = differing(&labs);
    let sheets = if asked.worksheets { Sheets::With } else { Sheets::Without };
    let book = Book { labs, made: made(), no_packets, sheets };
    let files = files(&book);
    let bytes: usize = files.iter().map(|file| file.content.len()).sum();
    directory.publish(&files)?;
    if let Some(why) = book.no_packets.as_ref().filter(|_| loudness >= Loudness::Ordinary) {
        say(format_args!("the book shows no packets: {why}"));
    }
    if !differing.is_empty() && loudness >= Loudness::Ordinary {
        say(format_args!(
            "these labs differ on this machine, and their pages say how: {}",
            differing.join(", ")
        ));
    }
    if loudness == Loudness::Quiet {
        return Ok(());
    }
    let many = book.labs.len();
    let labs = if many == 1 { "lab" } else { "labs" };
    let seconds = began.elapsed().as_secs_f64();
    let place = shown(&asked.directory.join("index.html"));
    let megabytes = bytes as f64 / 1e6;
    print(
        format!(
            "{many} {labs} in {seconds:.1} s, {} files of {megabytes:.1} MB: {place}\n",
            files.len()
        )
        .as_bytes(),
    )
}

/// The labs that differ, or that ended early.
fn differing(records: &[LabRecord]) -> Vec<&'static str> {
    let differ = records.iter().filter(|record| !record.verdict().holds());
    differ.map(|record| record.lab.name).collect()
}

/// On which system the book was made, by which program, and when.
fn made() -> String {
    format!(
        "Made by baresock {} on {} ({}; FD_SETSIZE {FD_SETSIZE}), {}.",
        env!("CARGO_PKG_VERSION"),
        system(),
        this_system().name(),
        httpdate::fmt_http_date(SystemTime::now())
    )
}

fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}
