//! http as other people's programs know it: curl, ApacheBench, wrk and a browser, with both calls.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::*;

const PICTURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"123\" height=\"45\">\
    <rect width=\"123\" height=\"45\" fill=\"teal\"/></svg>";

/// The script tells whether the picture was shown: a browser that was told a wrong type shows none.
const PAGE: &str = "<!DOCTYPE html><title>page</title><img src=\"picture.svg\" \
    onload=\"document.title = 'wide ' + this.naturalWidth\"><p>grüße</p>";

/// A directory that is served: `root/`, and beside it a secret.
struct Site {
    dir: TempDir,
    server: Services,
}

impl Site {
    #[track_caller]
    fn new(via: &str) -> Self {
        let dir = TempDir::new();
        fs::create_dir_all(dir.file("root/sub")).unwrap();
        fs::write(dir.file("secret"), "SECRET").unwrap();
        for (name, content) in [
            ("hello.txt", "hello\n"),
            ("1k", &"x".repeat(1024)),
            ("100k", &"x".repeat(100_000)),
            ("page.html", PAGE),
            ("picture.svg", PICTURE),
            ("sub/<b>&amp;.txt", "odd"),
        ] {
            fs::write(dir.file("root").join(name), content).unwrap();
            age(&dir.file("root").join(name));
        }
        symlink("../secret", dir.file("root/out")).unwrap();
        let service = format!("http=127.0.0.1:0,root={}", dir.file("root").display());
        Self { server: serve(via, &[&service]), dir }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.at(0))
    }

    /// What curl says; it must succeed.
    #[track_caller]
    fn curl(&self, arguments: &[&str], path: &str) -> String {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "30"]);
        let output = output_of(command.args(arguments).arg(self.url(path)));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "curl {arguments:?} {path}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn curl_gets_files_parts_and_conditions() {
    if !has_program("curl") {
        return;
    }
    for via in BOTH {
        let site = Site::new(via);
        let code = ["--output", "/dev/null", "--write-out", "%{http_code}"];
        assert_eq!(site.curl(&[], "/hello.txt"), "hello\n", "{via}");
        assert_eq!(site.curl(&["--http1.0"], "/hello.txt"), "hello\n");
        assert_eq!(site.curl(&["--range", "1-3"], "/hello.txt"), "ell");
        assert_eq!(site.curl(&["--range", "-3"], "/hello.txt"), "lo\n");
        assert_eq!(site.curl(&[&code[..], &["--range", "6-"]].concat(), "/hello.txt"), "416");
        assert_eq!(site.curl(&code, "/nothing"), "404");
        assert_eq!(site.curl(&[&code[..], &["--location"]].concat(), "/sub"), "200");
        // A large body: curl asks first whether it is wanted.
        let body = "x".repeat(2_000_000);
        fs::write(site.dir.file("body"), body).unwrap();
        let post = format!("@{}", site.dir.file("body").display());
        assert_eq!(site.curl(&[&code[..], &["--data-binary", &post]].concat(), "/"), "405");
        assert_eq!(site.curl(&[&code[..], &["--data", "small"]].concat(), "/"), "405");

        let head = site.curl(&["--head"], "/100k");
        assert!(head.contains("Content-Length: 100000\r\n"), "{head}");
        let copy = site.dir.file("copy");
        site.curl(&["--remote-time", "--output", text(&copy)], "/hello.txt");
        let known = [&code[..], &["--time-cond", text(&copy)]].concat();
        assert_eq!(site.curl(&known, "/hello.txt"), "304");
        let old = [&code[..], &["--time-cond", "1 Jan 2000"]].concat();
        assert_eq!(site.curl(&old, "/hello.txt"), "200");
    }
}

#[test]
fn curl_uses_a_connection_again() {
    if !has_program("curl") {
        return;
    }
    for via in BOTH {
        let site = Site::new(via);
        let url = site.url("/hello.txt");
        let said = site.curl(&["--write-out", "%{num_connects} ", &url, &url], "/nothing");
        assert_eq!(said.matches("hello\n").count(), 2);
        assert!(said.starts_with("hello\n1 hello\n0 "), "{said}");
    }
}

#[test]
fn curl_finds_no_way_out() {
    if !has_program("curl") {
        return;
    }
    for via in BOTH {
        let site = Site::new(via);
        for path in [
            "/../secret",
            "/sub/../../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/%2e%2e%2fsecret",
            "/%252e%252e%252fsecret",
            "/..%5csecret",
            "/sub/..%00/../../secret",
            "//../secret",
            "/./../secret",
            "/out",
            "/../../../../../../../../etc/passwd",
        ] {
            let arguments = ["--path-as-is", "--write-out", "%{http_code}"];
            let said = site.curl(&arguments, path);
            assert!(said.ends_with("404") || said.ends_with("400"), "{path}: {said}");
            assert!(!said.contains("SECRET") && !said.contains("root:"), "{path}: {said}");
        }
    }
}

#[test]
fn apache_bench_finds_no_error() {
    if !has_program("ab") {
        return;
    }
    for via in BOTH {
        let site = Site::new(via);
        for (arguments, path) in [
            (&["-n", "2000", "-c", "20", "-k"][..], "/1k"),
            (&["-n", "500", "-c", "20"], "/1k"),
            (&["-n", "300", "-c", "10", "-k"], "/100k"),
        ] {
            let run = output_of(Command::new("ab").arg("-q").args(arguments).arg(site.url(path)));
            let said = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
            let complete = format!("Complete requests:      {}\n", arguments[1]);
            assert!(said.contains(&complete), "{said}");
            assert!(said.contains("Failed requests:        0\n"), "{said}");
            assert!(!said.contains("Non-2xx") && !said.contains("Write errors"), "{said}");
        }
    }
}

#[test]
fn wrk_finds_no_error_and_leaves_no_descriptor() {
    if !has_program("wrk") {
        return;
    }
    for via in BOTH {
        let site = Site::new(via);
        let before = HAS_PROC.then(|| descriptors(site.server.pid()));
        for path in ["/1k", "/100k", "/sub/"] {
            let arguments = ["-t1", "-c50", "-d1s", &site.url(path)];
            let run = output_of(Command::new("wrk").args(arguments));
            let said = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success() && said.contains("requests in"), "{said}");
            assert!(!said.contains("Socket errors") && !said.contains("Non-2xx"), "{path}: {said}");
        }
        if let Some(before) = before {
            wait_until("all are closed", || descriptors(site.server.pid()) == before);
        }
    }
}

#[test]
fn a_browser_shows_a_list_and_a_page_with_a_picture() {
    if !has_program("chromium") {
        return;
    }
    let site = Site::new("poll");
    let list = browse(&site, "/");
    for part in
        ["<h1>/</h1>", r#"href="sub/""#, r#">hello.txt</a>"#, r#"href="picture.svg""#, "1.0 KiB"]
    {
        assert!(list.contains(part), "{part} is not in\n{list}");
    }
    assert!(!list.contains("out"), "{list}");
    // A name that looks like a page is none.
    let list = browse(&site, "/sub/");
    assert!(list.contains("&lt;b&gt;&amp;amp;.txt</a>") && !list.contains("<b>"), "{list}");
    let page = browse(&site, "/page.html");
    assert!(page.contains("<title>wide 123</title>"), "{page}");
    assert!(page.contains("<p>grüße</p>"), "{page}");
}

/// The page as the browser has it after its scripts have run.
#[track_caller]
fn browse(site: &Site, path: &str) -> String {
    let profile = format!("--user-data-dir={}", site.dir.file("profile").display());
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command.args(["--disable-background-networking", "--no-first-run", &profile]);
    let run = output_of(command.arg(site.url(path)));
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}
