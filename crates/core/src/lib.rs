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

pub mod bytes;
pub mod dash;
pub mod exchange;
pub mod http;
pub mod media;
pub mod playlist;
pub mod policy;
pub mod request;
pub mod response;
pub mod session;
pub mod step;
pub mod token;
