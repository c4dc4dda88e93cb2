//! The pictures of the README are real output. `SNAPSHOTS=overwrite cargo test --test program pictures` draws the trace again;
//! look at it then. The measurements are of one run on a quiet machine; the tests compare only the words beside them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::*;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

/// The bare loop over select, from its start to the end of its first client, explained.
#[test]
fn a_trace() {
    // What was inherited of the low numbers is closed, so that they are those of a program that a person starts.
    let closing: String = (3..=9).map(|number| format!("exec {number}>&-; ")).collect();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{closing} exec \"$0\" \"$@\""), BARESOCK]);
    command.args(["bare", "127.0.0.1:0", "--explain", "--color", "always"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = KilledAtEnd(command.spawn().unwrap());
    let trace = BufReader::new(server.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines_of(server.0.stdout.take().unwrap()).recv_timeout(PATIENCE).unwrap();
    let address = address_in(&listening);

    let client = std::net::TcpStream::connect(address).unwrap();
    let peer = client.local_addr().unwrap();
    assert_echo(&client, b"hello\n");
    drop(client);

    let mut shown = String::new();
    let mut has_closed = false;
    // As far as the close, and what is said of it.
    for line in trace {
        shown.push_str(&line);
        shown.push('\n');
        if has_closed {
            break;
        }
        has_closed = line.contains("close\u{1b}[0m(");
    }
    let shown = shown
        .replace(&address.port().to_string(), "7007")
        .replace(&peer.port().to_string(), "51344");
    assert_is_picture("trace.svg", &without_addresses_in_memory(&shown));
}

/// `0x7ffc1b2ecfc0` is another one each time, and has eight digits in a 32-bit program.
fn without_addresses_in_memory(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut plain = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let after = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        let is_address = part.len() - after.len() >= 8;
        plain.push_str(if is_address { "0x7ffc1b2ecfc0" } else { "0x" });
        plain.push_str(if is_address { after } else { part });
    }
    plain
}

#[track_caller]
fn assert_is_picture(name: &str, ansi: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures").join(name);
    let picture = Data::read_from(&path, Some(DataFormat::TermSvg));
    Assert::new().action_env("SNAPSHOTS").normalize_paths(false).eq(Data::text(ansi), picture);
}

/// A picture that is measured now has the words and the colours of the one that is kept.
#[test]
fn the_measurements() {
    if cfg!(not(target_os = "linux")) {
        // Others do not tell the processor time of a server, and so draw its rate.
        return;
    }
    if !can_have_descriptors(2_000) {
        return;
    }
    let place = TempDir::new();
    let file = place.file("now.svg");
    let output = baresock(&["compare", "--quick", "--svg", text(&file)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let now = std::fs::read_to_string(&file).unwrap();
    let kept = include_str!("../../pictures/select-poll.svg");
    assert_eq!(style(kept), style(&now));
    assert_eq!(words(kept), words(&now), "measure again, and put the picture and the figures in");
    for part in ["descriptors ready, of 1000 watched", "echo server: µs of CPU for a request"] {
        assert!(words(kept).contains(&part), "{part}");
    }
}

fn style(svg: &str) -> &str {
    svg.split("<style>").nth(1).unwrap().split("</style>").next().unwrap()
}

/// What is written in it: no figures, and not the title, which names the machine.
fn words(svg: &str) -> Vec<&str> {
    let texts = svg.split("<text").skip(1).map(|rest| rest.split_once('>').unwrap().1);
    let texts = texts.map(|rest| rest.split("</text>").next().unwrap().trim());
    let is_figure = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let is_word = |text: &&str| !is_figure(text) && !text.starts_with("select and poll");
    texts.filter(is_word).collect()
}
