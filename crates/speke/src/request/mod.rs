//! HTTP requests to a SPEKE server: pure functions from target and headers to the request's parts.
//!
//! Sources: SPEKE API v1 and v2, "Live workflow method call examples" and "Heartbeat"; PallyCon, "AWS Elemental
//! Integration" and its CPIX clients.

mod path;
mod query;
mod response;
mod token;

pub use response::{HEARTBEAT, headers};

use alloc::string::String;

use playlock_drm::Scheme;

use crate::error::SpekeError;
use crate::version::Version;
use path::Path;
use query::Query;
use token::Tokens;

/// The header that a requester's token may be in.
pub const TOKEN_HEADER: &str = "x-playlock-speke-token";

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// POST of a document.
    Document,
    /// GET of the heartbeat, which SPEKE 1.0 has: the response is [`HEARTBEAT`].
    Heartbeat,
}

/// A request, before its body is read. Without `Debug`: it has the requester's token.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Its purpose.
    pub endpoint: Endpoint,
    /// The version that its headers name.
    pub version: Version,
    /// The requester's token, decoded: compare it in constant time. A heartbeat needs none.
    pub token: Option<String>,
    /// The scheme of `?scheme=`, for documents that name none.
    pub scheme: Option<Scheme>,
}

impl Request {
    /// Reads a request.
    ///
    /// `path` is what follows the server's prefix, as it was sent, and `query` what follows `?`. Names of headers are in
    /// lower case.
    ///
    /// # Errors
    /// [`SpekeError`] for a path, method, version or media type that is not SPEKE's, a query that is not understood, and
    /// a token that is given twice.
    pub fn read<'h>(
        method: &str,
        path: &str,
        query: Option<&str>,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Result<Self, SpekeError> {
        let path = Path::read(path)?;
        let query = Query::read(query.unwrap_or_default())?;
        let mut tokens = Tokens::default();
        let mut seen = Headers::default();
        for (name, value) in headers {
            match name {
                "x-speke-version" => once(&mut seen.version, value, SpekeError::SpekeVersion)?,
                "content-type" => once(&mut seen.content_type, value, SpekeError::MediaType)?,
                "authorization" => once(&mut seen.authorization, value, SpekeError::AmbiguousToken)?,
                TOKEN_HEADER => once(&mut seen.token, value, SpekeError::AmbiguousToken)?,
                _ => {}
            }
        }
        let version = match seen.version {
            None => Version::V1,
            Some(value) => Version::parse(value).ok_or(SpekeError::SpekeVersion)?,
        };
        match (path.endpoint, method) {
            (Endpoint::Heartbeat, "GET" | "HEAD") if version == Version::V1 => {}
            // Version 2 has no heartbeat.
            (Endpoint::Heartbeat, "GET" | "HEAD") => return Err(SpekeError::UnknownPath),
            (Endpoint::Document, "POST") => check_media_type(version, seen.content_type)?,
            _ => return Err(SpekeError::Method),
        }
        path.token.into_iter().try_for_each(|token| tokens.add(token))?;
        query.token.into_iter().try_for_each(|token| tokens.add(token))?;
        seen.authorization.into_iter().try_for_each(|value| tokens.add_authorization(value))?;
        seen.token.into_iter().try_for_each(|value| tokens.add_header(value))?;
        Ok(Self { endpoint: path.endpoint, version, token: tokens.into_token(), scheme: query.scheme })
    }
}

/// Headers that may be there once.
#[derive(Default)]
struct Headers<'h> {
    version: Option<&'h [u8]>,
    content_type: Option<&'h [u8]>,
    authorization: Option<&'h [u8]>,
    token: Option<&'h [u8]>,
}

fn once<'h>(slot: &mut Option<&'h [u8]>, value: &'h [u8], duplicate: SpekeError) -> Result<(), SpekeError> {
    if slot.replace(value).is_some() { Err(duplicate) } else { Ok(()) }
}

/// Version 2 sends `application/xml`, in UTF-8 if a charset is named. PallyCon's clients of version 1 send none, or
/// that of a form.
fn check_media_type(version: Version, value: Option<&[u8]>) -> Result<(), SpekeError> {
    if version == Version::V1 {
        return Ok(());
    }
    let text = value.and_then(|value| core::str::from_utf8(value).ok()).ok_or(SpekeError::MediaType)?;
    let mut parts = text.split(';').map(|part| part.trim_matches(' '));
    let is_xml = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/xml") || kind.eq_ignore_ascii_case("text/xml"));
    let is_utf8 = parts.all(|parameter| {
        parameter.eq_ignore_ascii_case("charset=utf-8") || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
    });
    if is_xml && is_utf8 { Ok(()) } else { Err(SpekeError::MediaType) }
}
