//! Reader of `mediaEncryption`: the source, scope and rotation of content keys.

use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::num::NonZeroU64;

use super::around::Around;
use super::text::text;
use super::{authorizer, coverage, speke};
use crate::document::{self, KeyRotation, SecretSource};
use crate::error::ConfigError;
use crate::secret::Reader;
use playlock_core::policy::Policies;
use playlock_core::policy::encryption::{
    Coverage, Encryption, HlsMethod, KeySharing, Keys, OnEncryptedOrigin, Rotation, SampleEncryption, SampleScheme,
};
use playlock_core::policy::key_url::{KeyUrl, Place};
use playlock_core::policy::speke::Speke;
use playlock_core::policy::text::KeyPath;
use playlock_core::token::derive::Secret;

const DEFAULT_KEY_PATH: &str = "/serve.key";
const DEFAULT_LICENSE_PATH: &str = "/license";
/// Default depth in path segments.
const DEFAULT_STREAM_DEPTH: u8 = 1;

/// Reads the secrets, the current one first. A policy without a secret uses its passwords: policies for the Media
/// Security Policy API have no other secret.
pub fn read_secrets(
    path: &str,
    encryption: Option<&document::MediaEncryption>,
    passwords: Vec<Vec<u8>>,
    reader: &mut Reader<'_>,
) -> Result<Vec<Secret>, ConfigError> {
    let member = |name: &str| format!("{path}.{name}");
    let source = |pick: fn(&document::MediaEncryption) -> Option<&SecretSource>| encryption.and_then(pick);
    let transition = source(|encryption| encryption.transition_secret.as_ref());
    let Some(secret) = source(|encryption| encryption.secret.as_ref()) else {
        if transition.is_some() {
            return Err(ConfigError::new(member("secret"), "missing, expected a secret beside transitionSecret"));
        }
        let secrets: Option<Vec<_>> = passwords.into_iter().map(Secret::new).collect();
        return secrets.filter(|secrets| !secrets.is_empty()).ok_or_else(|| {
            ConfigError::new(
                member("secret"),
                "missing, expected a secret of at least 16 bytes (or tokenAuth passwords of 16 bytes, from which keys are derived then)",
            )
        });
    };
    let mut secrets = Vec::with_capacity(2);
    secrets.push(reader.secret(&member("secret"), secret)?);
    if let Some(transition) = transition {
        secrets.push(reader.secret(&member("transitionSecret"), transition)?);
    }
    Ok(secrets)
}

/// Reads the member at the JSON path `path`.
///
/// # Errors
/// The first invalid member.
pub fn read(
    path: &str,
    encryption: &document::MediaEncryption,
    around: &Around<'_>,
    reader: &mut Reader<'_>,
) -> Result<Encryption, ConfigError> {
    let Around { key_name, session, secrets, .. } = around;
    let coverage = coverage::read(path, encryption, reader)?;
    let rotation = match encryption.key_rotation {
        None => Rotation::Never,
        Some(KeyRotation::Segments(segments)) => {
            Rotation::Segments(NonZeroU64::new(segments).ok_or_else(|| {
                ConfigError::new(format!("{path}.keyRotation.segments"), "found 0, expected at least 1")
            })?)
        }
        Some(KeyRotation::Time(time)) => Rotation::Seconds(time.0),
    };
    let built = Encryption {
        keys: match &encryption.key_url {
            None => read_endpoint(path, encryption, around)?,
            Some(url) => read_external(path, encryption, url, reader)?,
        },
        scope: encryption.key_scope.unwrap_or(if session.on_content {
            KeySharing::Session
        } else {
            KeySharing::Stream
        }),
        stream_depth: encryption.stream_depth.unwrap_or(DEFAULT_STREAM_DEPTH).into(),
        rotation,
        iv_mode: encryption.iv_mode,
        on_encrypted_origin: encryption.on_encrypted_origin,
        samples: read_samples(path, encryption, coverage)?,
        speke: read_speke(path, encryption, key_name, secrets, reader)?,
    };
    if encryption.stream_depth.is_some() && !built.asks_for_stream() {
        return Err(ConfigError::new(
            format!("{path}.streamDepth"),
            "found where nothing depends on streams, expected it beside keyScope \"stream\" or a keyUrl with {stream}",
        ));
    }
    Ok(built)
}

fn read_speke(
    path: &str,
    encryption: &document::MediaEncryption,
    key_name: &str,
    secrets: &[Secret],
    reader: &mut Reader<'_>,
) -> Result<Option<Rc<Speke>>, ConfigError> {
    let Some(written) = &encryption.speke else { return Ok(None) };
    Ok(Some(Rc::new(speke::read(&format!("{path}.speke"), written, key_name, secrets, reader)?)))
}

fn read_samples(
    path: &str,
    encryption: &document::MediaEncryption,
    coverage: Option<Coverage>,
) -> Result<Option<SampleEncryption>, ConfigError> {
    let beside = |member: &str, why: &str| Err(ConfigError::new(format!("{path}.{member}"), why));
    let hls = encryption.hls_method;
    if hls == HlsMethod::SampleAes && encryption.scheme != Some(SampleScheme::Cbcs) {
        return beside("hlsMethod", "found \"SAMPLE-AES\" without scheme \"cbcs\", whose samples it is; expected both");
    }
    let Some(scheme) = encryption.scheme else {
        return match encryption.license_path {
            None => Ok(None),
            Some(_) => {
                beside("licensePath", "found without scheme, whose keys are licensed there; expected scheme, too")
            }
        };
    };
    if encryption.on_encrypted_origin == OnEncryptedOrigin::Expect {
        return beside(
            "scheme",
            "found beside onEncryptedOrigin \"expect\", with which nothing is encrypted here; expected one of the two",
        );
    }
    if encryption.key_url.is_some() {
        return beside("keyUrl", "found beside scheme, whose licenses are given out here; expected one of the two");
    }
    if encryption.key_rotation.is_some() {
        // A change of key needs a new Period, and the origin decides on those.
        return beside(
            "keyRotation",
            "found beside scheme: an MPD names one key for all of a Period; expected one of the two",
        );
    }
    let license_path = encryption.license_path.as_deref().unwrap_or(DEFAULT_LICENSE_PATH);
    let license_path: KeyPath = text(&format!("{path}.licensePath"), license_path)?;
    if *license_path == *encryption.key_path.as_deref().unwrap_or(DEFAULT_KEY_PATH) {
        return beside("licensePath", "the same as keyPath, expected another path");
    }
    Ok(Some(SampleEncryption { scheme, coverage, license_path, hls }))
}

/// Checks what license servers need of the whole document.
///
/// # Errors
/// Headers that are not held, or a path that is another policy's key endpoint.
pub fn check_licenses(policies: &Policies) -> Result<(), ConfigError> {
    for (index, policy) in policies.iter() {
        let Some(samples) = policy.samples() else { continue };
        let member = |name: &str| format!("policies[{}].mediaEncryption.{name}", index.get());
        if !policies.hold_headers {
            return Err(ConfigError::new(
                member("scheme"),
                "found where headers are not held: license requests with their body are collected with held headers alone; expected holdHeaders true",
            ));
        }
        if policies.is_key_path(&samples.license_path) {
            return Err(ConfigError::new(
                member("licensePath"),
                format!("found \"{}\", which is the keyPath of a policy, expected another path", samples.license_path),
            ));
        }
    }
    Ok(())
}

fn read_endpoint(path: &str, encryption: &document::MediaEncryption, around: &Around<'_>) -> Result<Keys, ConfigError> {
    if encryption.key.is_some() {
        return Err(ConfigError::new(
            format!("{path}.key"),
            "found without keyUrl: the key endpoint gives out derived keys; expected keyUrl, too",
        ));
    }
    let key_path = text(&format!("{path}.keyPath"), encryption.key_path.as_deref().unwrap_or(DEFAULT_KEY_PATH))?;
    let authorizer = encryption.key_authorizer.as_ref();
    let rotation = encryption.key_rotation;
    let authorizer = authorizer.map(|it| authorizer::read(&format!("{path}.keyAuthorizer"), it, around, rotation));
    let authorizer = authorizer.transpose()?;
    Ok(Keys::Endpoint { path: key_path, authorizer })
}

fn read_external(
    path: &str,
    encryption: &document::MediaEncryption,
    url: &str,
    reader: &mut Reader<'_>,
) -> Result<Keys, ConfigError> {
    let beside = |member: &str, why: &str| Err(ConfigError::new(format!("{path}.{member}"), why));
    if encryption.key_path.is_some() {
        return beside(
            "keyPath",
            "found beside keyUrl, with which no keys are given out here; expected one of the two",
        );
    }
    if encryption.key_authorizer.is_some() {
        return beside(
            "keyAuthorizer",
            "found beside keyUrl, with which no keys are given out here; expected one of the two",
        );
    }
    let url = KeyUrl::parse(url).map_err(|expected| {
        ConfigError::new(format!("{path}.keyUrl"), format!("found \"{}\", {expected}", url.escape_default()))
    })?;
    let key = match &encryption.key {
        None => None,
        Some(_) if encryption.key_scope.is_some() => {
            return beside("keyScope", "found beside key, which is the only one; expected one of the two");
        }
        Some(_) if encryption.key_rotation.is_some() => {
            return beside("keyRotation", "found beside key, which never changes; expected one of the two");
        }
        Some(source) => Some(reader.key(&format!("{path}.key"), source)?),
    };
    Ok(Keys::External { url, key })
}

/// Checks that each URL identifies one key: players cache keys by URL, and the key server receives nothing else.
pub fn check_key_url(path: &str, encryption: &Encryption, secrets: usize) -> Result<(), ConfigError> {
    let Keys::External { url, key: None } = &encryption.keys else { return Ok(()) };
    for (needed, place, name, why) in [
        (encryption.scope == KeySharing::Session, Place::Session, "session", "every session has its own key"),
        (encryption.scope == KeySharing::Stream, Place::Stream, "stream", "every stream has its own key"),
        (encryption.rotation != Rotation::Never, Place::Period, "period", "every key period has its own key"),
        (secrets > 1, Place::Secret, "secret", "keys are derived from either of two secrets"),
    ] {
        if needed && !url.has(place) {
            return Err(ConfigError::new(format!("{path}.keyUrl"), format!("expected {{{name}}} in it: {why}")));
        }
    }
    Ok(())
}

/// Checks that content without a session token neither needs a session's key nor exposes the origin's keys.
pub fn check_free_content(path: &str, encryption: &Encryption) -> Result<(), ConfigError> {
    if encryption.scope == KeySharing::Session && encryption.configured_key().is_none() {
        return Err(ConfigError::new(
            format!("{path}.tokenAuth.enforceOnContentRequest"),
            "found false beside mediaEncryption.keyScope \"session\", whose keys only a session's token tells; expected true, or keyScope \"stream\" or \"application\"",
        ));
    }
    if encryption.on_encrypted_origin == OnEncryptedOrigin::Passthrough {
        return Err(ConfigError::new(
            format!("{path}.mediaEncryption.onEncryptedOrigin"),
            "found \"passthrough\" beside tokenAuth.enforceOnContentRequest false, which would give the origin's keys to anyone; expected \"deny\"",
        ));
    }
    Ok(())
}
