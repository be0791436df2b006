//! Readers of the vector files, and a source of numbers for properties.

#![allow(dead_code, reason = "each test file uses a part")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A vector file of tests/vectors.
#[macro_export]
macro_rules! vectors {
    ($name:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!("vectors/", $name, ".json"))).unwrap()
    };
}

/// The text of a member.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The items of a member.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// Sixteen bytes in hexadecimal digits, with or without the hyphens of a UUID.
pub fn block(text: &str) -> [u8; 16] {
    unhex(&text.replace('-', "")).try_into().unwrap()
}

pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// G. Marsaglia, "Xorshift RNGs", 2003.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_be_bytes()[0])
    }
}
