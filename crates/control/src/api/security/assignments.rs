//! Operations on assignments.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::{action, may_promote, written};
use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::parameters::Parameters;
use crate::api::problem::Problem;

/// `GET /policies/{policyId}/assignments`.
///
/// # Errors
/// A 404.
pub async fn of_policy(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    Ok(answer(&app.control.policy_assignments(parameters.number("policyId")?).await?))
}

/// `GET /configurations/{domain}/assignments`.
///
/// # Errors
/// A 404.
pub async fn list(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    Ok(answer(&app.control.assignments(parameters.text("domain")).await?))
}

/// `PUT /configurations/{domain}/assignments`: no body in the answer, but its location.
///
/// # Errors
/// A 400 with the faults of the document; a 403 if it asks for promotion, and the user must not; a 404.
pub async fn replace(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    may_promote(&user, &document)?;
    let domain = parameters.text("domain");
    let promoted = app.control.put_assignments(&user.actor, domain, document).await?;
    let mut response = written(promoted).into_response();
    // Of a configuration that was found: letters, digits, dots, hyphens, and perhaps an asterisk.
    if let Ok(location) = HeaderValue::from_str(&format!("/configurations/{domain}/assignments")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `PATCH /configurations/{domain}/assignments`: `{promote, reset}`.
///
/// # Errors
/// A 400 for another document; a 403 without the role: promote to promote, edit for the rest; a 404; a 409 if there is nothing to do.
pub async fn patch(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    let promote = action(&user, &document, &["promote", "reset"])? == "promote";
    Ok(answer(&app.control.act_on_assignments(&user.actor, parameters.text("domain"), promote).await?))
}
