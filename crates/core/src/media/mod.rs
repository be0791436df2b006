//! Media: the encryption of segments, and the part of a ciphertext that a client asks for.

pub mod batch;
pub mod client_range;
pub mod segment;
