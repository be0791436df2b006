//! Readers of a document's members, which return policies that are valid by type. Each takes the JSON path of its
//! member, for errors.

pub mod assignments;
mod authorizer;
mod binding;
mod cat;
mod cors;
mod encryption;
pub mod geo_headers;
mod jwt;
mod media_cdn;
pub mod path_marker;
pub mod players;
pub mod policy;
mod revocation;
mod targeting;
mod text;
mod token_auth;
mod uri_signing;
