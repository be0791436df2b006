//! Tests of the core that begin with a document: how its policies are chosen, and what its tokens and sessions are.

mod assignments;
mod binding;
mod media_cdn;
mod media_cdn_forgeries;
mod targeting;
mod uri_signing;
mod vectors;
