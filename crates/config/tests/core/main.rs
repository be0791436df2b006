//! Tests of the core that begin with a document: how its policies are chosen, and what its tokens and sessions are.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    reason = "a test"
)]

mod assignments;
mod binding;
mod findings;
mod media_cdn;
mod media_cdn_forgeries;
mod targeting;
mod uri_signing;
mod vectors;
