//! The page of a lab, of the tour and of a bare loop in Chromium: stepped call by call with keyboard and mouse, paused, slowed down,
//! and closed midway.

use std::io::Write;

use super::view_browser::{ATTACK, assert_no_complaints, has_browser, site};
use crate::support::*;
use nix::sys::signal::Signal;

fn status(words: &str) -> String {
    format!("document.getElementById('status').innerText.includes('{words}')")
}

/// How many calls the page shows.
const CALLS: &str = "document.querySelectorAll('#list li:not(.said):not(.gap)').length";

/// The call that stands.
fn stands_at(line: &str) -> String {
    format!("document.querySelector('#begun.held')?.innerText.startsWith({line:?}) === true")
}

/// Nothing is wider than the window.
#[track_caller]
fn assert_fits(browser: &mut Browser) {
    for width in [375, 1280] {
        browser.resize(width);
        browser.wait_until("document.documentElement.scrollWidth <= innerWidth");
        let wide = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth).length";
        assert_eq!(browser.ask(wide), 0, "at {width} pixels");
    }
}

#[test]
fn a_person_steps_through_a_lab_with_keyboard_and_mouse() {
    if !has_browser() {
        return;
    }
    let view = viewed_script(&["lab", "half-close"]);
    let mut browser = Browser::new(1280);
    browser.open_address(&view.url());
    browser.wait_until(&stands_at("socket("));
    browser.wait_until(&status("stands before a call"));
    assert_eq!(browser.text_of("document.getElementById('step').innerText"), "One call");
    assert!(browser.text_of("document.body.innerText").contains("lab half-close, live"));
    // Every control can be reached with the Tab key.
    let mut reached = Vec::new();
    for _ in 0..7 {
        browser.press("Tab");
        reached.push(browser.text_of("document.activeElement.id"));
    }
    assert_eq!(reached, ["pause", "step", "pace", "keys", "descriptors", "wait", "calls"]);
    for (made, next) in
        ["bind(3", "listen(3", "getsockname(3", "socket(", "connect(4"].iter().enumerate()
    {
        browser.press("n");
        browser.wait_until(&stands_at(next));
        assert_eq!(browser.ask(CALLS), made + 1);
    }
    browser.wait_until("document.getElementById('told').innerText.includes('socket(')");
    for (made, next) in ["accept(3", "close(3"].iter().enumerate() {
        browser.ask("document.getElementById('step').click()");
        browser.wait_until(&stands_at(next));
        assert_eq!(browser.ask(CALLS), made + 6);
    }
    let rows = browser.text_of("document.getElementById('rows').innerText");
    for part in ["listener", "connection made", "connection accepted"] {
        assert!(rows.contains(part), "{part} is not in {rows}");
    }
    assert_fits(&mut browser);
    // Slow motion, and a pause.
    let choose = "pace.value = 'slow/250'; pace.dispatchEvent(new Event('change'))";
    browser.ask(&format!("const pace = document.getElementById('pace'); {choose}"));
    browser.wait_until(&format!("{CALLS} >= 9"));
    browser.wait_until(&status("Slow motion"));
    browser.press("p");
    browser.wait_until(&status("stands before a call"));
    let made = browser.ask(CALLS).as_u64().unwrap();
    assert!((9..20).contains(&made), "{made}");
    browser.press("p");
    browser.wait_until(&status("The lab is over"));
    let shown = browser.text_of("document.getElementById('list').innerText");
    for part in
        ["The broken way: close", "What does the second send", "EPIPE: as predicted", "(lab "]
    {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert_eq!(browser.ask("document.getElementById('step').disabled"), true);
    let (exited, report, _) = view.server.end();
    assert!(exited.success());
    let calls = report.lines().filter(|line| line.starts_with("    ") && line.contains(") = "));
    assert_eq!(browser.ask(CALLS), calls.count());
    // The page stays, without asking for more.
    assert_eq!(browser.ask("events.readyState"), 2);
    assert_no_complaints(&mut browser);
}

#[test]
fn a_long_lab_is_shown_whole_on_two_pages() {
    if !has_browser() {
        return;
    }
    let view = viewed_script(&["lab", "nagle-40ms"]);
    let mut one = Browser::new(1280);
    let mut other = Browser::new(375);
    one.open_address(&view.url());
    other.open_address(&view.url());
    other.wait_until(&stands_at("socket("));
    one.press("n");
    other.wait_until(&stands_at("bind("));
    other.press("p");
    let lines = "[...document.querySelectorAll('#list li:not(.said) > :first-child')].map(one => one.innerText.replace(/ <[\\d.]+>$/, '')).join('\\n')";
    let shown = [&mut one, &mut other].map(|browser| {
        browser.wait_until(&status("The lab is over"));
        assert_no_complaints(browser);
        browser.text_of(lines)
    });
    // On a busy machine the times may differ; here the calls matter.
    let (_, report, _) = view.server.end();
    let calls = report.lines().filter_map(|line| line.strip_prefix("    "));
    let calls: Vec<_> =
        calls.filter(|line| line.contains(") = ") && !line.starts_with(' ')).collect();
    assert!(calls.len() > 300, "{}", calls.len());
    assert_eq!(shown, [calls.join("\n"), calls.join("\n")]);
}

#[test]
fn a_tour_whose_page_is_closed_goes_on() {
    if !has_browser() {
        return;
    }
    let view = viewed_script(&["tour"]);
    let mut browser = Browser::new(1280);
    browser.open_address(&view.url());
    browser.wait_until(&stands_at("server: socket("));
    for _ in 0..3 {
        browser.press("n");
    }
    browser.wait_until(&format!("{CALLS} === 3"));
    assert!(
        browser.text_of("document.getElementById('list').innerText").contains("server: socket(")
    );
    assert_fits(&mut browser);
    // Loaded again, it shows everything again, and the tour still stands.
    browser.open_address(&view.url());
    browser.wait_until(&format!("{CALLS} === 3"));
    assert_no_complaints(&mut browser);
    drop(browser);
    let (exited, report, complaints) = view.server.end();
    assert!(exited.success(), "{exited}: {complaints}");
    assert!(report.contains("That was the tour"), "{report}");
}

#[test]
fn a_page_of_another_site_cannot_begin_a_lab() {
    if !has_browser() {
        return;
    }
    let view = viewed_script(&["lab", "half-close"]);
    let mut browser = Browser::with(1280, &["--host-resolver-rules=MAP evil.example 127.0.0.1"]);
    // It knows the address with the key, and its orders are those that let a lab run to its end.
    for order in ["go-on", "step"] {
        let attack = ATTACK.replace("'pause'", &format!("'{order}'")).replace("URL", &view.url());
        let evil = site(attack);
        for site in [format!("http://{evil}/"), format!("http://evil.example:{}/", evil.port())] {
            browser.open_address(&site);
            assert_eq!(browser.ask("outcome"), serde_json::json!([]), "{site} has read it");
        }
    }
    browser.open_address(&format!("http://evil.example:{}{}", view.at.port(), view.path));
    assert!(browser.text_of("document.body.innerText").contains("not the host"));
    // The lab has not begun: it stands before its first call for the view's own page.
    browser.open_address(&view.url());
    browser.wait_until(&stands_at("socket("));
    assert_eq!(browser.ask(CALLS), 0);
    browser.press("p");
    browser.wait_until(&status("The lab is over"));
    assert!(view.server.end().0.success());
}

#[test]
fn a_bare_loop_stands_inside_a_turn() {
    if !has_browser() {
        return;
    }
    for kind in [BARE_SELECT, BARE_POLL] {
        let view = viewed(kind, &[]);
        let mut browser = Browser::new(1280);
        browser.open_address(&view.url());
        browser.wait_until(&status("The program runs"));
        browser.press("p");
        browser.wait_until(&status("has not returned"));
        let mut client = connect(&view.server);
        client.write_all(b"<b>hello</b>").unwrap();
        browser.wait_until(&stands_at("accept(3"));
        let steps = ["fcntl(4", "fcntl(4", "accept(3", kind.via, "recv(4", "send(4"];
        for (at, next) in steps.iter().enumerate() {
            browser.press("n");
            browser.wait_until(&format!("{CALLS} === {}", 9 + at));
            browser.wait_until(&stands_at(next));
        }
        assert_nothing_came(&client);
        // The sets of the last wait, with the client that was ready.
        browser.wait_until("document.querySelectorAll('#wait .bit.ready').length === 1");
        assert!(!browser.text_of("document.getElementById('wait').innerText").contains("Dashed"));
        browser.press("n");
        assert_receives(&client, b"<b>hello</b>");
        assert_eq!(browser.ask("document.querySelectorAll('main li b').length"), 0);
        assert_fits(&mut browser);
        browser.press("p");
        assert_echo(&client, b"runs");
        assert_no_complaints(&mut browser);
        view.server.signal(Signal::SIGTERM);
        browser.wait_until(&status("The connection is lost"));
        view.server.wait();
    }
}
