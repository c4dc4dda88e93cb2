//! A command line that asks for help, or is wrong.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use baresock::cli::ColorWhen;
use baresock::os::output::Colors;

use super::columns::{columns, fitted};
use super::messages::{print, say};
use super::tracing::colors_of;

/// Prints the help or the version to standard output; or, for a wrong command line, one line to standard error, like
/// every other error. Returns exit status 2 for a wrong command line.
pub(crate) fn told(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        say(in_one_line(&error.render().to_string(), hint(std::env::args_os())));
        return ExitCode::from(2);
    }
    let help = error.render();
    let help = match colors_of(ColorWhen::Auto, &io::stdout()) {
        Colors::Colored => help.ansi().to_string(),
        Colors::Plain => help.to_string(),
    };
    match print(fitted(&help, columns()).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(failure);
            ExitCode::from(1)
        }
    }
}

/// If a word after `--trace` was taken for something else, clap's message does not help.
fn hint(arguments: impl Iterator<Item = OsString>) -> &'static str {
    let arguments: Vec<_> = arguments.collect();
    let has = |form: &str| arguments.windows(2).any(|pair| pair == ["--trace", form]);
    match (has("json"), has("text")) {
        (true, _) => "; write --trace=json, with '='",
        (_, true) => "; write --trace=text, with '='",
        _ => "",
    }
}

/// One line: clap writes a paragraph for each part, and repeats the usage, which `--help` shows.
fn in_one_line(text: &str, hint: &str) -> String {
    let is_more = |line: &&str| !line.starts_with("Usage:") && !line.starts_with("For more");
    let parts = text.lines().map(str::trim).take_while(is_more).filter(|line| !line.is_empty());
    let mut whole = String::new();
    for part in parts {
        let part = part.strip_prefix("error: ").unwrap_or(part);
        let part = part.strip_prefix('[').and_then(|part| part.strip_suffix(']')).unwrap_or(part);
        whole.push_str(match whole.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) => "; ",
        });
        whole.push_str(part);
    }
    whole + hint + "; see --help"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_error_are_one_line() {
        assert_eq!(
            in_one_line("error: bad\n  [possible values: a, b]\n\nUsage: x\n\nFor more", ""),
            "bad; possible values: a, b; see --help"
        );
        assert_eq!(
            in_one_line("error: missing:\n  <A>\n\nFor more information", "; hint"),
            "missing: <A>; hint; see --help"
        );
    }
}
