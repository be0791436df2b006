//! Guest side of the proxy-wasm ABI 0.2.1, for HTTP filters that must not panic.
//!
//! A filter implements [`Root`], created once per worker, and [`Http`], created once per stream.
//! [`filter!`](crate::filter) defines its entry point. Callbacks call the host through [`host`]. The crate is
//! independent of the filter.
//!
//! - No host call panics: unknown statuses are errors like any other. A panic ends every stream of the worker.
//! - The host may call back during a host call, and may end any stream then ([`contexts`]).
//! - Header values, bodies and properties are bytes; they need not be UTF-8.
//!
//! Native builds replace the imports with functions that a test controls (`abi/stand_in.rs`), so `cargo test` covers
//! the crate.
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
