//! Encryption at rest: documents and secrets are sealed under a data key, and the data key under the master key.
//!
//! XChaCha20-Poly1305 with random nonces of 24 bytes, which stand before the ciphertext. The place of a value (table,
//! column and row) is authenticated with it, so that no ciphertext can be moved to another row.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::clock::Surroundings;
use crate::error::ControlError;

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;
const DATA_KEY: &str = "vault.data_key.1";

/// The key under which the data key is encrypted: 32 bytes, kept outside the database.
pub struct MasterKey(Zeroizing<[u8; KEY_LENGTH]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

impl MasterKey {
    /// Creates a random key.
    ///
    /// # Errors
    /// If there are no random bytes.
    pub fn generate(surroundings: &dyn Surroundings) -> Result<Self, ControlError> {
        random_key(surroundings).map(Self)
    }

    /// Reads a key as [`MasterKey::to_hex`] writes it. White space around it is ignored.
    pub fn of_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(base16ct::mixed::decode_vec(text.trim()).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The key as 64 hex digits, for the file that keeps it.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(base16ct::lower::encode_string(self.0.as_slice()))
    }
}

/// Seals and opens values of the database.
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// Creates a data key. Returns the vault, and the key sealed under the master key.
    ///
    /// # Errors
    /// If there are no random bytes.
    pub fn create(master: &MasterKey, surroundings: &dyn Surroundings) -> Result<(Self, Vec<u8>), ControlError> {
        let key = random_key(surroundings)?;
        let sealed = seal(&cipher(&master.0), DATA_KEY, key.as_slice(), surroundings)?;
        Ok((Self { cipher: cipher(&key) }, sealed))
    }

    /// Opens the vault with its sealed data key.
    ///
    /// # Errors
    /// If the master key is another one.
    pub fn open(master: &MasterKey, sealed: &[u8]) -> Result<Self, ControlError> {
        let key = open_data_key(master, sealed)?;
        Ok(Self { cipher: cipher(&key) })
    }

    /// Encrypts a value for its place, such as `policies.generated.7`.
    ///
    /// # Errors
    /// If there are no random bytes.
    pub fn seal(&self, place: &str, value: &[u8], surroundings: &dyn Surroundings) -> Result<Vec<u8>, ControlError> {
        seal(&self.cipher, place, value, surroundings)
    }

    /// Decrypts a value of a place.
    ///
    /// # Errors
    /// If it was not sealed under this key for this place.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ControlError> {
        unseal(&self.cipher, place, sealed)
            .ok_or_else(|| ControlError::Storage(format!("{place}: the ciphertext was altered, or moved here")))
    }
}

/// Seals the data key under another master key.
///
/// # Errors
/// If `old` is not the key under which it is sealed.
pub fn reseal(
    old: &MasterKey,
    new: &MasterKey,
    sealed: &[u8],
    surroundings: &dyn Surroundings,
) -> Result<Vec<u8>, ControlError> {
    let key = open_data_key(old, sealed)?;
    seal(&cipher(&new.0), DATA_KEY, key.as_slice(), surroundings)
}

fn open_data_key(master: &MasterKey, sealed: &[u8]) -> Result<Zeroizing<[u8; KEY_LENGTH]>, ControlError> {
    let wrong = || ControlError::Storage("the master key is not the one that this database was made with".into());
    let key = unseal(&cipher(&master.0), DATA_KEY, sealed).ok_or_else(wrong)?;
    key.as_slice().try_into().map(Zeroizing::new).map_err(|_| wrong())
}

fn random_key(surroundings: &dyn Surroundings) -> Result<Zeroizing<[u8; KEY_LENGTH]>, ControlError> {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    surroundings.random(key.as_mut_slice())?;
    Ok(key)
}

fn cipher(key: &[u8; KEY_LENGTH]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key))
}

fn seal(
    cipher: &XChaCha20Poly1305,
    place: &str,
    value: &[u8],
    surroundings: &dyn Surroundings,
) -> Result<Vec<u8>, ControlError> {
    let mut nonce = [0; NONCE_LENGTH];
    surroundings.random(&mut nonce)?;
    let payload = Payload { msg: value, aad: place.as_bytes() };
    let ciphertext = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| ControlError::Storage(format!("{place}: too long to encrypt")))?;
    let mut sealed = Vec::with_capacity(NONCE_LENGTH.saturating_add(ciphertext.len()));
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

fn unseal(cipher: &XChaCha20Poly1305, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let payload = Payload { msg: ciphertext, aad: place.as_bytes() };
    cipher.decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
}
