//! Widevine's data in a `pssh` box: a protobuf message, `WidevineCencHeader` or `WidevinePsshData` in public sources.

use alloc::vec::Vec;

use crate::kid::Kid;
use crate::scheme::Scheme;

/// Tags of the message's fields: number and wire type (Protocol Buffers, "Encoding").
const KEY_ID: u8 = 2 << 3 | 2;
const PROVIDER: u8 = 3 << 3 | 2;
const CONTENT_ID: u8 = 4 << 3 | 2;
const PROTECTION_SCHEME: u8 = 9 << 3;

/// The fields of the message; those that are `None` or empty are left out.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Field 2, one for each key ID.
    pub kids: &'a [Kid],
    /// Field 3: the name of the content provider.
    pub provider: Option<&'a str>,
    /// Field 4.
    pub content_id: Option<&'a [u8]>,
    /// Field 9: the four letters of a Common Encryption scheme as a number. AES-128 has none, and is left out.
    pub scheme: Option<Scheme>,
}

impl Message<'_> {
    /// The message's bytes, fields in the order of their numbers.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.kids.iter().for_each(|kid| field(&mut bytes, KEY_ID, kid.bytes()));
        if let Some(provider) = self.provider {
            field(&mut bytes, PROVIDER, provider.as_bytes());
        }
        if let Some(content_id) = self.content_id {
            field(&mut bytes, CONTENT_ID, content_id);
        }
        if let Some(letters) = self.scheme.and_then(Scheme::four_letters) {
            bytes.push(PROTECTION_SCHEME);
            varint(&mut bytes, u64::from(u32::from_be_bytes(letters)));
        }
        bytes
    }
}

/// Appends a length-delimited field.
fn field(bytes: &mut Vec<u8>, tag: u8, value: &[u8]) {
    bytes.push(tag);
    varint(bytes, value.len().try_into().unwrap_or(u64::MAX));
    bytes.extend_from_slice(value);
}

/// Appends a number, seven bits a byte, the lowest first.
fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let [lowest, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(lowest);
            return;
        }
        bytes.push(lowest | 0x80);
    }
}
