//! The pages of tour, lab and ladder, as a reader looks at them: who did what and when, and nothing out of reach.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::support::*;
use serde_json::Value;

/// A page that the program wrote, and what it printed meanwhile.
struct Written {
    _place: Option<TempDir>,
    file: PathBuf,
    html: String,
    shown: String,
}

impl Written {
    #[track_caller]
    fn by(command: &[&str]) -> Self {
        let place = TempDir::new();
        let file = place.file("page.html");
        Self { _place: Some(place), ..Self::into(file, command) }
    }

    /// The same in this file, which stays.
    #[track_caller]
    fn into(file: PathBuf, command: &[&str]) -> Self {
        let run = baresock(&[command, &["--html", text(&file)]].concat());
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let html = std::fs::read_to_string(&file).unwrap();
        let shown = String::from_utf8(run.stdout).unwrap();
        Self { _place: None, file, html, shown }
    }

    /// The rows: class, time, and call.
    fn rows(&self) -> Vec<PageRow> {
        let lines = self.html.lines().filter_map(|line| line.strip_prefix("<li class=\"row "));
        lines.map(PageRow::of).collect()
    }

    /// The row of the first call that begins so.
    #[track_caller]
    fn row(&self, call: &str) -> PageRow {
        let found = self.rows().into_iter().find(|row| row.call.starts_with(call));
        found.unwrap_or_else(|| panic!("no {call} in {}", self.html))
    }

    /// The data of the page's script.
    fn data(&self) -> Value {
        let (_, behind) = self.html.split_once("id=\"data\">").unwrap();
        serde_json::from_str(behind.split_once("</script>").unwrap().0).unwrap()
    }
}

#[derive(Debug)]
struct PageRow {
    side: String,
    time: String,
    call: String,
}

impl PageRow {
    fn of(line: &str) -> Self {
        let between = |from: &str, to: &str| {
            let behind = line.split_once(from).unwrap_or_else(|| panic!("no {from} in {line}")).1;
            behind.split_once(to).unwrap().0.to_string()
        };
        let side = line.split(['"', ' ']).next().unwrap().to_string();
        let call = between("href=\"#step=", "</a>").split_once('>').unwrap().1.to_string();
        let call = call
            .replace("<span>", "")
            .replace("</span>", "")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
        Self { side, time: between("<time>", "</time>"), call: call.replace("&amp;", "&") }
    }

    /// The time in microseconds.
    fn micros(&self) -> f64 {
        let (number, unit) = self.time.split_once(' ').unwrap();
        number.parse::<f64>().unwrap()
            * match unit {
                "µs" => 1.0,
                "ms" => 1e3,
                "s" => 1e6,
                other => panic!("{other}"),
            }
    }
}

/// How many calls cannot be seen whole.
const CUT: &str = "[...document.querySelectorAll('.call')].filter(call => call.scrollWidth > call.clientWidth + 1 \
    || call.getBoundingClientRect().right > innerWidth || call.getBoundingClientRect().left < 0).length";

#[test]
fn the_tour_s_page_has_the_names_and_the_chapters_of_its_text() {
    let page = Written::by(&["tour"]);
    assert!(
        page.html.contains("<span class=\"client\">client A, client B</span>"),
        "{}",
        page.html
    );
    assert!(page.html.contains("<span class=\"server\">server</span>"), "{}", page.html);
    // The first client is A here and there.
    let first = page.row("A connect(");
    assert_eq!(first.side, "left");
    assert!(page.row("B connect(").micros() > first.micros());
    assert_eq!(page.row("socket(").side, "right");
    let data = page.data();
    let whose = |call: &str| {
        let steps = data["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["call"].as_str().unwrap().contains(call));
        step.unwrap()["who"].as_str().unwrap().to_string()
    };
    assert_eq!(whose("\"and me?"), "client B");
    assert_eq!(whose("listen("), "server");

    let is_chapter =
        |line: &&str| line.starts_with(|c: char| c.is_ascii_digit()) && line[1..].starts_with(". ");
    let chapters: Vec<_> = page.shown.lines().filter(is_chapter).collect();
    assert_eq!(chapters.len(), 9, "{}", page.shown);
    let mut rest = &*page.html;
    for (chapter, call) in chapters.iter().zip(["listen(", "accept", "hel", "one\\ntwo", "send("]) {
        let headline = format!("<h2>{chapter}</h2>");
        rest = rest.split_once(&headline).unwrap_or_else(|| panic!("{headline} is missing")).1;
        let of_chapter = rest.split("<h2>").next().unwrap();
        assert!(of_chapter.contains(call), "{call} does not stand below {headline}");
    }
    // What the text says of the clients stands there, too.
    assert!(page.shown.contains("-- client B aborts its connection"), "{}", page.shown);
    assert!(page.html.contains("<p class=\"said\">client B aborts its connection</p>"));
}

#[test]
fn a_result_is_never_cut() {
    let tour = Written::by(&["tour"]);
    let lab = Written::by(&["lab", "partial-send"]);
    for page in [&tour, &lab] {
        let data = page.data();
        let steps = data["steps"].as_array().unwrap();
        let rows = page.rows();
        assert_eq!(rows.len(), steps.len());
        for (row, step) in rows.iter().zip(steps) {
            // In full it is followed by the errno's text, or by what else the call reported.
            let result = row.call.rsplit_once(") = ").expect(&row.call).1;
            let result = result.split(" (").next().unwrap();
            let full = step["call"].as_str().unwrap();
            let told = full.rsplit_once(" = ").unwrap().1;
            let number = result.trim_start_matches("0x");
            assert!(told.starts_with(result) || told.starts_with("0x"), "{number}: {full}");
            assert!(!row.call.contains('…'), "{row:?}");
        }
        if has_program("chromium") {
            let mut browser = Browser::new(1280);
            browser.open(&page.file, "");
            for width in [1280, 375] {
                browser.resize(width);
                assert_eq!(browser.ask(CUT), 0, "{width}");
            }
        }
    }
    lab.row("send(4, \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"...) = ");
}

#[test]
fn a_wait_stands_with_the_end_that_waits() {
    let page = Written::by(&["lab", "partial-send"]);
    assert_eq!(page.row("connect(4").side, "left");
    assert_eq!(page.row("poll([4:OUT]) = 0").side, "left");
    // The wait for a listener is the server's.
    let page = Written::by(&["tour", "--via", "poll"]);
    assert_eq!(page.row("poll([3]) = 1").side, "right");
    assert_eq!(page.row("A poll([32:OUT]) = 1").side, "left");
}

#[test]
fn a_listener_has_the_port_that_the_kernel_chose() {
    let page = Written::by(&["lab", "partial-send"]);
    let asked = page.row("getsockname(3, ").call;
    let address = asked.split_once(", ").unwrap().1.split_once(')').unwrap().0;
    assert!(!address.ends_with(":0"), "{asked}");
    let data = page.data();
    let steps = data["steps"].as_array().unwrap();
    let at = |call: &str| {
        let step = steps.iter().find(|step| step["call"].as_str().unwrap().starts_with(call));
        step.unwrap()["fds"].to_string()
    };
    assert_eq!(at("listen(3"), "[[3,\"listens at 127.0.0.1:0\"]]");
    assert_eq!(at("getsockname(3"), format!("[[3,\"listens at {address}\"]]"));
}

#[test]
fn a_page_tells_the_time_and_shows_pauses() {
    let page = Written::by(&["lab", "partial-send"]);
    let rows = page.rows();
    let times: Vec<_> = rows.iter().map(PageRow::micros).collect();
    // A time has one decimal.
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1] + 100.0), "{times:?}");
    let poll = rows.iter().position(|row| row.call.starts_with("poll([4:OUT]) = 0")).unwrap();
    let passed = times[poll] - times[poll - 1];
    assert!(passed >= 90_000.0, "poll waits 100 ms, {passed}");
    let (_, behind) = page.html.split_once("<li class=\"pause ").unwrap();
    assert!(page.html.matches("<li class=\"pause ").count() >= 2, "{behind}");
    // The pause stands before the row of the call that waited.
    let row = page.html.find(&format!("id=\"step-{}\"", poll + 1)).unwrap();
    let before = page.html[..row].lines().rev().nth(1).unwrap();
    assert!(before.starts_with("<li class=\"pause zeros-2\"><span>"), "{before}");
    assert!(before.contains(" ms pass</span>"), "{before}");
}

/// The page of a lab of four hundred calls, whose server is a thread without a trace.
fn a_long_lab() -> &'static Written {
    static PAGE: OnceLock<Written> = OnceLock::new();
    // Two tests share it, of which none is the last.
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("a-long-lab.html");
    PAGE.get_or_init(|| Written::into(file, &["lab", "nagle-40ms"]))
}

#[test]
fn what_a_peer_without_a_trace_received_is_not_denied() {
    let page = a_long_lab();
    let told: Vec<_> = page.data()["steps"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|step| step["under_way"].as_array().cloned().unwrap_or_default())
        .map(|line| line.as_str().unwrap().to_string())
        .collect();
    let server = "the trace does not have what it received";
    assert!(told.iter().any(|line| line.contains("to the server: ") && line.contains(server)));
    for line in &told {
        assert!(
            !line.starts_with("sent and not yet received") || !line.contains("server"),
            "{line}"
        );
    }
}

#[test]
fn a_lab_of_four_hundred_calls_is_whole_and_what_is_alike_is_folded() {
    let page = a_long_lab();
    let called = page.shown.lines().filter(|line| {
        let line = line.trim_start();
        line.split_once('(').is_some_and(|(name, rest)| {
            name.bytes().all(|byte| byte.is_ascii_lowercase())
                && !name.is_empty()
                && rest.contains(") = ")
        })
    });
    let (called, rows) = (called.count(), page.rows().len());
    assert!(rows > 300, "{rows}");
    assert_eq!(rows, called, "{}", page.shown);
    assert!(
        page.html.contains("<summary>28 more rounds like these: 84 calls</summary>"),
        "{}",
        page.html
    );
    if !has_program("chromium") {
        return;
    }
    let mut browser = Browser::new(1280);
    let is_seen = "document.getElementById('step-60').checkVisibility()";
    let chosen = "document.querySelector('.row.chosen').id";
    browser.open(&page.file, "");
    assert_eq!(browser.ask(is_seen), false);
    // A link to a step opens the fold around it.
    browser.open(&page.file, "#step=60");
    assert_eq!((browser.ask(is_seen), browser.ask(chosen)), (true.into(), "step-60".into()));
    // So does stepping into it, and its own summary.
    let last_shown =
        "document.querySelector('.fold').previousElementSibling.id.replace('step-', '#step=')";
    browser.open(&page.file, "");
    let last_shown = browser.text_of(last_shown);
    browser.open(&page.file, &last_shown);
    assert_eq!(browser.ask(is_seen), false);
    browser.press("ArrowDown");
    assert_eq!(browser.ask(is_seen), true);
    browser.open(&page.file, "");
    browser.ask("document.querySelector('.fold summary').focus()");
    browser.press("Enter");
    assert_eq!(browser.ask(is_seen), true);
    assert_eq!(browser.take_complaints(), [""; 0]);
}

#[test]
fn only_the_page_s_own_style_and_script_count() {
    if !has_program("chromium") {
        return;
    }
    let page = Written::by(&["lab", "nb-connect-ok"]);
    let mut browser = Browser::new(1280);
    browser.open(&page.file, "");
    // A changed style or script needs a new value in the page's policy, which this text has.
    assert_eq!(browser.take_complaints(), [""; 0]);
    assert!(
        browser.text_of("document.getElementById('place').textContent").starts_with("step 1 of ")
    );

    let foreign = "<style>h1 { display: none }</style><h1 id=\"foreign\" style=\"display: none\">\
                   <script>document.title = 'foreign'</script><img src=\"x\" onerror=\"document.title = 'foreign'\">";
    std::fs::write(&page.file, page.html.replacen("<main>", &format!("<main>{foreign}"), 1))
        .unwrap();
    browser.open(&page.file, "");
    assert_ne!(browser.text_of("document.title"), "foreign");
    assert_ne!(
        browser.text_of("getComputedStyle(document.getElementById('foreign')).display"),
        "none"
    );
    // A style element, an attribute, a script, an image with a handler.
    assert!(browser.take_complaints().len() >= 4);
}
