//! The operations of the control plane, one file for each noun. Each write is one transaction, with its audit entry.

mod access;
mod assignments;
mod audit;
mod candidate;
mod change;
mod check;
mod compiler;
mod configurations;
mod exchange;
mod impact;
mod import;
mod nodes;
mod open;
mod plane;
mod policies;
mod revisions;
mod sessions;
mod settings;
mod versions;
mod watcher;

pub use self::access::{Client, NewClient, NewSession, NewToken, csrf_token};
pub use self::audit::AuditPage;
pub use self::check::Checked;
pub use self::compiler::Purpose;
pub use self::exchange::{Exchange, ExchangeStep, Secret};
pub use self::import::Imported;
pub use self::nodes::{Node, NodeEvent, NodeReport, NodeState, RefusalCount, RefusalRow};
pub use self::plane::{Control, Outcome};
pub use self::policies::{PolicyAction, Written};
pub use self::revisions::{Candidate, Revisions};
pub use self::versions::Version;
