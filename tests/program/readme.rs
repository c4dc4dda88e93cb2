//! What the README and the pages in `docs` show is what happens: the example of the library, and every command of a console.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use baresock::labs::GROUPS;
use baresock::sys::*;

const README: &str = include_str!("../../README.md");
/// The pages, with the folder that their links start from.
const PAGES: &[(&str, &str, &str)] = &[
    ("README.md", "", README),
    ("CONTRIBUTING.md", "", CONTRIBUTING),
    ("docs/labs.md", "docs", LABS),
    ("docs/services.md", "docs", include_str!("../../docs/services.md")),
    ("docs/compare.md", "docs", include_str!("../../docs/compare.md")),
    ("docs/systems.md", "docs", include_str!("../../docs/systems.md")),
    ("docs/read.md", "docs", include_str!("../../docs/read.md")),
    ("docs/judge.md", "docs", include_str!("../../docs/judge.md")),
    ("docs/view.md", "docs", include_str!("../../docs/view.md")),
    ("docs/source.md", "docs", SOURCE),
];
const LABS: &str = include_str!("../../docs/labs.md");
const SOURCE: &str = include_str!("../../docs/source.md");
const CHANGELOG: &str = include_str!("../../CHANGELOG.md");
const CONTRIBUTING: &str = include_str!("../../CONTRIBUTING.md");
const THIS_FILE: &str = include_str!("readme.rs");
const PROGRAM: &str = env!("CARGO_BIN_EXE_baresock");

// The example begins.
fn example() -> Result<()> {
    let [one, other] = socketpair(AF_UNIX, SOCK_STREAM, Protocol::default())?;
    send(&one, b"hello", MSG_NOSIGNAL)?;

    let mut readable = FdSet::new();
    readable.set(&other).expect("a small number");
    let ready = select(readable.nfds(), Some(&mut readable), None, None, None)?;
    assert_eq!((ready, readable.isset(&other)), (1, true));

    let mut buf = [0; 64];
    let received = recv(&other, &mut buf, MsgFlags::NONE)?;
    assert_eq!(&buf[..received], b"hello");
    Ok(())
}
// The example ends.

#[test]
fn the_example_of_the_library_runs() {
    example().unwrap();
    let after = THIS_FILE.split("// The example begins.\n").nth(1).unwrap();
    let example = after.split("// The example ends.").next().unwrap();
    let as_main = example.replace("fn example()", "fn main()");
    assert!(README.contains(as_main.trim_end()), "the README has another example than this test");
}

/// A server that ends with its console.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_console_shows_what_happens() {
    let consoles = PAGES.iter().flat_map(|(_, _, page)| page.split("```console\n").skip(1));
    let consoles: Vec<&str> = consoles.collect();
    assert!(consoles.len() >= 4, "{} consoles", consoles.len());
    for console in consoles {
        play(console.split("```").next().unwrap());
    }
}

/// Runs the commands of a console and compares what they print. Its ports are those of a reader's machine; here others
/// are free.
fn play(console: &str) {
    let console = with_free_ports(console);
    let mut servers = Vec::new();
    assert!(console.contains("$ "), "{console}");
    for step in console.split("$ ").skip(1) {
        let (command, expected) = step.split_once('\n').unwrap();
        match command.strip_suffix(" &") {
            Some(server) => servers.push(serve(server)),
            None => assert_shown(&run(command), expected, command),
        }
    }
}

fn with_free_ports(console: &str) -> String {
    let mut ports: Vec<&str> = console.split("127.0.0.1:").skip(1).collect();
    ports
        .iter_mut()
        .for_each(|rest| *rest = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap()]);
    ports.sort_unstable();
    ports.dedup();
    // All are held until all are known, so that no two are the same.
    let free: Vec<_> = ports.iter().map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let mut console = console.to_string();
    for (port, free) in ports.iter().zip(&free) {
        let free = free.local_addr().unwrap().port();
        // Marked, so that a free port is not taken for one that is still to be replaced.
        console = console.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:\u{1}{free}"));
    }
    console.replace('\u{1}', "")
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    let path = std::env::var("PATH").unwrap_or_default();
    let with_program = format!("{}:{path}", Path::new(PROGRAM).parent().unwrap().display());
    shell.args(["-c", command]).env("PATH", with_program).stdin(Stdio::null());
    shell
}

/// Starts a server and waits until each of its services listens.
fn serve(command: &str) -> Server {
    let services = command.matches('=').count() - command.matches(',').count();
    let mut child = shell(&format!("exec {command}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening =
        lines.take(services).filter(|line| line.as_ref().unwrap().starts_with("listening "));
    assert_eq!(listening.count(), services, "{command}");
    Server(child)
}

fn run(command: &str) -> String {
    let output = shell(command).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Line by line; `…` stands for what differs from time to time.
fn assert_shown(printed: &str, expected: &str, command: &str) {
    let expected = expected.trim_end_matches('\n');
    let (printed, expected): (Vec<_>, Vec<_>) =
        (printed.lines().collect(), expected.lines().collect());
    assert_eq!(printed.len(), expected.len(), "{command} printed {printed:?}");
    for (printed, expected) in printed.iter().map(|line| without_pause(line)).zip(&expected) {
        let fits = match expected.split_once('…') {
            Some((before, after)) => {
                printed.len() > before.len() + after.len()
                    && printed.starts_with(before)
                    && printed.ends_with(after)
            }
            None => printed == *expected,
        };
        assert!(fits, "{command} printed {printed:?}, the README has {expected:?}");
    }
}

/// A packet's line without its end, which a busy machine adds: `, 8 ms later`.
fn without_pause(line: &str) -> &str {
    match line.rsplit_once(", ") {
        Some((before, end)) if end.ends_with(" ms later") => before,
        _ => line,
    }
}

/// The loop over select serves one client; its trace is in the README, except the lines that the README says are left out.
#[test]
fn the_trace_is_a_real_one() {
    let mut server = Server(
        // What was inherited of the low numbers is closed, as in a shell.
        shell("exec 3>&- 4>&- 5>&- 6>&- 7>&-; exec baresock bare 127.0.0.1:0 --trace")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut listening = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut listening).unwrap();
    let port = listening.split(' ').nth(2).unwrap().rsplit_once(':').unwrap().1.to_string();
    let mut client = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    client.write_all(b"hello\n").unwrap();
    client.read_exact(&mut [0; 6]).unwrap();
    drop(client);
    let mut printed = String::new();
    for line in BufReader::new(server.0.stderr.take().unwrap()).lines().map(|line| line.unwrap()) {
        let is_left_out = ["fcntl(", "getsockname(", "accept(3, 0x"];
        if !is_left_out.iter().any(|beginning| line.starts_with(beginning)) {
            printed.push_str(&format!("{line}\n"));
        }
        if line.starts_with("close(") {
            break;
        }
    }
    // It was given port 0.
    let printed = printed.replace(
        "bind(3, {sa_family=AF_INET, sin_port=htons(0)",
        "bind(3, {sa_family=AF_INET, sin_port=htons(7007)",
    );
    let shown = README.split("```text\n").find(|block| block.starts_with("socket(")).unwrap();
    let shown = shown.split("```").next().unwrap();
    assert_shown(&printed, shown, "bare");
    assert_eq!(shown.lines().count(), 12);
}

/// Every linked file exists, and so does every linked heading.
#[test]
fn no_link_leads_nowhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let heading = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.replace(|c: char| !c.is_alphanumeric() && c != '-', "")
    };
    let mut links = 0;
    for (name, folder, text) in PAGES {
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() { root.join(name) } else { root.join(folder).join(file) };
            let is_there = link.contains("://")
                || path.exists()
                    && (anchor.is_empty() || {
                        let page = std::fs::read_to_string(&path).unwrap();
                        let mut headings = page.lines().filter(|line| line.starts_with('#'));
                        headings.any(|line| heading(line) == anchor)
                    });
            assert!(is_there, "{name} has a link to {link}");
        }
    }
    assert!(links > 20, "{links} links");
}

/// The places that CONTRIBUTING and the pages name for a change. (Those with NAME do not exist yet.)
#[test]
fn the_places_that_are_named_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let quoted = PAGES.iter().flat_map(|(_, _, page)| page.split('`').skip(1).step_by(2));
    let is_place = |word: &&str| {
        let begins = ["src/", "tests/", "man/", "pictures/", "docs/"]
            .iter()
            .any(|top| word.starts_with(top));
        begins && !word.contains(' ') && !word.contains("NAME")
    };
    let places: Vec<_> = quoted.filter(is_place).collect();
    assert!(places.len() > 20, "{places:?}");
    for place in places {
        assert!(root.join(place).exists(), "{place} is named, but is not there");
    }
}

/// The package contains every file that its pages link to, and Cargo gives no warning about it.
#[test]
fn what_is_linked_is_in_the_package() {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["package", "--list", "--allow-dirty", "--offline", "--quiet"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &said[..]), (Some(0), ""));
    let packed = String::from_utf8(output.stdout).unwrap();
    let links = PAGES.iter().flat_map(|(_, folder, text)| {
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        links.map(move |link| (folder, link))
    });
    for (folder, link) in links {
        let file = link.split('#').next().unwrap();
        let file = match file.strip_prefix("../") {
            Some(file) => file.to_string(),
            None if folder.is_empty() => file.to_string(),
            None => format!("{folder}/{file}"),
        };
        let is_linked = |packed: &str| packed == file || packed.starts_with(&format!("{file}/"));
        let is_there =
            link.starts_with('#') || link.contains("://") || packed.lines().any(is_linked);
        assert!(is_there, "{link} is not in the package");
    }
    for file in ["CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "man/baresock-labs.7"] {
        assert!(packed.lines().any(|line| line == file), "{file} is not in the package");
    }
}

/// How many labs, how long they take, and the first words that they explain.
#[test]
fn the_table_of_labs_is_that_of_the_labs() {
    let mut table = String::new();
    for group in GROUPS {
        let minutes: u32 = group.labs.iter().map(|lab| u32::from(lab.minutes)).sum();
        let mut words: Vec<String> = Vec::new();
        for word in group.labs.iter().flat_map(|lab| lab.words) {
            let word = format!("`{word}`");
            if words.len() < 8 && !words.contains(&word) {
                words.push(word);
            }
        }
        let words = words.join(" ");
        let (name, count, title) = (group.name, group.labs.len(), group.title);
        table.push_str(&format!("| `{name}` | {title}: {count} | {minutes} | {words} |\n"));
    }
    assert!(LABS.contains(&table), "docs/labs.md needs this table:\n{table}");
    let all = GROUPS.iter().map(|group| group.labs.len()).sum::<usize>();
    assert!(LABS.contains(&format!("There are {all}, ")));
    assert!(README.contains(&format!("[{all} labs](docs/labs.md)")));
    assert!(CHANGELOG.contains(&format!("**Labs**: {all} things")));
}
