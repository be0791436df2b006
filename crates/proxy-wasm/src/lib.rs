//! The guest's side of the proxy-wasm ABI 0.2.1, for HTTP filters that must not panic.
//!
//! A filter is a [`Root`], of which the host makes one for each worker, and an [`Http`] context for each stream;
//! [`filter!`](crate::filter) is its entry. In a callback it calls [`host`]. The crate knows nothing of what runs in it.
//!
//! - No answer of the host's makes a call panic: an unknown status is an error like any other. One panic costs every
//!   stream of the worker.
//! - The host may call back while one of its functions runs, and may end any stream then ([`contexts`]).
//! - Bytes stay bytes: header values, bodies and properties need not be UTF-8.
//!
//! Natively the imports are stand-ins that a test scripts (`abi/stand_in.rs`), so that all of this is tested by
//! `cargo test`.
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "foreign functions")]
mod abi;
pub mod contexts;
#[allow(unsafe_code, reason = "functions under the names that the host looks for")]
mod exports;
pub mod headers;
pub mod host;
pub mod pairs;

#[cfg(not(target_arch = "wasm32"))]
pub use abi::stand_in;
pub use contexts::{Action, Http, Root};
pub use exports::start;
