//! Versions of policies, and what a change of a policy reaches.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::rollback;
use crate::api::answer::{answer, shown};
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::parameters::Parameters;
use crate::api::problem::Problem;

/// `GET /policies/{policyId}/versions`.
///
/// # Errors
/// A 404.
pub async fn list(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    Ok(answer(&super::versions(&app.control.policy_versions(parameters.number("policyId")?).await?)))
}

/// `GET /policies/{policyId}/versions/{version}`.
///
/// # Errors
/// A 404.
pub async fn read(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    let (id, version) = (parameters.number("policyId")?, parameters.number("version")?);
    Ok(shown(&user, &app.control.policy_version(id, version).await?))
}

/// `POST /policies/{policyId}/rollback`: `{version, network}`.
///
/// # Errors
/// A 403 without the role: promote for production, edit for staging; a 404; a 409 if the network has that version.
pub async fn roll_back(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    let id = parameters.number("policyId")?;
    let (version, network) = rollback(&user, &document)?;
    app.control.roll_back_policy(&user.actor, id, version, network).await?;
    Ok(answer(&json!({"message": format!("Successfully rolled back security policy:{id}")})))
}

/// `GET /policies/{policyId}/impact`.
///
/// # Errors
/// A 404.
pub async fn impact(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    Ok(answer(&app.control.impact(parameters.number("policyId")?).await?))
}
