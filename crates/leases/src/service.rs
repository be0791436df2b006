//! The service: an HTTP request of the filter becomes a question, and the answer a response.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;

use crate::answer::Answer;
use crate::counters::{Counters, Outcome};
use crate::question::{Malformed, Question, Realm};
use crate::store::Store;

/// The service. Clones share its store and counters.
#[derive(Debug, Clone)]
pub struct Service {
    /// The leases.
    pub store: Store,
    /// The counters of answers.
    pub counters: Arc<Counters>,
    /// Gets a line for the log about a question without an answer.
    pub report: fn(&Trouble),
}

/// Why a question got no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The question cannot be read. The first of a second is reported.
    Malformed(Malformed),
    /// The store did not answer. The first of a second is reported.
    Unavailable(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(fault) => fault.fmt(f),
            Self::Unavailable(cause) => f.write_str(cause),
        }
    }
}

impl Service {
    /// A service on this store.
    pub fn new(store: Store, report: fn(&Trouble)) -> Self {
        Self { store, counters: Arc::default(), report }
    }

    /// Answers a request of an Envoy of `realm`: 204 to grant the key, else a problem document (RFC 9457) with the status
    /// of [`Answer::status`], 400 for a question that cannot be read, or 503 without an answer of the store.
    ///
    /// # Errors
    /// None.
    pub async fn answer<B>(&self, realm: Realm, request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
        if request.method() != Method::GET {
            let mut refused = problem(StatusCode::METHOD_NOT_ALLOWED, "method", "Questions are GET requests", None);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return Ok(refused);
        }
        let question = match Question::read(realm, request.headers()) {
            Ok(question) => question,
            Err(fault) => {
                self.trouble(Outcome::Malformed, Trouble::Malformed(fault));
                let detail = fault.to_string();
                return Ok(problem(StatusCode::BAD_REQUEST, "malformed", "The question cannot be read", Some(&detail)));
            }
        };
        Ok(match self.store.ask(&question).await {
            Ok(answer) => {
                self.counters.count(Outcome::Answered(answer));
                response(answer)
            }
            Err(unavailable) => {
                self.trouble(Outcome::Unavailable, Trouble::Unavailable(unavailable.to_string()));
                problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The store of leases did not answer", None)
            }
        })
    }

    fn trouble(&self, outcome: Outcome, trouble: Trouble) {
        if self.counters.count(outcome) {
            (self.report)(&trouble);
        }
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if answer != Answer::Granted {
        return problem(status, answer.word(), answer.title(), None);
    }
    let mut granted = Response::new(Full::default());
    *granted.status_mut() = status;
    granted
}

/// A problem document. `detail` is made of constants, so that it needs no escapes.
fn problem(status: StatusCode, kind: &str, title: &str, detail: Option<&str>) -> Response<Full<Bytes>> {
    let detail = detail.map(|detail| format!(",\"detail\":\"{detail}\"")).unwrap_or_default();
    let body = format!("{{\"type\":\"{kind}\",\"title\":\"{title}\",\"status\":{}{detail}}}\n", status.as_u16());
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
