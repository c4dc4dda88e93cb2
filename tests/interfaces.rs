//! Addresses of a link: the interface that belongs to them is asked for, and told by its name.
#![cfg(linux)]
// In a test a panic is the message, also outside of the functions marked as tests.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::process::Command;

use support::*;

/// Runs a script in a network of its own, where eth0 has the address fe80::7; `$0` is the program. `None` if this
/// machine does not allow that.
fn on_a_link(script: &str) -> Option<String> {
    const LINK: &str = "ip link set lo up && ip link add eth0 type veth peer name eth1 \
         && ip link set eth0 up && ip link set eth1 up && ip -6 addr add fe80::7/64 dev eth0 nodad";
    if !has_program("ip") || !has_program("unshare") {
        return None;
    }
    let run = |script: &str| {
        let script = format!("{LINK} && {{ {script}\n}}");
        output_of(Command::new("unshare").args(["-rn", "sh", "-c", &script, BARESOCK]))
    };
    if !run("true").status.success() {
        skipped("a network of one's own, with a link, is not to be had here");
        return None;
    }
    let output = run(script);
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn an_interface_that_was_typed_is_told_by_its_name() {
    for via in ["select", "poll"] {
        let place = TempDir::new();
        let script = format!(
            "cd {}
             \"$0\" serve 'echo=[fe80::7%eth0]:7007' -v --via {via} --trace >listening 2>server &
             until grep -q listening listening; do sleep 0.01; done
             echo hello | \"$0\" connect -v --via {via} '[fe80::7%eth0]:7007' 2>client
             echo hello | \"$0\" connect -q --trace=json '[fe80::7%eth0]:7007' 2>json
             kill $!; wait $!
             grep -h . listening server client json",
            text(&place.file("."))
        );
        let Some(told) = on_a_link(&script) else { return };
        for part in [
            "listening echo [fe80::7%eth0]:7007 (",
            "{sa_family=AF_INET6, sin6_port=htons(7007), sin6_flowinfo=htonl(0), \
             inet_pton(AF_INET6, \"fe80::7\", &sin6_addr), sin6_scope_id=if_nametoindex(\"eth0\")}",
            "[fe80::7%eth0]:7007: connected",
            "[fe80::7%eth0]:7007: the peer has finished: 6 bytes sent, 6 received",
        ] {
            assert!(told.contains(part), "{part} is missing in {told}");
        }
        // A JSON trace is read on other machines, where the number is not that of eth0.
        let json: Vec<&str> = told.lines().filter(|line| line.starts_with('{')).collect();
        assert!(json.iter().any(|line| line.contains("[fe80::7%")), "{told}");
        // What was typed stands in the call that looks it up.
        let asks = |line: &&&str| line.contains("\"call\":\"getaddrinfo\"");
        assert!(
            json.iter().filter(|line| !asks(line)).all(|line| !line.contains("%eth0")),
            "{told}"
        );
    }
}

#[test]
fn an_address_of_a_link_without_its_interface_is_refused_with_a_hint() {
    let commands =
        ["serve 'echo=[fe80::7]:7008'", "bare '[fe80::7]:7008'", "connect '[fe80::7]:7007'"];
    for command in commands {
        let script = format!("\"$0\" {command} 2>&1 </dev/null; echo \"status $?\"");
        let Some(told) = on_a_link(&script) else { return };
        let call = if command.starts_with("connect") { "connect" } else { "bind" };
        let begin = format!("baresock: {call} [fe80::7]:700");
        assert!(
            told.starts_with(&begin) && told.contains(": EINVAL (Invalid argument): "),
            "{told}"
        );
        assert!(told.contains("name its interface, as in [fe80::1%eth0]:PORT"), "{told}");
        assert!(told.ends_with("\nstatus 1\n") && told.lines().count() == 2, "{told}");
    }
}
