//! Connections that the kernel aborts for reasons of its own.

use std::fs;

/// How many TCP connections the kernel of this machine (in this network namespace) has aborted because it had no memory for
/// them; `None` where the system does not tell. Their peers get a reset that neither program has asked for.
pub fn aborted_for_lack_of_memory() -> Option<u64> {
    counter(&fs::read_to_string("/proc/net/netstat").ok()?, "TcpExt:", "TCPAbortOnMemory")
}

/// The file has two lines for each protocol: the names of its counters, and their values.
fn counter(text: &str, protocol: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(protocol));
    let names = lines.next()?.split_whitespace();
    let values = lines.next()?.split_whitespace();
    names.zip(values).find(|(one, _)| *one == name)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_stands_below_its_name() {
        let text = "TcpExt: A TCPAbortOnMemory B\nTcpExt: 1 27 3\nIpExt: A B\nIpExt: 4 5\n";
        assert_eq!(counter(text, "TcpExt:", "TCPAbortOnMemory"), Some(27));
        assert_eq!(counter(text, "IpExt:", "B"), Some(5));
        assert_eq!(counter(text, "TcpExt:", "C"), None);
        assert_eq!(counter("", "TcpExt:", "A"), None);
    }

    #[test]
    fn linux_has_the_counter() {
        if fs::exists("/proc/net/netstat").is_ok_and(|exists| exists) {
            assert!(aborted_for_lack_of_memory().is_some());
        }
    }
}
