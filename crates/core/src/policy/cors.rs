//! CORS headers for pages on other sites (the Fetch standard, section 3.3). They are set on every response, including
//! errors and keys, so that a player on such a page can read the reason of an error.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::text;
use crate::http::headers;
use crate::http::incoming::{Method, RequestHead};
use crate::http::message::HeaderEdits;
use crate::http::reply::{Header, Reply, header};

/// Longest list of header names, in bytes, that a preflight response echoes.
const MAX_REQUESTED: usize = 1024;

/// `cors` of a policy.
#[derive(Debug)]
pub struct Cors {
    origins: Origins,
    /// `None`: allows the requested headers.
    allow_headers: Option<String>,
    expose_headers: String,
    /// In seconds.
    max_age: u64,
}

/// Sites whose pages may play.
#[derive(Debug)]
pub enum Origins {
    /// All sites. Credentials are not allowed: otherwise any site could use a viewer's cookies.
    Any,
    /// Listed sites.
    Listed {
        /// Origins, as browsers send them.
        listed: Vec<AllowedOrigin>,
        /// Allows requests with cookies.
        credentials: bool,
    },
}

text! {
    /// An origin as browsers send it, or `*` for every one.
    AllowedOrigin,
    "\"*\" or an origin as browsers send it, such as \"https://tv.example\"",
    |text| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]".contains(&byte);
        (text == "*" || !host.is_empty() && host.bytes().all(plain)).then(|| text.into())
    },
    "^([*]|https?://[a-z0-9._:\\[\\]-]+)$"
}

text! {
    /// Header name in a CORS list; `*` matches any name.
    ListedHeader, "the name of a header",
    |text| (!text.is_empty() && text.bytes().all(is_token)).then(|| text.into()),
    "^[A-Za-z0-9_*-]+$"
}

impl Cors {
    /// Creates the rules from the allowed origins, the request headers that pages may set (`None`: all they request),
    /// the response headers that they may read, and the lifetime of a preflight result in seconds.
    pub fn new(
        origins: Origins,
        allow_headers: Option<&[ListedHeader]>,
        expose_headers: &[ListedHeader],
        max_age: u64,
    ) -> Self {
        let joined = |names: &[ListedHeader]| names.iter().map(|name| &**name).collect::<Vec<_>>().join(", ");
        Self { origins, allow_headers: allow_headers.map(joined), expose_headers: joined(expose_headers), max_age }
    }

    /// Headers for every response to this request.
    pub fn headers(&self, request: &RequestHead<'_>) -> Vec<Header> {
        let mut headers = Vec::new();
        match &self.origins {
            Origins::Any => headers.push(header("access-control-allow-origin", "*")),
            Origins::Listed { listed, credentials } => {
                // Also set for origins that are not allowed: a cache must not serve their response to an allowed one.
                headers.push(header("vary", "origin"));
                let sent = request.origin.unwrap_or_default();
                if !listed.iter().any(|origin| **origin == *sent) {
                    return headers;
                }
                headers.push(header("access-control-allow-origin", sent));
                if *credentials {
                    headers.push(header("access-control-allow-credentials", "true"));
                }
            }
        }
        if !self.expose_headers.is_empty() {
            headers.push(header("access-control-expose-headers", &self.expose_headers));
        }
        headers
    }

    /// Whether this is a preflight request (the Fetch standard, section 3.3.2).
    pub fn is_preflight(&self, request: &RequestHead<'_>) -> bool {
        request.method == Method::Options && headers::first(request.headers, "access-control-request-method").is_some()
    }

    /// Response to a preflight request for a resource with these `methods`, without the headers from [`Cors::headers`];
    /// `None` for other requests.
    pub fn preflight(&self, request: &RequestHead<'_>, methods: &str) -> Option<Reply> {
        if !self.is_preflight(request) {
            return None;
        }
        let mut reply = Reply { status: 204, headers: Vec::new(), body: Vec::new(), reason: None };
        reply.headers.push(header("access-control-allow-methods", methods));
        let requested = headers::text(request.headers, "access-control-request-headers").filter(|names| is_list(names));
        if let Some(names) = self.allow_headers.as_deref().or(requested) {
            reply.headers.push(header("access-control-allow-headers", names));
        }
        reply.headers.push(header("access-control-max-age", &format!("{}", self.max_age)));
        Some(reply)
    }
}

/// Replaces the origin server's CORS headers with those from [`Cors::headers`].
pub fn edit(edits: &mut HeaderEdits, response: &[Header], ours: &[Header]) {
    if ours.is_empty() {
        return;
    }
    let theirs = response.iter().map(|(name, _)| name).filter(|name| name.starts_with("access-control-"));
    edits.remove.extend(theirs.cloned());
    // `vary` is kept: the origin server's may list other headers.
    edits.add.extend_from_slice(ours);
}

/// Whether `names` is a comma-separated list of header names that is short enough to echo.
fn is_list(names: &str) -> bool {
    names.len() <= MAX_REQUESTED && names.bytes().all(|byte| is_token(byte) || matches!(byte, b',' | b' '))
}

/// Token characters of RFC 9110 section 5.6.2, limited to those used in header names, and `*`.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*')
}
