//! Bytes that no other process can guess.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use crate::sys::fcntl_dupfd_cloexec;

/// The kernel's generator of random numbers. Every system of this book has it as a file, which stays open here, so that
/// bytes can be had when no descriptor is free.
#[derive(Debug)]
pub struct RandomSource(File);

impl RandomSource {
    /// Opens the file.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open() -> io::Result<Self> {
        File::open("/dev/urandom").map(Self)
    }

    /// The same source under a descriptor from `lowest` on, if one is free.
    #[must_use]
    pub fn moved_up(self, lowest: i32) -> Self {
        if lowest == 0 {
            return self;
        }
        match fcntl_dupfd_cloexec(&self.0, lowest) {
            Ok(fd) => Self(OwnedFd::from(fd).into()),
            Err(_) => self,
        }
    }

    /// New bytes, in hexadecimal digits.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn hex<const BYTES: usize>(&mut self) -> io::Result<String> {
        let mut bytes = [0; BYTES];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_new_each_time() {
        let mut source = RandomSource::open().unwrap();
        let [one, other] = [(); 2].map(|()| source.hex::<16>().unwrap());
        assert_ne!(one, other);
        assert_eq!((one.len(), other.len()), (32, 32));
    }
}
