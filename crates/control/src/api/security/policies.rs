//! Operations on policies.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{action, may_promote, written};
use crate::api::answer::{answer, shown};
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::parameters::Parameters;
use crate::api::problem::Problem;
use crate::control::{PolicyAction, Written};

/// `GET /policies`.
///
/// # Errors
/// If the database fails.
pub async fn list(State(app): State<App>, user: User) -> Result<Response, Problem> {
    Ok(shown(&user, &Value::Array(app.control.policies().await?)))
}

/// `GET /policies/{policyId}`.
///
/// # Errors
/// A 404.
pub async fn read(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    Ok(shown(&user, &app.control.policy(parameters.number("policyId")?).await?))
}

/// `POST /policies`.
///
/// # Errors
/// A 400 with the faults of the document; a 403 if it asks for promotion, and the user must not.
pub async fn create(State(app): State<App>, user: User, Document(document): Document) -> Result<Response, Problem> {
    may_promote(&user, &document)?;
    Ok(message("created", app.control.create_policy(&user.actor, document).await?))
}

/// `PUT /policies/{policyId}`.
///
/// # Errors
/// As [`create`]; a 404; a 409 while the policy is marked for deletion.
pub async fn edit(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    may_promote(&user, &document)?;
    Ok(message("edited", app.control.edit_policy(&user.actor, parameters.number("policyId")?, document).await?))
}

/// `PATCH /policies/{policyId}`: `{promote, reset, markForDelete}`.
///
/// # Errors
/// A 400 for another document; a 403 without the role: promote to promote, edit for the rest; a 404; a 409 if there is nothing to do.
pub async fn patch(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    let id = parameters.number("policyId")?;
    let (action, done) = match action(&user, &document, &["promote", "reset", "markForDelete"])? {
        "promote" => (PolicyAction::Promote, "Successfully promoted security policy"),
        "reset" => (PolicyAction::Reset, "Successfully restored security policy"),
        _ => (PolicyAction::MarkForDelete, "Successfully marked security policy"),
    };
    app.control.act_on_policy(&user.actor, id, action).await?;
    let suffix = if action == PolicyAction::MarkForDelete { " for deletion" } else { "" };
    Ok(answer(&json!({"message": format!("{done}:{id}{suffix}")})))
}

/// `DELETE /policies/{policyId}`.
///
/// # Errors
/// A 404; a 409 unless it was marked, or while it is assigned.
pub async fn delete(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    let id = parameters.number("policyId")?;
    app.control.delete_policy(&user.actor, id).await?;
    // With the documentation's capital.
    Ok(answer(&json!({"message": format!("Successfully deleted Security policy:{id}")})))
}

fn message(done: &str, policy: Written) -> Response {
    let promoted = if policy.promoted { " and promoted" } else { "" };
    let text = format!("Successfully {done}{promoted} security policy:{}", policy.id);
    (written(policy.promoted), answer(&json!({"message": text}))).into_response()
}
