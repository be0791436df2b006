//! The access token of a request: which format it has, by its name, and where it was sent.

use crate::http::headers;
use crate::http::incoming::{Incoming, at_most_one};
use crate::http::reply::Reason;
use crate::policy::{AccessFormat, AccessToken};

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
    /// First segment of the path, after its name and `=`.
    Path,
    /// Query parameter.
    Query,
    /// Cookie.
    Cookie,
    /// Header.
    Header,
    /// The proxy's metadata.
    Metadata,
}

/// Finds the access token of a request. The path and the query take precedence over cookies, cookies over headers, and
/// headers over tokens that the proxy has verified.
///
/// # Errors
/// [`Reason::Duplicate`] if a carrier holds two, of whatever formats, or if the path and the query both hold one;
/// [`Reason::Malformed`] if the header is too long or not UTF-8, or if the path has a token of an unknown name.
pub fn find<'a>(access: &'a AccessToken, incoming: &'a Incoming<'a>) -> Result<Option<SentAccess<'a>>, Reason> {
    let (target, head) = (&incoming.target, incoming.head);
    let formats = || access.formats.iter().filter(|format| !format.verifier.is_attested());
    let found = formats().flat_map(|format| target.values(&format.parameter).map(move |token| (format, token)));
    let in_query = at_most_one(found)?;
    let in_path = incoming.path_token.as_ref().map_err(|reason| *reason)?;
    if let Some((name, token)) = in_path.as_deref().and_then(|sent| sent.split_once('=')) {
        let format = formats().find(|format| *format.parameter == *name).ok_or(Reason::Malformed)?;
        return match in_query {
            None => Ok(Some(SentAccess { token, format, carrier: AccessCarrier::Path })),
            Some(_) => Err(Reason::Duplicate),
        };
    }
    if let Some((format, token)) = in_query {
        return Ok(Some(SentAccess { token, format, carrier: AccessCarrier::Query }));
    }
    let found =
        formats().flat_map(|format| headers::cookies(head.headers, &format.cookie).map(move |token| (format, token)));
    if let Some((format, token)) = at_most_one(found)? {
        return Ok(Some(SentAccess { token, format, carrier: AccessCarrier::Cookie }));
    }
    let named = formats().filter_map(|format| Some((format, format.header.as_ref()?)));
    let found = named.flat_map(|(format, name)| {
        let values = headers::all(head.headers, name);
        values.filter_map(move |value| Some((format, format.in_header(value)?)))
    });
    match at_most_one(found)? {
        None => Ok(attested(access, incoming)),
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
