//! Which system this is, for differences between systems.

use std::sync::OnceLock;

use nix::sys::utsname::uname;

/// A system whose behaviour this program distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Linux with the GNU C library.
    LinuxGlibc,
    /// Linux with musl.
    LinuxMusl,
    /// A 32-bit program on Linux.
    Linux32,
    /// gVisor: Linux programs run there, and another kernel answers their calls, as in many containers and online
    /// shells.
    GVisor,
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
    /// All systems.
    pub const ALL: [Self; 8] = [
        Self::LinuxGlibc,
        Self::LinuxMusl,
        Self::Linux32,
        Self::GVisor,
        Self::FreeBsd,
        Self::NetBsd,
        Self::OpenBsd,
        Self::MacOs,
    ];

    /// Its name, as people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinuxGlibc => "Linux (glibc)",
            Self::LinuxMusl => "Linux (musl)",
            Self::Linux32 => "Linux (32-bit)",
            Self::GVisor => "gVisor",
            Self::MacOs => "macOS",
            Self::FreeBsd => "FreeBSD",
            Self::OpenBsd => "OpenBSD",
            Self::NetBsd => "NetBSD",
        }
    }

    /// Its name on a command line.
    pub const fn argument(self) -> &'static str {
        match self {
            Self::LinuxGlibc => "linux",
            Self::LinuxMusl => "musl",
            Self::Linux32 => "linux-32",
            Self::GVisor => "gvisor",
            Self::MacOs => "macos",
            Self::FreeBsd => "freebsd",
            Self::OpenBsd => "openbsd",
            Self::NetBsd => "netbsd",
        }
    }

    /// Whether programs for Linux run there: it has Linux's calls, flags and limits, whichever kernel implements them.
    pub const fn runs_linux_programs(self) -> bool {
        matches!(self, Self::LinuxGlibc | Self::LinuxMusl | Self::Linux32 | Self::GVisor)
    }
}

/// The system that answers the calls of this program.
pub fn this_system() -> System {
    static SYSTEM: OnceLock<System> = OnceLock::new();
    *SYSTEM.get_or_init(|| {
        let built_for = built_for();
        let is_gvisor = built_for.runs_linux_programs() && version_of_kernel() == GVISOR_VERSION;
        if is_gvisor { System::GVisor } else { built_for }
    })
}

/// The content of `uname -v` and /proc/version in every release of gVisor: no Linux kernel has this build.
const GVISOR_VERSION: &str = "#1 SMP Sun Jan 10 15:06:54 PST 2016";

fn version_of_kernel() -> String {
    uname().map(|names| names.version().to_string_lossy().into_owned()).unwrap_or_default()
}

/// The system that this program was built for: its C library, and the layout of its memory.
pub const fn built_for() -> System {
    if cfg!(apple) {
        System::MacOs
    } else if cfg!(freebsd) {
        System::FreeBsd
    } else if cfg!(openbsd) {
        System::OpenBsd
    } else if cfg!(netbsd) {
        System::NetBsd
    } else if cfg!(target_pointer_width = "32") {
        System::Linux32
    } else if cfg!(target_env = "musl") {
        System::LinuxMusl
    } else {
        System::LinuxGlibc
    }
}

/// Whether the most significant byte comes first in memory, as in network byte order.
pub const fn is_big_endian() -> bool {
    cfg!(target_endian = "big")
}
