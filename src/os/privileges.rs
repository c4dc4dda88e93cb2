//! Dropping privileges for good: what needs root (a port below 1024) is done before.

use std::fmt;

use nix::unistd::{Gid, Uid, User, setgid, setuid};

use crate::names::Errno;

/// A user of this system.
#[derive(Clone, Debug)]
pub struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// The user with this name; `None` if there is no such user.
    ///
    /// # Errors
    /// The list of users cannot be read.
    pub fn find(name: &str) -> Result<Option<Self>, Errno> {
        let found = User::from_name(name).map_err(from_nix)?;
        Ok(found.map(|user| Self { name: user.name, uid: user.uid, gid: user.gid }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user id.
    pub fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// The id of the user's primary group.
    pub fn gid(&self) -> u32 {
        self.gid.as_raw()
    }

    /// Whether it is root, which keeps every privilege.
    pub fn is_root(&self) -> bool {
        self.uid.is_root()
    }
}

/// `nobody (uid 65534, gid 65534)`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (uid {}, gid {})", self.name.escape_debug(), self.uid, self.gid)
    }
}

/// Which step of switching to another user failed. The process may have switched only in part, so it must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDropped {
    /// A call failed.
    Failed(&'static str, Errno),
    /// All calls succeeded, but the process could become root again.
    CanReturn,
}

impl fmt::Display for NotDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(call, errno) => write!(f, "{call}: {errno}"),
            Self::CanReturn => f.write_str("setuid: root could be had again"),
        }
    }
}

/// Becomes this user, with the user's groups only, and without a way back. The groups are dropped first, because
/// without root they cannot be dropped any more; and the function tries whether the way back is really closed.
///
/// # Errors
/// `EPERM`: this process is not root's. After any error the process must end.
pub fn drop_to(account: &Account) -> Result<(), NotDropped> {
    let step = |call, result: nix::Result<()>| {
        result.map_err(|errno| NotDropped::Failed(call, from_nix(errno)))
    };
    step("initgroups", init_groups(account))?;
    step("setgid", setgid(account.gid))?;
    step("setuid", setuid(account.uid))?;
    if !account.is_root() && setuid(Uid::from_raw(0)).is_ok() {
        return Err(NotDropped::CanReturn);
    }
    Ok(())
}

#[cfg(not(apple))]
fn init_groups(account: &Account) -> nix::Result<()> {
    let name =
        std::ffi::CString::new(account.name.as_str()).map_err(|_| nix::errno::Errno::EINVAL)?;
    nix::unistd::initgroups(&name, account.gid)
}

/// On macOS a directory service decides which groups a user has, and a process that calls `initgroups` leaves that
/// service (initgroups(3) there); nix does not offer the call. Unchecked here, and therefore refused.
#[cfg(apple)]
fn init_groups(_: &Account) -> nix::Result<()> {
    Err(nix::errno::Errno::ENOSYS)
}

fn from_nix(errno: nix::errno::Errno) -> Errno {
    Errno::from_number(errno as i32)
}
