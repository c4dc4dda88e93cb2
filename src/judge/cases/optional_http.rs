//! Optional features: a server need not have them, but if it does, they must be right.

use super::over_http::OF;
use crate::judge::JudgeCase;
use crate::judge::dialogue::{get, hello};
use crate::judge::http;
use crate::judge::site::{HELLO, HELLO_BYTES};
use crate::judge::steps::shown;
use crate::judge::verdict::Symptom;

pub(super) const RANGE: JudgeCase = JudgeCase {
    name: "http-range",
    question: "Does it send the right range, or the whole file?",
    of: OF,
    lab: "no-message-boundaries",
    run: |bench| {
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, HELLO, "Range: bytes=7-11\r\nConnection: close\r\n").as_bytes())?;
        let response = http::receive(&mut peer, "GET")?;
        if response.status != 206 {
            return hello(&response, &peer);
        }
        let range = format!("bytes 7-11/{}", HELLO_BYTES.len());
        if response.body == HELLO_BYTES[7..12]
            && response.field("content-range").is_some_and(|field| field.trim() == range)
        {
            return Ok(());
        }
        let expected =
            format!("206 with Content-Range: {range} and {}", shown(&HELLO_BYTES[7..12]));
        let came = format!(
            "206 with Content-Range: {} and {}",
            response.field("content-range").unwrap_or("none"),
            shown(&response.body)
        );
        Err(peer.failed(Symptom::Wrong, expected, Some(came)))
    },
    ..JudgeCase::ORDINARY
};

pub(super) const CONDITION: JudgeCase = JudgeCase {
    name: "http-condition",
    question: "Does it evaluate If-Modified-Since and If-None-Match correctly, or ignore them?",
    of: OF,
    lab: "no-message-boundaries",
    run: |bench| {
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, HELLO, "Connection: close\r\n").as_bytes())?;
        let first = http::receive(&mut peer, "GET")?;
        hello(&first, &peer)?;
        let mut fields = String::new();
        for (has, asks) in [("last-modified", "If-Modified-Since"), ("etag", "If-None-Match")] {
            if let Some(value) = first.field(has) {
                fields.push_str(&format!("{asks}: {}\r\n", value.trim()));
            }
        }
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, HELLO, &format!("{fields}Connection: close\r\n")).as_bytes())?;
        let second = http::receive(&mut peer, "GET")?;
        if second.status != 304 {
            return hello(&second, &peer);
        }
        peer.expect_end()
    },
    ..JudgeCase::ORDINARY
};
