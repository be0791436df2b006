//! A store that does not answer.

use std::fmt;

/// The store did not answer in time. It may have kept the lease all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store of leases did not answer: {}", self.0)
    }
}

impl std::error::Error for Unavailable {}
