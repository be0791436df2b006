//! Responses to requests with signed tokens that are renewed: the origin's, with the next token (RFC 9246 section 3.3).

use alloc::format;
use alloc::vec::Vec;

use super::clear::private;
use crate::http::headers;
use crate::http::message::HeaderEdits;
use crate::http::reply::{Header, Reason, header};
use crate::http::url;
use crate::policy::Policy;
use crate::policy::tokens::{AccessToken, Chain};
use crate::request::chained::ChainedRequest;
use crate::session::jar;
use crate::token::uri_signing::renewal::{Renewal, RenewalCarrier};

/// Header changes for a response: a successful one or a redirect gets the next token and is private to its viewer.
///
/// # Errors
/// [`Reason::Unasked`] for a status that a request to read something does not have.
pub fn edits(request: &ChainedRequest, policy: &Policy, headers: &[Header]) -> Result<HeaderEdits, Reason> {
    let status = headers::text(headers, ":status").and_then(|status| status.parse::<u16>().ok());
    match status {
        Some(200..=399) => {}
        Some(400..=599) => return Ok(HeaderEdits::default()),
        // A protocol upgrade would let the origin's bytes bypass the filter.
        _ => return Err(Reason::Unasked),
    }
    let mut edits = private(headers, request.time_left);
    let chain = policy.access_token.as_ref().and_then(AccessToken::chain);
    let Some((chain, renewal)) = chain.zip(request.renewal.as_ref()) else { return Ok(edits) };
    match &renewal.carrier {
        RenewalCarrier::Cookie(path) => {
            let name = chain.format.cookie.as_str();
            edits.add.push(jar::token_cookie(name, &renewal.token, path, renewal.lifetime, request.url.scheme));
        }
        RenewalCarrier::Query => {
            if let Some(location) = location(request, policy, &chain, renewal, headers) {
                edits.set.retain(|(name, _)| name != "cache-control");
                edits.set.push(header("cache-control", "private, no-store"));
                edits.set.push(("location".into(), location));
            }
        }
    }
    Ok(edits)
}

/// The location of a redirect with the next token in its query. `None` if there is none, or if it is one to which a viewer who
/// came by https must not be sent with a token.
fn location(
    request: &ChainedRequest,
    policy: &Policy,
    chain: &Chain<'_>,
    renewal: &Renewal,
    headers: &[Header],
) -> Option<Vec<u8>> {
    let location = headers::text(headers, "location")?;
    let base = request.url.base(policy);
    // RFC 9246 section 1.3: a signed redirection URI keeps https.
    let location = if base.is_own(location) { base.secured(location) } else { location.into() };
    if !url::keeps_scheme(&location, request.url.scheme) {
        return None;
    }
    let mut signed = Vec::with_capacity(location.len() + renewal.token.len() + 32);
    let parameter = format!("{}={}", chain.format.parameter, renewal.token);
    url::push_with_parameters(&mut signed, &location, &parameter, policy.reserved_parameters());
    Some(signed)
}
