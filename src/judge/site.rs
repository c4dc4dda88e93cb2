//! What a program needs besides its clients: for http a directory with files, for a relay a server behind it.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use super::ending::Directory;

/// A short file.
pub const HELLO: &str = "hello.txt";
/// Its content.
pub const HELLO_BYTES: &[u8] = b"hello, judge: this file is served as it is\n";
/// A long file.
pub const LARGE: &str = "large.bin";
/// Its length.
pub const LARGE_BYTES: usize = 8 << 20;
/// A file beside the directory, which no client may get.
pub const SECRET: &str = "secret.txt";
/// Its content.
pub const SECRET_BYTES: &[u8] = b"baresock-judge-secret: outside of the directory that is served\n";

/// A line that makes the server behind a relay send something long and close.
pub const SEND_AND_CLOSE: &[u8] = b"judge: send and close\n";
/// How many bytes it sends then.
pub const SENT_AT_THE_END: usize = 300_000;
/// A line that makes the server reset the connection.
pub const RESET: &[u8] = b"judge: reset\n";

/// Everything besides the program.
#[derive(Debug)]
pub struct JudgeSite {
    /// Files of judge's own: sockets, logs.
    pub own: Directory,
    /// The directory that is served, and the beginning of a request's path for a file in it: `/` or `/NAME/`.
    pub served: Option<ServedFiles>,
    /// Where the server behind a relay listens.
    pub to: Option<String>,
}

/// A directory that is served over http.
#[derive(Debug)]
pub struct ServedFiles {
    /// Its path.
    pub path: PathBuf,
    /// The beginning of a request's path.
    pub prefix: String,
    /// Whether the secret file lies beside it.
    pub has_secret: bool,
    /// Removed with this value.
    _made: Option<Directory>,
}

/// The path of a socket has at most 103 bytes on some systems, and TMPDIR may be longer than that: then `/tmp`.
fn place_for(asked: PathBuf) -> PathBuf {
    /// What is added: `/baresock-judge-PID-NUMBER/socket`.
    const ADDED: usize = 43;
    const PATH_OF_SOCKET: usize = 103;
    let fits = asked.as_os_str().len() + ADDED <= PATH_OF_SOCKET;
    if fits { asked } else { PathBuf::from("/tmp") }
}

impl JudgeSite {
    /// A site that has only a directory for judge's own files.
    ///
    /// # Errors
    /// No directory can be made: the path that was tried, and why.
    pub fn make() -> Result<Self, (PathBuf, io::Error)> {
        let place = place_for(std::env::temp_dir());
        match Directory::make(&place) {
            Ok(own) => Ok(Self { own, served: None, to: None }),
            Err(error) => Err((place.join("baresock-judge"), error)),
        }
    }

    /// Files for http: in `root`, which a running server serves, or in a directory of judge's own.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn with_files(mut self, root: Option<&Path>) -> io::Result<Self> {
        let (path, prefix, made) = match root {
            Some(root) => {
                let made = Directory::make(root)?;
                let name = made.path().file_name().unwrap_or_default().to_string_lossy();
                (made.path().to_path_buf(), format!("/{name}/"), Some(made))
            }
            None => {
                let path = self.own.path().join("public");
                fs::create_dir(&path)?;
                fs::write(self.own.path().join(SECRET), SECRET_BYTES)?;
                (path, "/".to_string(), None)
            }
        };
        // Those that a server with another user reads.
        for open in [Some(path.as_path()), root.is_none().then(|| self.own.path())] {
            open.into_iter().try_for_each(|directory| {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
            })?;
        }
        fs::write(path.join(HELLO), HELLO_BYTES)?;
        // A server need not say when a file has changed that may change again within the same second.
        let ago = SystemTime::now() - Duration::from_secs(60);
        fs::File::options().write(true).open(path.join(HELLO))?.set_modified(ago)?;
        fs::write(path.join(LARGE), pattern(LARGE_BYTES))?;
        self.served = Some(ServedFiles { path, prefix, has_secret: root.is_none(), _made: made });
        Ok(self)
    }

    /// A server behind a relay, at this address or a free one of 127.0.0.1.
    ///
    /// # Errors
    /// It cannot listen there.
    pub fn with_target(mut self, at: Option<&str>) -> io::Result<Self> {
        let listener = TcpListener::bind(at.unwrap_or("127.0.0.1:0"))?;
        self.to = Some(listener.local_addr()?.to_string());
        thread::spawn(move || {
            for client in listener.incoming() {
                match client {
                    // Where no thread is left, this client is closed.
                    Ok(client) => drop(
                        thread::Builder::new().stack_size(256 << 10).spawn(move || serve(client)),
                    ),
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Ok(self)
    }
}

/// An echo server, which two lines make do something else.
fn serve(mut client: TcpStream) -> io::Result<()> {
    let mut chunk = vec![0; 64 * 1024];
    client.set_nodelay(true)?;
    loop {
        let count = client.read(&mut chunk)?;
        match &chunk[..count] {
            [] => return Ok(()),
            SEND_AND_CLOSE => {
                client.write_all(&pattern(SENT_AT_THE_END))?;
                client.shutdown(Shutdown::Write)?;
                // Until the relay has finished, too; what comes still is thrown away.
                while client.read(&mut chunk)? > 0 {}
                return Ok(());
            }
            RESET => {
                // What is not sent yet is thrown away, and close sends a reset.
                return socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO));
            }
            bytes => client.write_all(bytes)?,
        }
    }
}

/// After how many bytes (about a megabyte) a pattern begins again: whole lines, and a multiple of no usual buffer's length.
const PERIOD: usize = LINE * 16_411;
/// The length of a line, with its end.
const LINE: usize = 61;

/// Bytes of every value without a short period, so that a piece that is missing or comes twice is seen.
pub fn pattern(len: usize) -> Vec<u8> {
    repeat(first_period(len), len)
}

fn first_period(len: usize) -> Vec<u8> {
    let mut state: u32 = 0x2545_f491;
    let mut bytes = vec![0; len.min(PERIOD)];
    for byte in &mut bytes {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        *byte = (state >> 11) as u8;
    }
    bytes
}

/// Copies what is there until there are so many bytes.
fn repeat(mut bytes: Vec<u8>, len: usize) -> Vec<u8> {
    while bytes.len() < len {
        let copied = bytes.len().min(len - bytes.len());
        bytes.extend_from_within(..copied);
    }
    bytes
}

/// The same in lines of at most 64 bytes, all of them printable.
pub fn lines(len: usize) -> Vec<u8> {
    let mut bytes = first_period(len);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = if at % LINE == LINE - 1 { b'\n' } else { b'a' + *byte % 26 };
    }
    let mut bytes = repeat(bytes, len);
    if let Some(last) = bytes.last_mut() {
        *last = b'\n';
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{LINE, PERIOD, lines, pattern};

    #[test]
    fn a_pattern_is_as_long_as_asked_and_begins_again_after_its_period_alone() {
        for len in [0, 1, PERIOD - 1, PERIOD, PERIOD + 1, 2 * PERIOD + 100] {
            let bytes = pattern(len);
            assert_eq!(bytes.len(), len);
            let again = bytes.get(PERIOD..).unwrap_or_default();
            assert!(bytes.starts_with(&again[..again.len().min(PERIOD)]));
        }
        let bytes = pattern(PERIOD);
        // No two pieces of the length of a buffer, a page or a segment are alike.
        for len in [1024, 1448, 4096, 16_384, 65_536] {
            let pieces: HashSet<_> = bytes.chunks_exact(len).collect();
            assert_eq!(pieces.len(), PERIOD / len, "{len}");
        }
    }

    #[test]
    fn lines_end_where_they_must_also_where_the_pattern_begins_again() {
        for len in [1, LINE, PERIOD + 7, 2 * PERIOD + 30] {
            let bytes = lines(len);
            assert_eq!((bytes.len(), bytes.last()), (len, Some(&b'\n')));
            let all = bytes.split_inclusive(|byte| *byte == b'\n');
            assert!(all.rev().skip(1).all(|line| line.len() == LINE), "{len}");
        }
    }
}
