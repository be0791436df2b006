//! The HTTP client of the player: one request at a time, with cookies; a response is complete or an error.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use playlock_core::http::reply::Reason;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::report::{Kind, Problem};
use crate::address::Address;
use crate::failure::Failure;

/// Maximum size of a body in bytes; segments are much smaller.
const MAX_BODY: u64 = 256 << 20;
/// Maximum number of redirects; browsers follow about 20.
const MAX_REDIRECTS: usize = 8;
/// The files with trusted certificates on common systems.
const CA_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
];

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
        let named = |line: &String| {
            let (name, value) = line.split_once(':').filter(|(name, _)| !name.trim().is_empty())?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let headers = headers
            .iter()
            .map(|line| {
                named(line).ok_or_else(|| Failure::Wrong(format!("--header: found \"{line}\", expected NAME: VALUE")))
            })
            .collect::<Result<_, _>>()?;
        let tls = TlsConfig::builder()
            .root_certs(roots(cacert)?)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .user_agent(concat!("playlock-watch/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
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

/// The CA certificates that servers are verified with.
fn roots(cacert: Option<&Path>) -> Result<RootCerts, Failure> {
    let of_environment = env::var_os("SSL_CERT_FILE").map(Into::into);
    let file = match (cacert, of_environment) {
        (Some(file), _) => Some(file.to_owned()),
        (None, Some(file)) => Some(file),
        (None, None) => CA_BUNDLES.iter().map(Path::new).find(|file| file.is_file()).map(Path::to_owned),
    };
    // Without any, only http works; https fails with an error about the issuer.
    let Some(file) = file else { return Ok(RootCerts::Specific(Arc::new(Vec::new()))) };
    let text = fs::read(&file).map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))?;
    let found: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match found.is_empty() {
        true => Err(Failure::Wrong(format!("{}: no certificate; expected PEM", file.display()))),
        false => Ok(RootCerts::Specific(Arc::new(found))),
    }
}
