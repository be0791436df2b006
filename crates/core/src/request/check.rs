//! Named checks that run in order, and an observer of their outcomes.

use super::access_token::SentAccess;
use super::admitted::Admitted;
use super::door::Door;
use super::visit::Visit;
use crate::http::incoming::{Incoming, RequestHead};
use crate::http::reply::Reason;
use crate::policy::targeting::Denied;
use crate::session::jar::Sent;

/// Decision of a check.
#[expect(clippy::large_enum_variant, reason = "taken apart at once; a box would only add an allocation")]
pub enum Flow {
    /// Passed; the next check runs.
    Next,
    /// Not applicable; the next check runs.
    Skip,
    /// The request is admitted; no further check runs.
    Admit(Admitted),
    /// The request is denied.
    Refuse(Denied),
}

impl Flow {
    /// Decision of a check that only passes or fails.
    pub fn of(checked: Result<(), Reason>) -> Self {
        checked.map_or_else(Self::refuse, |()| Self::Next)
    }

    /// Denies the request without a redirect.
    pub fn refuse(reason: Reason) -> Self {
        Self::Refuse(reason.into())
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

/// One check on the request state `S`.
pub struct Check<S> {
    /// Name, as printed by `playlock why`.
    pub name: &'static str,
    /// The check itself.
    pub run: fn(&mut S, &mut dyn Observer) -> Flow,
}

/// Outcome of a check.
#[derive(Clone, Copy)]
pub enum Outcome<'a> {
    /// Passed.
    Passed,
    /// Not applicable.
    Skipped,
    /// Passed, and the request is admitted.
    Admitted(&'a Admitted),
    /// Denied.
    Refused(&'a Denied),
}

/// Runs `checks` in order until one decides. `seen` reports each outcome to the observer.
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

/// A token that a check examined.
pub struct TokenSeen<'a> {
    /// Kind and carrier of the token.
    pub sent: TokenSent<'a>,
    /// Result of the verification.
    pub verified: Result<(), Reason>,
}

/// Kind and carrier of a token.
#[derive(Clone, Copy)]
pub enum TokenSent<'a> {
    /// Session token.
    Session(Sent<'a>),
    /// Access token.
    Access(SentAccess<'a>),
}

/// Observes the checks of a request as they run. `()` ignores them.
pub trait Observer {
    /// Called after the target was parsed; `incoming` is `None` if it is invalid.
    fn target(&mut self, head: &RequestHead<'_>, incoming: Option<&Incoming<'_>>) {
        let _ = (head, incoming);
    }

    /// Called for a request to a key server for packagers, in place of every check. `refused` is the reason if the request
    /// is refused before its body is read.
    fn speke(&mut self, refused: Option<Reason>) {
        let _ = refused;
    }

    /// Called after each check that precedes the policy lookup or is part of it.
    fn at_the_door(&mut self, check: &'static str, outcome: Outcome<'_>, door: &Door<'_>) {
        let _ = (check, outcome, door);
    }

    /// Called after each check under a policy.
    fn under_policy(&mut self, check: &'static str, outcome: Outcome<'_>, visit: &Visit<'_>) {
        let _ = (check, outcome, visit);
    }

    /// Called by the session check if the URL identifies a session whose token is missing (`named`), or if the request
    /// has no session token at all.
    fn no_session_token(&mut self, named: bool, visit: &Visit<'_>) {
        let _ = (named, visit);
    }

    /// Called by the session check if the request has no access token.
    fn no_access_token(&mut self, visit: &Visit<'_>) {
        let _ = visit;
    }

    /// Called by the session check for each token it examines.
    fn token(&mut self, token: &TokenSeen<'_>, visit: &Visit<'_>) {
        let _ = (token, visit);
    }
}

impl Observer for () {}
