//! A request for a key server of packagers, after its headers; also in builds without SPEKE, where there is none.

use alloc::string::String;

use crate::http::reply::Reply;
use crate::policy::PolicyIndex;

/// A request for a key server, after its headers. `C` is a request whose body is awaited.
pub struct Opened<C> {
    /// Index of the policy.
    pub policy: PolicyIndex,
    /// Path of the key server, for the access log: the request's own path may have a token at its end.
    pub path: String,
    /// Name of the requester, if its token is one.
    pub requester: Option<String>,
    /// The next step.
    pub next: Next<C>,
}

/// The step after the headers of a request.
pub enum Next<C> {
    /// The response.
    Answer(Reply),
    /// The body is awaited.
    Collect(C),
}
