//! Parameters of queries.

use std::collections::BTreeMap;

use axum::http::uri::Uri;
use playlock_core::bytes::percent;
use playlock_leases::Realm;

use super::problem::Problem;
use crate::network::Network;

/// A parameter of the query.
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// The values it may have.
    pub values: Values,
    /// Whether it must be there.
    pub required: bool,
}

/// Values of a parameter.
pub enum Values {
    /// A network's name.
    Network,
    /// The name of a viewers' realm: a network, or `default` for Envoys without one.
    Realm,
    /// Any text, percent-encoded.
    Text,
    /// A whole number of this range.
    Integer(i64, i64),
}

/// Of `GET /control/v1/refusals`.
pub const REFUSALS: &[Query] = &[
    Query { name: "network", summary: "The network.", values: Values::Network, required: true },
    Query {
        name: "minutes",
        summary: "Minutes back from now; 60 by default.",
        values: Values::Integer(1, 1440),
        required: false,
    },
];

/// Of `GET /control/v1/audit`.
pub const AUDIT: &[Query] = &[
    Query {
        name: "before",
        summary: "Only entries with a smaller number.",
        values: Values::Integer(1, i64::MAX),
        required: false,
    },
    Query {
        name: "limit",
        summary: "Entries at most; 100 by default.",
        values: Values::Integer(1, 1000),
        required: false,
    },
];

/// Of `GET /control/v1/sessions`.
pub const SESSIONS: &[Query] = &[
    optional("realm", "The network of the Envoys; default for Envoys without a network.", Values::Realm),
    optional("viewer", "The viewer's name.", Values::Text),
    optional("policy", "The policy's name.", Values::Text),
    optional("stream", "The stream, or the session's path patterns.", Values::Text),
    optional("cursor", "The next of another page.", Values::Text),
    optional("limit", "Sessions at most; 100 by default.", Values::Integer(1, 1000)),
];

const fn optional(name: &'static str, summary: &'static str, values: Values) -> Query {
    Query { name, summary, values, required: false }
}

/// The parameters of a query that its operation has. Others are ignored, such as Akamai's `accountSwitchKey`.
pub struct QueryParameters(BTreeMap<&'static str, String>);

impl QueryParameters {
    /// Reads the parameters of an operation from a URL.
    ///
    /// # Errors
    /// A 400 if a parameter is missing, occurs twice, or has another value than it may.
    pub fn read(uri: &Uri, known: &'static [Query]) -> Result<Self, Problem> {
        let mut found = BTreeMap::new();
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        for (name, value) in pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))) {
            let Some(parameter) = known.iter().find(|parameter| parameter.name == name) else { continue };
            let valid = match parameter.values {
                Values::Network => Network::of(value).map(|_| value.to_owned()),
                Values::Realm => Realm::parse(value).map(|_| value.to_owned()),
                // As forms encode it, in which a plus is a space.
                Values::Text => percent::decode_str(&value.replace('+', " ")),
                Values::Integer(first, last) => {
                    let valid = value.parse().is_ok_and(|value| (first..=last).contains(&value));
                    valid.then(|| value.to_owned())
                }
            };
            if valid.is_none_or(|value| found.insert(parameter.name, value).is_some()) {
                let expected = match parameter.values {
                    Values::Network => "staging or production".to_owned(),
                    Values::Realm => "default, staging or production".to_owned(),
                    Values::Text => "percent-encoded UTF-8".to_owned(),
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

    /// A text, if it was sent.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// A network, if it was sent.
    pub fn network(&self, name: &str) -> Option<Network> {
        Network::of(self.0.get(name)?)
    }
}
