//! The facts of an exchange for counters and the access log.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Exchange, State, Verdict};
use crate::http::reply::Reason;
use crate::http::route::Kind;
use crate::playlist::Unservable;
use crate::policy::PolicyIndex;
use crate::response::body::OriginFault;

impl Exchange {
    /// The kind of the exchange, as far as it is known.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The index of the policy, if it is known.
    pub fn policy(&self) -> Option<PolicyIndex> {
        self.policy
    }

    /// The outcome so far.
    pub fn verdict(&self) -> Verdict {
        match (&self.state, self.reason) {
            (State::Broken(_), _) => Verdict::Broken,
            (_, Some(_)) => Verdict::Refused,
            (_, None) => Verdict::Allowed,
        }
    }

    /// The reason for the refusal or reset.
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// The fault of the origin's response, if it was refused as [`Reason::Mpd`] or [`Reason::Samples`] by its body.
    pub fn fault(&self) -> Option<OriginFault> {
        self.fault
    }

    /// Whether the response has keys that the authorizer has not decided on.
    pub fn has_unauthorized_keys(&self) -> bool {
        self.unauthorized
    }

    /// The playlist's unservable URIs, if it has any.
    pub fn unservable(&self) -> Option<&Unservable> {
        self.unservable.as_deref().filter(|unservable| unservable.count() > 0)
    }

    /// The fields for the access log, as name and value: `kind`, and `policy`, `session`, `requester` and `reason` where known.
    pub fn log_fields(&self) -> Vec<(&'static str, String)> {
        let policy = self.policy.and_then(|index| self.policies.get(index));
        let mut facts = Vec::with_capacity(4);
        facts.push(("kind", self.kind.word().into()));
        facts.extend(policy.map(|policy| ("policy", policy.name.clone())));
        facts.extend(self.session.iter().map(|session| ("session", session.clone())));
        facts.extend(self.requester.iter().map(|requester| ("requester", requester.clone())));
        facts.extend(self.reason.map(|reason| ("reason", reason.word().into())));
        facts
    }

    /// The name of the requester, if this is a packager's request that was answered, and its token is a requester's.
    pub fn requester(&self) -> Option<&str> {
        self.requester.as_deref().filter(|_| self.answered.is_some())
    }
}
