//! The page of `serve --view` in Chromium: what it shows, that it steers, and that a page of another site does neither.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::*;

/// Whether Chromium is here.
pub(super) fn has_browser() -> bool {
    has_program("chromium")
}

#[track_caller]
pub(super) fn assert_no_complaints(browser: &mut Browser) {
    let complaints = browser.take_complaints();
    assert!(complaints.is_empty(), "the console has errors: {complaints:#?}");
}

#[test]
fn a_page_shows_a_server_under_load() {
    if !has_browser() {
        return;
    }
    for kind in [SERVE_SELECT, SERVE_POLL] {
        let view = viewed(kind, &[]);
        let clients = connect_many(&view.server, 100);
        let is_over = Arc::new(AtomicBool::new(false));
        let load = thread::spawn({
            let is_over = is_over.clone();
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    for mut client in &clients {
                        client.write_all(b"<b>load</b>").unwrap();
                    }
                    for client in &clients {
                        assert_receives(client, b"<b>load</b>");
                    }
                }
            }
        });
        let mut browser = Browser::new(1280);
        browser.open_address(&view.url());
        // The clients, the listener and the self-pipe.
        browser.wait_until("document.querySelectorAll('#rows tr').length === 102");
        browser.wait_until("document.querySelectorAll('#wait .bit.ready').length > 0");
        browser.wait_until("document.querySelectorAll('#list li.receive').length > 20");
        browser.wait_until("document.getElementById('list').innerText.includes('more turns')");
        let shown = browser.ask("document.body.innerText");
        let shown = shown.as_str().unwrap();
        // Any wait in the list can be looked at again, and then the last one.
        browser.ask("document.querySelector('#list button').click()");
        let which = "document.getElementById('which').innerText";
        assert_eq!(browser.text_of(which), "The one that you have chosen.");
        browser.ask("document.getElementById('latest').click()");
        assert_eq!(browser.text_of(which), "The last one.");
        for part in ["clients\n100", "echo client", "\"<b>load</b>\"", "next wait: read", "(lab "] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        assert_eq!(browser.ask("document.querySelectorAll('main b').length"), 0);
        // The sets are also said in words, and so is the picture.
        let wait = browser.ask("document.querySelector('#wait [role=img]').ariaLabel");
        assert!(wait.as_str().unwrap().contains("ready"), "{wait}");
        for width in [375, 1280] {
            browser.resize(width);
            let fits = "document.documentElement.scrollWidth <= innerWidth";
            browser.wait_until(fits);
            let wide = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth).length";
            assert_eq!(browser.ask(wide), 0, "at {width} pixels");
        }
        assert_no_complaints(&mut browser);
        is_over.store(true, Ordering::Relaxed);
        load.join().unwrap();
    }
}

#[test]
fn a_person_pauses_and_steps_with_the_keyboard() {
    if !has_browser() {
        return;
    }
    for kind in [SERVE_SELECT, SERVE_POLL] {
        let view = viewed(kind, &[]);
        let mut client = connect(&view.server);
        assert_echo(&client, b"first");
        let mut browser = Browser::new(1280);
        browser.open_address(&view.url());
        let status = |words: &str| {
            format!("document.getElementById('status').innerText.includes('{words}')")
        };
        browser.wait_until(&status("The loop runs"));
        // Every control can be reached with the Tab key, and has a name.
        let mut reached = Vec::new();
        for _ in 0..7 {
            browser.press("Tab");
            let focused = browser.ask("document.activeElement.id");
            reached.push(focused.as_str().unwrap().to_string());
        }
        assert_eq!(reached, ["pause", "step", "pace", "keys", "descriptors", "wait", "calls"]);

        browser.press("p");
        browser.wait_until(&status("stands still"));
        client.write_all(b"hello").unwrap();
        if cfg!(target_os = "linux") {
            let unread = "[...document.querySelectorAll('#rows .queue')].some(one => one.innerText.replace(/\\s/g, '') === 'unread5')";
            browser.wait_until(unread);
        }
        assert_nothing_came(&client);
        browser.press("n");
        assert_receives(&client, b"hello");
        let told = "document.getElementById('told').innerText";
        browser.wait_until(&format!("{told}.startsWith('Turn ')"));
        let told = browser.ask(told);
        assert!(told.as_str().unwrap().contains("\"hello\""), "{told}");
        browser.wait_until(&status("stands still"));

        // The buttons, and the choice of a pace.
        browser.ask("document.getElementById('step').click()");
        browser.wait_until(&status("until a descriptor is ready"));
        client.write_all(b"again").unwrap();
        assert_receives(&client, b"again");
        browser.wait_until(&status("stands still"));
        browser.ask("document.getElementById('pause').focus()");
        browser.press("Enter");
        browser.wait_until(&status("The loop runs"));
        assert_echo(&client, b"runs");
        let choose = "pace.value = 'slow/250'; pace.dispatchEvent(new Event('change'))";
        browser.ask(&format!("const pace = document.getElementById('pace'); {choose}"));
        browser.wait_until(&status("Slow motion"));
        // Without the keys, letters do nothing.
        browser.ask("document.getElementById('keys').click()");
        browser.press("p");
        assert_echo(&client, b"slowly");
        assert_no_complaints(&mut browser);
        // The server ends, and the page says so.
        view.server.end();
        browser.wait_until(&status("The connection is lost"));
    }
}

/// A browser opens six connections to a server, and each page holds one of them.
#[test]
fn an_order_that_finds_no_connection_says_so() {
    if !has_browser() {
        return;
    }
    let view = viewed(SERVE_SELECT, &[]);
    let mut browser = Browser::new(1280);
    browser.open_address(&view.url());
    browser.wait_until("document.querySelectorAll('#rows tr').length > 0");
    // As many as five pages more.
    let opened = "window.pages = [1, 2, 3, 4, 5].map(() => new EventSource('events'))";
    browser.ask(&format!("{opened}; 0"));
    browser.wait_until("window.pages.every(page => page.readyState === EventSource.OPEN)");
    browser.ask("document.getElementById('pause').click()");
    browser.wait_until("document.getElementById('status').innerText.includes('close one')");
    browser.ask("window.pages.forEach(page => page.close())");
    browser.ask("document.getElementById('pause').click()");
    browser.wait_until("document.getElementById('pause').innerText !== 'Pause'");
}

/// A site that serves one page.
pub(super) fn site(page: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, page) = (impatient(stream.unwrap()), page.clone());
            // Beside the others: a browser also makes connections over which it sends nothing.
            thread::spawn(move || {
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(format!("{head}{page}").as_bytes());
            });
        }
    });
    at
}

/// It even knows the address with the key, and tries everything that a page can.
pub(super) const ATTACK: &str = "<!doctype html><title>evil</title><iframe name=inside></iframe>
<form method=post target=inside></form><script>
const url = 'URL';
const read = [];
const tried = [];
const attempt = (name, what) => tried.push(what().then(text => read.push(`${name}: ${text}`), () => {}));
attempt('page', async () => (await fetch(url)).text());
attempt('events', async () => (await fetch(url + 'events')).text());
attempt('stream', () => new Promise((yes, no) => {
  const events = new EventSource(url + 'events');
  events.onmessage = event => yes(event.data);
  events.onerror = no;
}));
attempt('order', async () => (await fetch(url + 'pause', {method: 'POST'})).text());
attempt('json', async () => (await fetch(url + 'pause', {method: 'POST', body: '{}', headers: {'Content-Type': 'application/json'}})).text());
attempt('window', async () => { const it = open(url); await new Promise(yes => setTimeout(yes, 500)); return it.document.title; });
attempt('script', () => new Promise((yes, no) => {
  const script = document.createElement('script');
  [script.src, script.onload, script.onerror] = [url + 'events?', () => yes('it runs'), no];
  document.body.append(script);
}));
tried.push(fetch(url + 'pause', {method: 'POST', mode: 'no-cors'}).catch(() => {}));
navigator.sendBeacon(url + 'pause');
const form = document.forms[0];
form.action = url + 'pause';
form.submit();
document.querySelector('iframe').onload = () => { form.dataset.sent = 'yes'; };
const inside = document.createElement('iframe');
inside.src = url;
document.body.append(inside);
const outcome = Promise.all(tried).then(async () => {
  await new Promise(yes => setTimeout(yes, 500));
  try { read.push(`frame: ${inside.contentDocument.title}`); } catch {}
  return read.filter(text => !text.endsWith(': null'));
});
</script>";

#[test]
fn a_page_of_another_site_can_neither_read_nor_steer() {
    if !has_browser() {
        return;
    }
    let view = viewed(SERVE_SELECT, &[]);
    let client = connect(&view.server);
    assert_echo(&client, b"first");
    let port = view.at.port();
    let mut browser = Browser::with(1280, &["--host-resolver-rules=MAP evil.example 127.0.0.1"]);
    let mut frames = view.watch();
    frames.next();
    let evil = site(ATTACK.replace("URL", &view.url()));
    // From another port of this machine, and from another name.
    for site in [format!("http://{evil}/"), format!("http://evil.example:{}/", evil.port())] {
        browser.open_address(&site);
        let read = browser.ask("outcome");
        assert_eq!(read, serde_json::json!([]), "{site} has read it");
    }
    // A name that leads to the view itself.
    for path in [view.path.clone(), format!("{}events", view.path)] {
        browser.open_address(&format!("http://evil.example:{port}{path}"));
        let shown = browser.ask("document.body.innerText");
        assert!(shown.as_str().unwrap().contains("not the host"), "{shown}");
    }
    // The loop was never paused, and has no other viewer than this test.
    assert_echo(&client, b"still served");
    let frame = frames.until("it is seen", |frame| frame["loop"]["received"] == 17);
    assert_eq!(frame["loop"]["pace"], "runs");
    assert_eq!(frame["loop"]["viewers"], 1);
    // The same orders from the view's own page are carried out.
    browser.open_address(&view.url());
    let answer = "fetch('pause', {method: 'POST'}).then(answer => answer.status)";
    assert_eq!(browser.ask(answer), 204);
    frames.until_pace("paused");
}
