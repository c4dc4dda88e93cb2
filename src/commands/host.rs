//! `baresock host`: the properties of sockets on this machine.

use std::fmt::Write;

use baresock::cli;
use baresock::os::host::{Here, HostFacts, host};
use baresock::os::layouts::Layout;
use baresock::trace::wrapping::paragraph;

use super::columns::{columns_of_prose, fitted_to_output};
use super::failure::Failure;
use super::messages::print;

/// Prints the properties.
pub(crate) fn run(asked: &cli::HostArgs) -> Result<(), Failure> {
    let host = host();
    if asked.json {
        let json = serde_json::to_string_pretty(&host).map_err(Failure::new)?;
        return print(format!("{json}\n").as_bytes());
    }
    print(fitted_to_output(in_words(&host)).as_bytes())
}

fn in_words(host: &HostFacts) -> String {
    let mut out = format!("{}\n", host.system.escape_debug());
    let mut part = |title: &str, lines: Vec<String>| {
        let _ = write!(out, "\n{title}\n");
        lines.iter().for_each(|line| {
            let _ = writeln!(out, "  {}", line.trim_end());
        });
    };
    part("Byte order", byte_order(host));
    part("Descriptors", descriptors(host));
    part("Listening", listening(host));
    part("Buffers (bytes, as getsockopt returns them)", buffers(host));
    part("Socket addresses in memory", host.addresses.iter().flat_map(layout).collect());
    part("Calls and flags", calls_and_flags(host));
    part("Which machines can reach a server bound to", reach(host));
    out
}

fn byte_order(host: &HostFacts) -> Vec<String> {
    let order = &host.byte_order;
    let mut lines = vec![
        format!("this machine is {}", order.host),
        format!("port {} in memory:  {}", order.port, order.in_host_order),
        format!("htons({}):          {}", order.port, order.in_network_order),
    ];
    lines.push(if order.without_htons == order.port {
        "without htons nothing changes here".to_string()
    } else {
        format!("without htons it would be port {}", order.without_htons)
    });
    lines
}

fn number(number: Option<u64>) -> String {
    number.map_or("not reported here".to_string(), |number| number.to_string())
}

fn descriptors(host: &HostFacts) -> Vec<String> {
    let HostFacts { fd_setsize, fd_set_bytes, descriptors, .. } = host;
    let hard = descriptors.hard.map_or("unlimited".to_string(), |hard| hard.to_string());
    vec![
        format!("FD_SETSIZE {fd_setsize}; sizeof(fd_set) {fd_set_bytes} bytes"),
        format!("limit of this process {} (soft), {hard} (hard)", number(descriptors.soft)),
        // The highest possible number means "no limit".
        match descriptors.system {
            Some(system) if system >= i64::MAX as u64 => {
                "limit of the whole system: none".to_string()
            }
            system => format!("limit of the whole system: {}", number(system)),
        },
    ]
}

fn listening(host: &HostFacts) -> Vec<String> {
    let backlog = &host.backlog;
    let ports = host.ephemeral_ports.map_or("not reported here".to_string(), |[first, last]| {
        format!("{first} to {last} ({} of them)", (last + 1).saturating_sub(first))
    });
    vec![
        format!(
            "SOMAXCONN {} (the header); the kernel allows {}",
            backlog.somaxconn,
            number(backlog.setting)
        ),
        backlog.in_force.map_or(
            "what a listener gets that asks for more is not reported here".to_string(),
            |in_force| format!("a listener that asks for more gets {in_force}"),
        ),
        format!("ephemeral ports: {ports}"),
    ]
}

fn buffers(host: &HostFacts) -> Vec<String> {
    let line = |buffer: &baresock::os::host::Buffer| {
        format!(
            "{:11} {}  {:>9} by default  {:>10} at most",
            buffer.socket, buffer.option, buffer.default_bytes, buffer.most_bytes
        )
    };
    host.buffers.iter().map(line).collect()
}

fn layout(layout: &Layout) -> Vec<String> {
    let example =
        layout.example.as_ref().map_or(String::new(), |example| format!(", as {example}"));
    let mut lines = vec![format!("{}: {} bytes{example}", layout.name, layout.size)];
    lines.extend(layout.fields.iter().map(|field| {
        let end = field.offset + field.size - 1;
        let bytes = field.bytes.as_deref().unwrap_or_default();
        let place =
            if field.size == 1 { end.to_string() } else { format!("{}-{end}", field.offset) };
        format!("  {place:>7}  {:14} {bytes}", field.name)
    }));
    lines
}

fn calls_and_flags(host: &HostFacts) -> Vec<String> {
    let names = |all: &[Here], here: bool| {
        let names = all.iter().filter(|one| one.here == here).map(|one| one.name);
        names.collect::<Vec<_>>().join(" ")
    };
    let mut lines = Vec::new();
    for (what, all) in [("calls", &host.calls), ("flags", &host.flags)] {
        for (state, here) in [("here", true), ("not here", false)] {
            let names = names(all, here);
            let names = if names.is_empty() { "none".to_string() } else { names };
            lines.extend(folded(&format!("{what} {state}: "), &names));
        }
    }
    lines
}

/// Words in lines of the terminal's width, below each other.
fn folded(head: &str, words: &str) -> Vec<String> {
    // Each line is indented by two columns.
    let text = paragraph(&format!("{head}{words}"), columns_of_prose() - 4, 0, 2);
    text.lines().map(str::to_string).collect()
}

fn reach(host: &HostFacts) -> Vec<String> {
    let mut lines = Vec::new();
    for address in &host.bindable {
        lines.push(format!("{:10} {:24} {}", "", address.address, address.reached_by));
    }
    for interface in &host.interfaces {
        let name = interface.name.escape_debug().to_string();
        let down = if interface.up { "" } else { " (down)" };
        if interface.addresses.is_empty() {
            lines.push(format!("{name:10} no address{down}"));
        }
        for address in &interface.addresses {
            lines.push(format!("{name:10} {:24} {}{down}", address.address, address.reached_by));
        }
    }
    lines
}
