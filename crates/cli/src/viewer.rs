//! A viewer's request, built from arguments.

use clap::Args;
use playlock_core::http::reply::{self, Header};
use playlock_core::step::{Known, Request};

use crate::address::Address;
use crate::failure::Failure;
use crate::time::Moment;

/// The properties of a viewer's request other than the URL.
#[derive(Args)]
pub struct Viewer {
    /// Address of the viewer as Envoy determines it, with or without a port.
    #[arg(long, visible_alias = "client-ip", value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// Request header; may be repeated. A pseudo-header, such as `:path: /a`, replaces that part of the URL.
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Cookie; may be repeated.
    #[arg(long = "cookie", short = 'b', value_name = "NAME=VALUE")]
    pub cookies: Vec<String>,
    /// Request method.
    #[arg(long, short = 'X', default_value = "GET")]
    pub method: String,
    /// Requested host, instead of the URL's.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Policy that the metadata of Envoy's route names, for configurations with routePolicy.
    #[arg(long, value_name = "NAME")]
    pub route_policy: Option<String>,
    /// JA4 fingerprint of the viewer's TLS client.
    #[arg(long, value_name = "FINGERPRINT")]
    pub ja4: Option<String>,
    /// Protocol of the request as Envoy names it.
    #[arg(long, value_name = "PROTOCOL", default_value = "HTTP/1.1", value_parser = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"])]
    pub protocol: String,
    /// Time to use instead of now: seconds since 1970, 2026-12-24T18:00:00Z, +1h or -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<Moment>,
}

/// A request, with the properties that Envoy adds.
pub struct Asked {
    /// All headers, pseudo-headers first.
    pub headers: Vec<Header>,
    attributes: Known,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

impl Viewer {
    /// The request for `url`.
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
            let header = header(text)?;
            headers.retain(|(known, _)| !known.starts_with(':') || *known != header.0);
            headers.push(header);
        }
        for cookie in &self.cookies {
            if !cookie.contains('=') {
                return Err(Failure::Wrong(format!("--cookie: found \"{cookie}\", expected NAME=VALUE")));
            }
            headers.push(reply::header("cookie", cookie));
        }
        Ok(Asked {
            headers,
            attributes: Known {
                client_address: self.ip.as_ref().map(|address| address.clone().into_bytes()),
                route_policy: self.route_policy.as_ref().map(|name| name.clone().into_bytes()),
                protocol: Some(self.protocol.clone().into_bytes()),
                ja4: self.ja4.as_ref().map(|ja4| ja4.clone().into_bytes()),
            },
            now: Moment::or_now(self.now),
        })
    }
}

/// The header of a line `NAME: VALUE`; the name becomes lower case.
///
/// # Errors
/// A line without a name.
pub fn header(line: &str) -> Result<Header, Failure> {
    let (name, value) =
        split(line).ok_or_else(|| Failure::Wrong(format!("--header: found \"{line}\", expected NAME: VALUE")))?;
    Ok(reply::header(&name.to_ascii_lowercase(), value))
}

/// Name and value of a header line; the name of a pseudo-header begins with a colon.
fn split(line: &str) -> Option<(&str, &str)> {
    let own = usize::from(line.starts_with(':'));
    let end = line.get(own..)?.find(':')? + own;
    let (name, value) = (line.get(..end)?.trim(), line.get(end + 1..)?.trim());
    (!name.is_empty()).then_some((name, value))
}

impl Asked {
    /// Calls `look` with the request as the filter receives it.
    pub fn with<T>(&self, look: impl FnOnce(&Request<'_>) -> T) -> T {
        look(&Request {
            headers: &self.headers,
            attributes: &self.attributes,
            now: self.now,
            // Bodies are not in logs of requests; only the headers tell whether there is one.
            end_of_stream: true,
        })
    }

    /// The address of the client, if known.
    pub fn client(&self) -> Option<&str> {
        self.attributes.client_address.as_deref().and_then(|client| std::str::from_utf8(client).ok())
    }
}

/// 16 random bytes from the operating system.
///
/// # Errors
/// The operating system provides none.
pub fn random() -> Result<[u8; 16], Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::Wrong(format!("random bytes of the operating system: {error}")))?;
    Ok(bytes)
}
