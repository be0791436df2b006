//! Real playlists through playlock's [`Exchange`](playlock_core::exchange::Exchange), and what must be true of each.
//!
//! [`reading`] is an interpreter of playlists of its own, [`oracle`] holds two that others wrote, and [`edge`] asks
//! the filter for every URL that it gave out. Only [`edge`] knows playlock.

pub mod check;
pub mod edge;
pub mod oracle;
pub mod places;
pub mod reading;
pub mod scope;
pub mod site;
pub mod undo;
pub mod variables;
