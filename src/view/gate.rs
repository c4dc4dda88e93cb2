//! Which requests are answered: those that come from the view's own page, or from a person who has its address.
//!
//! Any page that a browser shows can send requests to this machine. Three things keep such pages out. The address
//! contains a key that no page can guess. The `Host` field must be the view's own address: otherwise a page could give
//! its own name the address 127.0.0.1 and then read the answers (DNS rebinding). And the `Origin` field, which a browser
//! adds to every POST, must be that of the view's page. (To a GET that a page of another site makes it adds at least
//! `Sec-Fetch-Site`, by which such a page gets no events.)

use std::hint::black_box;
use std::io;

use crate::addr::Address;
use crate::os::random::RandomSource;
use crate::services::http::{Method, Request};

/// Where the stream of events is, behind the key.
pub(super) const EVENTS: &str = "events";

/// The addresses and the key.
#[derive(Debug)]
pub(super) struct Gate {
    key: String,
    /// What a `Host` field may be; those that are shown to the person first.
    hosts: Vec<String>,
    /// How many of the hosts are shown.
    shown: usize,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is for another host.
    OtherHost,
    /// Its address lacks the key.
    NoKey,
    /// A page of another site sends it.
    OtherOrigin,
}

impl Refusal {
    /// One sentence for the client.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::OtherHost => "This server is not the host that the request names.",
            Self::NoKey => "Open the address that baresock printed: it contains a key.",
            Self::OtherOrigin => "Only the view's own page may send this request.",
        }
    }
}

impl Gate {
    /// A gate with a new key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub(super) fn new(at: &[Address], random: &mut RandomSource) -> io::Result<Self> {
        let key = random.hex::<16>()?;
        let mut hosts: Vec<String> = at.iter().map(ToString::to_string).collect();
        let shown = hosts.len();
        for port in at.iter().filter_map(Address::port) {
            hosts.push(format!("localhost:{port}"));
        }
        // A browser leaves the port of http out.
        let without: Vec<_> =
            hosts.iter().filter_map(|host| host.strip_suffix(":80")).map(str::to_string).collect();
        hosts.extend(without);
        Ok(Self { key, hosts, shown })
    }

    /// The addresses to open.
    pub(super) fn urls(&self) -> impl Iterator<Item = String> {
        self.hosts[..self.shown].iter().map(|host| format!("http://{host}/{}/", self.key))
    }

    /// What the request asks for, behind the key: of `/KEY/pause` it is `pause`; `None` if the slash is missing.
    pub(super) fn admit<'t>(&self, request: &Request<'t>) -> Result<Option<&'t str>, Refusal> {
        if !request.host.is_some_and(|host| self.is_host(host)) {
            return Err(Refusal::OtherHost);
        }
        let path = request.target.split('?').next().unwrap_or_default();
        let path = path.strip_prefix('/').ok_or(Refusal::NoKey)?;
        let (key, behind) = match path.split_once('/') {
            Some((key, behind)) => (key, Some(behind)),
            None => (path, None),
        };
        if !self.is_key(key) {
            return Err(Refusal::NoKey);
        }
        let is_own =
            |origin: &str| origin.strip_prefix("http://").is_some_and(|host| self.is_host(host));
        // A script or a picture on a page of another site is requested without an origin: it must not count as a viewer.
        let site = request.fetch_site.unwrap_or("none");
        if behind == Some(EVENTS) && !["same-origin", "none"].contains(&site) {
            return Err(Refusal::OtherOrigin);
        }
        match request.origin {
            Some(origin) if !is_own(origin) => Err(Refusal::OtherOrigin),
            None if request.method == Method::Post => Err(Refusal::OtherOrigin),
            _ => Ok(behind),
        }
    }

    fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    /// The comparison takes equally long wherever the first difference is: otherwise its time would tell how many
    /// characters of a guess are right.
    fn is_key(&self, given: &str) -> bool {
        let own = self.key.as_bytes();
        let pairs = own.iter().zip(given.as_bytes());
        let differences = pairs.fold(0, |found, (a, b)| black_box(found | (a ^ b)));
        own.len() == given.len() && differences == 0
    }
}
