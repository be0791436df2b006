//! A response as read: keys, and the data of DRM systems.

use playlock_drm::{Kid, System};

use super::asked::Gap;

/// The keys of a response.
#[derive(Default)]
pub struct Answer {
    /// The keys of the request that the response has.
    pub keys: Vec<AnswerKey>,
    /// The document's keys, if the content keys are encrypted.
    pub delivery: Option<Delivery>,
}

/// A content key. Without `Debug`, as all that has keys.
pub struct AnswerKey {
    /// Its index in the request.
    pub asked: usize,
    /// The key ID, which a server may replace.
    pub kid: Kid,
    /// The key, in clear or decrypted.
    pub key: Option<[u8; 16]>,
    pub encrypted: Option<Encrypted>,
    /// `explicitIV`.
    pub iv: Option<[u8; 16]>,
    /// The value of `commonEncryptionScheme`.
    pub scheme: Option<String>,
    pub systems: Vec<SystemData>,
}

/// The data of a DRM system.
pub struct SystemData {
    pub system: System,
    /// The elements that are there, decoded from base64.
    pub data: Vec<(Gap, Vec<u8>)>,
}

impl SystemData {
    /// The content of an element.
    pub fn get(&self, gap: Gap) -> Option<&[u8]> {
        self.data.iter().find(|(other, _)| *other == gap).map(|(_, bytes)| bytes.as_slice())
    }
}

/// An encrypted content key.
pub struct Encrypted {
    /// `CipherValue`.
    pub cipher: Vec<u8>,
    /// `ValueMAC`.
    pub mac: Vec<u8>,
}

/// Document key and MAC key, encrypted for the certificate.
pub struct Delivery {
    pub document_key: Vec<u8>,
    pub mac_key: Vec<u8>,
}
