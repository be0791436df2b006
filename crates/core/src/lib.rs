//! The whole logic of playlock, without a proxy around it.
//!
//! Bytes, the time and random bytes go in; steps for the proxy come out. Nothing here reads a clock, a random
//! source or a socket, and nothing outlives an [`exchange::Exchange`] but the [`config::Policies`] it was
//! opened under.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod authorizer;
pub mod batch;
mod binding;
mod bug;
mod client_range;
pub mod config;
mod cors;
pub mod derive;
pub mod exchange;
pub mod headers;
pub mod http;
pub mod jar;
mod json;
mod key_url;
pub mod output;
pub mod pending;
pub mod percent;
pub mod player;
pub mod playlist;
pub mod query;
mod ranges;
pub mod reply;
pub mod request;
mod response;
mod revocation;
pub mod route;
pub mod segment;
pub mod session;
pub mod signed;
pub mod step;
pub mod target;
pub mod targeting;
pub mod token;
pub mod url;
#[cfg(test)]
mod vectors;
