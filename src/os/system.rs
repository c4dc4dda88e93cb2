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
    *SYSTEM.get_or_init(|| answers_for(built_for().width, &version_of_kernel()))
}

/// The system that answers the calls of a program for this one, by the version of its kernel.
fn answers_for(system: System, version: &str) -> System {
    let is_gvisor = system.runs_linux_programs() && version == GVISOR_VERSION;
    if is_gvisor { System::GVisor } else { system }
}

/// The content of `uname -v` and /proc/version in every release of gVisor: no Linux kernel has this build.
const GVISOR_VERSION: &str = "#1 SMP Sun Jan 10 15:06:54 PST 2016";

fn version_of_kernel() -> String {
    uname().map(|names| names.version().to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a program was built for. A 32-bit program for musl differs from an ordinary one in both respects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltFor {
    /// The system whose C library it has.
    pub libc: System,
    /// The system whose `long` and pointers are as wide.
    pub width: System,
}

/// What this program was built for.
pub const fn built_for() -> BuiltFor {
    let libc = if cfg!(apple) {
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
    };
    let is_narrow = cfg!(all(linux, target_pointer_width = "32"));
    BuiltFor { libc, width: if is_narrow { System::Linux32 } else { libc } }
}

/// Whether the most significant byte comes first in memory, as in network byte order.
pub const fn is_big_endian() -> bool {
    cfg!(target_endian = "big")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gvisor_is_known_by_its_kernel_s_version() {
        for linux in [System::LinuxGlibc, System::LinuxMusl, System::Linux32] {
            assert_eq!(answers_for(linux, GVISOR_VERSION), System::GVisor);
            assert_eq!(answers_for(linux, "#1 SMP PREEMPT_DYNAMIC Debian 6.12.41-1"), linux);
            assert_eq!(answers_for(linux, ""), linux);
        }
        assert_eq!(answers_for(System::FreeBsd, GVISOR_VERSION), System::FreeBsd);
    }
}
