//! Stands in for formats that this build leaves out: no verifier of them exists.

use crate::http::incoming::Incoming;
use crate::http::reply::Reason;
use crate::token::grant::Grant;

/// A verifier that does not exist.
#[derive(Debug, Clone)]
pub enum Verifier {}

impl Verifier {
    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn verify(&self, _: &str, _: &Incoming<'_>, _: &[impl AsRef<str>]) -> Result<Grant, Reason> {
        match *self {}
    }

    /// Never called.
    pub fn renews(&self) -> bool {
        match *self {}
    }

    /// Never called.
    pub fn has_signed(&self, _: &str) -> bool {
        match *self {}
    }
}
