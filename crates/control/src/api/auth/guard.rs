//! The way of each request to its operation: credentials, body, role.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::refusals::{NO_CREDENTIALS, missing, too_many, unauthorized};
use super::user::{Known, User};
use super::{bearer, edgegrid, session};
use crate::actor::Role;
use crate::api::app::App;
use crate::api::body;
use crate::api::memory::Held;
use crate::api::operations::{self, Operation};
use crate::api::problem::{Kind, Problem};

/// Lets a request through to its operation if its user has one of the operation's roles. The body is read here, at most
/// [`LIMIT`](crate::api::memory::LIMIT) bytes, since signatures cover it.
pub async fn guard(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    matched: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, mut stream) = request.into_parts();
    let admitted = admit(&app, peer.ip(), matched.as_str(), &parts, &mut stream).await;
    let (user, bytes, held) = match admitted {
        Ok(admitted) => admitted,
        Err(problem) => return Err(body::refuse(problem, stream).await),
    };
    let name = user.actor.name.clone();
    parts.extensions.insert(user);
    parts.extensions.insert(body::Raw(bytes));
    parts.extensions.insert(held.clone());
    let mut response = next.run(Request::from_parts(parts, Body::empty())).await;
    drop(held);
    response.extensions_mut().insert(Known(name));
    Ok(response)
}

/// The user of a request and its body, if the user has one of the operation's roles, and room for its document.
async fn admit(
    app: &App,
    peer: IpAddr,
    path: &str,
    parts: &Parts,
    stream: &mut Body,
) -> Result<(User, Bytes, Held), Problem> {
    let Some(operation) = operations::find(parts.method.as_str(), path) else {
        return Err(not_allowed(&parts.method, &operations::allowed(path)));
    };
    if let Some(wait) = app.limits.blocked(peer, Instant::now()) {
        return Err(too_many(wait.as_secs().saturating_add(1)));
    }
    let verified = match credentials(&parts.headers) {
        Ok(Credentials::EdgeGrid(value)) => edgegrid::verify(app, parts, value, operation.body.is_some(), stream).await,
        Ok(Credentials::Bearer(token)) => {
            with_body(bearer::verify(app, token).await, app, parts, operation, stream).await
        }
        Ok(Credentials::Session(token)) => {
            with_body(session::verify(app, parts, token).await, app, parts, operation, stream).await
        }
        // Nobody has guessed.
        Ok(Credentials::None) => return Err(unauthorized(NO_CREDENTIALS)),
        Err(problem) => Err(problem),
    };
    let (user, bytes) = verified.inspect_err(|problem| {
        if problem.is_failed_authentication() {
            app.limits.failed(peer, Instant::now());
        }
    })?;
    if !operation.admits(&user.actor) {
        return Err(missing(operation.roles));
    }
    let held = app.documents.hold(operation.roles == [Role::Read], bytes.len()).await?;
    Ok((user, bytes, held))
}

/// Reads the body once the user is known.
async fn with_body(
    user: Result<User, Problem>,
    app: &App,
    parts: &Parts,
    operation: &Operation,
    stream: &mut Body,
) -> Verified {
    let user = user?;
    if !operation.admits(&user.actor) {
        return Err(missing(operation.roles));
    }
    Ok((user, body::read(app, parts, operation.body.is_some(), stream).await?))
}

/// The user of a request, and its body.
type Verified = Result<(User, Bytes), Problem>;

enum Credentials<'a> {
    EdgeGrid(&'a str),
    Bearer(&'a str),
    Session(&'a str),
    None,
}

/// The credentials of a request. A request with two kinds, or one kind twice, is ambiguous: refused.
fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(unauthorized("Authorization: found twice; expected once."));
    }
    let Some(value) = first else {
        return Ok(session::token(headers)?.map_or(Credentials::None, Credentials::Session));
    };
    let wrong = || unauthorized("Authorization: unknown scheme; expected EG1-HMAC-SHA256 or Bearer.");
    let value = value.to_str().map_err(|_| wrong())?;
    match value.split_once(' ') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("EG1-HMAC-SHA256") => Ok(Credentials::EdgeGrid(value)),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => Ok(Credentials::Bearer(token.trim())),
        _ => Err(wrong()),
    }
}

/// A 405 with `Allow` (RFC 9110, section 15.5.6).
fn not_allowed(method: &Method, allowed: &[&str]) -> Problem {
    let allowed = allowed.join(", ");
    let problem = Problem::new(
        Kind::MethodNotAllowed,
        format!("{:.16}: not a method of this path; expected {allowed}.", method.as_str()),
    );
    match HeaderValue::from_str(&allowed) {
        Ok(value) => problem.with_header(header::ALLOW, value),
        Err(_) => problem,
    }
}
