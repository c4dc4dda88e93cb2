//! From a request to its response: what is there, which part of it is wanted, and what the head says.

use std::fs::{File, Metadata};
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use super::body::{CHUNK, ResponseBody, Source};
use super::cache::{Cache, MOST_OF_FILE};
use super::conditions::{PreconditionResult, judge};
use super::file::{self, Described, HttpTime};
use super::listing;
use super::path::{SitePath, path_of};
use super::range::Wanted;
use super::request::{Method, Request};
use super::response::{Head, Manner, say, say_with};
use super::root::{FoundPath, Root};
use super::status::Status;

/// The served files and the cache.
#[derive(Debug)]
pub(super) struct Site {
    root: Root,
    cache: Cache,
    /// The current second as a date.
    now: HttpTime,
    /// The same moment by the monotonic clock.
    instant: Instant,
}

impl Site {
    pub(super) fn new(root: Root) -> Self {
        let now = HttpTime { seconds: 0, text: String::new() };
        Self { root, cache: Cache::default(), now, instant: Instant::now() }
    }

    /// Reads the clock. The date is formatted once a second, not for every response.
    pub(super) fn look_at_clock(&mut self) {
        self.instant = Instant::now();
        let seconds = file::now();
        if seconds != self.now.seconds {
            self.now =
                HttpTime::at(seconds as i64).unwrap_or(HttpTime { seconds, text: String::new() });
        }
    }

    /// The date of a response.
    pub(super) fn date(&self) -> &str {
        &self.now.text
    }

    /// Writes the response to a request, and returns the part of its body that did not fit.
    pub(super) fn answer(
        &mut self,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Option<ResponseBody> {
        let manner = Manner::of(request, &self.now.text);
        match request.method {
            Method::Get | Method::Head => {}
            Method::Post | Method::Other => {
                say_with(out, Status::MethodNotAllowed, manner, |head| {
                    head.text("Allow", "GET, HEAD")
                });
                return None;
            }
            Method::Unknown => {
                say(out, Status::NotImplemented, manner);
                return None;
            }
        }
        let path = match path_of(request.target) {
            Ok(path) => path,
            Err(status) => {
                say(out, status, manner);
                return None;
            }
        };
        if let Some((described, source)) = self.cache.get(path, self.instant) {
            return send(request, described, source, manner, out);
        }
        match self.look_up(path, request, out) {
            Ok(body) => body,
            Err(status) => {
                say(out, status, Manner::of(request, &self.now.text));
                None
            }
        }
    }

    fn look_up(
        &mut self,
        path: &str,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<ResponseBody>, Status> {
        let place = SitePath::parse(path)?;
        let manner = Manner::of(request, &self.now.text);
        let directory = match self.root.find(&place.relative)? {
            FoundPath::File(..) if place.is_directory => return Err(Status::NotFound),
            FoundPath::File(file, metadata) => {
                return self.send_file(path, &place.relative, file, &metadata, request, out);
            }
            FoundPath::Directory(_) if !place.is_directory => {
                // Without the slash, a browser would resolve links in the page from the directory above.
                let mut location = SitePath { is_directory: true, ..place }.encoded();
                // The redirect keeps the query of the request.
                if let Some((_, query)) = request.target.split_once('?') {
                    location.push('?');
                    location.push_str(query.split('#').next().unwrap_or_default());
                }
                say_with(out, Status::MovedPermanently, manner, |head| {
                    head.text("Location", &location)
                });
                return Ok(None);
            }
            FoundPath::Directory(directory) => directory,
        };
        let index = place.relative.join("index.html");
        match self.root.find(&index) {
            Ok(FoundPath::File(file, metadata)) => {
                return self.send_file(path, &index, file, &metadata, request, out);
            }
            Ok(FoundPath::Directory(_)) | Err(Status::NotFound) => {}
            Err(status) => return Err(status),
        }
        let page = listing::page(&place, self.root.list(&directory)?);
        Head::begin(out, Status::Ok, manner)
            .text("Content-Type", "text/html; charset=utf-8")
            .field("Content-Length", page.len())
            .end();
        if !manner.with_body {
            return Ok(None);
        }
        let body = ResponseBody::new(Source::Memory(page.as_bytes().into()), 0, page.len() as u64);
        Ok(begin(body, out))
    }

    /// Sends a file that is not cached, and caches it, unless it changed lately.
    fn send_file(
        &mut self,
        path: &str,
        relative: &Path,
        file: File,
        metadata: &Metadata,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<ResponseBody>, Status> {
        let described = Described::new(relative, metadata, self.now.seconds);
        let manner = Manner::of(request, &self.now.text);
        let source = if metadata.len() > MOST_OF_FILE {
            Source::File(Rc::new(file))
        } else {
            let mut content = vec![0; metadata.len() as usize];
            file::read(&file, 0, &mut content).map_err(|_| Status::InternalServerError)?;
            Source::Memory(content.into())
        };
        let body = send(request, &described, source.clone(), manner, out);
        if self.cache.wants(path, metadata, self.now.seconds) {
            self.cache.put(path, self.root.path(relative), metadata, described, &source);
        }
        Ok(body)
    }
}

/// Sends the part of a file that the request wants.
fn send(
    request: &Request<'_>,
    described: &Described,
    source: Source,
    manner: Manner<'_>,
    out: &mut Vec<u8>,
) -> Option<ResponseBody> {
    let len = described.len;
    let (status, from, until) = match judge(request, described) {
        PreconditionResult::Send(Wanted::Whole) => (Status::Ok, 0, len),
        PreconditionResult::Send(Wanted::Part(from, until)) => {
            (Status::PartialContent, from, until)
        }
        PreconditionResult::Send(Wanted::Nothing) => {
            say_with(out, Status::RangeNotSatisfiable, manner, |head| {
                head.field("Content-Range", format_args!("bytes */{len}"))
            });
            return None;
        }
        PreconditionResult::NotModified => {
            let head = Head::begin(out, Status::NotModified, manner);
            match &described.modified {
                Some(moment) => head.text("Last-Modified", &moment.text).end(),
                None => head.end(),
            }
            return None;
        }
        PreconditionResult::Failed => {
            say(out, Status::PreconditionFailed, manner);
            return None;
        }
    };
    let mut head = Head::begin(out, status, manner)
        .written(&described.fields)
        .field("Content-Length", until - from);
    if status == Status::PartialContent {
        let last = until - 1;
        head = head.field("Content-Range", format_args!("bytes {from}-{last}/{len}"));
    }
    head.end();
    if !manner.with_body {
        return None;
    }
    begin(ResponseBody::new(source, from, until), out)
}

/// Appends the beginning of a body to its head, if it is in memory, so that both leave in one send. Returns the rest.
fn begin(mut body: ResponseBody, out: &mut Vec<u8>) -> Option<ResponseBody> {
    body.append(out, CHUNK.saturating_sub(out.len()));
    (!body.is_done()).then_some(body)
}
