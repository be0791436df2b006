//! Keys that sign tokens: hex digits or a JSON Web Key (RFC 7517) with its private part.

use std::io::Read;
use std::path::Path;
use std::{env, fmt};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::ValueEnum;
use hmac::{Hmac, KeyInit, Mac};
use playlock_config::document::SecretSource;
use playlock_config::sealed;
use playlock_core::token::format::Format;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;

use crate::failure::Failure;
use crate::given;

/// The algorithm of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// HMAC-SHA-256.
    #[value(alias = "hs256", alias = "HS256")]
    Sha256,
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-MD5.
    Md5,
    /// ECDSA on P-256.
    #[value(alias = "ES256")]
    Es256,
    /// Ed25519.
    #[value(name = "eddsa", alias = "EdDSA", alias = "ed25519")]
    EdDsa,
    /// RSA PKCS #1 v1.5 with SHA-256.
    #[value(alias = "RS256")]
    Rs256,
}

/// The key itself.
pub enum Material {
    /// For an HMAC.
    Hmac(Vec<u8>),
    /// For Ed25519.
    Ed25519(Ed25519KeyPair),
    /// For ES256.
    P256(EcdsaKeyPair),
    /// For RS256.
    Rsa(RsaKeyPair),
}

/// A key, and what tokens say about it.
pub struct SigningKey {
    /// The key itself.
    pub material: Material,
    /// The key's id.
    pub kid: Option<String>,
    /// The issuer that the configuration binds it to.
    pub issuer: Option<String>,
}

/// The key of `--key` or `--key-file`.
///
/// # Errors
/// A file that cannot be read, or that is neither hex nor a private JSON Web Key. Errors never show the text.
pub fn given(
    argument: Option<&str>,
    file: Option<&Path>,
    algorithm: Option<Algorithm>,
    input: &mut dyn Read,
) -> Result<SigningKey, Failure> {
    let (option, text) = match file {
        Some(path) => ("--key-file", given::read(path, input)?),
        None => ("--key", argument.unwrap_or_default().to_owned()),
    };
    if text.trim_start().starts_with('{') {
        let jwk: Value = serde_json::from_str(&text)
            .map_err(|error| Failure::Wrong(format!("{option}: no JSON: {error}; expected a JSON Web Key")))?;
        let mut failure = "no keys".to_owned();
        for key in keys_of(&jwk).unwrap_or(std::slice::from_ref(&jwk)) {
            match from_jwk(key) {
                Ok(key) => return Ok(key),
                Err(why) => failure = why,
            }
        }
        return Err(Failure::Wrong(format!(
            "{option}: a JSON Web Key that cannot sign: {failure}; expected kty oct with k, or OKP, EC or RSA with d"
        )));
    }
    match algorithm {
        Some(Algorithm::EdDsa) => {
            let seed = given::hex(option, &text, Some(32))?;
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| unusable(&error))?;
            Ok(SigningKey { material: Material::Ed25519(pair), kid: None, issuer: None })
        }
        Some(Algorithm::Es256 | Algorithm::Rs256) => {
            given::hex(option, &text, None)?;
            Err(Failure::Wrong(format!("{option}: hex digits; expected a JSON Web Key for this algorithm")))
        }
        _ => Ok(SigningKey::hmac(given::hex(option, &text, None)?)),
    }
}

/// The first key of a policy's format that can sign.
///
/// # Errors
/// If none can.
pub fn of_policy(settings: &Value, format: Format, policy: &str) -> Result<SigningKey, Failure> {
    let keys = settings.get("keys").and_then(keys_of).unwrap_or_default();
    keys.iter().find_map(|key| from_jwk(key).ok()).ok_or_else(|| {
        Failure::Wrong(format!(
            "the policy \"{policy}\" has no key of {} that can sign, since public keys only verify; expected the private key in --key-file",
            format.word()
        ))
    })
}

/// The text of a secret: a string, the value of the environment variable that it names, or what is sealed in it.
pub fn secret(value: &Value) -> Option<String> {
    let env = |name: &str| env::var(name).ok();
    match serde_json::from_value(value.clone()).ok()? {
        SecretSource::Inline(text) => Some(text),
        SecretSource::Env(name) => env(&name),
        SecretSource::Sealed(text) => sealed::open(&text, &env).ok(),
    }
}

/// The keys of an array or a JWK Set; `None` if it is neither.
fn keys_of(value: &Value) -> Option<&[Value]> {
    value.get("keys").unwrap_or(value).as_array().map(Vec::as_slice)
}

fn from_jwk(jwk: &Value) -> Result<SigningKey, String> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).map(str::to_owned);
    let bytes = |name: &str| {
        let value = jwk.get(name).and_then(secret).ok_or_else(|| format!("no {name}"))?;
        URL_SAFE_NO_PAD.decode(value.trim_end_matches('=')).map_err(|_| format!("{name} is not base64url"))
    };
    let material = match text("kty").as_deref() {
        Some("oct") => Material::Hmac(bytes("k")?),
        Some("OKP") => {
            let pair = Ed25519KeyPair::from_seed_unchecked(&bytes("d")?);
            Material::Ed25519(pair.map_err(|error| format!("d: {error}"))?)
        }
        Some("EC") => {
            let public = [vec![4], bytes("x")?, bytes("y")?].concat();
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let pair =
                EcdsaKeyPair::from_private_key_and_public_key(algorithm, &bytes("d")?, &public, &SystemRandom::new());
            Material::P256(pair.map_err(|error| format!("d, x and y: {error}"))?)
        }
        Some("RSA") => {
            let (n, e, d, p, q) = (bytes("n")?, bytes("e")?, bytes("d")?, bytes("p")?, bytes("q")?);
            let (dp, dq, qi) = (bytes("dp")?, bytes("dq")?, bytes("qi")?);
            let components =
                KeyPairComponents { public_key: PublicKeyComponents { n, e }, d, p, q, dP: dp, dQ: dq, qInv: qi };
            let pair = RsaKeyPair::from_components(&components);
            Material::Rsa(pair.map_err(|error| format!("the numbers of the key: {error}"))?)
        }
        _ => return Err("unknown kty".into()),
    };
    Ok(SigningKey { material, kid: text("kid"), issuer: text("iss") })
}

impl SigningKey {
    /// A key for an HMAC.
    pub fn hmac(key: Vec<u8>) -> Self {
        Self { material: Material::Hmac(key), kid: None, issuer: None }
    }

    /// The algorithm that the key is for; an HMAC's is SHA-256.
    pub fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Hmac(_) => Algorithm::Sha256,
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256(_) => Algorithm::Es256,
            Material::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// Signs with the key's algorithm, which `wanted` must not contradict. Signatures are as long as in JSON Web
    /// Signatures (RFC 7518 section 3).
    ///
    /// # Errors
    /// A key that is for another algorithm.
    pub fn sign(&self, wanted: Option<Algorithm>, message: &[u8]) -> Result<Vec<u8>, Failure> {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != self.algorithm()) {
            return Err(self.mismatch(wanted));
        }
        match &self.material {
            Material::Hmac(key) => digest::<Hmac<sha2::Sha256>>(key, message),
            Material::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Material::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|error| unusable(&error))?;
                Ok(signature.as_ref().to_vec())
            }
            Material::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|error| unusable(&error))?;
                Ok(signature)
            }
        }
    }

    /// The HMAC of a text in lower-case hex; SHA-256 unless another hash is wanted.
    ///
    /// # Errors
    /// A key or an algorithm that is not for an HMAC.
    pub fn hmac_hex(&self, wanted: Option<Algorithm>, text: &[u8]) -> Result<String, Failure> {
        let wanted = wanted.unwrap_or(Algorithm::Sha256);
        let Material::Hmac(key) = &self.material else { return Err(self.mismatch(wanted)) };
        let tag = match wanted {
            Algorithm::Sha256 => digest::<Hmac<sha2::Sha256>>(key, text),
            Algorithm::Sha1 => digest::<Hmac<sha1::Sha1>>(key, text),
            Algorithm::Md5 => digest::<Hmac<md5::Md5>>(key, text),
            Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Rs256 => Err(self.mismatch(wanted)),
        };
        Ok(base16ct::lower::encode_string(&tag?))
    }

    fn mismatch(&self, wanted: Algorithm) -> Failure {
        let word = |algorithm: Algorithm| {
            algorithm.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
        };
        let (wanted, own) = (word(wanted), word(self.algorithm()));
        Failure::Wrong(format!("the key is for {own}, not for {wanted}; expected another key or --algorithm {own}"))
    }
}

fn digest<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Result<Vec<u8>, Failure> {
    let mac = <M as KeyInit>::new_from_slice(key).map_err(|error| unusable(&error))?;
    Ok(mac.chain_update(text).finalize().into_bytes().to_vec())
}

fn unusable(error: &dyn fmt::Display) -> Failure {
    Failure::Wrong(format!("the key cannot be used: {error}"))
}
