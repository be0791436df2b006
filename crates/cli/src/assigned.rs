//! Which assignment holds for a request, and why the others do not: asked of the core, with every assignment under a
//! policy of its own.

use playlock_core::policy::Coverage;
use serde_json::{Value, json};

/// What is said of one assignment.
#[derive(Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Its place in the document.
    pub index: usize,
    /// Host, path and policy, as the document has them.
    pub text: String,
    /// Why it does not hold; `None`: it is the one that does.
    pub why_not: Option<&'static str>,
}

/// All assignments of a configuration that the filter takes, for a request for the normalised `path`.
pub fn assignments(text: &str, authority: &str, path: &str, now: u64) -> Vec<Assigned> {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let all: Vec<Value> = document.get("assignments").and_then(Value::as_array).cloned().unwrap_or_default();
    let chosen = holding(&all, authority, path, now);
    let said = all.iter().enumerate().map(|(index, assignment)| Assigned {
        index,
        text: described(assignment),
        why_not: if chosen == Some(index) { None } else { Some(why_not(assignment, authority, path, now)) },
    });
    said.collect()
}

/// The one of `assignments` that holds, by its place.
fn holding(assignments: &[Value], authority: &str, path: &str, now: u64) -> Option<usize> {
    let policy = |index: usize| {
        json!({"policyName": index.to_string(),
        "contentTargeting": {"enabled": true, "denyAnonymousProxies": true}})
    };
    let named = assignments.iter().enumerate().map(|(index, assignment)| {
        let mut assignment = assignment.clone();
        if let Some(members) = assignment.as_object_mut() {
            members.remove("policyId");
            members.insert("policyName".into(), json!(index.to_string()));
        }
        assignment
    });
    let document = json!({"policies": (0..assignments.len()).map(policy).collect::<Vec<_>>(),
        "assignments": named.collect::<Vec<_>>()});
    let (policies, _) = playlock_core::config::parse(document.to_string().as_bytes(), &|_| None).ok()?;
    match policies.covering(authority, path, now) {
        Coverage::Policy(index, _) => Some(index.get()),
        Coverage::Pass | Coverage::Deny => None,
    }
}

/// By leaving out what could be the cause, one after the other.
fn why_not(assignment: &Value, authority: &str, path: &str, now: u64) -> &'static str {
    let holds = |removed: &[&str]| {
        let mut assignment = assignment.clone();
        if let Some(members) = assignment.as_object_mut() {
            members.retain(|name, _| !removed.contains(&name.as_str()));
        }
        holding(&[assignment], authority, path, now).is_some()
    };
    let times = ["startTime", "endTime"];
    if holds(&[]) {
        "another is closer: one to this host before one to any, then the longer path, then the later start"
    } else if !holds(&["host", "startTime", "endTime"]) {
        "its path does not cover this one"
    } else if !holds(&times) {
        "it is to another host"
    } else if holds(&["startTime"]) {
        "it has not begun"
    } else {
        "it has ended"
    }
}

fn described(assignment: &Value) -> String {
    let text = |name: &str| assignment.get(name).and_then(Value::as_str).map(str::to_owned);
    let policy = text("policyName").or_else(|| Some(format!("policy {}", assignment.get("policyId")?)));
    let mut said = format!(
        "{}{} → {}",
        text("host").unwrap_or_default(),
        text("path").unwrap_or_default(),
        policy.unwrap_or_default()
    );
    for (name, word) in [("startTime", "from"), ("endTime", "to")] {
        if let Some(time) = text(name).filter(|time| time != "*") {
            said.push_str(&format!(", {word} {time}"));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_why_not() {
        let text = r#"{"policies": [], "assignments": [
            {"policyName": "a", "path": "/..."},
            {"policyName": "b", "path": "/vod", "host": "tv.example"},
            {"policyName": "b", "path": "/vod", "host": "other.example"},
            {"policyName": "c", "path": "/live/..."},
            {"policyId": 7, "path": "/vod/a", "startTime": "1970-01-02"},
            {"policyName": "c", "path": "/vod/a", "endTime": "1970-01-01T00:00:10Z"}]}"#;
        let said = assignments(text, "tv.example:8443", "/vod/a/b.ts", 60);
        let words: Vec<_> =
            said.iter().map(|it| it.why_not.map_or("holds", |why| why.split(':').next().unwrap())).collect();
        assert_eq!(
            words,
            [
                "another is closer",
                "holds",
                "it is to another host",
                "its path does not cover this one",
                "it has not begun",
                "it has ended"
            ]
        );
        assert_eq!(said[4].text, "/vod/a → policy 7, from 1970-01-02");
        assert!(assignments(text, "h", "/vod/a", 60).iter().any(|it| it.index == 0 && it.why_not.is_none()));
    }
}
