//! Stands in for chaining in builds without URI Signing: no policy renews tokens.

use crate::http::route::Kind;
use crate::policy::PolicyIndex;

/// A request that does not exist.
#[derive(Debug)]
pub enum ChainedRequest {}

impl ChainedRequest {
    /// Never called.
    pub fn policy(&self) -> PolicyIndex {
        match *self {}
    }

    /// Never called.
    pub fn kind(&self) -> Kind {
        match *self {}
    }
}
