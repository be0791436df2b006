//! Random values of one document, from one seed.

use zeroize::Zeroizing;

use super::seal::mac;

/// HMAC-SHA512 over a counter, keyed with the seed (NIST SP 800-108, section 4.1, counter mode).
pub struct Random {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl Random {
    pub fn new(seed: &[u8; 32]) -> Self {
        Self { seed: Zeroizing::new(*seed), counter: 0 }
    }

    /// The next N bytes, at most 64: the start of a block of its own.
    pub fn bytes<const N: usize>(&mut self) -> Zeroizing<[u8; N]> {
        const { assert!(N <= 64, "a block has 64 bytes") };
        self.counter = self.counter.saturating_add(1);
        let block = Zeroizing::new(mac(&self.seed, &self.counter.to_be_bytes()));
        let mut bytes = Zeroizing::new([0; N]);
        bytes.iter_mut().zip(block.iter()).for_each(|(byte, block)| *byte = *block);
        bytes
    }
}
