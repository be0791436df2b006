//! The listener of operators: sessions, metrics and health, for a service without a control plane.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use crate::listen::PAUSE;
use crate::listing::{self, EndOrder, ListQuery};
use crate::service::Service;
use crate::session::Filter;
use crate::store::{Store, Unavailable};

/// Sessions that a CSV file is read by.
const CSV_PAGE: usize = 10_000;

/// Connections at once; further ones wait.
const CONNECTIONS: usize = 256;
/// Time for the headers of a request, and so for a connection to be idle.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time that requests under way get when the service ends.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves operators until `end`, and then lets requests under way finish. Their connections are bounded, so that they never
/// take the descriptors that Envoys need.
pub async fn serve(listener: TcpListener, router: Router, end: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = accept(&listener, &router, &graceful) => {}
        () = end => {}
    }
    drop(listener);
    // Requests that take longer are cut off.
    let _ = timeout(DRAIN, graceful.shutdown()).await;
}

async fn accept(listener: &TcpListener, router: &Router, graceful: &GracefulShutdown) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A connection that breaks is the client's affair.
            let _ = watched.await;
            drop(permit);
        });
    }
}

/// Routes for operators. With a token every request but those for health needs it as a bearer token (RFC 6750); without
/// one a request must name the host by its address or as `localhost`, which no other site's page can do.
pub fn router(service: Service, token: Option<Zeroizing<String>>) -> Router {
    let token = Arc::new(token);
    let guard = middleware::from_fn(move |request: Request, next: Next| {
        let token = Arc::clone(&token);
        async move {
            match refusal(token.as_ref().as_ref(), request.headers()) {
                None => next.run(request).await,
                Some(refusal) => refusal,
            }
        }
    });
    Router::new()
        .route("/control/v1/sessions", get(sessions))
        .route("/control/v1/sessions/counts", get(counts))
        .route("/control/v1/sessions/end", post(end))
        .route("/metrics", get(metrics))
        .layer(guard)
        .route("/live", get(|| async { "live\n" }))
        .route("/ready", get(ready))
        .with_state(service)
}

/// The response to a request that may not see anything here.
fn refusal(token: Option<&Zeroizing<String>>, headers: &HeaderMap) -> Option<Response> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(token) = token {
        let sent = text(header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
        if sent.as_bytes().ct_eq(token.as_bytes()).into() {
            return None;
        }
        let mut refusal = problem(StatusCode::UNAUTHORIZED, "authorization: no valid bearer token");
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return Some(refusal);
    }
    let host = text(header::HOST);
    let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_own = name == "localhost" || address.parse::<IpAddr>().is_ok();
    (!is_own).then(|| problem(StatusCode::FORBIDDEN, "host: a name; expected an address or localhost"))
}

async fn sessions(
    State(service): State<Service>,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Response {
    let query = match query {
        Ok(Query(query)) => query,
        Err(fault) => return problem(StatusCode::BAD_REQUEST, &fault.body_text()),
    };
    let (filter, limit) = match query.read() {
        Ok(read) => read,
        Err(fault) => return problem(StatusCode::BAD_REQUEST, &fault),
    };
    if headers.get(header::ACCEPT).is_some_and(|accept| accept == "text/csv") {
        return csv(service.store, filter);
    }
    match service.store.sessions(&filter, query.cursor.as_deref(), limit).await {
        Ok(page) => Json(listing::page(&page)).into_response(),
        Err(fault) => unavailable(&fault),
    }
}

/// All sessions as CSV. If the store fails on the way, the response breaks off.
pub fn csv(store: Store, filter: Filter) -> Response {
    enum At {
        Head,
        Page(Option<String>),
        End,
    }
    let lines = stream::unfold(At::Head, move |at| {
        let (store, filter) = (store.clone(), filter.clone());
        async move {
            let cursor = match at {
                At::Head => return Some((Ok(Bytes::from_static(listing::CSV_HEAD.as_bytes())), At::Page(None))),
                At::Page(cursor) => cursor,
                At::End => return None,
            };
            match store.sessions(&filter, cursor.as_deref(), CSV_PAGE).await {
                Ok(page) => {
                    let text: String = page.sessions.iter().map(listing::csv).collect();
                    Some((Ok(Bytes::from(text)), page.next.map_or(At::End, |next| At::Page(Some(next)))))
                }
                Err(fault) => Some((Err(fault), At::End)),
            }
        }
    });
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], Body::from_stream(lines)).into_response()
}

async fn counts(State(service): State<Service>) -> Response {
    match service.store.counts().await {
        Ok(counts) => Json(listing::counts(&counts)).into_response(),
        Err(fault) => unavailable(&fault),
    }
}

async fn end(State(service): State<Service>, order: Result<Json<EndOrder>, JsonRejection>) -> Response {
    let order = match order {
        Ok(Json(order)) => order,
        Err(fault) => return problem(fault.status(), &fault.body_text()),
    };
    let which = match order.read() {
        Ok(which) => which,
        Err(fault) => return problem(StatusCode::BAD_REQUEST, &fault),
    };
    match service.store.end(&which).await {
        Ok(ended) => Json(json!({"ended": ended})).into_response(),
        Err(fault) => unavailable(&fault),
    }
}

async fn metrics(State(service): State<Service>) -> Response {
    // Without the store, its gauges are missing and the counters are there.
    let counts = service.store.counts().await.ok();
    let text = service.counters.text(counts.as_ref());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn ready(State(service): State<Service>) -> Response {
    match service.store.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{fault}\n")).into_response(),
    }
}

fn unavailable(fault: &Unavailable) -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, &fault.to_string())
}

/// A problem document (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response {
    let body =
        json!({"type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(), "detail": detail});
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
