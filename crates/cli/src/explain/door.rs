//! The checks that find the policy.

use playlock_core::policy::NotHeld;
use playlock_core::request::Admitted;
use playlock_core::request::check::Outcome;
use playlock_core::request::door::Door;
use serde_json::Value;

use super::explanation::{Explanation, Mark};
use super::shared::body;

/// Adds one of these checks.
pub fn explain(explanation: &mut Explanation<'_>, check: &'static str, outcome: Outcome<'_>, door: &Door<'_>) {
    match (check, outcome) {
        (_, Outcome::Skipped) => {}
        ("assignment", _) => assignment(explanation, outcome, door),
        ("parameter", _) => {
            explanation.say("endpoint", Mark::Note, "keys are served at this path");
            explanation.outcome(check, outcome, "at most one was sent");
        }
        ("cors", _) => explanation.outcome(check, outcome, "a preflight request: the filter answers it for any viewer"),
        ("body", _) => body(explanation, outcome, door.incoming.head),
        ("policy", _) => {
            explanation.outcome(check, outcome, "the URL names one that serves keys here");
            if let Some((_, policy)) = door.policy {
                explanation.detail(format!("\"{}\"", policy.name));
            }
        }
        ("method", _) => explanation.outcome(check, outcome, "GET or HEAD"),
        _ => explanation.outcome(check, outcome, "passed"),
    }
}

fn assignment(explanation: &mut Explanation<'_>, outcome: Outcome<'_>, door: &Door<'_>) {
    let head = door.incoming.head;
    let named = if door.policies.route_policy { head.route_policy() } else { None };
    let good = match (door.policy, outcome) {
        (Some((_, policy)), _) => format!("the policy \"{}\" applies", policy.name),
        (None, Outcome::Admitted(Admitted::Pass)) => "no policy applies: the request passes untouched".to_owned(),
        _ => String::new(),
    };
    explanation.outcome("assignment", outcome, good);
    if let Some(name) = named {
        let name = String::from_utf8_lossy(name);
        explanation.detail(format!("Envoy's route names the policy \"{name}\", which comes before any assignment"));
        return;
    }
    let document: Value = serde_json::from_str(explanation.document).unwrap_or_default();
    let written = document.get("assignments").and_then(Value::as_array);
    for (index, why) in door.policies.explain_assignments(head.authority, &door.incoming.target.path, head.now) {
        let text = written.and_then(|written| written.get(index)).map(described).unwrap_or_default();
        explanation.detail(match why {
            None => format!("assignments[{index}] {text}: applies"),
            Some(why) => format!("assignments[{index}] {text}: does not apply: {}", sentence(why)),
        });
    }
}

fn sentence(why: NotHeld) -> &'static str {
    match why {
        NotHeld::Path => "its path does not cover this one",
        NotHeld::Host => "it is for another host",
        NotHeld::Early => "it has not begun",
        NotHeld::Ended => "it has ended",
        NotHeld::Closer => {
            "a closer one applies (this host before hosts with a *, the longest first, before any host; then the longer path, then the later start)"
        }
    }
}

/// An assignment's host, path, policy and times, as the document has them.
fn described(assignment: &Value) -> String {
    let text = |name: &str| assignment.get(name).and_then(Value::as_str).map(str::to_owned);
    let policy = text("policyName").or_else(|| Some(format!("policy {}", assignment.get("policyId")?)));
    let mut described = format!(
        "{}{} → {}",
        text("host").unwrap_or_default(),
        text("path").unwrap_or_default(),
        policy.unwrap_or_default()
    );
    for (name, word) in [("startTime", "from"), ("endTime", "to")] {
        if let Some(time) = text(name).filter(|time| time != "*") {
            described.push_str(&format!(", {word} {time}"));
        }
    }
    described
}
