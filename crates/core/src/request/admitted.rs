//! The results of admission: an admitted request, or a refused one.

use alloc::string::String;

use super::pending::PendingRequest;
use crate::http::message::{Call, HeaderEdits};
use crate::http::reply::{Reason, Reply};
use crate::http::route::Kind;
use crate::policy::PolicyIndex;
use crate::session::Session;
use crate::token::derive::KeyScope;

/// A request that may go on.
#[expect(clippy::large_enum_variant, reason = "taken apart at once; a box would only add an allocation")]
pub enum Admitted {
    /// No policy covers it: untouched.
    Pass,
    /// A key, answered here.
    Key(AdmittedKey),
    /// A preflight request, answered here.
    Preflight {
        /// The policy's index.
        policy: PolicyIndex,
        /// The answer.
        reply: Reply,
    },
    /// To the origin, with these changes.
    Pending(PendingRequest, HeaderEdits),
}

/// A key request that may go on.
pub struct AdmittedKey {
    /// The policy's index.
    pub policy: PolicyIndex,
    /// The session that asks.
    pub session: Session,
    /// Which viewers share the key.
    pub scope: KeyScope,
    /// The key period.
    pub period: u64,
    /// The answer.
    pub reply: Reply,
    /// The authorizer's question, to be asked first.
    pub ask: Option<Call>,
}

/// Why a check refuses, and where the client is sent.
#[derive(Debug)]
pub struct Denied {
    /// The reason.
    pub reason: Reason,
    /// An absolute URL for a 302.
    pub redirect: Option<String>,
}

/// A refused request, and what is known of it.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub denied: Denied,
    /// Its kind.
    pub kind: Kind,
    /// The policy's index.
    pub policy: Option<PolicyIndex>,
}

impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self { reason, redirect: None }
    }
}
