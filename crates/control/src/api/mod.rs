//! The HTTP API: routes, authentication, problems, and the OpenAPI document.

mod answer;
mod app;
mod auth;
mod body;
mod control;
mod counters;
mod limits;
mod memory;
mod observe;
mod openapi;
mod operations;
mod parameters;
mod places;
mod policy_schema;
mod problem;
mod query;
mod security;

pub use self::app::App;
pub use self::counters::Counters;
pub use self::places::MarketAreas;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};

use self::operations::OPERATIONS;
use self::problem::{Kind, Problem};

/// The routes of the API, and those of the page, which need no login.
pub fn router(app: App, page: Router<App>) -> Router {
    let mut operations = Router::new();
    for operation in OPERATIONS {
        operations = operations.route(operation.path, (operation.route)());
    }
    operations
        .route_layer(from_fn_with_state(app.clone(), auth::guard::guard))
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
async fn hardened(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
