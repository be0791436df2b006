//! A case file: TOML in the format of `tests/cases/README.md`, with its configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One file of `tests/cases/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows, in a sentence.
    pub about: String,
    /// A file of `tests/cases/config/`.
    #[serde(default = "vod")]
    pub config: String,
    /// JSON pointers of the configuration, with what is put there.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// JSON pointers of what is taken out of the configuration.
    #[serde(default)]
    pub unset: Vec<String>,
    /// Variables beside, or in place of, the usual ones; an empty one is unset.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Unix seconds at which every step happens that says no other.
    #[serde(default = "now")]
    pub now: u64,
    /// The configuration must be refused, and the log say all this.
    #[serde(default)]
    pub refused: Vec<String>,
    /// The configuration must be taken, and the log say all this.
    #[serde(default)]
    pub warned: Vec<String>,
    /// Further nodes by name, each started as the first but for this.
    #[serde(default)]
    pub node: BTreeMap<String, Differs>,
    /// Requests in order.
    #[serde(default)]
    pub step: Vec<Step>,
}

/// What sets a node apart.
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

/// One request, what the origin would answer and what is expected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A word on what this step is.
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
    /// The request does not end with its headers.
    #[serde(default)]
    pub has_body: bool,
    /// Unix seconds, or relative to the case's.
    pub at: Option<At>,
    /// The node it goes to.
    pub node: Option<String>,
    /// What the origin answers. Absent: it must not be asked. Present: it must.
    pub origin: Option<Origin>,
    /// The clusters beside the origin's, by name: a status, `refused`, `timeout` or `empty`. They must be asked.
    #[serde(default)]
    pub clusters: BTreeMap<String, String>,
    /// What must come of it.
    pub expect: Expect,
    /// Expectations that hold only with held headers, in place of the same ones above.
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
    /// 200 unless it says otherwise.
    pub status: Option<u16>,
    /// Headers; `content-length` is added.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// The body as text.
    pub body: Option<String>,
    /// The body as a file of `tests/cases/`.
    pub file: Option<String>,
    /// The body as this many bytes that look like nothing in particular.
    pub bytes: Option<usize>,
    /// Trailers follow the body.
    pub trailers: Option<BTreeMap<String, String>>,
    /// Leave `content-length` out.
    #[serde(default)]
    pub no_length: bool,
    /// Break off after half of the body's bytes.
    #[serde(default)]
    pub abort: bool,
}

/// What must come of a step. What is not named is not checked, but for the outcome.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The client's status.
    pub status: Option<u16>,
    /// `complete` unless it says otherwise; alternatives, where it depends on the cut, are joined by `|`.
    pub outcome: Option<String>,
    /// Exact values of response headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// Parts of response headers.
    #[serde(default)]
    pub header_has: BTreeMap<String, Values>,
    /// Response headers that must not be there.
    #[serde(default)]
    pub header_absent: Vec<String>,
    /// The exact body.
    pub body: Option<String>,
    /// Parts of the body.
    #[serde(default)]
    pub body_has: Vec<String>,
    /// What the body must not contain.
    #[serde(default)]
    pub body_lacks: Vec<String>,
    /// The body's length.
    pub body_bytes: Option<usize>,
    /// The body is exactly the origin's.
    pub body_is_origins: Option<bool>,
    /// The word in the problem document and in filter state.
    pub reason: Option<String>,
    /// The kind of request in filter state.
    pub kind: Option<String>,
    /// The policy in filter state.
    pub policy: Option<String>,
    /// The target as the origin got it.
    pub origin_target: Option<String>,
    /// Request headers as the origin got them.
    #[serde(default)]
    pub origin_headers: BTreeMap<String, Values>,
    /// Request headers that the origin must not get.
    #[serde(default)]
    pub origin_header_absent: Vec<String>,
    /// Request headers as the cluster got them.
    #[serde(default)]
    pub asked_headers: BTreeMap<String, Values>,
    /// Request headers that the cluster must not get.
    #[serde(default)]
    pub asked_header_absent: Vec<String>,
    /// How long the cluster was waited for, in milliseconds.
    pub asked_for: Option<u32>,
    /// The body decrypts to the origin's.
    pub decrypts_to_origin: Option<Key>,
    /// Texts that must be equal to each other, after expansion and with this step's captures.
    #[serde(default)]
    pub same: Vec<[String; 2]>,
    /// Texts that must not be.
    #[serde(default)]
    pub differ: Vec<[String; 2]>,
    /// Counters by the end of this step.
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

/// Where a value comes from.
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

    /// The configuration of a node. Holding headers is the harness's dimension, so it is set here.
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
