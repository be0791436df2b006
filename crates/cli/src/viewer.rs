//! A viewer's request as the command line describes it, and as the filter would see it.

use clap::Args;
use playlock_core::http::reply::{self, Header};
use playlock_core::step::Request;

use crate::address::Address;
use crate::failure::Failure;
use crate::time::Moment;

/// What a viewer sends beside the URL.
#[derive(Args)]
pub struct Viewer {
    /// The viewer's address as Envoy trusts it, perhaps with a port.
    #[arg(long, visible_alias = "client-ip", value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// A request header; may be given several times. One of HTTP/2's own, such as `:path: /a`, takes the URL's place.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// A cookie; may be given several times.
    #[arg(long = "cookie", short = 'b', value_name = "NAME=VALUE")]
    pub cookies: Vec<String>,
    /// The request's method.
    #[arg(long, short = 'X', default_value = "GET")]
    pub method: String,
    /// The host that is asked for, if it is not the URL's.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The policy that Envoy's route names in its metadata, for configurations with routePolicy.
    #[arg(long, value_name = "NAME")]
    pub route_policy: Option<String>,
    /// The time, if it is not now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<Moment>,
}

/// A request, with what the proxy would know of it.
pub struct Asked {
    /// All headers, pseudo headers first.
    pub headers: Vec<Header>,
    client: Option<Vec<u8>>,
    route_policy: Option<Vec<u8>>,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

impl Viewer {
    /// Asks for `url`.
    ///
    /// # Errors
    /// A header or cookie without a name.
    pub fn asks(&self, url: &Address) -> Result<Asked, Failure> {
        let authority = self.host.as_deref().unwrap_or(&url.authority);
        let mut headers = vec![
            reply::header(":method", &self.method),
            reply::header(":scheme", &url.scheme),
            reply::header(":authority", authority),
            reply::header(":path", &url.target(None)),
        ];
        for text in &self.headers {
            let (name, value) = split(text)
                .ok_or_else(|| Failure::Wrong(format!("--header: found \"{text}\", expected NAME: VALUE")))?;
            let name = name.to_ascii_lowercase();
            headers.retain(|(known, _)| !name.starts_with(':') || *known != name);
            headers.push(reply::header(&name, value));
        }
        for cookie in &self.cookies {
            if !cookie.contains('=') {
                return Err(Failure::Wrong(format!("--cookie: found \"{cookie}\", expected NAME=VALUE")));
            }
            headers.push(reply::header("cookie", cookie));
        }
        Ok(Asked {
            headers,
            client: self.ip.as_ref().map(|address| address.clone().into_bytes()),
            route_policy: self.route_policy.as_ref().map(|name| name.clone().into_bytes()),
            now: Moment::or_now(self.now),
        })
    }
}

/// Name and value of a header line; a name of HTTP/2's own begins with a colon.
fn split(line: &str) -> Option<(&str, &str)> {
    let own = usize::from(line.starts_with(':'));
    let end = line.get(own..)?.find(':')? + own;
    let (name, value) = (line.get(..end)?.trim(), line.get(end + 1..)?.trim());
    (!name.is_empty()).then_some((name, value))
}

impl Asked {
    /// Hands the request to `look` as the filter gets it.
    pub fn with<T>(&self, look: impl FnOnce(&Request<'_>) -> T) -> T {
        look(&Request {
            headers: &self.headers,
            client: &|| self.client.clone(),
            route_policy: &|| self.route_policy.clone(),
            now: self.now,
            // No log of a request has its body: what its headers say of one is all there is.
            end_of_stream: true,
        })
    }

    /// The client's address, if it is known.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref().and_then(|client| std::str::from_utf8(client).ok())
    }
}

/// 16 bytes of the operating system's randomness.
///
/// # Errors
/// If there are none.
pub fn random() -> Result<[u8; 16], Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Wrong(format!("no random bytes: {error}")))?;
    Ok(bytes)
}
