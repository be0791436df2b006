//! Answers to requests whose credentials do not suffice.

use axum::http::{HeaderValue, header};

use crate::actor::Role;
use crate::api::problem::{Kind, Problem};

/// The detail of a request without credentials.
pub const NO_CREDENTIALS: &str =
    "The request has no credentials; expected an EdgeGrid signature, a bearer token, or a login of the page.";

/// A 401. Its challenge names the scheme that HTTP registers.
pub fn unauthorized(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::NotAuthorized, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"playlock\""))
}

/// A 403: one of the roles is needed.
pub fn missing(roles: &[Role]) -> Problem {
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    Problem::new(
        Kind::Forbidden,
        format!("The operation needs the role {}, which these credentials lack.", names.join(" or ")),
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
