//! Which system this is, for what differs between them.

/// A system that this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux with the GNU C library.
    LinuxGlibc,
    /// Linux with musl.
    LinuxMusl,
    /// macOS.
    MacOs,
    /// FreeBSD.
    FreeBsd,
    /// OpenBSD.
    OpenBsd,
    /// NetBSD.
    NetBsd,
}

impl System {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LinuxGlibc,
        Self::LinuxMusl,
        Self::MacOs,
        Self::FreeBsd,
        Self::OpenBsd,
        Self::NetBsd,
    ];

    /// Its name, as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinuxGlibc => "Linux (glibc)",
            Self::LinuxMusl => "Linux (musl)",
            Self::MacOs => "macOS",
            Self::FreeBsd => "FreeBSD",
            Self::OpenBsd => "OpenBSD",
            Self::NetBsd => "NetBSD",
        }
    }
}

/// The system that the program was built for.
pub const fn this_system() -> System {
    if cfg!(apple) {
        System::MacOs
    } else if cfg!(freebsd) {
        System::FreeBsd
    } else if cfg!(openbsd) {
        System::OpenBsd
    } else if cfg!(netbsd) {
        System::NetBsd
    } else if cfg!(target_env = "musl") {
        System::LinuxMusl
    } else {
        System::LinuxGlibc
    }
}

/// Whether the most significant byte comes first in memory here, as it does on the network.
pub const fn is_big_endian() -> bool {
    cfg!(target_endian = "big")
}
