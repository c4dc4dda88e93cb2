//! `baresock compare`: select against poll, measured on this machine.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use baresock::cli::CompareArgs;
use baresock::compare::table::Look;
use baresock::compare::{self, CompareOptions, Comparison, Server, csv, picture, table};
use baresock::names::Errno;
use baresock::os::children::end_with_parent;
use baresock::os::own_program::own_program;
use baresock::trace::wrapping::paragraph;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::columns::COLUMNS;
use super::failure::Failure;
use super::messages::{Loudness, Told, print};

/// In how many steps the progress bar moves.
const STEPS: u64 = 1000;

/// Measures, and shows the results.
pub(crate) fn run(asked: &CompareArgs, loudness: Loudness) -> Result<(), Failure> {
    let program = own_program().map_err(|error| {
        Failure::from_std("compare: this program cannot find its own file", &error)
    })?;
    let options = CompareOptions {
        quick: asked.quick,
        wide: asked.wide,
        bare: asked.bare,
        only: asked.only,
        watch: asked.watch,
        most: asked.most.get(),
        program,
    };
    // Opened before a minute is spent on figures that could not be drawn.
    let picture = asked.svg.as_ref().map(|file| Picture::create(file)).transpose()?;
    let bar = progress_bar(loudness);
    let report = compare::run(&options, |what, done| {
        bar.set_message(what.to_string());
        bar.set_position((done * STEPS as f64) as u64);
    });
    bar.finish_and_clear();
    let report = report.map_err(|failed| Failure::new(format_args!("compare: {failed}")))?;
    show(asked, &report)?;
    picture.map_or(Ok(()), |picture| picture.draw(&report))
}

/// A file for a picture.
struct Picture {
    file: File,
    /// Its name for messages.
    name: String,
}

impl Picture {
    fn create(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string().escape_debug().to_string();
        // An existing picture stays until there is a new one.
        match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
            Ok(file) => Ok(Self { file, name }),
            Err(error) => Err(Failure::from_std(format_args!("open {name}"), &error)),
        }
    }

    fn draw(self, report: &Comparison) -> Result<(), Failure> {
        let svg = picture::draw(report).map_err(Failure::new)?;
        self.write(svg.as_bytes()).map_err(|error| Failure::from_std(&self.name, &error))
    }

    fn write(&self, svg: &[u8]) -> io::Result<()> {
        // A terminal or a pipe has no length to set.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        (&self.file).write_all(svg)
    }
}

fn show(asked: &CompareArgs, report: &Comparison) -> Result<(), Failure> {
    if asked.json {
        let json = serde_json::to_string_pretty(report).map_err(Failure::new)?;
        return print(format!("{json}\n").as_bytes());
    }
    if asked.csv {
        return print(csv::write(report).as_bytes());
    }
    print(in_words(report, look(asked.ascii)).as_bytes())
}

fn in_words(report: &Comparison, look: Look) -> String {
    let machine = &report.machine;
    let method = &report.method;
    let noise = &report.noise;
    let mut text = format!(
        "{}: {} processors\nFD_SETSIZE {}, limit on descriptors {}\n\n",
        machine.system.escape_debug(),
        machine.processors,
        machine.fd_setsize,
        machine.descriptor_limit
    );
    text.push_str(&table::draw(report, look));
    text.push('\n');
    let mut rounds = Vec::new();
    if report.calls.is_some() {
        rounds.push(format!("{} rounds of the bare calls", method.call_rounds));
    }
    if report.servers.is_some() {
        rounds.push(format!("{} rounds of the servers", method.server_rounds));
    }
    let mut prose = format!(
        "Medians of {}, each with half the distance between the lowest and the highest tenth of them. The harness \
         takes at most {:.2} % of the time it measures. Other processes used the processor for {:.1} % of the time. \
         {:.1} s in all.\n",
        rounds.join(" and "),
        method.overhead_percent,
        noise.taken_percent,
        method.seconds
    );
    for missing in &report.not_reached {
        prose.push_str(&format!("Not measured: {missing}.\n"));
    }
    prose.push('\n');
    for finding in &report.findings {
        prose.push_str(&format!("- {finding}\n"));
    }
    // Prose is easier to read in lines that are not too long; tables are made to fit.
    for line in prose.lines() {
        let indent = if line.starts_with("- ") { 2 } else { 0 };
        text.push_str(&paragraph(line, look.columns.min(100), 0, indent));
        text.push('\n');
    }
    look.plain(&text)
}

/// As wide as the terminal, with characters that it can show.
fn look(ascii: bool) -> Look {
    let terminal = console::Term::stdout();
    let size = io::stdout().is_terminal().then(|| terminal.size_checked()).flatten();
    let columns = size.map_or(COLUMNS, |(_, columns)| usize::from(columns).clamp(60, 150));
    Look { ascii: ascii || !speaks_utf8(), columns }
}

/// The first of these variables that is set decides, as in setlocale(3).
fn speaks_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(std::env::var_os);
    let locale =
        set.map(|value| value.to_string_lossy().to_lowercase()).find(|value| !value.is_empty());
    locale.is_some_and(|locale| locale.contains("utf-8") || locale.contains("utf8"))
}

/// On standard error, and only on a terminal. This thread draws it between two rounds, because a separate thread would
/// disturb the measurement.
fn progress_bar(loudness: Loudness) -> ProgressBar {
    if loudness == Loudness::Quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr_with_hz(8));
    let mut form = "{bar:30} {percent:>3} % {msg} ({elapsed})";
    if !speaks_utf8() {
        form = "[{bar:30}] {percent:>3} % {msg} ({elapsed})";
    }
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(if speaks_utf8() { style } else { style.progress_chars("=> ") });
    }
    bar.tick();
    bar.reset_elapsed();
    bar
}

/// Runs one of the servers that are measured: it ends when its parent ends it, or ends.
pub(crate) fn serve(server: Server, count: bool) -> Result<(), Failure> {
    end_with_parent();
    // The parent reads this, unless it has ended before the kernel was told to end this process with it.
    let announced = |address: &_| {
        writeln!(io::stdout(), "listening echo {}", Told(address)).map_err(|_| Errno::EPIPE)
    };
    compare::role::serve(server, count, announced)
        .map_err(|errno| Failure::of(server.name(), errno))
}
