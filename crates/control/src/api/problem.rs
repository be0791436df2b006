//! Problem details (RFC 9457): every answer that is an error.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::{ControlError, Finding};

/// The reasons for which the API refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request or its document is not valid.
    Invalid,
    /// Nobody, or nobody that is known.
    NotAuthorized,
    /// The role is missing, or the token against forged requests.
    Forbidden,
    /// There is no such object or path.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
    /// The object's state does not allow the operation.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body is not JSON by its type.
    UnsupportedMediaType,
    /// Too many failed authentications.
    TooManyRequests,
    /// The server failed.
    Internal,
    /// The server is starting, stopping, or too busy; or a service that it needs does not answer.
    Unavailable,
}

impl Kind {
    /// Status, last part of the type, title.
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid => (StatusCode::BAD_REQUEST, "invalid", "Invalid request"),
            // As Akamai's gateway has it.
            Self::NotAuthorized => (StatusCode::UNAUTHORIZED, "pep-authn/deny", "Not authorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", "Request timeout"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "Conflict"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal server error"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable"),
        }
    }
}

/// An answer that is an error. Boxed: every function returns one.
#[derive(Debug)]
pub struct Problem(Box<Members>);

#[derive(Debug)]
struct Members {
    kind: Kind,
    detail: String,
    findings: Vec<Finding>,
    /// Members beside those of RFC 9457.
    more: Vec<(&'static str, Value)>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    /// Text for the log alone.
    cause: Option<String>,
}

impl Problem {
    /// A problem with a text for people: the value found is wrong, and what would be right.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Members {
            kind,
            detail: detail.into(),
            findings: Vec::new(),
            more: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// A fault in the request's document.
    pub fn member(member: impl Into<String>, detail: impl Into<String>) -> Self {
        ControlError::Invalid(vec![Finding { member: member.into(), detail: detail.into() }]).into()
    }

    /// Whether credentials were refused.
    pub fn is_failed_authentication(&self) -> bool {
        self.0.kind == Kind::NotAuthorized
    }

    /// With a header.
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// With a member beside those of RFC 9457.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.more.push((name, value.into()));
        self
    }

    /// With a text for the log alone.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }
}

/// The access log's fields of a problem, kept beside the response.
#[derive(Debug, Clone)]
pub struct Incident {
    /// The problem's unique id.
    pub instance: String,
    /// The text for the log alone, or the detail.
    pub cause: String,
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound(object) => Self::new(Kind::NotFound, format!("{object}: not found")),
            ControlError::Conflict(reason) => Self::new(Kind::Conflict, reason),
            ControlError::Waiting(nodes) => {
                Self::new(Kind::Conflict, ControlError::Waiting(nodes.clone()).to_string()).with("waitingFor", nodes)
            }
            ControlError::Invalid(findings) => {
                let mut problem = Self::new(Kind::Invalid, ControlError::Invalid(findings.clone()).to_string());
                problem.0.findings = findings;
                problem
            }
            busy @ ControlError::Busy => {
                let seconds = HeaderValue::from_static("1");
                Self::new(Kind::Unavailable, busy.to_string()).with_header(header::RETRY_AFTER, seconds)
            }
            ControlError::Broken(cause) | ControlError::Storage(cause) => {
                Self::new(Kind::Internal, "The operation failed; the server's log has the reason under this instance.")
                    .because(cause)
            }
            ControlError::Unavailable(cause) => Self::new(
                Kind::Unavailable,
                "A service that the operation needs did not answer; the server's log has the reason under this instance.",
            )
            .because(cause),
        }
    }
}

/// A new unique id.
fn instance() -> String {
    let mut random = [0; 16];
    match getrandom::fill(&mut random) {
        Ok(()) => format!("urn:uuid:{}", playlock_edgegrid::new_nonce(random)),
        // An id is a help, not a promise.
        Err(_) => "about:blank".into(),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Members { kind, detail, findings, more, headers, cause } = *self.0;
        let (status, word, title) = kind.parts();
        let kind = format!("https://problems.playlock.invalid/{word}");
        let instance = instance();
        let error = |finding: &Finding| json!({"type": kind, "title": title, "detail": finding.detail, "member": finding.member});
        let errors: Vec<Value> = findings.iter().map(error).collect();
        let mut body = json!({
            "type": kind, "title": title, "status": status.as_u16(), "detail": detail, "instance": instance,
            "errors": errors,
        });
        if let Some(members) = body.as_object_mut() {
            members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        let mut response = (status, body.to_string()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        response.extensions_mut().insert(Incident { instance, cause: cause.unwrap_or(detail) });
        response
    }
}
