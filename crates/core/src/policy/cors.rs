//! What pages on other sites may do: the headers of the CORS protocol (the Fetch standard, section 3.3), on every
//! answer, refusals and keys among them, so that a player on such a page can read why.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::{ConfigError, document};
use crate::headers;
use crate::reply::{Header, Reply, header};
use crate::step::HeaderEdits;

const DEFAULT_MAX_AGE: u64 = 86_400;
/// Longest list of header names in a preflight that is granted as it was asked for.
const MAX_REQUESTED: usize = 1024;

/// `cors` of a policy.
#[derive(Debug)]
pub struct Cors {
    /// `None`: every origin.
    origins: Option<Vec<String>>,
    credentials: bool,
    /// `None`: whatever is asked for.
    allow_headers: Option<String>,
    expose_headers: String,
    max_age: u64,
}

impl Cors {
    /// Builds it from its document at the JSON path `path`.
    ///
    /// # Errors
    /// The first member that cannot be, such as credentials for every origin.
    pub fn build(path: &str, cors: &document::Cors) -> Result<Self, ConfigError> {
        let any = cors.allow_origins.iter().any(|origin| origin == "*");
        if cors.allow_origins.is_empty() {
            return Err(ConfigError::new(format!("{path}.allowOrigins"), "found none, expected origins or \"*\""));
        }
        if any && cors.allow_credentials {
            return Err(ConfigError::new(
                format!("{path}.allowCredentials"),
                "found true beside \"*\", with which any site could use a viewer's cookies; expected false, or origins by name",
            ));
        }
        for (index, origin) in cors.allow_origins.iter().enumerate().filter(|(_, origin)| *origin != "*") {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]".contains(&byte);
            if host.is_empty() || !host.bytes().all(plain) {
                return Err(ConfigError::new(
                    format!("{path}.allowOrigins[{index}]"),
                    format!(
                        "found \"{}\", expected \"*\" or an origin as browsers send it, such as \"https://tv.example\"",
                        origin.escape_default()
                    ),
                ));
            }
        }
        Ok(Self {
            origins: (!any).then(|| cors.allow_origins.clone()),
            credentials: cors.allow_credentials,
            allow_headers: match &cors.allow_headers {
                Some(names) => Some(list(&format!("{path}.allowHeaders"), names)?),
                None => None,
            },
            expose_headers: list(&format!("{path}.exposeHeaders"), &cors.expose_headers)?,
            max_age: cors.max_age.map_or(DEFAULT_MAX_AGE, |age| age.0),
        })
    }

    /// The headers that go with every answer to a request with these headers.
    pub fn headers(&self, request: &[Header]) -> Vec<Header> {
        let mut headers = Vec::new();
        match &self.origins {
            None => headers.push(header("access-control-allow-origin", "*")),
            Some(origins) => {
                // Also where this origin is not allowed: a cache must not give its answer to one that is.
                headers.push(header("vary", "origin"));
                let sent = headers::text(request, "origin").unwrap_or_default();
                if !origins.iter().any(|origin| origin == sent) {
                    return headers;
                }
                headers.push(header("access-control-allow-origin", sent));
            }
        }
        if self.credentials {
            headers.push(header("access-control-allow-credentials", "true"));
        }
        if !self.expose_headers.is_empty() {
            headers.push(header("access-control-expose-headers", &self.expose_headers));
        }
        headers
    }

    /// The answer to a preflight request (without what [`Cors::headers`] gives every answer); `None` if it is none.
    pub fn preflight(&self, request: &[Header]) -> Option<Reply> {
        let is_options = headers::first(request, ":method") == Some(b"OPTIONS");
        if !is_options || headers::first(request, "access-control-request-method").is_none() {
            return None;
        }
        let mut reply = Reply { status: 204, headers: Vec::new(), body: Vec::new(), reason: None };
        reply.headers.push(header("access-control-allow-methods", "GET, HEAD"));
        let requested = headers::text(request, "access-control-request-headers").filter(|names| is_list(names));
        if let Some(names) = self.allow_headers.as_deref().or(requested) {
            reply.headers.push(header("access-control-allow-headers", names));
        }
        reply.headers.push(header("access-control-max-age", &format!("{}", self.max_age)));
        Some(reply)
    }
}

/// Puts the headers of [`Cors::headers`] into a response in place of those that the origin gave it.
pub fn edit(edits: &mut HeaderEdits, response: &[Header], ours: &[Header]) {
    if ours.is_empty() {
        return;
    }
    let theirs = response.iter().map(|(name, _)| name).filter(|name| name.starts_with("access-control-"));
    edits.remove.extend(theirs.cloned());
    // `vary` may say more than we do.
    edits.add.extend_from_slice(ours);
}

fn list(path: &str, names: &[String]) -> Result<String, ConfigError> {
    match names.iter().position(|name| name.is_empty() || !name.bytes().all(is_token)) {
        None => Ok(names.join(", ")),
        Some(index) => Err(ConfigError::new(format!("{path}[{index}]"), "expected the name of a header")),
    }
}

/// Names of headers with commas between, short enough to be sent back.
fn is_list(names: &str) -> bool {
    names.len() <= MAX_REQUESTED && names.bytes().all(|byte| is_token(byte) || matches!(byte, b',' | b' '))
}

/// RFC 9110 section 5.6.2, but for characters that no header's name has.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*')
}
