//! Properties of playlock's core that hold for any input: one module per property, a function of bytes that panics if
//! the property does not hold. libFuzzer drives them (`fuzz_targets/`), `tests/seeds.rs` replays the seeds, and a
//! finding is replayed from its bytes.
//!
//! The properties use the core like the proxy does, through its public steps. Their references are independent
//! implementations of the specifications: signing, decryption, grammars, and path interpretation of origins.

pub mod cat;
pub mod cipher;
pub mod cmaf;
pub mod config;
pub mod dash;
pub mod edge;
pub mod exchange;
pub mod in_path;
pub mod jwt;
pub mod license;
pub mod media_cdn;
pub mod memory;
pub mod origin;
pub mod parameter;
pub mod path;
pub mod playlist;
pub mod protected;
pub mod query;
pub mod range;
pub mod samples;
pub mod segment;
pub mod session;
pub mod site;
pub mod source;
pub mod speke;
pub mod text;
pub mod token;
pub mod uri_signing;
pub mod viewer;

/// A property: it panics where it does not hold of these bytes.
pub type Property = fn(&[u8]);

/// Every property by the name of its target.
pub const PROPERTIES: [(&str, Property); 20] = [
    ("cat", cat::property),
    ("cmaf", cmaf::property),
    ("config", config::property),
    ("dash", dash::property),
    ("exchange", exchange::property),
    ("in_path", in_path::property),
    ("jwt", jwt::property),
    ("license", license::property),
    ("media_cdn", media_cdn::property),
    ("parameter", parameter::property),
    ("path", path::property),
    ("playlist", playlist::property),
    ("query", query::property),
    ("range", range::property),
    ("samples", samples::property),
    ("segment", segment::property),
    ("session", session::property),
    ("speke", speke::property),
    ("token", token::property),
    ("urisigning", uri_signing::property),
];
