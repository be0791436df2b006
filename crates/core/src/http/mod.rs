//! HTTP as the filter reads it.

pub mod incoming;
