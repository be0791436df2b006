//! Tests of the leases in Redis, with a real server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]
#![allow(missing_docs, reason = "tests")]

mod bounded;
mod faults;
mod names;
mod same;
mod server;
mod support;
