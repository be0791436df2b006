//! An in-memory Envoy for playlock's scenarios, and the case files that run in it.
//!
//! [`envoy`] implements Envoy's rules; [`native`] and [`wasm`] run the filter in it, as the core's `Exchange` and as
//! the module. The rest parses, runs and checks `tests/cases/`. It shares no code with the filter: signing and
//! decryption are independent implementations.
//!
//! The feature `wasm` brings wasmtime, and with it the modules. Without it, everything runs through the core alone.
#![warn(missing_docs)]

pub mod case;
pub mod check;
pub mod cipher;
pub mod driver;
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
pub mod way;

/// For tests of the module itself.
#[cfg(feature = "wasm")]
pub use wasmtime;
