//! The page: files in the binary, with a strict Content Security Policy. They know nothing but the API.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Scripts and styles only from files of this server; nothing inline, no frames, no requests elsewhere.
const SECURITY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                        form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                        require-trusted-types-for 'script'; trusted-types 'none'";

/// A file of the page: its path in the URL, its media type and its text.
type File = (&'static str, &'static str, &'static str);

macro_rules! files {
    ($($name:literal: $type:expr),* $(,)?) => {
        &[$((concat!("/", $name), $type, include_str!(concat!("static/", $name)))),*]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files that lie under their own names.
const FILES: &[File] = files! {
    "access.js": SCRIPT,
    "api.js": SCRIPT,
    "app.js": SCRIPT,
    "assignment-fields.js": SCRIPT,
    "assignments.js": SCRIPT,
    "audit.js": SCRIPT,
    "dialog.js": SCRIPT,
    "diff.js": SCRIPT,
    "dom.js": SCRIPT,
    "editor.js": SCRIPT,
    "exchange.js": SCRIPT,
    "icon.svg": "image/svg+xml",
    "impact.js": SCRIPT,
    "json-text.js": SCRIPT,
    "login.js": SCRIPT,
    "nodes.js": SCRIPT,
    "page.css": "text/css; charset=utf-8",
    "policies.js": SCRIPT,
    "policy.js": SCRIPT,
    "poll.js": SCRIPT,
    "refusals.js": SCRIPT,
    "schema.js": SCRIPT,
    "sessions.js": SCRIPT,
    "settings.js": SCRIPT,
    "timeline.js": SCRIPT,
    "why.js": SCRIPT,
};

const PAGE: &str = "text/html; charset=utf-8";

/// Routes of the page's files: `GET /`, `GET /login` and the files that they load. They need no login; all that they
/// show comes from the API.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let named = FILES.iter().fold(Router::new(), |router, &(path, media_type, text)| {
        router.route(path, get(move || async move { file(media_type, text) }))
    });
    named
        .route("/", get(|| async { file(PAGE, include_str!("static/index.html")) }))
        .route("/login", get(|| async { file(PAGE, include_str!("static/login.html")) }))
}

fn file(media_type: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(SECURITY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        // Another version of the server may have other files under the same names.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text).into_response()
}
