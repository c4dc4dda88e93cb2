//! A browser that a test drives: it opens pages, asks scripts, and types keys.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{KilledAtEnd, PATIENCE, TempDir, ended_within, text};

/// What stands for itself in the path of an address.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Chromium, through the pipes of its debugging protocol.
pub(crate) struct Browser {
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    calls: u64,
    /// What pages complained of in the console, and errors of their scripts.
    complaints: Vec<String>,
    has_loaded: bool,
    process: KilledAtEnd,
    profile: TempDir,
}

impl Browser {
    /// A browser with a window of this width, and no page.
    #[track_caller]
    pub(crate) fn new(width: u32) -> Self {
        Self::with(width, &[])
    }

    /// The same with more flags of Chromium.
    #[track_caller]
    pub(crate) fn with(width: u32, flags: &[&str]) -> Self {
        let profile = TempDir::new();
        let mut process = KilledAtEnd(start(&profile.file("profile"), flags));
        let to = process.0.stdin.take().unwrap();
        let stdout = process.0.stdout.take().unwrap();
        let (tell, from) = channel();
        thread::spawn(move || {
            for message in BufReader::new(stdout).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).unwrap();
                if tell.send(message).is_err() {
                    return;
                }
            }
        });
        let (session, calls, complaints) = (None, 0, Vec::new());
        let mut browser =
            Self { to, from, session, calls, complaints, has_loaded: false, process, profile };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_string());
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser.resize(width);
        browser
    }

    /// Gives the window another width.
    #[track_caller]
    pub(crate) fn resize(&mut self, width: u32) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Opens a file; `behind` follows its address: `#step=3`.
    #[track_caller]
    pub(crate) fn open(&mut self, page: &Path, behind: &str) {
        // Written as the browser shows it, whatever is in the path.
        let path = utf8_percent_encode(text(page), PATH).to_string();
        self.open_address(&format!("file://{path}{behind}"));
    }

    /// Opens an address, and waits until the page is loaded.
    #[track_caller]
    pub(crate) fn open_address(&mut self, address: &str) {
        // Another part of the same page would not be loaded again.
        self.call("Page.navigate", json!({"url": "about:blank"}));
        self.has_loaded = false;
        let opened = self.call("Page.navigate", json!({"url": address}));
        assert!(opened["errorText"].is_null(), "{address}: {opened}");
        // The blank page may finish first.
        let end = Instant::now() + PATIENCE;
        while !self.has_loaded {
            assert!(Instant::now() < end, "{address} is not loaded");
            self.hear();
        }
        let is_there =
            format!("location.href == {} && document.readyState == 'complete'", json!(address));
        self.wait_until(&is_there);
    }

    /// What an expression of JavaScript is in the page.
    #[track_caller]
    pub(crate) fn ask(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        // What was asked while the page was being left is asked of the next page.
        let answer = loop {
            let answer = self.answer_to("Runtime.evaluate", &asked);
            if answer["error"]["message"] != "Inspected target navigated or closed" {
                break result_of("Runtime.evaluate", &answer);
            }
        };
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while self.ask(expression) != true {
            if Instant::now() > end {
                panic!("in vain: {expression}; it shows {}", self.ask("document.body.innerText"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What an expression is, as text.
    #[track_caller]
    pub(crate) fn text_of(&mut self, expression: &str) -> String {
        let answer = self.ask(expression);
        answer.as_str().unwrap_or_else(|| panic!("{expression}: {answer}")).to_string()
    }

    /// Presses a key as a person does: `Tab`, `Enter`, `ArrowDown`, or a letter.
    #[track_caller]
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            letter => (0, letter),
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [down, "keyUp"] {
            let mut event =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// What pages have complained of since the last time.
    pub(crate) fn take_complaints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.complaints)
    }

    /// Runs a script in each page before those of the page.
    #[track_caller]
    pub(crate) fn before_each_page(&mut self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({"source": script}));
    }

    /// A command of the protocol.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer_to(method, &params);
        result_of(method, &answer)
    }

    #[track_caller]
    fn answer_to(&mut self, method: &str, params: &Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.clone().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.hear();
            if answer["id"] == self.calls {
                return answer;
            }
        }
    }

    /// The next message, of which complaints are kept.
    #[track_caller]
    fn hear(&mut self) -> Value {
        let message = self.from.recv_timeout(PATIENCE).expect("the browser answers");
        let params = &message["params"];
        match message["method"].as_str() {
            Some("Page.loadEventFired") => self.has_loaded = true,
            Some("Runtime.exceptionThrown" | "Log.entryAdded") => {
                self.complaints.push(params.to_string());
            }
            Some("Runtime.consoleAPICalled") if params["type"] != "log" => {
                self.complaints.push(params.to_string());
            }
            _ => {}
        }
        message
    }
}

#[track_caller]
fn result_of(method: &str, answer: &Value) -> Value {
    assert!(answer["error"].is_null(), "{method}: {answer}");
    answer["result"].clone()
}

/// The browser ends by itself, so that none of its processes writes into its directory any more when that is removed.
impl Drop for Browser {
    fn drop(&mut self) {
        let message = json!({"id": self.calls + 1, "method": "Browser.close"});
        let _ = self.to.write_all(format!("{message}\0").as_bytes());
        ended_within(&mut self.process.0, Duration::from_secs(10));
        let profile = self.profile.file("");
        let end = Instant::now() + PATIENCE;
        while profile.exists() && std::fs::remove_dir_all(&profile).is_err() && Instant::now() < end
        {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The protocol uses descriptors 3 and 4, which a shell makes of standard input and output.
fn start(profile: &Path, flags: &[&str]) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", "exec 3<&0 4>&1 </dev/null >/dev/null 2>&1; exec chromium \"$@\"", "sh"]);
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]);
    command.args(["--disable-background-networking", "--no-first-run"]).args(flags);
    command.arg(format!("--user-data-dir={}", text(profile))).arg("about:blank");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}
