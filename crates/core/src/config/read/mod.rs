//! Readers of the document's parts: from the members as they are written to policies that are valid by type. Each takes the
//! JSON path of its part, which errors name.

pub mod assignments;
mod authorizer;
mod binding;
mod cors;
mod encryption;
pub mod geo_headers;
pub mod players;
pub mod policy;
mod revocation;
mod targeting;
mod text;
mod token_auth;
