//! Reader of JSON Web Keys.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::ConfigError;
use crate::jwk::{Jwk, Jwks, KeyType, Member};
use crate::secret::Reader;
use crate::value::SecretSource;
use playlock_core::token::key_set::{Algorithm, Key, KeyFault, KeySet};

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
    if jwk.member("d").is_some() && !accepted.signing {
        let message = "found a private key, expected the public key alone: playlock does not sign with this key";
        return Err(ConfigError::new(member("d"), message));
    }
    let key = match algorithm {
        Algorithm::Hs256 => {
            let source = secret(path, jwk, "k")?.ok_or_else(|| missing(path, "k"))?;
            Key::hs256(&reader.base64url(&member("k"), &source)?).ok_or_else(|| missing(path, "k"))?
        }
        #[cfg(feature = "es256")]
        Algorithm::Es256 => {
            check_curve(path, jwk, "P-256")?;
            let (x, y) = (coordinate(path, jwk, "x")?, coordinate(path, jwk, "y")?);
            let private = private(path, jwk, reader)?;
            Key::es256(&x, &y, private.as_ref()).map_err(|fault| describe(path, fault))?
        }
        #[cfg(feature = "eddsa")]
        Algorithm::EdDsa => {
            check_curve(path, jwk, "Ed25519")?;
            let x = coordinate(path, jwk, "x")?;
            let private = private(path, jwk, reader)?;
            Key::ed25519(&x, private.as_ref()).map_err(|fault| describe(path, fault))?
        }
        #[cfg(feature = "rs256")]
        Algorithm::Rs256 => {
            let (n, e) = (number(path, jwk, "n")?, number(path, jwk, "e")?);
            Key::rs256(&n, &e).map_err(|fault| describe(path, fault))?
        }
        // Every format accepts algorithms that are built with it.
        #[cfg(not(all(feature = "es256", feature = "eddsa", feature = "rs256")))]
        _ => return Err(ConfigError::new(member("kty"), "found a type of key that this build of playlock leaves out")),
    };
    let own = |name: &str| text(path, jwk, name).map(|text| text.map(String::from));
    Ok(key.with(own("kid")?, own("iss")?))
}

/// Checks that the key's metadata allow to verify signatures of its algorithm.
fn check_purpose(path: &str, jwk: &Jwk, algorithm: Algorithm) -> Result<(), ConfigError> {
    let wrong = |name: &str, found: &str, expected: &str| {
        Err(ConfigError::new(format!("{path}.{name}"), format!("found \"{found}\", expected {expected}")))
    };
    if let Some(alg) = text(path, jwk, "alg")?.filter(|alg| Algorithm::named(alg) != Some(algorithm)) {
        return wrong("alg", alg, &format!("\"{}\", the algorithm of this key's type", algorithm.word()));
    }
    if let Some(purpose) = text(path, jwk, "use")?.filter(|purpose| *purpose != "sig") {
        return wrong("use", purpose, "\"sig\": remove keys for other purposes");
    }
    match jwk.member("key_ops") {
        None => {}
        Some(Member::Texts(operations)) if operations.iter().any(|op| matches!(op.as_str(), "verify" | "sign")) => {}
        Some(Member::Texts(operations)) => {
            return wrong("key_ops", &operations.join(", "), "\"verify\": remove keys for other purposes");
        }
        Some(_) => return Err(no_text(path, "key_ops", "an array of texts")),
    }
    for name in ["kid", "iss"] {
        if text(path, jwk, name)? == Some("") {
            return wrong(name, "", "a text that is not empty, or no such member");
        }
    }
    Ok(())
}

/// Checks that the key has no members of another type of key.
fn check_members(path: &str, jwk: &Jwk) -> Result<(), ConfigError> {
    const PRIMES: [&str; 6] = ["p", "q", "dp", "dq", "qi", "oth"];
    let has = |name: &str| jwk.member(name).is_some();
    let is_rsa = jwk.kty == KeyType::Rsa;
    if is_rsa && (has("d") || PRIMES.iter().any(|name| has(name))) {
        let message = "found a private RSA key, expected the public key alone: kty, n and e";
        return Err(ConfigError::new(path, message));
    }
    let (is_secret, is_curve) = (jwk.kty == KeyType::Secret, jwk.kty == KeyType::EllipticCurve);
    let has_point = is_curve || jwk.kty == KeyType::OctetKeyPair;
    let members = [
        ("k", is_secret),
        ("crv", has_point),
        ("x", has_point),
        ("y", is_curve),
        ("d", has_point),
        ("n", is_rsa),
        ("e", is_rsa),
    ];
    let primes = PRIMES.into_iter().map(|name| (name, false));
    match members.into_iter().chain(primes).find(|(name, expected)| !expected && has(name)) {
        Some((name, _)) => Err(ConfigError::new(
            format!("{path}.{name}"),
            "found a member of another type of key (kty), expected none",
        )),
        None => Ok(()),
    }
}

/// A member that is a text.
pub fn text<'a>(path: &str, jwk: &'a Jwk, name: &str) -> Result<Option<&'a str>, ConfigError> {
    match jwk.member(name) {
        None => Ok(None),
        Some(Member::Text(text)) => Ok(Some(text)),
        Some(_) => Err(no_text(path, name, "a text")),
    }
}

/// A member that is a secret.
pub fn secret(path: &str, jwk: &Jwk, name: &str) -> Result<Option<SecretSource>, ConfigError> {
    match jwk.member(name) {
        None => Ok(None),
        Some(Member::Text(text)) => Ok(Some(SecretSource::Inline(text.clone()))),
        Some(Member::Hidden(source)) => Ok(Some(source.clone())),
        Some(_) => Err(no_text(path, name, "a secret's text, {\"env\": \"NAME\"} or {\"sealed\": \"TEXT\"}")),
    }
}

fn no_text(path: &str, name: &str, expected: &str) -> ConfigError {
    ConfigError::new(format!("{path}.{name}"), format!("found a value of another type, expected {expected}"))
}

#[cfg(any(feature = "es256", feature = "eddsa"))]
fn check_curve(path: &str, jwk: &Jwk, expected: &str) -> Result<(), ConfigError> {
    match text(path, jwk, "crv")? {
        Some(found) if found == expected => Ok(()),
        Some(found) => {
            Err(ConfigError::new(format!("{path}.crv"), format!("found \"{found}\", expected \"{expected}\"")))
        }
        None => Err(missing(path, "crv")),
    }
}

pub fn missing(path: &str, name: &str) -> ConfigError {
    ConfigError::new(format!("{path}.{name}"), "missing, expected this member of the key's type (RFC 7518, RFC 8037)")
}

fn number(path: &str, jwk: &Jwk, name: &str) -> Result<Vec<u8>, ConfigError> {
    let text = text(path, jwk, name)?.ok_or_else(|| missing(path, name))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| {
        let message = format!("found {} characters that are not base64url, expected base64url without =", text.len());
        ConfigError::new(format!("{path}.{name}"), message)
    })
}

#[cfg(any(feature = "es256", feature = "eddsa"))]
fn coordinate(path: &str, jwk: &Jwk, name: &str) -> Result<[u8; 32], ConfigError> {
    let bytes = number(path, jwk, name)?;
    let found = bytes.len();
    bytes.try_into().map_err(|_| {
        ConfigError::new(format!("{path}.{name}"), format!("found {found} bytes, expected 32 in base64url"))
    })
}

#[cfg(any(feature = "es256", feature = "eddsa"))]
fn private(path: &str, jwk: &Jwk, reader: &mut Reader<'_>) -> Result<Option<[u8; 32]>, ConfigError> {
    let Some(source) = secret(path, jwk, "d")? else { return Ok(None) };
    let path = format!("{path}.d");
    let bytes = reader.base64url(&path, &source)?;
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
