//! The access token of a request: which format it has, by its name, and where it was sent.

use crate::http::headers;
use crate::http::incoming::{Incoming, at_most_one};
use crate::http::path_parameter::PathParameter;
use crate::http::reply::Reason;
use crate::policy::{AccessFormat, AccessToken};

/// An access token as sent, not verified.
#[derive(Clone, Copy)]
pub struct SentAccess<'a> {
    /// The token.
    pub token: &'a str,
    /// Its format, by its name.
    pub format: &'a AccessFormat,
    /// The carrier.
    pub carrier: AccessCarrier,
}

/// Carrier of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessCarrier {
    /// First segment of the path, after its name and `=`.
    PathSegment,
    /// Path parameter.
    PathParameter,
    /// Query parameter.
    Query,
    /// Cookie.
    Cookie,
    /// Header.
    Header,
    /// The proxy's metadata.
    Metadata,
}

impl AccessCarrier {
    /// Whether the token is a part of the URL.
    pub fn is_in_url(self) -> bool {
        matches!(self, Self::PathSegment | Self::PathParameter | Self::Query)
    }
}

/// Finds the access token of a request. The URL takes precedence over cookies, cookies over headers, and headers over
/// tokens that the proxy has verified.
///
/// # Errors
/// [`Reason::Duplicate`] if a carrier holds two, of whatever formats, or the URL; [`Reason::Malformed`] if the header is
/// too long or not UTF-8, or if the first segment of the path has a token of an unknown name.
pub fn find<'a>(access: &'a AccessToken, incoming: &Incoming<'a>) -> Result<Option<SentAccess<'a>>, Reason> {
    if let Some(sent) = in_url(access, incoming)? {
        return Ok(Some(sent));
    }
    if let Some(sent) = in_cookie(access, incoming)? {
        return Ok(Some(sent));
    }
    if let Some(sent) = in_header(access, incoming)? {
        return Ok(Some(sent));
    }
    Ok(attested(access, incoming))
}

/// The formats whose tokens clients send.
fn sent(access: &AccessToken) -> impl Iterator<Item = &AccessFormat> {
    access.formats.iter().filter(|format| !format.verifier.is_attested())
}

fn in_url<'a>(access: &'a AccessToken, incoming: &Incoming<'a>) -> Result<Option<SentAccess<'a>>, Reason> {
    let in_query = sent(access).flat_map(|format| {
        let tokens = incoming.target.values(&format.parameter);
        tokens.map(move |token| SentAccess { token, format, carrier: AccessCarrier::Query })
    });
    let in_parameter = incoming.path_parameter?.and_then(|PathParameter { name, value }| {
        let format = sent(access).find(|format| format.path_parameter() == Some(name))?;
        Some(SentAccess { token: value, format, carrier: AccessCarrier::PathParameter })
    });
    let in_segment = match incoming.path_token?.and_then(|sent| sent.split_once('=')) {
        None => None,
        Some((name, token)) => {
            let format = sent(access).find(|format| *format.parameter == *name).ok_or(Reason::Malformed)?;
            Some(SentAccess { token, format, carrier: AccessCarrier::PathSegment })
        }
    };
    at_most_one(in_query.chain(in_parameter).chain(in_segment))
}

/// Finds the access token among the cookies of a request.
///
/// # Errors
/// [`Reason::Duplicate`] if there are two.
pub fn in_cookie<'a>(access: &'a AccessToken, incoming: &Incoming<'a>) -> Result<Option<SentAccess<'a>>, Reason> {
    let found = headers::cookie_pairs(incoming.head.headers).filter_map(|(name, token)| {
        let format = sent(access).find(|format| format.is_cookie(name))?;
        Some(SentAccess { token, format, carrier: AccessCarrier::Cookie })
    });
    at_most_one(found)
}

fn in_header<'a>(access: &'a AccessToken, incoming: &Incoming<'a>) -> Result<Option<SentAccess<'a>>, Reason> {
    let named = sent(access).filter_map(|format| Some((format, format.header.as_ref()?)));
    let found = named.flat_map(|(format, name)| {
        let values = headers::all(incoming.head.headers, name);
        values.filter_map(move |value| Some((format, format.in_header(value)?)))
    });
    match at_most_one(found)? {
        None => Ok(None),
        Some((format, token)) if token.len() > format.verifier.longest() => Err(Reason::Malformed),
        Some((format, token)) => {
            let token = core::str::from_utf8(token).map_err(|_| Reason::Malformed)?;
            Ok(Some(SentAccess { token, format, carrier: AccessCarrier::Header }))
        }
    }
}

/// The token that the proxy has verified. Its text is not known.
fn attested<'a>(access: &'a AccessToken, incoming: &Incoming<'a>) -> Option<SentAccess<'a>> {
    let format = access.formats.iter().find(|format| format.verifier.has_attested(incoming.head))?;
    Some(SentAccess { token: "", format, carrier: AccessCarrier::Metadata })
}
