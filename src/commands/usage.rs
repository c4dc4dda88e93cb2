//! A command line that asks for help, or is wrong.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use baresock::cli::ColorWhen;

use super::columns::{columns, fitted};
use super::messages::{print, say};
use super::tracing::use_color;

/// Says what there is to say instead of doing anything: the help and the version on standard output; what is wrong, in
/// one line as every other error, on standard error. Exit status 2 says that it is the command line's.
pub(crate) fn told(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        say(in_one_line(&error.render().to_string(), hint(std::env::args_os())));
        return ExitCode::from(2);
    }
    let help = error.render();
    let colored = use_color(ColorWhen::Auto, &io::stdout());
    let help = if colored { help.ansi().to_string() } else { help.to_string() };
    match print(fitted(&help, columns()).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(failure);
            ExitCode::from(1)
        }
    }
}

/// A word behind `--trace` is taken for something else, and what is wrong with that is no help.
fn hint(arguments: impl Iterator<Item = OsString>) -> &'static str {
    let arguments: Vec<_> = arguments.collect();
    let has = |form: &str| arguments.windows(2).any(|pair| pair == ["--trace", form]);
    match (has("json"), has("text")) {
        (true, _) => "; write --trace=json, with '='",
        (_, true) => "; write --trace=text, with '='",
        _ => "",
    }
}

/// clap writes a paragraph for each part, and repeats the usage, which `--help` has.
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
