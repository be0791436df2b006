//! Reader of `tokenAuth.mediacdn`.

use alloc::format;

use super::jwk::{self, Accepted};
use super::text::text;
use crate::document;
use crate::error::ConfigError;
use crate::jwk::KeyType;
use crate::media_cdn::SignatureAlgorithm;
use crate::secret::Reader;
use playlock_core::policy::tokens::{AccessFormat, FormatVerifier};
use playlock_core::token::key_set::Algorithm;
use playlock_core::token::media_cdn::Verifier;

/// The keys that Media CDN has.
const ACCEPTED: Accepted = Accepted { algorithms: &[Algorithm::EdDsa, Algorithm::Hs256], signing: false };

/// Reads the keys and settings of the format. `skew` is the tolerated difference of clocks in seconds.
///
/// # Errors
/// The first invalid member, or an algorithm without a key.
pub fn read(
    path: &str,
    written: &document::MediaCdn,
    skew: u64,
    reader: &mut Reader<'_>,
) -> Result<AccessFormat, ConfigError> {
    let keys = jwk::read(&format!("{path}.keys"), &written.keys, ACCEPTED, reader)?;
    check_algorithms(path, written, reader)?;
    let mut verifier = Verifier::new(keys, skew);
    for algorithm in &written.algorithms {
        match algorithm {
            SignatureAlgorithm::Ed25519 => verifier.allow_ed25519(),
            SignatureAlgorithm::HmacSha256 => verifier.allow_sha256(),
            SignatureAlgorithm::HmacSha1 => {
                // The warnings about these secrets are there already.
                let warnings = reader.warnings.len();
                for key in &written.keys.keys {
                    if let Some(secret) = jwk::secret(path, key, "k")? {
                        verifier.allow_sha1(&reader.base64url(path, &secret)?);
                    }
                }
                reader.warnings.truncate(warnings);
            }
        }
    }
    let header = written.header.as_deref().map(str::to_ascii_lowercase);
    Ok(AccessFormat {
        parameter: text(&format!("{path}.parameter"), written.parameter.as_deref().unwrap_or("edge-cache-token"))?,
        cookie: text(&format!("{path}.cookie"), written.cookie.as_deref().unwrap_or("Edge-Cache-Cookie"))?,
        header: header.map(|header| text(&format!("{path}.header"), &header)).transpose()?,
        verifier: FormatVerifier::MediaCdn(verifier),
    })
}

/// Checks that each algorithm has a key, and warns of keys without an algorithm.
fn check_algorithms(path: &str, written: &document::MediaCdn, reader: &mut Reader<'_>) -> Result<(), ConfigError> {
    let is_hmac = |algorithm: &SignatureAlgorithm| *algorithm != SignatureAlgorithm::Ed25519;
    if written.algorithms.is_empty() {
        return Err(ConfigError::new(format!("{path}.algorithms"), "empty, expected at least one algorithm"));
    }
    for algorithm in &written.algorithms {
        let (wanted, word) = match is_hmac(algorithm) {
            true => (KeyType::Secret, "oct"),
            false => (KeyType::OctetKeyPair, "OKP"),
        };
        if !written.keys.keys.iter().any(|key| key.kty == wanted) {
            let message = format!("no key for an algorithm in algorithms, expected one with kty {word}");
            return Err(ConfigError::new(format!("{path}.keys"), message));
        }
    }
    for (index, key) in written.keys.keys.iter().enumerate() {
        let is_secret = key.kty == KeyType::Secret;
        if !written.algorithms.iter().any(|algorithm| is_hmac(algorithm) == is_secret) {
            let expected = if is_secret { "hmac-sha256" } else { "ed25519" };
            reader.warnings.push(format!(
                "{path}.keys[{index}]: a key for an algorithm that is not allowed; expected {expected} in algorithms, or no such key"
            ));
        }
    }
    Ok(())
}
