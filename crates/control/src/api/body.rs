//! Bodies of requests: their type, size and time are bounded before they are read.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use serde_json::Value;

use super::App;
use super::operations::Operation;
use super::problem::{Kind, Problem};
use crate::documents::json::parse;
use crate::error::ControlError;

/// Bytes of a body at most.
pub const LIMIT: usize = 4 * 1024 * 1024;
/// Bytes of a login at most.
const SMALL: usize = 4096;
/// Time in which a body must arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of an authenticated request.
#[derive(Clone)]
pub struct Raw(pub Bytes);

/// The JSON document in a request's body.
pub struct Document(pub Value);

impl<S: Send + Sync> FromRequestParts<S> for Document {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let bytes = parts.extensions.get::<Raw>().map(|raw| raw.0.clone()).unwrap_or_default();
        json(&bytes).map(Self)
    }
}

/// Reads bytes as JSON in which no member occurs twice.
///
/// # Errors
/// A 400 with the place, and without any value.
pub fn json(bytes: &[u8]) -> Result<Value, Problem> {
    parse(bytes).map_err(|finding| ControlError::Invalid(vec![finding]).into())
}

/// Reads the body of an operation that has one. A body of others is not read.
///
/// # Errors
/// A 415 unless it is JSON, a 413 beyond [`LIMIT`], a 408 if it takes too long.
pub async fn read(app: &App, parts: &Parts, operation: &Operation, stream: Body) -> Result<Bytes, Problem> {
    if operation.body.is_none() {
        return Ok(Bytes::new());
    }
    // Bounds the memory of all bodies together.
    let _permit = app.bodies.acquire().await.map_err(|_| Problem::new(Kind::Unavailable, "The server is stopping."))?;
    bounded(parts, stream, LIMIT).await
}

/// Reads a body of a few bytes.
///
/// # Errors
/// As [`read`].
pub async fn read_small(parts: &Parts, stream: Body) -> Result<Bytes, Problem> {
    bounded(parts, stream, SMALL).await
}

async fn bounded(parts: &Parts, stream: Body, limit: usize) -> Result<Bytes, Problem> {
    json_type(parts)?;
    let too_large = || Problem::new(Kind::TooLarge, format!("The body is too large; expected at most {limit} bytes."));
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, to_bytes(stream, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // The limit, or a connection that ended: nobody reads the answer then.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => {
            let seconds = PATIENCE.as_secs();
            Err(Problem::new(Kind::Timeout, format!("The body did not arrive; expected it within {seconds} s.")))
        }
    }
}

/// Refuses other types than JSON, and compressed bodies.
fn json_type(parts: &Parts) -> Result<(), Problem> {
    let mut types = parts.headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = match (types.next().map(|value| value.to_str()), types.next()) {
        (Some(Ok(value)), None) => {
            let (kind, parameters) = value.split_once(';').unwrap_or((value, ""));
            let parameters = parameters.trim().to_ascii_lowercase();
            kind.trim().eq_ignore_ascii_case("application/json")
                && ["", "charset=utf-8", "charset=\"utf-8\""].contains(&parameters.as_str())
        }
        _ => false,
    };
    if !is_json {
        let detail = "Content-Type: not JSON; expected application/json, in UTF-8.";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        let detail = "Content-Encoding: compressed bodies are not read; expected none.";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    Ok(())
}
