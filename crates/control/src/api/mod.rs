//! The HTTP API: routes, authentication, problems, and the OpenAPI document.

mod auth;
mod body;
mod control;
mod counters;
mod limits;
mod observe;
mod openapi;
mod operations;
mod parameters;
mod places;
mod problem;
mod security;

pub use self::counters::Counters;
pub use self::places::MarketAreas;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use playlock_edgegrid::Window;
use serde_json::Value;
use tokio::sync::Semaphore;

use self::auth::User;
use self::limits::Limits;
use self::operations::OPERATIONS;
use self::problem::{Kind, Problem};
use crate::control::Control;
use crate::documents::mask::masked;
use crate::options::Why;

/// Bodies that are read at a time: 256 MiB of memory.
const BODIES: usize = 64;

/// The state that requests share.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// See [`App`].
pub struct Shared {
    /// The operations.
    pub control: Control,
    /// The time window of EdgeGrid signatures.
    pub window: Window,
    /// Explains a request.
    pub why: Option<Why>,
    /// The operator's Designated Market Areas.
    pub dmas: MarketAreas,
    /// Counters for metrics.
    pub counters: Arc<Counters>,
    limits: Limits,
    bodies: Semaphore,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// The state of a server.
    pub fn new(control: Control, window: Window, failures: u32, dmas: MarketAreas, why: Option<Why>) -> Self {
        Self(Arc::new(Shared {
            control,
            window,
            why,
            dmas,
            counters: Arc::default(),
            limits: Limits::new(failures),
            bodies: Semaphore::new(BODIES),
        }))
    }

    /// An answer with this document, its secrets masked unless the user may see them. No cache keeps it.
    fn document(&self, user: &User, document: &Value) -> Response {
        if user.sees_secrets() { answer(document) } else { answer(&masked(document)) }
    }
}

/// An answer with a document that has no secrets, or one that is shown once.
fn answer(document: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, document.to_string()).into_response()
}

/// The routes of the API, and those of the page, which need no login.
pub fn router(app: App, page: Router<App>) -> Router {
    let mut operations = Router::new();
    for operation in OPERATIONS {
        operations = operations.route(operation.path, (operation.route)());
    }
    operations
        .route_layer(from_fn_with_state(app.clone(), auth::guard))
        .route("/login", post(auth::session::log_in))
        .route("/logout", post(auth::session::log_out))
        .route("/openapi.json", get(openapi::serve))
        .merge(page)
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn(hardened))
        .layer(from_fn_with_state(app.clone(), observe::log))
        .with_state(app)
}

async fn unknown() -> Problem {
    Problem::new(Kind::NotFound, "There is no such path; expected one of /openapi.json.")
}

async fn other_method(request: Request) -> Problem {
    // Of the few paths outside the table; axum adds `Allow`.
    Problem::new(Kind::MethodNotAllowed, format!("{:.16}: not a method of this path.", request.method().as_str()))
}

/// Headers that keep browsers from taking an answer for something else.
async fn hardened(request: Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
