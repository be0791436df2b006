//! Authentication and permission: EdgeGrid signatures, bearer tokens, sessions of the page.

mod bearer;
mod edgegrid;
pub mod session;

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::operations::{self, Operation};
use super::problem::{Kind, Problem};
use super::{App, body};
use crate::actor::{Actor, Role};

/// Header of writes under a session of the page, with the value that `GET /control/v1/me` returns.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// The authenticated user of a request.
#[derive(Debug, Clone)]
pub struct User {
    /// The name and roles.
    pub actor: Actor,
    /// The value of [`CSRF_HEADER`], under a session of the page.
    pub csrf: Option<String>,
}

impl User {
    /// Refuses users without a role.
    ///
    /// # Errors
    /// A 403 that names the role.
    pub fn need(&self, role: Role) -> Result<(), Problem> {
        if self.actor.has(role) { Ok(()) } else { Err(missing(role)) }
    }

    /// Whether the user may see secrets.
    pub fn sees_secrets(&self) -> bool {
        self.actor.has(Role::Secrets)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Only a route outside of the middleware has none.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(Kind::NotAuthorized, NO_CREDENTIALS))
    }
}

/// The host and port of a request, as the client sent them.
pub struct Authority(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Authority {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        edgegrid::authority(parts).map(|authority| Self(authority.to_owned()))
    }
}

/// The name of the user, kept beside the response for the access log.
#[derive(Debug, Clone)]
pub struct Known(pub String);

const NO_CREDENTIALS: &str =
    "The request has no credentials; expected an EdgeGrid signature, a bearer token, or a login of the page.";

/// Lets a request through to its operation if its user has the operation's role. The body is read here, at most
/// [`body::LIMIT`] bytes, since signatures cover it.
pub async fn guard(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    matched: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, mut stream) = request.into_parts();
    let admitted = admit(&app, peer.ip(), matched.as_str(), &parts, &mut stream).await;
    let (user, bytes) = match admitted {
        Ok(admitted) => admitted,
        Err(problem) => return Err(body::refuse(problem, stream).await),
    };
    let name = user.actor.name.clone();
    parts.extensions.insert(user);
    parts.extensions.insert(body::Raw(bytes));
    let mut response = next.run(Request::from_parts(parts, Body::empty())).await;
    response.extensions_mut().insert(Known(name));
    Ok(response)
}

/// The user of a request and its body, if the user has the operation's role.
async fn admit(app: &App, peer: IpAddr, path: &str, parts: &Parts, stream: &mut Body) -> Verified {
    let Some(operation) = operations::find(parts.method.as_str(), path) else {
        return Err(not_allowed(&parts.method, &operations::allowed(path)));
    };
    if let Some(wait) = app.limits.blocked(peer, Instant::now()) {
        return Err(too_many(wait.as_secs().saturating_add(1)));
    }
    let verified = match credentials(&parts.headers) {
        Ok(Credentials::EdgeGrid(value)) => edgegrid::verify(app, parts, value, operation, stream).await,
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
    if user.actor.has(operation.role) { Ok((user, bytes)) } else { Err(missing(operation.role)) }
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
    if !user.actor.has(operation.role) {
        return Err(missing(operation.role));
    }
    Ok((user, body::read(app, parts, operation, stream).await?))
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

/// A 401. Its challenge names the scheme that HTTP registers.
pub fn unauthorized(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::NotAuthorized, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"playlock\""))
}

fn missing(role: Role) -> Problem {
    Problem::new(
        Kind::Forbidden,
        format!("The operation needs the role {}, which these credentials lack.", role.name()),
    )
}

/// A 429.
pub fn too_many(seconds: u64) -> Problem {
    Problem::new(
        Kind::TooManyRequests,
        format!("Too many failed authentications from this address; expected none for {seconds} s."),
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

/// A 405 with `Allow` (RFC 9110, section 15.5.6).
pub fn not_allowed(method: &Method, allowed: &[&str]) -> Problem {
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
