//! How to start a program: its command line, and the values of its placeholders.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::guard::mark_command;
use super::site::HELLO;
use crate::addr::Address;
use crate::names::{SOCK_DGRAM, SocketType};

/// How to start a program.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The program and its arguments, with placeholders such as `{port}`.
    pub words: Vec<OsString>,
    /// The address where it listens, if judge does not choose it.
    pub at: Option<Address>,
    /// A directory for a socket's file.
    pub directory: PathBuf,
    /// The values of the other placeholders: `dir` and `to`.
    pub places: Vec<(&'static str, OsString)>,
    /// The type of its socket.
    pub kind: SocketType,
    /// The limit on descriptors that the program gets: the one that judge itself was started with.
    pub soft_limit: u64,
    /// strace, and the file for its log.
    pub strace: Option<(Vec<OsString>, PathBuf)>,
}

impl Recipe {
    /// Whether its address is a path, which it gets as `{path}`.
    pub fn is_unix(&self) -> bool {
        matches!(self.at, Some(Address::Unix(_))) || wants_path(&self.words)
    }

    /// A free address for it.
    ///
    /// # Errors
    /// The machine has none.
    pub fn address(&self) -> io::Result<Address> {
        if let Some(at) = &self.at {
            return Ok(at.clone());
        }
        if self.is_unix() {
            return Ok(Address::unix(self.directory.join("socket")));
        }
        Ok(Address::v4(Ipv4Addr::LOCALHOST, free_port(self.kind)?))
    }

    /// The command with all placeholders replaced.
    pub fn command(&self, address: &Address, descriptors: Option<u64>) -> Command {
        let port = address.port().unwrap_or(0).to_string();
        let path = match address {
            Address::Unix(crate::addr::UnixName::Path(path)) => path.clone().into_os_string(),
            _ => OsString::new(),
        };
        let mut places = self.places.clone();
        let url = format!("http://127.0.0.1:{port}/{HELLO}");
        places.extend([("port", OsString::from(&port)), ("path", path), ("url", url.into())]);
        let filled: Vec<OsString> = self.words.iter().map(|word| fill(word, &places)).collect();
        let mut words: Vec<OsString> = Vec::new();
        let limit = match descriptors {
            Some(number) => format!("ulimit -n {number} && exec \"$0\" \"$@\""),
            None => format!("ulimit -Sn {} && exec \"$0\" \"$@\"", self.soft_limit),
        };
        words.extend(["sh".into(), "-c".into(), limit.into()]);
        if let Some((strace, log)) = &self.strace {
            words.extend(strace.iter().cloned());
            words.extend(["-o".into(), log.clone().into_os_string(), "--".into()]);
        }
        words.extend(filled);
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        mark_command(&mut command);
        for (name, value) in &places {
            let name = if *name == "path" { "SOCKET".to_string() } else { name.to_uppercase() };
            command.env(name, value);
        }
        command
    }
}

/// A free port, which is still free when the program has started: not one of those that the kernel gives to clients and to
/// `bind` with port 0, and not one that another judge tries at the same time.
fn free_port(kind: SocketType) -> io::Result<u16> {
    /// The kernel gives ports from 32768 on, unless it is told otherwise.
    const FIRST: u32 = 15_000;
    const COUNT: u32 = 17_000;
    /// So many lie between those of one process and those of the next.
    const APART: u32 = 19;
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..COUNT {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        let at = std::process::id().wrapping_mul(APART).wrapping_add(tried) % COUNT;
        let port = u16::try_from(FIRST + at).unwrap_or(0);
        let socket_type = match kind {
            SOCK_DGRAM => socket2::Type::DGRAM,
            _ => socket2::Type::STREAM,
        };
        // Without SO_REUSEADDR, as the program may be: a connection in TIME_WAIT keeps the port, too.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket_type, None)?;
        match socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()) {
            Ok(()) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whether a command has a place for a path.
pub fn wants_path(words: &[OsString]) -> bool {
    words.iter().any(|word| find(word.as_bytes(), b"{path}").is_some())
}

fn fill(word: &OsStr, places: &[(&'static str, OsString)]) -> OsString {
    let mut filled = word.as_bytes().to_vec();
    for (name, value) in places {
        let place = format!("{{{name}}}").into_bytes();
        let mut from = 0;
        while let Some(at) = find(&filled[from..], &place) {
            let at = from + at;
            filled.splice(at..at + place.len(), value.as_bytes().iter().copied());
            from = at + value.len();
        }
    }
    OsString::from_vec(filled)
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_wherever_they_stand() {
        let places = [("port", OsString::from("80")), ("to", OsString::from("{port}"))];
        let filled = |word: &str| fill(OsStr::new(word), &places).into_string().unwrap();
        assert_eq!(filled("http://x:{port}/{port}"), "http://x:80/80");
        assert_eq!(filled("{port"), "{port");
        assert_eq!(filled("{dir}{port}"), "{dir}80");
    }
}
