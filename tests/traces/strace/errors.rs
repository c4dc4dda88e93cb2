//! The `# Errors` tables of the wrappers, held against what the driver brought about: every errno that a table
//! promises was seen, or it says here why it cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use baresock::os::system::{System, this_system};
use baresock::trace::Function;
use baresock::trace::page::Effect;

use super::equality::call::Call;
use crate::support::DocumentedErrors;

/// A wrapper and one of its errnos.
type Row = (String, String);

const NO_MEMORY: &str = "needs no memory left";
const NO_FILES: &str = "needs a whole system without a free descriptor";
const REMOTE: &str = "needs a network beyond loopback, and a router that answers";
const ELSEWHERE: &str = "another system";

/// Which wrappers an excuse is for.
enum For {
    /// Those of all calls that do this, as their pages say, as far as their tables have the errno.
    All(&'static [Effect]),
    /// These.
    These(&'static [&'static str]),
}

use For::{All, These};

const MOVES: For = All(&[Effect::Sends, Effect::Receives, Effect::Splices]);
const ACCEPTS: For = All(&[Effect::Accepts]);

/// Errnos that an ordinary process on loopback cannot cause: the wrappers, the errnos, and the reason.
const EXCUSED: &[(For, &[&str], &str)] = &[
    (MOVES, &["ENOBUFS", "ENOMEM"], NO_MEMORY),
    (ACCEPTS, &["ENOBUFS", "ENOMEM"], NO_MEMORY),
    (All(&[Effect::Selects, Effect::Polls]), &["ENOMEM"], NO_MEMORY),
    (These(&["if_nameindex"]), &["ENOBUFS"], NO_MEMORY),
    (These(&["sendfile"]), &["EIO"], "needs a device that fails"),
    (
        These(&["sendfile"]),
        &["EOVERFLOW"],
        "needs a file longer than this system's file systems hold",
    ),
    (All(&[Effect::MakesPipe, Effect::MakesSocket, Effect::Accepts]), &["ENFILE"], NO_FILES),
    (MOVES, &["EHOSTUNREACH"], REMOTE),
    (All(&[Effect::Connects]), &["EHOSTUNREACH"], REMOTE),
    (ACCEPTS, &["EPROTO", "ENETDOWN", "EHOSTUNREACH"], REMOTE),
    (ACCEPTS, &["ECONNABORTED"], ELSEWHERE),
    (These(&["listen"]), &["EDESTADDRREQ"], ELSEWHERE),
    (All(&[Effect::TellsName, Effect::TellsPeer]), &["EINVAL"], ELSEWHERE),
    (
        These(&["ppoll", "pselect", "recvmmsg", "select", "setsockopt"]),
        &["EOVERFLOW"],
        "needs fields that are too narrow, as a 32-bit program has: a test beside select asks there",
    ),
    (These(&["getsockopt"]), &["EINVAL"], "another system: Linux reads an option in every state"),
    (These(&["setsockopt"]), &["EISCONN"], "another system: Linux says EINVAL"),
    (These(&["read"]), &["EINVAL", "EOPNOTSUPP"], "recv's, for its flags, and read has none"),
    (These(&["write"]), &["EOPNOTSUPP"], "send's, for its flags, and write has none"),
    (These(&["read", "write"]), &["ENOTSOCK"], "recv's and send's: these take any descriptor"),
    (These(&["close"]), &["EIO"], "needs a device that fails"),
    (
        These(&["close"]),
        &["EINTR", "EAGAIN"],
        "another system: Linux stops waiting and says nothing",
    ),
    (These(&["close_range"]), &["ENOSYS"], "an older system: Linux has the call since 5.9"),
    (These(&["dup2"]), &["EBUSY"], "needs another thread in the middle of the kernel's open"),
    (
        These(&["dup2"]),
        &["EINTR"],
        "another system: Linux keeps what the close within says to itself",
    ),
    (
        These(&["fcntl_setfl"]),
        &["EPERM"],
        "needs an append-only file, which takes privilege to make",
    ),
    (
        These(&["gethostname"]),
        &["ENAMETOOLONG"],
        "libc: for a smaller buffer than the wrapper gives",
    ),
    (These(&["inet_pton"]), &["EAFNOSUPPORT"], "no system call, and so not in the trace"),
];

/// Whether an excuse holds on this machine.
type Holds = fn() -> bool;

/// The same where it depends on the machine.
const EXCUSED_IF: &[(&str, &str, &str, Holds)] = &[
    ("sendto", "EDESTADDRREQ", "needs IPv6: only there an address can say nothing", no_ipv6),
    ("sendto", "ENETUNREACH", "needs IPv6: only there loopback has networks", no_ipv6),
    ("connect", "ENETUNREACH", "needs IPv6: only there loopback has networks", no_ipv6),
    ("accept4", "EINVAL", "up to musl 1.2.3 libc then calls accept, which has no flags", is_musl),
    ("gethostbyaddr", "ENOENT", "musl's name of an address without a name is the address", is_musl),
    ("kill", "EPERM", "every process here is one's own", super::driver::has_first_process),
];

fn is_musl() -> bool {
    this_system() == System::LinuxMusl
}

fn no_ipv6() -> bool {
    !super::driver::has_ipv6()
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Counts {
    wrappers: usize,
    errnos: usize,
    provoked: usize,
    excused: usize,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wrappers, errnos, provoked, excused } = self;
        write!(f, "{wrappers} wrappers promise {errnos} errnos: {provoked} seen, {excused} excused")
    }
}

/// Holds the tables of the source against a trace.
///
/// # Errors
/// A line for every row that was neither seen nor excused, and for every excuse that is none.
pub(crate) fn compare(trace: &str) -> Result<Counts, String> {
    let tables = tables();
    hold(&tables, &seen(trace), &excuses(&tables))
}

fn hold(
    tables: &BTreeMap<String, BTreeSet<String>>,
    seen: &BTreeSet<Row>,
    excuses: &BTreeMap<Row, &str>,
) -> Result<Counts, String> {
    let rows: BTreeSet<Row> = tables
        .iter()
        .flat_map(|(wrapper, errnos)| errnos.iter().map(|errno| (wrapper.clone(), errno.clone())))
        .collect();
    let mut wrong = Vec::new();
    for row @ (wrapper, errno) in &rows {
        match (seen.contains(row), excuses.get(row)) {
            (false, None) => wrong.push(format!(
                "{wrapper}: {errno} is in its table, the driver has not seen it, and no reason is given"
            )),
            (true, Some(why)) => {
                wrong.push(format!("{wrapper}: {errno} was seen, and needs no excuse ({why})"));
            }
            _ => {}
        }
    }
    for ((wrapper, errno), why) in excuses.iter().filter(|(row, _)| !rows.contains(*row)) {
        wrong.push(format!("{wrapper}: {errno} is excused ({why}), and is not in its table"));
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let provoked = rows.intersection(seen).count();
    Ok(Counts { wrappers: tables.len(), errnos: rows.len(), provoked, excused: excuses.len() })
}

fn excuses(tables: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<Row, &'static str> {
    let mut excuses = BTreeMap::new();
    let row = |wrapper: &str, errno: &str| (wrapper.to_string(), errno.to_string());
    for (wrappers, errnos, why) in EXCUSED {
        let rows: Vec<Row> = match wrappers {
            These(wrappers) => wrappers
                .iter()
                .flat_map(|wrapper| errnos.iter().map(|errno| row(wrapper, errno)))
                .collect(),
            All(effects) => {
                let calls = Function::all().filter(|function| effects.contains(&function.effect()));
                let rows =
                    calls.flat_map(|call| errnos.iter().map(move |errno| row(call.name(), errno)));
                let has = |(wrapper, errno): &Row| {
                    tables.get(wrapper).is_some_and(|errnos| errnos.contains(errno))
                };
                let rows: Vec<_> = rows.filter(has).collect();
                for errno in *errnos {
                    let is_used = rows.iter().any(|(_, its)| its == errno);
                    assert!(is_used, "no call that does {effects:?} has {errno} in its table");
                }
                rows
            }
        };
        excuses.extend(rows.into_iter().map(|row| (row, *why)));
    }
    let here = EXCUSED_IF.iter().filter(|(.., holds)| holds());
    excuses.extend(here.map(|(wrapper, errno, why, _)| (row(wrapper, errno), *why)));
    excuses
}

/// Which wrapper failed with what, in a trace.
fn seen(trace: &str) -> BTreeSet<Row> {
    let calls = trace.lines().filter_map(Call::parse);
    let failed = calls.filter_map(|call| {
        let errno = call.result.strip_prefix("-1 ")?.split(' ').next()?.to_string();
        Some((wrapper(&call), errno))
    });
    failed.collect()
}

/// `fcntl` is a wrapper for each command: `F_DUPFD` is `fcntl_dupfd`'s.
fn wrapper(call: &Call) -> String {
    let command = call.args.get(1).and_then(|command| command.strip_prefix("F_"));
    match command.filter(|_| call.name == "fcntl") {
        Some(command) => format!("fcntl_{}", command.to_lowercase()),
        None => call.name.clone(),
    }
}

/// The errnos of every wrapper that promises one, as the source has them.
fn tables() -> BTreeMap<String, BTreeSet<String>> {
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (wrapper, errnos) in DocumentedErrors::read().all().filter(|(_, errnos)| !errnos.is_empty())
    {
        tables.entry(traced_as(wrapper).to_string()).or_default().extend(errnos);
    }
    tables
}

/// Two wrappers may call the same function of C: a trace does not tell them apart.
fn traced_as(wrapper: &str) -> &str {
    if wrapper == "select_wide" { "select" } else { wrapper }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(wrapper: &str, errno: &str) -> Row {
        (wrapper.to_string(), errno.to_string())
    }

    const SOURCE: &str = "\
/// Takes.
///
/// # Errors
/// | errno | when |
/// |---|---|
/// | `EAGAIN` | nothing is there (`EWOULDBLOCK`) |
/// | `ENOMEM`, `ENOBUFS` | no memory |
///
/// Not `EFAULT`.
///
/// References: `EIO`.
#[cfg(linux)]
pub fn take(fd: impl AsFd) {}

/// # Errors
/// As [`take`](super::take), and `EINVAL` for flags, and [`EAI_AGAIN`].
pub fn take4() {}

/// # Errors
/// None.
pub fn never() {}
";

    #[test]
    fn a_section_is_read_with_the_one_that_it_refers_to() {
        let errors = DocumentedErrors::of_source(SOURCE);
        let errnos = |wrapper| errors.of(wrapper).into_iter().collect::<Vec<_>>();
        assert_eq!(errnos("take"), ["EAGAIN", "ENOBUFS", "ENOMEM"]);
        assert_eq!(errnos("take4"), ["EAGAIN", "EINVAL", "ENOBUFS", "ENOMEM"]);
        assert!(errnos("never").is_empty());
    }

    #[test]
    fn the_documentation_is_read_as_it_is_written() {
        let errors = DocumentedErrors::read();
        assert!(
            errors.of("recv").is_superset(&["EAGAIN", "ENOMEM", "ENOBUFS"].map(Into::into).into())
        );
        assert!(
            errors.of("read").is_superset(&errors.of("recv")) && errors.of("read").contains("EIO")
        );
        assert!(errors.of("accept4").contains("EMFILE") && errors.of("accept4").contains("EINVAL"));
        let errnos_of_recvmsg = ["ECONNRESET", "EMSGSIZE"].map(Into::into).into();
        assert!(errors.of("recvmsg").is_superset(&errnos_of_recvmsg));
        assert_eq!(errors.of("fcntl_setfl"), ["EPERM".to_string()].into());
        assert!(errors.of("fcntl_getfl").is_empty());
    }

    #[test]
    fn a_failure_is_its_wrappers() {
        let seen = seen(
            "close(3) = 0\n\
            fcntl(3, F_DUPFD_CLOEXEC, -1) = -1 EINVAL (Invalid argument)\n\
            select(1025, [], NULL, NULL, NULL) = -1 EINVAL (Invalid argument) (refused)\n",
        );
        assert_eq!(
            seen,
            [row("fcntl_dupfd_cloexec", "EINVAL"), row("select", "EINVAL")].into_iter().collect()
        );
    }

    #[test]
    fn every_row_is_seen_or_excused_and_never_both() {
        let tables = [("take".to_string(), ["EAGAIN".to_string()].into_iter().collect())].into();
        let row = row("take", "EAGAIN");
        let (nothing, some) = (BTreeSet::new(), BTreeSet::from([row.clone()]));
        let (none, excused) = (BTreeMap::new(), BTreeMap::from([(row, "why")]));
        assert!(hold(&tables, &some, &none).is_ok());
        assert!(hold(&tables, &nothing, &excused).is_ok());
        assert!(hold(&tables, &nothing, &none).unwrap_err().contains("no reason is given"));
        assert!(hold(&tables, &some, &excused).unwrap_err().contains("needs no excuse"));
        let other = BTreeMap::from([(self::row("take", "EIO"), "why")]);
        assert!(hold(&tables, &some, &other).unwrap_err().contains("not in its table"));
    }

    #[test]
    fn the_wrappers_have_tables() {
        let tables = tables();
        assert!(tables["select"].contains("EINVAL"), "also those of select_wide");
        for wrapper in ["send", "recvmsg", "accept4", "ppoll", "fcntl_dupfd_cloexec", "kill"] {
            assert!(tables.contains_key(wrapper), "{wrapper}");
        }
    }
}
