//! Answers of the control plane as text for people.

use serde_json::Value;

use crate::config::counted;
use crate::terminal::shown;

/// The function, or the one that prints the answer as it is.
pub fn form(json: bool, text: fn(&Value) -> String) -> fn(&Value) -> String {
    if json { |answer| format!("{answer:#}\n") } else { text }
}

/// The message of an operation.
pub fn message(answer: &Value) -> String {
    format!("{}\n", word(answer, "message"))
}

/// Policies: number, name, and status on each network.
pub fn policies(answer: &Value) -> String {
    table(answer, &["policyId", "environment", "status", "policyName"])
}

/// Nodes: network, name, state, and revisions.
pub fn nodes(answer: &Value) -> String {
    let mut text = table(answer, &["network", "node", "state", "inForce", "offered", "since"]);
    for node in items(answer) {
        if let Some(refused) = node.get("refused").filter(|refused| refused.is_object()) {
            text.push_str(&format!(
                "{} refused revision {}: {}\n",
                word(node, "node"),
                word(refused, "revision"),
                word(refused, "reason")
            ));
        }
    }
    text
}

/// The state of an exchange.
pub fn exchange(answer: &Value) -> String {
    let waiting: Vec<String> = items(&answer["waitingFor"]).iter().map(plain).collect();
    let mut text = format!("step: {}\nnext: {}\n", word(answer, "step"), word(answer, "next"));
    if !waiting.is_empty() {
        text.push_str(&format!("waiting for: {}\n", waiting.join(", ")));
    }
    text
}

/// Entries of the audit trail.
pub fn audit(answer: &Value) -> String {
    table(&answer["entries"], &["sequence", "time", "actor", "action", "object"])
}

/// Viewers' sessions.
pub fn sessions(answer: &Value) -> String {
    table(&answer["sessions"], &["realm", "group", "viewer", "session", "policy", "stream", "client", "since"])
}

/// Numbers of viewers and sessions.
pub fn counts(answer: &Value) -> String {
    let total = format!("viewers: {}\nsessions: {}\n", word(answer, "viewers"), word(answer, "sessions"));
    total + &table(&answer["policies"], &["realm", "policy", "sessions"])
}

/// The number of ended sessions.
pub fn ended(answer: &Value) -> String {
    let count = answer.get("ended").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    format!("ended {}\n", counted(count.unwrap_or(0), "session", "sessions"))
}

/// An import.
pub fn imported(answer: &Value) -> String {
    format!(
        "imported {} and {}\n",
        counted(items(&answer["policies"]).len(), "policy", "policies"),
        counted(items(&answer["configurations"]).len(), "configuration", "configurations"),
    )
}

/// A line for each item: its members in columns.
fn table(answer: &Value, members: &[&str]) -> String {
    let rows: Vec<Vec<String>> =
        items(answer).iter().map(|item| members.iter().map(|member| word(item, member)).collect()).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..members.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn items(answer: &Value) -> &[Value] {
    answer.as_array().map_or(&[], Vec::as_slice)
}

/// A member as text; `-` if it is missing.
fn word(object: &Value, member: &str) -> String {
    object.get(member).map_or_else(|| "-".to_owned(), plain)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => shown(text),
        other => other.to_string(),
    }
}
