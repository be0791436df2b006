//! A case file: TOML in the format of `tests/cases/README.md`, with its configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One file of `tests/cases/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The behaviour that the case shows, in a sentence.
    pub about: String,
    /// A file of `tests/cases/config/`.
    #[serde(default = "vod")]
    pub config: String,
    /// JSON pointers into the configuration, with new values.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// JSON pointers of members that are removed from the configuration.
    #[serde(default)]
    pub unset: Vec<String>,
    /// Environment variables, in addition to the default ones or instead of them; an empty one is unset.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The time of every step without one of its own, in Unix seconds.
    #[serde(default = "now")]
    pub now: u64,
    /// The configuration must be rejected, and the log must contain all of these.
    #[serde(default)]
    pub refused: Vec<String>,
    /// The configuration must be accepted, and the log must contain all of these.
    #[serde(default)]
    pub warned: Vec<String>,
    /// Run it with held headers alone: `holdHeaders` is a condition of what the case is about.
    #[serde(default)]
    pub held: bool,
    /// Further nodes by name, with their differences from the first.
    #[serde(default)]
    pub node: BTreeMap<String, Differs>,
    /// Requests in order.
    #[serde(default)]
    pub step: Vec<Step>,
}

/// The differences of a node from the first one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Differs {
    /// As in the case, after it.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// As in the case, after it.
    #[serde(default)]
    pub unset: Vec<String>,
    /// As in the case, after it.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// One request, the origin's response and the expected result.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A short description of the step.
    #[serde(default)]
    pub about: String,
    /// Method and target.
    pub send: String,
    /// The request's headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// The client's address.
    pub client: Option<String>,
    /// The policy that the route's metadata names.
    pub route_policy: Option<String>,
    /// The policy that the metadata of the route names which the proxy chooses once the filter has changed the path; the
    /// same if absent.
    pub rerouted_policy: Option<String>,
    /// The JA4 fingerprint of the TLS client.
    pub ja4: Option<String>,
    /// The protocol of the request, as Envoy names it; HTTP/1.1 by default.
    pub protocol: Option<String>,
    /// Texts in the dynamic metadata of `jwt_authn`, by the names that lead to them, joined with dots.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// The request does not end with its headers.
    #[serde(default)]
    pub has_body: bool,
    /// The request's body; `has_body` is implied.
    pub body: Option<String>,
    /// The request's body as this many bytes.
    pub body_bytes: Option<usize>,
    /// Trailers follow the request's body.
    #[serde(default)]
    pub body_trailers: bool,
    /// Unix seconds, or relative to the case's.
    pub at: Option<At>,
    /// The node it goes to.
    pub node: Option<String>,
    /// The origin's response. The origin must receive the request if there is one, and must not if there is none.
    pub origin: Option<Origin>,
    /// Clusters other than the origin's, by name: a status, `refused`, `timeout` or `empty`. They must receive a request.
    #[serde(default)]
    pub clusters: BTreeMap<String, String>,
    /// The expected result.
    pub expect: Expect,
    /// Expectations with held headers, instead of the same ones in `expect`.
    #[serde(default)]
    pub held: Option<Expect>,
    /// Values for later steps' placeholders.
    #[serde(default)]
    pub capture: BTreeMap<String, Capture>,
}

/// One value or several of the same name.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

impl Values {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// A time.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum At {
    /// Unix seconds.
    Seconds(u64),
    /// `+60` or `-60` from the case's now.
    Relative(String),
}

/// The origin's answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The status; 200 by default.
    pub status: Option<u16>,
    /// Headers; `content-length` is added.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// The body as text.
    pub body: Option<String>,
    /// The body as a file of `tests/cases/`.
    pub file: Option<String>,
    /// The body as this many pseudo-random bytes.
    pub bytes: Option<usize>,
    /// Trailers follow the body.
    pub trailers: Option<BTreeMap<String, String>>,
    /// Leave `content-length` out.
    #[serde(default)]
    pub no_length: bool,
    /// Reset the stream after half of the body.
    #[serde(default)]
    pub abort: bool,
}

/// The expected result of a step. Only named members are checked, and always the outcome.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The client's status.
    pub status: Option<u16>,
    /// The outcome; `complete` by default. Alternatives that depend on the chunks are joined by `|`.
    pub outcome: Option<String>,
    /// Exact values of response headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// Substrings of response headers.
    #[serde(default)]
    pub header_has: BTreeMap<String, Values>,
    /// Response headers that must be absent.
    #[serde(default)]
    pub header_absent: Vec<String>,
    /// The exact body.
    pub body: Option<String>,
    /// Substrings of the body.
    #[serde(default)]
    pub body_has: Vec<String>,
    /// Substrings that the body must not contain.
    #[serde(default)]
    pub body_lacks: Vec<String>,
    /// The body's length.
    pub body_bytes: Option<usize>,
    /// The body is exactly the origin's.
    pub body_is_origins: Option<bool>,
    /// The reason code in the problem document and in filter state.
    pub reason: Option<String>,
    /// The kind of request in filter state.
    pub kind: Option<String>,
    /// The policy in filter state.
    pub policy: Option<String>,
    /// The request target that the origin received.
    pub origin_target: Option<String>,
    /// Request headers that the origin received.
    #[serde(default)]
    pub origin_headers: BTreeMap<String, Values>,
    /// Request headers that the origin must not receive.
    #[serde(default)]
    pub origin_header_absent: Vec<String>,
    /// Request headers that the cluster received.
    #[serde(default)]
    pub asked_headers: BTreeMap<String, Values>,
    /// Request headers that the cluster must not receive.
    #[serde(default)]
    pub asked_header_absent: Vec<String>,
    /// The timeout of the request to the cluster, in milliseconds.
    pub asked_for: Option<u32>,
    /// The body decrypts to the origin's.
    pub decrypts_to_origin: Option<Key>,
    /// Texts that must be equal to each other, after expansion and with this step's captures.
    #[serde(default)]
    pub same: Vec<[String; 2]>,
    /// Texts that must differ from each other.
    #[serde(default)]
    pub differ: Vec<[String; 2]>,
    /// Counters after this step.
    #[serde(default)]
    pub counters: BTreeMap<String, u64>,
}

/// Key and IV in hex.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// 32 hex digits.
    pub key: String,
    /// 32 hex digits.
    pub iv: String,
}

/// The source of a captured value.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Capture {
    /// A regular expression over the body, its one group; `@hex` takes the whole body in hex.
    Body(String),
    /// The same over a header's values.
    Header {
        /// The header's name.
        header: String,
        /// The expression.
        find: String,
    },
}

fn vod() -> String {
    "vod.json".to_owned()
}

fn now() -> u64 {
    1_700_000_000
}

/// The folder of the case files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases")
}

/// Every case by its file's name without the ending, in order.
pub fn all() -> Result<Vec<(String, Case)>, String> {
    let mut files = Vec::new();
    let list = std::fs::read_dir(folder()).map_err(|error| format!("tests/cases: {error}"))?;
    for entry in list {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    files.iter().map(|path| load(path)).collect()
}

fn load(path: &Path) -> Result<(String, Case), String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let case = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, case))
}

impl Case {
    /// The environment of a node.
    pub fn env(&self, node: Option<&Differs>) -> BTreeMap<String, String> {
        let usual = [
            ("PLAYLOCK_PASSWORD", "52a152a152a152a152a152a152a152a1"),
            ("PLAYLOCK_SECRET", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
            ("PLAYLOCK_SECRET_OLD", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
        ];
        let mut env: BTreeMap<String, String> =
            usual.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        env.extend(self.env.clone());
        env.extend(node.map(|differs| differs.env.clone()).unwrap_or_default());
        env.retain(|_, value| !value.is_empty());
        env
    }

    /// The configuration of a node. The harness runs each case with and without held headers, so it sets that member.
    pub fn configuration(&self, node: Option<&Differs>, hold: bool) -> Result<String, String> {
        let file = folder().join("config").join(&self.config);
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut document: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        put(&mut document, "/holdHeaders", serde_json::Value::Bool(hold))?;
        change(&mut document, &self.set, &self.unset)?;
        if let Some(differs) = node {
            change(&mut document, &differs.set, &differs.unset)?;
        }
        Ok(document.to_string())
    }
}

fn change(
    document: &mut serde_json::Value,
    set: &BTreeMap<String, toml::Value>,
    unset: &[String],
) -> Result<(), String> {
    for (pointer, value) in set {
        let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
        put(document, pointer, value)?;
    }
    for pointer in unset {
        let (parent, last) = parent(document, pointer)?;
        parent.as_object_mut().and_then(|object| object.remove(last)).ok_or_else(|| format!("{pointer}: not there"))?;
    }
    Ok(())
}

fn put(document: &mut serde_json::Value, pointer: &str, value: serde_json::Value) -> Result<(), String> {
    let (parent, last) = parent(document, pointer)?;
    match parent {
        serde_json::Value::Object(object) => {
            object.insert(last.to_owned(), value);
        }
        serde_json::Value::Array(array) => {
            let at: usize = last.parse().map_err(|_| format!("{pointer}: no index"))?;
            match array.get_mut(at) {
                Some(place) => *place = value,
                None => array.push(value),
            }
        }
        _ => return Err(format!("{pointer}: neither object nor array")),
    }
    Ok(())
}

fn parent<'a, 'b>(
    document: &'a mut serde_json::Value,
    pointer: &'b str,
) -> Result<(&'a mut serde_json::Value, &'b str), String> {
    let (parent, last) = pointer.rsplit_once('/').ok_or_else(|| format!("{pointer}: no JSON pointer"))?;
    Ok((document.pointer_mut(parent).ok_or_else(|| format!("{pointer}: not there"))?, last))
}
