//! Derivation of every key from a shared secret (HKDF-SHA256, RFC 5869).
//!
//! `PRK = Extract(salt = "playlock/1", IKM = secret)`, then for each use `Expand(PRK, info, L)` with
//! `info = lp(label) ‖ lp(field) ‖ …`. `lp(x)` is the length of `x` in two bytes, big-endian (from 65,535 on in ten),
//! followed by `x`. `tests/vectors/derivation.json` has results for implementations in other
//! languages.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use playlock_cmaf::IV_SECRET;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::bytes::bug;

const SALT: &[u8] = b"playlock/1";
const LABEL_SESSION_TOKEN: &[u8] = b"session-token";
const LABEL_PARAMETER: &[u8] = b"url-parameter";
const LABEL_CONTENT_KEY: &[u8] = b"content-key";
const LABEL_IV: &[u8] = b"iv";
const LABEL_SEGMENT_IV: &[u8] = b"segment-iv";
const LABEL_SAMPLE_KEY: &[u8] = b"sample-key";
const LABEL_SAMPLE_KID: &[u8] = b"sample-kid";
const LABEL_SAMPLE_IV: &[u8] = b"sample-iv";
const LABEL_SAMPLE_IVS: &[u8] = b"sample-ivs";
const LABEL_PACKAGER_KEY: &[u8] = b"speke-key";
const LABEL_PACKAGER_IV: &[u8] = b"speke-iv";
const LABEL_SECRET_ID: &[u8] = b"secret-id";
const LABEL_SEALING_KEY: &[u8] = b"sealing-key";
const LABEL_SEALING_ID: &[u8] = b"sealing-id";

/// Length of the MAC of a URL parameter in bytes (128 of HMAC-SHA256's 256 bits).
pub const PARAMETER_MAC: usize = 16;

/// Length of the MAC of headers and other properties of a client in bytes. 64 bits suffice: every guess takes a request.
pub const HEADER_TAG: usize = 8;

/// A shared secret from the configuration, at least 16 bytes. Redacted in debug output, zeroed when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes ownership of the bytes. `None` if there are fewer than 16.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() >= 16).then_some(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// A content key from the configuration. Redacted in debug output, zeroed when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ConfiguredKey([u8; 16]);

impl ConfiguredKey {
    /// Takes ownership of the bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    pub fn bytes(&self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Debug for ConfiguredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfiguredKey([redacted])")
    }
}

/// The scope of a content key, and the value that identifies it in the derivation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyScope {
    /// One session: its id of 16 bytes.
    Session([u8; 16]),
    /// All viewers of a stream: its directory, a normalised path with a trailing `/`.
    Stream(String),
    /// All viewers of the policy; the value is empty.
    Application,
    /// All viewers of the policy, with a configured key; only the IV is derived. The value is empty.
    Configured,
}

impl KeyScope {
    fn name(&self) -> &'static [u8] {
        match self {
            Self::Session(_) => b"session",
            Self::Stream(_) => b"stream",
            Self::Application => b"application",
            Self::Configured => b"configured",
        }
    }

    fn value(&self) -> &[u8] {
        match self {
            Self::Session(id) => id,
            Self::Stream(directory) => directory.as_bytes(),
            Self::Application | Self::Configured => &[],
        }
    }
}

/// An AES-128 content key and its IV, 16 bytes each. Zeroed when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ContentKey {
    /// The key, as the key endpoint serves it.
    pub key: [u8; 16],
    /// The IV, as in EXT-X-KEY's IV attribute; not secret.
    pub iv: [u8; 16],
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey([redacted])")
    }
}

/// All keys of one policy under one secret, as far as they do not depend on a request.
#[derive(Clone)]
pub struct Keyring {
    prk: Hkdf<Sha256>,
    policy: String,
    session_token: Hmac<Sha256>,
    parameter: Hmac<Sha256>,
    secret_id: [u8; 4],
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({}, [redacted])", self.policy)
    }
}

impl Keyring {
    /// Derives the MAC keys of the policy with the key name `policy` from `secret`.
    pub fn new(secret: &Secret, policy: &str) -> Self {
        let prk = Hkdf::<Sha256>::new(Some(SALT), &secret.0);
        let mac = |label| {
            let mut key = expand::<32>(&prk, label, &[policy.as_bytes()]);
            let mac = keyed(&key);
            key.zeroize();
            mac
        };
        let (session_token, parameter) = (mac(LABEL_SESSION_TOKEN), mac(LABEL_PARAMETER));
        let secret_id = expand(&prk, LABEL_SECRET_ID, &[policy.as_bytes()]);
        Self { prk, policy: policy.into(), session_token, parameter, secret_id }
    }

    /// The pre-keyed MAC of session tokens.
    pub fn session_token(&self) -> Hmac<Sha256> {
        self.session_token.clone()
    }

    /// The MAC of a URL parameter over its purpose, the normalised path, the query, the session (16 bytes, or none) and
    /// its value.
    pub fn parameter(&self, [purpose, path, query]: [&str; 3], session: &[u8], value: &str) -> [u8; PARAMETER_MAC] {
        self.mac(&[purpose.as_bytes(), path.as_bytes(), query.as_bytes(), session, value.as_bytes()])
    }

    /// The value that binds a session token to properties of the client, each a name and its value, in this order.
    pub fn client_tag(&self, properties: &[(&str, &[u8])]) -> [u8; HEADER_TAG] {
        let mut fields: Vec<&[u8]> = vec![b"header"];
        fields.extend(properties.iter().flat_map(|(name, value)| [name.as_bytes(), value]));
        self.mac(&fields)
    }

    /// The fingerprint of a configuration document, 4 bytes; not secret.
    pub fn fingerprint(&self, document: &[u8]) -> [u8; 4] {
        self.mac(&[b"configuration", &Sha256::digest(document)])
    }

    /// The first bytes of the MAC over these fields. The first field is a purpose, different for every use.
    fn mac<const N: usize>(&self, fields: &[&[u8]]) -> [u8; N] {
        let mut mac = self.parameter.clone();
        for field in fields {
            mac.update(Prefix::of(field).bytes());
            mac.update(field);
        }
        let full = mac.finalize().into_bytes();
        let mut first = [0; N];
        for (first, byte) in first.iter_mut().zip(full) {
            *first = byte;
        }
        first
    }

    /// An identifier of the secret, 4 bytes; not secret.
    pub fn secret_id(&self) -> [u8; 4] {
        self.secret_id
    }

    /// The content key of `scope` in the key period `period`, 16 bytes.
    pub fn key(&self, scope: &KeyScope, period: u64) -> [u8; 16] {
        self.expand_for(LABEL_CONTENT_KEY, scope, period)
    }

    /// The IV of `scope` in the key period `period`, 16 bytes.
    pub fn iv(&self, scope: &KeyScope, period: u64) -> [u8; 16] {
        self.expand_for(LABEL_IV, scope, period)
    }

    /// The IV of one segment, 16 bytes, by its normalised `path`, the query as the origin sees it, and the byte range
    /// as offset and length. It does not depend on the key: IVs only need to differ between segments under one key.
    pub fn segment_iv(&self, path: &str, query: &str, range: Option<(u64, u64)>) -> [u8; 16] {
        let range = range.map(|(offset, length)| [offset.to_be_bytes(), length.to_be_bytes()].concat());
        let range = range.unwrap_or_default();
        expand(&self.prk, LABEL_SEGMENT_IV, &[self.policy.as_bytes(), path.as_bytes(), query.as_bytes(), &range])
    }

    /// The content key of samples of `scope` (Common Encryption), 16 bytes.
    pub fn sample_key(&self, scope: &KeyScope) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(self.expand_for(LABEL_SAMPLE_KEY, scope, 0))
    }

    /// The key ID of that key, 16 bytes in the order of the UUID's text; not secret.
    pub fn sample_kid(&self, scope: &KeyScope) -> [u8; 16] {
        self.expand_for(LABEL_SAMPLE_KID, scope, 0)
    }

    /// The constant IV of samples under `cbcs`, 16 bytes; not secret.
    pub fn sample_iv(&self, scope: &KeyScope) -> [u8; 16] {
        self.expand_for(LABEL_SAMPLE_IV, scope, 0)
    }

    /// The secret from which the IVs of samples under `cenc` are made, 48 bytes. No viewer gets it.
    pub fn sample_ivs(&self, scope: &KeyScope) -> Zeroizing<[u8; IV_SECRET]> {
        Zeroizing::new(self.expand_for(LABEL_SAMPLE_IVS, scope, 0))
    }

    fn expand_for<const N: usize>(&self, label: &[u8], scope: &KeyScope, period: u64) -> [u8; N] {
        expand(&self.prk, label, &[self.policy.as_bytes(), scope.name(), scope.value(), &period.to_be_bytes()])
    }
}

/// The keys that packagers get for their contents under one secret of a policy. They follow the content and the key ID
/// alone: packagers make a new key ID for each key period.
#[derive(Clone)]
pub struct PackagerKeys {
    prk: Hkdf<Sha256>,
    policy: String,
}

impl fmt::Debug for PackagerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackagerKeys({}, [redacted])", self.policy)
    }
}

impl PackagerKeys {
    /// The keys of the policy with the key name `policy` under `secret`.
    pub fn new(secret: &Secret, policy: &str) -> Self {
        Self { prk: Hkdf::<Sha256>::new(Some(SALT), &secret.0), policy: policy.into() }
    }

    /// The content key of a content ID and a key ID (16 bytes in the order of the UUID's text).
    pub fn key(&self, content_id: &str, kid: &[u8; 16]) -> Zeroizing<[u8; 16]> {
        Zeroizing::new(self.expand(LABEL_PACKAGER_KEY, content_id, kid))
    }

    /// The IV for that key.
    pub fn iv(&self, content_id: &str, kid: &[u8; 16]) -> [u8; 16] {
        self.expand(LABEL_PACKAGER_IV, content_id, kid)
    }

    /// An identifier of the secret, 4 bytes; not secret. The same as [`Keyring::secret_id`] for the same secret.
    pub fn secret_id(&self) -> [u8; 4] {
        expand(&self.prk, LABEL_SECRET_ID, &[self.policy.as_bytes()])
    }

    fn expand(&self, label: &[u8], content_id: &str, kid: &[u8; 16]) -> [u8; 16] {
        expand(&self.prk, label, &[self.policy.as_bytes(), content_id.as_bytes(), kid])
    }
}

/// The keys that seal the secrets of a configuration, under a key of Envoy's environment.
pub struct SealingKeys {
    /// The key of AES-256-GCM.
    pub key: Zeroizing<[u8; 32]>,
    /// An identifier of the key, 4 bytes; not secret.
    pub id: [u8; 4],
}

impl SealingKeys {
    /// Derives both from the 32 bytes of the environment.
    pub fn new(key: &[u8; 32]) -> Self {
        let prk = Hkdf::<Sha256>::new(Some(SALT), key);
        Self { key: Zeroizing::new(expand(&prk, LABEL_SEALING_KEY, &[])), id: expand(&prk, LABEL_SEALING_ID, &[]) }
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeys([redacted])")
    }
}

/// A keyed HMAC-SHA256. The infallible constructor takes a whole block, so the key is padded with zeros (RFC 2104).
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    for (padded, byte) in block.iter_mut().zip(key) {
        *padded = *byte;
    }
    let mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    block.zeroize();
    mac
}

fn expand<const N: usize>(prk: &Hkdf<Sha256>, label: &[u8], fields: &[&[u8]]) -> [u8; N] {
    let mut info = Vec::with_capacity(64);
    for part in core::iter::once(&label).chain(fields) {
        info.extend_from_slice(Prefix::of(part).bytes());
        info.extend_from_slice(part);
    }
    const { assert!(N <= 255 * 32, "HKDF-SHA256 gives no more (RFC 5869 section 2.3)") };
    let mut okm = [0; N];
    if prk.expand(&info, &mut okm).is_err() {
        bug::found();
    }
    okm
}

/// The length before a field: two bytes, or `ff ff` and eight bytes from 65,535 on.
///
/// No field comes near 65,535 bytes: requests with longer targets are refused, and URIs with longer paths are not
/// signed. A longer field must not be cut, which would make it equal to its beginning.
enum Prefix {
    Short([u8; 2]),
    Long([u8; 10]),
}

impl Prefix {
    fn of(field: &[u8]) -> Self {
        match u16::try_from(field.len()) {
            Ok(length) if length < u16::MAX => Self::Short(length.to_be_bytes()),
            _ => {
                let [a, b, c, d, e, f, g, h] = (field.len() as u64).to_be_bytes();
                Self::Long([0xff, 0xff, a, b, c, d, e, f, g, h])
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Long(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_field_is_not_the_same_as_its_beginning() {
        let keyring = Keyring::new(&Secret::new([7; 16].into()).unwrap(), "vod");
        let macs: Vec<_> = [65_533, 65_534, 65_535, 65_536, 69_999, 70_000]
            .into_iter()
            .map(|length| keyring.parameter(["media", &"a".repeat(length), ""], &[], ""))
            .collect();
        for (index, mac) in macs.iter().enumerate() {
            assert!(!macs[..index].contains(mac), "{index}");
        }
        assert_eq!(Prefix::of(&[0; 65_534]).bytes(), [0xff, 0xfe]);
        assert_eq!(Prefix::of(&[0; 65_535]).bytes(), [0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
    }
}
