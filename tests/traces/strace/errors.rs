//! The `# Errors` tables of the wrappers, held against what the driver brought about: every errno that a table
//! promises was seen, or it says here why it cannot be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use super::equality::call::Call;

/// A wrapper and one of its errnos.
type Row = (String, String);

const SENDS: &[&str] = &["send", "sendto", "sendmsg", "write"];
const RECEIVES: &[&str] = &["recv", "recvfrom", "recvmsg", "read"];
const ACCEPTS: &[&str] = &["accept", "accept4"];
const WAITS: &[&str] = &["select", "pselect", "poll", "ppoll"];

const NO_MEMORY: &str = "needs no memory left";
const NO_FILES: &str = "needs a whole system without a free descriptor";
const REMOTE: &str = "needs a network beyond loopback, and a router that answers";
const ELSEWHERE: &str = "another system";

/// Errnos that an ordinary process on loopback cannot cause: the wrapper, the errno, and the reason.
const EXCUSED: &[(&[&str], &[&str], &str)] = &[
    (SENDS, &["ENOBUFS"], NO_MEMORY),
    (RECEIVES, &["ENOMEM", "ENOBUFS"], NO_MEMORY),
    (ACCEPTS, &["ENOBUFS", "ENOMEM"], NO_MEMORY),
    (WAITS, &["ENOMEM"], NO_MEMORY),
    (&["if_nameindex"], &["ENOBUFS"], NO_MEMORY),
    (&["sendfile", "splice"], &["ENOMEM"], NO_MEMORY),
    (&["sendfile"], &["EIO"], "needs a device that fails"),
    (&["sendfile"], &["EOVERFLOW"], "needs a file longer than this system's file systems hold"),
    (&["pipe", "socket"], &["ENFILE"], NO_FILES),
    (ACCEPTS, &["ENFILE"], NO_FILES),
    (SENDS, &["EHOSTUNREACH"], REMOTE),
    (RECEIVES, &["EHOSTUNREACH"], REMOTE),
    (&["connect"], &["EHOSTUNREACH"], REMOTE),
    (ACCEPTS, &["EPROTO", "ENETDOWN", "EHOSTUNREACH"], REMOTE),
    (ACCEPTS, &["ECONNABORTED"], ELSEWHERE),
    (&["listen"], &["EDESTADDRREQ"], ELSEWHERE),
    (&["getsockname", "getpeername"], &["EINVAL"], ELSEWHERE),
    (&["getsockopt"], &["EINVAL"], "another system: Linux reads an option in every state"),
    (&["setsockopt"], &["EISCONN"], "another system: Linux says EINVAL"),
    (&["read"], &["EINVAL", "EOPNOTSUPP"], "recv's, for its flags, and read has none"),
    (&["write"], &["EOPNOTSUPP"], "send's, for its flags, and write has none"),
    (&["read", "write"], &["ENOTSOCK"], "recv's and send's: these take any descriptor"),
    (&["close"], &["EIO"], "needs a device that fails"),
    (&["close"], &["EINTR", "EAGAIN"], "another system: Linux stops waiting and says nothing"),
    (&["dup2"], &["EBUSY"], "needs another thread in the middle of the kernel's open"),
    (&["dup2"], &["EINTR"], "another system: Linux keeps what the close within says to itself"),
    (&["fcntl_setfl"], &["EPERM"], "needs an append-only file, which takes privilege to make"),
    (&["gethostname"], &["ENAMETOOLONG"], "libc: for a smaller buffer than the wrapper gives"),
    (&["inet_pton"], &["EAFNOSUPPORT"], "no system call, and so not in the trace"),
];

/// Whether an excuse holds on this machine.
type Holds = fn() -> bool;

/// The same where it depends on the machine.
const EXCUSED_IF: &[(&str, &str, &str, Holds)] = &[
    ("sendto", "EDESTADDRREQ", "needs IPv6: only there an address can say nothing", no_ipv6),
    ("sendto", "ENETUNREACH", "needs IPv6: only there loopback has networks", no_ipv6),
    ("connect", "ENETUNREACH", "needs IPv6: only there loopback has networks", no_ipv6),
    ("kill", "EPERM", "every process here is one's own", super::driver::has_first_process),
];

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
    hold(&tables(), &seen(trace), &excuses())
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

fn excuses() -> BTreeMap<Row, &'static str> {
    let mut excuses = BTreeMap::new();
    let row = |wrapper: &str, errno: &str| (wrapper.to_string(), errno.to_string());
    for (wrappers, errnos, why) in EXCUSED {
        for wrapper in *wrappers {
            excuses.extend(errnos.iter().map(|errno| (row(wrapper, errno), *why)));
        }
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
    let mut sources = Vec::new();
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sys"), &mut sources);
    let sections: BTreeMap<_, _> = sources.iter().flat_map(|source| sections_of(source)).collect();
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for wrapper in sections.keys() {
        let errnos = errnos_of(wrapper, &sections);
        if !errnos.is_empty() {
            tables.entry(traced_as(wrapper).to_string()).or_default().extend(errnos);
        }
    }
    tables
}

fn read_all(dir: &Path, sources: &mut Vec<String>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        // Misuse on purpose is not a wrapper: labs show its consequences, and are compared separately.
        if path.ends_with("wild") {
            continue;
        }
        match path.is_dir() {
            true => read_all(&path, sources),
            false => sources.push(fs::read_to_string(path).unwrap()),
        }
    }
}

/// Two wrappers may call the same function of C: a trace does not tell them apart.
fn traced_as(wrapper: &str) -> &str {
    if wrapper == "select_wide" { "select" } else { wrapper }
}

/// What stands under `# Errors` above each public function: its first paragraph and its table.
fn sections_of(source: &str) -> BTreeMap<String, Vec<&str>> {
    let mut sections = BTreeMap::new();
    let mut doc: Vec<&str> = Vec::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            doc.push(text.trim());
        } else if let Some(rest) = line.strip_prefix("pub fn ") {
            let name_len = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap();
            let errors = doc.iter().skip_while(|line| **line != "# Errors").skip(1);
            let mut first = true;
            let section =
                errors.copied().take_while(|line| !line.starts_with("References")).filter(|line| {
                    first &= !line.is_empty();
                    first || line.starts_with('|')
                });
            sections.insert(rest[..name_len].to_string(), section.collect());
            doc.clear();
        } else if !line.starts_with("#[") {
            doc.clear();
        }
    }
    sections
}

/// The errnos of a section, and those of the wrapper that it begins with (``As [`recv`], and``).
fn errnos_of(wrapper: &str, sections: &BTreeMap<String, Vec<&str>>) -> BTreeSet<String> {
    let mut errnos = BTreeSet::new();
    for line in sections.get(wrapper).into_iter().flatten() {
        let told = line.strip_prefix("| ").map_or(*line, |row| row.split(" | ").next().unwrap());
        let names = told.split('`').skip(1).step_by(2);
        let is_errno = |name: &&str| name.starts_with('E') && !name.starts_with("EAI_");
        errnos.extend(names.filter(is_errno).map(str::to_string));
        if let Some(other) = line.strip_prefix("As [`").and_then(|rest| rest.split('`').next()) {
            assert!(sections.contains_key(other), "{wrapper} has the errors of {other}, unknown");
            errnos.extend(errnos_of(other, sections));
        }
    }
    errnos
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn row(wrapper: &str, errno: &str) -> Row {
        (wrapper.to_string(), errno.to_string())
    }

    #[test]
    fn a_table_is_read_with_the_one_that_it_refers_to() {
        let sections = sections_of(SOURCE);
        let errnos = |wrapper| errnos_of(wrapper, &sections).into_iter().collect::<Vec<_>>();
        assert_eq!(errnos("take"), ["EAGAIN", "ENOBUFS", "ENOMEM"]);
        assert_eq!(errnos("take4"), ["EAGAIN", "EINVAL", "ENOBUFS", "ENOMEM"]);
        assert!(errnos("never").is_empty());
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
        for wrapper in ["send", "recvmsg", "accept4", "ppoll", "fcntl_dupfd_cloexec", "kill"] {
            assert!(tables.contains_key(wrapper), "{wrapper}");
        }
        assert!(tables["recvmsg"].contains("ECONNRESET") && tables["recvmsg"].contains("EMSGSIZE"));
    }
}
