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
mod body;
pub mod config;
pub mod derive;
pub mod enter;
pub mod exchange;
pub mod gate;
pub mod headers;
pub mod jar;
mod json;
pub mod key;
pub mod output;
pub mod percent;
pub mod playlist;
pub mod policy;
pub mod query;
mod ranges;
mod redirect;
pub mod reply;
mod response;
pub mod route;
pub mod segment;
pub mod session;
pub mod signed;
mod slice;
mod start;
pub mod step;
pub mod stream;
pub mod target;
pub mod token;
pub mod url;
#[cfg(test)]
mod vectors;
