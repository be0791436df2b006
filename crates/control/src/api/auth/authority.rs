//! The host and port of a request.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::api::problem::{Kind, Problem};

/// The host and port of a request, as the client sent them.
pub struct Authority(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Authority {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        authority(parts).map(|authority| Self(authority.to_owned()))
    }
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
