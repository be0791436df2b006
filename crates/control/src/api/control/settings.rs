//! Settings: the members of a network's document beside policies and assignments.

use axum::extract::State;
use axum::response::Response;

use crate::api::answer::shown;
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::problem::Problem;
use crate::api::security::action;

/// `GET /settings`.
///
/// # Errors
/// If the database fails.
pub async fn read(State(app): State<App>, user: User) -> Result<Response, Problem> {
    Ok(shown(&user, &app.control.settings().await?))
}

/// `PUT /settings`: those of staging.
///
/// # Errors
/// A 400 with the faults of the document.
pub async fn replace(State(app): State<App>, user: User, Document(document): Document) -> Result<Response, Problem> {
    app.control.put_settings(&user.actor, document).await?;
    read(State(app), user).await
}

/// `PATCH /settings`: `{promote, reset}`.
///
/// # Errors
/// A 400 for another document; a 403 without the role: promote to promote, edit for the rest; a 409 if there is nothing to do.
pub async fn patch(State(app): State<App>, user: User, Document(document): Document) -> Result<Response, Problem> {
    let promote = action(&user, &document, &["promote", "reset"])? == "promote";
    app.control.act_on_settings(&user.actor, promote).await?;
    read(State(app), user).await
}
