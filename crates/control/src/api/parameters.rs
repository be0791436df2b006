//! Parameters of paths and queries: numbers, networks, hostnames.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::uri::Uri;

use super::operations::{self, Values};
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

/// The parameters of a query that its operation has. Others are ignored, such as Akamai's `accountSwitchKey`.
pub struct QueryParameters(BTreeMap<&'static str, String>);

impl QueryParameters {
    /// Reads the query of an operation.
    ///
    /// # Errors
    /// A 400 if a parameter is missing, occurs twice, or has another value than it may.
    pub fn read(uri: &Uri, path: &str) -> Result<Self, Problem> {
        let known = operations::find("GET", path).map_or(&[][..], |operation| operation.query);
        let mut found = BTreeMap::new();
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        for (name, value) in pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else { continue };
            let valid = match parameter.values {
                Values::Network => Network::of(value).is_some(),
                Values::Integer(first, last) => value.parse().is_ok_and(|value| (first..=last).contains(&value)),
            };
            if !valid || found.insert(parameter.name, value.to_owned()).is_some() {
                let expected = match parameter.values {
                    Values::Network => "staging or production".to_owned(),
                    Values::Integer(first, last) => format!("a whole number from {first} to {last}"),
                };
                return Err(Problem::member(name, format!("unusable value, or there twice; expected {expected}")));
            }
        }
        match known.iter().find(|parameter| parameter.required && !found.contains_key(parameter.name)) {
            Some(missing) => Err(Problem::member(missing.name, "missing in the query; expected a value")),
            None => Ok(Self(found)),
        }
    }

    /// A number, if it was sent.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.parse().ok()
    }

    /// A network, if it was sent.
    pub fn network(&self, name: &str) -> Option<Network> {
        Network::of(self.0.get(name)?)
    }
}
