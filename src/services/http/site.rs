//! From a request to its response: what is there, which part of it is wanted, and what is said about it.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use super::body::{Body, CHUNK};
use super::cache::{Cache, MOST_OF_FILE};
use super::conditions::{Verdict, judge};
use super::file::{self, Described, Moment};
use super::listing;
use super::out::Out;
use super::path::{Place, path_of};
use super::range::Wanted;
use super::request::{Method, Request};
use super::response::{Head, Manner, say, say_with};
use super::root::{Found, Root};
use super::status::Status;

/// What is served, and what is remembered of it.
#[derive(Debug)]
pub(super) struct Site {
    root: Root,
    cache: Cache,
    /// The current second as a date.
    now: Moment,
}

/// Where the bytes of a file come from.
enum Source<'a> {
    Memory(&'a [u8]),
    File(File),
}

impl Site {
    pub(super) fn new(root: Root) -> Self {
        Self { root, cache: Cache::default(), now: Moment { seconds: 0, text: String::new() } }
    }

    /// Looks at the clock. The date is written out once a second, not for every response.
    pub(super) fn look_at_clock(&mut self) {
        let seconds = file::now();
        if seconds != self.now.seconds {
            self.now =
                Moment::at(seconds as i64).unwrap_or(Moment { seconds, text: String::new() });
        }
    }

    /// The date of a response.
    pub(super) fn date(&self) -> &str {
        &self.now.text
    }

    /// Writes the response to a request, and returns the part of its body that did not fit.
    pub(super) fn answer(&mut self, request: &Request<'_>, out: &mut Out) -> Body {
        let manner = Manner::new(&self.now.text, request.method, request.keep_alive);
        match request.method {
            Method::Get | Method::Head => {}
            Method::Other => {
                say_with(out, Status::MethodNotAllowed, manner, |head| {
                    head.text("Allow", "GET, HEAD")
                });
                return Body::Done;
            }
            Method::Unknown => {
                say(out, Status::NotImplemented, manner);
                return Body::Done;
            }
        }
        let path = match path_of(request.target) {
            Ok(path) => path,
            Err(status) => {
                say(out, status, manner);
                return Body::Done;
            }
        };
        if let Some(known) = self.cache.get(path) {
            return send(request, &known.described, Source::Memory(&known.content), manner, out);
        }
        match self.look_up(path, request, out) {
            Ok(body) => body,
            Err(status) => {
                say(out, status, Manner::new(&self.now.text, request.method, request.keep_alive));
                Body::Done
            }
        }
    }

    fn look_up(
        &mut self,
        path: &str,
        request: &Request<'_>,
        out: &mut Out,
    ) -> Result<Body, Status> {
        let place = Place::parse(path)?;
        let manner = Manner::new(&self.now.text, request.method, request.keep_alive);
        let directory = match self.root.find(&place.relative)? {
            Found::File(..) if place.is_directory => return Err(Status::NotFound),
            Found::File(file, metadata) => {
                return self.send_file(path, &place.relative, file, &metadata, request, out);
            }
            Found::Directory(_) if !place.is_directory => {
                // Or the links in it would be followed from the directory above.
                let location = Place { is_directory: true, ..place }.encoded();
                say_with(out, Status::MovedPermanently, manner, |head| {
                    head.text("Location", &location)
                });
                return Ok(Body::Done);
            }
            Found::Directory(directory) => directory,
        };
        let index = place.relative.join("index.html");
        match self.root.find(&index) {
            Ok(Found::File(file, metadata)) => {
                return self.send_file(path, &index, file, &metadata, request, out);
            }
            Ok(Found::Directory(_)) | Err(Status::NotFound) => {}
            Err(status) => return Err(status),
        }
        let page = listing::page(&place, self.root.list(&directory)?);
        Head::begin(out, Status::Ok, manner)
            .text("Content-Type", "text/html; charset=utf-8")
            .field("Content-Length", page.len())
            .end();
        if !manner.with_body {
            return Ok(Body::Done);
        }
        let mut body = Body::Text(page.into_bytes(), 0);
        begin(&mut body, out).map_err(|_| Status::InternalServerError)?;
        Ok(body)
    }

    /// Sends a file that is not remembered, and remembers it if it is small.
    fn send_file(
        &mut self,
        path: &str,
        relative: &Path,
        file: File,
        metadata: &Metadata,
        request: &Request<'_>,
        out: &mut Out,
    ) -> Result<Body, Status> {
        let described = Described::new(relative, metadata, self.now.seconds);
        let manner = Manner::new(&self.now.text, request.method, request.keep_alive);
        if metadata.len() > MOST_OF_FILE {
            return Ok(send(request, &described, Source::File(file), manner, out));
        }
        let mut content = vec![0; metadata.len() as usize];
        file::read(&file, 0, &mut content).map_err(|_| Status::InternalServerError)?;
        let body = send(request, &described, Source::Memory(&content), manner, out);
        if self.cache.wants(path, metadata, self.now.seconds) {
            self.cache.put(path, self.root.path(relative), metadata, described, &content);
        }
        Ok(body)
    }
}

/// Sends of a file what the request wants of it.
fn send(
    request: &Request<'_>,
    described: &Described,
    source: Source<'_>,
    manner: Manner<'_>,
    out: &mut Out,
) -> Body {
    let len = described.len;
    let (status, from, until) = match judge(request, described) {
        Verdict::Send(Wanted::Whole) => (Status::Ok, 0, len),
        Verdict::Send(Wanted::Part(from, until)) => (Status::PartialContent, from, until),
        Verdict::Send(Wanted::Nothing) => {
            say_with(out, Status::RangeNotSatisfiable, manner, |head| {
                head.field("Content-Range", format_args!("bytes */{len}"))
            });
            return Body::Done;
        }
        Verdict::NotModified => {
            with_date(Head::begin(out, Status::NotModified, manner), described).end();
            return Body::Done;
        }
        Verdict::Failed => {
            say(out, Status::PreconditionFailed, manner);
            return Body::Done;
        }
    };
    let before = out.len();
    let mut head = Head::begin(out, status, manner)
        .text("Content-Type", &described.media_type)
        .field("Content-Length", until - from)
        .text("Accept-Ranges", "bytes");
    if status == Status::PartialContent {
        let last = until - 1;
        head = head.field("Content-Range", format_args!("bytes {from}-{last}/{len}"));
    }
    with_date(head, described).end();
    if !manner.with_body {
        return Body::Done;
    }
    match source {
        Source::Memory(content) => {
            out.put(&content[from as usize..until as usize]);
            Body::Done
        }
        Source::File(file) => {
            let mut body = Body::File { file, at: from, until };
            if begin(&mut body, out).is_err() {
                // Nothing is sent yet, so that the truth can still be told.
                out.truncate(before);
                say(out, Status::InternalServerError, manner);
                return Body::Done;
            }
            body
        }
    }
}

/// Appends the beginning of a body to its head, so that the two, or all of a small response, are one send.
fn begin(body: &mut Body, out: &mut Out) -> io::Result<()> {
    body.next(out, CHUNK.saturating_sub(out.len()))
}

fn with_date<'o>(head: Head<'o>, described: &Described) -> Head<'o> {
    match &described.modified {
        Some(moment) => head.text("Last-Modified", &moment.text),
        None => head,
    }
}
