//! docs/configuration.md is what `playlock schema --markdown` prints, and what it says is so: its examples are good and
//! complete, its defaults and limits are the parser's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{NOW, Scratch, playlock, run};
use playlock_config::schema::schema;
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../../../docs/configuration.md");

/// The examples' secrets.
const SECRETS: [(&str, &str); 12] = [
    ("PLAYLOCK_PASSWORD", "52a152a152a152a152a152a152a152a1"),
    ("PLAYLOCK_PASSWORD_NEXT", "a152a152a152a152a152a152a152a152"),
    ("PLAYLOCK_SECRET", "000102030405060708090a0b0c0d0e0f"),
    ("PLAYLOCK_SECRET_NEXT", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
    ("PLAYLOCK_CAT_KEY", "BO1pH-nFIv2ngFKnNhjNnZV1uWcIdH3fEdbTDFJpXWk"),
    ("PLAYLOCK_PACKAGER", "e1bb6cfc9d3a4f0e8d7b5a2946c0f1d3"),
    ("PLAYLOCK_SPEKE_SECRET", "41d9f3a2b8c7065e9d8c7b6a5f4e3d2c"),
    ("PLAYLOCK_CAT_KEY_NEXT", "q0lLZJ1ysLiLNbnY8sJLvV5i5VgqLsK3mZuvQm1-u7s"),
    ("PLAYLOCK_KEY", "00112233445566778899aabbccddeeff"),
    ("PLAYLOCK_EDGE_KEY", "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
    ("PLAYLOCK_CLAIMS_KEY", "4uFxxV7fhNmrtiah2d1fFg"),
    ("PLAYLOCK_MEDIA_CDN", "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8"),
];

/// The page's block in that language.
fn block(language: &str) -> String {
    let (_, rest) = DOCUMENT.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// The example with every member, without its comments: what the page's `sed` makes of it.
fn everything() -> Value {
    let lines =
        block("jsonc").lines().map(|line| line.split("// ").next().unwrap().to_owned() + "\n").collect::<String>();
    serde_json::from_str(&lines).unwrap()
}

/// Everything that comes of a document: two that say the same are equal.
fn parsed(document: &Value) -> Result<String, String> {
    let env = |name: &str| SECRETS.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    playlock_config::parse(document.to_string().as_bytes(), &env)
        .map(|good| format!("{good:?}"))
        .map_err(|error| error.path)
}

/// A member of the document: where it stands, its schema, and what may have that.
struct Place {
    /// As in `policies[].policyName`.
    path: String,
    pointer: String,
    schema: Value,
    definition: Value,
}

/// The definition that a schema refers to, or itself.
fn resolved(root: &Value, schema: &Value) -> Value {
    let of = if schema["anyOf"][0]["$ref"].is_string() { &schema["anyOf"][0] } else { schema };
    match of["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap().clone(),
        None => schema.clone(),
    }
}

/// The members that a definition has, by name; of an object that takes several forms, those of each.
fn members(definition: &Value) -> BTreeMap<String, Value> {
    let forms = definition["oneOf"].as_array().into_iter().flatten().chain([definition]);
    let members = forms.filter_map(|form| form["properties"].as_object()).flatten();
    members.map(|(name, schema)| (name.clone(), schema.clone())).collect()
}

/// Every member that `value` has, and those in them.
fn places(root: &Value, definition: &Value, value: &Value, path: &str, pointer: &str, found: &mut Vec<Place>) {
    for (name, schema) in members(definition) {
        let Some(value) = value.get(&name) else { continue };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let pointer = format!("{pointer}/{name}");
        let definition = resolved(root, &schema);
        match (value, &definition["items"]) {
            (Value::Array(list), items @ Value::Object(_)) => {
                for (index, value) in list.iter().enumerate() {
                    places(
                        root,
                        &resolved(root, items),
                        value,
                        &format!("{path}[]"),
                        &format!("{pointer}/{index}"),
                        found,
                    );
                }
            }
            _ => places(root, &definition, value, &path, &pointer, found),
        }
        found.push(Place { path, pointer, schema, definition });
    }
}

/// The paths of every member there could be, without those that are read and ignored.
fn known(root: &Value, definition: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, schema) in members(definition) {
        if schema["description"] == "Read and ignored." {
            continue;
        }
        let definition = resolved(root, &schema);
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        if definition["items"].is_object() {
            known(root, &resolved(root, &definition["items"]), &format!("{path}[]"), found);
        } else {
            known(root, &definition, &path, found);
        }
        found.insert(path);
    }
}

fn everywhere() -> Vec<Place> {
    let (root, mut found) = (schema(), Vec::new());
    places(&root, &root, &everything(), "", "", &mut found);
    found
}

/// The example with a member changed, or without it.
fn altered(pointer: &str, value: Option<Value>) -> Value {
    let mut document = everything();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    if name == "holdHeaders" {
        // Key servers for packagers and license servers exclude the default.
        for policy in document["policies"].as_array_mut().unwrap() {
            let Some(encryption) = policy["mediaEncryption"].as_object_mut() else { continue };
            encryption.retain(|member, _| !["speke", "scheme", "licensePath", "hlsMethod"].contains(&member.as_str()));
        }
    }
    let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    document
}

#[test]
fn the_page_is_what_the_schema_says() {
    let made = playlock(&["schema", "--markdown"]);
    assert_eq!(made.status, 0, "{made:?}");
    assert!(
        made.text() == DOCUMENT,
        "docs/configuration.md is out of date: cargo run -p playlock-cli -- schema --markdown > docs/configuration.md"
    );
}

#[test]
fn its_links_lead_somewhere() {
    let titles = DOCUMENT.lines().filter_map(|line| line.strip_prefix("## "));
    let kept = |title: &str| title.chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect::<String>();
    let anchors: Vec<_> = titles.map(|title| kept(title).to_lowercase().replace(' ', "-")).collect();
    assert_eq!(anchors.iter().collect::<BTreeSet<_>>().len(), anchors.len(), "{anchors:?}");
    let links: Vec<_> = DOCUMENT.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 40, "{links:?}");
    for link in links {
        assert!(anchors.iter().any(|anchor| anchor == link), "{link}");
    }
}

#[test]
fn its_examples_are_good_and_have_every_member() {
    let env = SECRETS.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    for (text, warned) in [(block("json"), ""), (everything().to_string(), "geoHeaders")] {
        let file = Scratch::new("example.json", text);
        let ran = run(&["check", "--config", file.path(), "--now", NOW], &[], &env);
        assert_eq!((ran.status, ran.errors.as_str()), (0, ""), "{ran:?}");
        let mut warnings = ran.text().lines().filter_map(|line| line.strip_prefix("warning: "));
        assert!(warnings.all(|warning| !warned.is_empty() && warning.starts_with(warned)), "{ran:?}");
    }
    let (root, mut all) = (schema(), BTreeSet::new());
    known(&root, &root, "", &mut all);
    let shown: BTreeSet<_> = everywhere().into_iter().map(|place| place.path).collect();
    assert!(all.len() > 90, "{all:?}");
    assert_eq!(all, shown);
}

/// A default that is left out, and one that is written, come to the same; something else does not.
#[test]
fn its_defaults_are_the_parsers() {
    let (mut told, mut shown) = (BTreeSet::new(), BTreeSet::new());
    for Place { path, pointer, schema, definition } in everywhere() {
        let Some(default) = schema.get("default") else { continue };
        told.insert(path.clone());
        // The members of one format exclude the default of `formats`; elsewhere it has to show.
        let without = match parsed(&altered(&pointer, None)) {
            Err(_) if path.ends_with(".formats") => continue,
            without => without.unwrap_or_else(|error| panic!("{path}: {error}")),
        };
        // Where other members change the default, its description says so, and it may not even be written.
        let Ok(with) = parsed(&altered(&pointer, Some(default.clone()))) else { continue };
        assert_eq!(without, with, "{path}");
        let words = definition["oneOf"].as_array().into_iter().flatten().map(|word| word["const"].clone());
        let others = words.chain(schema["examples"].as_array().into_iter().flatten().cloned());
        let others =
            others.chain(default.as_bool().map(|it| json!(!it))).chain(default.as_u64().map(|it| json!(it + 1)));
        if others.filter_map(|other| parsed(&altered(&pointer, Some(other))).ok()).any(|other| other != without) {
            shown.insert(path);
        }
    }
    assert!(told.len() > 40, "{told:?}");
    // What verifies tokens does not show itself; `tests/cases/deny-signature.toml` has tokens of each kind.
    assert!(shown.insert("policies[].tokenAuth.algorithms".into()));
    assert_eq!(told, shown);
}

/// In one place at least where the member stands: elsewhere its neighbours may exclude it.
#[test]
fn every_example_of_a_member_is_good() {
    let (mut told, mut good) = (BTreeSet::new(), BTreeSet::new());
    for Place { path, pointer, schema, .. } in everywhere() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            told.insert((path.clone(), example.to_string()));
            if parsed(&altered(&pointer, Some(example.clone()))).is_ok() {
                good.insert((path.clone(), example.to_string()));
            }
        }
    }
    assert!(told.len() > 50, "{told:?}");
    assert_eq!(told, good);
}

/// The limits that the page says in words, at the last value that is good and the first that is not. For those of the
/// schema see `tests/envoy/test_schema.py`.
#[test]
fn its_limits_in_words_are_the_parsers() {
    let auth = "/policies/0/tokenAuth";
    let media = "/policies/0/mediaEncryption";
    for (member, good, bad) in [
        // Ten years.
        (format!("{auth}/sessionTtl"), json!("3660d"), json!("3661d")),
        (format!("{auth}/sessionTtl"), json!("316224000s"), json!("316224001s")),
        (format!("{auth}/accessTokenName"), json!("plkx"), json!("plk")),
        (format!("{auth}/accessTokenName"), json!("hdnt"), json!("hdntl")),
        (format!("{auth}/password"), json!("00ff"), json!("00f")),
        (format!("{media}/secret"), json!("00".repeat(16)), json!("00".repeat(15))),
        (format!("{media}/keyAuthorizer/path"), json!("/a"), json!("a")),
        (format!("{media}/keyAuthorizer/leases/period"), json!("24h"), json!("25h")),
        (format!("{media}/keyAuthorizer/leases/period"), json!("1m"), Value::Null),
        (format!("{media}/keyAuthorizer/leases/grace"), json!("1h"), json!("61m")),
        (format!("{media}/keyAuthorizer/leases/viewer"), json!("payload"), json!("id")),
        (format!("{media}/keyAuthorizer/leases/group"), json!("a;b"), json!("a\nb")),
        (format!("{media}/keyRotation"), json!({"time": "1m"}), Value::Null),
        (format!("{auth}/enforceOnInitialRequest"), json!(true), json!(false)),
        (format!("{media}/streamDepth"), Value::Null, json!(2)),
        (format!("{media}/key"), Value::Null, json!("00".repeat(16))),
        (format!("{media}/keyScope"), json!("session"), json!("sessions")),
        ("/policies/1/tokenAuth/enforceOnContentRequest".into(), json!(false), json!("no")),
        ("/policies/1/mediaEncryption/keyScope".into(), json!("stream"), json!("session")),
        ("/policies/1/mediaEncryption/keyUrl".into(), json!("/{stream}/{period}"), json!("/{stream}")),
        ("/policies/1/mediaEncryption/keyPath".into(), Value::Null, json!("/serve.key")),
        ("/policies/2/mediaEncryption/key".into(), json!("00".repeat(16)), json!("00".repeat(17))),
        ("/policies/2/mediaEncryption/keyScope".into(), Value::Null, json!("stream")),
        ("/policies/2/mediaEncryption/keyRotation".into(), Value::Null, json!({"segments": 1})),
        ("/policies/2/policyName".into(), json!("fixed"), json!("fixed\n")),
        ("/policies/2/policyName".into(), json!("fixed"), json!("live")),
        ("/policies/0/cors/allowOrigins".into(), json!(["https://a.example"]), json!(["*"])),
        ("/policies/0/playerVerification/identifiedBy".into(), json!("header"), json!("token")),
        ("/policies/0/tokenAuth/sessionBinding".into(), json!({"headerForSalt": "x"}), json!({})),
        ("/policies/0/tokenAuth/sessionBinding".into(), json!({"headers": ["x", "y"]}), json!({"headers": []})),
        ("/policies/0/tokenAuth/sessionBinding".into(), json!({"ja4": true}), json!({"ja4": 1})),
        ("/policies/0/mediaEncryption/keyRotation".into(), json!({"time": "1s"}), json!({"time": "1s", "segments": 1})),
        ("/policies/0/contentTargeting/geoProtection/mode".into(), json!("DENY"), Value::Null),
        ("/policies/0/contentTargeting/geoProtection/geoRedirectOnDenyURL".into(), json!("http://a"), json!("a")),
        ("/policies/0/contentTargeting/ipAccess/ips".into(), json!(["::/0"]), json!(["::/129"])),
        ("/assignments/0/endTime".into(), json!("2026-01-02"), json!("2026-01-01")),
        ("/assignments/0/path".into(), json!("/a/b"), json!("/a/../b")),
        ("/geoHeaders/region".into(), json!("x-r"), json!("X-Geo-Country")),
    ] {
        assert!(parsed(&altered(&member, Some(good.clone()))).is_ok(), "{member}: {good}");
        assert!(parsed(&altered(&member, Some(bad.clone()))).is_err(), "{member}: {bad}");
    }
}
