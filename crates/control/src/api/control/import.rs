//! Import of a configuration document.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use crate::actor::Role;
use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::auth::user::User;
use crate::api::body::Document;
use crate::api::problem::Problem;

/// `POST /import`: a whole `policies.json`, onto both networks.
///
/// # Errors
/// A 400 with the faults of the document; a 403 without the roles edit and promote; a 409 if a name is taken.
pub async fn import(State(app): State<App>, user: User, Document(document): Document) -> Result<Response, Problem> {
    user.need(Role::Edit)?;
    let imported = app.control.import(&user.actor, document).await?;
    Ok(answer(&json!({
        "policies": imported.policies, "configurations": imported.configurations, "settings": imported.settings,
    })))
}
