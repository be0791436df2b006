//! Delivery of each network's policies to its Envoys, and their reports.

mod bootstrap;

pub use self::bootstrap::{Address, Files, SERVER, bootstrap};
