//! The listener of operators: sessions, metrics and health, for a service without a control plane.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::listing::{self, EndOrder, ListQuery};
use crate::service::Service;
use crate::session::Filter;
use crate::store::{Store, Unavailable};

/// Sessions that a CSV file is read by.
const CSV_PAGE: usize = 10_000;

/// Routes for operators. With a token every request but those for health needs it as a bearer token (RFC 6750); without
/// one a request must name the host by its address or as `localhost`, which no other site's page can do.
pub fn router(service: Service, token: Option<Zeroizing<String>>) -> Router {
    let token = Arc::new(token);
    let guard = middleware::from_fn(move |request: Request, next: Next| {
        let token = Arc::clone(&token);
        async move {
            match is_allowed(token.as_ref().as_ref(), request.headers()) {
                Ok(()) => next.run(request).await,
                Err(refusal) => refusal,
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

fn is_allowed(token: Option<&Zeroizing<String>>, headers: &HeaderMap) -> Result<(), Response> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match token {
        Some(token) => {
            let sent = text(header::AUTHORIZATION).strip_prefix("Bearer ").unwrap_or_default();
            match sent.as_bytes().ct_eq(token.as_bytes()).into() {
                true => Ok(()),
                false => {
                    let mut refusal = problem(StatusCode::UNAUTHORIZED, "authorization: no valid bearer token");
                    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
                    Err(refusal)
                }
            }
        }
        None => {
            let host = text(header::HOST);
            let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name);
            let address = name.trim_start_matches('[').trim_end_matches(']');
            match name == "localhost" || address.parse::<std::net::IpAddr>().is_ok() {
                true => Ok(()),
                false => Err(problem(StatusCode::FORBIDDEN, "host: a name; expected an address or localhost")),
            }
        }
    }
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

async fn metrics(State(service): State<Service>) -> Result<Response, Infallible> {
    // Without the store, its gauges are missing and the counters are there.
    let counts = service.store.counts().await.ok();
    let text = service.counters.text(counts.as_ref());
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
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
