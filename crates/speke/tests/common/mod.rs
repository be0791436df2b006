//! Shared by the tests: those of `playlock-xml` for case files and chance, answers, and the properties of any document.
#![allow(dead_code, unused_imports, reason = "each test uses a part")]
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, clippy::string_slice, reason = "a test")]

pub mod answers;
pub mod properties;

#[path = "../../../xml/tests/common/mod.rs"]
mod files;

pub use files::{Chance, folder, read, table};
