//! The checks on a key request.

use playlock_core::http::headers;
use playlock_core::http::incoming::SIGNED_PARAMETER;
use playlock_core::policy::authorizer::OnUnavailable;
use playlock_core::policy::leases;
use playlock_core::request::check::Outcome;
use playlock_core::request::visit::Visit;
use playlock_core::request::{Admitted, AdmittedKey, KeyOf};
use playlock_core::token::derive::KeyScope;

use super::explanation::{Explanation, Mark};
use super::shared::shared;

/// Adds one of these checks.
pub fn explain(explanation: &mut Explanation<'_>, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
    match check {
        "session" => {
            explanation.outcome(check, outcome, "it is resumed");
            if let Some(pending) = &visit.session {
                explanation.detail(pending.session.id_text());
            }
        }
        "parameter" => {
            explanation.outcome(check, outcome, format!("{SIGNED_PARAMETER} is signed for this key"));
            if let Some(asked) = &visit.key {
                explanation.detail(format!("key period {}", asked.period));
            }
        }
        "owner" => explanation.outcome(check, outcome, "the key URL was written for this session"),
        "key" => match outcome {
            Outcome::Admitted(Admitted::Key(key)) => given(explanation, check, key),
            _ => explanation.outcome(check, outcome, ""),
        },
        _ => shared(explanation, check, outcome, visit),
    }
}

/// The key of content that was packaged elsewhere.
pub const PACKAGED: &str = "a key of packaged content";

/// Says which key is given.
pub fn given(explanation: &mut Explanation<'_>, check: &'static str, key: &AdmittedKey) {
    let text = match &key.of {
        KeyOf::Scope { scope, .. } | KeyOf::Samples { scope } => shared_by(scope),
        KeyOf::Packaged { .. } => PACKAGED.into(),
    };
    explanation.say(check, Mark::Good, text);
    match &key.ask {
        Some(inquiry) => {
            let without = match inquiry.on_unavailable {
                OnUnavailable::Deny => "without a decision the key is refused (503)",
                OnUnavailable::Allow => "without a decision the key is given",
            };
            explanation.say("authorizer", Mark::Note, "Envoy asks an upstream first");
            explanation.detail(without);
            let leases = headers::text(&inquiry.call.headers, leases::HEADER);
            leases.into_iter().for_each(|terms| explanation.detail(format!("by leases: {terms}")));
        }
        None => explanation.say("origin", Mark::Good, "is not asked: the filter answers"),
    }
}

/// Which viewers share the key of this scope.
pub fn shared_by(scope: &KeyScope) -> String {
    match scope {
        KeyScope::Session(_) => "the session's own key".into(),
        KeyScope::Stream(directory) => format!("the key that all viewers of {directory} share"),
        KeyScope::Application => "the key that all viewers under the policy share".into(),
        KeyScope::Configured => "the key in the configuration".into(),
    }
}
