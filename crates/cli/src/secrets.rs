//! The places of secrets in the text of a configuration, found by its schema, and other secrets in their places. The rest of
//! the text stays byte for byte.

use std::collections::BTreeMap;
use std::ops::Range;

use playlock_config::document::SecretSource;
use playlock_config::schema::schema;
use serde_json::Value;
use serde_json::value::RawValue;

/// A secret in a document.
pub struct Place {
    /// Its JSON path.
    pub path: String,
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// The secret, or where it is.
    pub source: SecretSource,
}

/// All secrets of a document, in disabled sections, too, in the order of the text.
///
/// # Errors
/// Text that is not JSON.
pub fn find(text: &str) -> Result<Vec<Place>, serde_json::Error> {
    let schema = schema();
    let mut search = Search { text, schema: &schema, found: Vec::new() };
    let root: &RawValue = serde_json::from_str(text)?;
    search.visit(root, &schema, String::new())?;
    search.found.sort_by_key(|place| place.range.start);
    Ok(search.found)
}

/// The text with other values in these places, which are in the order of the text.
pub fn replace(text: &str, values: &[(Range<usize>, String)]) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut end = 0;
    for (range, value) in values {
        replaced.push_str(text.get(end..range.start).unwrap_or_default());
        replaced.push_str(value);
        end = range.end;
    }
    replaced.push_str(text.get(end..).unwrap_or_default());
    replaced
}

struct Search<'a> {
    text: &'a str,
    schema: &'a Value,
    found: Vec<Place>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, value: &'a RawValue, schema: &'a Value, path: String) -> Result<(), serde_json::Error> {
        if let Some(definition) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
            if definition == "Secret" {
                self.add(value, path);
                return Ok(());
            }
            return self.defined(definition).map_or(Ok(()), |schema| self.visit(value, schema, path));
        }
        for one in ["anyOf", "oneOf", "allOf"].iter().filter_map(|word| schema[*word].as_array()).flatten() {
            self.visit(value, one, path.clone())?;
        }
        match value.get().as_bytes().first() {
            Some(b'{') if schema["properties"].is_object() => {
                let properties = &schema["properties"];
                let members: BTreeMap<String, &'a RawValue> = serde_json::from_str(value.get())?;
                for (name, member) in members {
                    let dot = if path.is_empty() { "" } else { "." };
                    // The API's copy of an edited policy, which playlock ignores, is a policy, too.
                    let schema = if name == "unsavedPolicy" { self.defined("Policy") } else { properties.get(&name) };
                    if let Some(schema) = schema {
                        self.visit(member, schema, format!("{path}{dot}{name}"))?;
                    }
                }
            }
            Some(b'[') if schema["items"].is_object() => {
                let items: Vec<&'a RawValue> = serde_json::from_str(value.get())?;
                for (index, item) in items.into_iter().enumerate() {
                    self.visit(item, &schema["items"], format!("{path}[{index}]"))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn defined(&self, name: &str) -> Option<&'a Value> {
        self.schema.get("$defs")?.get(name)
    }

    fn add(&mut self, value: &'a RawValue, path: String) {
        // Values are slices of the text.
        let start = (value.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let range = start..start.saturating_add(value.get().len());
        // `null` and whatever else is no secret stays as it is.
        if let Ok(source) = serde_json::from_str(value.get())
            && self.found.iter().all(|other| other.range != range)
        {
            self.found.push(Place { path, range, source });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_wherever_a_secret_may_be() {
        let text = r#" {"policies": [{"tokenAuth": {"enabled": false, "password" : "p\u0041", "transitionPassword": null,
            "jwt": {"keys": {"keys": [{"kty": "oct", "k": {"env": "K"}}]}}, "cat": {"keys": [{"k": "c"}]}},
            "unsavedPolicy": {"mediaEncryption": {"secret": {"sealed": "s"}, "speke": {"requesters": [{"token": "t"}]}}},
            "description": "password"}]}"#;
        let found = find(text).unwrap();
        let shown: Vec<_> =
            found.iter().map(|place| (place.path.as_str(), text.get(place.range.clone()).unwrap())).collect();
        assert_eq!(
            shown,
            [
                ("policies[0].tokenAuth.password", r#""p\u0041""#),
                ("policies[0].tokenAuth.jwt.keys.keys[0].k", r#"{"env": "K"}"#),
                ("policies[0].tokenAuth.cat.keys[0].k", r#""c""#),
                ("policies[0].unsavedPolicy.mediaEncryption.secret", r#"{"sealed": "s"}"#),
                ("policies[0].unsavedPolicy.mediaEncryption.speke.requesters[0].token", r#""t""#),
            ]
        );
        let values: Vec<_> = found.into_iter().map(|place| (place.range, "1".to_owned())).collect();
        let replaced = replace(text, &values);
        assert!(replaced.starts_with(r#" {"policies": [{"tokenAuth": {"enabled": false, "password" : 1, "tran"#));
        assert!(replaced.ends_with(
            r#""token": 1}]}}},
            "description": "password"}]}"#
        ));
    }
}
