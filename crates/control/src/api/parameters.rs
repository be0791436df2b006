//! Parameters of paths: numbers, networks, hostnames.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::problem::{Kind, Problem};
use crate::network::Network;

/// The parameters of a path, by name.
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = RawPathParams::from_request_parts(parts, state).await;
        let found = found.map_err(|_| Problem::new(Kind::NotFound, "The path is not valid; expected UTF-8."))?;
        Ok(Self(found.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}

impl Parameters {
    /// The text of a parameter.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// A number from 1, written as numbers are.
    ///
    /// # Errors
    /// A 404: nothing has another number.
    pub fn number(&self, name: &str) -> Result<i64, Problem> {
        let text = self.text(name);
        let number = text.parse::<i64>().ok().filter(|number| *number >= 1 && number.to_string() == text);
        number.ok_or_else(|| Problem::new(Kind::NotFound, format!("{name}: not a number from 1.")))
    }

    /// A network.
    ///
    /// # Errors
    /// A 404: there are two.
    pub fn network(&self) -> Result<Network, Problem> {
        Network::of(self.text("network"))
            .ok_or_else(|| Problem::new(Kind::NotFound, "network: unknown; expected staging or production."))
    }
}
