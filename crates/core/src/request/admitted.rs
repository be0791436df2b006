//! Results of admission: an admitted or a denied request.

use super::chained::ChainedRequest;
use super::license::LicenseRequest;
use super::pending::PendingRequest;
use crate::http::message::HeaderEdits;
use crate::http::reply::Reply;
use crate::http::route::Kind;
use crate::policy::PolicyIndex;
use crate::policy::authorizer::Inquiry;
use crate::policy::targeting::Denied;
use crate::session::Session;
use crate::token::derive::KeyScope;

/// An admitted request.
#[expect(clippy::large_enum_variant, reason = "taken apart at once; a box would only add an allocation")]
pub enum Admitted {
    /// Passes unchanged; no policy applies.
    Pass,
    /// Key request, with a local response.
    Key(AdmittedKey),
    /// License request, whose body is awaited.
    License(LicenseRequest),
    /// Preflight request, with a local response.
    Preflight {
        /// Index of the policy.
        policy: PolicyIndex,
        /// The response.
        reply: Reply,
    },
    /// Request for a playlist that opened a session, with a redirect to the URL with its token as the response.
    Redirected {
        /// Index of the policy.
        policy: PolicyIndex,
        /// The new session.
        session: Session,
        /// The response.
        reply: Reply,
    },
    /// Forwarded to the origin with these header changes.
    Pending(PendingRequest, HeaderEdits),
    /// Forwarded to the origin with these header changes; its signed token is renewed with the response.
    Chained(ChainedRequest, HeaderEdits),
}

/// An admitted key request.
pub struct AdmittedKey {
    /// Index of the policy.
    pub policy: PolicyIndex,
    /// Session that requests the key.
    pub session: Session,
    /// The key's content.
    pub of: KeyOf,
    /// The response.
    pub reply: Reply,
    /// Call to the authorizer, which must succeed before the response is sent.
    pub ask: Option<Inquiry>,
}

/// The content of a key.
#[derive(Debug)]
pub enum KeyOf {
    /// Content that is encrypted here.
    Scope {
        /// Scope of the key.
        scope: KeyScope,
        /// Key period number.
        period: u64,
    },
    /// Content whose samples are encrypted here.
    Samples {
        /// Scope of the key.
        scope: KeyScope,
    },
    /// Content that was packaged elsewhere.
    Packaged {
        /// The IV for the key, where the packager asked for one.
        iv: [u8; 16],
    },
}

/// A denied request, with the facts known so far.
#[derive(Debug)]
pub struct Refused {
    /// Reason and redirect.
    pub denied: Denied,
    /// Kind of the request.
    pub kind: Kind,
    /// Index of the policy, if known.
    pub policy: Option<PolicyIndex>,
}
