//! One Envoy with a configured filter, the target of a case's steps, natively or in wasm.

use std::collections::BTreeMap;

use crate::envoy::Envoy;
use crate::message::{Header, Request, Response, Seen};

/// The inputs that a node starts with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The plugin's configuration.
    pub config: String,
    /// The VM's environment.
    pub env: BTreeMap<String, String>,
    /// Unix seconds.
    pub now: u64,
    /// The seed of the node's random bytes.
    pub seed: u64,
}

/// The configuration was rejected; the filter's log.
#[derive(Debug, Clone)]
pub struct Refused(pub Vec<String>);

/// A running filter.
pub trait Node {
    /// Sets the clock.
    fn set_now(&mut self, seconds: u64);
    /// One request through the filter.
    fn exchange(&mut self, envoy: &Envoy, request: Request, origin: &mut dyn FnMut(&[Header]) -> Response) -> Seen;
    /// Counters by name.
    fn counters(&self) -> BTreeMap<String, u64>;
    /// The filter's log so far.
    fn log(&self) -> Vec<String>;
}

/// Deterministic random bytes.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A different sequence for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed << 32)
    }

    /// Fills the buffer with the next bytes. They depend only on their position, not on the sizes of the requests.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            // The finaliser of splitmix64.
            let mut mixed = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed >> 56) as u8;
        }
    }
}
