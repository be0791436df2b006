//! The document of a network, composed from its settings, policies and assignments. Members that concern the API alone
//! never appear.

use serde_json::{Map, Value, json};

use super::configuration::hosts;
use super::generated::add_secret;
use super::json::{at, finding, is_true, set, take};
use super::{fill, settings};
use crate::clock::{rfc3339, seconds};
use crate::error::Finding;
use crate::network::Network;

/// A policy on a network.
#[derive(Debug, Clone)]
pub struct PolicyPart {
    /// `policyId`.
    pub id: i64,
    /// The name from which keys are derived.
    pub key_name: String,
    /// The secret for policies without one.
    pub generated: Value,
    /// The version on the network.
    pub document: Value,
    /// Marked for deletion, on staging.
    pub marked: bool,
}

/// A configuration and its assignments on a network.
#[derive(Debug, Clone)]
pub struct ConfigurationPart {
    /// `configurationId`.
    pub id: i64,
    /// The configuration.
    pub document: Value,
    /// The assignments on the network.
    pub assignments: Vec<Value>,
}

/// The parts of a network's document.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The settings.
    pub settings: Value,
    /// The policies, by number.
    pub policies: Vec<PolicyPart>,
    /// The configurations, by number.
    pub configurations: Vec<ConfigurationPart>,
}

/// The object that a client wrote: findings about it keep their paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A policy.
    Policy(i64),
    /// The assignments of a configuration.
    Assignments(i64),
    /// A configuration.
    Configuration(i64),
    /// The settings.
    Settings,
    /// None of these.
    Other,
}

/// A composed document, and the origin of its elements.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The document without its revision.
    pub body: Value,
    network: Network,
    policies: Vec<(i64, String)>,
    assignments: Vec<Origin>,
}

#[derive(Debug, Clone, Copy)]
struct Origin {
    configuration: i64,
    assignment: usize,
    host: Option<usize>,
}

impl Composed {
    /// The text for Envoys.
    pub fn text(&self, revision: i64) -> String {
        let mut whole = self.body.clone();
        set(&mut whole, "revision", revision.into());
        whole.to_string()
    }

    /// Relates a finding about this document to the object that a client wrote.
    pub fn relate(&self, found: Finding, subject: Subject) -> Finding {
        let elsewhere = |place: &str| {
            let detail = format!("on {}, {place}, {}: {}", self.network, found.member, found.detail);
            finding("$", &detail)
        };
        if let Some((index, member)) = element(&found.member, "policies") {
            let Some((id, name)) = self.policies.get(index) else { return elsewhere("a policy") };
            return if subject == Subject::Policy(*id) {
                finding(member, &found.detail)
            } else {
                finding("$", &format!("on {}, policy {id} ({name:?}), {member}: {}", self.network, found.detail))
            };
        }
        if let Some((index, member)) = element(&found.member, "assignments") {
            let Some(origin) = self.assignments.get(index) else { return elsewhere("an assignment") };
            let Origin { configuration, assignment, host } = *origin;
            return match (subject, member, host) {
                (Subject::Configuration(id), "host", Some(host)) if id == configuration => {
                    finding(&format!("digitalProperties.{}[{host}]", self.network), &found.detail)
                }
                (Subject::Assignments(id), ..) if id == configuration && member != "host" => {
                    finding(&format!("assignments[{assignment}].{member}"), &found.detail)
                }
                _ => finding(
                    "$",
                    &format!(
                        "on {}, configuration {configuration}, assignments[{assignment}].{member}: {}",
                        self.network, found.detail
                    ),
                ),
            };
        }
        if subject == Subject::Settings { found } else { elsewhere("settings") }
    }
}

/// Splits `policies[3].tokenAuth` into 3 and `tokenAuth`.
fn element<'a>(path: &'a str, array: &str) -> Option<(usize, &'a str)> {
    let (index, member) = path.strip_prefix(array)?.strip_prefix('[')?.split_once(']')?;
    Some((index.parse().ok()?, member.strip_prefix('.').unwrap_or("$")))
}

/// Composes the document of a network.
pub fn compose(network: Network, parts: &Parts) -> Composed {
    let mut assignments = Vec::new();
    let mut origins = Vec::new();
    for configuration in &parts.configurations {
        let hosts = hosts(network, &configuration.document);
        for (index, assignment) in configuration.assignments.iter().enumerate() {
            for (host_index, host) in hosts.iter().enumerate() {
                assignments.push(compose_assignment(parts, assignment, host.as_deref()));
                origins.push(Origin {
                    configuration: configuration.id,
                    assignment: index,
                    host: host.as_ref().map(|_| host_index),
                });
            }
        }
    }
    let assigned =
        |id: i64| assignments.iter().any(|assignment| assignment.get("policyId").and_then(Value::as_i64) == Some(id));
    // A policy that is marked stays until nothing on staging is assigned to it.
    let policies = parts.policies.iter().filter(|policy| !policy.marked || assigned(policy.id));
    let (owners, policies): (Vec<_>, Vec<_>) = policies
        .map(|policy| {
            let composed = compose_policy(policy);
            let name = composed.get("policyName").and_then(Value::as_str).unwrap_or_default().to_owned();
            ((policy.id, name), composed)
        })
        .unzip();
    let mut body = settings::filled(&parts.settings);
    set(&mut body, "policies", policies.into());
    set(&mut body, "assignments", assignments.into());
    Composed { body, network, policies: owners, assignments: origins }
}

fn compose_assignment(parts: &Parts, assignment: &Value, host: Option<&str>) -> Value {
    let mut composed = Map::new();
    for member in ["policyId", "path"] {
        composed.extend(assignment.get(member).map(|value| (member.to_owned(), value.clone())));
    }
    composed.extend(host.map(|host| ("host".to_owned(), host.into())));
    let time = |member: &str| assignment.get(member).and_then(Value::as_str).and_then(seconds);
    let id = assignment.get("policyId").and_then(Value::as_i64);
    let policy = parts.policies.iter().find(|policy| Some(policy.id) == id);
    // The time to live of players begins with the assignment, so that an assignment for always begins when it was made.
    let lives = policy.is_some_and(|policy| {
        let players = at(&policy.document, &["playerVerification"]).filter(|players| is_true(players, &["enabled"]));
        players.is_some_and(|players| players.get("ttl").is_some())
    });
    let start = time("startTime").or_else(|| time("pathCreatedTime").filter(|_| lives));
    composed.extend(start.map(|time| ("startTime".to_owned(), rfc3339(time).into())));
    composed.extend(time("endTime").map(|time| ("endTime".to_owned(), rfc3339(time).into())));
    composed.into()
}

fn compose_policy(policy: &PolicyPart) -> Value {
    let mut composed = fill::filled(&policy.document);
    for member in ["contractId", "description", "groupId"] {
        take(&mut composed, member);
    }
    set(&mut composed, "policyId", policy.id.into());
    if composed.get("policyName").and_then(Value::as_str) != Some(policy.key_name.as_str()) {
        set(&mut composed, "keyName", policy.key_name.as_str().into());
    }
    add_secret(&mut composed, &policy.generated);
    prune(&mut composed);
    composed
}

/// Removes what has no effect: sections that are not enabled, and what only concerns the API.
fn prune(policy: &mut Value) {
    if let Some(targeting) = policy.get_mut("contentTargeting") {
        for section in ["geoProtection", "ipAccess", "referer"] {
            if !is_true(targeting, &[section, "enabled"]) {
                take(targeting, section);
            }
        }
    }
    for section in ["contentTargeting", "playerVerification"] {
        if !is_true(policy, &[section, "enabled"]) {
            take(policy, section);
        }
    }
    if let Some(players) = policy.get_mut("playerVerification") {
        for member in ["email", "resetSupportPlayer", "supportPlayerEnabled"] {
            take(players, member);
        }
        for player in players.get_mut("players").and_then(Value::as_array_mut).into_iter().flatten() {
            take(player, "description");
        }
    }
    let bare = policy
        .get("mediaEncryption")
        .is_some_and(|encryption| encryption == &json!({"enabled": false, "percentageCoverage": "100"}));
    if bare {
        take(policy, "mediaEncryption");
    }
}
