//! Match types of `catu` and `cath`.

use alloc::borrow::Cow;

use base16ct::mixed;
use sha2::{Digest, Sha256, Sha512_256};

use super::cbor::{Entry, Value};
use super::claims::Failure;

/// Labels of the match types.
pub const EXACT: i64 = 0;
pub const PREFIX: i64 = 1;
pub const SUFFIX: i64 = 2;
pub const CONTAINS: i64 = 3;
const SHA256: i64 = -1;
const SHA512_256: i64 = -2;

/// A part of a request that a claim is matched with.
pub struct Subject<'a> {
    /// The part in the spelling that texts are compared in.
    pub text: Cow<'a, str>,
    /// The part as the viewer sent it. A hash may be of either spelling.
    pub raw: Cow<'a, str>,
    /// Brings a text of the token into the spelling of `text`.
    pub spell: fn(&str) -> Cow<'_, str>,
}

impl<'a> Subject<'a> {
    /// A part with one spelling.
    pub fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        Self { raw: text.clone(), text, spell: |claim| Cow::Borrowed(claim) }
    }
}

/// Whether all matches of a component or header hold.
///
/// # Errors
/// A match that is malformed or of an unknown type. Regular expressions are such: an engine costs more than the claim is
/// worth, and issuers can name a prefix and a suffix.
pub fn all_hold(matches: &Value<'_>, subject: &Subject<'_>) -> Result<bool, Failure> {
    let matches = matches.map().filter(|matches| !matches.is_empty()).ok_or(Failure::MALFORMED)?;
    // Each is looked at, even if another one does not hold: what cannot be decided refuses the token.
    matches.iter().try_fold(true, |all, entry| Ok(holds(entry, subject)? && all))
}

fn holds(Entry { key, value, .. }: &Entry<'_>, subject: &Subject<'_>) -> Result<bool, Failure> {
    let text = || value.text().map(subject.spell).ok_or(Failure::MALFORMED);
    let either = |matches: &dyn Fn(&str) -> bool| matches(&subject.text) || matches(&subject.raw);
    Ok(match key.integer() {
        Some(EXACT) => subject.text == text()?,
        Some(PREFIX) => subject.text.starts_with(&*text()?),
        Some(SUFFIX) => subject.text.ends_with(&*text()?),
        Some(CONTAINS) => subject.text.contains(&*text()?),
        Some(SHA256) => {
            let expected = digest(value)?;
            either(&|text| Sha256::digest(text.as_bytes()).as_slice() == expected)
        }
        Some(SHA512_256) => {
            let expected = digest(value)?;
            either(&|text| Sha512_256::digest(text.as_bytes()).as_slice() == expected)
        }
        _ => return Err(Failure::NOT_ENFORCED),
    })
}

/// A digest of 32 bytes, as bytes or in hex.
fn digest(value: &Value<'_>) -> Result<[u8; 32], Failure> {
    let digest = match value {
        Value::Bytes(bytes) => (*bytes).try_into().ok(),
        Value::Text(hex) => mixed::decode_vec(hex).ok().and_then(|bytes| bytes.try_into().ok()),
        _ => None,
    };
    digest.ok_or(Failure::MALFORMED)
}
