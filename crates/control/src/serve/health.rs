//! The listener of health checks and metrics: plain HTTP, without any secret.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use playlock_leases::Service;
use tokio::net::TcpListener;

use super::error::ServeError;
use super::shutdown::{DRAIN, Shutdown};
use crate::api::Counters;
use crate::control::Control;
use crate::network::Network;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Health {
    control: Control,
    counters: Arc<Counters>,
    leases: Option<Service>,
}

/// Serves `/live`, `/ready` and `/metrics` until the end.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    control: Control,
    counters: Arc<Counters>,
    leases: Option<Service>,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    let router = Router::new()
        .route("/live", get(|| async { "live\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Health { control, counters, leases });
    let handle = Handle::<SocketAddr>::new();
    let listener = listener.into_std().map_err(ServeError::Runtime)?;
    let mut server = axum_server::from_tcp(listener)
        .map_err(ServeError::Runtime)?
        .handle(handle.clone())
        .first_request_timeout(PATIENCE);
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    tokio::spawn(async move {
        shutdown.ended().await;
        handle.graceful_shutdown(Some(DRAIN));
    });
    server.serve(router.into_make_service()).await.map_err(ServeError::Runtime)
}

async fn ready(State(health): State<Health>) -> Response {
    match health.control.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    let mut text = health.counters.text();
    let revisions = *health.control.changes().borrow();
    text.push_str("# TYPE playlock_control_revision gauge\n");
    for network in Network::ALL {
        let revision = match network {
            Network::Staging => revisions.staging,
            Network::Production => revisions.production,
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "playlock_control_revision{{network=\"{network}\"}} {revision}");
    }
    if let Ok(size) = health.control.database_size().await {
        let _ = writeln!(text, "# TYPE playlock_control_database_bytes gauge\nplaylock_control_database_bytes {size}");
    }
    if let Some(service) = &health.leases {
        // Without the store, its gauges are missing and the counters are there.
        text.push_str(&service.counters.text(service.store.counts().await.ok().as_ref()));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
