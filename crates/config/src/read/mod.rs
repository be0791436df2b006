//! Readers of a document's members, which return policies that are valid by type. Each takes the JSON path of its
//! member, for errors.

#[cfg(not(all(feature = "cat", feature = "jwt", feature = "mediacdn", feature = "urisigning")))]
pub mod absent;
mod around;
pub mod assignments;
mod authorizer;
mod binding;
#[cfg(feature = "cat")]
mod cat;
mod cors;
mod coverage;
pub mod encryption;
pub mod geo_headers;
#[cfg(feature = "keys")]
mod jwk;
#[cfg(feature = "jwt")]
mod jwt;
mod leases;
#[cfg(feature = "mediacdn")]
mod media_cdn;
pub mod path_marker;
pub mod players;
pub mod policy;
mod revocation;
#[cfg(not(feature = "speke"))]
#[path = "no_speke.rs"]
mod speke;
#[cfg(feature = "speke")]
pub mod speke;
mod targeting;
pub mod text;
mod token_auth;
#[cfg(feature = "urisigning")]
mod uri_signing;

#[cfg(not(feature = "cat"))]
use self::absent as cat;
#[cfg(not(feature = "jwt"))]
use self::absent as jwt;
#[cfg(not(feature = "mediacdn"))]
use self::absent as media_cdn;
#[cfg(not(feature = "urisigning"))]
use self::absent as uri_signing;
