//! Answers with documents.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::auth::user::User;
use crate::documents::mask::masked;

/// An answer with a document that has no secrets, or one that is shown once.
pub fn answer(document: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, document.to_string()).into_response()
}

/// An answer with a document, its secrets masked unless the user may see them.
pub fn shown(user: &User, document: &Value) -> Response {
    if user.sees_secrets() { answer(document) } else { answer(&masked(document)) }
}
