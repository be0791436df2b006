//! Bodies of requests: their type, size and time are bounded before they are read.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::app::App;
use super::memory::{Held, LIMIT};
use super::problem::{Kind, Problem};
use crate::documents::json::parse;
use crate::error::ControlError;

/// Bytes of a text that is parsed at once; longer ones are parsed on a thread that serves no other request.
const SHORT: usize = 16 * 1024;
/// Bytes of a login at most.
const SMALL: usize = 4096;
/// Time in which a body must arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a refused body that are read and dropped at most, and the time for them. A client that still writes would
/// not see the answer, and could not use the connection again.
const DROPPED: usize = 2 * LIMIT;
const DROP_PATIENCE: Duration = Duration::from_secs(3);

/// The body of an authenticated request.
#[derive(Clone)]
pub struct Raw(pub Bytes);

/// The JSON document in a request's body.
pub struct Document(pub Value);

impl<S: Send + Sync> FromRequestParts<S> for Document {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let bytes = parts.extensions.get::<Raw>().map(|raw| raw.0.clone()).unwrap_or_default();
        if bytes.len() <= SHORT {
            return json(&bytes).map(Self);
        }
        let held = parts.extensions.get::<Held>().cloned();
        let job = spawn_blocking(move || {
            // Held until it is done, even if the client has gone.
            let _held = held;
            json(&bytes)
        });
        let parsed = job.await.map_err(|error| Problem::from(ControlError::Broken(format!("a body: {error}"))))?;
        parsed.map(Self)
    }
}

/// Reads bytes as JSON in which no member occurs twice.
///
/// # Errors
/// A 400 with the place, and without any value.
pub fn json(bytes: &[u8]) -> Result<Value, Problem> {
    parse(bytes).map_err(|finding| ControlError::Invalid(vec![finding]).into())
}

/// Reads the body of an operation, if it has one. A body of others is not read.
///
/// # Errors
/// A 415 unless it is JSON, a 413 beyond [`LIMIT`], a 408 if it takes too long.
pub async fn read(app: &App, parts: &Parts, has_body: bool, stream: &mut Body) -> Result<Bytes, Problem> {
    if !has_body {
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
pub async fn read_small(parts: &Parts, stream: &mut Body) -> Result<Bytes, Problem> {
    bounded(parts, stream, SMALL).await
}

async fn bounded(parts: &Parts, stream: &mut Body, limit: usize) -> Result<Bytes, Problem> {
    json_type(parts)?;
    let too_large = || Problem::new(Kind::TooLarge, format!("The body is too large; expected at most {limit} bytes."));
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(too_large());
    }
    let whole = async {
        let mut bytes = Vec::new();
        while let Some(frame) = stream.frame().await {
            // A connection that ended: nobody reads the answer.
            let frame = frame.map_err(|_| Problem::new(Kind::Invalid, "The body broke off."))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len().saturating_add(data.len()) > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Bytes::from(bytes))
    };
    tokio::time::timeout(PATIENCE, whole).await.unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        Err(Problem::new(Kind::Timeout, format!("The body did not arrive; expected it within {seconds} s.")))
    })
}

/// The answer to a request whose body may not have been read: drops what comes, and closes the connection if it is
/// much.
pub async fn refuse(problem: Problem, mut stream: Body) -> Problem {
    let rest = async {
        let mut dropped = 0_usize;
        while let Some(Ok(frame)) = stream.frame().await {
            dropped = dropped.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            if dropped > DROPPED {
                return false;
            }
        }
        true
    };
    match tokio::time::timeout(DROP_PATIENCE, rest).await {
        Ok(true) => problem,
        // HTTP/2 leaves the header out, and resets the stream alone.
        _ => problem.with_header(header::CONNECTION, HeaderValue::from_static("close")),
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
