//! Configurations, which the Media Security Policy API only lists, and the versions of their assignments.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::rollback;
use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::parameters::Parameters;
use crate::api::problem::{Kind, Problem};

/// `POST /configurations`.
///
/// # Errors
/// A 400 with the faults of the document; a 409 if a hostname is another configuration's.
pub async fn create(State(app): State<App>, user: User, Document(document): Document) -> Result<Response, Problem> {
    let id = app.control.create_configuration(&user.actor, document).await?;
    Ok((StatusCode::CREATED, answer(&read(&app, id).await?)).into_response())
}

/// `PUT /configurations/{configurationId}`.
///
/// # Errors
/// As [`create`]; a 404.
pub async fn edit(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    let id = parameters.number("configurationId")?;
    app.control.edit_configuration(&user.actor, id, document).await?;
    Ok(answer(&read(&app, id).await?))
}

/// `DELETE /configurations/{configurationId}`.
///
/// # Errors
/// A 404; a 409 while it has assignments.
pub async fn delete(State(app): State<App>, user: User, parameters: Parameters) -> Result<Response, Problem> {
    let id = parameters.number("configurationId")?;
    app.control.delete_configuration(&user.actor, id).await?;
    Ok(answer(&json!({"message": format!("Successfully deleted configuration:{id}")})))
}

/// `GET /configurations/{domain}/versions`.
///
/// # Errors
/// A 404.
pub async fn versions(State(app): State<App>, parameters: Parameters) -> Result<Response, Problem> {
    Ok(answer(&super::versions(&app.control.assignment_versions(parameters.text("domain")).await?)))
}

/// `POST /configurations/{domain}/rollback`: `{version, network}`.
///
/// # Errors
/// A 403 without the role: promote for production, edit for staging; a 404; a 409 if the network has that version.
pub async fn roll_back(
    State(app): State<App>,
    user: User,
    parameters: Parameters,
    Document(document): Document,
) -> Result<Response, Problem> {
    let (version, network) = rollback(&user, &document)?;
    let domain = parameters.text("domain");
    app.control.roll_back_assignments(&user.actor, domain, version, network).await?;
    Ok(answer(&app.control.assignments(domain).await?))
}

async fn read(app: &App, id: i64) -> Result<Value, Problem> {
    let found = app.control.configurations().await?.into_iter();
    let mut found = found.filter(|configuration| configuration.get("configurationId") == Some(&id.into()));
    // Another request may have deleted it meanwhile.
    found.next().ok_or_else(|| Problem::new(Kind::NotFound, format!("configuration {id}: not found")))
}
