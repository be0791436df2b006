//! Named checks, run in order, and an observer that sees each of them.

use super::admitted::{Admitted, Denied};
use super::door::Door;
use super::visit::Visit;
use crate::http::incoming::{Incoming, RequestHead};
use crate::http::reply::Reason;
use crate::session::jar::Sent;

/// What a check decides.
#[expect(clippy::large_enum_variant, reason = "taken apart at once; a box would only add an allocation")]
pub enum Flow {
    /// The check passed: the next one runs.
    Next,
    /// The check does not apply to this request: the next one runs.
    Skip,
    /// The request is admitted, and no further check runs.
    Admit(Admitted),
    /// The request is refused.
    Refuse(Denied),
}

impl Flow {
    /// The flow of a check that only fails or passes.
    pub fn of(checked: Result<(), Reason>) -> Self {
        checked.map_or_else(Self::refuse, |()| Self::Next)
    }

    /// Refuses without a redirect.
    pub fn refuse(reason: Reason) -> Self {
        Self::Refuse(Denied { reason, redirect: None })
    }

    fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::Next => Outcome::Passed,
            Self::Skip => Outcome::Skipped,
            Self::Admit(admitted) => Outcome::Admitted(admitted),
            Self::Refuse(denied) => Outcome::Refused(denied),
        }
    }
}

/// One check on `S`, the request as far as it is known by then.
pub struct Check<S> {
    /// Its name, as `playlock why` prints it.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&mut S, &mut dyn Observer) -> Flow,
}

/// The outcome of a check.
#[derive(Clone, Copy)]
pub enum Outcome<'a> {
    /// It passed.
    Passed,
    /// It does not apply.
    Skipped,
    /// It passed, and the request is admitted.
    Admitted(&'a Admitted),
    /// It refused the request.
    Refused(&'a Denied),
}

/// Runs `checks` in order until one of them decides. `seen` reports each to the observer.
pub fn run<S>(
    checks: &[Check<S>],
    state: &mut S,
    observer: &mut dyn Observer,
    seen: fn(&mut dyn Observer, &'static str, Outcome<'_>, &S),
) -> Flow {
    for check in checks {
        let flow = (check.run)(state, observer);
        seen(observer, check.name, flow.outcome(), state);
        if matches!(flow, Flow::Admit(_) | Flow::Refuse(_)) {
            return flow;
        }
    }
    Flow::Next
}

/// A token that a check looked at.
pub struct TokenSeen<'a> {
    /// Its kind, and how it was sent.
    pub sent: TokenSent<'a>,
    /// Whether it is accepted.
    pub verified: Result<(), Reason>,
}

/// How a token was sent.
#[derive(Clone, Copy)]
pub enum TokenSent<'a> {
    /// A session token.
    Session(Sent<'a>),
    /// An access token.
    Access(&'a str, AccessCarrier),
}

/// Where an access token was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessCarrier {
    /// In the query.
    Query,
    /// In a cookie.
    Cookie,
    /// In a header.
    Header,
}

/// Sees the checks of a request while they run. `()` ignores them all.
pub trait Observer {
    /// The target was parsed: `None` if it names no single path.
    fn target(&mut self, head: &RequestHead<'_>, incoming: Option<&Incoming<'_>>) {
        let _ = (head, incoming);
    }

    /// A check that finds the policy has run.
    fn at_the_door(&mut self, check: &'static str, outcome: Outcome<'_>, door: &Door<'_>) {
        let _ = (check, outcome, door);
    }

    /// A check under a policy has run.
    fn under_policy(&mut self, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
        let _ = (check, outcome, visit);
    }

    /// The session check found the URL naming a session whose token was not sent (`named`), or no session token at all.
    fn no_session_token(&mut self, named: bool, visit: &Visit<'_>) {
        let _ = (named, visit);
    }

    /// The session check looked for an access token and found none.
    fn no_access_token(&mut self, visit: &Visit<'_>) {
        let _ = visit;
    }

    /// The session check looked at a token.
    fn token(&mut self, token: &TokenSeen<'_>, visit: &Visit<'_>) {
        let _ = (token, visit);
    }
}

impl Observer for () {}
