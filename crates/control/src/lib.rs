//! The control plane: the Media Security Policy API, its storage, and the delivery of policies to Envoys.

pub mod actor;
pub mod control;
pub mod error;
pub mod network;
pub mod xds;
