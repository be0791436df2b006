//! Reader of `tokenAuth.jwt`.

use alloc::format;
use alloc::string::String;

use super::jwk::{self, Accepted};
use super::text::text;
use crate::document;
use crate::error::ConfigError;
use crate::jwt::PathsAre as WrittenPathsAre;
use crate::secret::Reader;
use playlock_core::policy::tokens::{AccessFormat, FormatVerifier};
use playlock_core::token::jwt::{Attestation, ClaimName, PathsAre, Proof, Rules, Verifier};
use playlock_core::token::key_set::Algorithm;

/// Keys of all algorithms; playlock does not sign JSON Web Tokens.
const ACCEPTED: Accepted =
    Accepted { algorithms: &[Algorithm::Hs256, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256], signing: false };

const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// Reads the keys and settings of the format. `skew` is the tolerated difference of clocks in seconds.
///
/// # Errors
/// The first invalid member.
pub fn read(
    path: &str,
    written: &document::Jwt,
    skew: u64,
    reader: &mut Reader<'_>,
) -> Result<AccessFormat, ConfigError> {
    let name = |member: &str, name: &Option<String>, default: &str| {
        text(&format!("{path}.{member}"), name.as_deref().unwrap_or(default))
    };
    let claim = |member: &str, name: &Option<String>, default: &str| {
        let name = name.as_deref().unwrap_or(default);
        ClaimName::parse(name).ok_or_else(|| {
            let message = format!("found \"{name}\", expected a claim's name, with dots between nested ones");
            ConfigError::new(format!("{path}.claims.{member}"), message)
        })
    };
    let claims = &written.claims;
    let verifier = Verifier {
        proof: read_proof(path, written, skew, reader)?,
        paths: claim("paths", &claims.paths, "paths")?,
        paths_are: match written.paths_are {
            WrittenPathsAre::Patterns => PathsAre::Patterns,
            WrittenPathsAre::Prefixes => PathsAre::Prefixes,
        },
        require_paths: written.require_paths,
        id: claim("id", &claims.id, "jti")?,
        payload: claim("payload", &claims.payload, "sub")?,
    };
    // Header names are compared in lower case.
    let header = written.header.as_ref().map(|header| header.to_ascii_lowercase());
    Ok(AccessFormat {
        parameter: name("parameter", &written.parameter, "token")?,
        cookie: name("cookie", &written.cookie, "token")?,
        header: Some(name("header", &header, "authorization")?),
        verifier: FormatVerifier::Jwt(verifier),
    })
}

fn read_proof(path: &str, written: &document::Jwt, skew: u64, reader: &mut Reader<'_>) -> Result<Proof, ConfigError> {
    for (member, texts) in [("issuers", &written.issuers), ("audiences", &written.audiences)] {
        if texts.iter().any(String::is_empty) {
            let message = "found an empty text, expected the texts of the claim";
            return Err(ConfigError::new(format!("{path}.{member}"), message));
        }
    }
    match (&written.keys, &written.metadata) {
        (Some(keys), None) => Ok(Proof::Signature(Rules {
            keys: jwk::read(&format!("{path}.keys"), keys, ACCEPTED, reader)?,
            issuers: written.issuers.clone(),
            audiences: written.audiences.clone(),
            max_age: written.max_age.map(|age| age.0),
            skew,
        })),
        (None, Some(metadata)) => {
            let checks = [
                ("issuers", !written.issuers.is_empty()),
                ("audiences", !written.audiences.is_empty()),
                ("maxAge", written.max_age.is_some()),
            ];
            if let Some((member, _)) = checks.into_iter().find(|(_, found)| *found) {
                let message = "found with metadata, expected in jwt_authn alone, which checks the token";
                return Err(ConfigError::new(format!("{path}.{member}"), message));
            }
            let namespace = metadata.namespace.as_deref().unwrap_or(JWT_AUTHN);
            for (member, text) in [("namespace", namespace), ("key", &metadata.key)] {
                if text.is_empty() || text.chars().any(char::is_control) {
                    let message = format!("found \"{}\", expected a name in the metadata", text.escape_default());
                    return Err(ConfigError::new(format!("{path}.metadata.{member}"), message));
                }
            }
            Ok(Proof::Envoy(Attestation { path: [namespace.into(), metadata.key.clone()] }))
        }
        (Some(_), Some(_)) => {
            Err(ConfigError::new(format!("{path}.metadata"), "found with keys, expected either of them"))
        }
        (None, None) => {
            Err(ConfigError::new(format!("{path}.keys"), "missing, expected the issuers' keys, or metadata"))
        }
    }
}
