//! Sealed secrets: texts under a key that only Envoy's environment has, so that documents and dumps of them show
//! ciphertext. `1.KEYID.DATA`: the version of the format, 8 hex digits that identify the key, and in base64url without
//! padding the nonce of 12 bytes, the ciphertext and the tag of 16 bytes of AES-256-GCM (NIST SP 800-38D).
//!
//! Key and key ID are derived from the environment's 32 bytes ([`SealingKeys`]). The associated data is the label
//! `playlock/sealed/1`. `tests/vectors/sealed.json` has texts for implementations in other languages.
//!
//! AES-256-GCM rather than ChaCha20-Poly1305: the module has both halves already (AES-256 for keys of packagers, GHASH for
//! encrypted claims), bitsliced and carry-less, without tables that a secret could index. The other cipher would be new code
//! in it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use base16ct::{lower, mixed};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use playlock_core::token::derive::SealingKeys;
use playlock_core::token::gcm::{self, BLOCK, NONCE};
use zeroize::Zeroizing;

/// The environment variable with the key.
pub const KEY: &str = "PLAYLOCK_SEAL_KEY";

/// The environment variable with the key before it, for texts that were not sealed anew yet.
pub const PREVIOUS_KEY: &str = "PLAYLOCK_SEAL_KEY_PREVIOUS";

/// Longest secret in bytes: more than any reader takes.
pub const LONGEST: usize = 4096;

const VERSION: &str = "1.";
const LABEL: &[u8] = b"playlock/sealed/1";
/// Hex digits of a key ID.
const ID: usize = 8;
/// Characters of the longest text.
const LONGEST_TEXT: usize = VERSION.len() + ID + 1 + (NONCE + LONGEST + BLOCK).div_ceil(3) * 4;

/// A key that seals secrets and opens them. Redacted in debug output, zeroed when dropped.
pub struct SealKey {
    keys: SealingKeys,
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({}, [redacted])", self.id())
    }
}

impl SealKey {
    /// Reads 32 bytes in hex or base64; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = mixed::decode_vec(text).ok().or_else(|| STANDARD.decode(text).ok()).map(Zeroizing::new)?;
        let key = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
        Some(Self { keys: SealingKeys::new(&key) })
    }

    /// Its identifier in sealed texts: 8 hex digits, not secret.
    pub fn id(&self) -> String {
        lower::encode_string(&self.keys.id)
    }

    fn cipher(&self) -> impl FnMut([u8; BLOCK]) -> [u8; BLOCK] {
        let cipher = Aes256::new((&*self.keys.key).into());
        move |block| {
            let mut block = block.into();
            cipher.encrypt_block(&mut block);
            block.into()
        }
    }
}

/// Seals a secret of 1 to [`LONGEST`] bytes; `None` for another length. `nonce` must be random, and new for each secret.
pub fn seal(key: &SealKey, nonce: [u8; NONCE], secret: &str) -> Option<String> {
    if !(1..=LONGEST).contains(&secret.len()) {
        return None;
    }
    let (text, tag) = gcm::seal(&mut key.cipher(), nonce, LABEL, secret.as_bytes().to_vec());
    Some(format!("{VERSION}{}.{}", key.id(), URL_SAFE_NO_PAD.encode([&nonce[..], &text, &tag].concat())))
}

/// A sealed text that is well-formed, but not authenticated.
#[derive(Clone)]
pub struct Sealed<'a> {
    id: &'a str,
    nonce: [u8; NONCE],
    text: Vec<u8>,
    tag: [u8; BLOCK],
}

impl<'a> Sealed<'a> {
    /// Parses a text; `None` if [`seal`] writes none like it.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST_TEXT {
            return None;
        }
        let (id, data) = text.strip_prefix(VERSION)?.split_once('.')?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if id.len() != ID || !id.bytes().all(is_digit) {
            return None;
        }
        let data = URL_SAFE_NO_PAD.decode(data).ok()?;
        let (nonce, rest) = data.split_first_chunk()?;
        let (text, tag) = rest.split_last_chunk()?;
        (1..=LONGEST).contains(&text.len()).then(|| Self { id, nonce: *nonce, text: text.to_vec(), tag: *tag })
    }

    /// The identifier of its key.
    pub fn key_id(&self) -> &'a str {
        self.id
    }

    /// Opens it under the key with its [`key_id`](Self::key_id); `None` if it was altered, or is under another key.
    pub fn open(self, key: &SealKey) -> Option<String> {
        if key.id() != self.id {
            return None;
        }
        let text = gcm::open(&mut key.cipher(), self.nonce, LABEL, self.text, self.tag)?;
        String::from_utf8(text).ok()
    }
}

/// The reason why a sealed text cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is not well-formed; its length in bytes.
    Malformed(usize),
    /// There is no [`KEY`].
    Unset,
    /// The value of this variable, of so many bytes, is no key.
    NoKey(&'static str, usize),
    /// It is under the first key; the others are the current one and the one before it.
    OtherKey(String, String, Option<String>),
    /// It does not authenticate under the key with this ID.
    Altered(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(length) => write!(
                f,
                "found {length} characters that are no sealed secret, expected 1.KEYID.DATA as playlock seal writes it"
            ),
            Self::Unset => write!(
                f,
                "the secret is sealed, but the environment variable {KEY} is not set in the VM (vm_config.environment_variables)"
            ),
            Self::NoKey(variable, length) => write!(
                f,
                "the environment variable {variable} has {length} characters that are no key, expected 32 bytes: 64 hex digits, or base64"
            ),
            Self::OtherKey(wanted, current, previous) => {
                write!(f, "sealed under the key {wanted}, found {current} in {KEY}")?;
                if let Some(previous) = previous {
                    write!(f, " and {previous} in {PREVIOUS_KEY}")?;
                }
                f.write_str("; expected that key, or a secret sealed under this one")
            }
            Self::Altered(id) => write!(
                f,
                "the text under the key {id} was altered after it was sealed; expected it as playlock seal wrote it"
            ),
        }
    }
}

/// Opens a sealed text with the key of the environment that has its ID, which `env` looks up.
///
/// # Errors
/// The first thing that is wrong with the text or the keys. It shows neither.
pub fn open(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Fault> {
    let sealed = Sealed::parse(text).ok_or(Fault::Malformed(text.len()))?;
    let wanted = sealed.key_id();
    let mut key = read_key(KEY, env)?.ok_or(Fault::Unset)?;
    let current = key.id();
    if current != wanted {
        let previous = read_key(PREVIOUS_KEY, env)?;
        let id = previous.as_ref().map(SealKey::id);
        key = previous.filter(|key| key.id() == wanted).ok_or_else(|| Fault::OtherKey(wanted.into(), current, id))?;
    }
    let id = key.id();
    sealed.open(&key).ok_or(Fault::Altered(id))
}

/// The key in a variable; `None` if it is not set.
fn read_key(variable: &'static str, env: &dyn Fn(&str) -> Option<String>) -> Result<Option<SealKey>, Fault> {
    let Some(text) = env(variable).map(Zeroizing::new) else { return Ok(None) };
    SealKey::parse(&text).map(Some).ok_or(Fault::NoKey(variable, text.len()))
}
