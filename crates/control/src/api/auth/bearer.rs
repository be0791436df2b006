//! Bearer tokens (RFC 6750), for people and scripts.

use super::refusals::unauthorized;
use super::user::User;
use crate::api::app::App;
use crate::api::problem::Problem;

/// The user of a token.
///
/// # Errors
/// A 401 if no token is like this, or it has ended.
pub async fn verify(app: &App, token: &str) -> Result<User, Problem> {
    // Longer ones are not hashed.
    let found = if token.len() <= 128 { app.control.token(token).await? } else { None };
    let actor =
        found.ok_or_else(|| unauthorized("Authorization: no such bearer token; expected one that has not ended."))?;
    Ok(User { actor, csrf: None })
}
