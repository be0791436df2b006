//! Runs real playlists through playlock's [`Exchange`](playlock_core::exchange::Exchange) and checks the results.
//!
//! [`reading`] is an independent playlist interpreter, [`oracle`] wraps two third-party parsers, and [`edge`] requests
//! every URL that the filter issued. Only [`edge`] uses playlock.

pub mod check;
pub mod edge;
pub mod oracle;
pub mod reading;
pub mod rfc3986;
pub mod scope;
pub mod site;
pub mod sources;
pub mod tally;
pub mod transport;
pub mod undo;
pub mod variables;
