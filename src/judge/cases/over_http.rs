//! How requests arrive: in pieces, several at once, in an old version, without a body in the response.

use crate::judge::dialogue::{get, hello};
use crate::judge::http;
use crate::judge::site::{HELLO, HELLO_BYTES};
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

pub(super) const OF: &[Role] = &[Role::Http];

pub(super) const IN_PIECES: JudgeCase = JudgeCase {
    name: "http-in-pieces",
    question: "Does it answer a request that arrives byte by byte?",
    of: OF,
    points: 2,
    lab: "header-splits",
    causes: &[
        Cause {
            when: Symptom::Wrong,
            because: "the first recv is taken for the whole request",
            remedy: "collect what comes until the empty line that ends the head",
        },
        Cause {
            when: Symptom::Reset,
            because: "the first recv is taken for the whole request, and the connection closed while the rest comes",
            remedy: "collect what comes until the empty line that ends the head",
        },
    ],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let request = get(bench, HELLO, "Connection: close\r\n");
        for byte in request.bytes() {
            peer.send(&[byte])?;
            bench.pause(1);
        }
        let response = http::receive(&mut peer, "GET")?;
        hello(&response, &peer)
    },
    ..JudgeCase::ORDINARY
};

pub(super) const PIPELINED: JudgeCase = JudgeCase {
    name: "http-pipelined",
    question: "Does it answer three requests in one segment in order, as far as it keeps the connection open?",
    of: OF,
    points: 2,
    lab: "no-message-boundaries",
    causes: &[
        Cause {
            when: Symptom::Silent,
            because: "what follows the first request in the buffer is thrown away",
            remedy: "keep what follows the empty line, and look there for the next request before waiting",
        },
        Cause {
            when: Symptom::Wrong,
            because: "the answers came in another order than the requests, or the second, for a file that is missing, is no 404",
            remedy: "answer one request after the other, each with the status of its own file",
        },
        Cause {
            when: Symptom::Ended,
            because: "the answer has no \"Connection: close\", and the connection is closed all the same",
            remedy: "say \"Connection: close\" where the connection is closed",
        },
    ],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let requests = [
            get(bench, HELLO, ""),
            get(bench, "no-such-file", ""),
            get(bench, HELLO, "Connection: close\r\n"),
        ];
        peer.send(requests.concat().as_bytes())?;
        for wanted in [200, 404, 200] {
            let response = http::receive(&mut peer, "GET")?;
            if response.status != wanted {
                let came = format!("status {}", response.status);
                return Err(peer.failed(Symptom::Wrong, format!("status {wanted}"), Some(came)));
            }
            if wanted == 200 {
                hello(&response, &peer)?;
            }
            // A server that closes says so, and the client asks the rest again.
            if !response.claims_to_go_on() {
                break;
            }
        }
        Ok(())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const KEEP_ALIVE: JudgeCase = JudgeCase {
    name: "http-keep-alive",
    question: "Does the connection stay open if the response says so?",
    of: OF,
    lab: "half-close",
    causes: &[Cause {
        when: Symptom::Ended,
        because: "the answer has no \"Connection: close\", and with HTTP/1.1 the client may send its next request then",
        remedy: "say \"Connection: close\" where the connection is closed",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, HELLO, "").as_bytes())?;
        let first = http::receive(&mut peer, "GET")?;
        hello(&first, &peer)?;
        if !first.claims_to_go_on() {
            return peer.expect_end();
        }
        peer.send(get(bench, HELLO, "Connection: close\r\n").as_bytes())?;
        let second = http::receive(&mut peer, "GET")?;
        hello(&second, &peer)
    },
    ..JudgeCase::ORDINARY
};

pub(super) const HTTP_1_0: JudgeCase = JudgeCase {
    name: "http-1.0",
    question: "Does it answer HTTP/1.0, and close the connection?",
    of: OF,
    lab: "half-close",
    causes: &[Cause {
        when: Symptom::Silent,
        because: "the connection is kept, although HTTP/1.0 closes it unless both say \"keep-alive\"",
        remedy: "close the connection after the answer to a request of HTTP/1.0",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        let request = get(bench, HELLO, "").replace("HTTP/1.1", "HTTP/1.0");
        peer.send(request.as_bytes())?;
        let response = http::receive(&mut peer, "GET")?;
        hello(&response, &peer)?;
        peer.expect_end()
    },
    ..JudgeCase::ORDINARY
};

pub(super) const HEAD: JudgeCase = JudgeCase {
    name: "http-head",
    question: "Does it answer HEAD like GET, without the body?",
    of: OF,
    lab: "no-message-boundaries",
    causes: &[Cause {
        when: Symptom::TooMuch,
        because: "the body is sent as for GET, and a client takes it for its next answer",
        remedy: "leave out the body for HEAD, and keep its Content-Length",
    }],
    run: |bench| {
        let mut peer = bench.connect("client")?;
        peer.send(get(bench, HELLO, "Connection: close\r\n").replace("GET ", "HEAD ").as_bytes())?;
        let response = http::receive(&mut peer, "HEAD")?;
        let length = response.field("content-length").map(str::trim);
        let is_right = length.is_none_or(|length| length == HELLO_BYTES.len().to_string());
        if response.status != 200 || !is_right {
            let came =
                format!("status {}, Content-Length {}", response.status, length.unwrap_or("none"));
            let expected = format!("status 200 and Content-Length {}", HELLO_BYTES.len());
            return Err(peer.failed(Symptom::Wrong, expected, Some(came)));
        }
        peer.expect_end()
    },
    ..JudgeCase::ORDINARY
};
