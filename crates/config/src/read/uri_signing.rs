//! Reader of `tokenAuth.urisigning`.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::jwk::{self, Accepted};
use super::text::text;
use crate::document::{self, IdentifiedBy};
use crate::error::ConfigError;
use crate::jwk::{Jwks, KeyType};
use crate::secret::Reader;
use playlock_core::policy::tokens::{AccessFormat, FormatVerifier, Transport};
use playlock_core::token::format::Format;
use playlock_core::token::jws::Header;
use playlock_core::token::key_set::Algorithm;
use playlock_core::token::uri_signing::Verifier;
use playlock_core::token::uri_signing::jwe::DecryptionKey;
use playlock_core::token::uri_signing::renewal::Renewer;

const DEFAULT_PARAMETER: &str = "URISigningPackage";
const ALGORITHMS: [Algorithm; 4] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Hs256];

/// Reads the keys and settings of the format. RFC 9246 tolerates no difference of clocks.
///
/// # Errors
/// The first invalid member.
pub fn read(
    path: &str,
    written: &document::UriSigning,
    _skew: u64,
    reader: &mut Reader<'_>,
) -> Result<AccessFormat, ConfigError> {
    let member = |name: &str| format!("{path}.{name}");
    let accepted = Accepted { algorithms: &ALGORITHMS, signing: written.chaining.is_some() };
    let keys = jwk::read(&member("keys"), &written.keys, accepted, reader)?;
    let decryption_keys = match &written.decryption_keys {
        Some(keys) => read_decryption_keys(&member("decryptionKeys"), keys, reader)?,
        None => Vec::new(),
    };
    let renewer = match &written.chaining {
        None => None,
        Some(chaining) => Some(Renewer::new(&chaining.issuer, &keys).ok_or_else(|| {
            ConfigError::new(
                member("chaining.issuer"),
                format!(
                    "found \"{}\", expected the iss of one of the keys that can sign: with k, or with d",
                    chaining.issuer.escape_default()
                ),
            )
        })?),
    };
    if let Some(header) = &written.jwt_header
        && Header::decode_signed(header).and_then(|header| header.text("alg")).is_none()
    {
        return Err(ConfigError::new(
            member("jwtHeader"),
            format!(
                "found \"{}\", expected a JSON object with alg in base64url without padding",
                header.escape_default()
            ),
        ));
    }
    let parameter = written.parameter.as_deref().unwrap_or(DEFAULT_PARAMETER);
    Ok(AccessFormat {
        parameter: text(&member("parameter"), parameter)?,
        cookie: text(&member("cookie"), written.cookie.as_deref().unwrap_or(parameter))?,
        header: None,
        verifier: FormatVerifier::UriSigning(Verifier {
            keys,
            decryption_keys,
            audiences: written.audience.clone(),
            header: written.jwt_header.clone(),
            accepts_ids: written.accept_token_ids,
            renewer: renewer.map(Box::new),
        }),
    })
}

fn read_decryption_keys(
    path: &str,
    written: &Jwks,
    reader: &mut Reader<'_>,
) -> Result<Vec<DecryptionKey>, ConfigError> {
    let path = if written.is_set { format!("{path}.keys") } else { path.into() };
    let mut keys = Vec::with_capacity(written.keys.len());
    for (index, key) in written.keys.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let member = |name: &str| format!("{path}.{name}");
        if key.kty != KeyType::Secret || jwk::text(&path, key, "alg")? != Some("A128GCM") {
            return Err(ConfigError::new(
                member("alg"),
                "found another kind of key, expected \"A128GCM\" beside kty \"oct\": claims are encrypted with AES-128-GCM (dir)",
            ));
        }
        if let Some(purpose) = jwk::text(&path, key, "use")?.filter(|purpose| *purpose != "enc") {
            let message = format!("found \"{}\", expected \"enc\"", purpose.escape_default());
            return Err(ConfigError::new(member("use"), message));
        }
        let source = jwk::secret(&path, key, "k")?.ok_or_else(|| jwk::missing(&path, "k"))?;
        let bytes = reader.base64url(&member("k"), &source)?;
        let made = DecryptionKey::new(jwk::text(&path, key, "kid")?.map(Into::into), &bytes);
        let message = || format!("found {} bytes, expected 16, as alg demands", bytes.len());
        keys.push(made.ok_or_else(|| ConfigError::new(member("k"), message()))?);
    }
    Ok(keys)
}

/// Checks that a policy whose tokens are renewed (`chaining`) has no member that needs a session.
///
/// # Errors
/// The first such member. `path` is the policy's.
pub fn check_chaining(path: &str, policy: &document::Policy) -> Result<(), ConfigError> {
    let Some(auth) = &policy.token_auth else { return Ok(()) };
    let refuse = |member: &str, found: &str, expected: &str| {
        let why = "beside tokenAuth.urisigning.chaining, which opens no sessions";
        Err(ConfigError::new(format!("{path}.{member}"), format!("found {found} {why}; expected {expected}")))
    };
    if auth.formats != [Format::UriSigning] {
        return refuse("tokenAuth.formats", "other formats", "[\"urisigning\"]");
    }
    if policy.media_encryption.as_ref().is_some_and(|encryption| encryption.enabled) {
        return refuse("mediaEncryption", "encryption", "none: its keys belong to sessions");
    }
    for (member, enforced) in [
        ("tokenAuth.enforceOnInitialRequest", auth.enforce_on_initial_request),
        ("tokenAuth.enforceOnContentRequest", auth.enforce_on_content_request),
    ] {
        if !enforced {
            return refuse(member, "false", "true: every request has a token");
        }
    }
    let by_token = policy.player_verification.as_ref().filter(|players| players.enabled);
    if by_token.is_some_and(|players| players.identified_by == IdentifiedBy::Token) {
        return refuse("playerVerification.identifiedBy", "\"token\"", "\"header\"");
    }
    for (member, is_written) in [
        ("revocation", policy.revocation.is_some()),
        ("tokenAuth.sessionTokenName", auth.session_token_name.is_some()),
        ("tokenAuth.sessionTokenTransport", auth.session_token_transport != Transport::default()),
        ("tokenAuth.sessionTtl", auth.session_ttl.is_some()),
        ("tokenAuth.sessionAcl", auth.session_acl.is_some()),
        ("tokenAuth.sessionBinding", auth.session_binding.is_some()),
        ("tokenAuth.hosts", !auth.hosts.is_empty()),
    ] {
        if is_written {
            return refuse(member, "a setting of sessions", "none");
        }
    }
    Ok(())
}
