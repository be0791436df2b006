//! Every error and warning of a document, each with its JSON path: for editors and control planes. The filter itself
//! refuses a document at its first error.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::compile::compile;
use crate::document::{self, Document};
use crate::env::Env;
use crate::error::{ConfigError, Errors};
use crate::json::Json;
use crate::read;
use crate::read::assignments::Names;
use crate::repair::{self, Repaired, is_within, section};
use crate::secret::Reader;
use playlock_core::policy::index::{PolicyId, PolicyIndex};
use playlock_core::policy::targeting::GeoHeaders;
use playlock_core::policy::text::PathMarker;

/// Most errors that are looked for in one policy, and among policies.
const MOST: usize = 100;

/// Members of a policy that depend on each other. If the type of a part of one is wrong, their other errors may be
/// consequences.
const BOUND: [&str; 3] = ["tokenAuth", "mediaEncryption", "playerVerification"];

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// JSON path, such as `policies[0].tokenAuth.password`; `$` for the whole document. Names of members that are
    /// more than letters, digits, `_`, `-` and `#` are in brackets and quotes: `policies[0]["a b"]`.
    pub path: String,
    /// Description of the value found and of the expected one. It shows no secret.
    pub message: String,
    /// Position of the policy that has it; `None` for the rest of the document, assignments too.
    pub policy: Option<usize>,
}

/// All that was found in a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The filter refuses the document if there is any.
    pub errors: Vec<Finding>,
    /// Likely mistakes, which the filter logs.
    pub warnings: Vec<Finding>,
}

/// Checks a JSON document. `env` looks up secrets, as for [`parse`](crate::parse), which succeeds if there are no errors.
///
/// An error in one policy or assignment hides none in another. Of each section of a policy (`tokenAuth`, `cors`), all
/// unknown members and wrong types are found, then the first invalid value, and further ones in other items of lists; at
/// most 100 in a policy.
pub fn check(json: &[u8], env: Env<'_>) -> Findings {
    match serde_json::from_slice(json) {
        Ok(tree) => check_document(tree, env),
        Err(error) => not_json(&error),
    }
}

/// Checks a single policy, given as a JSON object, as far as that does not depend on the rest of its document. Paths begin at
/// the policy: `tokenAuth.password`.
pub fn check_policy(json: &[u8], env: Env<'_>) -> Findings {
    let tree = match serde_json::from_slice(json) {
        Ok(tree) => tree,
        Err(error) => return not_json(&error),
    };
    let settings = Settings::default();
    let Some((geo_headers, marker)) = settings.geo_headers.zip(settings.marker) else { return Findings::default() };
    let mut checked = CheckedPolicy::new(PATH, tree, &marker, &geo_headers, env);
    let own = |found: Found| finding(&found.path, &found.message.replace(&format!("{PATH}."), ""));
    checked.errors.truncate(MOST);
    let errors = checked.errors.into_iter().map(own).collect();
    let warnings = checked.warnings.iter().map(|warning| {
        let warning = warning.replace(&format!("{PATH}."), "").replace(&format!("{PATH}:"), "$:");
        warned(&warning)
    });
    Findings { errors, warnings: warnings.collect() }
}

/// Path of a policy that is checked by itself.
const PATH: &str = "policies[0]";

fn finding(path: &str, message: &str) -> Finding {
    let policy = path.strip_prefix("policies[").and_then(|rest| rest.split_once(']')?.0.parse().ok());
    Finding { path: if path.is_empty() { "$".into() } else { path.into() }, message: message.into(), policy }
}

fn not_json(error: &serde_json::Error) -> Findings {
    Findings { errors: alloc::vec![finding("$", &error.to_string())], warnings: Vec::new() }
}

/// Each warning begins with its path.
fn warned(warning: &str) -> Finding {
    let (path, message) = warning.split_once(": ").unwrap_or(("$", warning));
    finding(path, message)
}

/// Settings that policies need; `None` for one that is invalid.
struct Settings {
    geo_headers: Option<GeoHeaders>,
    marker: Option<PathMarker>,
}

impl Default for Settings {
    fn default() -> Self {
        Self::read(&empty(), &mut Errors::default())
    }
}

impl Settings {
    fn read(document: &Document, errors: &mut Errors) -> Self {
        Self {
            geo_headers: errors.keep(read::geo_headers::read(&document.geo_headers)),
            marker: errors.keep(read::path_marker::read(document)),
        }
    }
}

/// A document without anything.
fn empty() -> Document {
    Document {
        policies: Vec::new(),
        assignments: Vec::new(),
        default: Default::default(),
        hold_headers: false,
        batching: false,
        route_policy: false,
        geo_headers: Default::default(),
        token_path_marker: None,
        revision: None,
    }
}

fn check_document(mut tree: Json, env: Env<'_>) -> Findings {
    let mut findings = Findings::default();
    let (policies, assignments) = (take_items(&mut tree, "policies"), take_items(&mut tree, "assignments"));
    let mut found = Vec::new();
    let rest: Option<Document> = read_parts(&mut Repaired::new(tree), &mut found);
    findings.errors.extend(found.iter().map(|found| finding(&found.path, &found.message)));
    let mut document = rest.unwrap_or_else(empty);

    let mut errors = Errors::default();
    let settings = Settings::read(&document, &mut errors);
    findings.errors.extend(errors.0.iter().map(|error| finding(&error.path, &error.message)));
    if settings.geo_headers.is_none() {
        document.geo_headers = Default::default();
    }
    if settings.marker.is_none() {
        document.token_path_marker = None;
    }
    let settings = Settings::read(&document, &mut Errors::default());
    let Some((geo_headers, marker)) = settings.geo_headers.zip(settings.marker) else { return findings };

    let mut warnings = Vec::new();
    for (index, tree) in policies.into_iter().enumerate() {
        let path = format!("policies[{index}]");
        let stand_in = StandIn::new(index, &tree);
        let checked = CheckedPolicy::new(&path, tree, &marker, &geo_headers, env);
        let whole = |found: &Found| finding(&below(&path, &found.path), &found.message);
        findings.errors.extend(checked.errors.iter().map(whole));
        match checked.written.filter(|_| checked.errors.is_empty()) {
            Some(written) => document.policies.push(written),
            None => {
                warnings.extend(checked.warnings);
                document.policies.extend(stand_in.policy());
            }
        }
    }
    let kept = read_assignments(assignments, &mut document, &mut findings);
    warnings.extend(check_whole(document, kept, env, &mut findings));
    findings.warnings = warnings.iter().map(|warning| warned(warning)).collect();
    findings
}

/// Reads each assignment into the document, unless it has errors. Returns their positions.
fn read_assignments(assignments: Vec<Json>, document: &mut Document, findings: &mut Findings) -> Vec<usize> {
    let mut names = Names::default();
    for (index, policy) in document.policies.iter().enumerate() {
        names.names.entry(policy.policy_name.clone()).or_insert(PolicyIndex::new(index));
        if let Some(PolicyId(id)) = policy.policy_id {
            names.ids.entry(id).or_insert(PolicyIndex::new(index));
        }
    }
    let mut kept = Vec::new();
    for (index, tree) in assignments.into_iter().enumerate() {
        let path = format!("assignments[{index}]");
        let mut found = Vec::new();
        let written: Option<document::Assignment> = read_parts(&mut Repaired::new(tree), &mut found);
        findings.errors.extend(found.iter().map(|found| finding(&below(&path, &found.path), &found.message)));
        let Some(written) = written.filter(|_| found.iter().all(|found| found.is_of_excess)) else { continue };
        let mut errors = Errors::default();
        read::assignments::read_one(index, &written, &names, &mut errors);
        findings.errors.extend(errors.0.iter().map(|error| finding(&error.path, &error.message)));
        if found.is_empty() && errors.0.is_empty() {
            kept.push(index);
            document.assignments.push(written);
        }
    }
    kept
}

/// Checks all that is good together, until nothing is found. `kept` are the positions of the assignments. Returns the
/// warnings.
fn check_whole(mut document: Document, mut kept: Vec<usize>, env: Env<'_>, findings: &mut Findings) -> Vec<String> {
    let most = findings.errors.len().saturating_add(MOST);
    // A policy whose name is another's is replaced twice.
    for _ in 0..2 * MOST {
        if findings.errors.len() >= most {
            break;
        }
        let error = match compile(&document, env) {
            Ok((_, warnings)) => return warnings,
            Err(error) => error,
        };
        let place = |array: &str| {
            let (index, rest) = error.path.strip_prefix(array)?.split_once(']')?;
            Some((index.parse::<usize>().ok()?, rest))
        };
        if let Some((index, member)) = place("policies[") {
            let found = finding(&error.path, &error.message);
            let again = findings.errors.contains(&found);
            let Some(policy) = document.policies.get_mut(index) else { return Vec::new() };
            let stand_in = StandIn {
                name: if again { unnamed(index) } else { policy.policy_name.clone() },
                id: policy.policy_id.filter(|_| member != ".policyId"),
            };
            let Some(stand_in) = stand_in.policy() else { return Vec::new() };
            *policy = stand_in;
            if !again {
                findings.errors.push(found);
            }
        } else if let Some((index, member)) = place("assignments[") {
            let Some(position) = kept.get(index) else { return Vec::new() };
            findings.errors.push(finding(&format!("assignments[{position}]{member}"), &error.message));
            kept.remove(index);
            document.assignments.remove(index);
        } else {
            findings.errors.push(finding(&error.path, &error.message));
            return Vec::new();
        }
    }
    Vec::new()
}

/// The path of `path` below that of a part.
fn below(part: &str, path: &str) -> String {
    let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
    format!("{part}{dot}{path}")
}

/// Takes the items out of the array that is the member `name`, which stays, empty.
fn take_items(tree: &mut Json, name: &str) -> Vec<Json> {
    let Json::Object(members) = tree else { return Vec::new() };
    let member = members.iter_mut().find(|(other, _)| other == name);
    match member {
        Some((_, Json::Array(items))) => core::mem::take(items),
        _ => Vec::new(),
    }
}

/// An error in a part of the document.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// From the part on; empty for the part itself.
    path: String,
    message: String,
    /// A member was too much, and is left out.
    is_of_excess: bool,
}

/// Reads a part without the members and items that its types refuse; `None` if nothing can be left out.
fn read_parts<T: DeserializeOwned>(repaired: &mut Repaired, found: &mut Vec<Found>) -> Option<T> {
    loop {
        let error = match T::deserialize(&repaired.tree) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let is_of_excess = error.is_of_excess();
        let path = repaired.original(&error.path);
        // What had to be left out is missing now.
        let follows = found.iter().any(|it| match it.is_of_excess {
            false => is_within(&it.path, &path),
            // The object that it was left out of.
            true => is_member(&it.path, &path),
        });
        let place = error.path.clone();
        let new = Found { path, message: error.message, is_of_excess };
        if !follows && !found.contains(&new) {
            found.push(new);
        }
        if found.len() >= MOST {
            return None;
        }
        repaired.remove(&place)?;
    }
}

/// Whether a path is that of a member of the object at `path`, and not further below.
fn is_member(member: &str, path: &str) -> bool {
    let mut rest = member.strip_prefix(path).unwrap_or_default().chars();
    matches!(rest.next(), Some('.' | '[')) && !rest.any(|character| matches!(character, '.' | '['))
}

/// A policy, checked by itself.
struct CheckedPolicy {
    errors: Vec<Found>,
    warnings: Vec<String>,
    /// The policy, without parts that are wrong.
    written: Option<document::Policy>,
}

impl CheckedPolicy {
    fn new(path: &str, tree: Json, marker: &PathMarker, geo_headers: &GeoHeaders, env: Env<'_>) -> Self {
        let mut repaired = Repaired::new(tree);
        let mut errors = Vec::new();
        let mut written: Option<document::Policy> = read_parts(&mut repaired, &mut errors);
        if let (None, Json::Object(members)) = (&written, &mut repaired.tree) {
            // Without a name, everything else can be checked.
            members.push(("policyName".into(), Json::Text("policy".into())));
            written = read_parts(&mut repaired, &mut errors);
        }
        let damaged: BTreeSet<String> =
            errors.iter().filter(|it| !it.is_of_excess).map(|it| group(section(&it.path)).into()).collect();
        let mut first_warnings = None;
        while let Some(policy) = &written {
            let mut reader = Reader::new(env, geo_headers.clone());
            let mut kept = Errors::default();
            read::policy::read(path, policy, marker, &mut reader, &mut kept);
            first_warnings.get_or_insert(reader.warnings);
            let mut items = Vec::new();
            for ConfigError { path: at, message, .. } in kept.0 {
                let at = at.strip_prefix(path).unwrap_or(&at).trim_start_matches('.');
                let original = repaired.original(at);
                let is_emptied = errors.iter().any(|it| it.path != original && is_within(&it.path, &original));
                let new = Found { path: original, message, is_of_excess: false };
                if damaged.contains(group(section(&new.path))) || is_emptied || errors.contains(&new) {
                    continue;
                }
                errors.push(new);
                // Other members name keys.
                items.extend(repair::item(at).filter(|item| !item.contains("eys[")));
            }
            if items.is_empty() || errors.len() >= MOST {
                break;
            }
            let gone = items.iter().filter(|item| repaired.remove(item).is_some()).count();
            written = if gone > 0 { document::Policy::deserialize(&repaired.tree).ok() } else { None };
        }
        Self { errors, warnings: first_warnings.unwrap_or_default(), written }
    }
}

/// The members that a member depends on, by one of their names.
fn group(section: &str) -> &str {
    if BOUND.contains(&section) { "tokenAuth" } else { section }
}

/// Name of a policy whose own is of no use.
fn unnamed(index: usize) -> String {
    format!("policies[{index}]")
}

/// Stands in for a policy with errors, so that the assignments to it can be checked.
struct StandIn {
    name: String,
    id: Option<PolicyId>,
}

impl StandIn {
    fn new(index: usize, policy: &Json) -> Self {
        let Json::Object(members) = policy else { return Self { name: unnamed(index), id: None } };
        let member = |name: &str| members.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        let named = member("policyName").and_then(|name| String::deserialize(name).ok());
        let named = named.filter(|name| read::text::check_name("", "", name).is_ok());
        let id = member("policyId").and_then(|id| PolicyId::deserialize(id).ok());
        Self { name: named.unwrap_or_else(|| unnamed(index)), id }
    }

    fn policy(self) -> Option<document::Policy> {
        let mut members = alloc::vec![("policyName".to_string(), Json::Text(self.name))];
        members.extend(self.id.map(|id| ("policyId".to_string(), Json::Unsigned(id.0))));
        document::Policy::deserialize(&Json::Object(members)).ok()
    }
}
