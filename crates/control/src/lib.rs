//! The control plane: the Media Security Policy API, its storage, and the delivery of policies to Envoys.

pub mod actor;
pub mod clock;
pub mod control;
pub mod documents;
pub mod error;
pub mod network;
pub mod store;
pub mod xds;
