//! A network of this process's own: loopback and nothing else, invisible to other programs. There this process may look at
//! every packet, also for an ordinary user. Only Linux has such networks.

use std::fmt;

use crate::names::Errno;

/// Why this process gets no network of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoNetwork {
    /// What failed.
    tried: &'static str,
    errno: Errno,
    /// What forbids it, and what an administrator would set.
    why: String,
}

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tried, errno, why } = self;
        write!(f, "a network of its own: {tried}: {errno}: {why}")
    }
}

impl std::error::Error for NoNetwork {}

/// Which user an ordinary user is in the new namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNumbers {
    /// The same as before. Programs that are started then may not change the network.
    Kept,
    /// Root of this namespace, who has no rights outside. Programs that are started then may change the network.
    Root,
}

/// Moves this process into a new network and brings its loopback interface up. An ordinary user gets a user namespace as
/// well. The process must have one thread; its children inherit the network.
///
/// # Errors
/// The system does not have such networks, or does not allow them here: the error says what forbids it.
#[cfg(linux)]
pub fn enter_own_network(numbers: UserNumbers) -> Result<(), NoNetwork> {
    linux::enter(numbers)
}

/// Only Linux has them.
///
/// # Errors
/// Always.
#[cfg(not(linux))]
pub fn enter_own_network(_: UserNumbers) -> Result<(), NoNetwork> {
    let why = "this system has no network namespaces; Linux has them".to_string();
    Err(NoNetwork { tried: "unshare", errno: Errno::ENOSYS, why })
}

#[cfg(linux)]
mod linux {
    use std::fs;
    use std::io;

    use nix::sched::{CloneFlags, unshare};
    use nix::unistd::{getegid, geteuid};

    use super::{NoNetwork, UserNumbers};
    use crate::names::Errno;
    use crate::sys::wild::network::{raise_loopback, take_given_network};

    pub(super) fn enter(numbers: UserNumbers) -> Result<(), NoNetwork> {
        if take_given_network() {
            return Ok(());
        }
        // Before the change: afterwards this process sees the numbers of its new namespace.
        let (uid, gid) = (geteuid(), getegid());
        let inside = |own: u32| if numbers == UserNumbers::Root { 0 } else { own };
        let is_alone = uid.is_root() && unshare(CloneFlags::CLONE_NEWNET).is_ok();
        if !is_alone {
            let both = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET;
            unshare(both).map_err(|errno| refused("unshare", Errno::from_number(errno as i32)))?;
            // A process that gives up the right to change its groups may map its own numbers.
            for (file, line) in [
                ("/proc/self/setgroups", "deny".to_string()),
                ("/proc/self/uid_map", format!("{} {uid} 1", inside(uid.as_raw()))),
                ("/proc/self/gid_map", format!("{} {gid} 1", inside(gid.as_raw()))),
            ] {
                fs::write(file, line).map_err(|error| refused(file, errno_of(&error)))?;
            }
        }
        raise_loopback().map_err(|errno| refused("ioctl SIOCSIFFLAGS", errno))
    }

    fn errno_of(error: &io::Error) -> Errno {
        error.raw_os_error().map_or(Errno::UNLISTED, Errno::from_number)
    }

    fn refused(tried: &'static str, errno: Errno) -> NoNetwork {
        NoNetwork { tried, errno, why: why(errno) }
    }

    /// The settings that forbid it, with the value that does.
    const SETTINGS: [(&str, &str, &str); 4] = [
        ("user.max_user_namespaces", "0", "a number such as 10000"),
        ("user.max_net_namespaces", "0", "a number such as 10000"),
        // Debian's kernel has it.
        ("kernel.unprivileged_userns_clone", "0", "1"),
        // Ubuntu's kernel has it.
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ];

    /// What forbids it, as far as the settings tell.
    fn why(errno: Errno) -> String {
        let value = |setting: &str| {
            let file = format!("/proc/sys/{}", setting.replace('.', "/"));
            fs::read_to_string(file).map(|value| value.trim().to_string()).unwrap_or_default()
        };
        // The settings on unprivileged users do not decide for root: a container shows those of its machine.
        let is_root = geteuid().is_root();
        let mut settings =
            SETTINGS.iter().filter(|(setting, ..)| !(is_root && setting.contains("unprivileged")));
        let forbidding = settings.find(|(setting, forbids, _)| value(setting) == *forbids);
        if let Some((setting, forbids, allows)) = forbidding {
            return format!(
                "{setting} is {forbids}; an administrator can set it to {allows} (sysctl -w)"
            );
        }
        match errno {
            Errno::ENOSPC => "there are as many namespaces as user.max_user_namespaces or \
                user.max_net_namespaces allow; an administrator can raise these (sysctl -w)"
                .to_string(),
            Errno::EINVAL => "this kernel has no user namespaces, or this process has several threads".to_string(),
            _ if is_root => "this container lacks CAP_SYS_ADMIN, or its seccomp profile forbids unshare; an \
                administrator can start it with both (docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined)"
                .to_string(),
            _ => "a security policy forbids user namespaces (seccomp in a container, SELinux, AppArmor); an administrator \
                can allow them, or root can run this"
                .to_string(),
        }
    }
}
