//! EdgeGrid: requests that a client has signed.

use axum::body::{Body, Bytes};
use axum::http::Method;
use axum::http::request::Parts;
use jiff::Timestamp;
use playlock_edgegrid::{Authorization, ClientSecret, Refusal, SignedRequest, verify as verify_signature};
use subtle::ConstantTimeEq as _;

use super::authority::authority;
use super::refusals::unauthorized;
use super::user::User;
use crate::api::app::App;
use crate::api::body;
use crate::api::problem::{Kind, Problem};

/// The user of a signed request, and its body.
///
/// The body is read once the header is that of a known client and of this minute, and the nonce used up once the
/// signature is valid.
///
/// # Errors
/// A 401 that names the part of the request that is wrong.
pub async fn verify(
    app: &App,
    parts: &Parts,
    value: &str,
    has_body: bool,
    stream: &mut Body,
) -> Result<(User, Bytes), Problem> {
    let authorization = Authorization::parse(value).map_err(|error| refused(error.into()))?;
    let now = Timestamp::now().as_second();
    app.window.check(now, authorization.timestamp()).map_err(refused)?;
    let client = app.control.client(authorization.client_token()).await?;
    let client = client.ok_or_else(|| refused(Refusal::Client))?;
    if !bool::from(client.access_token.as_bytes().ct_eq(authorization.access_token().as_bytes())) {
        return Err(refused(Refusal::Client));
    }
    let host = authority(parts)?;
    let bytes = body::read(app, parts, has_body, stream).await?;
    let signed = SignedRequest {
        method: parts.method.as_str(),
        scheme: "https",
        authority: host,
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

fn refused(refusal: Refusal) -> Problem {
    unauthorized(refusal.to_string())
}
