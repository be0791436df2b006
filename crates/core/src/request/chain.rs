//! Chaining (RFC 9246 section 3): every request carries a signed token, and every response the next one. No session is
//! opened.

use super::access_token::{self, AccessCarrier, SentAccess};
use super::chained::ChainedRequest;
use super::check::{Observer, TokenSeen, TokenSent};
use super::pending::ViewerUrl;
use super::visit::Visit;
use crate::http::reply::Reason;
use crate::policy::AccessToken;
use crate::policy::tokens::Chain;
use crate::token::uri_signing::claims::Claims;

/// Verifies the token of a request; `None` if the policy does not renew tokens.
///
/// # Errors
/// The reason why there is no valid token.
pub fn verify(visit: &Visit<'_>, observer: &mut dyn Observer) -> Option<Result<ChainedRequest, Reason>> {
    let access = visit.policy.access_token.as_ref()?;
    Some(verified(visit, access, &access.chain()?, observer))
}

/// Verifies the token of a request. A URL whose token has expired may also have a newer one in the cookie: players reload the
/// URL that they opened.
///
/// # Errors
/// The reason why there is no valid token.
fn verified(
    visit: &Visit<'_>,
    access: &AccessToken,
    chain: &Chain<'_>,
    observer: &mut dyn Observer,
) -> Result<ChainedRequest, Reason> {
    let incoming = visit.incoming;
    let claims = |sent: SentAccess<'_>, observer: &mut dyn Observer| -> Result<Claims, Reason> {
        let verified = chain.verifier.claims(sent.token, incoming, visit.policy.reserved_parameters());
        let seen = verified.as_ref().map(|_| ()).map_err(|reason| *reason);
        observer.token(&TokenSeen { sent: TokenSent::Access(sent), verified: seen }, visit);
        verified
    };
    let Some(sent) = access_token::find(access, incoming)? else {
        observer.no_access_token(visit);
        return Err(Reason::Missing);
    };
    let claims = match claims(sent, observer) {
        Err(Reason::Expired) if matches!(sent.carrier, AccessCarrier::Query | AccessCarrier::Path) => {
            let newer = access_token::in_cookie(access, incoming)?.ok_or(Reason::Expired)?;
            claims(newer, observer)?
        }
        claims => claims?,
    };
    let (head, target) = (incoming.head, &incoming.target);
    Ok(ChainedRequest {
        policy: visit.index,
        kind: visit.kind(),
        url: ViewerUrl {
            scheme: head.scheme,
            authority: head.authority.into(),
            raw_path: target.raw_path.into(),
            query: target.query.map(Into::into),
        },
        time_left: claims.exp.map(|exp| exp.saturating_sub(head.now)),
        renewal: chain.renewer.next(&claims, target.raw_path, head.now),
    })
}
