//! The Media Security Policy API: its 14 operations, answered as Akamai documents them.

pub mod assignments;
pub mod lists;
pub mod policies;

use axum::http::StatusCode;
use serde_json::Value;

use super::auth::user::User;
use super::problem::Problem;
use crate::network::Network;

/// The one action that a PATCH document asks for, of those that it may, and that the user may take: promote needs the
/// role promote, all others edit.
///
/// # Errors
/// A 400 for another document; a 403.
pub fn action<'a>(user: &User, document: &Value, actions: &[&'a str]) -> Result<&'a str, Problem> {
    let action = one_action(document, actions)?;
    user.may_change(if action == "promote" { Network::Production } else { Network::Staging })?;
    Ok(action)
}

/// The one member that is true.
fn one_action<'a>(document: &Value, actions: &[&'a str]) -> Result<&'a str, Problem> {
    let expected = || format!("expected an object with exactly one of {} true", actions.join(", "));
    let members = document.as_object().ok_or_else(|| Problem::member("$", format!("not an object; {}", expected())))?;
    let mut asked = None;
    for (name, value) in members {
        let Some(action) = actions.iter().find(|action| *action == name) else {
            return Err(Problem::member(format!("{name:.64}"), format!("unknown member; {}", expected())));
        };
        match value {
            Value::Bool(false) => {}
            Value::Bool(true) if asked.is_none() => asked = Some(*action),
            Value::Bool(true) => return Err(Problem::member(name, format!("a second action; {}", expected()))),
            _ => return Err(Problem::member(name, format!("not a boolean; {}", expected()))),
        }
    }
    asked.ok_or_else(|| Problem::member("$", format!("no action; {}", expected())))
}

/// Refuses a document that asks for promotion from users who must not. Other values than booleans are the reader's to
/// refuse.
///
/// # Errors
/// A 403.
pub fn may_promote(user: &User, document: &Value) -> Result<(), Problem> {
    match document.get("promote") {
        None | Some(Value::Bool(false)) => Ok(()),
        Some(_) => user.may_change(Network::Production),
    }
}

/// The status of an answer to a document that has been stored.
pub fn written(promoted: bool) -> StatusCode {
    if promoted { StatusCode::ACCEPTED } else { StatusCode::CREATED }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_names_one_action() {
        let actions = ["promote", "reset"];
        assert_eq!(one_action(&json!({"promote": true, "reset": false}), &actions).unwrap(), "promote");
        assert_eq!(one_action(&json!({"reset": true}), &actions).unwrap(), "reset");
        for document in [
            json!({}),
            json!([]),
            json!(null),
            json!({"promote": false}),
            json!({"promote": "true"}),
            json!({"promote": true, "reset": true}),
            json!({"promote": true, "markForDelete": false}),
        ] {
            assert!(one_action(&document, &actions).is_err(), "{document}");
        }
    }
}
