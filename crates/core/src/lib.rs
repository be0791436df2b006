//! The whole logic of playlock, without a proxy around it.
//!
//! Bytes, the time and random bytes go in; steps for the proxy come out. Nothing here reads a clock, a random
//! source or a socket, and nothing outlives an [`exchange::Exchange`] but the [`policy::Policies`] it was
//! opened under.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod batch;
mod bug;
mod client_range;
pub mod config;
pub mod derive;
pub mod exchange;
pub mod headers;
pub mod http;
pub mod jar;
mod json;
pub mod output;
pub mod pending;
pub mod percent;
pub mod playlist;
pub mod policy;
pub mod query;
mod ranges;
pub mod reply;
pub mod request;
mod response;
pub mod route;
pub mod segment;
pub mod session;
pub mod signed;
pub mod step;
pub mod target;
pub mod token;
pub mod url;
#[cfg(test)]
mod vectors;
