//! Content keys encrypted for the packager (DASH-IF CPIX, section 6; SPEKE, "Content key encryption").
//!
//! A document has one document key and one MAC key, new for each response. Content keys are encrypted under the
//! document key (AES-256-CBC); document key and MAC key for each recipient's certificate (RSA-OAEP); every encrypted
//! value has a MAC (HMAC-SHA512).
//!
//! The XML is in the form of AWS's examples, which Shaka Packager and PyPI `cpix` read. Axinom's CPIX library expects
//! `EncryptionMethod` and `CipherData` without `EncryptedValue` in the MAC key, and Unified Packager reads plain keys
//! only: such packagers ask without a certificate.

pub mod certificate;
mod elements;
mod oaep;
mod random;
mod seal;

pub use elements::{Prefix, Prefixes};

use alloc::string::String;
use alloc::vec::Vec;

use playlock_rsa::PublicKey;
use zeroize::Zeroizing;

use random::Random;
#[cfg(feature = "read")]
pub(crate) use seal::mac;

/// Most recipients of a document, for the caller to check: each one costs two powers modulo its RSA key, and packagers
/// send one certificate.
pub const MAX_RECIPIENTS: usize = 4;

/// The keys of a document that is encrypted. Without `Debug`; zeroed when dropped.
pub struct Delivery {
    document_key: Zeroizing<[u8; 32]>,
    mac_key: Zeroizing<[u8; 64]>,
    random: Random,
}

/// An encrypted value and the HMAC-SHA512 over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The bytes of `CipherValue`.
    pub cipher: Vec<u8>,
    /// The bytes of `ValueMAC`.
    pub mac: [u8; 64],
}

impl Delivery {
    /// A document key and a MAC key, made from 32 random bytes, as all other random values of the document are. The same
    /// seed must never serve two documents.
    pub fn new(seed: &[u8; 32]) -> Self {
        let mut random = Random::new(seed);
        let document_key = random.bytes();
        let mac_key = random.bytes();
        Self { document_key, mac_key, random }
    }

    /// A content key under the document key: a random IV and 32 bytes of AES-256-CBC (XML Encryption 1.1, section 5.2).
    pub fn seal(&mut self, key: &[u8; 16]) -> Sealed {
        let iv = self.random.bytes();
        self.with_mac(seal::encrypt(&self.document_key, &iv, key))
    }

    /// The document key for a recipient (XML Encryption 1.1, section 5.5.2: RSA-OAEP with MGF1 and SHA-1, no label).
    /// `None` never happens: every [`PublicKey`] is large enough.
    pub fn document_key(&mut self, recipient: &PublicKey) -> Option<Sealed> {
        let cipher = oaep::encrypt(recipient, &*self.document_key, &self.random.bytes())?;
        Some(self.with_mac(cipher))
    }

    /// The MAC key for a recipient, encrypted as the document key is. `None` never happens.
    pub fn mac_key(&mut self, recipient: &PublicKey) -> Option<Sealed> {
        let cipher = oaep::encrypt(recipient, &*self.mac_key, &self.random.bytes())?;
        Some(self.with_mac(cipher))
    }

    fn with_mac(&self, cipher: Vec<u8>) -> Sealed {
        let mac = seal::mac(&self.mac_key, &cipher);
        Sealed { cipher, mac }
    }

    /// `<pskc:Secret>` with an encrypted content key: the child of `ContentKey/Data`.
    pub fn secret_element(&mut self, key: &[u8; 16], prefixes: &Prefixes<'_>) -> String {
        elements::secret(prefixes, &self.seal(key), elements::CONTENT_KEY)
    }

    /// `<cpix:DocumentKey>` and `<cpix:MACMethod>` for a recipient: the children of its `DeliveryData` that follow
    /// `DeliveryKey`. `None` never happens.
    pub fn recipient_elements(&mut self, recipient: &PublicKey, prefixes: &Prefixes<'_>) -> Option<String> {
        let document_key = self.document_key(recipient)?;
        let mac_key = self.mac_key(recipient)?;
        Some(elements::recipient(prefixes, &document_key, &mac_key))
    }
}
