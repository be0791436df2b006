//! playlock's own operations, under `/control/v1`.

pub mod access;
pub mod configurations;
pub mod exchange;
pub mod import;
pub mod insight;
pub mod policies;
pub mod sessions;
pub mod settings;
pub mod why;

use serde_json::{Map, Value, json};

use super::auth::user::User;
use super::problem::Problem;
use crate::control::Version;
use crate::network::Network;

/// The members of a document, all of them known.
///
/// # Errors
/// A 400 for anything but an object, and for other members.
fn members<'a>(document: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, Problem> {
    let expected = || format!("expected an object with {}", known.join(", "));
    let members = document.as_object().ok_or_else(|| Problem::member("$", format!("not an object; {}", expected())))?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(Problem::member(format!("{unknown:.64}"), format!("unknown member; {}", expected()))),
        None => Ok(members),
    }
}

/// A member that must be a string.
fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    let text = members.get(name).and_then(Value::as_str);
    text.ok_or_else(|| Problem::member(name, "missing, or not a string; expected a string"))
}

/// A member that is a string if it is there.
fn optional_text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => text(members, name).map(Some),
    }
}

/// The member `network`.
fn network(members: &Map<String, Value>) -> Result<Network, Problem> {
    let network = text(members, "network").ok().and_then(Network::of);
    network.ok_or_else(|| Problem::member("network", "unknown network; expected staging or production"))
}

/// The document of a roll-back: a version, and the network that gets it, which the user may change.
fn rollback(user: &User, document: &Value) -> Result<(i64, Network), Problem> {
    let members = members(document, &["version", "network"])?;
    let version = members.get("version").and_then(Value::as_i64).filter(|version| *version >= 1);
    let version = version.ok_or_else(|| Problem::member("version", "not a version; expected a number from 1"))?;
    let network = network(members)?;
    user.may_change(network)?;
    Ok((version, network))
}

fn versions(versions: &[Version]) -> Value {
    let entry = |version: &Version| {
        json!({
            "version": version.version, "created": version.created, "actor": version.actor,
            "staging": version.staging, "production": version.production,
        })
    };
    versions.iter().map(entry).collect()
}
