//! EdgeGrid: requests that a client has signed.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, header};
use jiff::Timestamp;
use playlock_edgegrid::{Authorization, ClientSecret, Refusal, SignedRequest, verify as verify_signature};
use subtle::ConstantTimeEq as _;

use super::{User, Verified, unauthorized};
use crate::api::operations::Operation;
use crate::api::problem::{Kind, Problem};
use crate::api::{App, body};

/// The user of a signed request, and its body.
///
/// The body is read once the header is that of a known client and of this minute, and the nonce used up once the signature
/// is valid.
///
/// # Errors
/// A 401 that names the part of the request that is wrong.
pub async fn verify(app: &App, parts: &Parts, value: &str, operation: &Operation, stream: &mut Body) -> Verified {
    let authorization = Authorization::parse(value).map_err(|error| refused(error.into()))?;
    let now = Timestamp::now().as_second();
    app.window.check(now, authorization.timestamp()).map_err(refused)?;
    let client = app.control.client(authorization.client_token()).await?;
    let client = client.ok_or_else(|| refused(Refusal::Client))?;
    if !bool::from(client.access_token.as_bytes().ct_eq(authorization.access_token().as_bytes())) {
        return Err(refused(Refusal::Client));
    }
    let authority = authority(parts)?;
    let bytes = body::read(app, parts, operation, stream).await?;
    let signed = SignedRequest {
        method: parts.method.as_str(),
        scheme: "https",
        authority,
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()),
        headers: &[],
        // Only that of a POST request is signed.
        body: if parts.method == Method::POST { &bytes } else { &[] },
    };
    let secret = ClientSecret::new(client.client_secret.to_string())
        .map_err(|fault| Problem::new(Kind::Internal, "The client cannot be verified.").because(fault.to_string()))?;
    verify_signature(&authorization, &secret, &signed, playlock_edgegrid::MAX_BODY).map_err(refused)?;
    let remembered = app.window.keep_until(authorization.timestamp()).saturating_sub(now);
    if !app.control.use_nonce(authorization.client_token(), authorization.nonce(), remembered).await? {
        return Err(refused(Refusal::Replayed));
    }
    Ok((User { actor: client.actor, csrf: None }, bytes))
}

/// The host as the client sent it: `:authority`, or the one `Host` header.
pub fn authority(parts: &Parts) -> Result<&str, Problem> {
    let wrong = || Problem::new(Kind::Invalid, "Host: found none or several; expected one.");
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next(), parts.uri.authority()) {
        (Some(host), None, None) => host.to_str().map_err(|_| wrong()),
        (None, None, Some(authority)) => Ok(authority.as_str()),
        // The absolute form, or HTTP/2 with both: they must agree.
        (Some(host), None, Some(authority)) if host.as_bytes() == authority.as_str().as_bytes() => {
            Ok(authority.as_str())
        }
        _ => Err(wrong()),
    }
}

fn refused(refusal: Refusal) -> Problem {
    unauthorized(refusal.to_string())
}
