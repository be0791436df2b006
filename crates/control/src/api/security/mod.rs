//! The Media Security Policy API: its 14 operations, answered as Akamai documents them.

pub mod assignments;
pub mod lists;
pub mod policies;

use serde_json::Value;

use super::problem::Problem;

/// The one action that a PATCH document asks for, of those that it may: exactly one member is true.
///
/// # Errors
/// A 400 for another document.
pub fn action<'a>(document: &Value, actions: &[&'a str]) -> Result<&'a str, Problem> {
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

/// Whether a document asks for promotion. Other values than booleans are the reader's to refuse.
pub fn promotes(document: &Value) -> bool {
    document.get("promote").is_some_and(|promote| *promote != Value::Bool(false))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_names_one_action() {
        let actions = ["promote", "reset"];
        assert_eq!(action(&json!({"promote": true, "reset": false}), &actions).unwrap(), "promote");
        assert_eq!(action(&json!({"reset": true}), &actions).unwrap(), "reset");
        for document in [
            json!({}),
            json!([]),
            json!(null),
            json!({"promote": false}),
            json!({"promote": "true"}),
            json!({"promote": true, "reset": true}),
            json!({"promote": true, "markForDelete": false}),
        ] {
            assert!(action(&document, &actions).is_err(), "{document}");
        }
    }
}
