//! An in-memory Envoy for playlock's scenarios, and the case files that run in it.
//!
//! [`envoy`] keeps Envoy's rules, [`native`] and [`wasm`] put the same filter into it, once as the core's
//! `Exchange` and once as the module. The rest reads, runs and checks `tests/cases/`. It shares no code with
//! what it checks: tokens are signed and ciphertext is opened here by other means.
//!
//! The feature `wasm` brings wasmtime, and with it the modules. Without it, everything runs through the core alone.
#![warn(missing_docs)]

pub mod case;
pub mod check;
pub mod cipher;
pub mod edge_auth;
pub mod envoy;
pub mod message;
pub mod native;
pub mod node;
pub mod record;
pub mod scenario;
pub mod stream;
pub mod text;
#[cfg(feature = "wasm")]
pub mod wasm;

/// For tests that look at the module itself.
#[cfg(feature = "wasm")]
pub use wasmtime;
