//! The operations of the control plane, one file for each noun. Each write is one transaction, with its audit entry.

mod assignments;
mod candidate;
mod configurations;
mod nodes;
mod policies;

pub use self::candidate::{Candidate, Revisions};
pub use self::nodes::{NodeEvent, NodeReport, RefusalCount};
pub use self::policies::{PolicyAction, Written};

use std::sync::Arc;

use crate::error::ControlError;

/// The result of an operation.
pub type Outcome<T> = Result<T, ControlError>;

/// The control plane's operations. Clones share one database pool.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    revisions: tokio::sync::watch::Sender<Revisions>,
}
