//! The book: a web site from runs on this machine. A few labs as a rule, all of them under CI.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use baresock::explain::words::GROUPS;
use baresock::labs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::{
    BARESOCK, Browser, KilledAtEnd, TempDir, baresock, has_program, interruptible, text, wait_for,
    wait_until,
};

/// What the book has where time is short: both ends in one process, a peer without a trace, one end only, a group.
const A_FEW: &str = "half-close,nagle-40ms,partial-send,select-as-sleep,unix";

/// The most that a book may take up, and the longest that it may take.
const MOST_BYTES: u64 = 20_000_000;
const LONGEST: Duration = Duration::from_secs(120);

/// A book, made once.
struct TestedBook {
    place: PathBuf,
    labs: Vec<&'static str>,
    /// Each file with its content, by its path below the book.
    files: BTreeMap<String, String>,
    said: String,
    took: Duration,
}

fn book() -> &'static TestedBook {
    static BOOK: OnceLock<TestedBook> = OnceLock::new();
    BOOK.get_or_init(|| {
        // It is shared by tests of which none is the last.
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("a-book");
        let _ = fs::remove_dir_all(&place);
        let mut arguments = vec!["book", text(&place), "--worksheets"];
        let is_whole = std::env::var_os("CI").is_some();
        if !is_whole {
            arguments.extend(["--only", A_FEW]);
        }
        let began = Instant::now();
        let run = baresock(&arguments);
        let took = began.elapsed();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let said = String::from_utf8(run.stdout).unwrap();
        let is_in = |name: &str| is_whole || A_FEW.split(',').any(|of| of == name);
        let groups = labs::GROUPS.iter().flat_map(|group| {
            group.labs.iter().filter(move |lab| is_in(lab.name) || is_in(group.name))
        });
        let labs = groups.map(|lab| lab.name).collect();
        let files = files_below(&place).into_iter().map(|path| {
            let content = fs::read_to_string(place.join(&path)).unwrap();
            (path, content)
        });
        TestedBook { files: files.collect(), place, labs, said, took }
    })
}

fn files_below(place: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting = vec![place.to_path_buf()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => found.push(text(path.strip_prefix(place).unwrap()).to_string()),
            }
        }
    }
    found
}

impl TestedBook {
    fn pages(&self) -> impl Iterator<Item = (&String, &String)> {
        self.files.iter().filter(|(path, _)| path.ends_with(".html"))
    }

    fn page(&self, path: &str) -> &str {
        self.files.get(path).unwrap_or_else(|| panic!("there is no {path}"))
    }
}

/// The values of an attribute, wherever it stands.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let begins = format!(" {attribute}=\"");
    let parts = html.split(&*begins).skip(1);
    parts.map(|part| part.split('"').next().unwrap()).collect()
}

#[test]
fn every_link_of_the_book_leads_to_a_place_in_it() {
    let book = book();
    let mut followed = 0;
    let mut reached = BTreeSet::from(["index.html".to_string()]);
    for (path, html) in book.pages() {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let ids: Vec<&str> = values(html, "id");
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{path} has an id twice");
        let links = ["href", "src", "action"].into_iter().flat_map(|name| values(html, name));
        for link in links {
            assert!(!link.contains("//") && !link.starts_with('/'), "{path}: {link} is elsewhere");
            // A call leads to its own step, by the script.
            if link.starts_with("#step=") {
                continue;
            }
            followed += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = match file {
                "" => path.clone(),
                file => resolved(directory, file),
            };
            let there = book.files.get(&file);
            let there =
                there.unwrap_or_else(|| panic!("{path} leads to {link}, which is not there"));
            let has_place = anchor.is_empty() || there.contains(&format!(" id=\"{anchor}\""));
            assert!(has_place, "{path}: there is no #{anchor} in {file}");
            reached.insert(file);
        }
    }
    assert!(followed > 500, "{followed}");
    let lost: Vec<_> = book.pages().filter(|(path, _)| !reached.contains(*path)).collect();
    assert!(lost.is_empty(), "no link leads to {:?}", lost[0].0);
}

/// A relative path from a directory of the book.
fn resolved(directory: &str, link: &str) -> String {
    match link.strip_prefix("../") {
        Some(link) => {
            assert!(!directory.is_empty() && !link.starts_with("../"), "{directory}: {link}");
            link.to_string()
        }
        None if directory.is_empty() => link.to_string(),
        None => format!("{directory}/{link}"),
    }
}

#[test]
fn a_book_is_small_and_soon_made_and_loads_nothing_else() {
    let book = book();
    let bytes: u64 = book.files.values().map(|content| content.len() as u64).sum();
    assert!(bytes < MOST_BYTES && book.took < LONGEST, "{bytes} bytes in {:?}", book.took);
    let many = book.labs.len();
    assert!(book.said.starts_with(&format!("{many} labs in ")), "{}", book.said);
    assert!(book.said.contains(&format!(" {} files of ", book.files.len() - 1)), "{}", book.said);
    for (path, content) in &book.files {
        for never in ["=\"http", "='http", "@import", "url(", "innerHTML", "eval("] {
            let found = content.replace("url(#head-", "").replace("`url(#", "");
            assert!(!found.contains(never) || path == "index.js", "{never} in {path}");
        }
    }
    for (path, html) in book.pages() {
        // The policy allows neither styles nor scripts within the page.
        assert!(!html.contains(" style=\"") && !html.contains("<style"), "{path}");
        assert!(
            html.contains("default-src 'none'") && html.contains("<html lang=\"en\">"),
            "{path}"
        );
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
    }
}

#[test]
fn the_pages_follow_each_other_through_the_whole_book() {
    let book = book();
    let step = |path: &str, rel: &str| {
        let html = book.page(path);
        let (_, behind) = html.split_once(&format!("rel=\"{rel}\" href=\""))?;
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        Some(resolved(directory, behind.split('"').next().unwrap()))
    };
    let mut order = vec!["index.html".to_string()];
    while let Some(next) = step(order.last().unwrap(), "next") {
        assert_eq!(step(&next, "prev").as_ref(), order.last(), "{next}");
        order.push(next);
    }
    // The search is beside the order.
    assert_eq!(order.len(), book.pages().count() - 1);
    let labs: Vec<_> = book.labs.iter().map(|name| format!("labs/{name}.html")).collect();
    assert_eq!(order[1..=labs.len()], labs);
}

#[test]
fn a_lab_s_page_asks_before_it_shows() {
    let book = book();
    for name in &book.labs {
        let lab = labs::find(name).unwrap();
        let html = book.page(&format!("labs/{name}.html"));
        let plain = unescaped(html);
        for said in [lab.question, lab.claim, lab.explanation] {
            assert!(plain.contains(said), "{name}: {said}");
        }
        // What gives an answer away is in a part that is closed at first.
        let open = unescaped(&without_details(html));
        assert!(open.contains(lab.question), "{name}");
        assert!(!open.contains(lab.claim) && !open.contains("class=\"observed\""), "{name}");
        if html.contains("class=\"notice\"") {
            // It was skipped or differs here, and says so.
            continue;
        }
        assert!(plain.contains("as predicted, "), "{name}");
        let asked: Vec<_> = html.split("<section class=\"ask\"").skip(1).collect();
        assert!(!asked.is_empty() && !html.contains(" open>"), "{name}");
        for section in asked {
            let section = section.split("</section>").next().unwrap();
            let choices = section.matches("<li").count();
            assert!(choices >= 2, "{name}: {section}");
            assert_eq!(section.matches("<li data-right>").count(), 1, "{name}: {section}");
        }
    }
    // Where systems differ, the page has them.
    let nagle = unescaped(book.page("labs/nagle-40ms.html"));
    assert!(
        nagle.contains("<th scope=\"row\">NetBSD</th><td>180 to 400 ms</td><td>ran 10.99.12</td>"),
        "{nagle}"
    );
}

fn unescaped(html: &str) -> String {
    let marks = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    marks.iter().fold(html.to_string(), |text, (mark, c)| text.replace(mark, c))
}

/// What stands outside of the parts that are closed, and outside of scripts.
fn without_details(html: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    let html = html.split("<script type=\"application/json\"").next().unwrap();
    for part in html.split_inclusive('>') {
        depth += usize::from(part.contains("<details"));
        if depth == 0 {
            out.push_str(part);
        }
        depth -= usize::from(part.contains("</details>"));
    }
    out
}

#[test]
fn a_lab_s_page_has_its_packets_or_says_why_not() {
    let book = book();
    let without = book.page("index.html").contains("Packets are not shown: ");
    assert_eq!(book.page("labs/half-close.html").contains("<li class=\"packet "), !without);
    assert!(!without || !is_root(), "{}", book.page("index.html"));
    // Where no network of its own can be had, the labs run all the same.
    let dir = TempDir::new();
    let place = dir.file("book");
    let forbid =
        "echo 0 >/proc/sys/user/max_net_namespaces && exec \"$0\" book \"$1\" --only half-close";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", forbid, BARESOCK, text(&place)]);
    let run = crate::support::output_of(&mut command);
    let said = String::from_utf8_lossy(&run.stderr);
    if !place.exists() {
        return crate::support::missing(&format!("unshare --user does not work: {said}"));
    }
    assert!(run.status.success(), "{said}");
    let why = "--packets and --pcap need a network of its own: unshare: ENOSPC";
    assert!(said.starts_with(&format!("baresock: the book shows no packets: {why}")), "{said}");
    let index = fs::read_to_string(place.join("index.html")).unwrap();
    assert!(index.contains(&format!("Packets are not shown: {why}")), "{index}");
    let lab = fs::read_to_string(place.join("labs/half-close.html")).unwrap();
    assert!(lab.contains("as predicted, 5 of 5") && !lab.contains("class=\"packet "), "{lab}");
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn the_book_has_every_word_and_the_whole_manual_and_can_search_them() {
    let book = book();
    let index = &book.files["index.js"];
    let array = index.split_once("const INDEX = ").unwrap().1.trim_end().trim_end_matches(';');
    let index: Vec<Value> = serde_json::from_str(array).unwrap();
    let place = |title: &str| {
        let found = index.iter().find(|entry| entry["t"] == title);
        found.unwrap_or_else(|| panic!("{title} cannot be found"))["u"].as_str().unwrap()
    };
    for entry in GROUPS.iter().flat_map(|group| &*group.entries) {
        let (page, anchor) = place(entry.name).split_once('#').unwrap();
        let html = book.page(page);
        assert!(html.contains(&format!("<article id=\"{anchor}\">")), "{}", entry.name);
        assert!(unescaped(html).contains(entry.means) && unescaped(html).contains(entry.trap));
    }
    let manual =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/man/baresock.1")).unwrap();
    let mut html = unescaped(book.page("manual/baresock.1.html"));
    for line in manual.lines() {
        let is_heading = line.starts_with(".Sh ") || line.starts_with(".Ss ");
        let sought = match is_heading {
            true => line[4..].trim_matches('"').to_string(),
            false if line.starts_with(['.', '\'', '\\']) || line.contains('\\') => continue,
            false => line.to_string(),
        };
        // In this order, so that nothing is lost and nothing misplaced.
        let at = html.find(&sought).unwrap_or_else(|| panic!("{sought:?} is missing"));
        html.drain(..at);
    }
}

#[test]
fn worksheets_have_no_answers_and_the_key_has_them() {
    let book = book();
    let key = book.page("worksheets/key.html");
    for name in &book.labs {
        let sheet = book.page(&format!("worksheets/{name}.html"));
        assert!(!sheet.contains(": as predicted"), "{name}");
        assert!(key.contains(&format!("<h2>{name}</h2>")), "{name}");
        assert!(sheet.contains("my prediction: ________"), "{name}");
    }
    assert!(
        key.contains("<li>The buffers are full. What does the next send give? <b>EAGAIN</b></li>"),
        "{key}"
    );
    // Without the flag there are none.
    let dir = TempDir::new();
    let plain = dir.file("plain");
    assert!(baresock(&["book", text(&plain), "--only", "select-as-sleep"]).status.success());
    assert!(!plain.join("worksheets").exists() && plain.join("labs/select-as-sleep.html").exists());
    assert_eq!(fs::read_dir(plain.join("labs")).unwrap().count(), 1);
}

#[track_caller]
fn assert_refused(arguments: &[&str], why: &str) {
    let run = baresock(&[&["book"], arguments].concat());
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(if why.contains("--help") { 2 } else { 1 }), "{said}");
    assert!(said.starts_with("baresock: ") && said.contains(why), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(run.stdout.is_empty());
}

#[test]
fn a_book_replaces_an_earlier_one_and_nothing_else() {
    let dir = TempDir::new();
    let place = dir.file("book");
    let make = |place: &Path| baresock(&["book", text(place), "--only", "select-as-sleep"]);
    // In an empty directory, and again over the book that is there.
    fs::create_dir(&place).unwrap();
    assert!(make(&place).status.success());
    let first = fs::read_to_string(place.join("index.html")).unwrap();
    fs::write(place.join("index.html"), "spoilt").unwrap();
    assert!(make(&place).status.success());
    let again = fs::read_to_string(place.join("index.html")).unwrap();
    assert_eq!(again.lines().count(), first.lines().count());
    // Through a symbolic link, which stays one.
    let link = dir.file("link");
    std::os::unix::fs::symlink(&place, &link).unwrap();
    assert!(make(&link).status.success());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    // A reader's own file in it would be lost.
    fs::write(place.join("labs/notes.txt"), "mine").unwrap();
    assert_refused(&[text(&place)], "labs/notes.txt is not a file of the earlier book there");
    assert_eq!(fs::read_to_string(place.join("labs/notes.txt")).unwrap(), "mine");
    let other = dir.file("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("thesis.txt"), "years").unwrap();
    assert_refused(&[text(&other)], "this directory has files that `baresock book` did not write");
    assert_refused(&[text(&other.join("thesis.txt"))], "ENOTDIR (");
    assert_refused(&[text(&dir.file("no/where"))], "ENOENT (");
    assert_refused(&["/"], "book /: ");
    // A shell that works in the directory keeps it.
    let empty = dir.file("empty");
    fs::create_dir(&empty).unwrap();
    let run = Command::new(BARESOCK).args(["book", "."]).current_dir(&empty).output().unwrap();
    let said = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.starts_with("baresock: book .: this is the working directory"), "{said}");
    fs::remove_dir(&empty).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.file("dangling")).unwrap();
    assert_refused(&[text(&dir.file("dangling"))], "this symbolic link leads nowhere");
    assert_refused(&[text(&dir.file("new")), "--only", "half-clsoe"], "did you mean half-close?");
    assert_refused(&[text(&dir.file("new")), "--trace"], "see --help");
    assert_refused(&[], "--help");
    let mut left: Vec<_> =
        fs::read_dir(dir.file("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["book", "dangling", "link", "other"]);
}

#[test]
fn a_run_that_is_interrupted_leaves_the_place_as_it_was() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let dir = TempDir::new();
        let place = dir.file("book");
        let mut command = interruptible(BARESOCK);
        // This lab takes more than a second, and leaves its directory there unless it is ended in order.
        command
            .env("TMPDIR", dir.file(""))
            .args(["book", text(&place), "--only", "nagle-40ms"])
            .stdout(Stdio::null());
        let mut process = KilledAtEnd(command.spawn().unwrap());
        let entries = || fs::read_dir(dir.file("")).unwrap().count();
        wait_until("the book's and the lab's directories are there", || entries() == 2);
        kill(Pid::from_raw(process.0.id() as i32), signal).unwrap();
        assert!(!wait_for(&mut process.0).success());
        assert_eq!(entries(), 0, "{signal}");
    }
}

#[test]
fn every_page_is_whole_on_a_small_screen_and_on_a_large_one() {
    if !has_program("chromium") {
        return;
    }
    let book = book();
    let mut browser = Browser::new(1280);
    // A page that complains is noticed.
    let bad = book.place.with_extension("bad.html");
    fs::write(&bad, "<script>nothing.here()</script><img src=\"no.png\">").unwrap();
    browser.open(&bad, "");
    assert_eq!(browser.take_complaints().len(), 2);
    fs::remove_file(&bad).unwrap();
    for (path, _) in book.pages() {
        browser.open(&book.place.join(path), "");
        for width in [1280, 375] {
            browser.resize(width);
            let too_wide = "document.documentElement.scrollWidth - innerWidth";
            let wide = browser.ask(too_wide);
            assert!(wide.as_i64().unwrap() <= 0, "{path} is {wide} pixels wider than {width}");
        }
        assert_eq!(browser.take_complaints(), [""; 0], "{path}");
        // Whatever can be pressed is something that a keyboard reaches and that has a name.
        let nameless = "[...document.querySelectorAll('a, button, input, summary')].filter(one => \
            !(one.textContent.trim() || one.ariaLabel || (one.labels && one.labels[0]))).length";
        assert_eq!(browser.ask(nameless), 0, "{path}");
    }
}

/// The element that has the focus: its tag, and its text.
const FOCUS: &str = "`${document.activeElement.tagName} ${document.activeElement.textContent}`";

#[test]
fn a_prediction_is_answered_by_keyboard_and_kept() {
    if !has_program("chromium") {
        return;
    }
    let book = book();
    let lab = book.place.join("labs/half-close.html");
    let mut browser = Browser::new(1280);
    let told = "document.querySelector('.told').textContent";
    let is_open = "document.querySelector('.answer').open";
    browser.open(&lab, "");
    browser.press("Tab");
    assert_eq!(browser.text_of(FOCUS), "A To the text");
    // Stepping stops before an answer that is not given yet, at the question.
    browser.open(&lab, "#step=14");
    browser.press("ArrowDown");
    assert_eq!((browser.text_of(FOCUS), browser.ask(is_open)), ("BUTTON 6".into(), false.into()));
    browser.press("Tab");
    assert_eq!(browser.text_of(FOCUS), "BUTTON EPIPE");
    assert_eq!(browser.ask(told), "");
    browser.press("Enter");
    assert_eq!((browser.ask(told), browser.ask(is_open)), ("You were right.".into(), true.into()));
    assert_eq!(browser.text_of(FOCUS), "SUMMARY Show what happens");
    // The next question, by a wrong answer; then the others, which opens the explanation.
    let is_told = "document.querySelector('.lesson').open";
    let answer = |at: usize, choice: usize| {
        format!(
            "document.querySelectorAll('.ask')[{at}].querySelectorAll('.choices button')[{choice}].click()"
        )
    };
    browser.ask(&answer(1, 2));
    assert_eq!(browser.ask(is_told), false);
    let second = "document.querySelectorAll('.told')[1].textContent";
    assert_eq!(browser.text_of(second), "This machine says: success.");
    let questions = browser.ask("document.querySelectorAll('.ask').length").as_u64().unwrap();
    for at in 2..questions as usize {
        browser.ask(&answer(at, 0));
    }
    assert_eq!(browser.ask(is_told), true);

    // The contents tell how far the reader is, and the page still has the answers.
    browser.open(&book.place.join("index.html"), "");
    let done = browser.text_of("document.querySelector('[data-lab=half-close] .done').textContent");
    assert!(done.ends_with(&format!("{questions} of {questions} answered")), "{done}");
    let progress = "document.getElementById('progress').textContent";
    assert!(browser.text_of(progress).starts_with("You have answered "), "{done}");
    browser.open(&lab, "");
    assert_eq!((browser.ask(told), browser.ask(is_open)), ("You were right.".into(), true.into()));
    browser.open(&book.place.join("index.html"), "");
    browser.ask("document.querySelector('#progress button').click()");
    assert_eq!(browser.ask(progress), "");
    browser.open(&lab, "");
    assert_eq!((browser.ask(told), browser.ask(is_open)), ("".into(), false.into()));
    assert_eq!(browser.take_complaints(), [""; 0]);
}

#[test]
fn a_browser_that_keeps_nothing_shows_everything_all_the_same() {
    if !has_program("chromium") {
        return;
    }
    let book = book();
    let mut browser = Browser::new(375);
    browser.before_each_page(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }});",
    );
    browser.open(&book.place.join("labs/half-close.html"), "");
    browser.ask("document.querySelector('.choices button').click()");
    let told = browser.text_of("document.querySelector('.told').textContent");
    assert_eq!(told, "This machine says: EPIPE.");
    assert_eq!(browser.ask("document.querySelector('.answer').open"), true);
    // A call that is chosen is explained; on a small screen this can be closed again.
    browser.ask("document.querySelector('#step-2 .call').click()");
    let call = browser.text_of("document.getElementById('call').textContent");
    assert!(call.starts_with("bind(3, "), "{call}");
    let is_seen = "document.querySelector('.step').checkVisibility()";
    assert_eq!(browser.ask(is_seen), true);
    browser.ask("document.getElementById('close-step').click()");
    assert_eq!(browser.ask(is_seen), false);
    browser.open(&book.place.join("index.html"), "");
    assert_eq!(browser.take_complaints(), [""; 0]);
}

#[test]
fn the_search_finds_names_numbers_ideas_and_pasted_messages() {
    if !has_program("chromium") {
        return;
    }
    let book = book();
    let mut browser = Browser::new(1280);
    let refused = baresock::names::Errno::ECONNREFUSED.number().to_string();
    let first = "(document.querySelector('#results a') || {}).textContent || ''";
    for (asked, expected) in [
        ("EAGAIN", "EAGAIN"),
        ("eagain", "EAGAIN"),
        ("half-close", "half-close"),
        ("address already in use", "EADDRINUSE"),
        ("OSError: [Errno 98] Address already in use", "EADDRINUSE"),
        ("Connection reset by peer", "ECONNRESET"),
        ("connection closed by foreign host", "recv"),
        (&refused, "ECONNREFUSED"),
        ("why does send return less", "partial-send"),
        ("exit status", "EXIT STATUS"),
        ("<b>&\"nothing of the kind\"", ""),
    ] {
        let encoded: String = asked.bytes().map(|byte| format!("%{byte:02x}")).collect();
        browser.open(&book.place.join("search.html"), &format!("?q={encoded}"));
        assert_eq!(browser.text_of(first), expected, "{asked}");
    }
    assert_eq!(browser.ask("document.getElementById('found').textContent"), "nothing is found");
    // From any page, by the keyboard; a result leads to its place.
    browser.open(&book.place.join("labs/half-close.html"), "");
    browser.ask("document.querySelector('.top input').focus()");
    "epipe".chars().for_each(|letter| browser.press(&letter.to_string()));
    browser.press("Enter");
    let is_there = |browser: &mut Browser, end: &str| {
        wait_until("the page is there", || {
            browser.ask("location.href.split('/').pop()").as_str() == Some(end)
        });
    };
    is_there(&mut browser, "search.html?q=epipe");
    wait_until("results are there", || browser.text_of(first) == "EPIPE");
    browser.ask("document.querySelector('#results a').click()");
    is_there(&mut browser, "errors-connections.html#EPIPE");
    let target = "(document.querySelector(':target h2') || {}).textContent || ''";
    wait_until("the place is there", || browser.text_of(target) == "EPIPE");
    assert_eq!(browser.take_complaints(), [""; 0]);
}

#[test]
fn a_printed_page_has_all_of_it() {
    if !has_program("chromium") {
        return;
    }
    let book = book();
    let mut browser = Browser::new(1280);
    browser.open(&book.place.join("labs/half-close.html"), "");
    browser.ask("dispatchEvent(new Event('beforeprint'))");
    browser.call("Emulation.setEmulatedMedia", serde_json::json!({"media": "print"}));
    for (element, is_printed) in [
        (".lesson .verdict", true),
        (".answer .observed", true),
        (".ask .choices", true),
        (".answer .row", true),
        (".top", false),
        (".step", false),
        (".around", false),
    ] {
        let seen = format!("document.querySelector('{element}').checkVisibility()");
        assert_eq!(browser.ask(&seen), is_printed, "{element}");
    }
    // A sheet of paper cannot be scrolled.
    browser.open(&book.place.join("worksheets/half-close.html"), "");
    browser.resize(700);
    let cut = "[...document.querySelectorAll('pre')].filter(pre => pre.scrollWidth > pre.clientWidth).length";
    assert_eq!(browser.ask(cut), 0);
}
