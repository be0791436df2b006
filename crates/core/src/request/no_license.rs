//! Stands in for license requests in builds that leave SPEKE out: there are none.

use crate::http::message::Call;
use crate::http::reply::{Reason, Reply};
use crate::policy::{Policies, PolicyIndex};
use crate::session::Session;

/// A license request: none.
#[derive(Debug)]
pub enum LicenseRequest {}

impl LicenseRequest {
    /// Never called.
    pub fn policy(&self) -> PolicyIndex {
        match *self {}
    }

    /// Never called.
    pub fn session(&self) -> &Session {
        match *self {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn push(&mut self, _: &[u8], _: bool, _: &Policies) -> Result<Option<(Reply, Option<Call>)>, Reason> {
        match *self {}
    }
}
