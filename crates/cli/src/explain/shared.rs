//! The checks that content and keys share.

use playlock_core::http::incoming::RequestHead;
use playlock_core::request::check::Outcome;
use playlock_core::request::visit::Visit;

use super::explanation::Explanation;

/// The headers of these names, one detail each.
fn header_details(explanation: &mut Explanation<'_>, head: &RequestHead<'_>, names: &[&str]) {
    for name in names {
        for value in playlock_core::http::headers::all(head.headers, name) {
            explanation.detail(format!("{name}: {}", String::from_utf8_lossy(value)));
        }
    }
}

/// The check that the request ends with its headers.
pub fn body(explanation: &mut Explanation<'_>, outcome: Outcome<'_>, head: &RequestHead<'_>) {
    explanation.outcome("body", outcome, "the request has none");
    if matches!(outcome, Outcome::Refused(_)) {
        header_details(explanation, head, &["content-length", "transfer-encoding"]);
    }
}

/// The checks that content and keys share.
pub fn shared(explanation: &mut Explanation<'_>, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
    let head = visit.incoming.head;
    match check {
        "body" => body(explanation, outcome, head),
        "targeting" => {
            explanation.outcome(check, outcome, "content may be watched from there");
            let client = head.client().map(|client| client.to_string());
            explanation.detail(format!("client address {}", client.as_deref().unwrap_or("not known (--ip)")));
            let names = visit.policies.geo_headers.all().into_iter().chain(["referer"]);
            header_details(explanation, head, &names.collect::<Vec<_>>());
            if let Outcome::Refused(denied) = outcome
                && let Some(redirect) = &denied.redirect
            {
                explanation.detail(format!("the viewer is redirected to {redirect}"));
            }
        }
        "player" => explanation.outcome(check, outcome, "the player is listed"),
        _ => explanation.outcome(check, outcome, "passed"),
    }
}
