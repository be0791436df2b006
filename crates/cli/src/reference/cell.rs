//! The cells of a member's row.

use serde_json::Value;

use super::{VALUES, anchor, is_object, list, target};

/// A schema's description, as one line.
pub fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ")
}

/// The patterns of a value type as a string.
pub fn patterns(definition: &Value) -> String {
    let patterns =
        list(definition, "anyOf").iter().chain([definition]).filter_map(|form| form.get("pattern")?.as_str());
    patterns.map(|pattern| format!("\n\nAs a string it matches `{pattern}`.")).collect()
}

/// The type and limits of a member; `below` is the anchor of the section about its object.
pub fn kind(root: &Value, schema: &Value, below: &str) -> String {
    let is_list = schema.get("items").is_some();
    let one = schema.get("items").unwrap_or(schema);
    let named = target(root, schema);
    let mut text = match named {
        Some((_, definition)) if is_object(definition) => {
            format!("[{}](#{below})", if is_list { "objects" } else { "object" })
        }
        Some((_, definition)) if !words(definition).is_empty() => {
            let words: Vec<_> = words(definition).iter().map(|(word, _)| format!("`\"{word}\"`")).collect();
            words.join(", ")
        }
        Some((name, _)) => value(name),
        None => scalar(one).to_owned(),
    };
    if is_list {
        text = format!("list of {text}{}", if named.is_none() { "s" } else { "" });
    }
    let mut limits = limits(schema);
    if is_list {
        limits.extend(self::limits(one).into_iter().map(|limit| format!("each {limit}")));
    }
    // The pattern beside a reference narrows what has words for it.
    limits.retain(|limit| named.is_none() || !limit.contains("matches"));
    limits.into_iter().fold(text, |text, limit| format!("{text}, {limit}"))
}

/// The description of a member (or of the form of the object that it selects), the meanings of its values, and an
/// example.
pub fn meaning(root: &Value, schema: &Value, form: &Value) -> String {
    let described = [schema, form].map(description).into_iter().find(|text| !text.is_empty());
    let words = target(root, schema).map(|(_, definition)| words(definition)).unwrap_or_default();
    let words = words.into_iter().map(|(word, meaning)| format!("`\"{word}\"`: {meaning}"));
    let example = list(schema, "examples").first().map(|example| format!("Example: `{example}`"));
    described.into_iter().chain(words).chain(example).collect::<Vec<_>>().join("<br>")
}

/// The values of an enumeration, with their meanings.
fn words(definition: &Value) -> Vec<(&str, String)> {
    let forms = list(definition, "oneOf");
    forms.iter().filter_map(|form| Some((form.get("const")?.as_str()?, description(form)))).collect()
}

/// The noun for a value type, linked to its section.
fn value(name: &str) -> String {
    let (name, or) = if name == "TimeOrAny" { ("Time", " or `\"*\"`") } else { (name, "") };
    let found = VALUES.iter().find(|(definition, ..)| *definition == name);
    found.map(|(_, kind, title)| format!("[{kind}](#{}){or}", anchor(title))).unwrap_or_default()
}

fn scalar(schema: &Value) -> &str {
    let kind = schema.get("type");
    kind.and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str())).unwrap_or("anything")
}

/// The limits of a value that JSON Schema has words for.
fn limits(schema: &Value) -> Vec<String> {
    let number = |name: &str| schema.get(name).and_then(Value::as_u64);
    let mut limits = Vec::new();
    for (least, most, unit) in
        [("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " entries")]
    {
        match (number(least), number(most)) {
            (Some(least), Some(most)) => limits.push(format!("{least} to {most}{unit}")),
            (Some(least), None) => limits.push(format!("at least {least}{unit}")),
            (None, Some(most)) => limits.push(format!("at most {most}{unit}")),
            (None, None) => {}
        }
    }
    limits.extend(schema.get("pattern").and_then(Value::as_str).map(|pattern| format!("matches `{pattern}`")));
    limits
}
