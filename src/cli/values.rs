//! The values of flags and arguments: each parser's error says which values are valid.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::addr::Written;
use crate::compare::{MeasuredPart, Server, WatchedKind};

/// The largest buffer that a user may ask for.
const MOST_BYTES: usize = 1 << 30;

fn whole<T>(text: &str, least: T, most: T) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    match text.parse() {
        Ok(number) if least <= number && number <= most => Ok(number),
        _ => Err(format!("write a whole number from {least} to {most}")),
    }
}

/// Without an upper limit, except that of the number's type.
fn whole_from<T: FromStr + PartialOrd + Display>(text: &str, least: T) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| least <= *number);
    number.ok_or_else(|| format!("write a whole number, {least} or more"))
}

/// A file that is written. A `-`, which other programs take for standard output, would be the name of a file.
pub(super) fn output_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str() == "-" {
        true => Err("write /dev/stdout for standard output, or ./- for a file of that name"),
        false => Ok(path),
    })
}

pub(super) fn count(text: &str) -> Result<NonZeroUsize, String> {
    whole_from(text, NonZeroUsize::MIN)
}

pub(super) fn percent(text: &str) -> Result<u32, String> {
    whole(text, 1, 100)
}

pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    whole(text, 1, 3_600_000).map(Duration::from_millis)
}

pub(super) fn items(text: &str) -> Result<usize, String> {
    whole_from(text, 0)
}

pub(super) fn backlog(text: &str) -> Result<i32, String> {
    whole(text, 0, i32::MAX)
}

pub(super) fn descriptors(text: &str) -> Result<u64, String> {
    whole_from(text, 0)
}

pub(super) fn buffer(text: &str) -> Result<usize, String> {
    whole(text, 1, MOST_BYTES).map_err(|why| format!("{why}, of bytes"))
}

pub(super) fn system_buffer(text: &str) -> Result<i32, String> {
    whole(text, 0, i32::MAX).map_err(|why| format!("{why}, of bytes"))
}

pub(super) fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode @ 0..=0o777) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(mode),
        _ => Err("write an octal number from 0 to 777, as for chmod".to_string()),
    }
}

pub(super) fn address(text: &str) -> Result<Written, String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let port = match (scheme, host.contains(':')) {
            (_, true) => "",
            ("http", _) => ":80",
            _ => ":PORT",
        };
        let host = if host.is_empty() { "HOST" } else { host };
        let written = format!("{host}{port}").escape_debug().to_string();
        return Err(format!("this is a URL, not an address: write {written}"));
    }
    Written::parse(text).map_err(|bad| bad.why)
}

pub(super) fn server(text: &str) -> Result<Server, String> {
    let known = Server::NAMES.iter().find(|(name, _)| *name == text);
    known.map(|(_, server)| *server).ok_or_else(|| "unknown server".to_string())
}

pub(super) fn half(text: &str) -> Result<MeasuredPart, String> {
    match text {
        "calls" => Ok(MeasuredPart::Calls),
        "servers" => Ok(MeasuredPart::Servers),
        _ => Err("write calls or servers".to_string()),
    }
}

pub(super) fn kind(text: &str) -> Result<WatchedKind, String> {
    let known = [WatchedKind::Udp, WatchedKind::Tcp, WatchedKind::Unix, WatchedKind::Pipe];
    let known = known.into_iter().find(|kind| kind.name() == text);
    known.ok_or_else(|| "write udp, tcp, unix or pipe".to_string())
}
