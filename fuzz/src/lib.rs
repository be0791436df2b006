//! What must hold of playlock's core whatever comes in: a module for each property, a function of bytes that panics
//! where it does not hold. libFuzzer drives them (`fuzz_targets/`), the seeds are replayed through them
//! (`tests/seeds.rs`), and a finding is replayed by giving its bytes to one.
//!
//! They know the core as the proxy does, by its public steps. What they compare it with is written here anew, from the
//! specifications: signing, opening ciphertext, grammars, how origins read paths.

pub mod cipher;
pub mod config;
pub mod edge;
pub mod exchange;
pub mod memory;
pub mod origin;
pub mod parameter;
pub mod path;
pub mod playlist;
pub mod query;
pub mod range;
pub mod segment;
pub mod site;
pub mod source;
pub mod text;
pub mod token;
pub mod viewer;

/// A property: it panics where it does not hold of these bytes.
pub type Property = fn(&[u8]);

/// Every property by the name of its target.
pub const PROPERTIES: [(&str, Property); 9] = [
    ("config", config::property),
    ("exchange", exchange::property),
    ("parameter", parameter::property),
    ("path", path::property),
    ("playlist", playlist::property),
    ("query", query::property),
    ("range", range::property),
    ("segment", segment::property),
    ("token", token::property),
];
