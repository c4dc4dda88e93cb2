//! What musl's functions ask of the kernel where glibc's ask something else: one call of C is several calls of the kernel, which
//! are joined here, or a call with more in it. Read in the source of musl 1.2.3; every rule is of these functions alone.

use baresock::names::Errno;
use baresock::os::system::{System, this_system};

use super::call::Call;
use super::lines::Seen;

/// Whether the traced program has musl.
pub(crate) fn is_here() -> bool {
    this_system() == System::LinuxMusl
}

/// What musl does for itself. It blocks all signals while it makes a thread or a process, or stops all threads for a call such
/// as setresuid, with a signal that it keeps from wrappers; it lets its own signals through before the first handler. (No
/// wrapper blocks or unblocks single signals, or sets a mask without asking for the one before.) And its open, which has just
/// given this descriptor, sets the flag again, for kernels that knew no O_CLOEXEC.
pub(crate) fn is_own(call: &Call, opened: Option<&str>) -> bool {
    let args: Vec<&str> = call.args.iter().map(String::as_str).collect();
    match (call.name.as_str(), &args[..]) {
        ("rt_sigprocmask", ["SIG_BLOCK", "~[RTMIN RT_1 RT_2]" | "~[]", ..])
        | ("rt_sigprocmask", ["SIG_UNBLOCK", "[RT_1 RT_2]", "NULL", _])
        | ("rt_sigprocmask", ["SIG_SETMASK", _, "NULL", _])
        | ("rt_sigaction", ["SIGRT_2", ..]) => true,
        ("fcntl", [fd, "F_SETFD", "FD_CLOEXEC"]) => opened == Some(fd),
        _ => false,
    }
}

/// strace's calls, with those joined that musl makes for one call of C.
pub(crate) fn joined(seen: Vec<Seen>) -> Vec<Seen> {
    let mut whole = Vec::new();
    let mut rest = seen.into_iter().collect::<std::collections::VecDeque<_>>();
    while let Some(first) = rest.pop_front() {
        let more = match &first {
            Seen::Call(call, _) => tried_again(call, rest.make_contiguous()),
            Seen::WroteTrace => None,
        };
        let Some((call, others)) = more else {
            whole.push(first);
            continue;
        };
        rest.drain(..others);
        let line = call.to_string();
        whole.push(Seen::Call(call, line));
    }
    whole
}

/// After these failures musl tries the call in another way, as an old kernel would need it: the call as its caller sees it, and
/// how many of the next ones belong to it.
fn tried_again(call: &Call, after: &[Seen]) -> Option<(Call, usize)> {
    let nth = |at: usize| match after.get(at) {
        Some(Seen::Call(call, _)) => Some(call),
        _ => None,
    };
    let next = nth(0)?;
    let failed_with = |errno: &str| call.result.starts_with(&format!("-1 {errno} "));
    match call.name.as_str() {
        // accept4 does without its flags.
        "accept4" if failed_with("EINVAL") && next.name == "accept" => {
            let mut whole = Call { name: "accept4".into(), ..next.clone() };
            whole.args.push(call.args[3].clone());
            (whole.args[0] == call.args[0]).then_some((whole, 1))
        }
        // So do these, without the flags in their type.
        "socket" | "socketpair" if failed_with("EINVAL") || failed_with("EPROTONOSUPPORT") => {
            let is_flag = |part: &&str| matches!(*part, "SOCK_CLOEXEC" | "SOCK_NONBLOCK");
            let flags = kind_of(call).split('|').filter(is_flag).count();
            let without: Vec<_> = kind_of(call).split('|').filter(|part| !is_flag(part)).collect();
            let is_again =
                flags > 0 && next.name == call.name && kind_of(next) == without.join("|");
            let whole = Call { result: next.result.clone(), ..call.clone() };
            (is_again && next.args[2] == call.args[2]).then_some((whole, 1))
        }
        // It looks whether the kernel has the command at all, with a number that is allowed.
        "fcntl" if call.args[1] == "F_DUPFD_CLOEXEC" && failed_with("EINVAL") => {
            let is_look =
                next.name == "fcntl" && next.args[..] == [&call.args[0], "F_DUPFD_CLOEXEC", "0"];
            let closes = |one: &Call| one.name == "close" && one.args[..] == [next.result.as_str()];
            is_look.then(|| (call.clone(), 1 + usize::from(nth(1).is_some_and(closes))))
        }
        // It sets the flag again.
        "fcntl" if call.args[1] == "F_DUPFD_CLOEXEC" && next.name == "fcntl" => {
            let sets_again = next.args[..] == [call.result.as_str(), "F_SETFD", "FD_CLOEXEC"];
            sets_again.then(|| (call.clone(), 1))
        }
        _ => None,
    }
}

/// The type of a socket, without the remark behind a number that strace has no name for.
fn kind_of(call: &Call) -> &str {
    call.args[1].split(" /*").next().unwrap_or_default()
}

/// musl's sendmmsg sends one message after the other, up to the first failure: the one call that those are, and how many they
/// are. What was not tried is as the caller has it.
pub(crate) fn sent_one_by_one(ours: &Call, seen: &[Seen]) -> Option<(Call, usize)> {
    let rows = rows_of(ours)?;
    let (mut told, mut sent, mut failed) = (Vec::new(), 0, None);
    for seen in seen.iter().take(rows.len()) {
        let Seen::Call(one, _) = seen else { break };
        if one.name != "sendmsg" || one.args[0] != ours.args[0] || one.args[2] != ours.args[3] {
            break;
        }
        let message = &one.args[1];
        if one.result.parse::<usize>().is_ok() {
            sent += 1;
            told.push(format!("{{msg_hdr={message}, msg_len={}}}", one.result));
            continue;
        }
        told.push(format!("{{msg_hdr={message}}}"));
        failed = Some(one.result.clone());
        break;
    }
    let made = told.len();
    told.extend(rows.into_iter().skip(made));
    let result = failed.filter(|_| sent == 0).unwrap_or_else(|| sent.to_string());
    let mut whole = Call { result, ..ours.clone() };
    whole.args[1] = format!("[{}]", told.join(", "));
    (made > 0).then_some((whole, made))
}

/// The rows of a sendmmsg.
fn rows_of(call: &Call) -> Option<Vec<String>> {
    let inside = call.args.get(1)?.strip_prefix('[')?.strip_suffix(']')?;
    (call.name == "sendmmsg")
        .then(|| Call::parse(&format!("rows({inside}) = 0")))?
        .map(|rows| rows.args)
}

/// What musl answers by itself: no messages to send, and control data beyond the 1,024 bytes that its sendmsg has room for.
pub(crate) fn asks_nothing(call: &Call) -> bool {
    match call.name.as_str() {
        "sendmmsg" => call.args[2] == "0",
        "sendmsg" => call.result.starts_with("-1 ENOMEM ") && call.args[1].contains("SCM_RIGHTS"),
        _ => false,
    }
}

/// Without flags musl's accept4 is accept.
pub(super) fn accept4_without_flags_is_accept(call: &mut Call) {
    if call.name == "accept4" && call.args[3] == "0" {
        call.name = "accept".into();
        call.args.truncate(3);
    }
}

/// strace has the words of its own C library for an errno, which are glibc's.
pub(super) fn an_errno_has_musls_words(call: &mut Call) {
    let Some((name, rest)) = call.result.strip_prefix("-1 ").and_then(|rest| rest.split_once(" ("))
    else {
        return;
    };
    if let (Some(errno), Some((_, after))) = (Errno::from_name(name), rest.split_once(')')) {
        call.result = format!("-1 {name} ({}){after}", errno.text());
    }
}

/// musl's select hands the kernel a copy of the timeout, and keeps what is left of it from the caller.
pub(super) fn select_keeps_what_is_left(call: &mut Call) {
    if call.name == "select" {
        call.result = super::fold::without_what_is_left(&call.result);
    }
}

/// musl's `fcntl` adds to the flags that files may be long, also to those that the caller has read and passes again.
pub(super) fn files_may_be_long(call: &mut Call) {
    if call.name == "fcntl" && call.args[1] == "F_SETFL" {
        call.args[2] = call.args[2].replace("|O_LARGEFILE", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(lines: &[&str]) -> Vec<Seen> {
        let call = |line: &&str| Seen::Call(Call::parse(line).unwrap(), line.to_string());
        lines.iter().map(call).collect()
    }

    fn joins(lines: &[&str], whole: &[&str]) {
        let line = |seen: &Seen| match seen {
            Seen::Call(call, _) => call.to_string(),
            Seen::WroteTrace => "(trace)".to_string(),
        };
        assert_eq!(joined(calls(lines)).iter().map(line).collect::<Vec<_>>(), whole);
    }

    #[test]
    fn a_second_try_is_one_call_with_the_first() {
        let refused =
            "accept4(7, ADDRESS, [128], 0x40 /* SOCK_??? */) = -1 EINVAL (Invalid argument)";
        joins(
            &[refused, "accept(7, {sa_family=AF_UNIX}, [128 => 2]) = 9"],
            &["accept4(7, {sa_family=AF_UNIX}, [128 => 2], 0x40 /* SOCK_??? */) = 9"],
        );
        joins(&[refused, "accept(8, NULL, NULL) = 9"], &[refused, "accept(8, NULL, NULL) = 9"]);
        let refused = "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 99) = -1 EPROTONOSUPPORT (x)";
        joins(&[refused, "socket(AF_UNIX, SOCK_STREAM, 99) = -1 EPROTONOSUPPORT (x)"], &[refused]);
        let refused = "socket(AF_INET, SOCK_CLOEXEC|0xf, 0) = -1 EINVAL (x)";
        joins(&[refused, "socket(AF_INET, 0xf /* SOCK_??? */, 0) = -1 EINVAL (x)"], &[refused]);
        let refused = "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 99) = -1 EPROTONOSUPPORT (x)";
        let other = "socket(AF_UNIX, SOCK_DGRAM, 99) = -1 EPROTONOSUPPORT (x)";
        joins(&[refused, other], &[refused, other]);
        let refused = "fcntl(3, F_DUPFD_CLOEXEC, 4294967295) = -1 EINVAL (Invalid argument)";
        let look = "fcntl(3, F_DUPFD_CLOEXEC, 0) = 9";
        joins(&[refused, look, "close(9) = 0", "close(3) = 0"], &[refused, "close(3) = 0"]);
        joins(&[refused, look, "close(3) = 0"], &[refused, "close(3) = 0"]);
        joins(&[refused, "close(9) = 0"], &[refused, "close(9) = 0"]);
        let made = "fcntl(3, F_DUPFD_CLOEXEC, 0) = 9";
        joins(&[made, "fcntl(9, F_SETFD, FD_CLOEXEC) = 0"], &[made]);
        joins(
            &[made, "fcntl(3, F_SETFD, FD_CLOEXEC) = 0"],
            &[made, "fcntl(3, F_SETFD, FD_CLOEXEC) = 0"],
        );
    }

    #[test]
    fn messages_that_are_sent_one_by_one_are_one_call() {
        let ours =
            "sendmmsg(7, [{msg_hdr={a, b}, msg_len=4}, {msg_hdr={c}}, {msg_hdr={d}}], 3, 0) = 1";
        let ours = Call::parse(ours).unwrap();
        let sent =
            ["sendmsg(7, {a, b}, 0) = 4", "sendmsg(7, {c}, 0) = -1 EMSGSIZE (x)", "close(7) = 0"];
        let (whole, made) = sent_one_by_one(&ours, &calls(&sent)).unwrap();
        assert_eq!((whole, made), (ours.clone(), 2));
        let (whole, _) = sent_one_by_one(&ours, &calls(&sent[1..])).unwrap();
        assert_eq!(whole.result, "-1 EMSGSIZE (x)");
        let (whole, made) = sent_one_by_one(&ours, &calls(&["sendmsg(7, {a, x}, 0) = 4"])).unwrap();
        assert!(whole != ours && made == 1);
        assert_eq!(sent_one_by_one(&ours, &calls(&["sendmsg(8, {a, b}, 0) = 4"])), None);
    }

    #[test]
    fn only_what_no_wrapper_does_is_musls_own() {
        let is_own = |line| is_own(&Call::parse(line).unwrap(), Some("7"));
        assert!(is_own("fcntl(7, F_SETFD, FD_CLOEXEC) = 0"));
        assert!(!is_own("fcntl(8, F_SETFD, FD_CLOEXEC) = 0"));
        assert!(is_own("rt_sigprocmask(SIG_BLOCK, ~[RTMIN RT_1 RT_2], [USR1], 8) = 0"));
        assert!(is_own("rt_sigprocmask(SIG_SETMASK, [USR1], NULL, 8) = 0"));
        assert!(!is_own("rt_sigprocmask(SIG_SETMASK, [USR1], [], 8) = 0"));
        assert!(!is_own("rt_sigprocmask(SIG_BLOCK, [USR1], [], 8) = 0"));
    }

    #[test]
    fn each_rule_changes_its_own_call_alone() {
        let by = |rule: fn(&mut Call), line| {
            let mut call = Call::parse(line).unwrap();
            rule(&mut call);
            call.to_string()
        };
        let select = "select(4, [3], NULL, NULL, {tv_sec=5, tv_usec=0}) = 1 (in [3]";
        let left = format!("{select}, left {{tv_sec=4, tv_usec=9}})");
        assert_eq!(by(select_keeps_what_is_left, &left), format!("{select})"));
        let long = "fcntl(3, F_SETFL, O_RDWR|O_LARGEFILE) = 0";
        assert_eq!(by(files_may_be_long, long), "fcntl(3, F_SETFL, O_RDWR) = 0");
        let open = "openat(AT_FDCWD, \"x\", O_RDWR|O_LARGEFILE) = 3";
        assert_eq!(by(files_may_be_long, open), open);
        let plain = "accept4(3, NULL, NULL, 0) = 4";
        assert_eq!(by(accept4_without_flags_is_accept, plain), "accept(3, NULL, NULL) = 4");
    }
}
