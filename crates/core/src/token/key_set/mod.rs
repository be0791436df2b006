//! Sets of keys that verify the signatures of access tokens, as JSON Web Keys (RFC 7517) describe them.
//!
//! A key has one algorithm by its type, so a token cannot have a public key used as an HMAC secret.

#[cfg(feature = "eddsa")]
mod ed25519;
#[cfg(feature = "es256")]
mod es256;
#[cfg(feature = "rs256")]
mod rs256;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Most keys that are tried for one token. A set in which more keys fit tokens without a `kid` verifies none of those.
pub const MAX_TRIED: usize = 8;

/// Most keys of a set.
pub const MAX_KEYS: usize = 64;

/// A signature algorithm (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA256.
    Hs256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// EdDSA over Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The `alg` of RFC 7518 and RFC 8037.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm that an `alg` names; `None` for unknown ones and `none`. Ed25519 has a second name (RFC 9864).
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "HS256" => Some(Self::Hs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }
}

/// The reason why no key of a set verifies a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// No key fits the algorithm and the `kid`, or too many do.
    NoKey,
    /// The signature is that of no key that fits.
    Signature,
}

/// A value that is not a key of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// The public key is not a point of the curve, or one of small order.
    Point,
    /// The private key is out of range.
    Private,
    /// The private key does not belong to the public key.
    Pair,
    /// The modulus is even, or it has fewer than 2048 or more than 4096 bits, or leading zero bytes.
    Modulus,
    /// The public exponent is neither 3 nor an odd number from 65537 to 2^32 - 1, or it has leading zero bytes.
    Exponent,
}

/// The key material, which determines the algorithm. Without `Debug`, so that it is never printed.
#[derive(Clone)]
enum Material {
    Hs256(Hmac<Sha256>),
    #[cfg(feature = "es256")]
    Es256(es256::Pair),
    #[cfg(feature = "eddsa")]
    EdDsa(ed25519::Pair),
    #[cfg(feature = "rs256")]
    Rs256(rs256::PublicKey),
}

/// A key.
#[derive(Clone)]
pub struct Key {
    kid: Option<String>,
    issuer: Option<String>,
    material: Material,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, [redacted])", self.algorithm().word())
    }
}

impl Key {
    fn new(material: Material) -> Self {
        Self { kid: None, issuer: None, material }
    }

    /// A secret of HS256, any number of bytes.
    pub fn hs256(secret: &[u8]) -> Option<Self> {
        // HMAC accepts keys of any length: `ok()` never drops one.
        Hmac::new_from_slice(secret).ok().map(Material::Hs256).map(Self::new)
    }

    /// A key of ES256: the coordinates of a point on P-256, big-endian, and perhaps the private key.
    ///
    /// # Errors
    /// [`KeyFault::Point`], [`KeyFault::Private`], [`KeyFault::Pair`].
    #[cfg(feature = "es256")]
    pub fn es256(x: &[u8; 32], y: &[u8; 32], private: Option<&[u8; 32]>) -> Result<Self, KeyFault> {
        es256::Pair::new(x, y, private).map(Material::Es256).map(Self::new)
    }

    /// A key of EdDSA: a point on Ed25519 as RFC 8032 writes it, and perhaps the private key.
    ///
    /// # Errors
    /// [`KeyFault::Point`], [`KeyFault::Pair`].
    #[cfg(feature = "eddsa")]
    pub fn ed25519(x: &[u8; 32], private: Option<&[u8; 32]>) -> Result<Self, KeyFault> {
        ed25519::Pair::new(x, private).map(Material::EdDsa).map(Self::new)
    }

    /// A public key of RS256: modulus and exponent, big-endian.
    ///
    /// # Errors
    /// [`KeyFault::Modulus`], [`KeyFault::Exponent`].
    #[cfg(feature = "rs256")]
    pub fn rs256(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        rs256::PublicKey::new(modulus, exponent).map(Material::Rs256).map(Self::new)
    }

    /// The same key with a `kid`, and bound to an issuer.
    #[must_use]
    pub fn with(self, kid: Option<String>, issuer: Option<String>) -> Self {
        Self { kid, issuer, ..self }
    }

    /// Its `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The issuer (`iss`) whose tokens alone it may sign; `None` if it is bound to none.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Hs256(_) => Algorithm::Hs256,
            #[cfg(feature = "es256")]
            Material::Es256(_) => Algorithm::Es256,
            #[cfg(feature = "eddsa")]
            Material::EdDsa(_) => Algorithm::EdDsa,
            #[cfg(feature = "rs256")]
            Material::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Whether it can sign.
    pub fn can_sign(&self) -> bool {
        match &self.material {
            Material::Hs256(_) => true,
            #[cfg(feature = "es256")]
            Material::Es256(pair) => pair.can_sign(),
            #[cfg(feature = "eddsa")]
            Material::EdDsa(pair) => pair.can_sign(),
            #[cfg(feature = "rs256")]
            Material::Rs256(_) => false,
        }
    }

    /// Signs the concatenation of `message`: HS256, ES256 (deterministic, RFC 6979) and EdDSA as in JWS (RFC 7518).
    /// `None` for a key without a private part.
    pub fn sign(&self, message: &[&[u8]]) -> Option<Vec<u8>> {
        match &self.material {
            Material::Hs256(mac) => Some(absorb(mac, message).finalize().into_bytes().to_vec()),
            #[cfg(feature = "es256")]
            Material::Es256(pair) => pair.sign(message),
            #[cfg(feature = "eddsa")]
            Material::EdDsa(pair) => pair.sign(message),
            #[cfg(feature = "rs256")]
            Material::Rs256(_) => None,
        }
    }

    fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        match &self.material {
            Material::Hs256(mac) => absorb(mac, message).verify_slice(signature).is_ok(),
            #[cfg(feature = "es256")]
            Material::Es256(pair) => pair.verifies(message, signature),
            #[cfg(feature = "eddsa")]
            Material::EdDsa(pair) => pair.verifies(message, signature),
            #[cfg(feature = "rs256")]
            Material::Rs256(key) => key.verifies(message, signature),
        }
    }
}

fn absorb(mac: &Hmac<Sha256>, message: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = mac.clone();
    message.iter().for_each(|piece| mac.update(piece));
    mac
}

/// The keys of a format.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    /// A set of these keys; `None` if there are none or more than [`MAX_KEYS`], or if more than [`MAX_TRIED`] with one
    /// algorithm have the same `kid`.
    pub fn new(keys: Vec<Key>) -> Option<Self> {
        let twins = |key: &Key| keys.iter().filter(|it| it.algorithm() == key.algorithm() && it.kid == key.kid).count();
        let fits = (1..=MAX_KEYS).contains(&keys.len()) && keys.iter().all(|key| twins(key) <= MAX_TRIED);
        fits.then_some(Self { keys })
    }

    /// The keys in the order of the configuration.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Returns the key with `algorithm` that has signed the concatenation of `message`. If `kid` is given, the keys with
    /// that `kid` are tried; if no key has it, those without one.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], [`KeyError::Signature`].
    pub fn verify(
        &self,
        algorithm: Algorithm,
        kid: Option<&[u8]>,
        message: &[&[u8]],
        signature: &[u8],
    ) -> Result<&Key, KeyError> {
        let is_known = kid.is_some_and(|kid| self.keys.iter().any(|key| key.has_kid(kid)));
        let fits = |key: &&Key| {
            key.algorithm() == algorithm
                && match kid {
                    Some(kid) if is_known => key.has_kid(kid),
                    Some(_) => key.kid.is_none(),
                    None => true,
                }
        };
        let candidates = || self.keys.iter().filter(fits);
        if !(1..=MAX_TRIED).contains(&candidates().count()) {
            return Err(KeyError::NoKey);
        }
        candidates().find(|key| key.verifies(message, signature)).ok_or(KeyError::Signature)
    }
}

impl Key {
    fn has_kid(&self, kid: &[u8]) -> bool {
        self.kid.as_ref().is_some_and(|own| own.as_bytes() == kid)
    }
}

#[cfg(test)]
mod tests;
