//! The desk: answers the requests of browsers, over the http of [`services`](crate::services::http).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::audience::{Order, ViewAudience};
use super::gate::{EVENTS, Gate, Refusal};
use crate::events::{Action, Actions, LoopEvent, Service, Token, TokenMap};
use crate::os::random::RandomSource;
use crate::services::http::{Head, HttpTime, Manner, Method, Parsed, Request, Status, now, parse};

/// The page. Its style and its script carry a mark where the nonce is put.
const PAGE: &str = include_str!("page.html");
const NONCE: &str = "NONCE";

/// A connection without a complete request is closed after this time.
const PATIENCE: Duration = Duration::from_secs(15);
/// At most this many connections are served at a time: a browser opens a few.
const MOST_CONNECTIONS: usize = 64;
/// At most this many requests are answered at once.
const MOST_ANSWERS: usize = 16;
/// The longest pause of slow motion, in milliseconds.
const SLOWEST_MS: u64 = 60_000;
/// The answer to an order that the view does not have.
const ORDERS: &str =
    "The orders are pause, go-on, step, and slow/MILLISECONDS for at most a minute.";

/// Fields of every answer: it is never kept, and belongs to no other page.
const FIELDS: &str = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
    Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n";

/// Answers the browsers.
#[derive(Debug)]
pub(super) struct ViewDesk {
    gate: Gate,
    audience: Rc<RefCell<ViewAudience>>,
    random: RandomSource,
    connections: TokenMap<DeskPhase>,
    count: usize,
    /// The answers to one event.
    out: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeskPhase {
    /// Requests are answered.
    Open,
    /// Events are sent; nothing more is read.
    Watching,
    /// Closed when everything is sent.
    Leaving,
}

impl ViewDesk {
    pub(super) fn new(
        gate: Gate,
        audience: Rc<RefCell<ViewAudience>>,
        random: RandomSource,
    ) -> Self {
        Self { gate, audience, random, connections: TokenMap::default(), count: 0, out: Vec::new() }
    }

    fn opened(&mut self, who: Token, actions: &mut Actions<'_>) {
        self.count += 1;
        self.connections.insert(who, DeskPhase::Open);
        if self.count > MOST_CONNECTIONS {
            return actions.push(Action::Abort(who));
        }
        actions.push(Action::Deadline(who, Some(PATIENCE)));
    }

    fn bytes<'a>(&'a mut self, who: Token, bytes: &[u8], actions: &mut Actions<'a>) {
        if self.connections.get(who) != Some(&DeskPhase::Open) {
            return;
        }
        self.out.clear();
        let (phase, left) = self.answer_all(who, bytes);
        self.connections.insert(who, phase);
        if !self.out.is_empty() {
            let patience = (phase != DeskPhase::Watching).then_some(PATIENCE);
            actions.push(Action::Send { to: who, bytes: &self.out });
            actions.push(Action::Deadline(who, patience));
        }
        match phase {
            DeskPhase::Open if left > 0 => actions.push(Action::Keep(left)),
            DeskPhase::Leaving => actions.push(Action::Close(who)),
            DeskPhase::Open | DeskPhase::Watching => {}
        }
    }

    /// Answers the requests in these bytes; returns what becomes of the connection, and how many bytes are left.
    fn answer_all(&mut self, who: Token, bytes: &[u8]) -> (DeskPhase, usize) {
        let date = i64::try_from(now()).ok().and_then(HttpTime::at);
        let date = date.map_or(String::new(), |date| date.text);
        let mut rest = bytes;
        for _ in 0..MOST_ANSWERS {
            let (request, len) = match parse(rest) {
                Parsed::Incomplete => return (DeskPhase::Open, rest.len()),
                Parsed::Refused(refused) => {
                    let manner = Manner::of_last(refused.method, &date);
                    self.say(refused.status, refused.status.sentence(), manner);
                    return (DeskPhase::Leaving, 0);
                }
                Parsed::Request(request, len) => (request, len),
            };
            rest = &rest[len..];
            match self.answer(who, &request, &date) {
                DeskPhase::Open if request.keep_alive => {}
                DeskPhase::Open => return (DeskPhase::Leaving, 0),
                phase => return (phase, 0),
            }
        }
        // A browser does not send so many requests before it has an answer.
        (DeskPhase::Leaving, 0)
    }

    fn answer(&mut self, who: Token, request: &Request<'_>, date: &str) -> DeskPhase {
        let manner = Manner::of(request, date);
        let path = match self.gate.admit(request) {
            Ok(path) => path,
            Err(refusal) => {
                self.refuse(refusal, manner);
                return DeskPhase::Open;
            }
        };
        let looks = matches!(request.method, Method::Get | Method::Head);
        match (path, request.method) {
            (None, _) => self.redirect(request, manner),
            (Some(""), _) if looks => self.page(manner),
            (Some(EVENTS), Method::Get) => return self.watch(who, manner),
            (Some(path), Method::Post) => match order(path) {
                Some(order) => {
                    self.audience.borrow_mut().order(order);
                    begin(&mut self.out, Status::NoContent, manner).end();
                }
                None => self.say(Status::NotFound, ORDERS, manner),
            },
            (Some(""), _) => self.say_allowed("GET, HEAD", manner),
            (Some(EVENTS), _) => self.say_allowed("GET", manner),
            (Some(path), _) if order(path).is_some() => self.say_allowed("POST", manner),
            _ => self.say(Status::NotFound, "The view has no page of this name.", manner),
        }
        DeskPhase::Open
    }

    fn refuse(&mut self, refusal: Refusal, manner: Manner<'_>) {
        self.say(Status::Forbidden, refusal.sentence(), manner);
    }

    /// The page's own addresses are relative to the slash at the end.
    fn redirect(&mut self, request: &Request<'_>, manner: Manner<'_>) {
        let location = format!("{}/", request.target.split('?').next().unwrap_or_default());
        let head = begin(&mut self.out, Status::MovedPermanently, manner);
        head.text("Location", &location).field("Content-Length", 0).end();
    }

    fn page(&mut self, manner: Manner<'_>) {
        let Ok(nonce) = self.random.hex::<16>() else {
            return self.say(
                Status::ServiceUnavailable,
                "The system gives no random bytes.",
                manner,
            );
        };
        let page = PAGE.replace(NONCE, &nonce);
        begin(&mut self.out, Status::Ok, manner)
            .text("Content-Type", "text/html; charset=utf-8")
            .field(
                "Content-Security-Policy",
                format_args!(
                    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
                     img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                ),
            )
            .text("Cross-Origin-Opener-Policy", "same-origin")
            .field("Content-Length", page.len())
            .end();
        if manner.with_body {
            self.out.extend_from_slice(page.as_bytes());
        }
    }

    /// Begins the stream of events. It has no length: it lasts as long as the connection.
    fn watch(&mut self, who: Token, manner: Manner<'_>) -> DeskPhase {
        if !self.audience.borrow_mut().join(who) {
            self.say(Status::ServiceUnavailable, "Too many pages look: close one of them.", manner);
            return DeskPhase::Open;
        }
        let manner = Manner { keep_alive: false, ..manner };
        let head = begin(&mut self.out, Status::Ok, manner);
        head.text("Content-Type", "text/event-stream; charset=utf-8").end();
        self.out.extend_from_slice(b"retry: 1000\n\n");
        DeskPhase::Watching
    }

    /// Refuses a method, and says which are allowed here.
    fn say_allowed(&mut self, methods: &str, manner: Manner<'_>) {
        let sentence = format!("This address supports only {methods}.");
        self.say_with(Status::MethodNotAllowed, &sentence, manner, |head| {
            head.text("Allow", methods)
        });
    }

    fn say(&mut self, status: Status, sentence: &str, manner: Manner<'_>) {
        self.say_with(status, sentence, manner, |head| head);
    }

    /// The same with more fields.
    fn say_with(
        &mut self,
        status: Status,
        sentence: &str,
        manner: Manner<'_>,
        more: impl for<'o> FnOnce(Head<'o>) -> Head<'o>,
    ) {
        let head = begin(&mut self.out, status, manner)
            .text("Content-Type", "text/plain; charset=utf-8")
            .field("Content-Length", sentence.len() + 1);
        more(head).end();
        if manner.with_body {
            self.out.extend_from_slice(sentence.as_bytes());
            self.out.push(b'\n');
        }
    }

    fn leave(&mut self, who: Token, actions: &mut Actions<'_>) {
        self.audience.borrow_mut().leave(who);
        let was = self.connections.get(who).copied();
        self.connections.insert(who, DeskPhase::Leaving);
        match was {
            // The peer had its time to read what is queued.
            Some(DeskPhase::Leaving) | None => actions.push(Action::Abort(who)),
            Some(DeskPhase::Open | DeskPhase::Watching) => {
                actions.push(Action::Close(who));
                actions.push(Action::Deadline(who, Some(PATIENCE)));
            }
        }
    }
}

fn begin<'o>(out: &'o mut Vec<u8>, status: Status, manner: Manner<'_>) -> Head<'o> {
    Head::begin(out, status, manner).written(FIELDS)
}

/// The order with this name.
fn order(path: &str) -> Option<Order> {
    Some(match path {
        "pause" => Order::Pause,
        "go-on" => Order::GoOn,
        "step" => Order::Step,
        _ => {
            let ms = path.strip_prefix("slow/")?.parse().ok()?;
            let is_pause = (1..=SLOWEST_MS).contains(&ms);
            is_pause.then(|| Order::Slow(Duration::from_millis(ms)))?
        }
    })
}

impl Service for ViewDesk {
    fn on<'a>(&'a mut self, who: Token, event: LoopEvent<'a>, actions: &mut Actions<'a>) {
        match event {
            LoopEvent::Opened { .. } => self.opened(who, actions),
            LoopEvent::Bytes(bytes) => self.bytes(who, bytes, actions),
            LoopEvent::PeerFinished | LoopEvent::Deadline => self.leave(who, actions),
            LoopEvent::Closed(_) => {
                self.count -= 1;
                self.audience.borrow_mut().leave(who);
                self.connections.remove(who);
            }
            LoopEvent::Room | LoopEvent::NotOpened(_) | LoopEvent::Datagram { .. } => {}
        }
    }
}
