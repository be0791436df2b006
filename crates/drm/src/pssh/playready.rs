//! PlayReady's data: the PlayReady Object and the PlayReady Header in it (Microsoft, "PlayReady Header Specification").

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};

use crate::kid::Kid;
use crate::text::{base64, escape_xml};

/// Most bytes of a PlayReady Object (PlayReady Header Specification: 15 kilobytes).
pub const MAX_OBJECT: usize = 15 * 1024;

/// The namespace of the header.
pub(crate) const NAMESPACE: &str = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader";

/// A version of the header. The scheme of the content decides whether one fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One key ID, AES-CTR; every client reads it.
    V4_0,
    /// Any number of key IDs, AES-CTR.
    V4_2,
    /// Any number of key IDs, AES-CBC, without checksums.
    V4_3,
}

/// A key ID and, for its checksum, its content key.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The key ID.
    pub kid: &'a Kid,
    /// The content key.
    pub key: &'a [u8; 16],
}

/// The checksum by which a client notices a wrong content key: the first 8 bytes of the key ID's GUID, encrypted with
/// AES-128 in ECB mode (PlayReady Header Specification, "Key Checksum Algorithm").
pub fn checksum(kid: &Kid, key: &[u8; 16]) -> [u8; 8] {
    let mut block = kid.guid().into();
    Aes128::new(key.into()).encrypt_block(&mut block);
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 16]>::from(block);
    [a, b, c, d, e, f, g, h]
}

/// The header, an XML text: attributes in the order of the alphabet, no blanks between elements, `license_url` escaped.
/// `None` for no keys, or more than one in version 4.0.
pub fn header(version: Version, keys: &[Key<'_>], license_url: Option<&str>) -> Option<String> {
    let url = match license_url {
        Some(url) => Cow::Owned(format!("<LA_URL>{}</LA_URL>", escape_xml(url))),
        None => Cow::Borrowed(""),
    };
    let (number, data) = match (version, keys) {
        (_, []) => return None,
        (Version::V4_0, [key]) => ("4.0.0.0", single(key)),
        (Version::V4_0, _) => return None,
        (Version::V4_2, keys) => ("4.2.0.0", list(keys, true)),
        (Version::V4_3, keys) => ("4.3.0.0", list(keys, false)),
    };
    // In 4.0, LA_URL follows the checksum; in the others, PROTECTINFO: in both it is last.
    Some(format!(r#"<WRMHEADER xmlns="{NAMESPACE}" version="{number}"><DATA>{data}{url}</DATA></WRMHEADER>"#))
}

/// Version 4.0: the key stands beside PROTECTINFO.
fn single(key: &Key<'_>) -> String {
    let (kid, checksum) = (base64(&key.kid.guid()), base64(&checksum(key.kid, key.key)));
    format!(
        "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>{kid}</KID><CHECKSUM>{checksum}</CHECKSUM>"
    )
}

/// Versions 4.2 (AES-CTR) and 4.3 (AES-CBC): a list of keys within PROTECTINFO.
fn list(keys: &[Key<'_>], is_counter_mode: bool) -> String {
    let mut text = String::from("<PROTECTINFO><KIDS>");
    for key in keys {
        text.push_str(r#"<KID ALGID=""#);
        text.push_str(if is_counter_mode { "AESCTR" } else { "AESCBC" });
        if is_counter_mode {
            text.push_str(r#"" CHECKSUM=""#);
            text.push_str(&base64(&checksum(key.kid, key.key)));
        }
        text.push_str(r#"" VALUE=""#);
        text.push_str(&base64(&key.kid.guid()));
        text.push_str(r#""></KID>"#);
    }
    text.push_str("</KIDS></PROTECTINFO>");
    text
}

/// The PlayReady Object with one record, the header in UTF-16 without a byte order mark. `None` if it is longer than
/// [`MAX_OBJECT`].
pub fn object(header: &str) -> Option<Vec<u8>> {
    let header: Vec<u8> = header.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let size = header.len().checked_add(10).filter(|size| *size <= MAX_OBJECT)?;
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&u32::try_from(size).ok()?.to_le_bytes());
    // One record, of type 1: a header.
    bytes.extend_from_slice(&[1, 0, 1, 0]);
    bytes.extend_from_slice(&u16::try_from(header.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(&header);
    Some(bytes)
}
