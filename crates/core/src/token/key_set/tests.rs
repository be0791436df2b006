//! Key sets.
