//! Sessions of the page: a one-time code becomes a cookie, and writes carry a second token that no other site can read.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::refusals::{too_many, unauthorized};
use super::user::{Known, User};
use crate::api::app::App;
use crate::api::body;
use crate::api::problem::{Kind, Problem};
use crate::control::NewSession;

/// Header of writes under a session, with the value that `GET /control/v1/me` returns.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Browsers accept a cookie with this prefix only over TLS, for the whole host, and from this host.
const COOKIE: &str = "__Host-playlock";

/// The session token in the cookies of a request.
///
/// # Errors
/// A 401 if it is there twice.
pub fn token(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut found = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(|(name, value)| (name == COOKIE).then_some(value));
    match (found.next(), found.next()) {
        (token, None) => Ok(token),
        _ => Err(unauthorized(format!("Cookie: {COOKIE} found twice; expected once."))),
    }
}

/// The user of a session. Requests that may change something must carry its second token.
///
/// # Errors
/// A 401 if the session has ended, a 403 without the second token.
pub async fn verify(app: &App, parts: &Parts, token: &str) -> Result<User, Problem> {
    let found = if token.len() <= 128 { app.control.session(token).await? } else { None };
    let actor = found.ok_or_else(|| unauthorized("The login has ended; expected a new one."))?;
    let csrf = second_token(token);
    if !parts.method.is_safe() {
        let sent = parts.headers.get(CSRF_HEADER).map_or(&[][..], HeaderValue::as_bytes);
        if !bool::from(sent.ct_eq(csrf.as_bytes())) {
            let detail =
                format!("{CSRF_HEADER}: missing or wrong; expected the value of `csrf` in GET /control/v1/me.");
            return Err(Problem::new(Kind::Forbidden, detail));
        }
    }
    Ok(User { actor, csrf: Some(csrf) })
}

/// The second token of a session: a hash, so that it does not have to be stored.
fn second_token(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update("playlock csrf\0").chain_update(token).finalize())
}

/// `POST /login`, `{"code": …}`: exchanges a one-time code for a session.
///
/// # Errors
/// A 401 if the code was used, has ended, or never was; a 429 after too many of these.
pub async fn log_in(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, mut stream) = request.into_parts();
    let session = match exchange(&app, peer.ip(), &parts, &mut stream).await {
        Ok(session) => session,
        Err(problem) => return Err(body::refuse(problem, stream).await),
    };
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, &session.cookie, session.max_age);
    response.extensions_mut().insert(Known(session.actor.name));
    Ok(response)
}

/// The session for a one-time code.
async fn exchange(app: &App, peer: IpAddr, parts: &Parts, stream: &mut Body) -> Result<NewSession, Problem> {
    if let Some(wait) = app.limits.blocked(peer, Instant::now()) {
        return Err(too_many(wait.as_secs().saturating_add(1)));
    }
    let document = body::json(&body::read_small(parts, stream).await?)?;
    let code = document.get("code").and_then(Value::as_str).filter(|code| code.len() <= 128);
    let code = code.ok_or_else(|| Problem::member("code", "missing; expected the one-time code as a string"))?;
    app.control.log_in(code).await?.ok_or_else(|| {
        app.limits.failed(peer, Instant::now());
        unauthorized("code: unknown, used, or ended; expected a new one from `playlock control login`.")
    })
}

/// `POST /logout`: ends the session of the cookie, if there is one.
///
/// # Errors
/// A 403 without the second token.
pub async fn log_out(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(token) = token(&parts.headers)? {
        if app.control.session(token).await?.is_some() {
            let user = verify(&app, &parts, token).await?;
            app.control.log_out(token).await?;
            response.extensions_mut().insert(Known(user.actor.name));
        }
        set_cookie(&mut response, "", 0);
    }
    Ok(response)
}

fn set_cookie(response: &mut Response, value: &str, seconds: i64) {
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
