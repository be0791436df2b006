//! HTTP as the filter reads and writes it.

pub mod headers;
pub mod incoming;
pub mod message;
pub mod path_parameter;
pub mod query;
pub mod reply;
pub mod route;
pub mod target;
pub mod url;
