//! What takes a network of its own: addresses of a link, whose interface is asked for and told by its name; and a kernel that
//! has one port to give.
#![cfg(linux)]

use std::process::Command;

use crate::support::*;

/// A network where eth0 has the address fe80::7.
const LINK: &str = "ip link set lo up && ip link add eth0 type veth peer name eth1 \
     && ip link set eth0 up && ip link set eth1 up && ip -6 addr add fe80::7/64 dev eth0 nodad";
/// A network where the kernel has only this port for clients.
const ONE_PORT: &str =
    "ip link set lo up && echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range";

fn on_a_link(script: &str) -> Option<String> {
    in_a_network(LINK, script)
}

/// Runs a script in a network of its own; `$0` is the program. `None` if this machine does not allow that.
fn in_a_network(network: &str, script: &str) -> Option<String> {
    if !has_program("ip") || !has_program("unshare") {
        return None;
    }
    let run = |script: &str| {
        let script = format!("{network} && {{ {script}\n}}");
        output_of(Command::new("unshare").args(["-rn", "sh", "-c", &script, BARESOCK]))
    };
    if !run("true").status.success() {
        skipped("a network of one's own is not to be had here");
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
        assert!(told.contains("the name of its interface, as in [fe80::1%eth0]:PORT"), "{told}");
        assert!(told.ends_with("\nstatus 1\n") && told.lines().count() == 2, "{told}");
    }
}

#[test]
fn a_connection_to_itself_is_told_and_its_port_is_free_at_once() {
    for via in ["select", "poll"] {
        let place = TempDir::new();
        let script = format!(
            "cd {}
             echo hello | \"$0\" connect --via {via} 127.0.0.1:40000 >answer 2>client; echo \"status $?\"
             \"$0\" serve relay=127.0.0.1:9000,to=127.0.0.1:40000 --via {via} >listening 2>relay &
             until grep -q listening listening; do sleep 0.01; done
             echo hello | \"$0\" connect -q --via {via} 127.0.0.1:9000 >>answer 2>through; echo \"status $?\"
             kill $!; wait $!
             \"$0\" serve echo=127.0.0.1:40000 --via {via} >at_last 2>server &
             until grep -q listening at_last || ! kill -0 $!; do sleep 0.01; done
             kill $!; wait $!
             grep . answer client relay through server at_last",
            text(&place.file("."))
        );
        let Some(told) = in_a_network(ONE_PORT, &script) else { return };
        assert_eq!(told.matches("status 1").count(), 2, "{told}");
        assert!(!told.contains("answer:"), "nothing came back: {told}");
        let itself = "baresock: connect 127.0.0.1:40000: the socket was connected to itself, because no program listens there";
        assert!(told.contains(&format!("client:{itself}")), "{told}");
        let relays = format!("relay:{itself}");
        let line = told.lines().find(|line| line.starts_with(&relays)).expect(&told);
        assert!(line.ends_with("(explain self-connection): the server continues"), "{told}");
        assert!(told.contains("at_last:listening echo 127.0.0.1:40000"), "{told}");
    }
}
