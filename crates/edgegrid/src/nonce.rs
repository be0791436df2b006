//! Owns nonces: the text of a new one, and the memory of those that were used.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use crate::refusal::Refusal;
use crate::window::Window;

/// A client's nonce: SHA-256 over both. For a database's table of used nonces, with a unique index on it and
/// [`Window::keep_until`] beside it; a row that is there already is [`Refusal::Replayed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NonceKey([u8; 32]);

impl NonceKey {
    /// The key of this client's nonce.
    pub fn new(client_token: &str, nonce: &str) -> Self {
        // With its length in front the token cannot run into the nonce.
        let length = u64::try_from(client_token.len()).unwrap_or(u64::MAX).to_be_bytes();
        Self(Sha256::new().chain_update(length).chain_update(client_token).chain_update(nonce).finalize().into())
    }

    /// Its 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The nonces that one server has seen, up to a number that is given: about 120 bytes each.
///
/// [`check_and_remember`](Self::check_and_remember) needs `&mut`: threads share it behind a mutex.
#[derive(Debug)]
pub struct NonceMemory {
    window: Window,
    limit: usize,
    used: HashSet<NonceKey>,
    /// The keys by the last second at which they are needed.
    ends: BTreeMap<i64, Vec<NonceKey>>,
}

impl NonceMemory {
    /// A limit that suffices for 700 requests per second under a window of 30 seconds, and takes about 8 MB when full.
    pub const LIMIT: usize = 65_536;

    /// An empty memory of at most `limit` nonces.
    pub fn new(window: Window, limit: usize) -> Self {
        Self { window, limit, used: HashSet::new(), ends: BTreeMap::new() }
    }

    /// Accepts a nonce once. Call it last, after the signature was verified: only clients may fill the memory. Times are in
    /// Unix seconds.
    ///
    /// The cost is constant but for the nonces that are forgotten, each once.
    ///
    /// # Errors
    /// [`Refusal::Skew`], [`Refusal::Replayed`]; [`Refusal::Full`] rather than to forget a nonce too early.
    pub fn check_and_remember(
        &mut self,
        now: i64,
        timestamp: i64,
        client_token: &str,
        nonce: &str,
    ) -> Result<(), Refusal> {
        self.window.check(now, timestamp)?;
        self.forget(now);
        let key = NonceKey::new(client_token, nonce);
        if self.used.contains(&key) {
            return Err(Refusal::Replayed);
        }
        if self.used.len() >= self.limit {
            return Err(Refusal::Full { entries: self.limit });
        }
        self.used.insert(key);
        self.ends.entry(self.window.keep_until(timestamp)).or_default().push(key);
        Ok(())
    }

    /// Nonces in memory.
    pub fn entries(&self) -> usize {
        self.used.len()
    }

    fn forget(&mut self, now: i64) {
        while let Some(first) = self.ends.first_entry().filter(|first| *first.key() < now) {
            for key in first.remove() {
                self.used.remove(&key);
            }
        }
    }
}

/// A nonce as clients write it, a UUID (RFC 9562, section 5.4) of 16 random bytes.
pub fn new_nonce(random: [u8; 16]) -> String {
    let bits = u128::from_be_bytes(random) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let part = |shift: u32, digits: u32| (bits >> shift) & (1_u128 << (4 * digits)).wrapping_sub(1);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12))
}
