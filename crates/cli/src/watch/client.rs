//! The HTTP client of the player: one request at a time, with cookies; a response is complete or an error.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use playlock_core::http::reply::Reason;
use ureq::Agent;

use super::report::{Kind, Problem};
use crate::address::Address;
use crate::failure::Failure;
use crate::https::{agent, named_headers};

/// Maximum size of a body in bytes; segments are much smaller.
const MAX_BODY: u64 = 256 << 20;
/// Maximum number of redirects; browsers follow about 20.
const MAX_REDIRECTS: usize = 8;

/// An HTTP client.
pub struct Client {
    agent: Agent,
    /// Headers for `home` only, since they may contain credentials.
    headers: Vec<(String, String)>,
    home: Address,
    /// By host and name; a cookie is sent only to the host that set it.
    cookies: BTreeMap<(String, String), String>,
}

/// A successful response.
pub struct Fetched {
    /// The URL after redirects.
    pub url: Address,
    /// The body.
    pub body: Vec<u8>,
    /// The time from the request to the last byte.
    pub took: Duration,
}

impl Client {
    /// A client that sends `headers` to the host of `home`. `cacert`: a file in PEM; `timeout`: for one response.
    ///
    /// # Errors
    /// A header without a name, a file that cannot be read.
    pub fn new(home: &Address, headers: &[String], cacert: Option<&Path>, timeout: Duration) -> Result<Self, Failure> {
        let headers = named_headers(headers)?;
        let agent = agent(cacert, timeout, concat!("playlock-watch/", env!("CARGO_PKG_VERSION")))?;
        Ok(Self { agent, headers, home: home.clone(), cookies: BTreeMap::new() })
    }

    /// Fetches `url`, or a range of it (length and offset in bytes), and follows redirects.
    ///
    /// # Errors
    /// A response that is not successful and complete.
    pub fn fetch(&mut self, kind: Kind, url: &Address, range: Option<(u64, u64)>) -> Result<Fetched, Problem> {
        let began = Instant::now();
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            match self.ask(kind, &url, range)? {
                Response::Body(body) => return Ok(Fetched { url, body, took: began.elapsed() }),
                Response::Redirect(location) => {
                    url =
                        url.join(&location).map_err(|error| problem(kind, &url, None, format!("redirect: {error}")))?;
                }
            }
        }
        Err(problem(kind, &url, None, format!("more than {MAX_REDIRECTS} redirects")))
    }

    fn ask(&mut self, kind: Kind, url: &Address, range: Option<(u64, u64)>) -> Result<Response, Problem> {
        let mut request = self.agent.get(url.to_string());
        // Not from https to http either, where others could read them.
        let at_home = url.authority == self.home.authority && (url.scheme == self.home.scheme || url.scheme == "https");
        for (name, value) in self.headers.iter().filter(|_| at_home) {
            request = request.header(name, value);
        }
        let own = self.cookies.iter().filter(|((host, _), _)| *host == url.authority);
        let pairs: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request = request.header("cookie", pairs.join("; "));
        }
        if let Some((length, offset)) = range {
            let last = offset.saturating_add(length).saturating_sub(1);
            request = request.header("range", format!("bytes={offset}-{last}"));
        }
        let response = request
            .call()
            .map_err(|error| Problem { unreachable: true, ..problem(kind, url, None, error.to_string()) });
        let mut response = response?;
        let status = response.status().as_u16();
        for cookie in response.headers().get_all("set-cookie") {
            let (pair, attributes) =
                cookie.to_str().map_or(("", ""), |text| text.split_once(';').unwrap_or((text, "")));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let key = (url.authority.clone(), name.trim().to_owned());
            if attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.trim().to_owned());
            }
        }
        let location = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.body_mut().with_config().limit(MAX_BODY).read_to_vec();
        let body = body.map_err(|error| problem(kind, url, None, format!("the response was aborted: {error}")))?;
        let expected = if range.is_some() { 206 } else { 200 };
        if status == expected {
            return Ok(Response::Body(body));
        }
        // A denial that redirects viewers is still a denial.
        match (refusal(&body), location) {
            (Some(reason), _) => Err(problem(kind, url, Some(reason), format!("{status}: {}", reason.title()))),
            (None, Some(location)) if matches!(status, 301 | 302 | 303 | 307 | 308) => Ok(Response::Redirect(location)),
            (None, _) => Err(problem(kind, url, None, format!("status {status}, expected {expected}"))),
        }
    }
}

enum Response {
    Body(Vec<u8>),
    Redirect(String),
}

/// A problem with `url`, without its query, which contains tokens.
pub fn problem(kind: Kind, url: &Address, reason: Option<Reason>, text: String) -> Problem {
    Problem { kind, path: url.path.clone(), reason, text, unreachable: false }
}

/// The reason code in a problem document of the filter (RFC 9457).
fn refusal(body: &[u8]) -> Option<Reason> {
    let document: serde_json::Value = serde_json::from_slice(body).ok()?;
    let word = document.get("type")?.as_str()?;
    Reason::ALL.iter().copied().find(|reason| reason.word() == word)
}
