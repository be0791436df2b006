//! The authenticated user of a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::refusals::{NO_CREDENTIALS, missing, unauthorized};
use crate::actor::{Actor, Role};
use crate::api::problem::Problem;
use crate::network::Network;

/// The authenticated user of a request.
#[derive(Debug, Clone)]
pub struct User {
    /// The name and roles.
    pub actor: Actor,
    /// The value of `x-csrf-token`, under a session of the page.
    pub csrf: Option<String>,
}

impl User {
    /// Refuses users without a role.
    ///
    /// # Errors
    /// A 403 that names the role.
    pub fn need(&self, role: Role) -> Result<(), Problem> {
        if self.actor.has(role) { Ok(()) } else { Err(missing(&[role])) }
    }

    /// Refuses users who must not change this network: they need edit for staging, promote for production.
    ///
    /// # Errors
    /// As [`User::need`].
    pub fn may_change(&self, network: Network) -> Result<(), Problem> {
        self.need(match network {
            Network::Staging => Role::Edit,
            Network::Production => Role::Promote,
        })
    }

    /// Whether the user may see secrets.
    pub fn sees_secrets(&self) -> bool {
        self.actor.has(Role::Secrets)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Only a route outside of the middleware has none.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| unauthorized(NO_CREDENTIALS))
    }
}

/// The name of the user, kept beside the response for the access log.
#[derive(Debug, Clone)]
pub struct Known(pub String);
