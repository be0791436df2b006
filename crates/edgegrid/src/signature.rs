//! Owns signatures: made for a request, and verified.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::authorization::{Authorization, SCHEME, is_nonce};
use crate::content::hashes;
use crate::credentials::{ClientSecret, Credentials};
use crate::refusal::Refusal;
use crate::request::{Part, SignedRequest};
use crate::timestamp;

/// Verifies the signature of a request under the client's secret, in constant time. Of a POST body the first `max_body`
/// bytes ([`MAX_BODY`](crate::MAX_BODY)) are hashed, or as many UTF-16 code units: at most four times `max_body` bytes. A request
/// with a longer body is accepted whatever is behind them.
///
/// # Errors
/// [`Refusal::Request`], [`Refusal::Signature`].
pub fn verify(
    authorization: &Authorization<'_>,
    secret: &ClientSecret,
    request: &SignedRequest<'_>,
    max_body: usize,
) -> Result<(), Refusal> {
    let text = request.text()?;
    let key = signing_key(secret, authorization.timestamp_text()).ok_or(Refusal::Signature)?;
    let (by_bytes, by_units) = hashes(request.method, request.body, max_body);
    let mut equal = Choice::from(0);
    for hash in [Some(by_bytes), by_units].into_iter().flatten() {
        let signature = mac(&key, &[&text, &hash, "\t", authorization.signed()]).ok_or(Refusal::Signature)?;
        equal |= signature.as_slice().ct_eq(authorization.signature());
    }
    if bool::from(equal) { Ok(()) } else { Err(Refusal::Signature) }
}

/// A client that signs its requests.
#[derive(Debug)]
pub struct Signer<'a> {
    /// The client's credentials.
    pub credentials: &'a Credentials,
    /// Bytes of a POST body that are signed: [`MAX_BODY`](crate::MAX_BODY).
    pub max_body: usize,
}

impl Signer<'_> {
    /// The value of the `Authorization` header of a request. The time is in Unix seconds; a nonce is used once
    /// ([`new_nonce`](crate::new_nonce)).
    ///
    /// # Errors
    /// [`SignFault`].
    pub fn sign(&self, request: &SignedRequest<'_>, now: i64, nonce: &str) -> Result<String, SignFault> {
        let text = request.text().map_err(SignFault::Request)?;
        let time = timestamp::write(now).ok_or(SignFault::Time)?;
        if !is_nonce(nonce) {
            return Err(SignFault::Nonce);
        }
        let (client, access) = (self.credentials.client_token(), self.credentials.access_token());
        let signed = format!("{SCHEME}client_token={client};access_token={access};timestamp={time};nonce={nonce};");
        let key = signing_key(self.credentials.client_secret(), &time).ok_or(SignFault::Time)?;
        let (hash, _) = hashes(request.method, request.body, self.max_body);
        let signature = mac(&key, &[&text, &hash, "\t", &signed]).ok_or(SignFault::Time)?;
        Ok(format!("{signed}signature={}", STANDARD.encode(signature.as_slice())))
    }
}

/// A request that cannot be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignFault {
    /// This part of the request.
    Request(Part),
    /// A time before 1970 or after 9999.
    Time,
    /// A nonce that is not 1 to 128 letters, digits and `-._~+/=`.
    Nonce,
}

impl fmt::Display for SignFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(part) => Refusal::Request(*part).fmt(f),
            Self::Time => f.write_str("timestamp: not a time of the years 1970 to 9999; expected the clock's"),
            Self::Nonce => f.write_str("nonce: unusable value; expected 1 to 128 letters, digits and -._~+/="),
        }
    }
}

impl std::error::Error for SignFault {}

/// The signing key of a timestamp, as text.
fn signing_key(secret: &ClientSecret, timestamp: &str) -> Option<Zeroizing<String>> {
    let mac = mac(secret.expose(), &[timestamp])?;
    Some(Zeroizing::new(STANDARD.encode(mac.as_slice())))
}

/// HMAC-SHA256 over texts, one behind the other. `None` never: it takes keys of any length.
fn mac(key: &str, texts: &[&str]) -> Option<Zeroizing<[u8; 32]>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    for text in texts {
        mac.update(text.as_bytes());
    }
    Some(Zeroizing::new(mac.finalize().into_bytes().into()))
}
