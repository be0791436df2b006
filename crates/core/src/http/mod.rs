//! HTTP as the filter reads and writes it.

pub mod authority;
pub mod base;
pub mod headers;
pub mod incoming;
pub mod ja4;
pub mod message;
pub mod path_parameter;
pub mod path_token;
pub mod plain_target;
pub mod query;
pub mod reply;
pub mod route;
pub mod target;
pub mod url;
