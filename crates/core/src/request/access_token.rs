//! The access token of a request: which format it has, by its name, and where it was sent.

use crate::http::headers;
use crate::http::incoming::{Incoming, at_most_one};
use crate::http::reply::Reason;
use crate::policy::{AccessFormat, AccessToken};
use crate::token::MAX_SENT;

/// An access token as sent, not verified.
#[derive(Clone, Copy)]
pub struct SentAccess<'a> {
    /// The token.
    pub token: &'a str,
    /// Its format, by its name.
    pub format: &'a AccessFormat,
    /// Where it was sent.
    pub carrier: AccessCarrier,
}

/// Carrier of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessCarrier {
    /// Query parameter.
    Query,
    /// Cookie.
    Cookie,
    /// Header.
    Header,
}

/// Finds the access token of a request. The query takes precedence over cookies, and cookies over headers.
///
/// # Errors
/// [`Reason::Duplicate`] if a carrier holds two, of whatever formats; [`Reason::Malformed`] if the header is too long
/// or not UTF-8.
pub fn find<'a>(access: &'a AccessToken, incoming: &Incoming<'a>) -> Result<Option<SentAccess<'a>>, Reason> {
    let (target, head) = (&incoming.target, incoming.head);
    let formats = || access.formats.iter();
    let found = formats().flat_map(|format| target.values(&format.parameter).map(move |token| (format, token)));
    if let Some((format, token)) = at_most_one(found)? {
        return Ok(Some(SentAccess { token, format, carrier: AccessCarrier::Query }));
    }
    let found = headers::cookie_pairs(head.headers)
        .filter_map(|(name, token)| Some((formats().find(|format| format.is_cookie(name))?, token)));
    if let Some((format, token)) = at_most_one(found)? {
        return Ok(Some(SentAccess { token, format, carrier: AccessCarrier::Cookie }));
    }
    let named = formats().filter_map(|format| Some((format, format.header.as_ref()?)));
    let found = named.flat_map(|(format, name)| headers::all(head.headers, name).map(move |token| (format, token)));
    match at_most_one(found)? {
        None => Ok(None),
        Some((_, token)) if token.len() > MAX_SENT => Err(Reason::Malformed),
        Some((format, token)) => {
            let token = core::str::from_utf8(token).map_err(|_| Reason::Malformed)?;
            Ok(Some(SentAccess { token, format, carrier: AccessCarrier::Header }))
        }
    }
}
