//! The verdict of a network on a request.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value};

use super::{members, network, optional_text, text};
use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::body::Document;
use crate::api::problem::{Kind, Problem};
use crate::control::Purpose;
use crate::options::WhyRequest;

/// `POST /why`: `{network, url, method?, headers?, address?, time?}`.
///
/// # Errors
/// A 400 for another document, or a URL that no viewer can request.
pub async fn explain(State(app): State<App>, Document(document): Document) -> Result<Response, Problem> {
    let members = members(&document, &["network", "url", "method", "headers", "address", "time"])?;
    let network = network(members)?;
    let request = WhyRequest {
        url: text(members, "url")?.to_owned(),
        method: optional_text(members, "method")?.map(str::to_owned),
        headers: headers(members)?,
        address: optional_text(members, "address")?.map(str::to_owned),
        time: match members.get("time") {
            Some(Value::Number(seconds)) => Some(seconds.to_string()),
            _ => optional_text(members, "time")?.map(str::to_owned),
        },
    };
    let why = app.why.ok_or_else(|| Problem::new(Kind::Unavailable, "This server explains no requests."))?;
    let candidate = app.control.candidate(network).await?;
    // Compiles the whole document.
    let explained = app.control.compile(Purpose::Check, move || why(&candidate.document, &request)).await?;
    explained.map(|steps| answer(&steps)).map_err(|reason| Problem::member("$", reason))
}

fn headers(members: &Map<String, Value>) -> Result<Vec<(String, String)>, Problem> {
    let wrong = |name: &str| Problem::member(name, "not a header; expected a string for each name");
    let Some(value) = members.get("headers").filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let headers = value.as_object().ok_or_else(|| wrong("headers"))?.iter().map(|(name, value)| {
        let value = value.as_str().ok_or_else(|| wrong(&format!("headers.{name:.64}")))?;
        Ok((name.clone(), value.to_owned()))
    });
    headers.collect()
}
