//! The access log: one line for each request, with the id of its problem if it has one. Neither queries nor headers nor
//! bodies are logged, since they may have secrets.

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::app::App;
use super::auth::user::Known;
use super::problem::Incident;
use crate::log::{self, Level};

/// Characters of a path that are logged.
const PATH: usize = 256;

/// Logs and counts a request.
pub async fn log(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(PATH).collect();
    let response = next.run(request).await;
    let status = response.status();
    app.counters.count(status.as_u16());
    let (address, took) = (peer.ip().to_string(), began.elapsed().as_millis().to_string());
    let mut fields = vec![
        ("method", method.as_str()),
        ("path", path.as_str()),
        ("status", status.as_str()),
        ("milliseconds", took.as_str()),
        ("address", address.as_str()),
    ];
    if let Some(Known(name)) = response.extensions().get() {
        fields.push(("actor", name));
    }
    if let Some(incident) = response.extensions().get::<Incident>() {
        fields.push(("instance", &incident.instance));
        fields.push(("reason", &incident.cause));
    }
    let level = if status.is_server_error() { Level::Error } else { Level::Info };
    log::write(level, "request", &fields);
    response
}
