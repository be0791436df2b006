//! Assignments as clients send them, and as answers have them.

use serde_json::{Map, Value, json};

use super::json::{finding, kind, take, without_nulls};
use crate::clock::{seconds, zoneless};
use crate::error::Finding;

/// Members that the server adds to answers. Clients that get assignments, change them and put them back send them
/// along.
const READ_ONLY: [&str; 5] =
    ["configurationName", "configurationXmlName", "configurationType", "policyName", "pathCreatedTime"];

/// Valid assignments of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignmentsDocument {
    /// The assignments to store: policyId, path, startTime, endTime, pathCreatedTime.
    pub assignments: Vec<Value>,
    /// `promote`.
    pub promote: bool,
}

/// Reads assignments. Those that the `stored` ones contain keep the time at which they were made; others get `now`, in
/// seconds since 1970. Policies are checked by the caller.
///
/// # Errors
/// All members that are wrong.
pub fn read(mut document: Value, stored: &[Value], now: i64) -> Result<AssignmentsDocument, Vec<Finding>> {
    if !document.is_object() {
        return Err(vec![finding("$", &format!("found {}, expected an object with assignments", kind(&document)))]);
    }
    without_nulls(&mut document);
    let mut found = Vec::new();
    let promote = match take(&mut document, "promote") {
        None => false,
        Some(Value::Bool(promote)) => promote,
        Some(other) => {
            found.push(finding("promote", &format!("found {}, expected a boolean", kind(&other))));
            false
        }
    };
    // An AssignmentStatus that is put back has these, too.
    for member in ["status", "pendingAssignments"] {
        take(&mut document, member);
    }
    let assignments = match take(&mut document, "assignments") {
        Some(Value::Array(assignments)) => assignments,
        None => {
            found.push(finding("assignments", "missing, expected an array"));
            Vec::new()
        }
        Some(other) => {
            found.push(finding("assignments", &format!("found {}, expected an array", kind(&other))));
            Vec::new()
        }
    };
    found.extend(unknown(&document, ""));
    let mut read: Vec<Value> = Vec::with_capacity(assignments.len());
    for (index, assignment) in assignments.into_iter().enumerate() {
        let at = format!("assignments[{index}]");
        let Some(assignment) = one(assignment, &at, stored, now, &mut found) else { continue };
        let key = |assignment: &Value| (assignment.get("path").cloned(), assignment.get("startTime").cloned());
        if read.iter().any(|other| key(other) == key(&assignment)) {
            found.push(finding(&format!("{at}.path"), "is assigned twice from the same time on; expected once"));
        }
        read.push(assignment);
    }
    if found.is_empty() { Ok(AssignmentsDocument { assignments: read, promote }) } else { Err(found) }
}

fn one(mut given: Value, at: &str, stored: &[Value], now: i64, found: &mut Vec<Finding>) -> Option<Value> {
    if !given.is_object() {
        found.push(finding(at, &format!("found {}, expected an assignment: an object", kind(&given))));
        return None;
    }
    for member in READ_ONLY {
        take(&mut given, member);
    }
    let before = found.len();
    let mut assignment = Map::new();
    match take(&mut given, "policyId").map(|id| policy_id(&id)) {
        Some(Some(id)) => drop(assignment.insert("policyId".into(), id.into())),
        Some(None) => found.push(finding(&format!("{at}.policyId"), "expected a policy's number, such as 1")),
        None => found.push(finding(&format!("{at}.policyId"), "missing, expected a policy's number")),
    }
    match take(&mut given, "path") {
        Some(Value::String(path)) => drop(assignment.insert("path".into(), path.into())),
        Some(other) => found.push(finding(&format!("{at}.path"), &format!("found {}, expected a path", kind(&other)))),
        None => found.push(finding(&format!("{at}.path"), "missing, expected a path, such as \"/vod/...\"")),
    }
    for member in ["startTime", "endTime"] {
        let text = match take(&mut given, member) {
            None => Some("*".to_owned()),
            Some(Value::String(text)) if text == "*" => Some(text),
            Some(Value::String(text)) => seconds(&text).map(zoneless),
            Some(_) => None,
        };
        match text {
            Some(text) => drop(assignment.insert(member.into(), text.into())),
            None => found.push(finding(
                &format!("{at}.{member}"),
                "expected \"*\" or a time in ISO 8601 (UTC), such as \"2018-01-05T11:00:00\"",
            )),
        }
    }
    found.extend(unknown(&given, &format!("{at}.")));
    if found.len() > before {
        return None;
    }
    let same = |stored: &&Value| assignment.iter().all(|(member, value)| stored.get(member) == Some(value));
    let created = stored.iter().find(same).and_then(|stored| stored.get("pathCreatedTime")).cloned();
    assignment.insert("pathCreatedTime".into(), created.unwrap_or_else(|| zoneless(now).into()));
    Some(assignment.into())
}

fn policy_id(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).filter(|id| *id > 0)
}

fn unknown(rest: &Value, prefix: &str) -> Vec<Finding> {
    let names = rest.as_object().into_iter().flat_map(|rest| rest.keys());
    names.map(|name| finding(&format!("{prefix}{name}"), "unknown member, expected none of this name")).collect()
}

/// An assignment of an answer.
pub fn answer(assignment: &Value, configuration: &Value, policy_name: &str) -> Value {
    let mut answer = assignment.clone();
    if let Some(answer) = answer.as_object_mut() {
        for member in ["configurationName", "configurationXmlName", "configurationType"] {
            answer.extend(configuration.get(member).map(|value| (member.to_owned(), value.clone())));
        }
        answer.insert("policyName".into(), policy_name.into());
    }
    answer
}

/// An AssignmentStatus: `assignments` are those on production, and `pending` those on staging if they differ.
pub fn status(assignments: Vec<Value>, pending: Option<Vec<Value>>) -> Value {
    match pending {
        None => json!({"status": "PROMOTED", "assignments": assignments}),
        Some(pending) => {
            json!({"status": "PENDING_PRODUCTION", "assignments": assignments, "pendingAssignments": pending})
        }
    }
}
