//! The response headers that give a client a new access token in place of one that is about to expire.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::access_token::{AccessCarrier, SentAccess};
use crate::http::authority::Scheme;
use crate::http::headers;
use crate::http::incoming::Incoming;
use crate::http::reply::{Header, header};
use crate::http::target;
use crate::token::grant::{Renewed, RenewedBy};

/// The headers that carry `renewed`, the successor of the token `sent`. A `location` among them redirects the request.
///
/// None if the old token asks for a cookie or header of another name: playlock would not accept the new one there.
pub fn headers_of(renewed: &Renewed, sent: &SentAccess<'_>, incoming: &Incoming<'_>) -> Vec<Header> {
    let by = match (renewed.by, sent.carrier) {
        (RenewedBy::Carrier, AccessCarrier::Query) => RenewedBy::Redirect,
        (RenewedBy::Carrier, AccessCarrier::Cookie) => RenewedBy::Cookie,
        (RenewedBy::Carrier, AccessCarrier::Header) => RenewedBy::Header,
        (by, _) => by,
    };
    let made = match by {
        RenewedBy::Carrier => None,
        RenewedBy::Cookie => cookie(renewed, sent, incoming),
        RenewedBy::Header => {
            let own = sent.format.header.as_deref();
            let is_own = |name: &String| own.is_some_and(|own| name.eq_ignore_ascii_case(own));
            own.filter(|_| renewed.header.as_ref().is_none_or(is_own)).map(|own| header(own, &renewed.token))
        }
        // A token that is due at once would be redirected for ever.
        RenewedBy::Redirect => (!renewed.is_due).then(|| header("location", &redirect(renewed, sent, incoming))),
    };
    made.into_iter().collect()
}

fn cookie(renewed: &Renewed, sent: &SentAccess<'_>, incoming: &Incoming<'_>) -> Option<Header> {
    if renewed.cookie.as_ref().is_some_and(|name| !sent.format.is_cookie(name.as_bytes())) {
        return None;
    }
    // In the spelling of the client's own cookie: browsers would keep both of two spellings.
    let mut cookies = headers::cookie_pairs(incoming.head.headers).map(|(name, _)| name);
    let found = cookies.find(|name| sent.format.is_cookie(name)).and_then(|name| core::str::from_utf8(name).ok());
    let name = found.or(renewed.cookie.as_deref()).unwrap_or(&sent.format.cookie);
    let site = match incoming.head.scheme {
        Scheme::Https => "; Secure; SameSite=None",
        Scheme::Http => "; SameSite=Lax",
    };
    let Renewed { token, seconds, .. } = renewed;
    Some(header("set-cookie", &format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly{site}")))
}

/// The URL of the request with the new token.
fn redirect(renewed: &Renewed, sent: &SentAccess<'_>, incoming: &Incoming<'_>) -> String {
    let parameter = &sent.format.parameter;
    let kept = incoming.target.query.and_then(|query| target::strip(query, &[parameter.as_str()]));
    let kept = kept.map(|query| format!("{query}&")).unwrap_or_default();
    format!("{}?{kept}{parameter}={}", incoming.target.raw_path, renewed.token)
}
