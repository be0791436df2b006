//! Tests of the control plane below HTTP. Each runs on SQLite and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]
#![allow(missing_docs, reason = "tests")]

mod access;
mod audit;
mod compiler;
mod composed;
mod concurrency;
mod exchange;
mod import;
mod nodes;
mod postgres;
mod refusals;
mod secrets;
mod settings;
mod states;
mod story;
mod support;
