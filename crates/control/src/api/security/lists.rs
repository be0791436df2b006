//! Lists to choose from: regions, Designated Market Areas, countries, configurations.

use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use crate::api::answer::answer;
use crate::api::app::App;
use crate::api::places;
use crate::api::problem::Problem;

/// `GET /regions`.
pub async fn regions() -> Response {
    answer(places::regions())
}

/// `GET /dmas`.
pub async fn dmas(State(app): State<App>) -> Response {
    answer(app.dmas.list())
}

/// `GET /countries`.
pub async fn countries() -> Response {
    answer(places::countries())
}

/// `GET /configurations`.
///
/// # Errors
/// If the database fails.
pub async fn configurations(State(app): State<App>) -> Result<Response, Problem> {
    Ok(answer(&Value::Array(app.control.configurations().await?)))
}
