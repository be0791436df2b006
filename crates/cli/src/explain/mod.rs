//! The checks of a request as `playlock why` prints them: an observer of the core's own admission.

mod content;
mod door;
mod key;
mod token;

use playlock_core::http::incoming::{Incoming, RequestHead};
use playlock_core::http::reply::Reason;
use playlock_core::request::check::{Observer, Outcome, TokenSeen};
use playlock_core::request::door::Door;
use playlock_core::request::visit::Visit;

pub use self::key::shared_by;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It passed.
    Good,
    /// It refuses the request.
    Bad(Reason),
    /// It decides nothing by itself.
    Note,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Its outcome.
    pub mark: Mark,
    /// The outcome in a sentence.
    pub text: String,
    /// The values that it looked at.
    pub details: Vec<String>,
}

/// The checks of one request, in the order in which they ran.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The configuration as written.
    document: &'a str,
    /// The checks.
    pub checks: Vec<Check>,
}

impl<'a> Explanation<'a> {
    /// Explains under the configuration `document`.
    pub fn new(document: &'a str) -> Self {
        Self { document, checks: Vec::new() }
    }

    fn say(&mut self, name: &'static str, mark: Mark, text: impl Into<String>) {
        self.checks.push(Check { name, mark, text: text.into(), details: Vec::new() });
    }

    fn detail(&mut self, text: impl Into<String>) {
        if let Some(check) = self.checks.last_mut() {
            check.details.push(text.into());
        }
    }

    /// Reports a check with `good` as its text if it passed.
    fn outcome(&mut self, name: &'static str, outcome: Outcome<'_>, good: impl Into<String>) {
        match outcome {
            Outcome::Passed | Outcome::Admitted(_) => self.say(name, Mark::Good, good),
            Outcome::Refused(denied) => self.say(name, Mark::Bad(denied.reason), denied.reason.title()),
            Outcome::Skipped => {}
        }
    }
}

impl Observer for Explanation<'_> {
    fn target(&mut self, _: &RequestHead<'_>, incoming: Option<&Incoming<'_>>) {
        match incoming {
            None => self.say("target", Mark::Bad(Reason::Target), Reason::Target.title()),
            Some(incoming) => {
                self.say("target", Mark::Good, "it names one path");
                self.detail(format!("path {}", incoming.target.path));
            }
        }
    }

    fn at_the_door(&mut self, check: &'static str, outcome: Outcome<'_>, door: &Door<'_>) {
        door::explain(self, check, outcome, door);
    }

    fn under_policy(&mut self, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
        if matches!(outcome, Outcome::Skipped) && check != "session" {
            return;
        }
        match visit.policies.is_key_path(&visit.incoming.target.path) {
            true => key::explain(self, check, outcome, visit),
            false => content::explain(self, check, outcome, visit),
        }
    }

    fn no_session_token(&mut self, named: bool, visit: &Visit<'_>) {
        token::no_session_token(self, named, visit);
    }

    fn no_access_token(&mut self, visit: &Visit<'_>) {
        token::no_access_token(self, visit);
    }

    fn token(&mut self, token: &TokenSeen<'_>, visit: &Visit<'_>) {
        token::seen(self, token, visit);
    }
}

/// The headers of these names, one detail each.
fn header_details(explanation: &mut Explanation<'_>, head: &RequestHead<'_>, names: &[&str]) {
    for name in names {
        for value in playlock_core::http::headers::all(head.headers, name) {
            explanation.detail(format!("{name}: {}", String::from_utf8_lossy(value)));
        }
    }
}

/// The check that the request ends with its headers.
fn body(explanation: &mut Explanation<'_>, outcome: Outcome<'_>, head: &RequestHead<'_>) {
    explanation.outcome("body", outcome, "the request has none");
    if matches!(outcome, Outcome::Refused(_)) {
        header_details(explanation, head, &["content-length", "transfer-encoding"]);
    }
}

/// The checks that content and keys share.
fn shared(explanation: &mut Explanation<'_>, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
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
