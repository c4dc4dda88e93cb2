//! Requests that a server must refuse without ending.

use super::over_http::OF;
use crate::judge::bench::Bench;
use crate::judge::dialogue::{get, has};
use crate::judge::http::{self, Response};
use crate::judge::peer::JudgePeer;
use crate::judge::site::{HELLO, HELLO_BYTES, SECRET, SECRET_BYTES};
use crate::judge::verdict::{CaseOutcome, CaseStop, Symptom};
use crate::judge::{Cause, JudgeCase};

pub(super) const NO_HOST: JudgeCase = JudgeCase {
    name: "http-no-host",
    question: "Does an HTTP/1.1 request without Host get status 400?",
    of: OF,
    lab: "no-message-boundaries",
    causes: &[Cause {
        when: Symptom::Wrong,
        because: "nothing looks for the field Host, which HTTP/1.1 demands (RFC 9112, 3.2)",
        remedy: "answer 400 where a request of HTTP/1.1 has no Host",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, HELLO, "").replace("Host: localhost\r\n", "").as_bytes())?;
        expect_status(&mut peer, "GET", &[400])
    },
    ..JudgeCase::ORDINARY
};

pub(super) const NOT_FOUND: JudgeCase = JudgeCase {
    name: "http-not-found",
    question: "Does a request for a missing file get status 404?",
    of: OF,
    lab: "no-message-boundaries",
    causes: &[Cause {
        when: Symptom::Wrong,
        because: "the failure of open is not looked at, or its answer has a page for people and the status of success",
        remedy: "answer ENOENT with the status 404: a client reads the status, not the page",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, "no-such-file", "Connection: close\r\n").as_bytes())?;
        expect_status(&mut peer, "GET", &[404])
    },
    ..JudgeCase::ORDINARY
};

pub(super) const CLIMBING_OUT: JudgeCase = JudgeCase {
    name: "http-climbing-out",
    question: "Are all paths that lead out of the directory refused?",
    of: OF,
    points: 3,
    lab: "no-message-boundaries",
    causes: &[Cause {
        when: Symptom::Wrong,
        because: "the path of the request is put behind the directory as it is, with its \"..\"",
        remedy: "decode %, and refuse every path with a part \"..\"; or open below the directory only (openat2 with RESOLVE_BENEATH)",
    }],
    run: climb,
    ..JudgeCase::ORDINARY
};

pub(super) const LONG_LINE: JudgeCase = JudgeCase {
    name: "http-long-line",
    question: "Does it survive a request line of 64 KiB?",
    of: OF,
    lab: "header-splits",
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let request = get(bench, &"a".repeat(64 * 1024), "Connection: close\r\n");
        // It may refuse and close before it has received all of it.
        match peer.send(request.as_bytes()) {
            Err(CaseStop::Failed(_)) if peer.end().is_some() => return Ok(()),
            sent => sent?,
        }
        ends_or_refuses(&mut peer, "GET")
    },
    ..JudgeCase::ORDINARY
};

pub(super) const POST: JudgeCase = JudgeCase {
    name: "http-post",
    question: "Does it answer POST without taking the body for a request?",
    of: OF,
    lab: "no-message-boundaries",
    causes: &[Cause {
        when: Symptom::TooMuch,
        because: "the body was left in the stream, and read as the next request",
        remedy: "receive the body as Content-Length says and throw it away, or close the connection after the answer",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let body = get(bench, HELLO, "");
        let fields = format!("Content-Length: {}\r\nContent-Type: text/plain\r\n", body.len());
        let post = get(bench, HELLO, &fields).replace("GET ", "POST ") + &body;
        peer.send(post.as_bytes())?;
        let first = match receive_or_end(&mut peer, "POST")? {
            Some(first) => first,
            None => return Ok(()),
        };
        if !first.claims_to_go_on() {
            return Ok(());
        }
        bench.pause(150);
        peer.receive_what_is_there()?;
        if has(peer.received(), HELLO_BYTES) {
            return Err(peer.failed(Symptom::TooMuch, "one answer, to the request POST", None));
        }
        Ok(())
    },
    ..JudgeCase::ORDINARY
};

/// Every path that leads out of the root on some server.
fn climb(bench: &mut Bench<'_>) -> CaseOutcome {
    let known = std::fs::read("/etc/passwd").unwrap_or_default();
    let begin = known[..known.len().min(40)].to_vec();
    let secret = bench.site.served.as_ref().is_some_and(|served| served.has_secret);
    let up = ["../", "%2e%2e/", "..%2f", "./../", "x/../../", "%2e%2e%2f", "/../"];
    let mut paths: Vec<(String, &[u8])> = Vec::new();
    for step in up {
        if secret {
            paths.push((format!("{step}{SECRET}"), SECRET_BYTES));
        }
        if begin.len() > 10 {
            paths.push((format!("{}etc/passwd", step.repeat(12)), &begin));
        }
    }
    paths.push(("/etc/passwd".to_string(), &begin));
    for (path, outside) in paths {
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, &path, "Connection: close\r\n").as_bytes())?;
        let Some(response) = receive_or_end(&mut peer, "GET")? else { continue };
        if outside.len() > 10 && has(&response.body, outside) {
            let came = format!("status {} and what stands in that file", response.status);
            return Err(peer.failed(
                Symptom::Wrong,
                "nothing from outside of the directory",
                Some(came),
            ));
        }
    }
    Ok(())
}

/// A response; `None` if the connection ends instead.
fn receive_or_end(peer: &mut JudgePeer, method: &str) -> Result<Option<Response>, CaseStop> {
    match http::receive(peer, method) {
        Ok(response) => Ok(Some(response)),
        Err(CaseStop::Failed(_)) if peer.end().is_some() && peer.received().is_empty() => Ok(None),
        Err(stop) => Err(stop),
    }
}

fn expect_status(peer: &mut JudgePeer, method: &str, wanted: &[u16]) -> CaseOutcome {
    let response = http::receive(peer, method)?;
    if wanted.contains(&response.status) {
        return Ok(());
    }
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let expected = format!("status {}", wanted.join(" or "));
    Err(peer.failed(Symptom::Wrong, expected, Some(format!("status {}", response.status))))
}

/// Asserts that the server refuses the request (4xx, 5xx) or closes the connection.
fn ends_or_refuses(peer: &mut JudgePeer, method: &str) -> CaseOutcome {
    match receive_or_end(peer, method)? {
        Some(response) if response.status < 400 => {
            let came = format!("status {}", response.status);
            Err(peer.failed(Symptom::Wrong, "status 4xx or 5xx", Some(came)))
        }
        _ => Ok(()),
    }
}
