//! The fold: everything in which strace's notation and ours may differ, one rule each.
//!
//! strace shows what the kernel was asked, we show what libc was asked. A rule may rename or re-scale; it
//! never drops a value, other than an address in memory.

use baresock::sys::Signal;

use super::call::{Call, Piece, pieces};
use super::musl;

/// What stands for an address in memory.
const ADDRESS: &str = "ADDRESS";

/// A line of strace's, in our words, and the names of the rules that it took.
pub(crate) fn strace(call: &Call) -> (Call, Vec<&'static str>) {
    let mut folded = call.clone();
    let mut taken = Vec::new();
    let of_musl = MUSL_RULES.iter().filter(|_| musl::is_here());
    for (name, rule) in of_musl.chain(RULES) {
        let before = folded.clone();
        rule(&mut folded);
        if folded != before {
            taken.push(*name);
        }
    }
    (folded, taken)
}

/// A line of ours. Only an address in memory needs folding here too, and what libc changes on the way.
pub(crate) fn ours(call: &Call) -> Call {
    let mut folded = call.clone();
    sockatmark_is_an_ioctl(&mut folded);
    select_carries_microseconds(&mut folded);
    an_address_is_a_token(&mut folded);
    if musl::is_here() {
        musl::accept4_without_flags_is_accept(&mut folded);
        musl::files_may_be_long(&mut folded);
    }
    folded
}

macro_rules! rules {
    ($($name:ident,)*) => { &[$((stringify!($name), $name),)*] };
}

/// A rule changes what it speaks of and leaves every other call as it was.
type Rule = fn(&mut Call);

/// The rules for strace's lines, in the order in which they are applied.
pub(crate) const RULES: &[(&str, Rule)] = rules![
    a_name_has_no_width,
    send_is_sendto_nobody,
    recv_is_recvfrom_nobody,
    select_is_pselect6,
    pselect_is_pselect6_with_a_mask,
    ppoll_without_the_size_of_its_mask,
    pipe_is_pipe2,
    socket_timeouts_have_no_age,
    timestamps_have_no_age,
    credentials_are_their_bytes,
    sigaction_is_rt_sigaction,
    sa_flags_are_an_int,
    sigprocmask_is_rt_sigprocmask,
    a_signal_without_our_name_is_a_number,
    a_mask_is_spelled_out,
    getown_is_getown_ex,
    fasync_is_o_async,
    an_int_has_a_sign,
    nanoseconds_have_a_sign,
    an_offset_has_a_sign,
    an_address_is_a_token,
    a_set_that_is_not_read_is_empty,
];

/// The same for what only musl does.
pub(crate) const MUSL_RULES: &[(&str, Rule)] = &[
    ("select_keeps_what_is_left", musl::select_keeps_what_is_left),
    ("files_may_be_long", musl::files_may_be_long),
    ("an_errno_has_musls_words", musl::an_errno_has_musls_words),
];

/// The kernel has no `sockatmark`: libc asks with `ioctl`, and returns what that wrote.
fn sockatmark_is_an_ioctl(call: &mut Call) {
    if call.name != "sockatmark" {
        return;
    }
    let (written, result) = match call.result.starts_with("-1") {
        true => (ADDRESS.to_string(), call.result.clone()),
        false => (format!("[{}]", call.result), "0".to_string()),
    };
    call.name = "ioctl".into();
    call.args.extend(["SIOCATMARK".into(), written]);
    call.result = result;
}

/// The kernel has no `send`: libc calls `sendto` without an address.
fn send_is_sendto_nobody(call: &mut Call) {
    if call.name == "sendto" && call.args[4..] == ["NULL", "0"] {
        call.name = "send".into();
        call.args.truncate(4);
    }
}

/// The kernel has no `recv`: libc calls `recvfrom` without room for an address.
fn recv_is_recvfrom_nobody(call: &mut Call) {
    if call.name == "recvfrom" && call.args[4..] == ["NULL", "NULL"] {
        call.name = "recv".into();
        call.args.truncate(4);
    }
}

/// glibc makes `select` of `pselect6` without its sixth argument. The kernel counts in nanoseconds, `select` in
/// microseconds, cut off; also in what is left.
fn select_is_pselect6(call: &mut Call) {
    if call.name == "pselect6" && call.args[5] == "NULL" {
        call.name = "select".into();
        call.args.truncate(5);
        call.args[4] = in_microseconds(&call.args[4]);
        call.result = in_microseconds(&call.result);
    }
}

/// The sixth argument of `pselect6` is a structure with the mask and its size. The kernel says what is left of the
/// time; libc keeps that from the caller of `pselect`.
fn pselect_is_pselect6_with_a_mask(call: &mut Call) {
    if call.name != "pselect6" {
        return;
    }
    let inside = call.args[5]
        .strip_prefix("{sigmask=")
        .and_then(|rest| rest.strip_suffix(", sigsetsize=8}"));
    if let Some(mask) = inside.map(str::to_string) {
        call.name = "pselect".into();
        call.args[5] = mask;
        call.result = without_what_is_left(&call.result);
    }
}

/// The kernel's `ppoll` wants the size of the mask, and says what is left of the time; libc gives the one and keeps
/// the other.
fn ppoll_without_the_size_of_its_mask(call: &mut Call) {
    if call.name == "ppoll" && call.args.get(4).is_some_and(|size| size == "8") {
        call.args.truncate(4);
        call.result = without_what_is_left(&call.result);
    }
}

/// glibc makes `pipe` of `pipe2` without flags.
fn pipe_is_pipe2(call: &mut Call) {
    if call.name == "pipe2" && call.args[1] == "0" {
        call.name = "pipe".into();
        call.args.truncate(1);
    }
}

/// A 32-bit program calls the newer of two, whose offsets or times have 64 bits.
fn a_name_has_no_width(call: &mut Call) {
    call.name = match &call.name[..] {
        "fcntl64" => "fcntl",
        "sendfile64" => "sendfile",
        "pselect6_time64" => "pselect6",
        "ppoll_time64" => "ppoll",
        "recvmmsg_time64" => "recvmmsg",
        _ => return,
    }
    .to_string();
}

/// The kernel has two of each, for a 32-bit time and for a 64-bit one, and strace shows the older one's value as
/// bytes: two numbers of the program's width.
fn socket_timeouts_have_no_age(call: &mut Call) {
    if !is_option(call, &["SO_RCVTIMEO_OLD", "SO_SNDTIMEO_OLD"]) {
        return;
    }
    call.args[2] = call.args[2].replace("_OLD", "");
    let Some(bytes) = bytes_of(&call.args[3]) else { return };
    let (sec, usec) = match (bytes.as_chunks::<8>(), bytes.as_chunks::<4>()) {
        (([sec, usec], []), _) => (i64::from_ne_bytes(*sec), i64::from_ne_bytes(*usec)),
        (_, ([sec, usec], [])) => {
            (i32::from_ne_bytes(*sec).into(), i32::from_ne_bytes(*usec).into())
        }
        _ => return,
    };
    call.args[3] = format!("{{tv_sec={sec}, tv_usec={usec}}}");
}

/// Here too there are two, and C has one name: of the option, and of the control message that it asks for.
fn timestamps_have_no_age(call: &mut Call) {
    if is_option(call, &["SO_TIMESTAMP_OLD"]) {
        call.args[2] = "SO_TIMESTAMP".into();
    }
    if call.name == "recvmsg" {
        let (old, new) = ("cmsg_type=SO_TIMESTAMP_OLD,", "cmsg_type=SO_TIMESTAMP,");
        call.args[1] = call.args[1].replace(old, new);
    }
}

/// strace shows the structure of `SO_PEERCRED` when it is read, and bytes when a program tries to set
/// it.
fn credentials_are_their_bytes(call: &mut Call) {
    if is_option(call, &["SO_PEERCRED"])
        && let Some(bytes) = bytes_of(&call.args[3])
        && let ([pid, uid, gid], []) = bytes.as_chunks::<4>()
    {
        let [pid, uid, gid] = [pid, uid, gid].map(|bytes| i32::from_ne_bytes(*bytes));
        call.args[3] = format!("{{pid={pid}, uid={uid}, gid={gid}}}");
    }
}

fn is_option(call: &Call, names: &[&str]) -> bool {
    call.name.ends_with("sockopt") && names.contains(&call.args[2].as_str())
}

/// libc's `sigaction` adds the function that ends a handler, a flag that says so, and the size of the mask.
fn sigaction_is_rt_sigaction(call: &mut Call) {
    if call.name != "rt_sigaction" || call.args[3] != "8" {
        return;
    }
    call.name = "sigaction".into();
    call.args.truncate(3);
    for arg in &mut call.args[1..] {
        if let Some((before, _)) = arg.split_once(", sa_restorer=") {
            let before = before.replace("SA_RESTORER|", "").replace("=SA_RESTORER", "=0");
            *arg = format!("{before}}}");
        }
    }
}

/// `sa_flags` is an int in C and a long in the kernel: the highest flag of the one, `SA_RESETHAND`, fills the upper
/// half of the other.
fn sa_flags_are_an_int(call: &mut Call) {
    if call.name == "sigaction" {
        call.args[1] = call.args[1].replace("|0xffffffff00000000", "");
    }
}

/// libc's `sigprocmask` adds the size of the mask.
fn sigprocmask_is_rt_sigprocmask(call: &mut Call) {
    if call.name == "rt_sigprocmask" && call.args[3] == "8" {
        call.name = "sigprocmask".into();
        call.args.truncate(3);
    }
}

/// We name the signals that meet sockets; strace names them all.
fn a_signal_without_our_name_is_a_number(call: &mut Call) {
    let place = match call.name.as_str() {
        "sigaction" => 0,
        "kill" => 1,
        _ => return,
    };
    if let Some(number) = call.args[place].strip_prefix("SIG").and_then(number_of_signal) {
        call.args[place] = Signal::from_bits(number).to_string();
    }
}

/// The same within a mask. One that holds most signals is shown by strace as those that it does not hold.
fn a_mask_is_spelled_out(call: &mut Call) {
    let places = match call.name.as_str() {
        "sigaction" | "sigprocmask" => 1..3,
        "ppoll" => 3..4,
        "pselect" => 5..6,
        _ => return,
    };
    for arg in &mut call.args[places] {
        let from = arg.find("sa_mask=").map_or(0, |at| at + "sa_mask=".len());
        let to = arg[from..].find(']').map_or(from, |end| from + end + 1);
        if let Some(mask) = spelled_out(&arg[from..to]) {
            arg.replace_range(from..to, &mask);
        }
    }
}

fn spelled_out(mask: &str) -> Option<String> {
    let (without, inside) = match mask.strip_prefix('~') {
        Some(rest) => (true, rest),
        None => (false, mask),
    };
    let inside = inside.strip_prefix('[')?.strip_suffix(']')?;
    let named = inside.split_whitespace().map(number_of_signal).collect::<Option<Vec<_>>>()?;
    let members = (1..=64).filter(|number| named.contains(number) != without);
    let names = members.map(|number| Signal::from_bits(number).to_string());
    let names: Vec<_> = names.map(|name| name.trim_start_matches("SIG").to_string()).collect();
    Some(format!("[{}]", names.join(" ")))
}

/// strace counts real-time signals from 32, which it calls `RTMIN`.
fn number_of_signal(name: &str) -> Option<i32> {
    if name == "RTMIN" {
        return Some(32);
    }
    match name.strip_prefix("RT_") {
        Some(number) => number.parse::<i32>().ok().map(|number| 32 + number),
        None => {
            format!("SIG{name}").parse().ok().map(|signal: nix::sys::signal::Signal| signal as i32)
        }
    }
}

/// glibc asks for the owner with `F_GETOWN_EX`, because a group's number, negated, looks like an error.
fn getown_is_getown_ex(call: &mut Call) {
    if call.name != "fcntl" || call.args[1] != "F_GETOWN_EX" {
        return;
    }
    let owner =
        call.args.get(2).and_then(|arg| arg.strip_prefix("{type=F_OWNER_")?.strip_suffix('}'));
    let number = match owner.and_then(|owner| owner.split_once(", pid=")) {
        Some(("PID", pid)) => pid.to_string(),
        Some(("PGRP", "0")) => "0".to_string(),
        Some(("PGRP", group)) => format!("-{group}"),
        _ => return,
    };
    call.args.truncate(1);
    call.args.push("F_GETOWN".into());
    call.result = number;
}

/// C's name for the flag that the kernel calls `FASYNC`.
fn fasync_is_o_async(call: &mut Call) {
    if call.name == "fcntl" {
        for text in call.args.iter_mut().chain([&mut call.result]) {
            *text = text.replace("FASYNC", "O_ASYNC");
        }
    }
}

/// Where C has an int, strace shows a number below zero as one above two thousand million.
fn an_int_has_a_sign(call: &mut Call) {
    let place = match call.name.as_str() {
        "socket" | "socketpair" => 2,
        "fcntl" if call.args[1].starts_with("F_DUPFD") => 2,
        _ => return,
    };
    // (musl passes a long, whose lower half is the int.)
    let int = |number: u64| {
        u32::try_from(number).map(u32::cast_signed).or_else(|_| i32::try_from(number.cast_signed()))
    };
    if let Ok(Ok(number)) = call.args[place].parse().map(int) {
        call.args[place] = number.to_string();
    }
}

/// The same with the long that `tv_nsec` is, which has 32 bits in a 32-bit program.
fn nanoseconds_have_a_sign(call: &mut Call) {
    for arg in &mut call.args {
        if let Some((before, number)) =
            arg.strip_suffix('}').and_then(|arg| arg.rsplit_once("tv_nsec="))
            && let Ok(number) = number.parse::<u64>()
        {
            let narrow = u32::try_from(number).ok().filter(|_| size_of::<usize>() == 4);
            let signed = narrow.map_or(number.cast_signed(), |number| number.cast_signed().into());
            *arg = format!("{before}tv_nsec={signed}}}");
        }
    }
}

/// And with the offset of `sendfile`.
fn an_offset_has_a_sign(call: &mut Call) {
    if call.name == "sendfile"
        && let Some(number) = call.args[2].strip_prefix('[').and_then(|arg| arg.strip_suffix(']'))
        && let Ok(number) = number.parse::<u64>()
    {
        call.args[2] = format!("[{}]", number.cast_signed());
    }
}

/// An address in memory (twelve hexadecimal digits on 64-bit systems, eight of a 32-bit program) says nothing but that there is one.
fn an_address_is_a_token(call: &mut Call) {
    for arg in &mut call.args {
        let mut folded = String::new();
        let mut skip = 0;
        for piece in pieces(arg) {
            match piece {
                Piece::Whole(text) => folded.push_str(text),
                Piece::Other(..) if skip > 0 => skip -= 1,
                Piece::Other('0', after) if address_len(after) > 0 => {
                    folded.push_str(ADDRESS);
                    skip = address_len(after);
                }
                Piece::Other(mark, _) => folded.push(mark),
            }
        }
        *arg = folded;
    }
}

/// With an `nfds` of 0 or less the sets are ignored: strace shows where they are, we show that nothing in them
/// counts.
fn a_set_that_is_not_read_is_empty(call: &mut Call) {
    let reads =
        call.args.first().and_then(|nfds| nfds.parse::<i32>().ok()).is_some_and(|nfds| nfds > 0);
    if reads || !matches!(call.name.as_str(), "select" | "pselect") {
        return;
    }
    for set in &mut call.args[1..4] {
        if set == ADDRESS {
            *set = "[]".into();
        }
    }
}

/// How long the rest of an address is, behind its first 0; 0 if it is none.
fn address_len(after_zero: &str) -> usize {
    let Some(digits) = after_zero.strip_prefix('x') else { return 0 };
    let len = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    if len == 12 || (len == 8 && size_of::<usize>() == 4) { len + 1 } else { 0 }
}

/// What stands behind strace's number where it does not know what `poll` answered: the call had been interrupted.
pub(crate) const UNTOLD: &str = " (untold)";

/// Ours tells the answer; where strace does not, only the number of the rows can be compared.
pub(crate) fn without_what_is_untold(ours: &mut Call, theirs: &Call) {
    if ours.name == "poll"
        && theirs.result.ends_with(UNTOLD)
        && let Some((number, _)) = ours.result.split_once(" ([{")
    {
        ours.result = format!("{number}{UNTOLD}");
    }
}

/// Whether the kernel never saw the call: the wrapper refused it, or libc did.
pub(crate) fn has_no_counterpart(call: &Call) -> bool {
    call.result.ends_with(" (refused)")
        || (musl::is_here() && musl::asks_nothing(call))
        || (call.result.ends_with(" (libc)") && refused_by_libc(call))
}

/// What libc refuses: a timeout below zero, and a signal that it keeps to itself or that does not exist.
fn refused_by_libc(call: &Call) -> bool {
    let refused = call.result.starts_with("-1 EINVAL");
    let negative = || call.args[4].contains("=-");
    refused && (call.name == "sigaction" || call.name == "select" && negative())
}

/// What libc changes before the kernel sees it: in `select`, a second or more in microseconds goes to the seconds, or
/// all that there is to the longest time.
fn select_carries_microseconds(call: &mut Call) {
    let Some(result) = call.result.strip_suffix(" (libc)") else { return };
    if call.name != "select" {
        return;
    }
    call.result = result.to_string();
    if let Some((sec, usec)) = timeval(&call.args[4]) {
        let carried = sec.checked_add(usec / 1_000_000).map(|sec| (sec, usec % 1_000_000));
        let (sec, usec) = carried.unwrap_or((i64::MAX, 999_999));
        call.args[4] = format!("{{tv_sec={sec}, tv_usec={usec}}}");
    }
}

fn timeval(text: &str) -> Option<(i64, i64)> {
    let (sec, usec) = text.strip_prefix("{tv_sec=")?.strip_suffix('}')?.split_once(", tv_usec=")?;
    Some((sec.parse().ok()?, usec.parse().ok()?))
}

/// `tv_nsec=999996123` becomes `tv_usec=999996`.
fn in_microseconds(text: &str) -> String {
    let Some((before, rest)) = text.split_once("tv_nsec=") else { return text.to_string() };
    let (number, after) = rest.split_at(rest.find('}').unwrap_or(rest.len()));
    match number.parse::<i64>() {
        Ok(nanoseconds) => format!("{before}tv_usec={}{after}", nanoseconds / 1000),
        Err(_) => text.to_string(),
    }
}

/// `1 (in [5], left {tv_sec=0, tv_nsec=5})` becomes `1 (in [5])`.
pub(super) fn without_what_is_left(result: &str) -> String {
    match (result.find(", left {"), result.find(" (left {")) {
        (Some(at), _) => format!("{})", &result[..at]),
        (None, Some(at)) => result[..at].to_string(),
        (None, None) => result.to_string(),
    }
}

/// The bytes of a string in strace's notation; none if it was cut or is no string.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::new();
    let mut rest = inside.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let octal = rest.iter().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
        let (taken, after) = rest.split_at(octal.max(1));
        rest = after;
        bytes.push(match taken {
            _ if octal > 0 => {
                taken.iter().fold(0u8, |byte, digit| byte.wrapping_mul(8) + (digit - b'0'))
            }
            b"n" => b'\n',
            b"t" => b'\t',
            b"r" => b'\r',
            b"v" => 0x0b,
            b"f" => 0x0c,
            other => other[0],
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// strace's line on the left becomes ours on the right, and this rule has done it.
    fn folds(rule: &str, before: &str, after: &str) {
        let (folded, taken) = strace(&Call::parse(before).unwrap());
        assert_eq!(folded.to_string(), after);
        assert!(taken.contains(&rule), "{rule} did not do it, but {taken:?}");
    }

    /// Nothing changes strace's line.
    fn stays(line: &str) {
        let (folded, taken) = strace(&Call::parse(line).unwrap());
        assert_eq!((folded.to_string().as_str(), taken), (line, vec![]));
    }

    #[test]
    fn send_is_sendto_nobody() {
        folds(
            "send_is_sendto_nobody",
            r#"sendto(3, "hi", 2, MSG_NOSIGNAL, NULL, 0) = 2"#,
            r#"send(3, "hi", 2, MSG_NOSIGNAL) = 2"#,
        );
        stays(r#"sendto(3, "hi", 2, 0, {sa_family=AF_UNIX, sun_path="x"}, 4) = 2"#);
    }

    #[test]
    fn recv_is_recvfrom_nobody() {
        folds(
            "recv_is_recvfrom_nobody",
            r#"recvfrom(3, "NULL, NULL", 64, 0, NULL, NULL) = 10"#,
            r#"recv(3, "NULL, NULL", 64, 0) = 10"#,
        );
        stays(r#"recvfrom(3, "hi", 64, 0, {sa_family=AF_UNIX}, [128 => 2]) = 2"#);
    }

    #[test]
    fn select_is_pselect6() {
        folds(
            "select_is_pselect6",
            "pselect6(6, [3 5], NULL, NULL, {tv_sec=1, tv_nsec=1999}, NULL) = 1 (in [5], left {tv_sec=0, tv_nsec=999996999})",
            "select(6, [3 5], NULL, NULL, {tv_sec=1, tv_usec=1}) = 1 (in [5], left {tv_sec=0, tv_usec=999996})",
        );
        stays("select(6, [3 5], NULL, NULL, {tv_sec=1, tv_usec=1}) = 0 (Timeout)");
    }

    #[test]
    fn pselect_is_pselect6_with_a_mask() {
        folds(
            "pselect_is_pselect6_with_a_mask",
            "pselect6(6, [5], NULL, NULL, {tv_sec=1, tv_nsec=1999}, {sigmask=[USR1], sigsetsize=8}) = 1 (in [5], left {tv_sec=0, tv_nsec=9})",
            "pselect(6, [5], NULL, NULL, {tv_sec=1, tv_nsec=1999}, [USR1]) = 1 (in [5])",
        );
        folds(
            "pselect_is_pselect6_with_a_mask",
            "pselect6(6, [5], NULL, NULL, NULL, {sigmask=NULL, sigsetsize=8}) = 1 (in [5])",
            "pselect(6, [5], NULL, NULL, NULL, NULL) = 1 (in [5])",
        );
    }

    #[test]
    fn ppoll_without_the_size_of_its_mask() {
        folds(
            "ppoll_without_the_size_of_its_mask",
            "ppoll([{fd=3, events=POLLIN}], 1, {tv_sec=1, tv_nsec=5}, [], 8) = 1 ([{fd=3, revents=POLLIN}], left {tv_sec=0, tv_nsec=9})",
            "ppoll([{fd=3, events=POLLIN}], 1, {tv_sec=1, tv_nsec=5}, []) = 1 ([{fd=3, revents=POLLIN}])",
        );
    }

    #[test]
    fn pipe_is_pipe2() {
        folds("pipe_is_pipe2", "pipe2([3, 4], 0) = 0", "pipe([3, 4]) = 0");
        stays("pipe2([3, 4], O_CLOEXEC) = 0");
    }

    #[test]
    fn a_name_has_no_width() {
        folds(
            "a_name_has_no_width",
            "fcntl64(3, F_GETFL) = 0x2 (flags O_RDWR)",
            "fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)",
        );
        folds(
            "a_name_has_no_width",
            "pselect6_time64(4, [3], NULL, NULL, {tv_sec=1, tv_nsec=0}, NULL) = 1 (in [3])",
            "select(4, [3], NULL, NULL, {tv_sec=1, tv_usec=0}) = 1 (in [3])",
        );
        stays("fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)");
    }

    #[test]
    fn socket_timeouts_have_no_age() {
        folds(
            "socket_timeouts_have_no_age",
            r#"setsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, "\1\0\0\0 \241\7\0", 8) = 0"#,
            "setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500000}, 8) = 0",
        );
        folds(
            "socket_timeouts_have_no_age",
            r#"setsockopt(3, SOL_SOCKET, SO_RCVTIMEO_OLD, "\1\0\0\0\0\0\0\0 \241\7\0\0\0\0\0", 16) = 0"#,
            "setsockopt(3, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500000}, 16) = 0",
        );
        folds(
            "socket_timeouts_have_no_age",
            r#"getsockopt(3, SOL_SOCKET, SO_SNDTIMEO_OLD, "\377\377\377\377\377\377\377\377\0\0\0\0\0\0\0\0", [16]) = 0"#,
            "getsockopt(3, SOL_SOCKET, SO_SNDTIMEO, {tv_sec=-1, tv_usec=0}, [16]) = 0",
        );
    }

    #[test]
    fn timestamps_have_no_age() {
        folds(
            "timestamps_have_no_age",
            "getsockopt(3, SOL_SOCKET, SO_TIMESTAMP_OLD, [0], [4]) = 0",
            "getsockopt(3, SOL_SOCKET, SO_TIMESTAMP, [0], [4]) = 0",
        );
        folds(
            "timestamps_have_no_age",
            "recvmsg(3, {msg_control=[{cmsg_type=SO_TIMESTAMP_OLD, cmsg_data={}}]}, 0) = 1",
            "recvmsg(3, {msg_control=[{cmsg_type=SO_TIMESTAMP, cmsg_data={}}]}, 0) = 1",
        );
    }

    #[test]
    fn credentials_are_their_bytes() {
        folds(
            "credentials_are_their_bytes",
            r#"setsockopt(3, SOL_SOCKET, SO_PEERCRED, "\7\0\0\0\377\377\377\377\n\0\0\0", 12) = -1 ENOPROTOOPT (Protocol not available)"#,
            "setsockopt(3, SOL_SOCKET, SO_PEERCRED, {pid=7, uid=-1, gid=10}, 12) = -1 ENOPROTOOPT (Protocol not available)",
        );
    }

    #[test]
    fn sigaction_is_rt_sigaction() {
        folds(
            "sigaction_is_rt_sigaction",
            "rt_sigaction(SIGUSR1, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x7f2e16615f88}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0",
            "sigaction(SIGUSR1, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTART}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}) = 0",
        );
        folds(
            "sigaction_is_rt_sigaction",
            "rt_sigaction(SIGUSR1, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7f2e16615f88}, NULL, 8) = 0",
            "sigaction(SIGUSR1, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}, NULL) = 0",
        );
    }

    #[test]
    fn sa_flags_are_an_int() {
        folds(
            "sa_flags_are_an_int",
            "rt_sigaction(SIGUSR1, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=SA_RESTORER|SA_RESETHAND|0xffffffff00000000, sa_restorer=0x7f2e16615f88}, NULL, 8) = 0",
            "sigaction(SIGUSR1, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=SA_RESETHAND}, NULL) = 0",
        );
    }

    #[test]
    fn sigprocmask_is_rt_sigprocmask() {
        folds(
            "sigprocmask_is_rt_sigprocmask",
            "rt_sigprocmask(SIG_SETMASK, [USR1], [], 8) = 0",
            "sigprocmask(SIG_SETMASK, [USR1], []) = 0",
        );
    }

    #[test]
    fn a_signal_without_our_name_is_a_number() {
        let rule = "a_signal_without_our_name_is_a_number";
        folds(rule, "kill(12, SIGABRT) = 0", "kill(12, 6) = 0");
        folds(rule, "kill(12, SIGRT_2) = 0", "kill(12, 34) = 0");
        stays("kill(12, SIGUSR1) = 0");
        stays("kill(12, 4242) = -1 EINVAL (Invalid argument)");
    }

    #[test]
    fn a_mask_is_spelled_out() {
        folds(
            "a_mask_is_spelled_out",
            "rt_sigprocmask(SIG_SETMASK, [INT ABRT RT_2], [], 8) = 0",
            "sigprocmask(SIG_SETMASK, [INT 6 34], []) = 0",
        );
        let (folded, _) =
            strace(&Call::parse("ppoll([], 0, NULL, ~[INT RTMIN RT_1], 8) = 0").unwrap());
        assert!(folded.args[3].starts_with("[HUP QUIT 4 5 6 "), "{folded}");
        assert!(folded.args[3].ends_with(" 30 31 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64]"), "{folded}");
    }

    #[test]
    fn getown_is_getown_ex() {
        let rule = "getown_is_getown_ex";
        folds(
            rule,
            "fcntl(3, F_GETOWN_EX, {type=F_OWNER_PID, pid=77}) = 0",
            "fcntl(3, F_GETOWN) = 77",
        );
        folds(
            rule,
            "fcntl(3, F_GETOWN_EX, {type=F_OWNER_PGRP, pid=77}) = 0",
            "fcntl(3, F_GETOWN) = -77",
        );
        folds(
            rule,
            "fcntl(3, F_GETOWN_EX, {type=F_OWNER_PID, pid=0}) = 0",
            "fcntl(3, F_GETOWN) = 0",
        );
    }

    #[test]
    fn fasync_is_o_async() {
        folds(
            "fasync_is_o_async",
            "fcntl(3, F_GETFL) = 0x2002 (flags O_RDWR|FASYNC)",
            "fcntl(3, F_GETFL) = 0x2002 (flags O_RDWR|O_ASYNC)",
        );
        stays(r#"send(3, "FASYNC", 6, 0) = 6"#);
    }

    #[test]
    fn an_int_has_a_sign() {
        let rule = "an_int_has_a_sign";
        folds(
            rule,
            "socket(AF_UNIX, SOCK_STREAM, 4294967295) = -1 EPROTONOSUPPORT (Protocol not supported)",
            "socket(AF_UNIX, SOCK_STREAM, -1) = -1 EPROTONOSUPPORT (Protocol not supported)",
        );
        folds(
            rule,
            "fcntl(3, F_DUPFD, 4294967295) = -1 EINVAL (Invalid argument)",
            "fcntl(3, F_DUPFD, -1) = -1 EINVAL (Invalid argument)",
        );
    }

    #[test]
    fn nanoseconds_have_a_sign() {
        folds(
            "nanoseconds_have_a_sign",
            "ppoll([], 0, {tv_sec=0, tv_nsec=18446744073709551615}, NULL, 8) = -1 EINVAL (Invalid argument)",
            "ppoll([], 0, {tv_sec=0, tv_nsec=-1}, NULL) = -1 EINVAL (Invalid argument)",
        );
    }

    #[test]
    fn an_offset_has_a_sign() {
        folds(
            "an_offset_has_a_sign",
            "sendfile(4, 3, [18446744073709551615], 100) = -1 EINVAL (Invalid argument)",
            "sendfile(4, 3, [-1], 100) = -1 EINVAL (Invalid argument)",
        );
        stays("sendfile(4, 3, [0] => [5], 5) = 5");
        stays("sendfile(4, 3, NULL, 5) = 5");
    }

    #[test]
    fn an_address_is_a_token() {
        folds(
            "an_address_is_a_token",
            "accept(3, 0x7ffc1b2ecfc0, [128]) = -1 EAGAIN (Resource temporarily unavailable)",
            "accept(3, ADDRESS, [128]) = -1 EAGAIN (Resource temporarily unavailable)",
        );
        stays("fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)");
        stays(r#"send(3, "0x7ffc1b2ecfc0", 14, 0) = 14"#);
        stays(
            "socket(0x1092 /* AF_??? */, SOCK_STREAM, 0) = -1 EAFNOSUPPORT (Address family not supported by protocol)",
        );
    }

    #[test]
    fn a_set_that_is_not_read_is_empty() {
        folds(
            "a_set_that_is_not_read_is_empty",
            "pselect6(-1, 0x7ffc1b2ecfc0, NULL, NULL, NULL, NULL) = -1 EINVAL (Invalid argument)",
            "select(-1, [], NULL, NULL, NULL) = -1 EINVAL (Invalid argument)",
        );
    }

    #[test]
    fn every_rule_has_its_test() {
        let this = include_str!("fold.rs");
        for (name, _) in RULES {
            assert!(this.matches(&format!("fn {name}()")).count() == 1, "{name} has no test");
        }
    }

    #[test]
    fn select_carries_microseconds() {
        let folded = |line| ours(&Call::parse(line).unwrap()).to_string();
        assert_eq!(
            folded("select(0, NULL, NULL, NULL, {tv_sec=1, tv_usec=2500000}) = 0 (Timeout) (libc)"),
            "select(0, NULL, NULL, NULL, {tv_sec=3, tv_usec=500000}) = 0 (Timeout)"
        );
        assert_eq!(
            folded(
                "select(0, NULL, NULL, NULL, {tv_sec=9223372036854775807, tv_usec=1000000}) = 0 (Timeout) (libc)"
            ),
            "select(0, NULL, NULL, NULL, {tv_sec=9223372036854775807, tv_usec=999999}) = 0 (Timeout)"
        );
    }

    #[test]
    fn sockatmark_is_an_ioctl() {
        let folded = |line| ours(&Call::parse(line).unwrap()).to_string();
        assert_eq!(folded("sockatmark(5) = 1"), "ioctl(5, SIOCATMARK, [1]) = 0");
        assert_eq!(
            folded("sockatmark(5) = -1 ENOTTY (Inappropriate ioctl for device)"),
            "ioctl(5, SIOCATMARK, ADDRESS) = -1 ENOTTY (Inappropriate ioctl for device)"
        );
    }

    #[test]
    fn without_what_is_untold() {
        let answered = "poll([{fd=3, events=POLLIN}], 1, -1) = 1 ([{fd=3, revents=POLLIN}])";
        let folded = |theirs: &str| {
            let mut ours = Call::parse(answered).unwrap();
            super::without_what_is_untold(&mut ours, &Call::parse(theirs).unwrap());
            ours.to_string()
        };
        let untold = "poll([{fd=3, events=POLLIN}], 1, -1) = 1 (untold)";
        assert_eq!(folded(untold), untold);
        assert_ne!(folded(&untold.replace("= 1", "= 2")), untold.replace("= 1", "= 2"));
        assert_eq!(folded(answered), answered);
    }

    #[test]
    fn refused_calls_and_those_that_libc_changed_have_no_counterpart() {
        let has_none = |line| has_no_counterpart(&Call::parse(line).unwrap());
        assert!(has_none(
            "select(1025, [], NULL, NULL, NULL) = -1 EINVAL (Invalid argument) (refused)"
        ));
        assert!(has_none(
            "select(0, NULL, NULL, NULL, {tv_sec=-1, tv_usec=0}) = -1 EINVAL (Invalid argument) (libc)"
        ));
        assert!(has_none("sigaction(33, NULL, NULL) = -1 EINVAL (Invalid argument) (libc)"));
        assert!(!has_none(
            "select(0, NULL, NULL, NULL, {tv_sec=0, tv_usec=2000000}) = 0 (Timeout) (libc)"
        ));
        assert!(!has_none(
            "select(-1, NULL, NULL, NULL, {tv_sec=0, tv_usec=0}) = -1 EINVAL (Invalid argument)"
        ));
        assert!(!has_none(r#"send(3, "x (refused)", 11, 0) = 11"#));
    }
}
