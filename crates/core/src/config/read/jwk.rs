//! Reader of JSON Web Keys.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::config::error::ConfigError;
use crate::config::jwk::{Jwk, Jwks, KeyType};
use crate::config::secret::Reader;
use crate::config::value::SecretSource;
use crate::token::key_set::{Algorithm, Key, KeyFault, KeySet};

/// Kinds of keys that a format takes.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// The algorithms of its tokens.
    pub algorithms: &'static [Algorithm],
    /// Accept private keys (`d`): the format renews tokens.
    pub signing: bool,
}

/// Reads the keys at the JSON path `path`.
///
/// # Errors
/// The first invalid member, a key that the format does not take, or no key at all. Errors never show secrets.
pub fn read(path: &str, written: &Jwks, accepted: Accepted, reader: &mut Reader<'_>) -> Result<KeySet, ConfigError> {
    let path = if written.is_set { format!("{path}.keys") } else { String::from(path) };
    let keys = written.keys.iter().enumerate();
    let keys = keys.map(|(index, key)| read_key(&format!("{path}[{index}]"), key, accepted, reader));
    let keys = keys.collect::<Result<Vec<Key>, _>>()?;
    let found = keys.len();
    KeySet::new(keys).ok_or_else(|| {
        ConfigError::new(
            path,
            format!("found {found} keys, expected 1 to 64, and at most 8 of an algorithm with the same kid"),
        )
    })
}

/// Reads one key.
///
/// # Errors
/// As [`read`].
pub fn read_key(path: &str, jwk: &Jwk, accepted: Accepted, reader: &mut Reader<'_>) -> Result<Key, ConfigError> {
    let member = |name: &str| format!("{path}.{name}");
    let algorithm = match jwk.kty {
        KeyType::Secret => Algorithm::Hs256,
        KeyType::EllipticCurve => Algorithm::Es256,
        KeyType::OctetKeyPair => Algorithm::EdDsa,
        KeyType::Rsa => Algorithm::Rs256,
    };
    if !accepted.algorithms.contains(&algorithm) {
        let words: Vec<&str> = accepted.algorithms.iter().map(|algorithm| algorithm.word()).collect();
        let message = format!("found a key of {}, expected one of {}", algorithm.word(), words.join(", "));
        return Err(ConfigError::new(member("kty"), message));
    }
    check_purpose(path, jwk, algorithm)?;
    check_members(path, jwk)?;
    if jwk.d.is_some() && !accepted.signing {
        let message = "found a private key, expected the public key alone: playlock does not sign with this key";
        return Err(ConfigError::new(member("d"), message));
    }
    let key = match algorithm {
        Algorithm::Hs256 => {
            let source = jwk.k.as_ref().ok_or_else(|| missing(path, "k"))?;
            Key::hs256(&reader.base64url(&member("k"), source)?).ok_or_else(|| missing(path, "k"))?
        }
        #[cfg(feature = "es256")]
        Algorithm::Es256 => {
            check_curve(path, jwk, "P-256")?;
            let (x, y) = (coordinate(path, "x", jwk.x.as_deref())?, coordinate(path, "y", jwk.y.as_deref())?);
            let private = private(path, jwk.d.as_ref(), reader)?;
            Key::es256(&x, &y, private.as_ref()).map_err(|fault| describe(path, fault))?
        }
        #[cfg(feature = "eddsa")]
        Algorithm::EdDsa => {
            check_curve(path, jwk, "Ed25519")?;
            let x = coordinate(path, "x", jwk.x.as_deref())?;
            let private = private(path, jwk.d.as_ref(), reader)?;
            Key::ed25519(&x, private.as_ref()).map_err(|fault| describe(path, fault))?
        }
        #[cfg(feature = "rs256")]
        Algorithm::Rs256 => {
            let (n, e) = (number(path, "n", jwk.n.as_deref())?, number(path, "e", jwk.e.as_deref())?);
            Key::rs256(&n, &e).map_err(|fault| describe(path, fault))?
        }
        // Every format accepts algorithms that are built with it.
        #[cfg(not(all(feature = "es256", feature = "eddsa", feature = "rs256")))]
        _ => return Err(ConfigError::new(member("kty"), "found a type of key that this build of playlock leaves out")),
    };
    Ok(key.with(jwk.kid.clone(), jwk.iss.clone()))
}

/// Checks that the key's metadata allow to verify signatures of its algorithm.
fn check_purpose(path: &str, jwk: &Jwk, algorithm: Algorithm) -> Result<(), ConfigError> {
    let wrong = |name: &str, found: &str, expected: &str| {
        Err(ConfigError::new(format!("{path}.{name}"), format!("found \"{found}\", expected {expected}")))
    };
    if let Some(alg) = jwk.alg.as_deref().filter(|alg| Algorithm::named(alg) != Some(algorithm)) {
        return wrong("alg", alg, &format!("\"{}\", the algorithm of this key's type", algorithm.word()));
    }
    if let Some(purpose) = jwk.public_key_use.as_deref().filter(|purpose| *purpose != "sig") {
        return wrong("use", purpose, "\"sig\": remove keys for other purposes");
    }
    let operations = jwk.key_ops.as_deref();
    if let Some(operations) = operations.filter(|ops| !ops.iter().any(|op| matches!(op.as_str(), "verify" | "sign"))) {
        return wrong("key_ops", &operations.join(", "), "\"verify\": remove keys for other purposes");
    }
    for (name, text) in [("kid", &jwk.kid), ("iss", &jwk.iss)] {
        if text.as_deref() == Some("") {
            return wrong(name, "", "a text that is not empty, or no such member");
        }
    }
    Ok(())
}

/// Checks that the key has no members of another type of key.
fn check_members(path: &str, jwk: &Jwk) -> Result<(), ConfigError> {
    let primes = [&jwk.p, &jwk.q, &jwk.dp, &jwk.dq, &jwk.qi, &jwk.oth];
    let is_rsa = jwk.kty == KeyType::Rsa;
    if is_rsa && (jwk.d.is_some() || primes.iter().any(|prime| prime.is_some())) {
        let message = "found a private RSA key, expected the public key alone: kty, n and e";
        return Err(ConfigError::new(path, message));
    }
    let (is_secret, is_curve) = (jwk.kty == KeyType::Secret, jwk.kty == KeyType::EllipticCurve);
    let has_point = is_curve || jwk.kty == KeyType::OctetKeyPair;
    let members = [
        ("k", jwk.k.is_some(), is_secret),
        ("crv", jwk.crv.is_some(), has_point),
        ("x", jwk.x.is_some(), has_point),
        ("y", jwk.y.is_some(), is_curve),
        ("d", jwk.d.is_some(), has_point),
        ("n", jwk.n.is_some(), is_rsa),
        ("e", jwk.e.is_some(), is_rsa),
        ("p", primes.iter().any(|prime| prime.is_some()), is_rsa),
    ];
    match members.into_iter().find(|(_, found, expected)| *found && !expected) {
        Some((name, _, _)) => Err(ConfigError::new(
            format!("{path}.{name}"),
            "found a member of another type of key (kty), expected none",
        )),
        None => Ok(()),
    }
}

#[cfg(any(feature = "es256", feature = "eddsa"))]
fn check_curve(path: &str, jwk: &Jwk, expected: &str) -> Result<(), ConfigError> {
    match jwk.crv.as_deref() {
        Some(found) if found == expected => Ok(()),
        Some(found) => {
            Err(ConfigError::new(format!("{path}.crv"), format!("found \"{found}\", expected \"{expected}\"")))
        }
        None => Err(missing(path, "crv")),
    }
}

fn missing(path: &str, name: &str) -> ConfigError {
    ConfigError::new(format!("{path}.{name}"), "missing, expected this member of the key's type (RFC 7518, RFC 8037)")
}

fn number(path: &str, name: &str, text: Option<&str>) -> Result<Vec<u8>, ConfigError> {
    let text = text.ok_or_else(|| missing(path, name))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| {
        let message = format!("found {} characters that are not base64url, expected base64url without =", text.len());
        ConfigError::new(format!("{path}.{name}"), message)
    })
}

#[cfg(any(feature = "es256", feature = "eddsa"))]
fn coordinate(path: &str, name: &str, text: Option<&str>) -> Result<[u8; 32], ConfigError> {
    let bytes = number(path, name, text)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| {
        ConfigError::new(format!("{path}.{name}"), format!("found {found} bytes, expected 32 in base64url"))
    })
}

#[cfg(any(feature = "es256", feature = "eddsa"))]
fn private(
    path: &str,
    source: Option<&SecretSource>,
    reader: &mut Reader<'_>,
) -> Result<Option<[u8; 32]>, ConfigError> {
    let Some(source) = source else { return Ok(None) };
    let path = format!("{path}.d");
    let bytes = reader.base64url(&path, source)?;
    let found = bytes.len();
    let bytes = <[u8; 32]>::try_from(bytes.as_slice());
    bytes.map(Some).map_err(|_| ConfigError::new(path, format!("found {found} bytes, expected 32 in base64url")))
}

fn describe(path: &str, fault: KeyFault) -> ConfigError {
    let (name, message) = match fault {
        KeyFault::Point => ("x", "found no point of the curve that is fit for a public key; expected the issuer's key"),
        KeyFault::Private => ("d", "found a number out of range, expected a private key of the curve"),
        KeyFault::Pair => ("d", "found a private key of another public key, expected that of x and y"),
        KeyFault::Modulus => {
            ("n", "found no modulus of RSA: expected an odd number of 2048 to 4096 bits, without zero bytes before it")
        }
        KeyFault::Exponent => ("e", "found no exponent of RSA: expected 3, or an odd number from 65537 to 2^32 - 1"),
    };
    ConfigError::new(format!("{path}.{name}"), message)
}
